"""The exits that guard a position: which rest, which are missing, and the intents of those to be placed.

Decisions only, each in one transaction that holds the position; `app.services.execution.guard` acts on them. Where the
exchange attaches exits to the entry, those count. Where it has pairs of exits, each take-profit shares its hold with
a stop-loss. Where it has neither, two exits would each hold the balance: the stop-loss rests, and the take-profits
are watched (`app.services.watch`). A stop-loss that trails is moved by the exchange where it has such stops, and by the
watch elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, or_, select

from app.domain.markets import Market
from app.domain.money import plain
from app.domain.orders import OrderStatus, OrderType, Side
from app.domain.protection import NewExit, Target, Trail, Wish, guarded, next_steps, too_little
from app.exchanges import capabilities, title
from app.extensions import db
from app.models import (
    Alert,
    NakedPolicy,
    OrderOrigin,
    OrderRole,
    OrderRow,
    Position,
    PositionStatus,
    TargetStatus,
    new_client_order_id,
    utc_now,
)
from app.services import catalog, counting, positions, prices, resting

_ZERO = Decimal(0)
_UNDER_WAY = (OrderStatus.PENDING, OrderStatus.SUBMITTED)

#: How often an exit that the exchange turned down is tried again soon, and a stop-loss before the broker's policy
#: decides.
MAX_STOP_FAILURES = 3

_UNCONFIRMED = "not guarded: the exchange has not confirmed yet what was sent to it for this"

_TOO_LATE = "Close the position by hand if that is still wanted."
_TOO_LITTLE = "Sell more of it at once, or wait until it is worth more."


@dataclass(frozen=True, slots=True)
class Orders:
    """Ids of the orders to cancel, then of those to submit."""

    cancel: tuple[int, ...] = ()
    submit: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.cancel or self.submit)


def next_orders(position_id: int) -> Orders:
    """What has to be done next for a position, written down and committed before any of it is sent.

    What an earlier round began comes first. Nothing while an exit is on its way: what becomes of it decides.
    """
    position = positions.locked(position_id)
    orders = counting.uncarried(position)
    market = catalog.known(position.broker, position.symbol)
    exits = [order for order in orders if order.role is not OrderRole.ENTRY and _is_open(order)]
    begun = Orders(
        tuple(order.id for order in exits if order.cancel_requested and order.status.is_live),
        tuple(order.id for order in exits if _is_due(order)),
    )
    if market is None or begun or any(order.status in _UNDER_WAY for order in exits):
        if market is not None and not begun and not guarded(_wish(position), resting.exits(orders), market):
            position.alarm = position.alarm or _UNCONFIRMED
        db.session.commit()
        return begun
    _drop_vain_sale(position, market)
    wish, exits_there = _wish(position), resting.exits(orders)
    steps = next_steps(wish, exits_there, market)
    for order in exits:
        if order.id in steps.cancel:
            order.cancel_requested = True
    entry = _latest_entry(position) if steps.place else None
    intents = [_intent(position, new, entry) for new in steps.place]
    if wish.close > 0 and steps.place:
        position.close_quantity = position.close_alert_id = None
    if not steps:
        _note_state(position, guarded(wish, exits_there, market))
    db.session.commit()
    return Orders(steps.cancel, tuple(intent.id for intent in intents))


def concerns(position: Position, orders: Iterable[OrderRow]) -> bool:
    """Whether there is anything about a position's exits to decide: one is wished, or is among its ``orders``."""
    wished = position.stop_loss or position.targets or position.close_quantity or position.alarm
    return bool(wished) or any(order.role is not OrderRole.ENTRY for order in orders)


