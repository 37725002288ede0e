"""Market buys in base on exchanges that size them in quote only: by what the order book asks for that much."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from app.domain.errors import OrderDenied
from app.domain.markets import Market, OrderBook
from app.domain.money import EXACT, is_multiple, plain
from app.domain.orders import OrderRequest, OrderType, Side
from app.exchanges.base import Exchange


def in_quote(request: OrderRequest, market: Market, exchange: Exchange, depth: int) -> OrderRequest:
    """A market buy in base as one in quote, any other request as it is.

    It is sized by what that much costs at the offers of the book read just now, at most a step of the quote's grid
    more. It brings in exactly what was asked for unless the book moves in between: less when the price rises, more when
    it falls, by as much as the price has moved.

    Raises:
        OrderDenied: the book does not offer as much, or it comes to an amount that breaks a rule of the market.
    """
    if request.type is not OrderType.MARKET or request.side is Side.SELL or request.quantity is None:
        return request
    cost = cost_of(request.quantity, exchange.order_book(market.symbol, depth))
    if cost is None:
        raise OrderDenied.because(
            "liquidity",
            f"the order book does not offer {plain(request.quantity)} {market.base}",
            remedy="Buy less at once, or give the amount in quote.",
        )
    sized = replace(request, quantity=None, quote_quantity=_on_grid(cost, market))
    violations = market.check(sized)
    if violations:
        raise OrderDenied(violations)
    return sized


def cost_of(quantity: Decimal, book: OrderBook) -> Decimal | None:
    """What buying so much of the base would cost in quote at the offers of a book; None when it offers less."""
    missing, cost = quantity, Decimal(0)
    for level in book.asks:
        taken = min(missing, level.quantity)
        cost = EXACT.add(cost, EXACT.multiply(taken, level.price))
        missing -= taken
        if not missing:
            return cost
    return None


def _on_grid(cost: Decimal, market: Market) -> Decimal:
    """The least amount on the grid that pays for it."""
    step = market.quote_lot_size
    if not step or is_multiple(cost, step):
        return cost
    return market.quantize_quote(cost) + step
