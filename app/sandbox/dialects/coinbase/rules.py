"""What a product's record says, and the rules an order passes before it reaches the matching engine.

Source: https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/products/list-products
"""

from __future__ import annotations

from decimal import Decimal

from app.sandbox.dialects.coinbase.errors import Refused, refused
from app.sandbox.dialects.coinbase.notation import Json, product_id, text
from app.sandbox.engine.instrument import Instrument
from app.sandbox.engine.market import Market
from app.sandbox.engine.model import OrderSpec, Refusal
from app.sandbox.engine.settlement import VenueRules

RULES = VenueRules(maker=Decimal("0.004"), taker=Decimal("0.006"), buy_fee_in_quote=True)

_QUOTE_STEP = Decimal("0.00000001")


def describe(instrument: Instrument) -> Json:
    """An instrument as the list of products shows it."""
    return {
        "product_id": product_id(instrument),
        "price": text(instrument.price),
        "volume_24h": "1000",
        "base_increment": text(instrument.lot),
        "quote_increment": text(_QUOTE_STEP),
        "price_increment": text(instrument.tick),
        "base_min_size": text(instrument.min_quantity),
        "base_max_size": text(instrument.max_quantity),
        "quote_min_size": text(instrument.min_notional),
        "quote_max_size": text(instrument.max_notional),
        "base_name": instrument.base,
        "quote_name": instrument.quote,
        "base_currency_id": instrument.base,
        "quote_currency_id": instrument.quote,
        "base_display_symbol": instrument.base,
        "quote_display_symbol": instrument.quote,
        "watched": False,
        "is_disabled": False,
        "new": False,
        "status": "online",
        "cancel_only": False,
        "limit_only": False,
        "post_only": False,
        "trading_disabled": not instrument.trading,
        "auction_mode": False,
        "product_type": "SPOT",
        "product_venue": "CBE",
        "view_only": False,
        "alias": "",
        "alias_to": [],
    }


def check(spec: OrderSpec, market: Market) -> None:
    """Hold an order against trading status, grids and bounds.

    Raises:
        Refused: with its reason.
    """
    instrument = market.instrument
    if not instrument.trading:
        raise refused(Refusal.MARKET_CLOSED)
    check_price(spec.price, instrument)
    check_price(spec.trigger_price, instrument)
    if spec.quote_quantity is not None:
        _check_quote(spec.quote_quantity, instrument)
        return
    quantity = spec.quantity or Decimal(0)
    check_quantity(quantity, instrument)
    if quantity * (spec.price or spec.trigger_price or market.last) < instrument.min_notional:
        raise Refused("PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL")


def _check_quote(amount: Decimal, instrument: Instrument) -> None:
    if amount < instrument.min_notional:
        raise Refused("PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL")
    if amount > instrument.max_notional:
        raise Refused("PREVIEW_INVALID_QUOTE_SIZE_TOO_LARGE")


def check_quantity(quantity: Decimal, instrument: Instrument) -> None:
    if quantity % instrument.lot:
        raise Refused("INVALID_SIZE_PRECISION")
    if quantity < instrument.min_quantity:
        raise Refused("PREVIEW_INVALID_BASE_SIZE_TOO_SMALL")
    if quantity > instrument.max_quantity:
        raise Refused("PREVIEW_INVALID_BASE_SIZE_TOO_LARGE")


def check_price(price: Decimal | None, instrument: Instrument) -> None:
    if price is not None and price % instrument.tick:
        raise Refused("INVALID_PRICE_PRECISION")
