"""Bitget's answers as our values: what stands under ``data``. Every amount is a string there, an exact Decimal here.

An answer of another shape raises one of `app.exchanges.rest.UNREADABLE`, which the caller turns into an error.
Source: https://www.bitget.com/api-doc/spot, July 2026.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from app.domain.accounts import Balance, Grant, Permissions, Position
from app.domain.markets import Candle, Level, Market, MarketKind, OrderBook, Ticker
from app.domain.orders import Fill, OrderReport, OrderStatus, OrderType, Side
from app.exchanges.bitget.wire import PLAN_STATUSES, STATUSES, TPSL
from app.exchanges.rest import margin_balance, milliseconds, positive
from app.exchanges.transport import parse_json

Row = Mapping[str, Any]

#: Plan orders and exits born of presets are looked up and cancelled elsewhere than other orders: their ids tell.
PLAN_PREFIX, TPSL_PREFIX = "plan-", "tpsl-"

ZERO = Decimal(0)

#: Grids and zeros are the same few texts in thousands of rows.
_shared = lru_cache(maxsize=4096)(Decimal)


# -- markets and prices ----------------------------------------------------------------------------------------


def parse_market(row: Row) -> Market:
    """One row of ``symbols``. Precisions are numbers of decimals; its bounds on the quantity are obsolete.

    The minimum value is in USDT whatever the quote is, so it binds our check only where that is the quote.
    """
    base, quote = row["baseCoin"], row["quoteCoin"]
    return Market(
        symbol=f"{base}/{quote}",
        exchange_symbol=row["symbol"],
        base=base,
        quote=quote,
        kind=MarketKind.SPOT,
        active=row["status"] == "online",
        tick_size=_shared(f"1E-{int(row['pricePrecision'])}"),
        lot_size=_shared(f"1E-{int(row['quantityPrecision'])}"),
        min_notional=positive(row.get("minTradeUSDT")) if quote == "USDT" else None,
        quote_lot_size=_shared(f"1E-{int(row['quotePrecision'])}"),
    )


def parse_ticker(row: Row, symbol: str) -> Ticker:
    """One row of ``tickers``."""
    return Ticker(
        symbol=symbol,
        last=positive(row["lastPr"]),
        bid=positive(row.get("bidPr")),
        ask=positive(row.get("askPr")),
        high=positive(row["high24h"]),
        low=positive(row["low24h"]),
        base_volume=Decimal(row["baseVolume"]),
        quote_volume=Decimal(row["quoteVolume"]),
        at=milliseconds(row["ts"]),
    )


def parse_order_book(data: Row, symbol: str, depth: int) -> OrderBook:
    """``orderbook``."""
    bids, asks = _levels(data["bids"][:depth]), _levels(data["asks"][:depth])
    return OrderBook(symbol, bids, asks, milliseconds(data["ts"]))


def _levels(rows: Iterable[Sequence[str]]) -> tuple[Level, ...]:
    return tuple(Level(Decimal(price), Decimal(quantity)) for price, quantity in rows)


def parse_candle(row: Sequence[str]) -> Candle:
    """One row of ``candles``."""
    at, opened, high, low, closed, volume = row[:6]
    return Candle(
        milliseconds(at), Decimal(opened), Decimal(high), Decimal(low), Decimal(closed), Decimal(volume)
    )


# -- the account -----------------------------------------------------------------------------------------------


def parse_balances(rows: Iterable[Row]) -> dict[str, Balance]:
    """``assets``: what orders have frozen and what else is locked counts as locked."""
    found = {}
    for row in rows:
        asset, free = row["coin"], Decimal(row["available"])
        locked = Decimal(row["frozen"]) + _shared(row["locked"])
        if free or locked:
            found[asset] = Balance(asset, free, locked, free + locked)
    return found


#: ``account/info`` abbreviates what a key may do; older keys tell it in whole words.
TRADE_WORDS, WITHDRAW_WORDS = frozenset({"stow", "trade"}), frozenset({"wwow", "withdraw"})


def parse_permissions(data: Row) -> tuple[Permissions, Grant]:
    """``account/info``: what the key may do, and whether it is bound to addresses."""
    words = frozenset(data["authorities"])
    permissions = Permissions(
        read=Grant.YES,
        trade=Grant.YES if words & TRADE_WORDS else Grant.NO,
        withdraw=Grant.YES if words & WITHDRAW_WORDS else Grant.NO,
    )
    return permissions, Grant.YES if data["ips"] else Grant.NO


def parse_futures_balances(rows: Iterable[Row]) -> dict[str, Balance]:
    """``mix/account/accounts``: the margin coins of which there is any."""
    found = (
        margin_balance(
            row["marginCoin"],
            equity=Decimal(row["accountEquity"]),
            available=Decimal(row["available"]),
        )
        for row in rows
    )
    return {balance.asset: balance for balance in found if balance.total}


def parse_positions(rows: Iterable[Row]) -> list[Position]:
    """``all-position``: the open ones. The size is positive on either side."""
    return [parse_position(row) for row in rows if Decimal(row["total"])]


def parse_position(row: Row) -> Position:
    """One position; a short one has a negative quantity."""
    size, margin = Decimal(row["total"]), row.get("marginCoin", "USDT")
    base = row["symbol"].removesuffix(margin)
    return Position(
        symbol=f"{base}/{margin}" if base != row["symbol"] else base,
        quantity={"long": size, "short": -size}[row["holdSide"]],
        entry_price=positive(row["openPriceAvg"]),
        mark_price=positive(row.get("markPrice")),
        unrealised_pnl=Decimal(row["unrealizedPL"]),
        liquidation_price=positive(row.get("liquidationPrice")),
        margin_asset=margin,
    )


# -- orders ----------------------------------------------------------------------------------------------------


def parse_order(row: Row, symbol: str) -> OrderReport:
    """A spot order, or an exit born of an entry's presets (``tpslType`` tpsl), whose type `presets.typed` tells.

    Among open orders ``priceAvg`` is the limit price and ``basePrice`` the average; elsewhere ``price`` and
    ``priceAvg`` are. The size of a market buy is in quote.
    """
    side, at_limit = Side(row["side"].upper()), row["orderType"] == "limit"
    trigger = positive(row.get("triggerPrice")) if row.get("tpslType") == TPSL else None
    status = STATUSES[row["status"]]
    filled, cost = Decimal(row["baseVolume"] or 0), Decimal(row["quoteVolume"] or 0)
    quantity = _quantity(row, side, at_limit, status, filled)
    type_ = OrderType.LIMIT if at_limit else OrderType.MARKET
    return OrderReport(
        exchange_order_id=row["orderId"] if trigger is None else TPSL_PREFIX + row["orderId"],
        client_order_id=row.get("clientOid") or None,
        symbol=symbol,
        side=side,
        type=type_ if trigger is None else None,
        status=_with_fills(status, filled),
        quantity=quantity,
        filled_quantity=filled,
        remaining=None if quantity is None else quantity - filled,
        price=positive(row["price"] if "price" in row else row["priceAvg"]) if at_limit else None,
        average_price=cost / filled if filled else None,
        trigger_price=trigger,
        cost=cost,
        fees=_fees(row.get("feeDetail"), symbol, side),
        created_at=milliseconds(row["cTime"]),
        updated_at=milliseconds(row.get("uTime") or row["cTime"]),
        raw=row,
    )


def _with_fills(status: OrderStatus, filled: Decimal) -> OrderStatus:
    return OrderStatus.PARTIALLY_FILLED if status is OrderStatus.OPEN and filled else status


def _quantity(row: Row, side: Side, at_limit: bool, status: OrderStatus, filled: Decimal) -> Decimal | None:
    """The size in base; of a market buy only what it came to once it is filled."""
    if side is Side.SELL or at_limit:
        return Decimal(row["size"])
    return filled if status is OrderStatus.FILLED else None


def _fees(detail: str | None, symbol: str, side: Side) -> dict[str, Decimal]:
    """``feeDetail``: JSON within the JSON, paid amounts negative.

    ``newFees`` holds what was paid in BGB (``d``) and in the asset received (``r``); records without it name the coin.
    """
    if not detail:
        return {}
    entries = parse_json(detail.encode())
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    if "newFees" in entries:
        base, _, quote = symbol.partition("/")
        found["BGB"] -= Decimal(entries["newFees"]["d"])
        found[base if side is Side.BUY else quote] -= Decimal(entries["newFees"]["r"])
    else:
        for entry in entries.values():
            found[entry["feeCoinCode"]] -= Decimal(entry["totalFee"])
    return {asset: fee for asset, fee in found.items() if fee}


def parse_plan(row: Row, symbol: str) -> OrderReport:
    """A plan order, whose type `presets.typed` tells.

    One that has executed is open until the spot order it became is seen.
    """
    side, at_limit = Side(row["side"].upper()), row["orderType"] == "limit"
    quantity = Decimal(row["size"]) if row.get("planType", "amount") == "amount" else None
    return OrderReport(
        exchange_order_id=PLAN_PREFIX + row["orderId"],
        client_order_id=row["clientOid"] or None,
        symbol=symbol,
        side=side,
        type=None,
        status=PLAN_STATUSES[row["status"]],
        quantity=quantity,
        filled_quantity=ZERO,
        remaining=quantity,
        price=positive(row.get("executePrice")) if at_limit else None,
        trigger_price=Decimal(row["triggerPrice"]),
        cost=ZERO,
        created_at=milliseconds(row["cTime"]),
        updated_at=milliseconds(row.get("uTime") or row["cTime"]),
        raw=row,
    )


def parse_fill(row: Row, symbol: str) -> Fill:
    """One row of ``fills``."""
    fee = row["feeDetail"]
    return Fill(
        trade_id=row["tradeId"],
        exchange_order_id=row["orderId"],
        client_order_id=None,
        symbol=symbol,
        side=Side(row["side"].upper()),
        price=Decimal(row["priceAvg"]),
        quantity=Decimal(row["size"]),
        cost=Decimal(row["amount"]),
        fee=-Decimal(fee["totalFee"]),
        fee_asset=fee["feeCoin"],
        maker=row["tradeScope"] == "maker",
        at=milliseconds(row["cTime"]),
    )
