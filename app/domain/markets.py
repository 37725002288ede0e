"""Markets, their rules, and the prices quoted on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from app.domain.errors import Violation
from app.domain.money import EXACT, floor_to_step, plain
from app.domain.orders import OrderRequest, OrderType, Side


class MarketKind(StrEnum):
    """Spot, or perpetual futures."""

    SPOT = "SPOT"
    SWAP = "SWAP"


@dataclass(frozen=True, slots=True)
class Market:
    """A tradable pair. A rule the exchange does not set is None (a grid it does not set is zero).

    ``min_quantity``, ``max_quantity``, ``max_market_quantity`` and ``lot_size`` are in base; ``tick_size``,
    ``min_notional`` and ``quote_lot_size`` (the grid of market orders sized in quote) in quote.
    """

    symbol: str
    exchange_symbol: str
    base: str
    quote: str
    kind: MarketKind
    active: bool
    tick_size: Decimal
    lot_size: Decimal
    min_quantity: Decimal | None = None
    max_quantity: Decimal | None = None
    min_notional: Decimal | None = None
    max_market_quantity: Decimal | None = None
    quote_lot_size: Decimal = Decimal(0)

    def quantize_price(self, price: Decimal) -> Decimal:
        """The price on this market's grid, rounded toward zero."""
        return floor_to_step(price, self.tick_size)

    def quantize_quantity(self, quantity: Decimal) -> Decimal:
        """The amount in base on this market's grid, rounded toward zero; never enlarged to a minimum."""
        return floor_to_step(quantity, self.lot_size)

    def quantize_quote(self, amount: Decimal) -> Decimal:
        """The amount in quote on this market's grid, rounded toward zero; never enlarged to a minimum."""
        return floor_to_step(amount, self.quote_lot_size)

    def check(self, request: OrderRequest, *, last_price: Decimal | None = None) -> list[Violation]:
        """Every rule of this market that a request breaks after rounding; empty when it may be sent.

        ``last_price`` values a market order sized in base; without it the minimum value is checked only where
        the request itself tells a price.
        """
        return [
            *self._state_violations(),
            *_size_violations(request),
            *_price_violations(request, self),
            *_leg_violations(request, self),
            *self._quantity_violations(request),
            *self._notional_violations(request, last_price),
        ]

    def _state_violations(self) -> list[Violation]:
        if self.active:
            return []
        return [Violation("market_closed", f"{self.symbol} is not open for trading at the moment")]

    def _quantity_violations(self, request: OrderRequest) -> list[Violation]:
        if request.quantity is None or request.quantity <= 0:
            return []
        quantity = self.quantize_quantity(request.quantity)
        if quantity == 0:
            return [
                Violation(
                    "lot_size",
                    f"{plain(request.quantity)} {self.base} is less than one lot of {plain(self.lot_size)}",
                )
            ]
        if self.min_quantity is not None and quantity < self.min_quantity:
            return [
                Violation(
                    "min_quantity",
                    f"{plain(quantity)} {self.base} is below the minimum of {plain(self.min_quantity)}",
                )
            ]
        maximum = self._max_quantity(request.type)
        if maximum and quantity > maximum:
            return [
                Violation(
                    "max_quantity",
                    f"{plain(quantity)} {self.base} is above the maximum of {plain(maximum)}",
                )
            ]
        return []

    def _max_quantity(self, type_: OrderType) -> Decimal | None:
        if type_ is OrderType.MARKET and self.max_market_quantity:
            return self.max_market_quantity
        return self.max_quantity

    def _notional_violations(self, request: OrderRequest, last_price: Decimal | None) -> list[Violation]:
        if self.min_notional is None:
            return []
        value = self.notional(request, last_price)
        if value is None or value >= self.min_notional or value <= 0:
            return []
        return [
            Violation(
                "min_notional",
                f"the order is worth {plain(value)} {self.quote}, below the minimum of "
                f"{plain(self.min_notional)} {self.quote}",
            )
        ]

    def notional(self, request: OrderRequest, last_price: Decimal | None = None) -> Decimal | None:
        """What a request is worth in quote after rounding, or None when no price is known."""
        if request.quote_quantity is not None:
            return self.quantize_quote(request.quote_quantity)
        price = request.price or request.trigger_price or last_price
        if request.quantity is None or price is None:
            return None
        return EXACT.multiply(self.quantize_quantity(request.quantity), self.quantize_price(price))


def _size_violations(request: OrderRequest) -> list[Violation]:
    sizes = [size for size in (request.quantity, request.quote_quantity) if size is not None]
    if len(sizes) != 1:
        return [Violation("size", "give exactly one size: a quantity in base or an amount in quote")]
    if sizes[0] <= 0:
        return [Violation("size", "the size must be greater than zero")]
    return []


def _price_violations(request: OrderRequest, market: Market) -> list[Violation]:
    found = [
        *_price_needed("price", "limit price", request.type.has_price, request.price),
        *_price_needed("trigger_price", "trigger price", request.type.has_trigger, request.trigger_price),
        *_distance_violations(request),
    ]
    for rule, price in (("price", request.price), ("trigger_price", request.trigger_price)):
        if price is not None and price > 0 and market.quantize_price(price) == 0:
            found.append(
                Violation(
                    "tick_size", f"{rule} {plain(price)} is below one tick of {plain(market.tick_size)}"
                )
            )
    return found


def _distance_violations(request: OrderRequest) -> list[Violation]:
    trails, percent = request.type is OrderType.TRAILING_STOP, request.trailing_percent
    found = _price_needed("trailing_percent", "trailing distance", trails, percent)
    if not found and percent is not None and percent >= 100:
        return [Violation("trailing_percent", "the trailing distance must be less than 100 percent")]
    return found


def _leg_violations(request: OrderRequest, market: Market) -> list[Violation]:
    found = []
    legs = (
        ("stop_loss", request.stop_loss, request.side),
        ("take_profit", request.take_profit, request.side.opposite),
    )
    for rule, leg, below_when in legs:
        if leg is None:
            continue
        words = rule.replace("_", "-")
        prices = [price for price in (leg.trigger_price, leg.limit_price) if price is not None]
        if any(market.quantize_price(price) <= 0 for price in prices):
            found.append(
                Violation(rule, f"the {words} must be at least one tick of {plain(market.tick_size)}")
            )
        elif request.price is not None:
            wanted = "below" if below_when is Side.BUY else "above"
            below = leg.trigger_price < request.price
            if leg.trigger_price == request.price or below is not (wanted == "below"):
                found.append(
                    Violation(rule, f"the {words} of this {request.side} must lie {wanted} its price")
                )
    return found


def _price_needed(rule: str, words: str, needed: bool, price: Decimal | None) -> list[Violation]:
    if needed and price is None:
        return [Violation(rule, f"this order needs a {words}")]
    if not needed and price is not None:
        return [Violation(rule, f"this order takes no {words}")]
    if price is not None and price <= 0:
        return [Violation(rule, f"the {words} must be greater than zero")]
    return []


@dataclass(frozen=True, slots=True)
class Ticker:
    """The last 24 hours of a market; volumes in base and in quote."""

    symbol: str
    last: Decimal | None
    bid: Decimal | None = None
    ask: Decimal | None = None
    high: Decimal | None = None
    low: Decimal | None = None
    base_volume: Decimal | None = None
    quote_volume: Decimal | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """One price of an order book and the amount in base offered there."""

    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class OrderBook:
    """Bids and asks, best first."""

    symbol: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Candle:
    """One interval of trading; ``at`` is its start, ``volume`` in base."""

    at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
