"""Binance's answers as our values. Every amount is a string on the wire and an exact Decimal here.

An answer of another shape raises one of `app.exchanges.rest.UNREADABLE`, which the caller turns into an error.
Source: https://developers.binance.com/docs/binance-spot-api-docs/rest-api, July 2026.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from app.domain.accounts import Balance, Grant, Permissions, Position
from app.domain.markets import Candle, Level, Market, MarketKind, OrderBook, Ticker
from app.domain.money import EXACT
from app.domain.orders import Fill, OrderReport, OrderStatus, OrderType, Side
from app.exchanges.binance.wire import (
    BASIS_POINTS_OF_A_PERCENT,
    ORDER_TYPES,
    PUBLISHED_LIMITS,
    STATUSES,
    TYPES_HEARD,
)
from app.exchanges.budget import Limit
from app.exchanges.rest import margin_balance, milliseconds, positive

Row = Mapping[str, Any]
#: Turns the exchange's symbol into ours.
Naming = Callable[[str], str]

#: Marks the id of an order list among order ids: Binance counts the two apart, and they overlap.
LIST_PREFIX = "list-"

ZERO = Decimal(0)

#: Grids, bounds and zeros are the same few texts in thousands of rows.
_shared = lru_cache(maxsize=4096)(Decimal)


# -- markets and prices ----------------------------------------------------------------------------------------


def parse_markets(data: Row) -> list[Market]:
    """``exchangeInfo``: every spot market."""
    return [parse_market(row) for row in data["symbols"]]


def parse_market(row: Row) -> Market:
    """One symbol. A bound of zero means that the filter does not set it."""
    filters = {item["filterType"]: item for item in row["filters"]}
    lot, price = filters.get("LOT_SIZE", {}), filters.get("PRICE_FILTER", {})
    market_lot = filters.get("MARKET_LOT_SIZE", {})
    notional = filters.get("NOTIONAL") or filters.get("MIN_NOTIONAL") or {}
    base, quote = row["baseAsset"], row["quoteAsset"]
    return Market(
        symbol=f"{base}/{quote}",
        exchange_symbol=row["symbol"],
        base=base,
        quote=quote,
        kind=MarketKind.SPOT,
        active=row["status"] == "TRADING" and row.get("isSpotTradingAllowed", True),
        tick_size=_shared(price.get("tickSize", "0")),
        lot_size=_shared(lot.get("stepSize", "0")),
        min_quantity=_bound(lot.get("minQty")),
        max_quantity=_bound(lot.get("maxQty")),
        min_notional=_bound(notional.get("minNotional")),
        max_market_quantity=_bound(market_lot.get("maxQty")),
        quote_lot_size=_shared(f"1E-{row['quoteAssetPrecision']}"),
    )


def _bound(text: str | None) -> Decimal | None:
    value = _shared(text) if text else ZERO
    return value if value else None


def parse_limits(data: Row) -> dict[str, int]:
    """``exchangeInfo.rateLimits``: the capacity of each limit we count, by our name of it."""
    found = {}
    for row in data.get("rateLimits", ()):
        limit: Limit | None = PUBLISHED_LIMITS.get(
            (row["rateLimitType"], row["interval"], row["intervalNum"])
        )
        if limit is not None:
            found[limit.name] = int(row["limit"])
    return found


def parse_ticker(row: Row, symbol: str) -> Ticker:
    """One row of ``ticker/24hr``."""
    return Ticker(
        symbol=symbol,
        last=positive(row["lastPrice"]),
        bid=positive(row.get("bidPrice")),
        ask=positive(row.get("askPrice")),
        high=positive(row["highPrice"]),
        low=positive(row["lowPrice"]),
        base_volume=Decimal(row["volume"]),
        quote_volume=Decimal(row["quoteVolume"]),
        at=milliseconds(row["closeTime"]),
    )


def parse_tickers(rows: Iterable[Row], naming: Naming) -> dict[str, Ticker]:
    """``ticker/24hr`` for several markets, by our symbol."""
    return {ticker.symbol: ticker for ticker in (parse_ticker(row, naming(row["symbol"])) for row in rows)}


def parse_order_book(data: Row, symbol: str, depth: int) -> OrderBook:
    """``depth``; it carries no time."""
    return OrderBook(symbol, _levels(data["bids"][:depth]), _levels(data["asks"][:depth]))


def _levels(rows: Iterable[tuple[str, str]]) -> tuple[Level, ...]:
    return tuple(Level(Decimal(price), Decimal(quantity)) for price, quantity in rows)


def parse_candle(row: list[Any]) -> Candle:
    """One row of ``klines``."""
    at, opened, high, low, closed, volume = row[:6]
    return Candle(
        milliseconds(at), Decimal(opened), Decimal(high), Decimal(low), Decimal(closed), Decimal(volume)
    )


# -- the account -----------------------------------------------------------------------------------------------


def parse_balances(data: Row) -> dict[str, Balance]:
    """``account``: the assets of which there is any."""
    found = {}
    for row in data["balances"]:
        free, locked = Decimal(row["free"]), _shared(row["locked"])
        if free or locked:
            asset = row["asset"]
            found[asset] = Balance(asset, free, locked, free + locked if locked else free)
    return found


def parse_futures_balances(rows: Iterable[Row]) -> dict[str, Balance]:
    """``fapi/v3/balance``: the assets of which there is any."""
    found = (
        margin_balance(
            row["asset"],
            equity=Decimal(row["balance"]) + Decimal(row["crossUnPnl"]),
            available=Decimal(row["availableBalance"]),
        )
        for row in rows
    )
    return {balance.asset: balance for balance in found if balance.total}


def parse_base_fee(data: Row) -> Decimal | None:
    """``account``: the largest fraction of a purchase that may be kept as fee; None when it is not told."""
    rates = data.get("commissionRates")
    if not rates:
        return None
    return max(Decimal(rates["maker"]), Decimal(rates["taker"])) + Decimal(rates["buyer"])


def parse_permissions(data: Row) -> tuple[Permissions, Grant]:
    """``apiRestrictions``: what the key may do, and whether it is bound to addresses."""
    permissions = Permissions(
        read=_grant(data.get("enableReading")),
        trade=_grant(data.get("enableSpotAndMarginTrading")),
        withdraw=_grant(data.get("enableWithdrawals")),
    )
    return permissions, _grant(data.get("ipRestrict"))


def _grant(flag: bool | None) -> Grant:
    return Grant.UNKNOWN if flag is None else Grant.YES if flag else Grant.NO


def parse_positions(rows: Iterable[Row]) -> list[Position]:
    """``positionRisk``: the open ones."""
    return [parse_position(row) for row in rows if Decimal(row["positionAmt"])]


def parse_position(row: Row) -> Position:
    """One position; a short one has a negative amount."""
    symbol, margin = row["symbol"], row["marginAsset"]
    base = symbol.removesuffix(margin)
    return Position(
        symbol=f"{base}/{margin}" if base != symbol else symbol,
        quantity=Decimal(row["positionAmt"]),
        entry_price=positive(row["entryPrice"]),
        mark_price=positive(row.get("markPrice")),
        unrealised_pnl=Decimal(row["unRealizedProfit"]),
        liquidation_price=positive(row.get("liquidationPrice")),
        margin_asset=margin,
    )


# -- orders ----------------------------------------------------------------------------------------------------


def parse_order(row: Row, naming: Naming) -> OrderReport:
    """An order, however it was asked for: placed, looked up, cancelled or amended.

    ``cummulativeQuoteQty`` is spelt that way except in an amended order; negative means unknown. In the answer
    to a cancellation ``clientOrderId`` names the cancellation and ``origClientOrderId`` the order.
    """
    symbol = naming(row["symbol"])
    quantity, filled = positive(row.get("origQty", row.get("qty"))), Decimal(row["executedQty"])
    cost: Decimal | None = Decimal(row.get("cummulativeQuoteQty", row.get("cumulativeQuoteQty", "-1")))
    if cost is not None and cost < 0:
        cost = None
    side, report_id = Side(row["side"]), str(row["orderId"])
    client_id = row.get("origClientOrderId") if row["status"] == "CANCELED" else None
    client_id = client_id or row["clientOrderId"]
    trailing = _trailing_percent(row)
    fills = tuple(_parse_own_fill(item, row, symbol, side, client_id) for item in row.get("fills", ()))
    return OrderReport(
        exchange_order_id=report_id,
        client_order_id=client_id,
        symbol=symbol,
        side=side,
        type=OrderType.TRAILING_STOP if trailing else TYPES_HEARD[row["type"]],
        status=STATUSES[row["status"]],
        quantity=quantity,
        filled_quantity=filled,
        remaining=None if quantity is None else quantity - filled,
        price=positive(row["price"]),
        average_price=cost / filled if cost and filled else None,
        trigger_price=positive(row.get("stopPrice")),
        trailing_percent=trailing,
        cost=cost,
        fees=_fees(fills),
        created_at=_moment(row, "time", "workingTime", "transactTime"),
        updated_at=_moment(row, "updateTime", "transactTime"),
        fills=fills,
        raw=row,
    )


def _trailing_percent(row: Row) -> Decimal | None:
    """How far a trailing stop at the market follows, in percent; None for every other order."""
    delta = row.get("trailingDelta")
    if not delta or row["type"] != ORDER_TYPES[OrderType.TRAILING_STOP]:
        return None
    return Decimal(delta) / BASIS_POINTS_OF_A_PERCENT


def _moment(row: Row, *names: str) -> datetime | None:
    """The first of these times that is told; -1 stands for an order that does not work yet."""
    return next((milliseconds(row[name]) for name in names if row.get(name, -1) > 0), None)


def _parse_own_fill(item: Row, order: Row, symbol: str, side: Side, client_id: str) -> Fill:
    """A fill reported with the order it belongs to; the order took liquidity, or it would still rest."""
    price, quantity = Decimal(item["price"]), Decimal(item["qty"])
    return Fill(
        trade_id=str(item["tradeId"]),
        exchange_order_id=str(order["orderId"]),
        client_order_id=client_id,
        symbol=symbol,
        side=side,
        price=price,
        quantity=quantity,
        cost=EXACT.multiply(price, quantity),
        fee=Decimal(item["commission"]),
        fee_asset=item["commissionAsset"],
        maker=False,
        at=_moment(order, "transactTime"),
    )


def _fees(fills: Iterable[Fill]) -> dict[str, Decimal]:
    total: defaultdict[str, Decimal] = defaultdict(Decimal)
    for fill in fills:
        if fill.fee and fill.fee_asset:
            total[fill.fee_asset] += fill.fee
    return dict(total)


def parse_fill(row: Row, symbol: str) -> Fill:
    """One row of ``myTrades``; it does not know the client order id."""
    return Fill(
        trade_id=str(row["id"]),
        exchange_order_id=str(row["orderId"]),
        client_order_id=None,
        symbol=symbol,
        side=Side.BUY if row["isBuyer"] else Side.SELL,
        price=Decimal(row["price"]),
        quantity=Decimal(row["qty"]),
        cost=Decimal(row["quoteQty"]),
        fee=Decimal(row["commission"]),
        fee_asset=row["commissionAsset"],
        maker=row["isMaker"],
        at=milliseconds(row["time"]),
    )


# -- order lists -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ListHead:
    """What a list's own record tells; how its orders fare is told by the orders."""

    list_id: str
    client_order_id: str
    starts_with_entry: bool
    rejected: bool
    at: datetime
    order_ids: tuple[str, ...]
    raw: Row


