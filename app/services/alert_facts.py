"""What has to be known before an alert can be decided, found out the same way for a stored one and for a pasted one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select

from app.domain.alerts import AlertAction, AlertDefaults, Signal
from app.domain.errors import OrderDenied
from app.domain.markets import Market
from app.domain.orders import OrderStatus, OrderType, Side
from app.extensions import db
from app.models import Broker, OrderOrigin, OrderRole, OrderRow, Position
from app.services import catalog, positions
from app.services.sizing import SHARES, Holdings

_ZERO = Decimal(0)
_UNFINISHED = [status for status in OrderStatus if not status.is_final]
_OF_POSITIONS = (AlertAction.MAJ, AlertAction.CLOSE, AlertAction.REVERSE)


@dataclass(frozen=True, slots=True)
class Case:
    """An alert on one broker, stored or pasted. ``signal`` has its source's defaults in it.

    ``source`` is the name of a source that is switched off, None otherwise. ``by_person`` marks what a person has run
    again, which does not wait for the broker's mode; ``confirmed`` what a person wants acted on though out of step.
    """

    broker: Broker
    signal: Signal
    defaults: AlertDefaults
    received_at: datetime
    expires_at: datetime
    switched_off: str | None = None
    by_person: bool = False
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found. ``sellable`` is what the position held when the alert came and nobody is selling yet, in base.

    ``account`` is what the account holds, None when nobody asked; ``unknown`` why it could not be told. ``resting`` are
    the entries of alerts that still wait. ``held`` tells that all of it stays so until the transaction ends.
    """

    market: Market | None
    unresolved: OrderDenied | None = None
    account: Holdings | None = None
    unknown: str | None = None
    position: Position | None = None
    sellable: Decimal = _ZERO
    resting: Sequence[OrderRow] = ()
    held: bool = False


def gather(
    case: Case, account: Holdings | None = None, unknown: str | None = None, *, hold: bool = False
) -> Facts:
    """Look up what the decision depends on; with ``hold`` the rows it may change stay held by this transaction."""
    try:
        market = resolve(case)
    except OrderDenied as unresolved:
        return Facts(None, unresolved, account, unknown, held=hold)
    position = None
    if market is not None and concerns_position(case.signal):
        position = positions.open_at(case.broker, market.symbol, hold=hold)
    return Facts(
        market,
        account=account,
        unknown=unknown,
        position=position,
        sellable=_ZERO if position is None else _sellable(position, case.received_at),
        resting=_resting(case.broker, market, hold) if case.signal.action is AlertAction.CANCEL else (),
        held=hold,
    )


def resolve(case: Case) -> Market | None:
    """The market an alert means, by its source's map and then the broker's markets; None when it names none.

    Raises:
        OrderDenied: it means no market of this broker, or more than one.
    """
    written = case.signal.symbol
    if written is None:
        return None
    names, key = case.defaults.symbol_map, written.strip().upper()
    return catalog.resolve(case.broker, names.get(key) or names.get(key.rpartition(":")[2]) or written)


def concerns_position(signal: Signal) -> bool:
    """Whether what is held decides what is done. A plain purchase is sent without looking."""
    sells = signal.action.places == (Side.SELL, OrderType.MARKET)
    return sells or signal.action in _OF_POSITIONS or signal.market_position is not None


def depends_on_account(signal: Signal) -> bool:
    """Whether its size is a share of what the account holds or is worth."""
    return signal.action.places is not None and signal.size is not None and signal.size[0] in SHARES


def _sellable(position: Position, received_at: datetime) -> Decimal:
    """Without what is being sold already, and what was bought by alerts that came later than this one.

    An alert that closes and one that opens again may come within milliseconds, and be decided the other way round.
    """
    query = select(OrderRow).where(OrderRow.position_id == position.id)
    selling = query.where(OrderRow.role == OrderRole.EXIT, OrderRow.status.in_(_UNFINISHED))
    later = query.where(
        OrderRow.role == OrderRole.ENTRY, OrderRow.side == Side.BUY, OrderRow.received_at > received_at
    )
    left = position.quantity - (position.close_quantity or _ZERO)
    for exit_ in db.session.scalars(selling):
        left -= (exit_.quantity or _ZERO) - (exit_.filled_quantity or _ZERO)
    for entry in db.session.scalars(later):
        left -= entry.filled_quantity or _ZERO
    return max(left, _ZERO)


def _resting(broker: Broker, market: Market | None, hold: bool) -> Sequence[OrderRow]:
    query = select(OrderRow).where(
        OrderRow.broker_id == broker.id,
        OrderRow.role == OrderRole.ENTRY,
        OrderRow.origin == OrderOrigin.ALERT,
        OrderRow.type != OrderType.MARKET,
        OrderRow.status.in_(_UNFINISHED),
        OrderRow.cancel_requested.is_(False),
    )
    if market is not None:
        query = query.where(OrderRow.symbol == market.symbol)
    query = query.order_by(OrderRow.id)
    if hold:
        query = query.with_for_update(of=OrderRow).execution_options(populate_existing=True)
    return db.session.scalars(query).all()
