"""What may be wished of an open position: other exits, a part of it sold, all of it sold.

What a wish would change is worked out from the position as it stands (`moved`, `closed` …), so that it can be shown
beforehand. Then it is written down (`write`), under the position's lock, and brought about by
`app.services.execution.guard` in a worker. `move`, `close` and the rest do all of it for a person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from app import dispatch
from app.domain.audit import Action
from app.domain.errors import SwitchyardError
from app.domain.markets import Market
from app.domain.money import EXACT, plain
from app.domain.orders import PriceOrPercent, TargetWish
from app.domain.protection import Target, too_little, trailed
from app.exchanges import capabilities
from app.extensions import db
from app.models import Alert, OrderRole, OrderRow, Position, PositionStatus, PositionTarget, TargetStatus
from app.services import audit, catalog, events, prices
from app.services.events import Topic
from app.services.planning import protective_price
from app.services.positions import locked

_ZERO = Decimal(0)
_HUNDRED = Decimal(100)


class WishRefused(SwitchyardError):
    """A position cannot be changed as asked."""

    remedy = "Look at the position again and correct the value that is named."


@dataclass(frozen=True, slots=True)
class Change:
    """What a wish makes of a position; what is None stays. Prices in quote, ``close_quantity`` in base."""

    action: Action
    stop_loss: Decimal | None = None
    targets: tuple[Target, ...] | None = None
    trailing_percent: Decimal | None = None
    high: Decimal | None = None
    close_quantity: Decimal | None = None


def moved(
    position: Position,
    market: Market,
    *,
    stop_loss: PriceOrPercent | None = None,
    take_profit: PriceOrPercent | None = None,
    targets: tuple[TargetWish, ...] = (),
    trailing_percent: Decimal | None = None,
) -> Change:
    """Other protection; what is not given stays. Percent counts from the entry price.

    Raises:
        WishRefused: a price lies on the wrong side of the market, or a distance is none.
    """
    if trailing_percent is not None and not 0 < trailing_percent < _HUNDRED:
        raise WishRefused("the distance of a trailing stop must be above 0 and below 100 percent")
    entry, high = position.entry_price, None
    stop = protective_price(market, stop_loss, entry, above=False)
    wanted = targets or ((TargetWish(take_profit, _HUNDRED),) if take_profit is not None else ())
    levels = tuple(_level(market, target, entry) for target in wanted) or None
    _check_sides(position, stop, levels or ())
    if trailing_percent is not None:
        high = _last(position) or entry
        if high is not None:
            stop = trailed(stop or position.stop_loss, high, trailing_percent, market)
    return Change(
        Action.POSITION_MOVED, stop_loss=stop, targets=levels, trailing_percent=trailing_percent, high=high
    )


def at_break_even(position: Position, market: Market) -> Change:
    """The stop-loss where a sale pays for the purchase and for both fees.

    Raises:
        WishRefused: the market is not above that price yet.
    """
    entry = position.entry_price or _ZERO
    fee = capabilities(position.broker.exchange).standard_taker_fee
    level = market.quantize_price(EXACT.divide(entry, 1 - fee)) + market.tick_size
    _check_sides(position, level, ())
    return Change(Action.POSITION_MOVED, stop_loss=level)


def closed(position: Position, market: Market, percent: Decimal = _HUNDRED) -> Change:
    """A share of what is held sold at the market.

    Raises:
        WishRefused: the share is none, or less than the exchange takes.
    """
    if not 0 < percent <= _HUNDRED:
        raise WishRefused("the share must be above 0 and at most 100 percent")
    return sold(position, market, EXACT.divide(EXACT.multiply(position.quantity, percent), _HUNDRED))


def sold(position: Position, market: Market, quantity: Decimal) -> Change:
    """So much of what is held, in base, sold at the market; all of it to the last crumb, a part in whole lots.

    Raises:
        WishRefused: it is less than the exchange takes, so that its exits would give way for nothing.
    """
    why_not = too_little(quantity, _last(position), market)
    if why_not is not None:
        raise WishRefused(f"so little cannot be sold: {why_not}")
    lots = market.quantize_quantity(quantity)
    return Change(Action.POSITION_CLOSED, close_quantity=quantity if quantity >= position.quantity else lots)


def write(position: Position, change: Change, *, alert: Alert | None = None) -> None:
    """Keep what a locked position shall become, at the word of an alert if one is given; does not commit."""
    if change.stop_loss is not None:
        position.stop_loss = change.stop_loss
    if change.targets is not None:
        position.targets = [
            PositionTarget(price=target.price, share=target.share, status=TargetStatus.WAITING)
            for target in change.targets
        ]
    if change.trailing_percent is not None:
        position.trailing_percent, position.high = change.trailing_percent, change.high
        position.trailing_refused = False
    if change.close_quantity is not None:
        lasts = (
            bool(position.close_quantity) and position.close_alert_id is None
        )  # what else waits to be sold
        position.wish_sale(change.close_quantity, None if alert is None or lasts else alert.id)
    position.stop_failures, position.alarm = 0, None
    audit.record(
        change.action,
        f"position {position.id}",
        user_id=position.user_id,
        stop_loss=position.stop_loss,
        trailing_percent=position.trailing_percent,
        close_quantity=position.close_quantity,
    )


def move(
    position: Position,
    *,
    stop_loss: PriceOrPercent | None = None,
    take_profit: PriceOrPercent | None = None,
    trailing_percent: Decimal | None = None,
) -> Position:
    """Have the protection of an open position moved, as `moved` says.

    Raises:
        WishRefused: the position is closed, or as in `moved`.
    """
    return _wish(
        position,
        lambda found, market: moved(
            found,
            market,
            stop_loss=stop_loss,
            take_profit=take_profit,
            trailing_percent=trailing_percent,
        ),
    )


def break_even(position: Position) -> Position:
    """Have the stop-loss moved to where nothing is lost, as `at_break_even` says.

    Raises:
        WishRefused: the position is closed, or as in `at_break_even`.
    """
    return _wish(position, at_break_even)


def close(position: Position, percent: Decimal = _HUNDRED) -> Position:
    """Have a share of what is held sold at the market; the rest stays guarded.

    Raises:
        WishRefused: the position is closed, or as in `closed`.
    """
    return _wish(position, lambda found, market: closed(found, market, percent))


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


def _wish(position: Position, work_out: Callable[[Position, Market], Change]) -> Position:
    """Write down what a person wishes and have a worker bring it about."""
    position = locked(position.id)
    market = catalog.known(position.broker, position.symbol)
    try:
        if position.status is not PositionStatus.OPEN or market is None:
            raise WishRefused(f"the position in {position.symbol} is closed")
        write(position, work_out(position, market))
    except WishRefused:
        db.session.rollback()
        raise
    db.session.commit()
    dispatch.manage_position(position.id, position.broker.exchange)
    events.publish(position.user_id, Topic.POSITIONS, position.id)
    return position


def _level(market: Market, target: TargetWish, entry: Decimal | None) -> Target:
    price = protective_price(market, target.at, entry, above=True)
    if price is None:
        raise WishRefused("the take-profit cannot be told: the price of the entry is not known")
    return Target(price, target.share)


def _check_sides(position: Position, stop: Decimal | None, targets: tuple[Target, ...]) -> None:
    last = _last(position)
    if stop is not None and stop <= 0:
        raise WishRefused("the stop-loss must be above zero")
    if last is None:
        return
    if stop is not None and stop >= last:
        raise WishRefused(f"a stop-loss at {plain(stop)} would sell at once: the market is at {plain(last)}")
    for target in targets:
        if target.price <= last:
            raise WishRefused(
                f"a take-profit at {plain(target.price)} would sell at once: the market is at {plain(last)}"
            )


def _last(position: Position) -> Decimal | None:
    return prices.last(position.broker.exchange, position.broker.environment, position.symbol)