def parse_list_head(data: Row) -> ListHead:
    """``orderList``, or the frame of an answer that carries a list."""
    order_ids = tuple(str(row["orderId"]) for row in data["orders"])
    if not order_ids:
        raise ValueError("a list without orders")
    return ListHead(
        list_id=f"{LIST_PREFIX}{data['orderListId']}",
        client_order_id=data["listClientOrderId"],
        starts_with_entry=data["contingencyType"] == "OTO",
        rejected=data["listOrderStatus"] == "REJECT",
        at=milliseconds(data["transactionTime"]),
        order_ids=order_ids,
        raw=data,
    )


def parse_list(data: Row, naming: Naming) -> OrderReport:
    """A list that was just placed or cancelled, its orders reported with it."""
    orders = [parse_order(row, naming) for row in data["orderReports"]]
    return assemble(parse_list_head(data), orders, naming(data["symbol"]))


def parse_canceled(data: Row, naming: Naming) -> OrderReport:
    """The answer to a cancellation: an order, or the whole list that it belonged to."""
    return parse_list(data, naming) if "orderReports" in data else parse_order(data, naming)


def assemble(head: ListHead, orders: Sequence[OrderReport], symbol: str) -> OrderReport:
    """A list as one order: an entry whose children are its exits, or a pair whose children are its legs.

    Right after placing, an exit is PENDING even when the entry filled at once; it is placed a moment later. Of a list
    that is cancelled when its entry has filled, only the exits are told: they are a pair by then.
    """
    entry = next((order for order in orders if order.trigger_price is None), None)
    if not head.starts_with_entry or entry is None:
        return _pair(head, orders, symbol)
    return replace(entry, children=tuple(order for order in orders if order is not entry), raw=head.raw)


