"""Coinbase's answers as our values. Every amount is a string there, an exact Decimal here; times are in RFC 3339.

An answer of another shape raises one of `app.exchanges.rest.UNREADABLE`, which the caller turns into an error.
Source: https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api, June 2026.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from app.domain.accounts import Balance, Grant, Permissions
from app.domain.markets import Candle, Level, Market, MarketKind, OrderBook, Ticker
from app.domain.money import EXACT
from app.domain.orders import Fill, Leg, OrderReport, OrderStatus, OrderType, Side
from app.exchanges.coinbase import wire
from app.exchanges.coinbase.orders import limit_of
from app.exchanges.rest import positive

Row = Mapping[str, Any]

ZERO = Decimal(0)
_EPOCH = datetime.fromtimestamp(0, UTC)

#: The legs of a bracket, which is one order at Coinbase, are known by its id and what they are for.
STOP_PREFIX, TARGET_PREFIX = "sl-", "tp-"
#: Before an id of its own, so are those of a bracket that has none yet, by the id of its entry.
UNBORN_PREFIX = "of-"
STOP_SUFFIX, TARGET_SUFFIX = "-sl", "-tp"

_shared = lru_cache(maxsize=4096)(Decimal)

_CLOSED = ("is_disabled", "trading_disabled", "view_only", "cancel_only")


# -- markets and prices ----------------------------------------------------------------------------------------


def parse_market(row: Row) -> Market:
    """One row of ``products``. The tick is ``price_increment``; ``quote_increment`` is the grid of sizes in quote."""
    base, quote = row["base_currency_id"], row["quote_currency_id"]
    return Market(
        symbol=f"{base}/{quote}",
        exchange_symbol=row["product_id"],
        base=base,
        quote=quote,
        kind=MarketKind.SPOT,
        active=row["status"] == "online" and not any(row.get(name) for name in _CLOSED),
        tick_size=_shared(row.get("price_increment") or row["quote_increment"]),
        lot_size=_shared(row["base_increment"]),
        min_quantity=positive(row["base_min_size"]),
        max_quantity=positive(row["base_max_size"]),
        min_notional=positive(row["quote_min_size"]),
        quote_lot_size=_shared(row["quote_increment"]),
    )


def parse_product_ticker(row: Row, at: datetime) -> Ticker:
    """One row of ``products`` as prices: no bid, no ask, and no time but that of asking."""
    return Ticker(
        symbol=ours(row["product_id"]),
        last=positive(row["price"]),
        base_volume=_amount(row.get("volume_24h")),
        quote_volume=_amount(row.get("approximate_quote_24h_volume")),
        at=at,
    )


def parse_ticker(data: Row, symbol: str) -> Ticker:
    """``products/{id}/ticker``: the last trade and the best of the book."""
    trade = next(iter(data["trades"]), None)
    return Ticker(
        symbol=symbol,
        last=None if trade is None else positive(trade["price"]),
        bid=positive(data["best_bid"]),
        ask=positive(data["best_ask"]),
        at=None if trade is None else moment(trade["time"]),
    )


def parse_order_book(data: Row, symbol: str) -> OrderBook:
    """``product_book``."""
    book = data["pricebook"]
    return OrderBook(symbol, _levels(book["bids"]), _levels(book["asks"]), moment(book["time"]))


def _levels(rows: Iterable[Row]) -> tuple[Level, ...]:
    return tuple(Level(Decimal(row["price"]), Decimal(row["size"])) for row in rows)


def parse_candle(row: Row) -> Candle:
    """One row of ``candles``."""
    values = (Decimal(row[name]) for name in ("open", "high", "low", "close", "volume"))
    return Candle(_EPOCH + timedelta(seconds=int(row["start"])), *values)


# -- the account -----------------------------------------------------------------------------------------------


def parse_wallet(row: Row) -> Balance:
    """One row of ``accounts``: a wallet, empty and closed ones included."""
    free, locked = Decimal(row["available_balance"]["value"]), Decimal(row["hold"]["value"])
    return Balance(row["currency"], free, locked, free + locked)


def summed(wallets: Iterable[Balance]) -> dict[str, Balance]:
    """What there is of each asset, in however many wallets."""
    found: dict[str, Balance] = {}
    for wallet in wallets:
        if wallet.total or wallet.free:
            before = found.get(wallet.asset, Balance(wallet.asset, ZERO, ZERO, ZERO))
            sums = (mine + more for mine, more in zip(before[1:], wallet[1:], strict=True))
            found[wallet.asset] = Balance(wallet.asset, *sums)
    return found


def parse_permissions(data: Row) -> tuple[Permissions, Grant]:
    """``key_permissions``: what the key may do; whether it is bound to addresses is not told."""
    view, trade, transfer = (
        Grant.YES if data[name] else Grant.NO for name in ("can_view", "can_trade", "can_transfer")
    )
    return Permissions(read=view, trade=trade, withdraw=transfer), Grant.UNKNOWN


# -- orders ----------------------------------------------------------------------------------------------------


def parse_order(row: Row, market: Market | None) -> OrderReport:
    """An order; a bracket with its two legs as children. ``market`` tells a limit of ours from one of a person's."""
    [(kind, terms)] = row["order_configuration"].items()
    symbol, side = ours(row["product_id"]), Side(row["side"])
    filled, price = Decimal(row["filled_size"] or 0), positive(terms.get("limit_price"))
    quantity = positive(terms.get("base_size"))
    status = _status(row, filled, waits=kind in (wire.STOP_LIMIT, wire.BRACKET))
    if quantity is None and status is OrderStatus.FILLED:
        quantity = filled
    fees = Decimal(row["total_fees"] or 0)
    order = OrderReport(
        exchange_order_id=row["order_id"],
        client_order_id=row["client_order_id"] or None,
        symbol=symbol,
        side=side,
        type=OrderType.MARKET if kind == wire.MARKET else OrderType.LIMIT,
        status=status,
        quantity=quantity,
        filled_quantity=filled,
        remaining=None if quantity is None else quantity - filled,
        price=price,
        average_price=positive(row["average_filled_price"]),
        cost=Decimal(row["filled_value"] or 0),
        fees={symbol.partition("/")[2]: fees} if fees else {},
        created_at=moment(row["created_time"]),
        updated_at=moment(row.get("last_fill_time") or row["created_time"]),
        raw=row,
    )
    if kind == wire.STOP_LIMIT:
        return _waiting(order, terms, market)
    return _bracket(order, terms) if kind == wire.BRACKET else order


