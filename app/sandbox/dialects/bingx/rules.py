"""What an instrument's record says, and the rules an order passes before it reaches the matching engine.

Source: https://bingx-api.github.io/docs-v3/#/en/Spot/Market%20Data/Spot%20trading%20symbols
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from app.domain.money import floor_to_step
from app.sandbox.dialects.bingx.errors import BingXError, restricted
from app.sandbox.dialects.bingx.notation import Json, exchange_symbol
from app.sandbox.engine.account import Account
from app.sandbox.engine.instrument import Instrument
from app.sandbox.engine.market import Market
from app.sandbox.engine.model import OrderSpec, OrderType
from app.sandbox.engine.settlement import ClientIds, VenueRules

RULES = VenueRules(
    maker=Decimal("0.001"),
    taker=Decimal("0.001"),
    passed_triggers_refused=False,
    post_only_refused=False,
    client_ids=ClientIds.FOREVER,
)

MAX_OPEN_LIMITS = 1000

#: How far from the last price a limit may lie, as a share of it.
_BAND = Decimal("0.2"), Decimal(5)


def describe(instrument: Instrument) -> Json:
    """An instrument as the list of them shows it: in floats."""
    return {
        "symbol": exchange_symbol(instrument),
        "minQty": float(instrument.min_quantity),
        "maxQty": float(instrument.max_quantity),
        "minNotional": float(instrument.min_notional),
        "maxNotional": float(instrument.max_notional),
        "maxMarketNotional": float(instrument.max_notional),
        "status": 1 if instrument.trading else 25,
        "tickSize": float(instrument.tick),
        "stepSize": float(instrument.lot),
        "apiStateSell": instrument.trading,
        "apiStateBuy": instrument.trading,
        "timeOnline": 0,
        "offTime": 0,
        "maintainTime": 0,
    }


def cut(spec: OrderSpec, instrument: Instrument) -> OrderSpec:
    """The order as BingX takes it: digits beyond the grid are cut off without a word."""

    def on(step: Decimal, value: Decimal | None) -> Decimal | None:
        return None if value is None else floor_to_step(value, step)

    return replace(
        spec,
        quantity=on(instrument.lot, spec.quantity),
        quote_quantity=on(instrument.tick, spec.quote_quantity),
        price=on(instrument.tick, spec.price),
        trigger_price=on(instrument.tick, spec.trigger_price),
    )


def check(spec: OrderSpec, market: Market, account: Account) -> None:
    """Hold an order against trading status, values, price band and the number that may be open.

    Raises:
        BingXError: 100421, 100400 or 100440.
    """
    instrument = market.instrument
    if not instrument.trading:
        raise restricted()
    if not (spec.quantity or spec.quote_quantity):
        raise BingXError(100400, "quantity/quoteOrderQty can't both be lte 0")
    value = spec.quote_quantity
    if value is None:
        value = (spec.quantity or Decimal(0)) * (spec.price or spec.trigger_price or market.last)
    if value < instrument.min_notional:
        raise BingXError(100400, f"The minimum amount per order is {instrument.min_notional}")
    if value > instrument.max_notional:
        raise BingXError(100400, f"The maximum amount per order is {instrument.max_notional}")
    least, most = _BAND
    if spec.price is not None and not least <= spec.price / market.last <= most:
        raise BingXError(100440, "Order price deviates greatly from the market price")
    limits = [order for order in account.open_orders.values() if order.spec.type is OrderType.LIMIT]
    if spec.type is OrderType.LIMIT and len(limits) >= MAX_OPEN_LIMITS:
        raise BingXError(100421, "the number of open limit orders exceeds the maximum")
