"""Gate.io's answers as our values. There is no envelope; most amounts are strings, and times come in several units.

An answer of another shape raises one of `app.exchanges.rest.UNREADABLE`, which the caller turns into an error.
Source: https://www.gate.com/docs/developers/apiv4, June 2026.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from app.domain.accounts import Balance, Position
from app.domain.markets import Candle, Level, Market, MarketKind, OrderBook, Ticker
from app.domain.orders import Fill, OrderReport, OrderStatus, OrderType, Side
from app.exchanges.gateio.orders import WAITING
from app.exchanges.gateio.wire import BELOW, NOT_AT_ONCE, TEXT_PREFIX, TRIGGER_STATUSES, WOULD_TAKE
from app.exchanges.rest import margin_balance, milliseconds, positive

Row = Mapping[str, Any]

ZERO = Decimal(0)

#: What marks the id of a trigger, which is looked up and cancelled elsewhere than the order it becomes.
TRIGGER_PREFIX = "trigger-"

#: A market buy ends with a little of its amount left, less than one lot costs; so much of it counts as nothing.
DUST = Decimal("0.01")

_shared = lru_cache(maxsize=4096)(Decimal)


def _amount(value: Any) -> Decimal:
    return _shared(str(value)) if value else ZERO


def seconds(value: Any) -> datetime:
    """A Unix time in seconds, whole or not."""
    return milliseconds(Decimal(str(value)) * 1000)


# -- markets and prices ----------------------------------------------------------------------------------------


def parse_market(row: Row) -> Market:
    """One row of ``currency_pairs``. Precisions are numbers of decimals; amounts in quote have those of the price."""
    base, quote = row["base"], row["quote"]
    tick = _shared(f"1E-{int(row['precision'])}")
    return Market(
        symbol=f"{base}/{quote}",
        exchange_symbol=row["id"],
        base=base,
        quote=quote,
        kind=MarketKind.SPOT,
        active=row["trade_status"] == "tradable",
        tick_size=tick,
        lot_size=_shared(f"1E-{int(row['amount_precision'])}"),
        min_quantity=positive(row.get("min_base_amount")),
        max_quantity=positive(row.get("max_base_amount")),
        min_notional=positive(row.get("min_quote_amount")),
        max_market_quantity=positive(row.get("market_order_max_stock")),
        quote_lot_size=tick,
    )


def parse_ticker(row: Row, symbol: str) -> Ticker:
    """One row of ``tickers``, which tells no time."""
    return Ticker(
        symbol=symbol,
        last=positive(row["last"]),
        bid=positive(row["highest_bid"]),
        ask=positive(row["lowest_ask"]),
        high=positive(row["high_24h"]),
        low=positive(row["low_24h"]),
        base_volume=Decimal(row["base_volume"]),
        quote_volume=Decimal(row["quote_volume"]),
        at=None,
    )


def parse_order_book(data: Row, symbol: str, depth: int) -> OrderBook:
    """``order_book``."""
    return OrderBook(
        symbol, _levels(data["bids"][:depth]), _levels(data["asks"][:depth]), milliseconds(data["current"])
    )


def _levels(rows: Iterable[Sequence[str]]) -> tuple[Level, ...]:
    return tuple(Level(Decimal(price), Decimal(quantity)) for price, quantity in rows)


def parse_candle(row: Sequence[str]) -> Candle:
    """One row of ``candlesticks``: time, volume in quote, close, high, low, open, volume in base."""
    at, _, closed, high, low, opened, volume = row[:7]
    return Candle(seconds(at), Decimal(opened), Decimal(high), Decimal(low), Decimal(closed), Decimal(volume))


# -- the account -----------------------------------------------------------------------------------------------


def parse_balances(rows: Iterable[Row]) -> dict[str, Balance]:
    """``spot/accounts``."""
    found = {}
    for row in rows:
        asset, free, locked = row["currency"], Decimal(row["available"]), _amount(row["locked"])
        if free or locked:
            found[asset] = Balance(asset, free, locked, free + locked)
    return found


def parse_futures_balances(data: Row) -> dict[str, Balance]:
    """``futures/usdt/accounts``: one margin coin; its total is told without open profit and loss."""
    balance = margin_balance(
        data["currency"],
        equity=Decimal(data["total"]) + Decimal(data["unrealised_pnl"]),
        available=Decimal(data["available"]),
    )
    return {balance.asset: balance} if balance.total else {}


def parse_position(row: Row) -> Position:
    """One row of ``positions``, its quantity still in contracts; negative when short."""
    base, _, quote = row["contract"].partition("_")
    return Position(
        symbol=f"{base}/{quote}",
        quantity=Decimal(str(row["size"])),
        entry_price=positive(row["entry_price"]),
        mark_price=positive(row.get("mark_price")),
        unrealised_pnl=Decimal(row["unrealised_pnl"]),
        liquidation_price=positive(row.get("liq_price")),
        margin_asset=quote,
    )


# -- orders ----------------------------------------------------------------------------------------------------


def parse_order(row: Row, symbol: str) -> OrderReport:
    """A spot order. ``amount`` and ``left`` of a market buy are in quote; ``fill_price`` is a sum, no price."""
    side, type_ = Side(row["side"].upper()), OrderType(row["type"].upper())
    filled, cost = _amount(row["filled_amount"]), _amount(row["filled_total"])
    status = _status(row, filled)
    quantity = _quantity(row, status, filled)
    return OrderReport(
        exchange_order_id=row["id"],
        client_order_id=client_id_of(row.get("text")),
        symbol=symbol,
        side=side,
        type=type_,
        status=status,
        quantity=quantity,
        filled_quantity=filled,
        remaining=None if quantity is None else quantity - filled,
        price=positive(row.get("price")) if type_ is OrderType.LIMIT else None,
        average_price=cost / filled if filled else None,
        cost=cost,
        fees=_fees(row),
        created_at=milliseconds(Decimal(str(row["create_time_ms"]))),
        updated_at=milliseconds(Decimal(str(row["update_time_ms"]))),
        raw=row,
    )


def client_id_of(text: str | None) -> str | None:
    """The client id behind a name that a customer gave; other names say where an order came from."""
    return text.removeprefix(TEXT_PREFIX) if text and text.startswith(TEXT_PREFIX) else None


def _in_quote(row: Row) -> bool:
    return bool(row["type"] == "market" and row["side"] == "buy")


def _status(row: Row, filled: Decimal) -> OrderStatus:
    """The state of an order: once it has ended, what is left tells how, for ``closed`` does not mean filled."""
    if row["status"] == "open":
        return OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.OPEN
    if row["status"] not in ("closed", "cancelled"):
        raise ValueError(f"an order is {row['status']!r}")
    left, why = Decimal(row["left"]), row.get("finish_as")
    if filled and left <= (DUST * Decimal(row["amount"]) if _in_quote(row) else ZERO):
        return OrderStatus.FILLED
    if why == WOULD_TAKE and not filled:
        return OrderStatus.REJECTED
    return OrderStatus.EXPIRED if why in NOT_AT_ONCE else OrderStatus.CANCELED


def _quantity(row: Row, status: OrderStatus, filled: Decimal) -> Decimal | None:
    """The size in base; of a market buy only what it came to once it is filled."""
    if not _in_quote(row):
        return Decimal(row["amount"])
    return filled if status is OrderStatus.FILLED else None


def _fees(row: Row) -> dict[str, Decimal]:
    """In the coin received, or in Gate.io's own token or its points."""
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for asset, fee in ((row["fee_currency"], "fee"), ("GT", "gt_fee"), ("POINT", "point_fee")):
        found[asset] += _amount(row.get(fee))
    return {asset: fee for asset, fee in found.items() if fee}


