"""What open pages show of a market: its order book and its candles, fetched by workers and shared by all who look.

The web process never calls an exchange. A page asks for what it shows and gets what was fetched last; if nobody has
asked for it in the last moments, a worker is asked for newer. So an exchange is asked for a book at most every
`BOOK_SECONDS` however many pages are open, not at all when none is, and only while its allowance is plenty. Everything
lies in Redis and is free to lose: the queue carries the market's id, and what is wanted of it waits under that id.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar

import redis.exceptions
import structlog
from sqlalchemy import select

from app import dispatch
from app.domain.accounts import Environment
from app.domain.errors import TradingError
from app.domain.markets import Candle, Level, OrderBook, Ticker
from app.domain.money import plain
from app.exchanges import Exchange
from app.exchanges.sparing import sparing
from app.extensions import db
from app.extensions import redis as store
from app.models import Broker, MarketRow, utc_now
from app.services import connections, prices

log = structlog.get_logger()
T = TypeVar("T")

#: The candles there are to choose from; every exchange has these.
INTERVALS = ("1m", "5m", "15m", "1h", "4h", "1d")

#: A book, and with it the last price, is asked for no more often than this.
BOOK_SECONDS = 2.0

#: So are candles, whose last one a page moves along with the price.
CANDLES_SECONDS = 10.0

#: After a failure an exchange is left alone for so long.
_PAUSE_SECONDS = 10.0

#: What was fetched longer ago is not shown any more.
_KEPT_SECONDS = 300

#: Whoever opened the page has asked again by then.
_GOOD_FOR_SECONDS = 10.0

_BOOK = "book"
_LEVELS = 10
_CANDLES = 300


@dataclass(frozen=True, slots=True)
class View(Generic[T]):
    """What was fetched last, None while nothing has been; ``problem`` says in words why there is nothing newer."""

    shown: T | None
    fetched_at: datetime | None
    problem: str | None


def book(broker: Broker, market_id: int) -> View[OrderBook]:
    """The order book of a market, ten levels a side; asks for a newer one."""
    kept = _look(broker, market_id, _BOOK)
    found = kept.get("found")
    return View(None if found is None else _book(found), _fetched_at(kept), kept.get("problem"))


def candles(broker: Broker, market_id: int, interval: str) -> View[list[Candle]]:
    """The latest candles of a market, oldest first; asks for newer ones. ``interval`` is one of `INTERVALS`."""
    kept = _look(broker, market_id, interval)
    found = kept.get("found")
    shown = None if found is None else [_candle(row) for row in found]
    return View(shown, _fetched_at(kept), kept.get("problem"))


def fetch(market_id: int) -> None:
    """Fetch what is wanted of a market, by the keys of any of its exchange's brokers that works."""
    market = db.session.get_one(MarketRow, market_id)
    symbol, exchange_name, environment = market.symbol, market.exchange, market.environment
    broker = _any_broker(exchange_name, environment)
    wanted = _take_wanted(market_id)
    if broker is None or not wanted:
        db.session.commit()
        return
    with connections.calling(broker) as exchange, sparing():
        for what in wanted:
            try:
                found, ticker = _fetched(exchange, environment, symbol, what)
            except TradingError as error:
                log.warning("market_not_read", market_id=market_id, what=what, error=str(error))
                _keep_problem(market_id, what, error.message)
                continue
            _keep(market_id, what, found)
            if ticker is not None:
                prices.remember(exchange_name, environment, [ticker])


def _fetched(
    exchange: Exchange, environment: Environment, symbol: str, what: str
) -> tuple[Any, Ticker | None]:
    """What is wanted as Redis keeps it; with a book comes the last price, unless somebody has just heard it."""
    if what == _BOOK:
        known = prices.fresh(exchange.name, environment, symbol)
        return _book_as_kept(exchange.order_book(symbol, _LEVELS)), None if known else exchange.ticker(symbol)
    return [_candle_as_kept(candle) for candle in exchange.candles(symbol, what, limit=_CANDLES)], None


