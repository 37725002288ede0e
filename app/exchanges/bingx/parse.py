"""BingX's answers as our values: what stands under ``data``. Amounts are numbers or texts, as it happens; exact here.

Zero and an empty text stand for what is not set. An answer of another shape raises one of
`app.exchanges.rest.UNREADABLE`, which the caller turns into an error.
Source: https://bingx-api.github.io/docs-v3, and answers as other clients have recorded them, July 2026.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.domain.accounts import Balance, Position
from app.domain.markets import Candle, Level, Market, MarketKind, OrderBook, Ticker
from app.domain.orders import Fill, OrderReport, OrderStatus, OrderType, Side
from app.exchanges.bingx.wire import LIMIT, MARKET, PLAY_MONEY, STATUSES
from app.exchanges.rest import margin_balance, milliseconds

Row = Mapping[str, Any]

ZERO = Decimal(0)

#: Milliseconds have been more than this since 1973; some times of orders come in seconds.
_EARLIEST_MS = 10**11

_TYPES = {MARKET: OrderType.MARKET, LIMIT: OrderType.LIMIT}


def _amount(value: Any) -> Decimal:
    return Decimal(value) if value else ZERO


def _given(value: Any) -> Decimal | None:
    return _amount(value) or None


def _moment(row: Row, *names: str) -> datetime | None:
    """The first of these times that is told."""
    for name in names:
        if at := int(row.get(name) or 0):
            return milliseconds(at if at > _EARLIEST_MS else at * 1000)
    return None


# -- markets and prices ----------------------------------------------------------------------------------------


def parse_market(row: Row) -> Market:
    """One row of ``common/symbols``. Its bounds on quantities are obsolete; amounts in quote are held to the tick."""
    base, _, quote = row["symbol"].partition("-")
    tick = Decimal(row["tickSize"])
    return Market(
        symbol=f"{base}/{quote}",
        exchange_symbol=row["symbol"],
        base=base,
        quote=quote,
        kind=MarketKind.SPOT,
        active=str(row["status"]) == "1" and row["apiStateBuy"] and row["apiStateSell"],
        tick_size=tick,
        lot_size=Decimal(row["stepSize"]),
        min_notional=_given(row.get("minNotional")),
        quote_lot_size=tick,
    )


def parse_ticker(row: Row, symbol: str) -> Ticker:
    """One row of ``ticker/24hr``."""
    return Ticker(
        symbol=symbol,
        last=_given(row["lastPrice"]),
        bid=_given(row.get("bidPrice")),
        ask=_given(row.get("askPrice")),
        high=_given(row["highPrice"]),
        low=_given(row["lowPrice"]),
        base_volume=_amount(row["volume"]),
        quote_volume=_amount(row["quoteVolume"]),
        at=_moment(row, "closeTime"),
    )


def parse_order_book(data: Row, symbol: str, depth: int) -> OrderBook:
    """``market/depth``, whose offers come worst first."""
    bids = sorted(_levels(data["bids"]), key=lambda level: level.price, reverse=True)
    asks = sorted(_levels(data["asks"]), key=lambda level: level.price)
    return OrderBook(symbol, tuple(bids[:depth]), tuple(asks[:depth]), _moment(data, "ts"))


def _levels(rows: Iterable[Sequence[Any]]) -> list[Level]:
    return [Level(Decimal(price), Decimal(quantity)) for price, quantity in rows]


def parse_candles(rows: Iterable[Sequence[Any]]) -> list[Candle]:
    """``market/kline``, newest first, as it is not here."""
    found = [Candle(milliseconds(row[0]), *(Decimal(value) for value in row[1:6])) for row in rows]
    return sorted(found, key=lambda candle: candle.at)


# -- the account -----------------------------------------------------------------------------------------------


def parse_balances(data: Row) -> dict[str, Balance]:
    """``account/balance``: the assets of which there is any."""
    found = {}
    for row in data["balances"]:
        free, locked = _amount(row["free"]), _amount(row["locked"])
        if free + locked and row["asset"] != PLAY_MONEY:
            found[row["asset"]] = Balance(row["asset"], free, locked, free + locked)
    return found


def parse_futures_balances(rows: Iterable[Row]) -> dict[str, Balance]:
    """``user/balance`` of futures; an account that never had any is told as one row without an asset."""
    found = (
        margin_balance(row["asset"], equity=_amount(row["equity"]), available=_amount(row["availableMargin"]))
        for row in rows
        if row.get("asset") not in (None, "", PLAY_MONEY)
    )
    return {balance.asset: balance for balance in found if balance.total}


def parse_positions(rows: Iterable[Row] | None) -> list[Position]:
    """``user/positions``: the open ones."""
    return [parse_position(row) for row in rows or () if _amount(row["positionAmt"])]


def parse_position(row: Row) -> Position:
    """One position; a short one has a negative quantity here, and a side of its own there unless sides are netted."""
    size = _amount(row["positionAmt"])
    return Position(
        symbol=row["symbol"].replace("-", "/"),
        quantity=-abs(size) if row["positionSide"] == "SHORT" else size,
        entry_price=_given(row["avgPrice"]),
        mark_price=_given(row.get("markPrice")),
        unrealised_pnl=_amount(row["unrealizedProfit"]),
        liquidation_price=_given(row.get("liquidationPrice")),
        margin_asset=row.get("currency") or row["symbol"].rpartition("-")[2],
    )


# -- orders ----------------------------------------------------------------------------------------------------


def parse_order(row: Row, symbol: str) -> OrderReport:
    """An order, however it was asked for: placed, looked up, listed or cancelled.

    One that waits for a price does not say what it waits for: its type stays open, see `app.exchanges.presets.typed`.
    A market order sized in quote tells what it came to in base once it is filled.
    """
    side, type_ = Side(row["side"]), _TYPES.get(row["type"])
    filled, cost = _amount(row["executedQty"]), _amount(row["cummulativeQuoteQty"])
    trigger = _given(row.get("StopPrice")) or _given(row.get("stopPrice"))
    status = _status(row, trigger, filled)
    quantity = _given(row["origQty"])
    if quantity is None and status is OrderStatus.FILLED:
        quantity = filled
    return OrderReport(
        exchange_order_id=str(row["orderId"]),
        client_order_id=row.get("clientOrderID") or None,
        symbol=symbol,
        side=side,
        type=type_,
        status=status,
        quantity=quantity,
        filled_quantity=filled,
        remaining=None if quantity is None else quantity - filled,
        price=_given(row.get("price")) if row["type"].endswith(LIMIT) else None,
        average_price=cost / filled if filled else None,
        trigger_price=trigger,
        cost=cost,
        fees=_fees(row, side, symbol),
        created_at=_moment(row, "time", "transactTime"),
        updated_at=_moment(row, "updateTime", "transactTime"),
        raw=row,
    )


def _status(row: Row, trigger: Decimal | None, filled: Decimal) -> OrderStatus:
    """The state of an order. There is no word for one that ended by itself, but nobody cancels a market order.

    REJECTED is for orders that never rested: one that waited for a price and failed then has EXPIRED.
    """
    status = STATUSES[row["status"]]
    if status is OrderStatus.REJECTED:
        return OrderStatus.EXPIRED if trigger is not None or filled else status
    if status is OrderStatus.PENDING and trigger is not None:
        return OrderStatus.OPEN
    if status is OrderStatus.CANCELED and row["type"] == MARKET:
        return OrderStatus.EXPIRED
    return OrderStatus.PARTIALLY_FILLED if status is OrderStatus.OPEN and filled else status


def _fees(row: Row, side: Side, symbol: str) -> dict[str, Decimal]:
    """What was paid, whichever sign it is told with; an order that does not say in what paid with what it got."""
    fee, (base, _, quote) = abs(_amount(row.get("fee"))), symbol.partition("/")
    return {row.get("feeAsset") or (base if side is Side.BUY else quote): fee} if fee else {}


def parse_fill(row: Row, symbol: str) -> Fill:
    """One row of ``trade/myTrades``: a commission that was paid is negative."""
    return Fill(
        trade_id=str(row["id"]),
        exchange_order_id=str(row["orderId"]),
        client_order_id=None,
        symbol=symbol,
        side=Side.BUY if row["isBuyer"] else Side.SELL,
        price=Decimal(row["price"]),
        quantity=Decimal(row["qty"]),
        cost=Decimal(row["quoteQty"]),
        fee=-_amount(row["commission"]) or ZERO,
        fee_asset=row["commissionAsset"],
        maker=row["isMaker"],
        at=_moment(row, "time"),
    )