def parse_trigger(row: Row, symbol: str) -> OrderReport:
    """A trigger: one that fires at once or not at all stands for an order at the market. It has no name."""
    put, trigger = row["put"], row["trigger"]
    side, at_limit = Side(put["side"].upper()), put["time_in_force"] != "ioc"
    quantity, created = Decimal(put["amount"]), seconds(row["ctime"])
    return OrderReport(
        exchange_order_id=f"{TRIGGER_PREFIX}{row['id']}",
        client_order_id=None,
        symbol=symbol,
        side=side,
        type=WAITING[trigger["rule"] == BELOW, side, at_limit],
        status=TRIGGER_STATUSES[row["status"]],
        quantity=quantity,
        filled_quantity=ZERO,
        remaining=quantity,
        price=Decimal(put["price"]) if at_limit else None,
        trigger_price=Decimal(trigger["price"]),
        cost=ZERO,
        created_at=created,
        updated_at=seconds(row["ftime"]) if row.get("ftime") else created,
        raw=row,
    )


def parse_fill(row: Row, symbol: str) -> Fill:
    """One row of ``my_trades``."""
    price, quantity = Decimal(row["price"]), Decimal(row["amount"])
    fees = _fees(row)
    asset = next(iter(fees), row["fee_currency"])
    return Fill(
        trade_id=row["id"],
        exchange_order_id=row["order_id"],
        client_order_id=client_id_of(row.get("text")),
        symbol=symbol,
        side=Side(row["side"].upper()),
        price=price,
        quantity=quantity,
        cost=price * quantity,
        fee=fees.get(asset, ZERO),
        fee_asset=asset,
        maker=row["role"] == "maker",
        at=milliseconds(Decimal(row["create_time_ms"])),
    )