def _any_broker(exchange: str, environment: Environment) -> Broker | None:
    query = select(Broker).where(Broker.exchange == exchange, Broker.environment == environment)
    query = query.where(Broker.active.is_(True), Broker.connected.is_not(False))
    return db.session.scalar(query.order_by(Broker.id).limit(1))


def _look(broker: Broker, market_id: int, what: str) -> dict[str, Any]:
    """What is kept of it, and a worker asked for newer unless one was just now; nothing when Redis is gone."""
    every = BOOK_SECONDS if what == _BOOK else CANDLES_SECONDS
    try:
        if store.set(_asked(market_id, what), 1, nx=True, px=int(every * 1000)):
            store.sadd(_wanted(market_id), what)
            store.expire(_wanted(market_id), _KEPT_SECONDS)
            dispatch.look_at_market(market_id, broker.exchange, good_for=_GOOD_FOR_SECONDS)
        found, problem = store.mget(_kept(market_id, what), _problem(market_id, what))
    except redis.exceptions.RedisError as error:
        log.warning("view_not_read", market_id=market_id, what=what, error=str(error))
        return {}
    kept: dict[str, Any] = {} if found is None else json.loads(found)
    return kept if problem is None else {**kept, "problem": str(problem)}


def _take_wanted(market_id: int) -> list[str]:
    """What pages have asked for since the last look; whoever takes it fetches it."""
    with store.pipeline(transaction=True) as pipe:
        pipe.smembers(_wanted(market_id))
        pipe.delete(_wanted(market_id))
        wanted, _ = pipe.execute()
    return sorted(str(what) for what in wanted)


def _keep(market_id: int, what: str, found: object) -> None:
    kept = {"at": utc_now().isoformat(), "found": found}
    with store.pipeline(transaction=False) as pipe:
        pipe.set(_kept(market_id, what), json.dumps(kept), ex=_KEPT_SECONDS)
        pipe.delete(_problem(market_id, what))
        pipe.execute()


def _keep_problem(market_id: int, what: str, message: str) -> None:
    pause = int(_PAUSE_SECONDS * 1000)
    with store.pipeline(transaction=False) as pipe:
        pipe.set(_problem(market_id, what), message, ex=_KEPT_SECONDS)
        pipe.set(_asked(market_id, what), 1, px=pause)
        pipe.execute()


def _fetched_at(kept: Mapping[str, Any]) -> datetime | None:
    return datetime.fromisoformat(kept["at"]) if "at" in kept else None


def _book_as_kept(found: OrderBook) -> dict[str, Any]:
    return {"symbol": found.symbol, "bids": _levels_as_kept(found.bids), "asks": _levels_as_kept(found.asks)}


def _levels_as_kept(levels: Sequence[Level]) -> list[list[str]]:
    return [[plain(level.price), plain(level.quantity)] for level in levels]


def _book(kept: Mapping[str, Any]) -> OrderBook:
    return OrderBook(kept["symbol"], _levels(kept["bids"]), _levels(kept["asks"]))


def _levels(kept: Sequence[Sequence[str]]) -> tuple[Level, ...]:
    return tuple(Level(Decimal(price), Decimal(quantity)) for price, quantity in kept)


def _candle_as_kept(candle: Candle) -> list[int | str]:
    amounts = (candle.open, candle.high, candle.low, candle.close, candle.volume)
    return [int(candle.at.timestamp()), *(plain(amount) for amount in amounts)]


def _candle(kept: Sequence[Any]) -> Candle:
    amounts = (Decimal(amount) for amount in kept[1:])
    return Candle(datetime.fromtimestamp(kept[0], UTC), *amounts)


def _asked(market_id: int, what: str) -> str:
    return f"view:{market_id}:{what}:asked"


def _kept(market_id: int, what: str) -> str:
    return f"view:{market_id}:{what}"


def _problem(market_id: int, what: str) -> str:
    return f"view:{market_id}:{what}:problem"


def _wanted(market_id: int) -> str:
    return f"view:{market_id}:wanted"
