"""The one gate for entries of every source: halts and limits, read from the database at the moment of execution.

`objections` is asked within the transaction that claims an entry, `objections_to` within the one that decides an alert,
which claims as well; previews ask it beforehand. What sells or guards always passes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from sqlalchemy import BindParameter, ColumnElement, Integer, Select, bindparam, func, or_, select
from sqlalchemy.orm import joinedload

from app.domain.errors import Violation
from app.domain.money import EXACT
from app.domain.orders import OrderRequest, OrderStatus, Side
from app.domain.risk import Facts, Limits, breaches
from app.extensions import db
from app.models import Broker, Halt, OrderRole, OrderRow, Position, PositionStatus, RiskLimits, utc_now
from app.services import halts, prices

_ZERO = Decimal(0)
_MINUTE = timedelta(minutes=1)

#: An entry that was claimed and may still buy.
_BUYING = (OrderStatus.SUBMITTED, OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)


class Purchase(Protocol):
    """What the gate looks at, of an order or of a request."""

    @property
    def symbol(self) -> str: ...
    @property
    def quantity(self) -> Decimal | None: ...
    @property
    def quote_quantity(self) -> Decimal | None: ...
    @property
    def price(self) -> Decimal | None: ...


def objections(order: OrderRow, now: datetime) -> list[Violation]:
    """Why an order about to be claimed must not be sent; empty for every exit.

    The limits it is counted against stay locked until the caller's transaction ends, so that of two entries at once the
    second sees the first.
    """
    if order.role is not OrderRole.ENTRY or order.side is not Side.BUY:
        return []
    return _objections(order.broker, order, now, lock=True)


def objections_to(broker: Broker, request: OrderRequest, *, claiming: bool = False) -> list[Violation]:
    """What `objections` would say of a request if it were sent now, as it is when the caller is ``claiming``."""
    if request.side is not Side.BUY:
        return []
    return _objections(broker, request, utc_now(), lock=claiming)


def _objections(broker: Broker, wanted: Purchase, now: datetime, *, lock: bool) -> list[Violation]:
    halted, limited = _what_applies(broker)
    if halted:
        return [
            Violation("halt", f"entries of {halts.covered(halt)} are halted ({halt.reason}); exits still run")
            for halt in halts.stopping(broker)
        ]
    if not limited:
        return []
    query = select(RiskLimits).where(_concern(broker.user_id, broker.id)).order_by(RiskLimits.id)
    if lock:
        query = query.with_for_update()
    found = db.session.scalars(query.execution_options(populate_existing=True)).all()
    return [violation for row in found for violation in _broken(row, broker, wanted, now)]


def _what_applies(broker: Broker) -> tuple[bool, bool]:
    """Whether a halt is in force, and whether there are limits: all that an entry costs where nobody has either."""
    halted, limited = db.session.execute(_APPLIES, {"user": broker.user_id, "broker": broker.id}).one()
    return bool(halted), bool(limited)


def _concern(user_id: int | BindParameter[int], broker_id: int | BindParameter[int]) -> ColumnElement[bool]:
    of_broker = or_(RiskLimits.broker_id.is_(None), RiskLimits.broker_id == broker_id)
    return (RiskLimits.user_id == user_id) & of_broker


def _statement_of_what_applies() -> Select[bool, bool]:
    user, broker = bindparam("user", type_=Integer), bindparam("broker", type_=Integer)
    halted = select(Halt.id).where(halts.stops(user, broker)).exists()
    limited = select(RiskLimits.id).where(_concern(user, broker)).exists()
    return select(halted, limited)


#: Written once: putting it together takes longer than running it.
_APPLIES = _statement_of_what_applies()


def _broken(row: RiskLimits, broker: Broker, wanted: Purchase, now: datetime) -> list[Violation]:
    """What one row of limits objects to, in the name of the broker or the account that it covers."""
    covered = "all brokers" if row.broker_id is None else broker.name
    limits = row.to_domain()
    return [
        Violation(found.rule, f"{found.rule} of {covered}: {found.message}")
        for found in breaches(limits, _facts(row, limits, broker, wanted, now))
    ]


def _facts(row: RiskLimits, limits: Limits, broker: Broker, wanted: Purchase, now: datetime) -> Facts:
    """What the limits need to be judged; nothing is read for those that are not set."""
    last = prices.last(broker.exchange, broker.environment, wanted.symbol)
    counts_holdings = limits.max_open_positions is not None or limits.max_symbol_exposure is not None
    held = _held(row) if counts_holdings or limits.daily_loss_limit is not None else []
    buying = _being_bought(row) if counts_holdings else []
    markets = {(position.broker_id, position.symbol) for position in held}
    markets |= {(order.broker_id, order.symbol) for order in buying}
    lost, last_closed_at = _losses_in_a_row(row, limits.cooldown_losses)
    return Facts(
        now=now,
        symbol=wanted.symbol,
        value=_worth(broker, wanted.symbol, _cost(wanted, last)),
        exposure=_exposure(wanted.symbol, held, buying),
        other_markets=len(markets - {(broker.id, wanted.symbol)}),
        orders_last_minute=_sent_since(row, now - _MINUTE) if limits.max_orders_per_minute is not None else 0,
        day_result=_result_since_midnight(row, held, now) if limits.daily_loss_limit is not None else _ZERO,
        losses_in_a_row=lost,
        last_closed_at=last_closed_at,
        limit_price=wanted.price,
        last_price=last,
    )


def _held(row: RiskLimits) -> Sequence[Position]:
    return db.session.scalars(_positions(row).where(Position.status == PositionStatus.OPEN)).all()


def _being_bought(row: RiskLimits) -> Sequence[OrderRow]:
    query = select(OrderRow).where(*_entries(row), OrderRow.status.in_(_BUYING))
    return db.session.scalars(query.options(joinedload(OrderRow.broker))).all()


def _sent_since(row: RiskLimits, moment: datetime) -> int:
    sent = (OrderRow.picked_up_at > moment, OrderRow.status != OrderStatus.PENDING)
    return db.session.scalar(select(func.count(OrderRow.id)).where(*_entries(row), *sent)) or 0


def _entries(row: RiskLimits) -> list[ColumnElement[bool]]:
    conditions = [
        OrderRow.user_id == row.user_id,
        OrderRow.role == OrderRole.ENTRY,
        OrderRow.side == Side.BUY,
    ]
    if row.broker_id is not None:
        conditions.append(OrderRow.broker_id == row.broker_id)
    return conditions


def _positions(row: RiskLimits) -> Select[Position]:
    query = select(Position).where(Position.user_id == row.user_id).options(joinedload(Position.broker))
    return query if row.broker_id is None else query.where(Position.broker_id == row.broker_id)


def _losses_in_a_row(row: RiskLimits, most: int | None) -> tuple[int, datetime | None]:
    """How many of the last ``most`` positions lost without one that did not, and when the last of them closed."""
    if most is None:
        return 0, None
    closed = _positions(row).where(Position.status == PositionStatus.CLOSED)
    newest = db.session.scalars(
        closed.order_by(Position.closed_at.desc(), Position.id.desc()).limit(most)
    ).all()
    lost = 0
    for position in newest:
        if position.realised >= 0:
            break
        lost += 1
    return lost, newest[0].closed_at if newest else None


def _result_since_midnight(row: RiskLimits, held: Iterable[Position], now: datetime) -> Decimal | None:
    """In USD: what positions closed since midnight UTC earned, and what the open ones stand at, sold parts included.

    An open position without a price counts with what it earned so far; None when an amount has no worth in USD.
    """
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    closed = db.session.scalars(_positions(row).where(Position.closed_at >= midnight)).all()
    results = [
        *(_worth(position.broker, position.symbol, position.realised) for position in closed),
        *(_worth(position.broker, position.symbol, _standing(position)) for position in held),
    ]
    return _sum(results)


def _standing(position: Position) -> Decimal:
    last = _last(position.broker, position.symbol)
    if last is None:
        return position.realised
    return position.realised + EXACT.multiply(position.quantity, last) - position.cost


def _exposure(symbol: str, held: Iterable[Position], buying: Iterable[OrderRow]) -> Decimal | None:
    """In USD: what is held of a market, at its last price or else at cost, and what is still being bought of it."""
    holdings = (
        _worth(position.broker, symbol, _value_of(position)) for position in held if position.symbol == symbol
    )
    purchases = (
        _worth(order.broker, symbol, _still_to_pay(order)) for order in buying if order.symbol == symbol
    )
    return _sum([*holdings, *purchases])


def _value_of(position: Position) -> Decimal:
    last = _last(position.broker, position.symbol)
    return position.cost if last is None else EXACT.multiply(position.quantity, last)


def _still_to_pay(order: OrderRow) -> Decimal | None:
    cost = _cost(order, _last(order.broker, order.symbol))
    return None if cost is None else max(cost - (order.cost or _ZERO), _ZERO)


def _cost(wanted: Purchase, last: Decimal | None) -> Decimal | None:
    """What a purchase costs in quote, at its limit or else the last price; None when neither is known."""
    if wanted.quote_quantity is not None:
        return wanted.quote_quantity
    price = wanted.price or last
    return None if price is None or wanted.quantity is None else EXACT.multiply(wanted.quantity, price)


def _worth(broker: Broker, symbol: str, amount: Decimal | None) -> Decimal | None:
    """An amount in a market's quote in USD."""
    if amount is None:
        return None
    return prices.worth(broker.exchange, broker.environment, symbol.partition("/")[2], amount)


def _last(broker: Broker, symbol: str) -> Decimal | None:
    return prices.last(broker.exchange, broker.environment, symbol)


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    total = _ZERO
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total
