"""OKX's answers as our values: what stands under ``data``. Every amount is a string there, an exact Decimal here.

An answer of another shape raises one of `app.exchanges.rest.UNREADABLE`, which the caller turns into an error.
Source: https://www.okx.com/docs-v5/en, June 2026.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from app.domain.accounts import Balance, Grant, Permissions, Position
from app.domain.markets import Candle, Level, Market, MarketKind, OrderBook, Ticker
from app.domain.money import EXACT
from app.domain.orders import Fill, OrderReport, OrderStatus, OrderType, Side
from app.exchanges.okx import wire
from app.exchanges.rest import margin_balance, milliseconds, positive

Row = Mapping[str, Any]

ZERO = Decimal(0)

#: Grids and zeros are the same few texts in thousands of rows.
_shared = lru_cache(maxsize=4096)(Decimal)


# -- markets and prices ----------------------------------------------------------------------------------------


def parse_market(row: Row) -> Market:
    """One row of ``instruments``. There is no minimum value; market orders are bounded in USD, which binds no check.

    An instrument that is not open yet has no grid: it gets one lot of the smallest.
    """
    base, quote = row["baseCcy"], row["quoteCcy"]
    tick = _shared(row["tickSz"] or "1E-8")
    return Market(
        symbol=f"{base}/{quote}",
        exchange_symbol=row["instId"],
        base=base,
        quote=quote,
        kind=MarketKind.SPOT,
        active=row["state"] == "live",
        tick_size=tick,
        lot_size=_shared(row["lotSz"] or "1E-8"),
        min_quantity=positive(row["minSz"]),
        max_quantity=positive(row.get("maxLmtSz")),
        quote_lot_size=tick,
    )


def parse_ticker(row: Row) -> Ticker:
    """One row of ``tickers``."""
    return Ticker(
        symbol=ours(row["instId"]),
        last=positive(row["last"]),
        bid=positive(row["bidPx"]),
        ask=positive(row["askPx"]),
        high=positive(row["high24h"]),
        low=positive(row["low24h"]),
        base_volume=Decimal(row["vol24h"]),
        quote_volume=Decimal(row["volCcy24h"]),
        at=milliseconds(row["ts"]),
    )


def parse_order_book(row: Row, symbol: str) -> OrderBook:
    """``books``: a level is price, quantity, an old "0" and the number of orders."""
    return OrderBook(symbol, _levels(row["bids"]), _levels(row["asks"]), milliseconds(row["ts"]))


def _levels(rows: Iterable[Sequence[str]]) -> tuple[Level, ...]:
    return tuple(Level(Decimal(level[0]), Decimal(level[1])) for level in rows)


def parse_candle(row: Sequence[str]) -> Candle:
    """One row of ``candles``."""
    at, *values = row[:6]
    return Candle(milliseconds(at), *map(Decimal, values))


# -- the account -----------------------------------------------------------------------------------------------


def parse_balances(rows: Sequence[Row]) -> dict[str, Balance]:
    """``account/balance``: what lies in the trading account; the funding account cannot trade."""
    found = {}
    for row in rows[0]["details"]:
        total = Decimal(row["cashBal"])
        if total:
            found[row["ccy"]] = Balance(
                row["ccy"], Decimal(row["availBal"]), Decimal(row["frozenBal"]), total
            )
    return found


def parse_futures_balances(rows: Sequence[Row]) -> dict[str, Balance]:
    """The same answer as what backs USDT futures; in the spot mode, which has none, ``availEq`` is empty."""
    return {
        row["ccy"]: margin_balance(row["ccy"], equity=Decimal(row["eq"]), available=Decimal(row["availEq"]))
        for row in rows[0]["details"]
        if row["ccy"] == "USDT" and row.get("availEq")
    }


def parse_permissions(row: Row) -> tuple[Permissions, Grant]:
    """``account/config``: what the key may do, and whether it is bound to addresses."""
    words = row["perm"].split(",")
    permissions = Permissions(
        read=Grant.YES,
        trade=Grant.YES if "trade" in words else Grant.NO,
        withdraw=Grant.YES if "withdraw" in words else Grant.NO,
    )
    return permissions, Grant.YES if row["ip"] else Grant.NO


def parse_positions(rows: Iterable[Row], contract_sizes: Mapping[str, Decimal]) -> list[Position]:
    """``account/positions``: the open ones. Sizes are in contracts, of so much base each."""
    return [parse_position(row, contract_sizes[row["instId"]]) for row in rows if Decimal(row["pos"] or 0)]


def parse_position(row: Row, contract_size: Decimal) -> Position:
    """One position; negative when short, whether the account holds one side or both at a time."""
    base, quote = row["instId"].split("-")[:2]
    contracts = Decimal(row["pos"])
    if row["posSide"] == "short":
        contracts = -abs(contracts)
    return Position(
        symbol=f"{base}/{quote}",
        quantity=EXACT.multiply(contracts, contract_size),
        entry_price=positive(row["avgPx"]),
        mark_price=positive(row["markPx"]),
        unrealised_pnl=Decimal(row["upl"]),
        liquidation_price=positive(row["liqPx"]),
        margin_asset=row.get("ccy") or quote,
    )


def parse_contract_size(rows: Sequence[Row]) -> Decimal:
    """``instruments`` of one swap: how much base a contract is of."""
    return EXACT.multiply(Decimal(rows[0]["ctVal"]), Decimal(rows[0]["ctMult"] or 1))


# -- orders ----------------------------------------------------------------------------------------------------


def parse_order(row: Row) -> OrderReport:
    """An order proper. ``accFillSz`` is in base, and so is ``sz`` but in a market order sized in quote."""
    symbol, side = ours(row["instId"]), Side(row["side"].upper())
    at_market = row["ordType"] == wire.MARKET
    status, filled = wire.STATUSES[row["state"]], Decimal(row["accFillSz"] or 0)
    quantity = Decimal(row["sz"])
    known: Decimal | None = quantity
    if at_market and row.get("tgtCcy") == wire.IN_QUOTE:
        known = filled if status is OrderStatus.FILLED else None
    average = positive(row["avgPx"])
    return OrderReport(
        exchange_order_id=row["ordId"],
        client_order_id=row["clOrdId"] or None,
        symbol=symbol,
        side=side,
        type=OrderType.MARKET if at_market else OrderType.LIMIT,
        status=status,
        quantity=known,
        filled_quantity=filled,
        remaining=None if known is None else known - filled,
        price=None if at_market else positive(row["px"]),
        average_price=average,
        cost=EXACT.multiply(average, filled) if average else ZERO,
        fees=_fees(row),
        created_at=milliseconds(row["cTime"]),
        updated_at=milliseconds(row["uTime"] or row["cTime"]),
        raw=row,
    )


def _fees(row: Row) -> dict[str, Decimal]:
    """What was charged is negative there, and what was given back positive; the two may be in different assets."""
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for amount, asset in (("fee", "feeCcy"), ("rebate", "rebateCcy")):
        if row.get(amount) and row.get(asset):
            found[row[asset]] -= Decimal(row[amount])
    return {asset: fee for asset, fee in found.items() if fee}


def parse_fill(row: Row) -> Fill:
    """One row of ``fills``."""
    price, quantity = Decimal(row["fillPx"]), Decimal(row["fillSz"])
    return Fill(
        trade_id=row["tradeId"],
        exchange_order_id=row["ordId"],
        client_order_id=row["clOrdId"] or None,
        symbol=ours(row["instId"]),
        side=Side(row["side"].upper()),
        price=price,
        quantity=quantity,
        cost=EXACT.multiply(price, quantity),
        fee=-Decimal(row["fee"]),
        fee_asset=row["feeCcy"],
        maker={"M": True, "T": False}.get(row["execType"]),
        at=milliseconds(row["fillTime"] or row["ts"]),
    )


def ours(instrument: str) -> str:
    """``BTC-USDT`` as ``BTC/USDT``."""
    return instrument.replace("-", "/")


def theirs(symbol: str) -> str:
    """``BTC/USDT`` as ``BTC-USDT``."""
    return symbol.replace("/", "-")
