"""The stop-loss and take-profit that guard what an order bought.

Where the exchange attaches them to the entry, they go with it. Where it cannot (a market order, say), the exit is an
order of its own, written in the same commit as the fill that calls for it and sized by what really arrived. Where the
exchange has no pairs of exits, two would each hold the whole balance: the stop-loss rests there alone.
"""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.domain.money import plain
from app.domain.orders import OrderStatus, OrderType, PriceOrPercent, Side
from app.exchanges import capabilities, title
from app.extensions import db
from app.models import OrderOrigin, OrderRole, OrderRow, Position, new_client_order_id, utc_now
from app.services import catalog
from app.services.planning import protective_price

_ZERO = Decimal(0)


def needed(entry: OrderRow) -> OrderRow | None:
    """The protective order an entry now calls for, or None: nothing to guard, or guarded already."""
    filled = entry.filled_quantity or _ZERO
    if (
        entry.role is not OrderRole.ENTRY
        or entry.side is not Side.BUY
        or not entry.status.is_final
        or not filled
    ):
        return None
    if not _guarded(entry):
        return None
    if entry.status is not OrderStatus.FILLED:
        _end_waiting_legs(entry)
    if any(child.status.is_live or child.status is OrderStatus.FILLED for child in entry.children):
        return None
    if any(child.status in (OrderStatus.PENDING, OrderStatus.SUBMITTED) for child in entry.children):
        return None
    return _exit(entry)


def manage(position_id: int) -> None:
    """Bring about on the exchange what is wished of a position: so far, to be sold at the market.

    What guards it is cancelled first, because it holds the balance that is to be sold.
    """
    from app.services import execution  # which places what `needed` calls for

    exit_ = _flattening(position_id)
    if exit_ is None:
        db.session.rollback()
        return
    guards = db.session.scalars(
        select(OrderRow.id).where(
            OrderRow.position_id == position_id,
            OrderRow.role == OrderRole.PROTECTION,
            OrderRow.status.in_((OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)),
        )
    ).all()
    db.session.commit()
    for guard_id in guards:
        execution.cancel(guard_id)
    execution.submit(exit_.id)


def _flattening(position_id: int) -> OrderRow | None:
    """The order that sells what is wished sold of a position, which wishes it no longer; None without a wish."""
    position = db.session.scalar(
        select(Position)
        .where(Position.id == position_id, Position.close_quantity.is_not(None))
        .options(joinedload(Position.broker))
        .with_for_update(of=Position)
        .execution_options(populate_existing=True)
    )
    market = None if position is None else catalog.known(position.broker, position.symbol)
    if position is None or position.close_quantity is None or market is None:
        return None
    now = utc_now()
    order = OrderRow(
        user_id=position.user_id,
        broker=position.broker,
        position_id=position.id,
        role=OrderRole.EXIT,
        origin=OrderOrigin.PROTECTION,
        client_order_id=new_client_order_id(),
        symbol=position.symbol,
        side=Side.SELL,
        type=OrderType.MARKET,
        quantity=market.quantize_quantity(position.close_quantity),
        status=OrderStatus.PENDING,
        attempts=0,
        received_at=now,
        created_at=now,
        fills=[],
        children=[],
    )
    order.note("closes its position", at=now)
    position.close_quantity = None
    db.session.add(order)
    db.session.flush()
    return order


def _guarded(entry: OrderRow) -> bool:
    """Whether an entry asks for any protection at all."""
    wishes = (entry.stop_loss, entry.take_profit, entry.stop_loss_percent, entry.take_profit_percent)
    return any(wish is not None for wish in wishes)


def received(entry: OrderRow) -> Decimal:
    """What a buy really brought in: the filled quantity less the fees taken in the base asset."""
    base = entry.symbol.partition("/")[0]
    fees = sum((fill.fee or _ZERO for fill in entry.fills if fill.fee_asset == base), _ZERO)
    return (entry.filled_quantity or _ZERO) - fees


def _exit(entry: OrderRow) -> OrderRow | None:
    market = catalog.known(entry.broker, entry.symbol)
    if market is None:
        return None
    bought_at = entry.average_price or entry.price
    stop = protective_price(market, _wanted(entry.stop_loss, entry.stop_loss_percent), bought_at, above=False)
    target = protective_price(
        market, _wanted(entry.take_profit, entry.take_profit_percent), bought_at, above=True
    )
    quantity = market.quantize_quantity(received(entry))
    if quantity == 0 or (stop is None and target is None):
        return None
    cause = "guards what its entry bought"
    if stop is not None and target is not None and not capabilities(entry.broker.exchange).oco:
        alone = _why_alone(entry, target)
        entry.note(alone)
        cause, target = f"{cause}; {alone}", None
    now = utc_now()
    order = OrderRow(
        user_id=entry.user_id,
        broker=entry.broker,
        alert_id=entry.alert_id,
        parent=entry,
        role=OrderRole.PROTECTION,
        origin=OrderOrigin.PROTECTION,
        client_order_id=new_client_order_id(),
        symbol=entry.symbol,
        side=Side.SELL,
        type=OrderType.TAKE_PROFIT if stop is None else OrderType.STOP_LOSS,
        quantity=quantity,
        trigger_price=target if stop is None else stop,
        take_profit=None if stop is None else target,
        status=OrderStatus.PENDING,
        attempts=0,
        received_at=now,
        created_at=now,
        fills=[],
        children=[],
    )
    order.note(cause, at=now)
    return order


def _why_alone(entry: OrderRow, target: Decimal) -> str:
    return (
        f"the take-profit at {plain(target)} does not rest on the exchange: "
        f"{title(entry.broker.exchange)} has no pairs of exits, and the stop-loss comes first"
    )


def _wanted(price: Decimal | None, percent: Decimal | None) -> PriceOrPercent | None:
    if percent is not None:
        return PriceOrPercent(percent=percent)
    return None if price is None else PriceOrPercent(price=price)


def _end_waiting_legs(entry: OrderRow) -> None:
    """An entry that ended before it was filled takes the legs with it that waited for its fill."""
    for leg in entry.children:
        if leg.status is OrderStatus.OPEN and not leg.filled_quantity:
            leg.move_to(OrderStatus.EXPIRED, "its entry ended before it was filled")
