"""The words of the matching engine: what is asked of it, what it keeps, and why it refuses.

Times are integers, microseconds since the epoch; amounts are exact Decimals, quantities in base asset.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

ZERO = Decimal(0)


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self) -> Side:
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(StrEnum):
    MARKET = "market"
    LIMIT = "limit"
    STOP_LOSS = "stop_loss"
    TAKE_PROFIT = "take_profit"
    STOP_LIMIT = "stop_limit"
    TAKE_PROFIT_LIMIT = "take_profit_limit"
    TRAILING_STOP = "trailing_stop"


STOPS = frozenset({OrderType.STOP_LOSS, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP})
TRIGGERED = STOPS | {OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT}


class TimeInForce(StrEnum):
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"


class State(StrEnum):
    PENDING = "pending"
    """A leg that waits for its working order to fill; nothing is held for it."""
    OPEN = "open"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    """Refused after it had been accepted, for example a stop that could not be paid for when it triggered."""


LIVE = frozenset({State.PENDING, State.OPEN, State.PARTIALLY_FILLED})


class Reason(StrEnum):
    """Why an accepted order ended without filling whole."""

    CANCELED = "canceled"
    IOC_REMAINDER = "ioc_remainder"
    FOK_UNFILLED = "fok_unfilled"
    NO_LIQUIDITY = "no_liquidity"
    SIBLING = "sibling"
    WORKING_ENDED = "working_ended"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    WOULD_MATCH = "would_match"
    TIME_OUT = "time_out"


class Refusal(StrEnum):
    """Why the engine did not accept a request; nothing has changed when it is raised."""

    UNKNOWN_SYMBOL = "unknown_symbol"
    MARKET_CLOSED = "market_closed"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    DUPLICATE_CLIENT_ID = "duplicate_client_id"
    WOULD_MATCH = "would_match"
    WOULD_TRIGGER = "would_trigger"
    NOT_OPEN = "not_open"
    BAD_AMENDMENT = "bad_amendment"
    BAD_LEGS = "bad_legs"


class Refused(Exception):
    """The engine's no; a dialect words it the way its exchange does."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class OrderSpec:
    """One order as a dialect understood it.

    Exactly one of ``quantity`` (base) and ``quote_quantity`` is set, the latter only for orders that execute at
    market; an exit with neither takes the size of what its working order brings in.
    ``echo`` holds fields the exchange merely repeats in its answers. ``expires_at`` is when the order lapses by the
    exchange's clock. ``trailing_percent`` is how far a trailing stop's trigger keeps from the best price since it was
    placed. ``fee_in_quote`` says what the fee is paid in where a customer may choose; None leaves it to
    the exchange's rules. ``close`` is an order of its own that every fill brings forth, in the quantity of that fill.
    ``holds`` says whether it holds balance while it waits for its trigger; None leaves that to the rules, too.
    """

    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal | None = None
    quote_quantity: Decimal | None = None
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    post_only: bool = False
    client_id: str | None = None
    echo: Mapping[str, str] = field(default_factory=dict)
    expires_at: int | None = None
    fee_in_quote: bool | None = None
    close: OrderSpec | None = None
    trailing_percent: Decimal | None = None
    holds: bool | None = None

    @property
    def waits(self) -> bool:
        """Whether it waits for a price before it is an order in the book."""
        return self.type in TRIGGERED

    @property
    def triggers_above(self) -> bool:
        """Whether the trigger fires when the price rises to it: stop buys and profit-taking sells do."""
        return (self.type in STOPS) == (self.side is Side.BUY)

    def trigger_from(self, best: Decimal) -> Decimal | None:
        """The price that fires it: the one it was given, or the one at its distance from the best price so far."""
        if self.trailing_percent is None:
            return self.trigger_price
        distance = best * self.trailing_percent / 100
        return best + distance if self.triggers_above else best - distance


@dataclass(frozen=True, slots=True)
class Fill:
    trade_id: int
    order_id: int
    symbol: str
    side: Side
    price: Decimal
    quantity: Decimal
    cost: Decimal
    fee: Decimal
    fee_asset: str
    maker: bool
    at: int


@dataclass(slots=True, eq=False)
class Order:
    """An accepted order and all that has happened to it.

    ``received_at`` is true time; the other times are the exchange's own clock, skew and all. ``quantity`` of a
    market order by quote is what it came to. ``best`` is the best price since it was placed, seen from the side that
    waits for the market to turn. ``parent`` is the order whose fill brought this one forth.
    """

    id: int
    api_key: str
    spec: OrderSpec
    client_id: str
    quantity: Decimal
    received_at: int
    created_at: int
    updated_at: int
    best: Decimal
    state: State = State.OPEN
    working_at: int | None = None
    triggered: bool = False
    amendments: int = 0
    filled: Decimal = ZERO
    cost: Decimal = ZERO
    held: Decimal = ZERO
    fees: dict[str, Decimal] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    reason: Reason | None = None
    group: OrderGroup | None = None
    parent: Order | None = None

    @property
    def symbol(self) -> str:
        return self.spec.symbol

    @property
    def side(self) -> Side:
        return self.spec.side

    @property
    def price(self) -> Decimal | None:
        return self.spec.price

    @property
    def remaining(self) -> Decimal:
        return self.quantity - self.filled

    @property
    def live(self) -> bool:
        return self.state in LIVE

    @property
    def waits_for_trigger(self) -> bool:
        return self.spec.waits and not self.triggered

    @property
    def trigger_price(self) -> Decimal | None:
        """Where it fires as things stand."""
        return self.spec.trigger_from(self.best)

    def would_trigger(self, last: Decimal) -> bool:
        """Whether the last price has reached the trigger."""
        trigger = self.trigger_price
        if trigger is None:
            return False
        return last >= trigger if self.spec.triggers_above else last <= trigger

    def follow(self, last: Decimal) -> None:
        """Let a trailing stop's trigger come along with the market, never away from it."""
        self.best = min(self.best, last) if self.spec.triggers_above else max(self.best, last)


@dataclass(slots=True, eq=False)
class OrderGroup:
    """Orders that depend on one another.

    With a ``working`` order the ``exits`` wait until it has filled whole (OTO, OTOCO); two exits exclude each
    other and share one hold (OCO).
    """

    id: int
    client_id: str
    symbol: str
    exits: tuple[Order, ...]
    created_at: int
    updated_at: int
    working: Order | None = None

    @property
    def orders(self) -> tuple[Order, ...]:
        return self.exits if self.working is None else (self.working, *self.exits)

    @property
    def live(self) -> bool:
        return any(order.live for order in self.orders)

    def siblings(self, order: Order) -> tuple[Order, ...]:
        """The exits that end when this one starts to execute."""
        return tuple(exit_ for exit_ in self.exits if exit_ is not order) if order in self.exits else ()
