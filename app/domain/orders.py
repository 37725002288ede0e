"""Orders: what is asked for, what the exchange reports, and the states an order may pass through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from app.domain.errors import InvalidTransition
from app.domain.money import plain, to_decimal


class Side(StrEnum):
    """The direction of an order, seen from the base asset."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def opposite(self) -> Side:
        """The side that closes what this one opens."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(StrEnum):
    """How an order executes. STOP_LOSS and TAKE_PROFIT become market orders at their trigger.

    So does TRAILING_STOP, whose trigger follows the market at a distance and never turns back.
    """

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP_LOSS = "STOP_LOSS"
    TAKE_PROFIT = "TAKE_PROFIT"
    STOP_LIMIT = "STOP_LIMIT"
    TAKE_PROFIT_LIMIT = "TAKE_PROFIT_LIMIT"
    TRAILING_STOP = "TRAILING_STOP"

    @property
    def has_price(self) -> bool:
        """Whether it executes at a limit price."""
        return self in (OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT)

    @property
    def has_trigger(self) -> bool:
        """Whether it waits for the market to reach a trigger price that is given."""
        return self not in (OrderType.MARKET, OrderType.LIMIT, OrderType.TRAILING_STOP)

    @property
    def is_stop(self) -> bool:
        """Whether it acts when the market turns against its owner, rather than in their favour."""
        return self in (OrderType.STOP_LOSS, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP)

    def waits_below(self, side: Side) -> bool:
        """Whether the trigger of such an order lies below the market while it waits."""
        return self.is_stop is (side is Side.SELL)


class TimeInForce(StrEnum):
    """How long a limit order rests."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


class OrderStatus(StrEnum):
    """The states of spec 4; see `TRANSITIONS` for what may follow what."""

    PENDING = "PENDING"
    SUBMITTED = "SUBMITTED"
    OPEN = "OPEN"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"
    DENIED = "DENIED"

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to the order any more."""
        return not TRANSITIONS[self]

    @property
    def is_live(self) -> bool:
        """Whether the order rests on the exchange."""
        return self in (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)


_CLOSED_BY_EXCHANGE = frozenset({OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED})

#: PENDING is reached again from SUBMITTED only when the exchange surely did not execute.
TRANSITIONS: Mapping[OrderStatus, frozenset[OrderStatus]] = {
    OrderStatus.PENDING: frozenset(
        {OrderStatus.SUBMITTED, OrderStatus.DENIED, OrderStatus.EXPIRED, OrderStatus.CANCELED}
    ),
    OrderStatus.SUBMITTED: frozenset(
        {
            OrderStatus.PENDING,
            OrderStatus.OPEN,
            OrderStatus.PARTIALLY_FILLED,
            OrderStatus.REJECTED,
            OrderStatus.DENIED,
        }
    )
    | _CLOSED_BY_EXCHANGE,
    OrderStatus.OPEN: frozenset({OrderStatus.PARTIALLY_FILLED}) | _CLOSED_BY_EXCHANGE,
    OrderStatus.PARTIALLY_FILLED: _CLOSED_BY_EXCHANGE,
    OrderStatus.FILLED: frozenset(),
    OrderStatus.CANCELED: frozenset(),
    OrderStatus.EXPIRED: frozenset(),
    OrderStatus.REJECTED: frozenset(),
    OrderStatus.DENIED: frozenset(),
}


def ensure_transition(current: OrderStatus, following: OrderStatus) -> None:
    """Refuse a step the life of an order does not allow.

    Raises:
        InvalidTransition: naming both states.
    """
    if following not in TRANSITIONS[current]:
        raise InvalidTransition(f"an order that is {current} cannot become {following}")


@dataclass(frozen=True, slots=True)
class Leg:
    """One protective exit: at ``trigger_price`` it sells at the market, or at ``limit_price`` when given."""

    trigger_price: Decimal
    limit_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """One order as it shall reach the exchange. Exactly one of ``quantity`` (base) and ``quote_quantity``.

    ``trailing_percent`` is how far a trailing stop's trigger keeps from the best price since it was placed.
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
    client_order_id: str | None = None
    stop_loss: Leg | None = None
    take_profit: Leg | None = None
    trailing_percent: Decimal | None = None

    def would_trigger(self, last: Decimal) -> bool:
        """Whether a market whose last price is this has reached the trigger already."""
        if self.trigger_price is None:
            return False
        return last <= self.trigger_price if self.type.waits_below(self.side) else last >= self.trigger_price


