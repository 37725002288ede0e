"""What an instrument's record says, and the rules an order passes before it reaches the matching engine.

Source: https://bybit-exchange.github.io/docs/v5/market/instrument
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from app.domain.money import is_multiple
from app.sandbox.dialects.bybit.errors import BybitError, refused
from app.sandbox.dialects.bybit.notation import PLAIN, Json, exchange_symbol, is_exit, kind, text
from app.sandbox.engine.account import Account
from app.sandbox.engine.instrument import Instrument
from app.sandbox.engine.market import Market
from app.sandbox.engine.model import Order, OrderSpec, OrderType, Refusal, Side
from app.sandbox.engine.settlement import ClientIds, VenueRules
from app.sandbox.engine.venue import Venue

RULES = VenueRules(
    maker=Decimal("0.001"),
    taker=Decimal("0.001"),
    passed_triggers_refused=False,
    post_only_refused=False,
    client_ids=ClientIds.FOREVER,
)

QUOTE_STEP = Decimal("0.0000001")
MAX_OPEN_ORDERS = 500
MAX_WAITING = 30

_PRICE_RATIO = Decimal("0.05")


def describe(instrument: Instrument) -> Json:
    """An instrument as the list of them shows it."""
    most = text(instrument.max_quantity)
    return {
        "symbol": exchange_symbol(instrument),
        "baseCoin": instrument.base,
        "quoteCoin": instrument.quote,
        "innovation": "0",
        "status": "Trading" if instrument.trading else "Closed",
        "marginTrading": "none",
        "stTag": "0",
        "lotSizeFilter": {
            "basePrecision": text(instrument.lot),
            "quotePrecision": text(QUOTE_STEP),
            "minOrderQty": text(instrument.min_quantity),
            "maxOrderQty": most,
            "minOrderAmt": text(instrument.min_notional),
            "maxOrderAmt": text(instrument.max_notional),
            "maxLimitOrderQty": most,
            "maxMarketOrderQty": most,
            "postOnlyMaxLimitOrderSize": most,
        },
        "priceFilter": {"tickSize": text(instrument.tick)},
        "riskParameters": {"priceLimitRatioX": text(_PRICE_RATIO), "priceLimitRatioY": text(_PRICE_RATIO)},
    }


def check_price(price: Decimal | None, instrument: Instrument) -> None:
    if price is not None and not is_multiple(price, instrument.tick):
        raise BybitError(170134, "Order price has too many decimals.")


def check(spec: OrderSpec, venue: Venue) -> None:
    """Hold an order against trading status, grids, sizes, least value and price band.

    Raises:
        BybitError: 170151, 170134, 170137, 170148, 170124, 170140, 170193 or 170194.
    """
    market = venue.market(spec.symbol)
    instrument = market.instrument
    if not instrument.trading:
        raise refused(Refusal.MARKET_CLOSED)
    check_price(spec.price, instrument)
    check_price(spec.trigger_price, instrument)
    _check_size(spec, market)
    if spec.trigger_price is None:
        _check_band(spec, market)


def _check_size(spec: OrderSpec, market: Market) -> None:
    instrument, quantity, value = market.instrument, spec.quantity, spec.quote_quantity
    if quantity is not None and not is_multiple(quantity, instrument.lot):
        raise BybitError(170137, "Order quantity has too many decimals.")
    if value is not None and not is_multiple(value, QUOTE_STEP):
        raise BybitError(170148, "Market order amount has too many decimals.")
    if quantity is not None and quantity > instrument.max_quantity:
        raise BybitError(170124, "Order quantity is too large.")
    if value is None:
        value = (quantity or Decimal(0)) * (spec.price or spec.trigger_price or market.last)
    if value < instrument.min_notional:
        raise BybitError(170140, "Order value exceeded lower limit.")


def check_exits(spec: OrderSpec, take_profit: Decimal | None, stop_loss: Decimal | None) -> None:
    """Hold attached exits against their entry, which has to be a limit order.

    Raises:
        BybitError: 170130 on another entry, 170202 or 170203 on the wrong side of its price.
    """
    if take_profit is None and stop_loss is None:
        return
    if spec.type is not OrderType.LIMIT or spec.price is None:
        raise BybitError(170130, "Data sent for parameter takeProfit or stopLoss is not valid.")
    sign = 1 if spec.side is Side.BUY else -1
    if take_profit is not None and (take_profit - spec.price) * sign <= 0:
        raise BybitError(170202, "TakeProfit price is on the wrong side of the order price.")
    if stop_loss is not None and (stop_loss - spec.price) * sign >= 0:
        raise BybitError(170203, "StopLoss price is on the wrong side of the order price.")


def check_count(account: Account, symbol: str, filter_: str) -> None:
    """Hold one more order against the number that may be open, and that may wait for a price on one market.

    Raises:
        BybitError: 170810 when it would be too many.
    """
    live = account.open_orders.values()
    waiting = [
        order for order in live if order.symbol == symbol and kind(order) == filter_ and not is_exit(order)
    ]
    if len(live) >= MAX_OPEN_ORDERS or (filter_ != PLAIN and len(waiting) >= MAX_WAITING):
        raise BybitError(170810, "Cannot exceed maximum of conditional, TP/SL and active orders.")


def _check_band(spec: OrderSpec, market: Market) -> None:
    if spec.price is None:
        return
    if spec.side is Side.BUY and spec.price > market.last * (1 + _PRICE_RATIO):
        raise BybitError(170193, "Buy order price cannot be higher than the limit.")
    if spec.side is Side.SELL and spec.price < market.last * (1 - _PRICE_RATIO):
        raise BybitError(170194, "Sell order price cannot be lower than the limit.")


def check_amendment(
    order: Order, quantity: Decimal | None, price: Decimal | None, trigger: Decimal | None, market: Market
) -> None:
    """Hold an order against the same rules as it would be changed.

    Raises:
        BybitError: as `check` does.
    """
    spec = replace(
        order.spec,
        quantity=quantity or order.quantity,
        quote_quantity=None,
        price=price or order.price,
        trigger_price=trigger or order.spec.trigger_price,
    )
    check_price(spec.price, market.instrument)
    check_price(spec.trigger_price, market.instrument)
    _check_size(spec, market)
