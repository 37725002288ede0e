"""Reading new orders: the parameters each type wants, and those it refuses.

Source: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/trading-endpoints#new-order-trade
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from app.sandbox.dialects.binance import filters, render
from app.sandbox.dialects.binance.call import Call
from app.sandbox.dialects.binance.errors import BinanceError, missing, not_required, refused, rejected
from app.sandbox.dialects.binance.notation import Json
from app.sandbox.engine.model import Order, OrderSpec, OrderType, Refused, Side, TimeInForce

_TYPES = {
    "MARKET": OrderType.MARKET,
    "LIMIT": OrderType.LIMIT,
    "LIMIT_MAKER": OrderType.LIMIT,
    "STOP_LOSS": OrderType.STOP_LOSS,
    "STOP_LOSS_LIMIT": OrderType.STOP_LIMIT,
    "TAKE_PROFIT": OrderType.TAKE_PROFIT,
    "TAKE_PROFIT_LIMIT": OrderType.TAKE_PROFIT_LIMIT,
}
_SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
_TIMES_IN_FORCE = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK}
_WITH_TIME_IN_FORCE = frozenset({"LIMIT", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"})
_WITH_PRICE = _WITH_TIME_IN_FORCE | {"LIMIT_MAKER"}
_WITH_STOP = frozenset({"STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"})
T = TypeVar("T")

_ECHOED = ("strategyId", "strategyType", "selfTradePreventionMode")


@dataclass(frozen=True, slots=True)
class Names:
    """Under which names one order's parameters are sent; "" for what that kind of order cannot have."""

    type: str
    side: str
    quantity: str
    price: str
    stop_price: str
    time_in_force: str
    client_id: str
    quote_quantity: str = ""
    iceberg: str = "icebergQty"
    trailing: str = "trailingDelta"

    def all(self) -> str:
        """The names as an endpoint declares them."""
        return " ".join(getattr(self, name) for name in self.__slots__)


PLAIN = Names(
    type="type",
    side="side",
    quantity="quantity",
    price="price",
    stop_price="stopPrice",
    time_in_force="timeInForce",
    client_id="newClientOrderId",
    quote_quantity="quoteOrderQty",
)


def read_order(call: Call, names: Names) -> OrderSpec:
    """One order's parameters as the engine wants them, checked against the rules of its type and the filters.

    Raises:
        BinanceError: for whatever the real exchange would refuse before matching.
    """
    params = call.params
    market = call.market()
    side = _choice(call, names.side, _SIDES, BinanceError(-1117, "Invalid side."))
    kind = params.required(names.type)
    if kind not in _TYPES:
        raise BinanceError(-1116, "Invalid orderType.")
    if names.iceberg in params:
        raise rejected("Iceberg orders are not supported for this symbol.")
    trailing = _trailing_percent(call, names, kind)
    quantity, quote_quantity = params.amount(names.quantity), params.amount(names.quote_quantity)
    if quote_quantity is not None and (kind != "MARKET" or quantity is not None):
        raise not_required(names.quote_quantity)
    if quantity is None and quote_quantity is None:
        if kind == "MARKET" and names.quote_quantity:
            message = f"Param '{names.quote_quantity}' or '{names.quantity}' must be sent, but both were empty/null!"
            raise BinanceError(-1102, message)
        raise missing(names.quantity)
    _expect(call, names.price, wanted=kind in _WITH_PRICE)
    _expect(call, names.stop_price, wanted=kind in _WITH_STOP and trailing is None)
    _expect(call, names.time_in_force, wanted=kind in _WITH_TIME_IN_FORCE)
    time_in_force = TimeInForce.GTC
    if kind in _WITH_TIME_IN_FORCE:
        wrong = BinanceError(-1115, "Invalid timeInForce.")
        time_in_force = _choice(call, names.time_in_force, _TIMES_IN_FORCE, wrong)
    spec = OrderSpec(
        symbol=market.instrument.symbol,
        side=side,
        type=_TYPES[kind] if trailing is None else OrderType.TRAILING_STOP,
        quantity=quantity,
        quote_quantity=quote_quantity,
        price=params.amount(names.price),
        trigger_price=params.amount(names.stop_price),
        time_in_force=time_in_force,
        post_only=kind == "LIMIT_MAKER",
        client_id=params.client_id(names.client_id) or random_id(),
        echo=_echo(call),
        trailing_percent=trailing,
    )
    filters.check(spec, market)
    return spec


def place_order(call: Call) -> object:
    """POST /api/v3/order"""
    spec, style = read_new_order(call)
    return render_new(call, submit(call, spec), style)


def test_order(call: Call) -> object:
    """POST /api/v3/order/test: everything but the matching."""
    read_new_order(call)
    return {}


def read_new_order(call: Call) -> tuple[OrderSpec, str]:
    """A plain order and the response type wanted for it."""
    spec = read_order(call, PLAIN)
    filters.check_counts(call.account, (spec,))
    plain_kinds = (OrderType.MARKET, OrderType.LIMIT)
    default = "FULL" if spec.type in plain_kinds and not spec.post_only else "ACK"
    return spec, response_type(call, default)


def response_type(call: Call, default: str) -> str:
    style = call.params.text("newOrderRespType") or default
    if style not in ("ACK", "RESULT", "FULL"):
        raise BinanceError(-1130, "Data sent for parameter 'newOrderRespType' is not valid.")
    return style


def submit(call: Call, spec: OrderSpec) -> Order:
    try:
        return call.venue.submit(call.account, spec)
    except Refused as refusal:
        raise refused(refusal.refusal) from None


def render_new(call: Call, order: Order, style: str) -> Json:
    return {"ACK": render.ack, "RESULT": render.result, "FULL": render.full}[style](call, order)


def random_id() -> str:
    """A client id of the length Binance generates."""
    return secrets.token_hex(11)


def _choice(call: Call, name: str, choices: Mapping[str, T], wrong: BinanceError) -> T:
    text = call.params.required(name)
    if text not in choices:
        raise wrong
    return choices[text]


def _expect(call: Call, name: str, *, wanted: bool) -> None:
    if wanted:
        call.params.required(name)
    elif name and name in call.params:
        raise not_required(name)


def _trailing_percent(call: Call, names: Names, kind: str) -> Decimal | None:
    """The distance of a trailing stop. Of its kinds there is here the plain stop that follows from the start."""
    delta = call.params.integer(names.trailing)
    if delta is None:
        return None
    if kind != "STOP_LOSS" or names.stop_price in call.params:
        raise rejected("Trailing stop orders are not supported for this symbol.")
    filters.check_trailing(delta)
    return Decimal(delta) / filters.BASIS_POINTS


def _echo(call: Call) -> dict[str, str]:
    return {name: text for name in _ECHOED if (text := call.params.text(name)) is not None}
