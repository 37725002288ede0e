"""Brokers: a person's accounts on exchanges, their keys, and the check-up of both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy import or_, select, update

from app import dispatch
from app.domain.accounts import ConnectionReport, Credential, Environment, TradingMode
from app.domain.audit import Action
from app.domain.errors import ExchangeUnavailable
from app.domain.money import plain
from app.domain.orders import OrderStatus
from app.exchanges import NAMES, capabilities, credential_fields, regions
from app.extensions import db
from app.models import Broker, OrderRow, Position, PositionStatus, User, utc_now
from app.services import audit, balances, connections, events, practice, underway, vault
from app.services.events import Topic
from app.services.refusal import Refused
from app.services.underway import Work

_LIVE_ORDERS = ("SUBMITTED", "OPEN", "PARTIALLY_FILLED")
#: Orders that are still to be sent, looked up, watched or asked for their fills.
_UNFINISHED = or_(
    OrderRow.status.in_([status for status in OrderStatus if not status.is_final]),
    OrderRow.fills_missing.is_(True),
)

_SETTLE = "Cancel its open orders and close its positions first, or connect the other account as a broker of its own."


class BrokerRefused(Refused):
    """A broker cannot be made or changed as asked."""


def add(
    user: User,
    *,
    name: str,
    exchange: str,
    environment: Environment,
    credential: Credential | None,
    mode: TradingMode = TradingMode.OFF,
    dry_run: bool = False,
    region: str | None = None,
) -> Broker:
    """Connect an account; its check-up, and after that the loading of its markets, start by themselves.

    Without a credential a sandbox broker gets a practice account; without a region it is of the exchange's usual one.

    Raises:
        BrokerRefused: a field is missing, the name is taken, or the exchange has no such environment or region.
    """
    if credential is None and environment is Environment.SANDBOX:
        credential = practice.new_credential()
    credential = _checked(exchange, environment, credential)
    broker = Broker(
        user_id=user.id,
        name=_free_name(user, name),
        exchange=exchange,
        environment=environment,
        region=_region(exchange, region),
        mode=mode,
        dry_run=dry_run,
        is_main=not of(user),
        data_key=b"",
        api_key=b"",
        api_secret=b"",
    )
    db.session.add(broker)
    db.session.flush()  # the keys are sealed to the row's id
    vault.seal(broker, credential)
    _record(
        Action.BROKER_ADDED,
        broker,
        exchange=exchange,
        environment=environment,
        region=broker.region,
        mode=mode,
        dry_run=dry_run,
        main=broker.is_main,
    )
    db.session.commit()
    request_check(broker)
    return broker


def edit(
    broker: Broker,
    *,
    name: str,
    environment: Environment,
    dry_run: bool,
    credential: Credential | None = None,
    same_account: bool = False,
    region: str | None = None,
) -> None:
    """Change a broker; without a credential its keys stay as they are, without a region its region.

    ``same_account``: a person says that the new keys open the account which the old ones did.

    Raises:
        BrokerRefused: as in `add`, or the keys may open another account than the one that orders or positions are on.
    """
    region = _region(broker.exchange, region or broker.region)
    if credential is None and (environment, region) != (broker.environment, broker.region):
        raise BrokerRefused("another environment or region has other keys: enter them", field="api_key")
    if credential is not None:
        _change_keys(broker, environment, region, credential, same_account=same_account)
    before = {"name_before": broker.name, "dry_run_before": broker.dry_run}
    if name.strip() != broker.name:
        broker.name = _free_name(db.session.get_one(User, broker.user_id), name)
    broker.dry_run = dry_run
    if [broker.name, dry_run] != list(before.values()):
        _record(Action.BROKER_EDITED, broker, dry_run=dry_run, **before)
    db.session.commit()
    if credential is not None:
        request_check(broker)


def request_check(broker: Broker) -> bool:
    """Have a worker run the check-up; False when the queue cannot be reached."""
    return _request(broker, Work.CHECK, dispatch.check_broker)


def request_markets(broker: Broker) -> bool:
    """Have a worker load the markets; False when the queue cannot be reached."""
    return _request(broker, Work.MARKETS, dispatch.load_markets)


def remove(broker: Broker) -> None:
    """Forget a broker, its keys and its history.

    Raises:
        BrokerRefused: while orders of it rest on the exchange, because nobody would watch them any more.
    """
    live = db.session.scalar(
        select(OrderRow.id).where(OrderRow.broker_id == broker.id, OrderRow.status.in_(_LIVE_ORDERS)).limit(1)
    )
    if live is not None:
        raise BrokerRefused(
            f"{broker.name} has open orders", remedy="Cancel its open orders first, then remove it."
        )
    _record(Action.BROKER_REMOVED, broker, exchange=broker.exchange, environment=broker.environment)
    db.session.delete(broker)
    db.session.commit()


def make_main(broker: Broker) -> None:
    """Make this the broker the ticket opens with, instead of the one that was."""
    db.session.execute(
        update(Broker).where(Broker.user_id == broker.user_id).values(is_main=Broker.id == broker.id)
    )
    _record(Action.BROKER_MADE_MAIN, broker)
    db.session.commit()


def set_mode(broker: Broker, mode: TradingMode) -> None:
    """Choose which sources may trade on a broker; takes effect on the very next alert."""
    _record(Action.BROKER_MODE_SET, broker, before=broker.mode, mode=mode)
    broker.mode = mode
    db.session.commit()
    events.publish(broker.user_id, Topic.BROKERS, broker.id)


def set_active(broker: Broker, active: bool) -> None:
    """Pause a broker or let it go on; a paused one takes no new orders and is not synced."""
    broker.active = active
    _record(Action.BROKER_RESUMED if active else Action.BROKER_PAUSED, broker)
    db.session.commit()
    events.publish(broker.user_id, Topic.BROKERS, broker.id)


def of(user: User) -> Sequence[Broker]:
    """A person's brokers, the main one first."""
    return db.session.scalars(
        select(Broker).where(Broker.user_id == user.id).order_by(Broker.is_main.desc(), Broker.name)
    ).all()


