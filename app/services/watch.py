"""Watching prices for what cannot rest on the exchange: take-profits beside a stop-loss, and stops that trail.

A stop that the exchange moves is followed with the eyes alone, so that it is known where it stands, and handed over to
the exchange when the price stands at its best.

One call for the prices of an exchange serves every position there, whoever's. What a price sets off is written down,
and the guarding of each position is a task of its own, so that no position waits for another.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import select

from app import dispatch
from app.domain.protection import Target, target_quantity, too_little, trailed, whole_if_rest_is_crumbs
from app.extensions import db
from app.models import Broker, Position, PositionStatus, TargetStatus
from app.services import catalog, connections, positions, prices, protection

_ZERO = Decimal(0)


def places() -> list[tuple[int, str]]:
    """One broker for each exchange and environment on which a position is watched, with the exchange's name."""
    found: dict[tuple[str, str], int] = {}
    for position in _open_positions():
        if _is_watched(position):
            broker = position.broker
            found.setdefault((broker.exchange, broker.environment), broker.id)
    db.session.rollback()
    return [(broker_id, exchange) for (exchange, _), broker_id in found.items()]


def look(broker_id: int) -> None:
    """Fetch the prices of a broker's exchange once, and act on every watched position there.

    Raises:
        TradingError: the prices could not be read; the next look is two seconds away.
    """
    broker = db.session.get_one(Broker, broker_id)
    watched = [position for position in _open_positions(broker) if _is_watched(position)]
    symbols = sorted({position.symbol for position in watched})
    if not symbols:
        return
    with connections.calling(broker) as exchange:
        tickers = exchange.tickers(symbols)
    prices.remember(broker.exchange, broker.environment, tickers.values())
    for position in watched:
        ticker = tickers.get(position.symbol)
        if ticker is not None and ticker.last is not None and consider(position.id, ticker.last):
            dispatch.manage_position(position.id, position.broker.exchange)


def consider(position_id: int, last: Decimal) -> bool:
    """Write down what a price sets off for a position; True when its exits must change."""
    position = positions.locked(position_id)
    changed = position.status is PositionStatus.OPEN and (
        _take(position, last) or _trail(position, last) or _catch(position, last)
    )
    db.session.commit()
    return changed


def _take(position: Position, last: Decimal) -> bool:
    """Targets that the price has reached are sold at the market, unless they rest on the exchange.

    One that is less than the exchange takes waits, and is sold with the next.
    """
    market = catalog.known(position.broker, position.symbol)
    if market is None or not protection.watches_targets(position):
        return False
    reached = [
        target
        for target in position.targets
        if target.status is TargetStatus.WAITING and last >= target.price
    ]
    wanted = position.close_quantity or _ZERO
    for target in reached:
        share = Target(target.price, target.share)
        wanted += target_quantity(share, position.bought, position.quantity, market)
    selling = whole_if_rest_is_crumbs(
        min(position.quantity, wanted), position.quantity, position.stop_loss, market
    )
    if not reached or too_little(selling, last, market) is not None:
        return False
    for target in reached:
        target.status = TargetStatus.TAKEN
    position.wish_sale(selling)
    return True


def _trail(position: Position, last: Decimal) -> bool:
    """The stop comes along with the best price; where the exchange moves it, the exits need not change."""
    market = catalog.known(position.broker, position.symbol)
    if market is None or position.trailing_percent is None:
        return False
    before = position.stop_loss
    position.high = max(last, position.high or last)
    position.stop_loss = trailed(before, position.high, position.trailing_percent, market)
    if last < position.high and position.stop_loss == before:
        return False
    return not protection.settled(position)


def _catch(position: Position, last: Decimal) -> bool:
    """A position whose stop-loss could not be placed is sold when the price gets there.

    So is one whose trailing stop began too low, because the market turned while it was handed over to the exchange.
    """
    if position.stop_loss is None or last > position.stop_loss:
        return False
    if position.alarm is None and not protection.trails_itself(position):
        return False
    market = catalog.known(position.broker, position.symbol)
    if market is None or too_little(position.quantity, last, market) is not None:
        return False
    position.wish_sale(position.quantity)
    return True


def _is_watched(position: Position) -> bool:
    waits = any(target.status is TargetStatus.WAITING for target in position.targets)
    unguarded = position.alarm is not None and position.stop_loss is not None
    return (
        position.trailing_percent is not None or unguarded or (waits and protection.watches_targets(position))
    )


def _open_positions(broker: Broker | None = None) -> Sequence[Position]:
    """Every open position, or those at a broker's exchange and environment."""
    query = select(Position).join(Broker).where(Position.status == PositionStatus.OPEN)
    if broker is not None:
        query = query.where(Broker.exchange == broker.exchange, Broker.environment == broker.environment)
    return db.session.scalars(query.options(*positions.WITH_ALL)).all()