def wish_again(order: OrderRow, *, for_good: bool = False) -> None:
    """Keep the wish that a sale was to bring about which ended before all of it was sold. Does not commit.

    What was wished meanwhile is sold besides. It belongs into the commit that ends the sale: a worker that died between
    the two would leave nobody to sell. Turned down ``for_good``, it is wished no more where the position can be guarded
    instead, which it is not while it is wished.
    """
    if order.role is not OrderRole.EXIT or order.position_id is None:
        return
    position = positions.locked(order.position_id)
    last = _last(position)
    passed = position.stop_loss is not None and last is not None and last <= position.stop_loss
    if for_good and not passed:
        order.note("the sale is given up: the exchange would turn it down again")
        return
    rest = (order.quantity or _ZERO) - (order.filled_quantity or _ZERO)
    waiting, alert_id = position.close_quantity, position.close_alert_id
    if waiting is None:
        alert_id = None if order.expires_at is None else order.alert_id
    if position.status is PositionStatus.OPEN and rest > 0:
        position.wish_sale(min(position.quantity, (waiting or _ZERO) + rest), alert_id)


def gives_way(order: OrderRow) -> bool:
    """Whether an exit that was turned down is a trailing stop, in whose place one rests from now on that we move."""
    if order.type is not OrderType.TRAILING_STOP or order.position_id is None:
        return False
    positions.locked(order.position_id).trailing_refused = True
    order.note("turned down: the stop-loss is moved by Switchyard from now on")
    db.session.commit()
    return True


def refused(order: OrderRow, last: Decimal | None) -> bool:
    """Decide what follows an exit that was turned down; True when there is another thing to do at once.

    A stop-loss whose price the market has passed already is not tried again: the position is sold. Any other is, by
    whoever comes next, and after `MAX_STOP_FAILURES` the broker's policy sells the position or leaves it with the
    alarm. In place of a sale that was given up the position is guarded. ``last`` is the price now, None when it is not
    known.
    """
    if order.position_id is None:
        return False
    position = positions.locked(order.position_id)
    said = order.reason or "it was turned down"
    position.stop_failures += 1
    if order.role is OrderRole.EXIT:
        position.alarm = f"could not be sold at the market: {said}"
        goes_on = position.close_quantity is None and position.stop_failures <= MAX_STOP_FAILURES
    else:
        position.alarm = f"not guarded: {said}"
        why = _why_sell(position, order, last, said)
        goes_on = why is not None
        if goes_on:
            position.wish_sale(position.quantity)
            order.note(f"the position is sold at the market: {why}")
    db.session.commit()
    return goes_on


def tries_soon(position_id: int) -> bool:
    """Whether what was turned down is tried again in a moment; after some tries it is left to the sweep."""
    failures = db.session.get_one(Position, position_id).stop_failures
    db.session.commit()
    return failures <= MAX_STOP_FAILURES


def unattended(most: int) -> list[tuple[int, str]]:
    """Positions, with their exchange, for which something is to be done that nobody is doing.

    Of a closed one exits may be left that sell what is not its own. Of more positions than ``most`` chance picks those
    that are looked at this time.
    """
    left = select(OrderRow.position_id).where(
        OrderRow.role != OrderRole.ENTRY,
        OrderRow.status.in_((OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)),
    )
    concerned = or_(Position.status == PositionStatus.OPEN, Position.id.in_(left))
    query = select(Position).where(concerned).order_by(func.random()).limit(most)
    found = db.session.scalars(query.options(*positions.WITH_ALL)).all()
    orders = counting.uncarried_of_all(found)
    unguarded = [
        (position.id, position.broker.exchange)
        for position in found
        if _needs_care(position, orders[position.id])
    ]
    db.session.rollback()
    return unguarded


def settled(position: Position) -> bool:
    """Whether all that was wished of a position has been brought about, so that nothing is under way or to be done."""
    orders = counting.uncarried(position)
    if any(order.role is not OrderRole.ENTRY and order.status in _UNDER_WAY for order in orders):
        return False
    return not _needs_care(position, orders)


