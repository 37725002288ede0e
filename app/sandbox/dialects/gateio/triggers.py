"""Price-triggered orders: they wait for the last price, hold nothing, and place an order of another id.

Source: https://www.gate.com/docs/developers/apiv4/#create-price-triggered-order
"""

from __future__ import annotations

from app.sandbox.dialects.gateio import render, rules
from app.sandbox.dialects.gateio.call import Call
from app.sandbox.dialects.gateio.errors import GateError, already_final, no_order, wrong
from app.sandbox.dialects.gateio.notation import engine_id, is_trigger, trigger_id
from app.sandbox.dialects.gateio.orders import SIDES, asking
from app.sandbox.engine.model import Order, OrderSpec, OrderType, Side, TimeInForce

_FORCES = {"gtc": TimeInForce.GTC, "ioc": TimeInForce.IOC}
_RULES = {"<=": True, ">=": False}
_TYPES = {"limit": "limit"}
_ACCOUNTS = {"normal": "normal"}
_STATUSES = {"open": True, "finished": False}
_LONGEST = 30 * 86_400


def place(call: Call) -> object:
    """POST /spot/price_orders: the order to be placed has a limit, and no name of its own."""
    market = call.market("market")
    trigger, put = call.params.inner("trigger"), call.params.inner("put")
    side, below = put.choice("side", SIDES), trigger.choice("rule", _RULES)
    put.choice("type", _TYPES, "limit")
    put.choice("account", _ACCOUNTS, "normal")
    expiration = trigger.integer("expiration")
    if expiration is not None and not 0 < expiration <= _LONGEST:
        raise wrong("expiration")
    spec = OrderSpec(
        symbol=market.instrument.symbol,
        side=side,
        type=OrderType.STOP_LIMIT if below is (side is Side.SELL) else OrderType.TAKE_PROFIT_LIMIT,
        quantity=put.need(put.amount, "amount"),
        price=put.need(put.amount, "price"),
        trigger_price=trigger.need(trigger.amount, "price"),
        time_in_force=put.choice("time_in_force", _FORCES, TimeInForce.GTC),
        expires_at=None if expiration is None else call.venue.now() + expiration * 1_000_000,
    )
    rules.check(spec, market)
    if spec.trigger_price is not None and (
        market.last <= spec.trigger_price if below else market.last >= spec.trigger_price
    ):
        label = "AUTO_TRIGGER_PRICE_GREATE_LAST" if below else "AUTO_TRIGGER_PRICE_LESS_LAST"
        raise GateError(400, label, "The trigger price has been reached already")
    return {"id": trigger_id(asking(lambda: call.venue.submit(call.account, spec)))}


def get(call: Call) -> object:
    """GET /spot/price_orders/{id}"""
    return render.trigger(_find(call))


def list_(call: Call) -> object:
    """GET /spot/price_orders, the latest first."""
    waits, symbol = call.params.choice("status", _STATUSES), call.chosen_symbol("market")
    first = call.params.integer("offset") or 0
    found = [
        order
        for order in reversed(call.account.orders.values())
        if is_trigger(order) and _waits(order) is waits and symbol in (None, order.symbol)
    ]
    return [render.trigger(order) for order in found[first : first + call.params.limit(100, 100)]]


def cancel(call: Call) -> object:
    """DELETE /spot/price_orders/{id}"""
    order = _find(call)
    if not _waits(order):
        raise already_final(order)
    call.venue.cancel(order)
    return render.trigger(order)


def cancel_all(call: Call) -> object:
    """DELETE /spot/price_orders, of one market or of all."""
    symbol = call.chosen_symbol("market")
    gone = [
        order
        for order in list(call.account.open_orders.values())
        if is_trigger(order) and _waits(order) and symbol in (None, order.symbol)
    ]
    for order in gone:
        call.venue.cancel(order)
    return [render.trigger(order) for order in gone]


def _waits(order: Order) -> bool:
    return order.live and order.waits_for_trigger


def _find(call: Call) -> Order:
    if not (call.id.isascii() and call.id.isdigit()) or len(call.id) > 15:
        raise wrong("id")
    order = call.account.orders.get(engine_id(int(call.id), trigger=True))
    if order is None or not is_trigger(order):
        raise no_order()
    return order
