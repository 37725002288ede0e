"""Placing orders, with the bracket attached to them.

Source: https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/orders/create-order
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from app.domain.money import EXACT, floor_to_step
from app.sandbox.dialects.coinbase import rules
from app.sandbox.dialects.coinbase.call import Call, amount
from app.sandbox.dialects.coinbase.errors import Refused, invalid, refused
from app.sandbox.dialects.coinbase.notation import Json, order_id
from app.sandbox.engine.market import Market
from app.sandbox.engine.model import Order, OrderSpec, OrderType, Side, TimeInForce
from app.sandbox.engine.model import Refused as EngineRefused

MARKET, STOP_LIMIT, BRACKET = "market_market_ioc", "stop_limit_stop_limit_gtc", "trigger_bracket_gtc"
_SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
_LIMITS = {
    "limit_limit_gtc": TimeInForce.GTC,
    "sor_limit_ioc": TimeInForce.IOC,
    "limit_limit_fok": TimeInForce.FOK,
}
_DIRECTIONS = {"STOP_DIRECTION_STOP_DOWN": True, "STOP_DIRECTION_STOP_UP": False}
#: How far beyond its trigger a bracket's stop puts its limit.
_REACH = Decimal("0.05")


def place_order(call: Call) -> Json:
    """POST /api/v3/brokerage/orders. A client id that was used before is answered with the order it named."""
    client_id, side = call.body.get("client_order_id"), _SIDES.get(str(call.body.get("side")))
    if not isinstance(client_id, str) or not client_id or side is None:
        raise invalid("client_order_id and side are required")
    try:
        order = call.account.by_client_id.get(client_id) or _place(call, side, client_id)
    except Refused as error:
        return {
            "success": False,
            "error_response": {
                "error": "UNKNOWN_FAILURE_REASON",
                "message": "",
                "error_details": "",
                "preview_failure_reason": error.reason,
                "new_order_failure_reason": "UNKNOWN_FAILURE_REASON",
            },
            "order_configuration": call.body.get("order_configuration"),
        }
    answer = {
        "order_id": order_id(order),
        "product_id": call.body.get("product_id"),
        "side": side.value.upper(),
        "client_order_id": client_id,
    }
    return {
        "success": True,
        "failure_reason": "UNKNOWN_FAILURE_REASON",
        "order_id": answer["order_id"],
        "success_response": answer,
        "order_configuration": call.body.get("order_configuration"),
    }


def _place(call: Call, side: Side, client_id: str) -> Order:
    market = call.market(str(call.body.get("product_id")))
    kind, terms = _only(call.body.get("order_configuration"))
    if kind == BRACKET:
        quantity = amount(terms, "base_size")
        exits = _exits(terms, market, side, quantity, client_id)
        for spec in exits:
            rules.check(spec, market)
        return _submit(call, exits, None)
    spec = _spec(kind, terms, market, side, client_id)
    rules.check(spec, market)
    attached = call.body.get("attached_order_configuration")
    if attached is None:
        return _submit(call, (), spec)
    attached_kind, attached_terms = _only(attached)
    if attached_kind != BRACKET or kind not in (MARKET, *_LIMITS):
        raise Refused("ATTACHED_ORDERS_ONLY_ALLOWED_ON_MARKET_LIMIT")
    if "base_size" in attached_terms:
        raise Refused("ATTACHED_ORDER_SIZE_MUST_BE_NIL")
    return _submit(call, _exits(attached_terms, market, side.opposite, None, None, spec.price), spec)


def _submit(call: Call, exits: tuple[OrderSpec, ...], entry: OrderSpec | None) -> Order:
    try:
        if entry is not None and not exits:
            return call.venue.submit(call.account, entry)
        name = (entry or exits[0]).client_id or ""
        group = call.venue.submit_group(call.account, name, exits, entry)
    except EngineRefused as refusal:
        raise refused(refusal.refusal) from None
    return group.orders[0]


def _spec(kind: str, terms: Mapping[str, object], market: Market, side: Side, client_id: str) -> OrderSpec:
    spec = OrderSpec(
        market.instrument.symbol,
        side,
        OrderType.MARKET,
        quantity=amount(terms, "base_size"),
        client_id=client_id,
        echo={"kind": kind},
    )
    if kind == MARKET:
        return _market_order(spec, terms)
    if spec.quantity is None:
        raise invalid("base_size is required")
    price = amount(terms, "limit_price")
    if price is None:
        raise invalid("limit_price is required")
    if kind in _LIMITS:
        post_only = terms.get("post_only") is True
        return replace(
            spec, type=OrderType.LIMIT, price=price, time_in_force=_LIMITS[kind], post_only=post_only
        )
    direction, trigger = _DIRECTIONS.get(str(terms.get("stop_direction"))), amount(terms, "stop_price")
    if kind != STOP_LIMIT or direction is None or trigger is None:
        raise Refused("UNSUPPORTED_ORDER_CONFIGURATION")
    stops = direction is (side is Side.SELL)
    type_ = OrderType.STOP_LIMIT if stops else OrderType.TAKE_PROFIT_LIMIT
    return replace(spec, type=type_, price=price, trigger_price=trigger)


def _market_order(spec: OrderSpec, terms: Mapping[str, object]) -> OrderSpec:
    """By base, or a purchase by quote, of which the fee is a part."""
    quote = amount(terms, "quote_size")
    if (quote is None) is (spec.quantity is None):
        raise invalid("give quote_size or base_size")
    if quote is None:
        return spec
    if spec.side is Side.SELL:
        raise Refused("UNSUPPORTED_ORDER_CONFIGURATION")
    return replace(
        spec,
        quote_quantity=EXACT.divide(quote, 1 + rules.RULES.taker).quantize(Decimal("0.00000001")),
        echo={**spec.echo, "quote_size": f"{quote:f}"},
    )


def _exits(
    terms: Mapping[str, object],
    market: Market,
    side: Side,
    quantity: Decimal | None,
    client_id: str | None,
    entry_price: Decimal | None = None,
) -> tuple[OrderSpec, ...]:
    """The two legs of a bracket: a stop whose limit is five percent beyond it, and a limit order."""
    target, stop = amount(terms, "limit_price"), amount(terms, "stop_trigger_price")
    if target is None or stop is None:
        raise Refused("SINGLE_LEGGED_TPSL_NOT_ALLOWED")
    last = entry_price or market.last
    if not (stop < last < target if side is Side.SELL else target < last < stop):
        raise Refused("INVALID_BRACKET_PRICES")
    rules.check_price(target, market.instrument)
    rules.check_price(stop, market.instrument)
    reach = 1 - _REACH if side is Side.SELL else 1 + _REACH
    base = OrderSpec(
        market.instrument.symbol, side, OrderType.STOP_LIMIT, quantity=quantity, echo={"kind": BRACKET}
    )
    limit = floor_to_step(stop * reach, market.instrument.tick)
    return (
        replace(base, price=limit, trigger_price=stop, client_id=client_id),
        replace(base, type=OrderType.LIMIT, price=target),
    )


def _only(configuration: object) -> tuple[str, Mapping[str, object]]:
    """The one kind that a configuration holds, and its terms."""
    if not isinstance(configuration, dict) or len(configuration) != 1:
        raise invalid("order_configuration must have exactly one key")
    [(kind, terms)] = configuration.items()
    if not isinstance(terms, dict):
        raise invalid("order_configuration is malformed")
    return str(kind), terms