def find(user: User, broker_id: int) -> Broker | None:
    """A broker of this person; another person's is as if it did not exist."""
    return db.session.scalar(select(Broker).where(Broker.id == broker_id, Broker.user_id == user.id))


def by_name(user: User, name: str) -> Broker | None:
    """A person's broker of this name."""
    return db.session.scalar(select(Broker).where(Broker.user_id == user.id, Broker.name == name))


def check(broker_id: int) -> ConnectionReport:
    """Run the check-up of a broker on its exchange and keep the report; the page is told.

    When it succeeds, balances are kept, and the loading of markets and the first sync of prices start.
    """
    broker = db.session.get_one(Broker, broker_id)
    asked_at = utc_now()
    try:
        report = replace(_examined(broker), checked_at=utc_now())
    finally:
        underway.end(Work.CHECK, broker_id)
    broker.connected = report.connected
    broker.connection_reason = report.reason
    broker.connection_remedy = report.remedy
    broker.check_up = _as_json(report)
    broker.checked_at = report.checked_at
    db.session.commit()
    events.publish(broker.user_id, Topic.BROKERS, broker.id)
    if report.connected:
        balances.store(broker, report.balances, asked_at=asked_at)
        request_markets(broker)
        dispatch.sync_balances(broker.id, broker.exchange)  # for the prices, which size and value orders
    return report


def _record(action: Action, broker: Broker, **detail: object) -> None:
    audit.record(action, f"broker {broker.id}", user_id=broker.user_id, name=broker.name, **detail)


def _examined(broker: Broker) -> ConnectionReport:
    """What a client of its own finds; keys that cannot be decrypted are a finding like any other."""
    try:
        exchange = connections.fresh(broker)
        credential = _practice_credential(broker)
    except vault.VaultSealed as sealed:
        return ConnectionReport(connected=False, reason=sealed.message, remedy=sealed.remedy)
    db.session.commit()
    try:
        if credential is not None:
            practice.ensure_account(broker.exchange, credential)
        return exchange.check_connection()
    except ExchangeUnavailable as down:
        return ConnectionReport(connected=False, reason=down.message, remedy=down.remedy)
    finally:
        exchange.close()


def _practice_credential(broker: Broker) -> Credential | None:
    """The keys of a practice account; None for keys that a person entered."""
    if broker.environment is not Environment.SANDBOX:
        return None
    credential = vault.unseal(broker)
    return credential if practice.is_practice(credential) else None


def _request(broker: Broker, work: Work, send: Callable[[int, str], bool]) -> bool:
    underway.begin(work, broker.id)
    sent = send(broker.id, broker.exchange)
    if not sent:
        underway.end(work, broker.id)
    events.publish(broker.user_id, Topic.BROKERS, broker.id)
    return sent