def _pair(head: ListHead, legs: Sequence[OrderReport], symbol: str) -> OrderReport:
    """Two exits, of which at most one executes."""
    filled = sum((leg.filled_quantity or ZERO for leg in legs), ZERO)
    costs = [leg.cost for leg in legs if leg.cost is not None]
    cost = sum(costs, ZERO) if costs else None
    quantity = legs[0].quantity
    fills = tuple(fill for leg in legs for fill in leg.fills)
    return OrderReport(
        exchange_order_id=head.list_id,
        client_order_id=head.client_order_id,
        symbol=symbol,
        side=legs[0].side,
        type=None,
        status=OrderStatus.REJECTED if head.rejected else _furthest(leg.status for leg in legs),
        quantity=quantity,
        filled_quantity=filled,
        remaining=None if quantity is None else quantity - filled,
        average_price=cost / filled if cost and filled else None,
        cost=cost,
        fees=_fees(fills),
        created_at=head.at,
        updated_at=max((leg.updated_at for leg in legs if leg.updated_at), default=head.at),
        children=tuple(legs),
        fills=fills,
        raw=head.raw,
    )


#: What a pair is when a leg is: filled as soon as one leg is, open while one rests.
_FURTHEST_FIRST = (
    OrderStatus.FILLED,
    OrderStatus.PARTIALLY_FILLED,
    OrderStatus.OPEN,
    OrderStatus.PENDING,
    OrderStatus.CANCELED,
    OrderStatus.EXPIRED,
    OrderStatus.REJECTED,
)


def _furthest(statuses: Iterable[OrderStatus]) -> OrderStatus:
    return min(statuses, key=_FURTHEST_FIRST.index)
