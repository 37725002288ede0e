"""What a person may wish of an open position: other exits, a part of it sold, all of it sold.

A wish is written down here, under the position's lock, and brought about by `app.services.execution.guard` in a worker.
"""

from __future__ import annotations

from decimal import Decimal

from app import dispatch
from app.domain.audit import Action
from app.domain.errors import SwitchyardError
from app.domain.markets import Market
from app.domain.money import EXACT, plain
from app.domain.orders import PriceOrPercent
from app.domain.protection import trailed
from app.exchanges import capabilities
from app.extensions import db
from app.models import OrderRole, OrderRow, Position, PositionStatus, PositionTarget, TargetStatus
from app.services import audit, catalog, events, prices
from app.services.events import Topic
from app.services.planning import protective_price
from app.services.positions import locked

_ZERO = Decimal(0)
_HUNDRED = Decimal(100)


class WishRefused(SwitchyardError):
    """A position cannot be changed as asked."""

    remedy = "Look at the position again and correct the value that is named."


def move(
    position: Position,
    *,
    stop_loss: PriceOrPercent | None = None,
    take_profit: PriceOrPercent | None = None,
    trailing_percent: Decimal | None = None,
) -> Position:
    """Move the protection of an open position; what is None stays. Percent counts from the entry price.

    Raises:
        WishRefused: the position is closed, a price lies on the wrong side of the market, or a distance is none.
    """
    if trailing_percent is not None and not 0 < trailing_percent < _HUNDRED:
        raise WishRefused("the distance of a trailing stop must be above 0 and below 100 percent")
    position, market = _to_change(position)
    entry = position.entry_price
    stop = protective_price(market, stop_loss, entry, above=False)
    target = protective_price(market, take_profit, entry, above=True)
    _check_sides(position, stop, target)
    if stop is not None:
        position.stop_loss = stop
    if target is not None:
        position.targets = [PositionTarget(price=target, share=_HUNDRED, status=TargetStatus.WAITING)]
    if trailing_percent is not None:
        position.trailing_percent, position.trailing_refused = trailing_percent, False
        position.high = _last(position) or entry
        if position.high is not None:
            position.stop_loss = trailed(position.stop_loss, position.high, trailing_percent, market)
    return _wish(position, Action.POSITION_MOVED)


def break_even(position: Position) -> Position:
    """Move the stop-loss to where a sale pays for the purchase and for both fees.

    Raises:
        WishRefused: the position is closed, or the market is not above that price yet.
    """
    position, market = _to_change(position)
    entry = position.entry_price or _ZERO
    fee = _taker_fee(position)
    level = market.quantize_price(EXACT.divide(entry, 1 - fee)) + market.tick_size
    _check_sides(position, level, None)
    position.stop_loss = level
    return _wish(position, Action.POSITION_MOVED)


def close(position: Position, percent: Decimal = _HUNDRED) -> Position:
    """Sell a share of what is held at the market; the rest stays guarded.

    Raises:
        WishRefused: the position is closed, or the share is less than one lot.
    """
    position, market = _to_change(position)
    if not 0 < percent <= _HUNDRED:
        raise WishRefused("the share must be above 0 and at most 100 percent")
    wanted = EXACT.divide(EXACT.multiply(position.quantity, percent), _HUNDRED)
    quantity = market.quantize_quantity(wanted)
    if quantity <= 0:
        raise WishRefused(f"{plain(percent)} % of it is less than one lot of {plain(market.lot_size)}")
    position.close_quantity = position.quantity if percent == _HUNDRED else quantity
    return _wish(position, Action.POSITION_CLOSED)


def reverse(position: Position) -> Position:
    """Turn a position around: sell the whole of it. Nothing is sold short afterwards, because a spot market cannot.

    Raises:
        WishRefused: as in `close`.
    """
    return close(position)


def give_up(order: OrderRow) -> None:
    """A person cancels an exit: what it stood for is wished no more, or it would be placed again. Does not commit."""
    if order.role is not OrderRole.PROTECTION or order.position_id is None:
        return
    position = locked(order.position_id)
    if order.type.is_stop:
        position.stop_loss = position.trailing_percent = None
    gone = order.take_profit or (None if order.type.is_stop else order.acts_at)
    position.targets = [target for target in position.targets if target.price != gone]


def _to_change(position: Position) -> tuple[Position, Market]:
    position = locked(position.id)
    market = catalog.known(position.broker, position.symbol)
    if position.status is not PositionStatus.OPEN or market is None:
        db.session.rollback()
        raise WishRefused(f"the position in {position.symbol} is closed")
    return position, market


def _wish(position: Position, action: Action) -> Position:
    """Keep what was wished and have a worker bring it about."""
    position.stop_failures, position.alarm = 0, None
    audit.record(
        action,
        f"position {position.id}",
        user_id=position.user_id,
        stop_loss=position.stop_loss,
        trailing_percent=position.trailing_percent,
        close_quantity=position.close_quantity,
    )
    db.session.commit()
    dispatch.manage_position(position.id, position.broker.exchange)
    events.publish(position.user_id, Topic.POSITIONS, position.id)
    return position


def _check_sides(position: Position, stop: Decimal | None, target: Decimal | None) -> None:
    last = _last(position)
    refusal = None
    if stop is not None and stop <= 0:
        refusal = "the stop-loss must be above zero"
    elif last is not None and stop is not None and stop >= last:
        refusal = f"a stop-loss at {plain(stop)} would sell at once: the market is at {plain(last)}"
    elif last is not None and target is not None and target <= last:
        refusal = f"a take-profit at {plain(target)} would sell at once: the market is at {plain(last)}"
    if refusal is not None:
        db.session.rollback()
        raise WishRefused(refusal)


def _last(position: Position) -> Decimal | None:
    return prices.last(position.broker.exchange, position.broker.environment, position.symbol)


def _taker_fee(position: Position) -> Decimal:
    return capabilities(position.broker.exchange).standard_taker_fee