def _status(row: Row, filled: Decimal, *, waits: bool) -> OrderStatus:
    """One that waited for a price and could not be executed had rested: REJECTED is for orders that never did."""
    status = wire.STATUSES[row["status"]]
    if status is OrderStatus.OPEN and filled:
        return OrderStatus.PARTIALLY_FILLED
    return OrderStatus.EXPIRED if status is OrderStatus.REJECTED and waits else status


def _waiting(order: OrderReport, terms: Row, market: Market | None) -> OrderReport:
    side = order.side or Side.SELL
    trigger, stops = (
        Decimal(terms["stop_price"]),
        (terms["stop_direction"] == wire.DOWN) is (side is Side.SELL),
    )
    at_market = market is not None and order.price == limit_of(Leg(trigger), side, market)
    types = (
        (OrderType.STOP_LIMIT, OrderType.STOP_LOSS)
        if stops
        else (OrderType.TAKE_PROFIT_LIMIT, OrderType.TAKE_PROFIT)
    )
    return replace(
        order,
        type=types[at_market],
        price=None if at_market else order.price,
        trigger_price=trigger,
    )


def _bracket(order: OrderReport, terms: Row) -> OrderReport:
    """Which leg has executed is told by whether the stop has triggered; the other is out of it then."""
    raw: Row = order.raw
    stopped = raw.get("trigger_status") == "STOP_TRIGGERED"
    client_id = order.client_order_id
    stop = replace(
        order,
        exchange_order_id=STOP_PREFIX + (order.exchange_order_id or ""),
        client_order_id=client_id and client_id + STOP_SUFFIX,
        type=OrderType.STOP_LOSS,
        price=None,
        trigger_price=Decimal(terms["stop_trigger_price"]),
    )
    target = replace(
        order,
        exchange_order_id=TARGET_PREFIX + (order.exchange_order_id or ""),
        client_order_id=client_id and client_id + TARGET_SUFFIX,
        type=OrderType.TAKE_PROFIT,
        price=None,
        trigger_price=order.price,
    )
    if stopped:
        target = _untouched(target)
    elif order.filled_quantity or order.status.is_final:
        stop = _untouched(stop)
    return replace(order, type=None, price=None, children=(stop, target))


