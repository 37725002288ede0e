"""KuCoin's answers as our values: the ``data`` of an envelope, its amounts strings on the wire, exact Decimals here.

An answer of another shape raises one of `app.exchanges.rest.UNREADABLE`, which the caller turns into an error.
Source: https://www.kucoin.com/docs-new/rest/spot-trading, November 2025.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from app.domain.accounts import Balance, Grant, Permissions, Position
from app.domain.markets import Candle, Level, Market, MarketKind, OrderBook, Ticker
from app.domain.money import EXACT
from app.domain.orders import Fill, OrderReport, OrderRequest, OrderStatus, OrderType, Side
from app.exchanges.kucoin.wire import (
    AT_LIMIT,
    AT_MARKET,
    TRADING_ACCOUNTS,
)
from app.exchanges.rest import margin_balance, milliseconds, positive

Row = Mapping[str, Any]
#: Turns the exchange's symbol into ours.
Naming = Callable[[str], str]

ZERO = Decimal(0)

#: Grids, bounds and zeros are the same few texts in thousands of rows.
_shared = lru_cache(maxsize=4096)(Decimal)


#: No time in milliseconds is this large; those of orders and triggers come in nanoseconds from some calls.
_NANOSECONDS = 10**16


def moment(value: int) -> datetime:
    """A time in milliseconds, or in nanoseconds where KuCoin tells it so."""
    return milliseconds(value // 10**6 if value >= _NANOSECONDS else value)


# -- markets and prices ----------------------------------------------------------------------------------------


def parse_market(row: Row) -> Market:
    """One row of ``symbols``."""
    base, quote = row["baseCurrency"], row["quoteCurrency"]
    return Market(
        symbol=f"{base}/{quote}",
        exchange_symbol=row["symbol"],
        base=base,
        quote=quote,
        kind=MarketKind.SPOT,
        active=row["enableTrading"],
        tick_size=_shared(row["priceIncrement"]),
        lot_size=_shared(row["baseIncrement"]),
        min_quantity=_bound(row["baseMinSize"]),
        max_quantity=_bound(row["baseMaxSize"]),
        min_notional=_bound(row.get("minFunds") or row.get("quoteMinSize")),
        quote_lot_size=_shared(row["quoteIncrement"]),
    )


def _bound(text: str | None) -> Decimal | None:
    value = _shared(text) if text else ZERO
    return value if value else None


def parse_ticker(row: Row, symbol: str, at: int) -> Ticker:
    """``market/stats``, or one row of ``allTickers``, at a time in milliseconds."""
    return Ticker(
        symbol=symbol,
        last=positive(row["last"]),
        bid=positive(row.get("buy")),
        ask=positive(row.get("sell")),
        high=positive(row.get("high")),
        low=positive(row.get("low")),
        base_volume=_told(row.get("vol")),
        quote_volume=_told(row.get("volValue")),
        at=milliseconds(at),
    )


def _told(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def parse_order_book(data: Row, symbol: str, depth: int) -> OrderBook:
    """``orderbook/level2_…``."""
    bids, asks = _levels(data["bids"][:depth]), _levels(data["asks"][:depth])
    return OrderBook(symbol, bids, asks, milliseconds(data["time"]))


def _levels(rows: Iterable[tuple[str, str]]) -> tuple[Level, ...]:
    return tuple(Level(Decimal(price), Decimal(quantity)) for price, quantity in rows)


def parse_candle(row: list[str]) -> Candle:
    """One row of ``candles``: the close comes before the high and the low, the time is in seconds."""
    at, opened, closed, high, low, volume = row[:6]
    return Candle(
        datetime.fromtimestamp(int(at), UTC),
        Decimal(opened),
        Decimal(high),
        Decimal(low),
        Decimal(closed),
        Decimal(volume),
    )


# -- the account -----------------------------------------------------------------------------------------------


def parse_balances(rows: Iterable[Row]) -> dict[str, Balance]:
    """``accounts``: what can be traded, by asset; what lies in other accounts has to be transferred first."""
    found: dict[str, Balance] = {}
    for row in rows:
        total = _shared(row["balance"])
        if row["type"] in TRADING_ACCOUNTS and total:
            asset = row["currency"]
            _, free, locked, known = found.get(asset, Balance(asset, ZERO, ZERO, ZERO))
            found[asset] = Balance(
                asset,
                EXACT.add(free, Decimal(row["available"])),
                EXACT.add(locked, _shared(row["holds"])),
                EXACT.add(known, total),
            )
    return found


def parse_permissions(data: Row) -> tuple[Permissions, Grant]:
    """``user/api-key``: what the key may do (``"General,Spot"``), and whether it is bound to addresses."""
    granted = {word.strip().lower() for word in data["permission"].split(",")}
    permissions = Permissions(
        read=_grant("general" in granted),
        trade=_grant(bool(granted & {"spot", "trade"})),
        withdraw=_grant(bool(granted & {"withdrawal", "withdraw", "transfer"})),
    )
    return permissions, _grant(bool(data.get("ipWhitelist")))


def _grant(flag: bool) -> Grant:
    return Grant.YES if flag else Grant.NO


# -- orders ----------------------------------------------------------------------------------------------------


def parse_order(row: Row, naming: Naming) -> OrderReport:
    """One order of the hf family; its status and average price are not told but follow."""
    quantity, filled, cost = positive(row["size"]), Decimal(row["dealSize"]), Decimal(row["dealFunds"])
    fee = positive(row["fee"])
    return OrderReport(
        exchange_order_id=str(row["id"]),
        client_order_id=row["clientOid"],
        symbol=naming(row["symbol"]),
        side=Side(row["side"].upper()),
        type=_TYPES[row["type"]],
        status=_status(row["active"], quantity, filled, canceled=row["cancelExist"]),
        quantity=quantity,
        filled_quantity=filled,
        remaining=None if quantity is None else quantity - filled,
        price=positive(row["price"]),
        average_price=cost / filled if filled else None,
        cost=cost,
        fees={row["feeCurrency"]: fee} if fee else {},
        created_at=milliseconds(row["createdAt"]),
        updated_at=milliseconds(row["lastUpdatedAt"]),
        raw=row,
    )


_TYPES = {AT_MARKET: OrderType.MARKET, AT_LIMIT: OrderType.LIMIT}


def _status(active: bool, quantity: Decimal | None, filled: Decimal, *, canceled: bool) -> OrderStatus:
    """``cancelExist`` is true of an active order after a partial cancellation, and of a filled one sized in quote.

    Such an order stops short of its funds by what no lot is worth: it is filled when anything was.
    """
    if active:
        return OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.OPEN
    complete = filled and (not canceled or quantity is None or filled >= quantity)
    return OrderStatus.FILLED if complete else OrderStatus.CANCELED


def parse_placed(data: Row, request: OrderRequest) -> OrderReport:
    """The answer to an order: its id and, when the engine was waited for, whether it rests untouched.

    How much has executed stays None otherwise, for the rest of the answer is not enough to tell at what cost.
    """
    untouched = data.get("status") == "open" and not Decimal(data.get("dealSize", "NaN"))
    return OrderReport(
        exchange_order_id=str(data["orderId"]),
        client_order_id=request.client_order_id,
        symbol=request.symbol,
        side=request.side,
        type=request.type,
        status=OrderStatus.OPEN,
        quantity=request.quantity,
        filled_quantity=ZERO if untouched else None,
        remaining=request.quantity if untouched else None,
        price=request.price,
        trigger_price=request.trigger_price,
        created_at=moment(data["orderTime"]) if "orderTime" in data else None,
        raw=data,
    )


def parse_altered(data: Row, symbol: str) -> OrderReport:
    """The answer to a change: the id of the order that takes the place of the changed one."""
    return OrderReport(
        exchange_order_id=str(data["newOrderId"]),
        client_order_id=data.get("clientOid"),
        symbol=symbol,
        side=None,
        type=None,
        status=OrderStatus.OPEN,
        raw=data,
    )


def parse_canceled(data: Row, symbol: str, order_id: str | None, client_id: str | None) -> OrderReport:
    """The answer to a cancellation that was waited for: how much had executed by then."""
    quantity, filled = positive(data["originSize"]), Decimal(data["dealSize"])
    done = quantity is not None and filled >= quantity
    return OrderReport(
        exchange_order_id=data.get("orderId", order_id),
        client_order_id=data.get("clientOid", client_id),
        symbol=symbol,
        side=None,
        type=None,
        status=OrderStatus.FILLED if done else OrderStatus.CANCELED,
        quantity=quantity,
        filled_quantity=filled,
        remaining=None if quantity is None else quantity - filled,
        raw=data,
    )


def parse_fill(row: Row, symbol: str) -> Fill:
    """One row of ``hf/fills``; it does not know the client order id. The fee is in quote, on purchases too."""
    return Fill(
        trade_id=str(row["tradeId"]),
        exchange_order_id=str(row["orderId"]),
        client_order_id=None,
        symbol=symbol,
        side=Side(row["side"].upper()),
        price=Decimal(row["price"]),
        quantity=Decimal(row["size"]),
        cost=Decimal(row["funds"]),
        fee=Decimal(row["fee"]),
        fee_asset=row["feeCurrency"],
        maker=row["liquidity"] == "maker",
        at=milliseconds(row["createdAt"]),
    )


# -- futures ---------------------------------------------------------------------------------------------------

#: What futures call their coins where spot calls them otherwise.
FUTURES_ASSETS = {"XBT": "BTC"}


def parse_futures_balance(row: Row) -> dict[str, Balance]:
    """``account-overview``, whose amounts are JSON numbers: the one currency it is asked for, if there is any."""
    balance = margin_balance(
        row["currency"],
        equity=Decimal(row["accountEquity"]),
        available=Decimal(row["availableBalance"]),
    )
    return {balance.asset: balance} if balance.total else {}


def parse_positions(rows: Iterable[Row], contracts: Iterable[Row]) -> list[Position]:
    """``positions``, counted in contracts, by ``contracts/active``, which tells how much one contract is."""
    terms = {contract["symbol"]: contract for contract in contracts}
    return [parse_position(row, terms[row["symbol"]]) for row in rows]


def parse_position(row: Row, contract: Row) -> Position:
    """One position; a short one has negative contracts. Numbers are JSON numbers here."""
    base, margin = contract["baseCurrency"], row["settleCurrency"]
    return Position(
        symbol=f"{FUTURES_ASSETS.get(base, base)}/{margin}",
        quantity=Decimal(row["currentQty"]) * Decimal(contract["multiplier"]),
        entry_price=positive(row["avgEntryPrice"]),
        mark_price=positive(row.get("markPrice")),
        unrealised_pnl=Decimal(row["unrealisedPnl"]),
        liquidation_price=positive(row.get("liquidationPrice")),
        margin_asset=margin,
    )
