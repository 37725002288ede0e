"""What an instrument demands of an order, and how the list of symbols says so.

Source: https://www.kucoin.com/docs-new/rest/spot-trading/market-data/get-all-symbols
"""

from __future__ import annotations

from decimal import Decimal

from app.domain.money import is_multiple
from app.sandbox.dialects.kucoin.errors import KuCoinError, refused
from app.sandbox.dialects.kucoin.notation import Json, amount, exchange_symbol
from app.sandbox.engine.account import Account
from app.sandbox.engine.instrument import Instrument
from app.sandbox.engine.market import Market
from app.sandbox.engine.model import OrderSpec, Refusal, Side

_PRICE_LIMIT = Decimal("0.1")
_PER_SYMBOL, _PER_ACCOUNT = 200, 2000
_FINEST_QUOTE = -8


def describe(instrument: Instrument) -> Json:
    """An instrument's record in the list of symbols."""
    name = exchange_symbol(instrument)
    return {
        "symbol": name,
        "name": name,
        "baseCurrency": instrument.base,
        "quoteCurrency": instrument.quote,
        "feeCurrency": instrument.quote,
        "market": area(instrument),
        "baseMinSize": amount(instrument.min_quantity),
        "quoteMinSize": amount(instrument.min_notional),
        "baseMaxSize": amount(instrument.max_quantity),
        "quoteMaxSize": amount(instrument.max_notional),
        "baseIncrement": amount(instrument.lot),
        "quoteIncrement": amount(quote_increment(instrument)),
        "priceIncrement": amount(instrument.tick),
        "priceLimitRate": amount(_PRICE_LIMIT),
        "minFunds": amount(instrument.min_notional),
        "isMarginEnabled": False,
        "enableTrading": instrument.trading,
        "feeCategory": 1,
        "makerFeeCoefficient": "1.00",
        "takerFeeCoefficient": "1.00",
        "st": False,
    }


def area(instrument: Instrument) -> str:
    """Under which heading an instrument is listed."""
    return "BTC" if instrument.quote == "BTC" else "USDS"


def quote_increment(instrument: Instrument) -> Decimal:
    """The step of ``funds``: a millionth of the smallest order's leading digit, at most eight decimals."""
    return Decimal(1).scaleb(max(_FINEST_QUOTE, instrument.min_notional.adjusted() - 6))


def check(spec: OrderSpec, market: Market) -> None:
    """Hold an order against its instrument.

    Raises:
        KuCoinError: 600203, 600100, 102435, 102434, 600101, 400370 or 400760 for the first rule that is broken.
    """
    instrument = market.instrument
    if not instrument.trading:
        raise refused(Refusal.MARKET_CLOSED)
    for price in (spec.price, spec.trigger_price):
        if price is not None and not is_multiple(price, instrument.tick):
            raise KuCoinError("600100", "Price increment invalid.")
    if spec.quantity is not None:
        _check_size(spec.quantity, instrument)
    if spec.quote_quantity is not None and not is_multiple(spec.quote_quantity, quote_increment(instrument)):
        raise KuCoinError("600100", "Funds increment invalid.")
    _check_funds(spec, market)
    if spec.price is not None and spec.trigger_price is None:
        _check_distance(spec.side, spec.price, market)


def _check_size(size: Decimal, instrument: Instrument) -> None:
    if size < instrument.min_quantity:
        raise KuCoinError("102435", "Order size below the minimum requirement.")
    if not is_multiple(size, instrument.lot):
        raise KuCoinError("600100", "Order size increment invalid.")
    if size > instrument.max_quantity:
        raise KuCoinError("102434", "Order size exceeds the maximum.")


def _check_funds(spec: OrderSpec, market: Market) -> None:
    instrument = market.instrument
    funds = spec.quote_quantity
    if funds is None:
        funds = (spec.quantity or Decimal(0)) * (spec.price or spec.trigger_price or market.last)
    if funds < instrument.min_notional:
        least = f"{amount(instrument.min_notional)} {instrument.quote}"
        raise KuCoinError("600101", f"The order funds should more then {least}.")
    if funds > instrument.max_notional:
        raise KuCoinError("102434", "Order funds exceed the maximum.")


def _check_distance(side: Side, price: Decimal, market: Market) -> None:
    """Keep a limit order from trading far beyond the last price; resting far away from it is allowed."""
    highest, lowest = market.last * (1 + _PRICE_LIMIT), market.last * (1 - _PRICE_LIMIT)
    if side is Side.BUY and price > highest:
        raise KuCoinError("400370", f"Max. price: {amount(highest)}")
    if side is Side.SELL and price < lowest:
        raise KuCoinError("400760", f"order price should be more than {amount(lowest)}")


def check_counts(account: Account, spec: OrderSpec, new: int = 1) -> None:
    """Hold new orders against the number that may be open, stops included.

    Raises:
        KuCoinError: 102427, or 200003 for stop orders.
    """
    mine = sum(order.symbol == spec.symbol for order in account.open_orders.values())
    if mine + new > _PER_SYMBOL or len(account.open_orders) + new > _PER_ACCOUNT:
        code = "102427" if spec.trigger_price is None else "200003"
        raise KuCoinError(code, "The number of active orders exceeds the limit.")