def _untouched(leg: OrderReport) -> OrderReport:
    """The leg that has executed nothing; it ends when the other begins."""
    ended = (
        leg.status if leg.status.is_final and leg.status is not OrderStatus.FILLED else OrderStatus.CANCELED
    )
    return replace(
        leg,
        status=ended,
        filled_quantity=ZERO,
        remaining=leg.quantity,
        average_price=None,
        cost=ZERO,
        fees={},
    )


def exits_of(bracket: OrderReport, entry: OrderReport) -> tuple[OrderReport, ...]:
    """The legs of the bracket that an entry carries, named after the entry: Coinbase gives them an id of its own."""
    name = entry.client_order_id
    return tuple(
        replace(leg, client_order_id=name and name + suffix)
        for leg, suffix in zip(bracket.children, (STOP_SUFFIX, TARGET_SUFFIX), strict=True)
    )


def unborn(entry: OrderReport) -> tuple[OrderReport, ...]:
    """The legs of a bracket that has no id yet, from the record of its entry; none when it carries none."""
    raw: Row = entry.raw
    terms = (raw.get("attached_order_configuration") or {}).get(wire.BRACKET)
    if not terms:
        return ()
    waits = not entry.status.is_final or entry.status is OrderStatus.FILLED
    bracket = replace(
        entry,
        side=entry.side and entry.side.opposite,
        price=Decimal(terms["limit_price"]),
        status=OrderStatus.PENDING if waits else OrderStatus.CANCELED,
        exchange_order_id=UNBORN_PREFIX + (entry.exchange_order_id or ""),
        filled_quantity=ZERO,
        average_price=None,
        cost=ZERO,
        fees={},
        raw={},
    )
    return exits_of(_bracket(bracket, terms), entry)


def parse_fill(row: Row) -> Fill:
    """One row of ``fills``; its size may be in quote."""
    price, size = Decimal(row["price"]), Decimal(row["size"])
    quantity = size / price if row.get("size_in_quote") else size
    symbol = ours(row["product_id"])
    return Fill(
        trade_id=row["trade_id"],
        exchange_order_id=row["order_id"],
        client_order_id=None,
        symbol=symbol,
        side=Side(row["side"]),
        price=price,
        quantity=quantity,
        cost=size if row.get("size_in_quote") else EXACT.multiply(price, quantity),
        fee=Decimal(row["commission"]),
        fee_asset=symbol.partition("/")[2],
        maker={"MAKER": True, "TAKER": False}.get(row["liquidity_indicator"]),
        at=moment(row["trade_time"]),
    )


def legs(orders: Sequence[OrderReport]) -> list[OrderReport]:
    """Orders with brackets told as their legs, as lists tell them."""
    return [each for order in orders for each in (order.children if order.type is None else (order,))]


def order_number(exchange_order_id: str) -> str:
    """The id of the order that one of our ids stands for: of an exit that has none yet, its entry."""
    return _bracket_number(exchange_order_id).removeprefix(UNBORN_PREFIX)


def is_unborn(exchange_order_id: str) -> bool:
    """Whether an id is that of an exit which has none at Coinbase yet."""
    return _bracket_number(exchange_order_id).startswith(UNBORN_PREFIX)


def _bracket_number(exchange_order_id: str) -> str:
    return exchange_order_id.removeprefix(STOP_PREFIX).removeprefix(TARGET_PREFIX)


def moment(text: str) -> datetime:
    """A time of RFC 3339, of which Coinbase writes up to nanoseconds."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{fraction[:6].ljust(6, '0')}+00:00")


def _amount(text: str | None) -> Decimal | None:
    return Decimal(text) if text else None


def ours(product: str) -> str:
    """``BTC-USD`` as ``BTC/USD``."""
    return product.replace("-", "/")


def theirs(symbol: str) -> str:
    """``BTC/USD`` as ``BTC-USD``."""
    return symbol.replace("/", "-")
