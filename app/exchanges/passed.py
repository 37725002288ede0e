"""Triggers that the market has passed already, where the exchange does not say so: told by the last price."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.errors import ExchangeError, InvalidOrder, OrderDenied, WouldTrigger
from app.domain.money import plain
from app.domain.orders import OrderRequest
from app.exchanges.base import Exchange


def explained(refused: InvalidOrder, exits: Sequence[OrderRequest], exchange: Exchange) -> InvalidOrder:
    """The refusal of ``exits`` as `WouldTrigger` when the last price is beyond one of their triggers.

    When the price cannot be asked for, the refusal stands as it is.
    """
    try:
        last = exchange.ticker(exits[0].symbol).last
    except ExchangeError:
        return refused
    if last is None or not any(exit_.would_trigger(last) for exit_ in exits):
        return refused
    return WouldTrigger(
        refused.exchange,
        refused.exchange_message,
        code=refused.code,
        http_status=refused.http_status,
        raw=refused.raw,
    )


def ensure_waits(request: OrderRequest, exchange: Exchange) -> None:
    """Refuse an order that would not wait, where triggers have no direction: a passed stop would take profit there.

    Raises:
        WouldTrigger: the last price has passed its trigger.
        OrderDenied: there is no price to wait from.
    """
    last = exchange.ticker(request.symbol).last
    if last is None:
        raise OrderDenied.because("trigger_price", "the market has no price yet to wait from")
    if request.would_trigger(last):
        wanted = "below" if request.type.waits_below(request.side) else "above"
        raise WouldTrigger(
            exchange.name, f"not sent: the trigger must lie {wanted} the last price of {plain(last)}"
        )
