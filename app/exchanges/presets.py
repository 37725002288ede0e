"""Exits attached to an entry, where the exchange creates them once it has filled and ties nothing back to it.

Until then an exit has no id at the exchange. We name it after its entry, its kind and its trigger, which is all that is
needed to recognise it among the waiting orders later: the opposite side, that trigger, born no earlier than the entry.
When nobody knows that an entry had presets (its answer was lost), its exits are the ones born with its fill.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from app.domain.money import plain
from app.domain.orders import Leg, OrderReport, OrderRequest, OrderStatus, OrderType, Side
from app.exchanges.rest import positive

PRESET_PREFIX = "preset-"
STOP, TARGET = "sl", "tp"
STOPS = frozenset({OrderType.STOP_LOSS, OrderType.STOP_LIMIT})
TARGETS = frozenset({OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT})

#: Within this time of the entry's fill its exits are born; and after it, one that is nowhere will not come any more.
BORN_WITHIN = timedelta(seconds=5)
GIVEN_UP_AFTER = timedelta(minutes=1)
#: Exits are sized by what the entry brought in: its fill less the fee.
SMALLEST_SHARE = Decimal("0.98")

_DATED = datetime.min.replace(tzinfo=UTC)
_ZERO = Decimal(0)

#: What an entry's record calls the trigger and the limit price of each kind of exit.
Words = Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Preset:
    """One exit that an entry carries."""

    entry_id: str
    kind: str
    trigger_price: Decimal
    limit_price: Decimal | None = None

    @property
    def name(self) -> str:
        """Its id until the exchange gives it one."""
        return f"{PRESET_PREFIX}{self.kind}-{self.entry_id}-{plain(self.trigger_price)}"

    @classmethod
    def named(cls, name: str) -> Preset:
        """The exit of such an id; raises ValueError for any other text."""
        kind, entry_id, trigger = name.removeprefix(PRESET_PREFIX).split("-")
        return cls(entry_id, kind, Decimal(trigger))

    @property
    def type(self) -> OrderType:
        """What it will be."""
        if self.kind == STOP:
            return OrderType.STOP_LOSS if self.limit_price is None else OrderType.STOP_LIMIT
        return OrderType.TAKE_PROFIT if self.limit_price is None else OrderType.TAKE_PROFIT_LIMIT


def asked_for(request: OrderRequest, entry_id: str) -> list[Preset]:
    """The exits that a request attaches."""
    legs: tuple[tuple[str, Leg | None], ...] = ((STOP, request.stop_loss), (TARGET, request.take_profit))
    return [Preset(entry_id, kind, leg.trigger_price, leg.limit_price) for kind, leg in legs if leg]


def told(entry: OrderReport, words: Words) -> list[Preset] | None:
    """The exits that an entry's record names; None when it does not speak of them, as not all records do."""
    if entry.exchange_order_id is None or not {trigger for trigger, _ in words.values()} <= entry.raw.keys():
        return None
    found = []
    for kind, names in words.items():
        trigger, limit = (positive(str(entry.raw.get(name) or "")) for name in names)
        if trigger is not None:
            found.append(Preset(entry.exchange_order_id, kind, trigger, limit))
    return found


def is_unborn(exit_: OrderReport) -> bool:
    """Whether the exchange has not created an exit."""
    return (exit_.exchange_order_id or "").startswith(PRESET_PREFIX)


def unborn(preset: Preset, entry: OrderReport, now: datetime) -> OrderReport:
    """An exit that the exchange has not created: it waits for the fill, or will not come any more."""
    waits = not entry.status.is_final or (
        entry.status is OrderStatus.FILLED and now - (entry.updated_at or now) < GIVEN_UP_AFTER
    )
    return OrderReport(
        exchange_order_id=preset.name,
        client_order_id=_client_id(entry, preset.kind),
        symbol=entry.symbol,
        side=entry.side and entry.side.opposite,
        type=preset.type,
        status=OrderStatus.PENDING if waits else OrderStatus.CANCELED,
        quantity=entry.quantity,
        filled_quantity=_ZERO,
        price=preset.limit_price,
        trigger_price=preset.trigger_price,
        created_at=entry.created_at,
        updated_at=entry.updated_at,
        raw=entry.raw,
    )


