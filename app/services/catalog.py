"""The market catalogue: finding a pair, its like, and what a person meant by it."""

from __future__ import annotations

import difflib
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from app.domain.accounts import Environment
from app.domain.errors import OrderDenied
from app.domain.markets import Market
from app.extensions import db
from app.models import Broker, MarketRow

#: The rules named when a symbol leads to no market.
UNRESOLVED = frozenset({"symbol", "perpetual", "markets_missing"})


@dataclass(frozen=True, slots=True)
class _Catalog:
    """The markets of one exchange and environment, as loaded at one time, by each name they go by."""

    loaded_at: datetime | None
    by_symbol: Mapping[str, Market]
    by_bare_name: Mapping[str, Sequence[Market]]


_cache: dict[tuple[str, Environment], _Catalog] = {}
_cache_lock = threading.Lock()


def all_of(broker: Broker) -> Mapping[str, Market]:
    """Every market of a broker by symbol, shared within the process until they are loaded anew."""
    return _catalog(broker).by_symbol


def search(broker: Broker, text: str = "", *, page: int = 1, per_page: int = 50) -> tuple[list[Market], int]:
    """A page of the active markets whose symbol contains ``text``, the best fit first, and how many match."""
    wanted = _bare(text)
    matching = [
        market for market in all_of(broker).values() if market.active and wanted in _bare(market.symbol)
    ]
    matching.sort(key=lambda market: (not _bare(market.symbol).startswith(wanted), market.symbol))
    return matching[(page - 1) * per_page : page * per_page], len(matching)


def resolve(broker: Broker, written: str) -> Market:
    """The market a person or a chart means by ``BTCUSDT``, ``btc/usdt``, ``EXCHANGE:BTCUSDT``, ``XBT/USD`` …

    Raises:
        OrderDenied: unknown, ambiguous or a perpetual on a spot account; names near matches.
    """
    catalog = _catalog(broker)
    if not catalog.by_symbol:
        raise OrderDenied.because(
            "markets_missing",
            f"the markets of {broker.name} have not been loaded",
            remedy="Load the markets of the broker, then send it again.",
        )
    text = written.strip().upper().rpartition(":")[2]
    if text.endswith(".P"):
        raise OrderDenied.because(
            "perpetual",
            f"{written} is a perpetual future; {broker.name} trades spot",
            remedy="Use the spot symbol, without .P.",
        )
    if text in catalog.by_symbol:
        return catalog.by_symbol[text]
    for bare in (_bare(text), _bare(text.replace("XBT", "BTC"))):
        found = catalog.by_bare_name.get(bare, ())
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(sorted(market.symbol for market in found))
            raise OrderDenied.because("symbol", f"{written} could mean {names}: write the one you mean")
    raise OrderDenied.because("symbol", f"{broker.name} has no market {written}{_did_you_mean(broker, text)}")


def known(broker: Broker, symbol: str) -> Market | None:
    """The market of exactly this symbol, if the broker has it."""
    return all_of(broker).get(symbol)


def count(broker: Broker) -> int:
    """How many active markets a broker has."""
    return sum(market.active for market in all_of(broker).values())


def counts() -> Mapping[tuple[str, Environment], int]:
    """How many active markets each exchange and environment has."""
    rows = db.session.execute(
        select(MarketRow.exchange, MarketRow.environment, func.count(MarketRow.id))
        .where(MarketRow.active.is_(True))
        .group_by(MarketRow.exchange, MarketRow.environment)
    )
    return {(exchange, environment): number for exchange, environment, number in rows}


def near_matches(broker: Broker, written: str) -> list[str]:
    """Up to three symbols of a broker that look like what was written."""
    by_bare = {_bare(symbol): symbol for symbol in all_of(broker)}
    text = _bare(written.rpartition(":")[2])
    return [by_bare[bare] for bare in difflib.get_close_matches(text, by_bare, n=3, cutoff=0.6)]


def _catalog(broker: Broker) -> _Catalog:
    key = (broker.exchange, broker.environment)
    with _cache_lock:
        catalog = _cache.get(key)
    if catalog is None or not catalog.by_symbol or catalog.loaded_at != broker.markets_loaded_at:
        catalog = _load(broker)
        with _cache_lock:
            _cache[key] = catalog
    return catalog


def _load(broker: Broker) -> _Catalog:
    columns = [getattr(MarketRow, name) for name in Market.__slots__]
    of_broker = (MarketRow.exchange == broker.exchange, MarketRow.environment == broker.environment)
    by_symbol: dict[str, Market] = {}
    by_bare_name: dict[str, list[Market]] = {}
    for row in db.session.execute(select(*columns).where(*of_broker)):
        market = by_symbol[row.symbol] = Market(*row)
        for name in {_bare(market.symbol), _bare(market.exchange_symbol)}:
            by_bare_name.setdefault(name, []).append(market)
    return _Catalog(broker.markets_loaded_at, by_symbol, by_bare_name)


def _bare(text: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", text.upper())


def _did_you_mean(broker: Broker, text: str) -> str:
    near = near_matches(broker, text)
    return f"; did you mean {', '.join(near)}?" if near else ""