def how_held(position: Position) -> str:
    """In words, how the position is guarded and by whom."""
    exchange = title(position.broker.exchange)
    waiting = [target for target in position.targets if target.status is TargetStatus.WAITING]
    if position.alarm:
        return position.alarm
    words = []
    if position.stop_loss is not None:
        words.append(f"the stop-loss at {plain(position.stop_loss)} rests on {exchange}")
    if position.trailing_percent is not None:
        mover = "the exchange itself" if trails_itself(position) else "Switchyard"
        words.append(f"it follows the best price at {plain(position.trailing_percent)} %, moved by {mover}")
    if waiting and watches_targets(position):
        levels = ", ".join(plain(target.price) for target in waiting)
        words.append(f"the take-profit at {levels} is watched here: {why_watched(position.broker.exchange)}")
    elif waiting:
        words.append("take-profits rest on the exchange as well")
    return "; ".join(words) or "no protection was asked for"


def _wish(position: Position) -> Wish:
    targets = tuple(
        Target(target.price, target.share)
        for target in position.targets
        if target.status is TargetStatus.WAITING
    )
    is_over = position.status is PositionStatus.CLOSED
    return Wish(
        held=_ZERO if is_over else position.quantity,
        bought=position.bought,
        stop_loss=position.stop_loss,
        targets=targets,
        close=position.close_quantity or _ZERO,
        pairs=_has_pairs(position),
        trail=_trail(position),
    )


def _trail(position: Position) -> Trail | None:
    """What lets the exchange follow the price. The price has to be fresh: by an old one it would begin too low."""
    percent, best, broker = _native_distance(position), position.high, position.broker
    if percent is None or best is None:
        return None
    return Trail(percent, best, prices.fresh(broker.exchange, broker.environment, position.symbol))


def trails_itself(position: Position) -> bool:
    """Whether the exchange and not we let its stop-loss follow the best price."""
    return _native_distance(position) is not None


def _native_distance(position: Position) -> Decimal | None:
    """How far, in percent, the exchange's own trailing stop shall keep behind the best price."""
    percent = position.trailing_percent
    if percent is None or position.trailing_refused:
        return None
    return percent if capabilities(position.broker.exchange).trails_at(percent) else None


def watches_targets(position: Position) -> bool:
    """Whether its take-profits cannot rest beside its stop-loss, and are watched by us."""
    return position.stop_loss is not None and not _has_pairs(position)


def _has_pairs(position: Position) -> bool:
    """Whether the exchange pairs such a stop-loss as this position's with a take-profit."""
    return capabilities(position.broker.exchange).pairs_exits(_native_distance(position))


def why_watched(exchange: str) -> str:
    """In words, why take-profits beside a stop-loss are watched here."""
    kind = " of which one trails" if capabilities(exchange).oco else ""
    return f"{title(exchange)} has no pairs of exits{kind}"


def _is_open(order: OrderRow) -> bool:
    return not order.status.is_final and not order.is_pair


def _is_due(order: OrderRow) -> bool:
    """Whether an intent waits for a worker, rather than for the time of its next try."""
    return order.status is OrderStatus.PENDING and order.next_attempt_at is None


def _latest_entry(position: Position) -> OrderRow | None:
    query = select(OrderRow).where(OrderRow.position_id == position.id, OrderRow.side == Side.BUY)
    query = query.where(OrderRow.role == OrderRole.ENTRY).order_by(OrderRow.id.desc()).limit(1)
    return db.session.scalar(query)


def _intent(position: Position, new: NewExit, entry: OrderRow | None) -> OrderRow:
    """The order that will place an exit: of what guards, for the alert that it guards; of a sale, for its own."""
    now = utc_now()
    sells_now = new.stop_loss is None and new.target is None
    alert_id = None if entry is None else entry.alert_id
    if sells_now and position.close_alert_id is not None:
        alert_id = position.close_alert_id
    order = OrderRow(
        user_id=position.user_id,
        broker=position.broker,
        position=position,
        alert_id=alert_id,
        parent=entry,
        role=OrderRole.EXIT if sells_now else OrderRole.PROTECTION,
        origin=OrderOrigin.PROTECTION,
        client_order_id=new_client_order_id(),
        symbol=position.symbol,
        side=Side.SELL,
        type=_type(new),
        quantity=new.quantity,
        trigger_price=new.target if new.stop_loss is None else new.stop_loss,
        trailing_percent=new.trailing,
        take_profit=None if new.stop_loss is None else new.target,
        status=OrderStatus.PENDING,
        attempts=0,
        carried=False,
        received_at=now,
        created_at=now,
        expires_at=_sale_expires_at(position) if sells_now else None,
        fills=[],
        children=[],
    )
    order.note(_why(position, new), at=now)
    db.session.add(order)
    db.session.flush()
    return order


