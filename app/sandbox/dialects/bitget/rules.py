"""What an instrument's record says, and the rules an order passes before it reaches the matching engine.

Source: https://www.bitget.com/api-doc/spot/market/Get-Symbols
"""

from __future__ import annotations

from decimal import Decimal

from app.domain.money import plain
from app.sandbox.dialects.bitget.errors import BitgetError, refused, too_many_decimals
from app.sandbox.dialects.bitget.notation import Json, decimals, exchange_symbol, is_plan, is_tpsl, text
from app.sandbox.engine.account import Account
from app.sandbox.engine.instrument import Instrument
from app.sandbox.engine.market import Market
from app.sandbox.engine.model import OrderSpec, Refusal, Side
from app.sandbox.engine.settlement import VenueRules
from app.sandbox.engine.venue import Venue

RULES = VenueRules(
    maker=Decimal("0.001"),
    taker=Decimal("0.001"),
    triggers_hold=False,
    passed_triggers_refused=False,
    post_only_refused=False,
)

QUOTE_DECIMALS = 8
MAX_OPEN_ORDERS = 200

_MIN_TRADE_USDT = Decimal(5)
_PRICE_RATIO = Decimal("0.05")
_MAX_TRADE_AMOUNT = "900000000000000000000"


def describe(instrument: Instrument) -> Json:
    """An instrument as the list of symbols shows it."""
    return {
        "symbol": exchange_symbol(instrument),
        "baseCoin": instrument.base,
        "quoteCoin": instrument.quote,
        "minTradeAmount": "0",
        "maxTradeAmount": _MAX_TRADE_AMOUNT,
        "takerFeeRate": text(RULES.taker),
        "makerFeeRate": text(RULES.maker),
        "pricePrecision": str(decimals(instrument.tick)),
        "quantityPrecision": str(decimals(instrument.lot)),
        "quotePrecision": str(QUOTE_DECIMALS),
        "minTradeUSDT": text(_MIN_TRADE_USDT),
        "status": "online" if instrument.trading else "halt",
        "buyLimitPriceRatio": text(_PRICE_RATIO),
        "sellLimitPriceRatio": text(_PRICE_RATIO),
        "orderQuantity": str(MAX_OPEN_ORDERS),
        "areaSymbol": "no",
        "offTime": "",
    }


def check_price(name: str, price: Decimal | None, instrument: Instrument) -> None:
    _check_decimals(name, price, decimals(instrument.tick))


def check_quantity(name: str, quantity: Decimal | None, instrument: Instrument) -> None:
    _check_decimals(name, quantity, decimals(instrument.lot))


def check_quote(name: str, amount: Decimal | None) -> None:
    _check_decimals(name, amount, QUOTE_DECIMALS)


def _check_decimals(name: str, value: Decimal | None, most: int) -> None:
    if value is not None and decimals(value) > most:
        raise too_many_decimals(name, value, most)


def check(spec: OrderSpec, venue: Venue) -> None:
    """Hold an order against trading status, decimals, least value and price band.

    Raises:
        BitgetError: 43115, 40808, 43006, 45110, 43008 or 43009.
    """
    market = venue.market(spec.symbol)
    instrument = market.instrument
    if not instrument.trading:
        raise refused(Refusal.MARKET_CLOSED)
    check_price("price", spec.price, instrument)
    check_price("triggerPrice", spec.trigger_price, instrument)
    check_quantity("size", spec.quantity, instrument)
    check_quote("size", spec.quote_quantity)
    if spec.quote_quantity is not None and market.quantity_for(spec.side, spec.quote_quantity) <= 0:
        raise BitgetError("43006", "Less than the minimum order quantity")
    value = spec.quote_quantity
    if value is None:
        value = (spec.quantity or Decimal(0)) * (spec.price or spec.trigger_price or market.last)
    if value * _worth(instrument.quote, venue) < _MIN_TRADE_USDT:
        raise BitgetError("45110", f"less than the minimum amount {plain(_MIN_TRADE_USDT)} USDT")
    if spec.trigger_price is None:
        _check_band(spec, market)


def check_preset(
    spec: OrderSpec, take_profit: Decimal | None, stop_loss: Decimal | None, last: Decimal
) -> None:
    """Hold attached exits against the price of their entry.

    Raises:
        BitgetError: 43034 for a take-profit and 43035 for a stop-loss on the wrong side.
    """
    entry = spec.price or last
    sign = 1 if spec.side is Side.BUY else -1
    if take_profit is not None and (take_profit - entry) * sign <= 0:
        raise BitgetError("43034", "The take profit price is on the wrong side of the order price")
    if stop_loss is not None and (stop_loss - entry) * sign >= 0:
        raise BitgetError("43035", "The stop loss price is on the wrong side of the order price")


def check_count(account: Account, symbol: str) -> None:
    """Hold one more order against the number that may be open on a symbol.

    Raises:
        BitgetError: 45118 when it would be too many.
    """
    mine = [
        order
        for order in account.open_orders.values()
        if order.symbol == symbol and not is_plan(order) and not is_tpsl(order)
    ]
    if len(mine) >= MAX_OPEN_ORDERS:
        raise BitgetError("45118", f"The number of open orders cannot exceed {MAX_OPEN_ORDERS}")


def _check_band(spec: OrderSpec, market: Market) -> None:
    if spec.price is None:
        return
    highest, lowest = market.last * (1 + _PRICE_RATIO), market.last * (1 - _PRICE_RATIO)
    if spec.side is Side.BUY and spec.price > highest:
        raise BitgetError("43008", f"The current order price cannot exceed {plain(highest)}")
    if spec.side is Side.SELL and spec.price < lowest:
        raise BitgetError("43009", f"The current order price cannot be lower than {plain(lowest)}")


def _worth(asset: str, venue: Venue) -> Decimal:
    """The price of an asset in USDT, by way of bitcoin where there is no market of the two."""
    direct = venue.markets.get(f"{asset}/USDT")
    if asset == "USDT":
        return Decimal(1)
    if direct is not None:
        return direct.last
    there, back = venue.markets.get("BTC/USDT"), venue.markets.get(f"BTC/{asset}")
    return there.last / back.last if there is not None and back is not None else Decimal(1)
