"""Bybit's answers as our values: what stands under ``result``. Every amount is a string there, an exact Decimal here.

Zero, an empty text and null all stand for what is not set. An answer of another shape raises one of
`app.exchanges.rest.UNREADABLE`, which the caller turns into an error.
Source: https://bybit-exchange.github.io/docs/v5, July 2026.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from app.domain.accounts import Balance, Grant, Permissions, Position
from app.domain.markets import Candle, Level, Market, MarketKind, OrderBook, Ticker
from app.domain.orders import Fill, OrderReport, OrderStatus, OrderType, Side
from app.exchanges.bybit.wire import (
    BASE_UNIT,
    FILTERS,
    NOT_AT_ONCE,
    PAIRED,
    QUOTE_UNIT,
    STATUSES,
    TPSL,
    WOULD_TAKE,
)
from app.exchanges.presets import typed
from app.exchanges.rest import margin_balance, milliseconds, positive

Row = Mapping[str, Any]

ZERO = Decimal(0)

#: A market order sized in quote ends cancelled when less is left than one lot costs; so much of it counts as nothing.
DUST = Decimal("0.01")

#: Grids and zeros are the same few texts in thousands of rows.
_shared = lru_cache(maxsize=4096)(Decimal)


def _amount(value: str | None) -> Decimal:
    return _shared(value) if value else ZERO


# -- markets and prices ----------------------------------------------------------------------------------------


def parse_market(row: Row) -> Market:
    """One row of ``instruments-info``. Precisions are steps; the bounds on the quantity in base are obsolete."""
    base, quote, lot = row["baseCoin"], row["quoteCoin"], row["lotSizeFilter"]
    return Market(
        symbol=f"{base}/{quote}",
        exchange_symbol=row["symbol"],
        base=base,
        quote=quote,
        kind=MarketKind.SPOT,
        active=row["status"] == "Trading",
        tick_size=_shared(row["priceFilter"]["tickSize"]),
        lot_size=_shared(lot["basePrecision"]),
        min_notional=positive(lot.get("minOrderAmt")),
        max_quantity=positive(lot.get("maxLimitOrderQty")),
        max_market_quantity=positive(lot.get("maxMarketOrderQty")),
        quote_lot_size=_shared(lot["quotePrecision"]),
    )


def parse_ticker(row: Row, symbol: str, at: datetime) -> Ticker:
    """One row of ``tickers``; the time is that of the whole answer."""
    return Ticker(
        symbol=symbol,
        last=positive(row["lastPrice"]),
        bid=positive(row["bid1Price"]),
        ask=positive(row["ask1Price"]),
        high=positive(row["highPrice24h"]),
        low=positive(row["lowPrice24h"]),
        base_volume=Decimal(row["volume24h"]),
        quote_volume=Decimal(row["turnover24h"]),
        at=at,
    )


def parse_order_book(data: Row, symbol: str) -> OrderBook:
    """``orderbook``."""
    return OrderBook(symbol, _levels(data["b"]), _levels(data["a"]), milliseconds(data["ts"]))


def _levels(rows: Iterable[Sequence[str]]) -> tuple[Level, ...]:
    return tuple(Level(Decimal(price), Decimal(quantity)) for price, quantity in rows)


def parse_candle(row: Sequence[str]) -> Candle:
    """One row of ``kline``."""
    at, opened, high, low, closed, volume = row[:6]
    return Candle(
        milliseconds(at), Decimal(opened), Decimal(high), Decimal(low), Decimal(closed), Decimal(volume)
    )


# -- the account -----------------------------------------------------------------------------------------------


def parse_balances(data: Row) -> dict[str, Balance]:
    """``wallet-balance`` without what futures tie up, which `parse_futures_balances` tells: nothing is told twice."""
    found = {}
    for row in _coins(data):
        total, locked = Decimal(row["walletBalance"]) - _margin(row), _amount(row["locked"])
        locked += _amount(row.get("bonus"))
        if total:
            found[row["coin"]] = Balance(row["coin"], total - locked, locked, total)
    return found


def parse_futures_balances(data: Row) -> dict[str, Balance]:
    """``wallet-balance``: what positions and orders of futures tie up of each coin, open profit and loss included."""
    found = (
        margin_balance(row["coin"], equity=_margin(row) + _amount(row.get("unrealisedPnl")), available=ZERO)
        for row in _coins(data)
    )
    return {balance.asset: balance for balance in found if balance.total}


def _coins(data: Row) -> list[Row]:
    return [row for account in data["list"] for row in account["coin"]]


def _margin(row: Row) -> Decimal:
    return _amount(row.get("totalOrderIM")) + _amount(row.get("totalPositionIM"))


def parse_permissions(data: Row) -> tuple[Permissions, Grant]:
    """``query-api``: what the key may do, and whether it is bound to addresses."""
    granted = data["permissions"]
    permissions = Permissions(
        read=Grant.YES,
        trade=Grant.YES if not data["readOnly"] and granted.get("Spot") else Grant.NO,
        withdraw=Grant.YES if "Withdraw" in granted.get("Wallet", ()) else Grant.NO,
    )
    bound = bool(data["ips"]) and data["ips"] != ["*"]
    return permissions, Grant.YES if bound else Grant.NO


def parse_position(row: Row) -> Position:
    """One row of ``position/list``; a short one has a negative quantity."""
    size, base = Decimal(row["size"]), row["symbol"].removesuffix("USDT")
    return Position(
        symbol=f"{base}/USDT" if base != row["symbol"] else base,
        quantity={"Buy": size, "Sell": -size}[row["side"]],
        entry_price=positive(row["avgPrice"]),
        mark_price=positive(row.get("markPrice")),
        unrealised_pnl=_amount(row.get("unrealisedPnl")),
        liquidation_price=positive(row.get("liqPrice")),
        margin_asset="USDT",
    )


def parse_positions(data: Row) -> list[Position]:
    """``position/list``: the open ones."""
    return [parse_position(row) for row in data["list"] if _amount(row["size"])]


# -- orders ----------------------------------------------------------------------------------------------------


def filter_of(row: Row) -> str:
    """Which kind of order a record is of, as its cancellation has to say."""
    return FILTERS.get(row.get("stopOrderType") or "", TPSL)


def filter_of_all(row: Row) -> str:
    """The same where all are cancelled, which tells pairs of exits apart from single ones."""
    kind = row.get("stopOrderType")
    return kind if kind in PAIRED else filter_of(row)


def parse_order(row: Row, symbol: str) -> OrderReport:
    """An order of any kind. ``qty`` is in quote where a market order was sized so; what is executed is always in base.

    An order that waits for a price stops or takes profit by which side of the market its trigger lay on.
    """
    side, at_limit = Side(row["side"].upper()), row["orderType"] == "Limit"
    filled, cost = _amount(row["cumExecQty"]), _amount(row["cumExecValue"])
    trigger, status = positive(row.get("triggerPrice")), _status(row)
    quantity = _quantity(row, status, filled)
    order = OrderReport(
        exchange_order_id=row["orderId"],
        client_order_id=row.get("orderLinkId") or None,
        symbol=symbol,
        side=side,
        type=None if trigger is not None else OrderType.LIMIT if at_limit else OrderType.MARKET,
        status=status,
        quantity=quantity,
        filled_quantity=filled,
        remaining=None if quantity is None else quantity - filled,
        price=positive(row.get("price")) if at_limit else None,
        average_price=cost / filled if filled else None,
        trigger_price=trigger,
        cost=cost,
        fees={asset: Decimal(fee) for asset, fee in (row.get("cumFeeDetail") or {}).items() if _amount(fee)},
        created_at=milliseconds(row["createdTime"]),
        updated_at=milliseconds(row["updatedTime"]),
        raw=row,
    )
    return typed(order, positive(row.get("basePrice")))


def in_quote(row: Row) -> bool:
    """Whether an order was sized in quote, as market orders can be; where the record is silent, buys were."""
    unit = row.get("marketUnit") or (QUOTE_UNIT if row["side"] == "Buy" else BASE_UNIT)
    return row["orderType"] == "Market" and unit == QUOTE_UNIT


def _status(row: Row) -> OrderStatus:
    """The state of an order, with why it ended where that makes a difference.

    REJECTED is for orders that never rested: one that waited for a price and failed then has EXPIRED. Nobody cancels
    a market order: what is left of one has expired.
    """
    status, reason, filled = STATUSES[row["orderStatus"]], row.get("rejectReason"), _amount(row["cumExecQty"])
    if status is OrderStatus.OPEN and filled:
        return OrderStatus.PARTIALLY_FILLED
    if status is OrderStatus.REJECTED:
        waited = positive(row.get("triggerPrice")) is not None
        return OrderStatus.EXPIRED if waited or filled else OrderStatus.REJECTED
    if status is not OrderStatus.CANCELED:
        return status
    if reason == WOULD_TAKE and not filled:
        return OrderStatus.REJECTED
    if filled and row["orderType"] == "Market":
        return OrderStatus.FILLED if _spent(row) else OrderStatus.EXPIRED
    return OrderStatus.EXPIRED if reason in NOT_AT_ONCE else status


def _spent(row: Row) -> bool:
    """Whether a market order sized in quote came to what was asked for, but for dust."""
    wanted = Decimal(row["qty"])
    return in_quote(row) and wanted - _amount(row["cumExecValue"]) <= DUST * wanted


def _quantity(row: Row, status: OrderStatus, filled: Decimal) -> Decimal | None:
    """The size in base; of a market order sized in quote only what it came to once it is filled."""
    if not in_quote(row):
        return Decimal(row["qty"])
    return filled if status is OrderStatus.FILLED else None


def parse_fill(row: Row, symbol: str) -> Fill:
    """One row of ``execution/list``."""
    side = Side(row["side"].upper())
    base, _, quote = symbol.partition("/")
    price, quantity = Decimal(row["execPrice"]), Decimal(row["execQty"])
    return Fill(
        trade_id=row["execId"],
        exchange_order_id=row["orderId"],
        client_order_id=row.get("orderLinkId") or None,
        symbol=symbol,
        side=side,
        price=price,
        quantity=quantity,
        cost=Decimal(row["execValue"]) if row.get("execValue") else price * quantity,
        fee=_amount(row["execFee"]),
        fee_asset=row.get("feeCurrency") or row.get("feeCoin") or (base if side is Side.BUY else quote),
        maker=row["isMaker"],
        at=milliseconds(row["execTime"]),
    )
