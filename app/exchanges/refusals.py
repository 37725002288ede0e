"""What is settled before the wire: what an exchange cannot do, and the grid a request goes out on."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from app.domain.errors import Violation
from app.domain.markets import Market
from app.domain.money import plain
from app.domain.orders import Leg, OcoRequest, OrderRequest, OrderType, Side, TimeInForce
from app.exchanges.base import Capabilities, TrailingRange


def refusals(able: Capabilities, request: OrderRequest) -> list[Violation]:
    """Everything a request asks for that the exchange does not offer natively."""
    found = []
    if request.type not in able.order_types:
        found.append(Violation("order_type", f"the exchange has no {request.type} orders"))
    elif request.trailing_percent is not None and able.trailing is not None:
        found += _trailing_refusals(able.trailing, request.trailing_percent)
    if request.quote_quantity is not None:
        found += _quote_quantity_refusals(able, request)
    if request.post_only and (
        request.type is not OrderType.LIMIT or request.time_in_force is not TimeInForce.GTC
    ):
        found.append(Violation("post_only", "only a limit order that rests (GTC) can be post-only"))
    return [*found, *_leg_refusals(able, request)]


def _trailing_refusals(range_: TrailingRange, percent: Decimal) -> list[Violation]:
    if range_.holds(percent):
        return []
    return [
        Violation(
            "trailing_percent",
            f"a trailing stop follows here at {plain(range_.least)} to {plain(range_.most)} percent, "
            f"in steps of {plain(range_.step)}",
        )
    ]


def _quote_quantity_refusals(able: Capabilities, request: OrderRequest) -> list[Violation]:
    if request.type is not OrderType.MARKET:
        return [Violation("quote_quantity", "only a market order can be sized in quote")]
    buying = request.side is Side.BUY
    if able.quote_quantity_market_buy if buying else able.quote_quantity_market_sell:
        return []
    return [Violation("quote_quantity", f"a market {request.side} cannot be sized in quote here")]


def _leg_refusals(able: Capabilities, request: OrderRequest) -> list[Violation]:
    stop, target = request.stop_loss, request.take_profit
    if stop and target:
        if request.type in able.attached_both:
            return []
        return [Violation("attached", f"a {request.type} order cannot carry a stop-loss and a take-profit")]
    if stop and request.type not in able.attached_stop_loss:
        return [Violation("stop_loss", f"a {request.type} order cannot carry a stop-loss")]
    if target and request.type not in able.attached_take_profit:
        return [Violation("take_profit", f"a {request.type} order cannot carry a take-profit")]
    return []


def exits_of(request: OcoRequest) -> tuple[OrderRequest, OrderRequest]:
    """A pair of exits as the two orders it stands for: the stop-loss and the take-profit."""
    stop = _exit(request, request.stop_loss, OrderType.STOP_LOSS, OrderType.STOP_LIMIT)
    if request.trailing_percent is not None:
        stop = replace(
            stop,
            type=OrderType.TRAILING_STOP,
            trigger_price=None,
            trailing_percent=request.trailing_percent,
        )
    return stop, _exit(request, request.take_profit, OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT)


def pair_refusals(able: Capabilities, request: OcoRequest) -> list[Violation]:
    """Everything a pair asks for that the exchange does not offer, or that no market price lies between."""
    found = []
    if request.trailing_percent is not None and not able.trailing_in_pairs:
        found.append(Violation("trailing_percent", "the exchange has no pairs of exits of which one trails"))
    elif request.trailing_percent is not None and able.trailing is not None:
        found += _trailing_refusals(able.trailing, request.trailing_percent)
    stop, target = request.stop_loss.trigger_price, request.take_profit.trigger_price
    if stop == target or (stop < target) is not (request.side is Side.SELL):
        wanted = "above" if request.side is Side.SELL else "below"
        words = f"the take-profit of this {request.side} must lie {wanted} its stop-loss"
        found.append(Violation("take_profit", words))
    return found


def _exit(request: OcoRequest, leg: Leg, at_market: OrderType, at_limit: OrderType) -> OrderRequest:
    return OrderRequest(
        request.symbol,
        request.side,
        at_market if leg.limit_price is None else at_limit,
        quantity=request.quantity,
        price=leg.limit_price,
        trigger_price=leg.trigger_price,
        client_order_id=request.client_order_id,
    )


def on_grid(request: OrderRequest, market: Market) -> OrderRequest:
    """The request with every amount and price on the market's grid, rounded toward zero."""
    return replace(
        request,
        quantity=None if request.quantity is None else market.quantize_quantity(request.quantity),
        quote_quantity=None
        if request.quote_quantity is None
        else market.quantize_quote(request.quote_quantity),
        price=_tick(request.price, market),
        trigger_price=_tick(request.trigger_price, market),
        stop_loss=None if request.stop_loss is None else _leg(request.stop_loss, market),
        take_profit=None if request.take_profit is None else _leg(request.take_profit, market),
    )


def pair_on_grid(request: OcoRequest, market: Market) -> OcoRequest:
    """The same for two exits."""
    return replace(
        request,
        quantity=market.quantize_quantity(request.quantity),
        stop_loss=_leg(request.stop_loss, market),
        take_profit=_leg(request.take_profit, market),
    )


def _tick(price: Decimal | None, market: Market) -> Decimal | None:
    return None if price is None else market.quantize_price(price)


def _leg(leg: Leg, market: Market) -> Leg:
    return Leg(market.quantize_price(leg.trigger_price), _tick(leg.limit_price, market))