def _drop_vain_sale(position: Position, market: Market) -> None:
    """A sale that would come to nothing, or too late, is wished no more, before the exits give way to it.

    The order that would have been sent is kept, with the reason, for whoever asked for it.
    """
    if not position.close_quantity:
        return
    selling = min(position.close_quantity, position.quantity)
    expires_at, now = _sale_expires_at(position), utc_now()
    why_not = too_little(selling, _last(position), market)
    if expires_at is not None and now >= expires_at:
        status, reason, remedy = OrderStatus.EXPIRED, "not sold: past the expiry of its alert", _TOO_LATE
    elif why_not is not None:
        status, reason, remedy = OrderStatus.DENIED, f"not sold: {why_not}", _TOO_LITTLE
    else:
        return
    order = _intent(position, NewExit(selling), _latest_entry(position))
    order.reason, order.remedy = reason, remedy
    order.move_to(status, reason)
    position.close_quantity = position.close_alert_id = None


def _sale_expires_at(position: Position) -> datetime | None:
    """Until when what is to be sold may be; None unless an alert asked for it."""
    alert = None if position.close_alert_id is None else db.session.get(Alert, position.close_alert_id)
    return None if alert is None else alert.expires_at


def _last(position: Position) -> Decimal | None:
    return prices.last(position.broker.exchange, position.broker.environment, position.symbol)


def _type(new: NewExit) -> OrderType:
    if new.trailing is not None:
        return OrderType.TRAILING_STOP
    if new.stop_loss is not None:
        return OrderType.STOP_LOSS
    return OrderType.MARKET if new.target is None else OrderType.TAKE_PROFIT


def _why(position: Position, new: NewExit) -> str:
    if new.stop_loss is None and new.target is None:
        return "closes what was asked to be closed"
    waiting = [target.price for target in position.targets if target.status is TargetStatus.WAITING]
    if new.target is None and waiting and watches_targets(position):
        return (
            f"guards what its entry bought; the take-profit at {', '.join(map(plain, waiting))} does not rest on the "
            f"exchange: {why_watched(position.broker.exchange)}, and it is watched here"
        )
    return "guards what its entry bought"


def _is_passed(order: OrderRow, last: Decimal | None) -> bool:
    return (
        order.type.is_stop
        and last is not None
        and order.trigger_price is not None
        and last <= order.trigger_price
    )


def _why_sell(position: Position, order: OrderRow, last: Decimal | None, said: str) -> str | None:
    market = catalog.known(position.broker, position.symbol)
    if market is None or too_little(position.quantity, last, market) is not None:
        return None
    if _is_passed(order, last):
        return f"the market is past the stop-loss at {plain(order.trigger_price or _ZERO)}"
    often = position.stop_failures >= MAX_STOP_FAILURES
    if often and position.broker.naked_policy is NakedPolicy.FLATTEN:
        return f"its stop-loss was turned down {position.stop_failures} times: {said}"
    return None


def _note_state(position: Position, is_guarded: bool) -> None:
    if is_guarded:
        position.stop_failures, position.alarm = 0, None
    elif position.alarm is None and position.status is PositionStatus.OPEN:
        base = position.symbol.partition("/")[0]
        position.alarm = f"not guarded: {plain(position.quantity)} {base} is less than the exchange takes"


def _needs_care(position: Position, orders: Sequence[OrderRow]) -> bool:
    market = catalog.known(position.broker, position.symbol)
    exits = [order for order in orders if order.role is not OrderRole.ENTRY and _is_open(order)]
    if market is None or any(order.status in _UNDER_WAY for order in exits):
        return False
    return (
        bool(position.close_quantity)
        or any(order.cancel_requested for order in exits)
        or bool(next_steps(_wish(position), resting.exits(orders), market))
    )