def _as_json(report: ConnectionReport) -> dict[str, object]:
    budget = report.rate_budget
    return {
        "permissions": {
            "read": report.permissions.read.value,
            "trade": report.permissions.trade.value,
            "withdraw": report.permissions.withdraw.value,
        },
        "ip_restricted": report.ip_restricted.value,
        "clock_skew_ms": report.clock_skew_ms,
        "rate_budget": None
        if budget is None
        else {"used": budget.used, "limit": budget.limit, "per_seconds": budget.per_seconds},
        "balances": [
            {"asset": asset, "free": plain(balance.free), "locked": plain(balance.locked)}
            for asset, balance in list(report.balances.items())[:8]
        ],
    }


def _checked(exchange: str, environment: Environment, credential: Credential | None) -> Credential:
    if exchange not in NAMES:
        raise BrokerRefused(
            f"{exchange!r} is not traded natively",
            field="exchange",
            remedy=f"Choose one of {', '.join(NAMES)}.",
        )
    if environment is Environment.TESTNET and not capabilities(exchange).test_environment:
        raise BrokerRefused(
            f"{exchange} has no test environment",
            field="environment",
            remedy="Choose SANDBOX to practise, or LIVE to trade.",
        )
    given = {}
    for field in credential_fields(exchange):
        value = (getattr(credential, field.name, None) or "").strip()
        if not value:
            raise BrokerRefused(f"{field.label} is missing", field=field.name)
        given[field.name] = value
    return Credential(**given)


def _region(exchange: str, region: str | None) -> str | None:
    """The region as it is kept: the usual one when none is named, None where there is no choice.

    Raises:
        BrokerRefused: the exchange has no such region.
    """
    known = [each.id for each in regions(exchange)]
    if region is None:
        return known[0] if known else None
    if region not in known:
        remedy = f"Choose one of {', '.join(known)}." if known else "Leave the region out."
        raise BrokerRefused(f"{exchange} has no region {region!r}", field="region", remedy=remedy)
    return region


def _change_keys(
    broker: Broker,
    environment: Environment,
    region: str | None,
    credential: Credential,
    *,
    same_account: bool,
) -> None:
    credential = _checked(broker.exchange, environment, credential)
    db.session.refresh(broker, with_for_update=True)  # no order of it is written down meanwhile
    moves = (environment, region) != (broker.environment, broker.region)
    other_account = moves or not same_account
    if other_account:
        _refuse_while_in_use(broker, moves=moves)
        broker.ledger_opened_at = None
    vault.seal(broker, credential)
    broker.keys_version += 1
    broker.environment, broker.region = environment, region
    broker.connected = None
    _record(
        Action.BROKER_KEYS_CHANGED,
        broker,
        environment=environment,
        region=region,
        keys_version=broker.keys_version,
        same_account=not other_account,
    )


def _refuse_while_in_use(broker: Broker, *, moves: bool) -> None:
    """What is under way on one account must not be sent, looked for or guarded on another.

    Raises:
        BrokerRefused: an order is unfinished, or a position open.
    """
    in_use = _in_use(broker)
    if in_use is None:
        return
    if moves:
        raise BrokerRefused(
            f"{broker.name} cannot change its environment or region: {in_use}", remedy=_SETTLE
        )
    raise BrokerRefused(
        f"the new keys of {broker.name} may open another account, and {in_use}",
        remedy=f"If they open the same account, enter them again and confirm that. If not: {_SETTLE}",
    )


def _in_use(broker: Broker) -> str | None:
    """In words, what is under way on the account of a broker; None when nothing is."""
    order_id = db.session.scalar(
        select(OrderRow.id).where(OrderRow.broker_id == broker.id, _UNFINISHED).order_by(OrderRow.id).limit(1)
    )
    if order_id is not None:
        return f"its order {order_id} is unfinished"
    is_open = (Position.broker_id == broker.id, Position.status == PositionStatus.OPEN)
    symbol = db.session.scalar(select(Position.symbol).where(*is_open).order_by(Position.id).limit(1))
    return None if symbol is None else f"its position in {symbol} is open"


def _free_name(user: User, name: str) -> str:
    name = name.strip()
    if not name or len(name) > 80:
        raise BrokerRefused("a broker needs a name of at most 80 characters", field="name")
    if by_name(user, name) is not None:
        raise BrokerRefused(f"you have a broker named {name} already", field="name")
    return name
