"""What an instrument's record says, and the rules an order passes before it reaches the matching engine.

Source: https://www.okx.com/docs-v5/en/#public-data-rest-api-get-instruments
"""

from __future__ import annotations

from decimal import Decimal

from app.sandbox.dialects.okx.errors import OKXError, refused
from app.sandbox.dialects.okx.notation import Json, instrument_id, text
from app.sandbox.engine.account import Account
from app.sandbox.engine.instrument import Instrument
from app.sandbox.engine.market import Market
from app.sandbox.engine.model import OrderSpec, Refusal, Side
from app.sandbox.engine.settlement import VenueRules

RULES = VenueRules(
    maker=Decimal("0.0008"),
    taker=Decimal("0.001"),
    triggers_hold=False,
    passed_triggers_refused=False,
    post_only_refused=False,
)

#: So many lots are the least that is traded.
_LEAST_LOTS = 10
MAX_OPEN_ORDERS = 500


def describe(instrument: Instrument) -> Json:
    """An instrument as the list shows it."""
    return {
        "instType": "SPOT",
        "instId": instrument_id(instrument),
        "baseCcy": instrument.base,
        "quoteCcy": instrument.quote,
        "state": "live" if instrument.trading else "suspend",
        "tickSz": text(instrument.tick),
        "lotSz": text(instrument.lot),
        "minSz": text(_least(instrument)),
        "maxLmtSz": text(instrument.max_quantity),
        "maxMktSz": "1000000",
        "maxLmtAmt": "20000000",
        "maxMktAmt": "1000000",
        "tradeQuoteCcyList": [instrument.quote],
        "listTime": "1548133413000",
        "expTime": "",
        "ctVal": "",
        "ctMult": "",
        "ctType": "",
        "settleCcy": "",
        "uly": "",
        "instFamily": "",
        "lever": "10",
        "groupId": "1",
    }


def _least(instrument: Instrument) -> Decimal:
    return instrument.min_quantity * _LEAST_LOTS


def check(spec: OrderSpec, market: Market) -> None:
    """Hold an order against trading status, grids and least size.

    Raises:
        OKXError: 51022, 51121, 51020, 51000 or 51150.
    """
    instrument = market.instrument
    if not instrument.trading:
        raise refused(Refusal.MARKET_CLOSED)
    for price in (spec.price, spec.trigger_price):
        check_price(price, instrument)
    quantity = spec.quantity
    if quantity is not None and quantity % instrument.lot:
        raise OKXError("51121", "Order quantity must be a multiple of the lot size")
    if quantity is None:
        quantity = market.quantity_for(spec.side, spec.quote_quantity or Decimal(0))
    if quantity < _least(instrument):
        raise OKXError(
            "51020", f"Your order should meet or exceed the minimum order amount {_least(instrument)}"
        )
    if quantity > instrument.max_quantity:
        raise OKXError("51201", "The order size exceeds the maximum")


def check_price(price: Decimal | None, instrument: Instrument) -> None:
    """Raises:
    OKXError: 51150 for a price off the grid.
    """
    if price is not None and price % instrument.tick:
        raise OKXError("51150", "The precision of the price exceeds the tick size")


def check_trigger(spec: OrderSpec, last: Decimal) -> None:
    """Refuse an exit whose trigger the last price has reached.

    Raises:
        OKXError: 51277 to 51280, by side and kind.
    """
    trigger = spec.trigger_price
    if trigger is None or not (last >= trigger if spec.triggers_above else last <= trigger):
        return
    buying = spec.side is Side.BUY
    if spec.triggers_above is buying:
        code, words = (
            ("51278", "SL trigger price can't be lower")
            if buying
            else ("51280", "SL trigger price can't be higher")
        )
    else:
        code, words = (
            ("51277", "TP trigger price can't be higher")
            if buying
            else ("51279", "TP trigger price can't be lower")
        )
    raise OKXError(code, f"{words} than the last price")


def check_attached(entry: OrderSpec, exits: tuple[OrderSpec, ...], last: Decimal) -> None:
    """Hold attached exits against the price of their entry.

    Raises:
        OKXError: 51046 to 51049 for one on the wrong side.
    """
    price = entry.price or last
    buying = entry.side is Side.BUY
    for exit_ in exits:
        trigger = exit_.trigger_price or price
        above = exit_.triggers_above
        if trigger > price if above else trigger < price:
            continue
        stops = above is not buying
        code = {
            (True, False): "51046",
            (True, True): "51047",
            (False, False): "51048",
            (False, True): "51049",
        }
        raise OKXError(code[buying, stops], "The trigger price is on the wrong side of the order price")


def check_count(account: Account, symbol: str) -> None:
    """Hold one more order against the number that may be open on an instrument.

    Raises:
        OKXError: 51102 when it would be too many.
    """
    if sum(order.symbol == symbol for order in account.open_orders.values()) >= MAX_OPEN_ORDERS:
        raise OKXError("51102", "Exceeded maximum number of pending orders")
