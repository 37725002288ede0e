"""The filters an order passes before it reaches the matching engine, and how exchangeInfo states them.

Source: https://developers.binance.com/docs/binance-spot-api-docs/filters
"""

from __future__ import annotations

from decimal import Decimal

from app.domain.money import is_multiple
from app.sandbox.dialects.binance.errors import BinanceError, filter_failure, rejected
from app.sandbox.dialects.binance.notation import Json, fixed
from app.sandbox.engine.account import Account
from app.sandbox.engine.instrument import Instrument
from app.sandbox.engine.market import Market
from app.sandbox.engine.model import TRIGGERED, OrderSpec, OrderType

#: How many make a percent.
BASIS_POINTS = 100

_MAX_PRICE = Decimal(10_000_000)
_BAND_UP = Decimal(5)
_BAND_DOWN = Decimal("0.2")
_MIN_TRAILING, _MAX_TRAILING = 10, 2000
_MAX_ORDERS = 200
_MAX_ALGO_ORDERS = 5
_MAX_ORDER_LISTS = 20
_MAX_AMENDS = 10


def describe(instrument: Instrument) -> list[Json]:
    """The filters of an instrument as exchangeInfo lists them."""
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": fixed(instrument.tick),
            "maxPrice": fixed(_MAX_PRICE),
            "tickSize": fixed(instrument.tick),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": fixed(instrument.min_quantity),
            "maxQty": fixed(instrument.max_quantity),
            "stepSize": fixed(instrument.lot),
        },
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": fixed(None),
            "maxQty": fixed(_most_at_market(instrument)),
            "stepSize": fixed(None),
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": fixed(instrument.min_notional),
            "applyMinToMarket": True,
            "maxNotional": fixed(instrument.max_notional),
            "applyMaxToMarket": False,
            "avgPriceMins": 5,
        },
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": "5",
            "bidMultiplierDown": "0.2",
            "askMultiplierUp": "5",
            "askMultiplierDown": "0.2",
            "avgPriceMins": 5,
        },
        {
            "filterType": "TRAILING_DELTA",
            "minTrailingAboveDelta": _MIN_TRAILING,
            "maxTrailingAboveDelta": _MAX_TRAILING,
            "minTrailingBelowDelta": _MIN_TRAILING,
            "maxTrailingBelowDelta": _MAX_TRAILING,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": _MAX_ORDERS},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": _MAX_ALGO_ORDERS},
        {"filterType": "MAX_NUM_ORDER_LISTS", "maxNumOrderLists": _MAX_ORDER_LISTS},
        {"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": _MAX_AMENDS},
    ]


def check(spec: OrderSpec, market: Market) -> None:
    """Hold one order against its market's filters, in Binance's order.

    Raises:
        BinanceError: -1013 naming the first filter that fails, or -2010 when a market order meets an empty book.
    """
    instrument = market.instrument
    for price in (spec.price, spec.trigger_price):
        if price is not None and not _on_grid(price, instrument.tick, _MAX_PRICE, instrument.tick):
            raise filter_failure("PRICE_FILTER")
    if spec.type is OrderType.MARKET and market.best(spec.side.opposite) is None:
        raise rejected("Order book liquidity is less than symbol minimum quantity.")
    quantity = spec.quantity
    if quantity is None:
        quantity = market.quantity_for(spec.side, spec.quote_quantity or Decimal(0))
    if not _on_grid(quantity, instrument.min_quantity, instrument.max_quantity, instrument.lot):
        raise filter_failure("LOT_SIZE")
    if spec.type is OrderType.MARKET and quantity > _most_at_market(instrument):
        raise filter_failure("MARKET_LOT_SIZE")
    _check_notional(spec, quantity, market)
    if spec.price is not None and not _BAND_DOWN <= spec.price / market.last <= _BAND_UP:
        raise filter_failure("PERCENT_PRICE_BY_SIDE")


def check_trailing(delta: int) -> None:
    """Hold the distance of a trailing stop, in basis points, against its bounds."""
    if not _MIN_TRAILING <= delta <= _MAX_TRAILING:
        raise filter_failure("TRAILING_DELTA")


def check_counts(account: Account, specs: tuple[OrderSpec, ...], *, as_list: bool = False) -> None:
    """Hold new orders of one symbol against the number that may be open.

    Raises:
        BinanceError: -1013 naming the filter.
    """
    symbol = specs[0].symbol
    mine = [order for order in account.open_orders.values() if order.symbol == symbol]
    algos = sum(order.spec.type in TRIGGERED for order in mine)
    if len(mine) + len(specs) > _MAX_ORDERS:
        raise filter_failure("MAX_NUM_ORDERS")
    if (new := sum(spec.type in TRIGGERED for spec in specs)) and algos + new > _MAX_ALGO_ORDERS:
        raise filter_failure("MAX_NUM_ALGO_ORDERS")
    if as_list and len({order.group.id for order in mine if order.group is not None}) >= _MAX_ORDER_LISTS:
        raise filter_failure("MAX_NUM_ORDER_LISTS")


def check_amendment(quantity: Decimal, market: Market, price: Decimal | None) -> None:
    """Hold an amended quantity against lot and notional."""
    instrument = market.instrument
    if not _on_grid(quantity, instrument.min_quantity, instrument.max_quantity, instrument.lot):
        raise filter_failure("LOT_SIZE")
    if quantity * (price if price is not None else market.last) < instrument.min_notional:
        raise filter_failure("NOTIONAL")


def check_amends(amends: int) -> None:
    """Hold the number of times an order was amended against the most that is allowed."""
    if amends >= _MAX_AMENDS:
        raise BinanceError(-1013, "Filter failure: MAX_NUM_ORDER_AMENDS")


def _check_notional(spec: OrderSpec, quantity: Decimal, market: Market) -> None:
    instrument = market.instrument
    notional = spec.quote_quantity
    if notional is None:
        notional = quantity * (spec.price or spec.trigger_price or market.last)
    too_large = spec.type is not OrderType.MARKET and notional > instrument.max_notional
    if notional < instrument.min_notional or too_large:
        raise filter_failure("NOTIONAL")


def _on_grid(value: Decimal, least: Decimal, most: Decimal, step: Decimal) -> bool:
    return least <= value <= most and is_multiple(value, step)


def _most_at_market(instrument: Instrument) -> Decimal:
    return instrument.max_quantity / 10