@dataclass(frozen=True, slots=True)
class PriceOrPercent:
    """A protective price, given absolutely or as percent away from the entry. Exactly one is set."""

    price: Decimal | None = None
    percent: Decimal | None = None

    @classmethod
    def read(cls, text: str) -> PriceOrPercent:
        """What ``100.5`` or ``2%`` says.

        Raises:
            InvalidAmount: it is no number.
        """
        if text.strip().endswith("%"):
            return cls(percent=to_decimal(text.strip().removesuffix("%")))
        return cls(price=to_decimal(text))

    def __str__(self) -> str:
        return f"{plain(self.percent)}%" if self.percent is not None else plain(self.price or Decimal(0))


@dataclass(frozen=True, slots=True)
class TargetWish:
    """One of several take-profits: at this price, or percent above the entry, ``share`` percent of it is sold."""

    at: PriceOrPercent
    share: Decimal


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """What a person or a signal wants, before a market's rules and a balance make it a request.

    ``symbol`` is as written. Exactly one size: ``quantity`` in base, ``quote_quantity``, or ``percent`` of the free
    quote for a buy and of the free base for a sell. ``targets`` are several take-profits in place of one;
    ``trailing_percent`` is the distance at which the stop-loss follows the best price.
    """

    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal | None = None
    quote_quantity: Decimal | None = None
    percent: Decimal | None = None
    price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    post_only: bool = False
    stop_loss: PriceOrPercent | None = None
    take_profit: PriceOrPercent | None = None
    targets: tuple[TargetWish, ...] = ()
    trailing_percent: Decimal | None = None

    @property
    def first_stop(self) -> PriceOrPercent | None:
        """Where the stop-loss begins: a trailing one of which no more is said at its distance from the entry."""
        if self.stop_loss is not None or self.trailing_percent is None:
            return self.stop_loss
        return PriceOrPercent(percent=self.trailing_percent)


@dataclass(frozen=True, slots=True)
class OcoRequest:
    """Two exits of which the first to execute cancels the other; ``quantity`` in base, held once.

    With ``trailing_percent`` the stop-loss is a trailing stop at this distance, and its trigger only where it begins.
    """

    symbol: str
    side: Side
    quantity: Decimal
    stop_loss: Leg
    take_profit: Leg
    client_order_id: str | None = None
    trailing_percent: Decimal | None = None


@dataclass(frozen=True, slots=True)
class OrderReport:
    """An order as the exchange tells it. What it does not tell is None, never zero.

    ``quantity``, ``filled_quantity`` and ``remaining`` are in base, ``cost`` in quote; ``fees`` maps an asset to
    the amount charged; ``children`` are the legs of an OCO or the exits attached to an entry.
    """

    exchange_order_id: str | None
    client_order_id: str | None
    symbol: str
    side: Side | None
    type: OrderType | None
    status: OrderStatus
    quantity: Decimal | None = None
    filled_quantity: Decimal | None = None
    remaining: Decimal | None = None
    price: Decimal | None = None
    average_price: Decimal | None = None
    trigger_price: Decimal | None = None
    trailing_percent: Decimal | None = None
    cost: Decimal | None = None
    fees: Mapping[str, Decimal] = field(default_factory=dict)
    created_at: datetime | None = None
    updated_at: datetime | None = None
    children: tuple[OrderReport, ...] = ()
    fills: tuple[Fill, ...] = ()
    raw: Mapping[str, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution of an order. ``quantity`` and ``cost`` as in `OrderReport`; ``maker`` None when not told."""

    trade_id: str
    exchange_order_id: str | None
    client_order_id: str | None
    symbol: str
    side: Side | None
    price: Decimal
    quantity: Decimal
    cost: Decimal
    fee: Decimal | None
    fee_asset: str | None
    maker: bool | None
    at: datetime | None
