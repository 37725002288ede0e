"""Kraken's answers as our values. Amounts are strings on the wire (now and then numbers) and exact Decimals here.

An answer of another shape raises one of `app.exchanges.rest.UNREADABLE`, which the caller turns into an error.
Source: https://docs.kraken.com/api/docs/rest-api, July 2026.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from app.domain.accounts import Balance
from app.domain.markets import Candle, Level, Market, MarketKind, OrderBook, Ticker
from app.domain.money import EXACT
from app.domain.orders import Fill, OrderReport, OrderStatus, OrderType, Side
from app.exchanges.kraken.wire import (
    FEE_IN_BASE,
    IN_QUOTE,
    REJECTIONS,
    STATUSES,
    TYPES_HEARD,
    asset_name,
)
from app.exchanges.rest import positive

Row = Mapping[str, Any]
#: Turns any of the exchange's names of a market into ours.
Naming = Callable[[str], str]

ZERO = Decimal(0)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(seconds: Any) -> datetime:
    """A Unix time in seconds with a fraction as an aware UTC time, to the microsecond."""
    try:
        return _EPOCH + timedelta(microseconds=int(Decimal(seconds) * 1_000_000))
    except OverflowError:
        raise ValueError(f"{seconds} is no time") from None


# -- markets and prices ----------------------------------------------------------------------------------------


def parse_markets(data: Row) -> list[Market]:
    """``AssetPairs``: every market but further books of the same pair (dark pools and such), whose ids have a mark."""
    return [parse_market(pair, row) for pair, row in data["result"].items() if pair.isalnum()]


def parse_market(pair: str, row: Row) -> Market:
    """One pair. ``tick_size`` is what orders are checked against; older rows tell only the decimals of prices."""
    base, quote = asset_name(row["base"]), asset_name(row["quote"])
    return Market(
        symbol=f"{base}/{quote}",
        exchange_symbol=pair,
        base=base,
        quote=quote,
        kind=MarketKind.SPOT,
        active=row["status"] == "online",
        tick_size=positive(row.get("tick_size")) or _step(row["pair_decimals"]),
        lot_size=_step(row["lot_decimals"]),
        min_quantity=positive(row.get("ordermin")),
        min_notional=positive(row.get("costmin")),
        quote_lot_size=_step(row["cost_decimals"]),
    )


def _step(decimals: int) -> Decimal:
    return Decimal(1).scaleb(-decimals)


def only(data: Row) -> Any:
    """The single value of an answer that is keyed by market: not always by the name that was asked for."""
    [value] = [value for name, value in data["result"].items() if name != "last"]
    return value


def parse_ticker(row: Row, symbol: str) -> Ticker:
    """One row of ``Ticker``, which tells each figure for today and for 24 hours, and no time.

    The volume in quote is not told: it is the volume in base at the average price that it was traded at.
    """
    volume, average = Decimal(row["v"][1]), Decimal(row["p"][1])
    return Ticker(
        symbol=symbol,
        last=positive(row["c"][0]),
        bid=positive(row["b"][0]),
        ask=positive(row["a"][0]),
        high=positive(row["h"][1]),
        low=positive(row["l"][1]),
        base_volume=volume,
        quote_volume=EXACT.multiply(volume, average),
    )


def parse_tickers(data: Row, naming: Naming) -> dict[str, Ticker]:
    """``Ticker`` for several markets, by our symbol."""
    found = (parse_ticker(row, naming(name)) for name, row in data["result"].items())
    return {ticker.symbol: ticker for ticker in found}


def parse_order_book(data: Row, symbol: str, depth: int) -> OrderBook:
    """``Depth``; it tells a time for each level and none for the book."""
    book = only(data)
    return OrderBook(symbol, _levels(book["bids"][:depth]), _levels(book["asks"][:depth]))


def _levels(rows: Iterable[Sequence[Any]]) -> tuple[Level, ...]:
    return tuple(Level(Decimal(row[0]), Decimal(row[1])) for row in rows)


def parse_candle(row: Sequence[Any]) -> Candle:
    """One row of ``OHLC``; the volume comes after the average price."""
    at, opened, high, low, closed, _, volume = row[:7]
    return Candle(moment(at), Decimal(opened), Decimal(high), Decimal(low), Decimal(closed), Decimal(volume))


# -- the account -----------------------------------------------------------------------------------------------


def parse_balances(data: Row) -> dict[str, Balance]:
    """``BalanceEx``: the assets of which there is any. A credit line counts as far as it is not used."""
    found = {}
    for code, row in data["result"].items():
        held, locked = Decimal(row["balance"]), Decimal(row.get("hold_trade", 0))
        total = held + Decimal(row.get("credit", 0)) - Decimal(row.get("credit_used", 0))
        if total or locked:
            name = asset_name(code)
            found[name] = Balance(name, total - locked, locked, total)
    return found


# -- orders ----------------------------------------------------------------------------------------------------


def parse_orders(rows: Mapping[str, Row], naming: Naming) -> dict[str, OrderReport]:
    """Orders by their ids, as every question for orders is answered."""
    return {order_id: parse_order(order_id, row, naming) for order_id, row in rows.items()}


def parse_order(order_id: str, row: Row, naming: Naming) -> OrderReport:
    """An order as it is looked up. ``price`` is what it executed at; what it was asked at is in ``descr``.

    Of a market order sized in quote nobody tells whether ``vol_exec`` is in quote too: once it executed, only its
    fills tell how much (`with_fills`). ``cost`` comes cut off; price times quantity is the whole of it.
    """
    described, flags = row["descr"], _flags(row)
    symbol = naming(described["pair"])
    executed, average = Decimal(row["vol_exec"]), positive(row["price"])
    in_quote = IN_QUOTE in flags
    quantity = None if in_quote else positive(row["vol"])
    filled = None if in_quote and executed else executed
    type_ = TYPES_HEARD.get(described["ordertype"])
    first, second = _price(described["price"]), _price(described.get("price2"))
    fee = positive(row.get("fee"))
    return OrderReport(
        exchange_order_id=order_id,
        client_order_id=row.get("cl_ord_id"),
        symbol=symbol,
        side=Side(described["type"].upper()),
        type=type_,
        status=_status(row, executed),
        quantity=quantity,
        filled_quantity=filled,
        remaining=None if quantity is None or filled is None else quantity - filled,
        price=None if type_ is None else _limit(type_, first, second),
        average_price=average,
        trigger_price=first if type_ is not None and type_.has_trigger else None,
        trailing_percent=_distance(described["price"]) if type_ is OrderType.TRAILING_STOP else None,
        cost=EXACT.multiply(average, filled) if average and filled is not None else Decimal(row["cost"]),
        fees={_fee_asset(flags, symbol): fee} if fee else {},
        created_at=moment(row["opentm"]),
        updated_at=moment(row["closetm"]) if row.get("closetm") else None,
        raw=row,
    )


def _flags(row: Row) -> frozenset[str]:
    return frozenset((row.get("oflags") or "").split(","))


def _status(row: Row, executed: Decimal) -> OrderStatus:
    status = STATUSES[row["status"]]
    if status is OrderStatus.OPEN and executed:
        return OrderStatus.PARTIALLY_FILLED
    if status is OrderStatus.CANCELED and not executed and row.get("reason") in REJECTIONS:
        return OrderStatus.REJECTED
    return status


def _limit(type_: OrderType, first: Decimal | None, second: Decimal | None) -> Decimal | None:
    if not type_.has_price:
        return None
    return second if type_.has_trigger else first


def _price(text: Any) -> Decimal | None:
    """A price; None for a distance from the market (``+5.0%``), which trailing stops have and orders placed by hand."""
    return positive(text) if text is not None and str(text).replace(".", "", 1).isdigit() else None


def _distance(text: str) -> Decimal | None:
    """The percent of a distance such as ``+1.5000%``; None for one in quote, as orders placed by hand may have."""
    return Decimal(text[1:-1]) if text.startswith("+") and text.endswith("%") else None


def _fee_asset(flags: frozenset[str], symbol: str) -> str:
    base, _, quote = symbol.partition("/")
    return base if FEE_IN_BASE in flags else quote


def carries_exit(order: OrderReport) -> bool:
    """Whether Kraken places an exit with each execution of this order."""
    row: Row = order.raw
    return bool(row["descr"].get("close"))


def trade_ids(order: OrderReport) -> list[str]:
    """The executions that an order names, when it was asked for with its trades."""
    row: Row = order.raw
    return list(row.get("trades") or ())


def parse_fills(rows: Mapping[str, Row], naming: Naming) -> dict[str, Fill]:
    """Trades by their ids."""
    return {trade_id: parse_fill(trade_id, row, naming) for trade_id, row in rows.items()}


def parse_fill(trade_id: str, row: Row, naming: Naming) -> Fill:
    """One trade. Its fee is told without the asset: only the order knows that (`with_order`)."""
    return Fill(
        trade_id=trade_id,
        exchange_order_id=row["ordertxid"],
        client_order_id=None,
        symbol=naming(row["pair"]),
        side=Side(row["type"].upper()),
        price=Decimal(row["price"]),
        quantity=Decimal(row["vol"]),
        cost=Decimal(row["cost"]),
        fee=Decimal(row["fee"]),
        fee_asset=None,
        maker=row.get("maker"),
        at=moment(row["time"]),
    )


def with_order(fill: Fill, order: OrderReport | None) -> Fill:
    """The fill with what its order knows of it: our id, and the asset in which the fee was taken."""
    if order is None:
        return fill
    return replace(
        fill, client_order_id=order.client_order_id, fee_asset=_fee_asset(_flags(order.raw), fill.symbol)
    )


def with_fills(report: OrderReport, fills: Sequence[Fill]) -> OrderReport:
    """The report of an order that its executions complete: what it bought or sold, and for how much."""
    if not fills:
        return report
    filled = sum((fill.quantity for fill in fills), ZERO)
    cost = sum((fill.cost for fill in fills), ZERO)
    fees: defaultdict[str, Decimal] = defaultdict(Decimal)
    for fill in fills:
        if fill.fee and fill.fee_asset:
            fees[fill.fee_asset] += fill.fee
    return replace(
        report,
        filled_quantity=filled,
        remaining=None if report.quantity is None else report.quantity - filled,
        average_price=cost / filled,
        cost=cost,
        fees=dict(fees),
        fills=tuple(fills),
    )
