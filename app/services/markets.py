"""Loading the tradable pairs from an exchange and storing what changed."""

from __future__ import annotations

from sqlalchemy import insert, select, update

from app.domain.accounts import Environment
from app.domain.errors import TradingError
from app.domain.markets import Market
from app.extensions import db
from app.models import Broker, MarketRow, utc_now
from app.services import connections, events, underway
from app.services.events import Topic
from app.services.underway import Stage, Work

_FIELDS = Market.__slots__


def load(broker_id: int) -> int:
    """Fetch a broker's markets and store what changed; returns how many there are.

    Serves every broker of the same exchange and environment. A failure is kept on the broker, in words, and raised.
    """
    broker = db.session.get_one(Broker, broker_id)
    _tell(broker, Stage.READING)
    try:
        with connections.calling(broker) as exchange:
            found = exchange.markets()
    except TradingError as error:
        underway.end(Work.MARKETS, broker_id)
        broker.markets_error = f"{error.message} {error.remedy}"
        db.session.commit()
        events.publish(broker.user_id, Topic.MARKETS, broker.id)
        raise
    _tell(broker, Stage.STORING)
    store(broker.exchange, broker.environment, found)
    underway.end(Work.MARKETS, broker_id)
    same_place = (Broker.exchange == broker.exchange, Broker.environment == broker.environment)
    db.session.execute(
        update(Broker).where(*same_place).values(markets_loaded_at=utc_now(), markets_error=None)
    )
    sharing = db.session.execute(select(Broker.user_id, Broker.id).where(*same_place)).all()
    db.session.commit()
    for user_id, sharer_id in sharing:
        events.publish(user_id, Topic.MARKETS, sharer_id)
    return len(found)


def store(exchange: str, environment: Environment, markets: list[Market]) -> None:
    """Make the stored markets equal to the given ones, writing only what differs. Does not commit.

    A market that is gone is kept as inactive: orders and history still name it.
    """
    columns = [getattr(MarketRow, name) for name in _FIELDS]
    rows = db.session.execute(
        select(MarketRow.id, *columns).where(
            MarketRow.exchange == exchange, MarketRow.environment == environment
        )
    ).all()
    known = {row.symbol: (row.id, Market(*row[1:])) for row in rows}
    added, changed = [], []
    for market in markets:
        row_id, before = known.pop(market.symbol, (None, None))
        if row_id is None:
            added.append({"exchange": exchange, "environment": environment, **_values(market)})
        elif market != before:
            changed.append({"id": row_id, **_values(market)})
    gone = [{"id": row_id, "active": False} for row_id, before in known.values() if before.active]
    if added:
        db.session.execute(insert(MarketRow), added)
    for rows_to_write in (changed, gone):
        if rows_to_write:
            db.session.execute(update(MarketRow), rows_to_write)


def _tell(broker: Broker, stage: Stage) -> None:
    """Let a page on which somebody waits show how far it has come."""
    if underway.reach(Work.MARKETS, broker.id, stage):
        events.publish(broker.user_id, Topic.MARKETS, broker.id)


def _values(market: Market) -> dict[str, object]:
    return {name: getattr(market, name) for name in _FIELDS}
