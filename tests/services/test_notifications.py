"""People are told what happens while they do not look: once, together, and never by way of what must stay closed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import text, update

from app import messenger
from app.domain.orders import OrderStatus
from app.extensions import db
from app.models import Broker, NotificationChannel, OrderRow, Position, User, utc_now
from app.services import counting, halts, misses, notifications, sealing, sources, staleness, users
from app.services.halts import whole_server
from app.services.notices import Kind
from tests.fixtures.app import PASSWORD, AppFactory, MakeBroker, MakeUser
from tests.fixtures.history import MakeHistory
from tests.fixtures.receiver import TOKEN, Receiver

EVERYTHING = tuple(Kind)


@pytest.fixture
def app(make_app: AppFactory) -> Flask:
    """On a server whose operator lets messages go to private addresses."""
    return make_app(NOTIFY_PRIVATE="1")


@pytest.fixture
def user(make_user: MakeUser) -> User:
    """Who is told."""
    return make_user()


def _channel(user: User, receiver: Receiver, kinds: tuple[Kind, ...] = EVERYTHING) -> int:
    """A channel that knows of all that happened so far."""
    sealing.seal()
    return notifications.add(user, "phone", receiver.url, kinds).id


def _pass_time() -> None:
    """Let what is quiet be quiet no more."""
    db.session.execute(update(NotificationChannel).values(quiet_until=utc_now() - timedelta(seconds=1)))
    db.session.commit()


def _beat(*channel_ids: int) -> None:
    """What beat and a worker do within ten seconds."""
    sealing.seal()
    notifications.look()
    for channel_id in channel_ids:
        notifications.send(channel_id)


def _channel_row(channel_id: int) -> NotificationChannel:
    return db.session.get_one(NotificationChannel, channel_id, populate_existing=True)


def test_all_that_happens_within_the_quiet_time_is_one_message_in_words(
    app: Flask, user: User, receiver: Receiver, make_history: MakeHistory, make_user: MakeUser
) -> None:
    other = make_user()
    with app.app_context():
        channel_id, others = (
            _channel(user, receiver),
            notifications.add(other, "pad", receiver.url, EVERYTHING).id,
        )
    make_history(user)
    with app.app_context():
        _break_everything(user)
        _beat(channel_id, others)

        (message,) = receiver.got
        lines = message["message"].splitlines()
        assert message["title"] == f"Switchyard: {len(lines)} events"
        for told in (
            "BTC/USDT: bought 0.25 at 49000",
            "BTC/USDT: the exchange turned the stop down",
            "ETH/USDT: the position is closed, 0 realised; sold by hand",
            "Practice 1: the key was revoked",
            "every 60 s",
        ):
            assert [line for line in lines if line.endswith(told)], (told, lines)
        assert any("silent: nothing was heard since" in line for line in lines)

        halts.start(whole_server(), user, "the moon is full")
        _beat(channel_id, others)
        assert len(receiver.got) == 2  # the other's; this one's is quiet for half a minute
        assert "the whole server: entries are halted: the moon is full" in receiver.got[1]["message"]
        _pass_time()
        _beat(channel_id, others)
        assert [told["message"].endswith("the moon is full") for told in receiver.got] == [False, True, True]
        _pass_time()
        _beat(channel_id, others)
        assert len(receiver.got) == 3


def _break_everything(user: User) -> None:
    broker = db.session.query(Broker).filter_by(user_id=user.id).one()
    held, naked, _over = db.session.query(Position).filter_by(user_id=user.id).order_by(Position.id)
    entry = db.session.query(OrderRow).filter_by(user_id=user.id, status="OPEN", role="ENTRY").one()
    entry.filled_quantity, entry.average_price = Decimal("0.25"), Decimal(49000)
    entry.move_to(OrderStatus.FILLED, "it filled")
    broker.connected, broker.connection_reason = False, "the key was revoked"
    held.alarm = "the exchange turned the stop down"
    counting.end(naked, "sold by hand")
    source, _ = sources.create(user, broker, "silent")
    source.heartbeat_seconds, source.heard_at = 60, utc_now() - timedelta(hours=1)
    db.session.commit()
    assert misses.look() == 1


def test_a_storm_is_one_message_in_which_what_is_urgent_comes_first(
    app: Flask, user: User, receiver: Receiver, make_history: MakeHistory
) -> None:
    history = make_history(user)
    with app.app_context():
        channel_id = _channel(user, receiver)
        position = db.session.get_one(Position, history.position_ids[0])
        for number in range(100):
            position.alarm = f"try {number} failed"
            db.session.commit()
        _beat(channel_id)
    (message,) = receiver.got
    assert message["title"] == "Switchyard: 100 events"
    assert "try 99 failed" in message["message"]
    assert message["message"].endswith("and 80 more: see the Activity page")


def test_only_what_was_chosen_is_told(
    app: Flask, user: User, receiver: Receiver, make_history: MakeHistory
) -> None:
    make_history(user)
    with app.app_context():
        channel_id = _channel(user, receiver, (Kind.BROKER_LOST,))
        notifications.choose(_channel_row(channel_id), [Kind.HALTED])
        _break_everything(user)
        _beat(channel_id)
        assert receiver.got == []
        assert not _channel_row(channel_id).waiting


def test_what_could_not_be_sent_is_told_later_and_the_channel_says_why_without_its_secret(
    app: Flask, user: User, receiver: Receiver, make_history: MakeHistory
) -> None:
    make_history(user)
    receiver.status = 403
    with app.app_context():
        channel_id = _channel(user, receiver)
        _break_everything(user)
        _beat(channel_id)
        row = _channel_row(channel_id)
        assert (row.failures, row.waiting, row.sent_at) == (1, True, None)
        assert "403" in (row.last_error or "")
        assert TOKEN not in (row.last_error or "")
        assert row.quiet_until > utc_now() + timedelta(seconds=45)

        receiver.status = 200
        _pass_time()
        _beat(channel_id)
        assert receiver.got[1] == receiver.got[0]
        row = _channel_row(channel_id)
        assert (row.failures, row.waiting, row.last_error) == (0, False, None)
        stored = str(db.session.execute(text("SELECT * FROM notification_channels")).all())
        assert TOKEN not in stored


def test_no_message_reaches_a_private_network_unless_the_operator_allows_it(
    make_app: AppFactory, receiver: Receiver
) -> None:
    with make_app().app_context():
        user = users.sign_up("ada@example.org", PASSWORD)
        channel_id = _channel(user, receiver)
        notifications.send_test(channel_id)
        assert "private network" in (_channel_row(channel_id).last_error or "")
    assert receiver.got == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        (("8.8.8.8", 443), True),
        (("2606:4700::1111", 443, 0, 0), True),
        (("127.0.0.1", 80), False),
        (("10.1.2.3", 80), False),
        (("169.254.169.254", 80), False),
        (("100.64.0.1", 80), False),
        (("224.0.0.1", 80), False),
        (("::1", 80, 0, 0), False),
        (("fe80::1%eth0", 80, 0, 2), False),
        (("::ffff:127.0.0.1", 80, 0, 0), False),
        (("2002:7f00:1::1", 80, 0, 0), False),
        (("localhost", 80), False),
        ("/run/redis.sock", False),
    ],
)
def test_a_connection_is_public_by_its_address_alone(address: object, public: bool) -> None:
    assert messenger.is_public(address) is public


def test_what_a_service_says_is_told_without_any_part_of_the_address() -> None:
    url = "jsons://user:hunter22@hooks.example.org/T0K3N/abcdefgh?key=zyxwvuts"
    said = messenger.without_secrets("hunter22 at abcdefgh with zyxwvuts: error 403", url)
    assert said == "••• at ••• with •••: error 403"


def test_a_broker_that_is_synced_no_more_is_told_once_until_it_is_again(
    app: Flask, user: User, make_broker: MakeBroker
) -> None:
    broker_id = make_broker(user).id

    def synced(age: timedelta) -> None:
        broker = db.session.get_one(Broker, broker_id)
        broker.connected, broker.balances_synced_at = True, utc_now() - age
        db.session.commit()

    with app.app_context():
        for age, told in ((1, 0), (6, 1), (7, 0), (1, 0), (6, 1)):
            synced(timedelta(minutes=age))
            assert staleness.look() == told
