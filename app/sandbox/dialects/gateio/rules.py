"""What a pair's record says, and the rules an order passes before it reaches the matching engine.

Source: https://www.gate.com/docs/developers/apiv4/#list-all-currency-pairs-supported
"""

from __future__ import annotations

from decimal import Decimal

from app.domain.money import is_multiple
from app.sandbox.dialects.gateio.errors import GateError, refused
from app.sandbox.dialects.gateio.notation import Json, decimals, exchange_symbol, text
from app.sandbox.engine.instrument import Instrument
from app.sandbox.engine.market import Market
from app.sandbox.engine.model import OrderSpec, Refusal, Side
from app.sandbox.engine.settlement import ClientIds, VenueRules

RULES = VenueRules(
    maker=Decimal("0.002"),
    taker=Decimal("0.002"),
    triggers_hold=False,
    client_ids=ClientIds.NEVER,
)

_BAND = Decimal("0.2")


def describe(instrument: Instrument) -> Json:
    """A pair as the list of them shows it."""
    return {
        "id": exchange_symbol(instrument),
        "base": instrument.base,
        "quote": instrument.quote,
        "fee": text(RULES.taker * 100),
        "min_base_amount": text(instrument.min_quantity),
        "min_quote_amount": text(instrument.min_notional),
        "max_base_amount": text(instrument.max_quantity),
        "max_quote_amount": text(instrument.max_notional),
        "amount_precision": decimals(instrument.lot),
        "precision": decimals(instrument.tick),
        "trade_status": "tradable" if instrument.trading else "untradable",
        "sell_start": 0,
        "buy_start": 0,
        "delisting_time": 0,
        "type": "normal",
        "up_rate": text(_BAND),
        "down_rate": text(_BAND),
    }


def check_price(price: Decimal | None, instrument: Instrument) -> None:
    if price is not None and not is_multiple(price, instrument.tick):
        raise GateError(400, "INVALID_PRECISION", f"price precision is {decimals(instrument.tick)}")


def check(spec: OrderSpec, market: Market) -> None:
    """Hold an order against trading status, decimals, sizes and price band.

    Raises:
        GateError: TRADE_RESTRICTED, INVALID_PRECISION, AMOUNT_TOO_MUCH, INVALID_PARAM_VALUE or
            PRICE_THRESHOLD_EXCEEDED.
    """
    instrument = market.instrument
    if not instrument.trading:
        raise refused(Refusal.MARKET_CLOSED)
    check_price(spec.price, instrument)
    check_price(spec.trigger_price, instrument)
    check_size(spec.quantity, spec.quote_quantity, spec.price or market.last, instrument)
    if spec.price is not None and spec.trigger_price is None:
        _check_band(spec.side, spec.price, market)


def check_size(
    quantity: Decimal | None, amount: Decimal | None, price: Decimal, instrument: Instrument
) -> None:
    """Hold a quantity in base, or an amount in quote, against decimals and bounds."""
    if quantity is not None and not is_multiple(quantity, instrument.lot):
        raise GateError(400, "INVALID_PRECISION", f"amount precision is {decimals(instrument.lot)}")
    if amount is not None and not is_multiple(amount, instrument.tick):
        raise GateError(400, "INVALID_PRECISION", f"amount precision is {decimals(instrument.tick)}")
    if quantity is not None and quantity > instrument.max_quantity:
        raise GateError(400, "AMOUNT_TOO_MUCH", "Order amount too large")
    value = (quantity or Decimal(0)) * price if amount is None else amount
    if value < instrument.min_notional:
        least = f"{text(instrument.min_notional)} {instrument.quote}"
        words = f"Your order size {text(value)} {instrument.quote} is too small. The minimum is {least}"
        raise GateError(400, "INVALID_PARAM_VALUE", words)


def _check_band(side: Side, price: Decimal, market: Market) -> None:
    highest, lowest = market.last * (1 + _BAND), market.last * (1 - _BAND)
    if (side is Side.BUY and price > highest) or (side is Side.SELL and price < lowest):
        raise GateError(400, "PRICE_THRESHOLD_EXCEEDED", "The price is too far from the market")
