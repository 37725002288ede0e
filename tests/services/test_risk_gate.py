"""The gate at its door: an order that breaks a limit is denied by the limit's name, and exits are sent all the same."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import event

from app.domain.accounts import Credential, Environment, TradingMode
from app.domain.alerts import AlertStatus
from app.domain.errors import OrderDenied
from app.domain.markets import Ticker
from app.domain.orders import OrderDraft, OrderStatus, OrderType, Side
from app.domain.risk import Limits, TradingHours
from app.extensions import db
from app.models import (
    Alert,
    Broker,
    HaltCause,
    OrderOrigin,
    OrderRole,
    OrderRow,
    Position,
    PositionStatus,
    User,
    utc_now,
)
from app.services import (
    alerts,
    balances,
    brokers,
    connections,
    execution,
    halts,
    inbox,
    intake,
    limits,
    markets,
    orders,
    planning,
    prices,
    risk,
    sources,
)
from app.services.intake import Delivery
from tests.fixtures.app import AppFactory, MakeUser
from tests.fixtures.sandbox import Keys, SandboxServer

EXCHANGE = "binance"
BTC = "BTC/USDT"
DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(params=["sqlite"])
def app(
    request: pytest.FixtureRequest, make_app: AppFactory, sandbox: SandboxServer, redis_url: str
) -> Flask:
    environ = {"SANDBOX_URL": sandbox.url, "REDIS_URL": redis_url}
    if request.param == "postgresql":
        environ["DATABASE_URL"] = request.getfixturevalue("postgres_url")
    return make_app(**environ)


@pytest.fixture
def user(app: Flask, make_user: MakeUser) -> Iterator[User]:
    made = make_user()
    with app.app_context():
        yield made
        connections.close()


@pytest.fixture
def keys(sandbox: SandboxServer) -> Keys:
    return sandbox.account(EXCHANGE)


@pytest.fixture
def broker(user: User, keys: Keys) -> Broker:
    return connect(user, keys, "Practice")


def connect(user: User, keys: Keys, name: str) -> Broker:
    """A broker with its markets and prices."""
    added = brokers.add(
        user,
        name=name,
        exchange=EXCHANGE,
        environment=Environment.SANDBOX,
        credential=Credential(keys.api_key, keys.api_secret),
        mode=TradingMode.WEBHOOKS,
    )
    markets.load(added.id)
    balances.sync(added.id)
    return db.session.get_one(Broker, added.id)


def stored(
    broker: Broker,
    *,
    role: OrderRole = OrderRole.ENTRY,
    side: Side = Side.BUY,
    symbol: str = BTC,
    worth: int = 600,
    price: Decimal | None = None,
    age: timedelta = timedelta(0),
) -> OrderRow:
    """An order as every source stores it, past the early words, waiting for its worker."""
    now = utc_now()
    quantity = Decimal("0.01") if side is Side.SELL or price is not None else None
    order = OrderRow(
        user_id=broker.user_id,
        broker=broker,
        role=role,
        origin=OrderOrigin.TICKET,
        symbol=symbol,
        side=side,
        type=OrderType.MARKET if price is None else OrderType.LIMIT,
        quantity=quantity,
        quote_quantity=Decimal(worth) if quantity is None else None,
        price=price,
        status=OrderStatus.PENDING,
        attempts=0,
        received_at=now - age,
        created_at=now - age,
        fills=[],
        children=[],
    )
    db.session.add(order)
    db.session.commit()
    return order


def sent(order: OrderRow) -> OrderRow:
    """What became of an order once a worker took it."""
    execution.submit(order.id)
    return db.session.get_one(OrderRow, order.id, populate_existing=True)


def position(
    broker: Broker, *, symbol: str = BTC, realised: int = 0, closed_ago: timedelta | None = None
) -> Position:
    """A hundredth of a bitcoin bought at 60,000, still held or closed a while ago."""
    held = closed_ago is None
    made = Position(
        user_id=broker.user_id,
        broker_id=broker.id,
        symbol=symbol,
        status=PositionStatus.OPEN if held else PositionStatus.CLOSED,
        quantity=Decimal("0.01") if held else Decimal(0),
        bought=Decimal("0.01"),
        cost=Decimal(600) if held else Decimal(0),
        realised=Decimal(realised),
        fees=Decimal(0),
        closed_at=None if closed_ago is None else utc_now() - closed_ago,
    )
    db.session.add(made)
    db.session.commit()
    return made


def last_price(broker: Broker, price: int) -> None:
    prices.remember(broker.exchange, broker.environment, [Ticker(BTC, Decimal(price))])


def holding_bitcoin(broker: Broker) -> None:
    position(broker)


def holding_ether(broker: Broker) -> None:
    position(broker, symbol="ETH/USDT")


def just_after_a_loss(broker: Broker) -> None:
    position(broker, realised=-100, closed_ago=timedelta(0))


def just_after_an_entry(broker: Broker) -> None:
    sent(stored(broker))


def nothing(_broker: Broker) -> None:
    pass


never = TradingHours.parse(f"{(utc_now() + timedelta(days=3)):%a} 00:00-00:00 UTC")

CASES = [
    ("max_order_value", Limits(max_order_value=Decimal(500)), nothing),
    ("max_open_positions", Limits(max_open_positions=1), holding_ether),
    ("max_symbol_exposure", Limits(max_symbol_exposure=Decimal(1000)), holding_bitcoin),
    (
        "max_orders_per_minute",
        Limits(max_orders_per_minute=1),
        just_after_an_entry,
    ),
    ("daily_loss_limit", Limits(daily_loss_limit=Decimal(100)), just_after_a_loss),
    ("cooldown", Limits(cooldown_losses=1, cooldown_minutes=10), just_after_a_loss),
    ("allowed_symbols", Limits(allowed_symbols=frozenset({"ETH/USDT"})), nothing),
    ("trading_hours", Limits(trading_hours=never), nothing),
]


@pytest.mark.parametrize("of_account", [True, False], ids=["account", "broker"])
@pytest.mark.parametrize(("rule", "wanted", "before"), CASES, ids=[case[0] for case in CASES])
def test_a_limit_denies_an_entry_by_its_name_and_lets_exits_pass(
    user: User, broker: Broker, rule: str, wanted: Limits, before: Callable[[Broker], None], of_account: bool
) -> None:
    before(broker)
    limits.put(user, None if of_account else broker, wanted)

    denied = sent(stored(broker))

    assert denied.status is OrderStatus.DENIED
    covered = "all brokers" if of_account else broker.name
    assert f"{rule} of {covered}: " in (denied.reason or "")
    assert denied.sent_at is None
    for role, side in (
        (OrderRole.ENTRY, Side.SELL),
        (OrderRole.EXIT, Side.SELL),
        (OrderRole.PROTECTION, Side.BUY),
    ):
        assert sent(stored(broker, role=role, side=side)).status is OrderStatus.FILLED, (role, side)
    limits.put(user, None if of_account else broker, Limits())
    assert sent(stored(broker)).status is OrderStatus.FILLED


def test_a_limit_price_far_from_the_last_one_is_denied_and_a_near_one_rests(
    user: User, broker: Broker
) -> None:
    limits.put(user, broker, Limits(price_collar_percent=Decimal(5)))

    far, near = sent(stored(broker, price=Decimal(50000))), sent(stored(broker, price=Decimal(59000)))

    assert "price_collar of Practice: " in (far.reason or "")
    assert (far.status, near.status) == (OrderStatus.DENIED, OrderStatus.OPEN)


def test_the_ticket_and_its_preview_say_so_beforehand_and_nothing_is_stored(
    user: User, broker: Broker
) -> None:
    limits.put(user, None, Limits(max_order_value=Decimal(500)))
    draft = OrderDraft(BTC, Side.BUY, OrderType.MARKET, quote_quantity=Decimal(600))

    planned = planning.preview(broker, draft)

    assert [found.rule for found in planned.violations] == ["max_order_value"]
    with pytest.raises(OrderDenied, match="at most 500 USD"):
        orders.place(broker, draft, OrderOrigin.TICKET)
    assert db.session.query(OrderRow).count() == 0
    selling = OrderDraft(BTC, Side.SELL, OrderType.MARKET, quantity=Decimal("0.01"))
    assert planning.preview(broker, selling).violations == ()


def test_a_limit_of_one_broker_is_none_of_another_and_of_nobody_else(
    user: User, broker: Broker, make_user: MakeUser, sandbox: SandboxServer
) -> None:
    limits.put(user, broker, Limits(allowed_symbols=frozenset()))
    other = connect(user, sandbox.account(EXCHANGE), "Other")
    stranger = connect(make_user(), sandbox.account(EXCHANGE), "Practice")
    assert sent(stored(other)).status is OrderStatus.FILLED
    limits.put(user, None, Limits(allowed_symbols=frozenset()))
    assert sent(stored(other)).status is OrderStatus.DENIED
    assert sent(stored(stranger)).status is OrderStatus.FILLED


def test_the_accounts_limits_count_all_brokers_together(
    user: User, broker: Broker, sandbox: SandboxServer
) -> None:
    other = connect(user, sandbox.account(EXCHANGE), "Other")
    position(broker)
    limits.put(user, None, Limits(max_open_positions=1))
    limits.put(user, other, Limits(max_open_positions=1))

    denied = sent(stored(other))

    assert "max_open_positions of all brokers: 1 other positions" in (denied.reason or "")
    assert "of Other" not in (denied.reason or "")
    assert sent(stored(broker)).status is OrderStatus.FILLED  # more of what is held already


def test_an_open_loss_counts_into_the_day_at_the_last_price(user: User, broker: Broker) -> None:
    position(broker)
    limits.put(user, broker, Limits(daily_loss_limit=Decimal(100)))
    last_price(broker, 50001)
    assert sent(stored(broker)).status is OrderStatus.FILLED
    last_price(broker, 50000)
    assert "daily_loss_limit of Practice: today's loss is 100" in (sent(stored(broker)).reason or "")


def test_yesterdays_loss_does_not_count_today(user: User, broker: Broker) -> None:
    position(broker, realised=-5000, closed_ago=timedelta(days=1))
    limits.put(user, broker, Limits(daily_loss_limit=Decimal(100)))
    assert sent(stored(broker)).status is OrderStatus.FILLED


def test_a_gain_ends_a_row_of_losses(user: User, broker: Broker) -> None:
    position(broker, realised=-5, closed_ago=timedelta(minutes=3))
    position(broker, realised=5, closed_ago=timedelta(minutes=2))
    position(broker, realised=-5, closed_ago=timedelta(minutes=1))
    limits.put(user, broker, Limits(cooldown_losses=2, cooldown_minutes=60))
    assert sent(stored(broker)).status is OrderStatus.FILLED


@pytest.mark.parametrize("app", DATABASES, indirect=True)
@pytest.mark.parametrize("rule", ["max_open_positions", "max_orders_per_minute"])
def test_of_two_entries_claimed_at_once_only_one_passes(
    app: Flask, user: User, broker: Broker, rule: str
) -> None:
    limits.put(user, None, Limits(**{rule: 1}))  # type: ignore[arg-type]
    waiting = [stored(broker, symbol=symbol).id for symbol in (BTC, "ETH/USDT")]
    db.session.remove()
    ready = threading.Barrier(len(waiting))

    def work(order_id: int) -> None:
        with app.app_context():
            ready.wait()
            execution.submit(order_id)
            db.session.remove()

    workers = [threading.Thread(target=work, args=(order_id,)) for order_id in waiting]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    ended = [db.session.get_one(OrderRow, order_id) for order_id in waiting]
    assert sorted(order.status for order in ended) == [OrderStatus.DENIED, OrderStatus.FILLED]
    [denied] = [order for order in ended if order.status is OrderStatus.DENIED]
    assert f"{rule} of all brokers" in (denied.reason or "")


@pytest.mark.parametrize("app", DATABASES, indirect=True)
def test_the_gate_costs_one_query_where_nobody_has_limits_or_halts(broker: Broker) -> None:
    order = stored(broker)
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        db.session.get_one(OrderRow, order.id)
        statements.clear()
        assert risk.objections(order, utc_now()) == []
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert len([statement for statement in statements if not statement.startswith("BEGIN")]) == 1


@pytest.mark.parametrize("app", DATABASES, indirect=True)
def test_equity_far_below_its_peak_halts_the_account_until_a_person_lifts_it(
    user: User, broker: Broker, sandbox: SandboxServer
) -> None:
    limits.put(user, None, Limits(max_drawdown_percent=Decimal(10)))
    balances.sync(broker.id)
    assert halts.seen_by(user) == []
    try:
        sandbox.price(EXCHANGE, "BTC/USD", "30000")
        balances.sync(broker.id)
    finally:
        sandbox.price(EXCHANGE, "BTC/USD", "60000")
    balances.sync(broker.id)  # what has recovered since does not lift it

    [halt] = halts.seen_by(user)
    assert (halt.cause, halt.started_by, halt.broker_id) == (HaltCause.DRAWDOWN, None, None)
    denied = sent(stored(broker))
    assert denied.status is OrderStatus.DENIED
    assert "more than the 10 % allowed); exits still run" in (denied.reason or "")
    assert sent(stored(broker, side=Side.SELL)).status is OrderStatus.FILLED

    assert halts.lift(halts.all_of(user), user) == 1
    balances.sync(broker.id)
    assert sent(stored(broker)).status is OrderStatus.FILLED


def alert(token: str, symbol: str = "BTCUSDT") -> Alert:
    """Send one and have it decided."""
    body = json.dumps(
        {"action": "BuyMarket", "symbol": symbol, "quote_quantity": "600", "id": secrets.token_hex(8)}
    ).encode()
    [receipt] = intake.store(
        [Delivery(token=token, body=body, content_type="", sender="", received_at=utc_now())]
    )
    assert receipt is not None
    alerts.process(receipt.alert_id)
    return db.session.get_one(Alert, receipt.alert_id, populate_existing=True)


@pytest.mark.parametrize("scope", ["broker", "user", "server"])
def test_a_halt_stops_the_very_next_alert_and_what_waits_already_and_no_exit(
    user: User, broker: Broker, scope: str
) -> None:
    """A source was disabled by its owner and 37 more orders went out from a cache: here, none after the click."""
    _, token = sources.create(user, broker, "chart")
    assert alert(token).status is AlertStatus.PROCESSED
    waiting = [stored(broker, age=timedelta(seconds=1)) for _ in range(3)]
    reach = {"broker": halts.only(broker), "user": halts.all_of(user), "server": halts.whole_server()}[scope]

    halts.start(reach, user, "the market is mad")

    denied = alert(token)
    assert denied.status is AlertStatus.DENIED
    assert "are halted (the market is mad); exits still run" in (denied.reason or "")
    assert inbox.orders_of(denied) == []
    for order in waiting:
        ended = sent(order)
        assert ended.status is OrderStatus.DENIED
        assert ended.sent_at is None
    assert sent(stored(broker, role=OrderRole.EXIT, side=Side.SELL)).status is OrderStatus.FILLED

    halts.lift(reach, user)
    assert alert(token).status is AlertStatus.PROCESSED


def test_a_halt_outlives_the_process_that_started_it(
    user: User, broker: Broker, app: Flask, make_app: AppFactory, sandbox: SandboxServer
) -> None:
    halts.start(halts.only(broker), user, "for the night")
    order_id = stored(broker).id
    database = str(db.engine.url)
    db.session.remove()

    with make_app(DATABASE_URL=database, SANDBOX_URL=sandbox.url).app_context():
        execution.submit(order_id)
        assert db.session.get_one(OrderRow, order_id).status is OrderStatus.DENIED
        db.session.remove()


def test_a_halt_of_one_is_none_of_another_and_only_an_administrator_stops_all(
    user: User, broker: Broker, make_user: MakeUser, sandbox: SandboxServer
) -> None:
    stranger = make_user()
    theirs = connect(stranger, sandbox.account(EXCHANGE), "Theirs")
    halts.start(halts.only(broker), user, "mine")
    halts.start(halts.all_of(user), user, "mine")
    assert sent(stored(theirs)).status is OrderStatus.FILLED
    assert halts.seen_by(stranger) == []
    with pytest.raises(halts.HaltRefused):
        halts.start(halts.whole_server(), stranger, "theirs")
    halts.start(halts.whole_server(), user, "by the administrator")
    with pytest.raises(halts.HaltRefused):
        halts.lift(halts.whole_server(), stranger)
    assert sent(stored(theirs)).status is OrderStatus.DENIED


def test_pressing_the_switch_twice_is_one_halt_and_one_lift_ends_it(user: User, broker: Broker) -> None:
    first = halts.start(halts.only(broker), user, "once")
    assert halts.start(halts.only(broker), user, "twice").id == first.id
    assert halts.lift(halts.only(broker), user) == 1
    assert halts.lift(halts.only(broker), user) == 0
    assert [halt.ended_by for halt in halts.seen_by(user, ended_too=True)] == [user.id]
