"""Refusals that do not say why: told apart by what the market says, whether it has passed a trigger already."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.errors import ExchangeError, InvalidOrder, WouldTrigger
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