def children(
    entry: OrderReport, asked: Sequence[Preset], now: datetime, lists: Iterable[Iterable[OrderReport]]
) -> tuple[OrderReport, ...]:
    """The exits asked for, each as the exchange has it or, until it is born, as it was asked for.

    ``lists`` are the places that may have them, of which no more are read than needed.
    """
    waiting = tuple(unborn(preset, entry, now) for preset in asked)
    if not asked or not entry.filled_quantity:
        return waiting
    seen: list[OrderReport] = []
    found = waiting
    for exits in lists:
        seen += exits
        found = tuple(
            born(preset, entry, seen) or exit_ for preset, exit_ in zip(asked, waiting, strict=True)
        )
        if not any(map(is_unborn, found)):
            break
    return found


def born(preset: Preset, entry: OrderReport, exits: Iterable[OrderReport]) -> OrderReport | None:
    """The exit among the waiting orders, when it is there."""
    since = (entry.created_at or _DATED) - timedelta(seconds=1)
    candidates = [
        exit_
        for exit_ in _of_side(entry, exits)
        if exit_.trigger_price == preset.trigger_price and (exit_.created_at or _DATED) >= since
    ]
    return None if not candidates else _as_child(_nearest(candidates, entry), entry, preset.kind)


def born_with(entry: OrderReport, exits: Iterable[OrderReport]) -> tuple[OrderReport, ...]:
    """The exits of a filled entry of which it is not known whether it carried any: at most one of a kind."""
    filled = entry.filled_quantity or _ZERO
    born_then = [
        exit_
        for exit_ in _of_side(entry, exits)
        if _distance(exit_, entry) <= BORN_WITHIN
        and SMALLEST_SHARE * filled <= (exit_.quantity or _ZERO) <= filled
    ]
    found = []
    for kind, types in ((STOP, STOPS), (TARGET, TARGETS)):
        of_kind = [exit_ for exit_ in born_then if exit_.type in types]
        if of_kind:
            found.append(_as_child(_nearest(of_kind, entry), entry, kind))
    return tuple(found)


def _of_side(entry: OrderReport, exits: Iterable[OrderReport]) -> list[OrderReport]:
    return [typed(exit_, entry.average_price) for exit_ in exits if exit_.side is not entry.side]


def _nearest(exits: Iterable[OrderReport], entry: OrderReport) -> OrderReport:
    return min(exits, key=lambda exit_: _distance(exit_, entry))


def _distance(exit_: OrderReport, entry: OrderReport) -> timedelta:
    return abs((exit_.created_at or _DATED) - (entry.updated_at or _DATED))


def _as_child(exit_: OrderReport, entry: OrderReport, kind: str) -> OrderReport:
    return replace(exit_, client_order_id=_client_id(entry, kind))


def _client_id(entry: OrderReport, kind: str) -> str | None:
    """Ours alone: the exchange gives exits ids of its own and takes none."""
    return f"{entry.client_order_id}-{kind}" if entry.client_order_id else None


def typed(order: OrderReport, reference: Decimal | None) -> OrderReport:
    """An order that waits for a price, told whether it stops or takes profit, where no record does.

    ``reference`` is a price of the market while it waits. Without one the type stays unknown.
    """
    if order.trigger_price is None or order.side is None or reference is None:
        return order
    type_ = _waiting_type(order.side, order.trigger_price < reference, order.price is not None)
    return replace(order, type=type_)


def _waiting_type(side: Side, below: bool, at_limit: bool) -> OrderType:
    """What an order is that waits for a price below the market, or above it."""
    if below is (side is Side.SELL):
        return OrderType.STOP_LIMIT if at_limit else OrderType.STOP_LOSS
    return OrderType.TAKE_PROFIT_LIMIT if at_limit else OrderType.TAKE_PROFIT
