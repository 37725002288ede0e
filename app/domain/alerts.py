"""Alerts: the actions a signal may ask for and what may become of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from app.domain.money import plain, to_decimal
from app.domain.orders import OrderType, PriceOrPercent, Side, TargetWish


class AlertAction(StrEnum):
    """What an alert asks for, in the words it is written with."""

    PING = "PING"
    BUY_MARKET = "BuyMarket"
    SELL_MARKET = "SellMarket"
    BUY_LIMIT = "BuyLimit"
    SELL_LIMIT = "SellLimit"
    MAJ = "MAJ"
    """Mise à jour: move the protection of the open position."""
    CLOSE = "CLOSE"
    CANCEL = "CANCEL"
    REVERSE = "REVERSE"

    @property
    def places(self) -> tuple[Side, OrderType] | None:
        """The side and type of the order it asks for; None when it asks for something else."""
        return _ORDERS.get(self)


_ORDERS: Mapping[AlertAction, tuple[Side, OrderType]] = {
    AlertAction.BUY_MARKET: (Side.BUY, OrderType.MARKET),
    AlertAction.SELL_MARKET: (Side.SELL, OrderType.MARKET),
    AlertAction.BUY_LIMIT: (Side.BUY, OrderType.LIMIT),
    AlertAction.SELL_LIMIT: (Side.SELL, OrderType.LIMIT),
}

#: The ways to say how much, of which an alert uses at most one.
SIZES = ("percent", "quantity", "quote_quantity", "risk_percent", "equity_percent")


class StrategyPosition(StrEnum):
    """What a strategy holds on its chart, in TradingView's words."""

    LONG = "long"
    FLAT = "flat"
    SHORT = "short"


class AlertStatus(StrEnum):
    """What became of an alert."""

    RECEIVED = "RECEIVED"
    PROCESSED = "PROCESSED"
    ERROR = "ERROR"
    MISS = "MISS"
    DUPLICATE = "DUPLICATE"
    DENIED = "DENIED"
    EXPIRED = "EXPIRED"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will be done with the alert."""
        return self is not AlertStatus.RECEIVED


class OutOfStep(StrEnum):
    """What is done with an alert whose strategy holds something else than its broker does."""

    ALIGN = "ALIGN"
    """Trade toward what the strategy holds now."""
    SKIP = "SKIP"
    """Do nothing, and say why."""
    ASK = "ASK"
    """Do nothing until a person confirms it."""


@dataclass(frozen=True, slots=True)
class Signal:
    """An alert understood. ``percent`` is of free quote for a buy, of what is held for a sell or a close.

    ``risk_percent`` is the share of the account's worth that is lost at the stop-loss, ``equity_percent`` the share
    that is spent. ``targets`` are several take-profits in place of one. ``market_position`` and ``position_size`` are
    what the sender's strategy holds after this alert, ``prev_market_position`` what it held before. ``time`` is the
    sender's. ``leaves_type`` tells that a plain buy or sell does not say whether it is a limit order: the source does.
    ``extras`` keeps the keys we do not know, as they were written.
    """

    action: AlertAction
    symbol: str | None = None
    price: Decimal | None = None
    percent: Decimal | None = None
    quantity: Decimal | None = None
    quote_quantity: Decimal | None = None
    risk_percent: Decimal | None = None
    equity_percent: Decimal | None = None
    stop_loss: PriceOrPercent | None = None
    take_profit: PriceOrPercent | None = None
    targets: tuple[TargetWish, ...] = ()
    trailing_percent: Decimal | None = None
    market_position: StrategyPosition | None = None
    prev_market_position: StrategyPosition | None = None
    position_size: Decimal | None = None
    alert_id: str | None = None
    time: datetime | None = None
    expires_in: int | None = None
    comment: str | None = None
    leaves_type: bool = False
    extras: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> tuple[str, Decimal] | None:
        """The name and the amount of the one size it gives, if it gives one."""
        return next(((name, getattr(self, name)) for name in SIZES if getattr(self, name) is not None), None)

    @property
    def protects(self) -> bool:
        """Whether it says anything of a stop-loss or a take-profit."""
        return bool(self.stop_loss or self.take_profit or self.targets or self.trailing_percent)

    def expires_at(self, received_at: datetime, usual: int) -> datetime:
        """When it is too late to act: ``usual`` seconds after it was sent unless it says how long it is good for.

        That is counted from the sender's time if it tells one, however late the alert is delivered, but never from a
        time that has not come: clocks differ.
        """
        begun = received_at if self.time is None else min(self.time, received_at)
        return begun + timedelta(seconds=usual if self.expires_in is None else self.expires_in)


@dataclass(frozen=True, slots=True)
class AlertDefaults:
    """What a source says where its alerts do not: at most one size, the protection of entries, the expiry in seconds.

    ``order_type`` is of a plain buy or sell: a market order, or a limit order at the price that the alert gives.
    ``symbol_map`` goes from the sender's spelling, in capitals, to a market's symbol. ``out_of_step`` counts only for
    alerts that tell what their strategy holds.
    """

    order_type: OrderType = OrderType.MARKET
    percent: Decimal | None = None
    quantity: Decimal | None = None
    quote_quantity: Decimal | None = None
    risk_percent: Decimal | None = None
    equity_percent: Decimal | None = None
    stop_loss: PriceOrPercent | None = None
    take_profit: PriceOrPercent | None = None
    trailing_percent: Decimal | None = None
    symbol_map: Mapping[str, str] = field(default_factory=dict)
    out_of_step: OutOfStep = OutOfStep.SKIP
    expires_in: int = 60

    def complete(self, signal: Signal) -> Signal:
        """The signal of an entry with what it leaves out; of a sale with its type only, because it needs no more.

        A source's trailing stop is not laid upon an alert's own stop-loss, which is meant to stay where it is.
        """
        signal = self._typed(signal)
        if signal.action.places is None or signal.action.places[0] is Side.SELL:
            return signal
        sizes: dict[str, Any] = {name: getattr(self, name) for name in SIZES} if signal.size is None else {}
        stops = signal.stop_loss is not None or signal.trailing_percent is not None
        takes = signal.take_profit is not None or bool(signal.targets)
        return replace(
            signal,
            **sizes,
            stop_loss=signal.stop_loss if stops else self.stop_loss,
            trailing_percent=signal.trailing_percent if stops else self.trailing_percent,
            take_profit=signal.take_profit if takes else self.take_profit,
        )

    @property
    def size(self) -> tuple[str, Decimal] | None:
        """The name and the amount of the size of entries that say none, if there is one."""
        return next(((name, getattr(self, name)) for name in SIZES if getattr(self, name) is not None), None)

    def _typed(self, signal: Signal) -> Signal:
        places = signal.action.places
        if not signal.leaves_type or places is None:
            return signal
        action = next(action for action, order in _ORDERS.items() if order == (places[0], self.order_type))
        price = signal.price if self.order_type is OrderType.LIMIT else None
        return replace(signal, action=action, price=price, leaves_type=False)


def signal_to_json(signal: Signal) -> dict[str, Any]:
    """A signal as JSON can hold it, amounts as plain strings, what is absent left out."""
    found: dict[str, Any] = _exact(signal)
    return found


def _exact(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_exact(item) for item in value]
    if isinstance(
        value, Signal | PriceOrPercent | TargetWish
    ):  # by hand: `asdict` copies all it meets, deeply
        parts = ((name, getattr(value, name)) for name in value.__slots__)
        return {name: _exact(part) for name, part in parts if part not in (None, ()) and part is not False}
    return value


def signal_from_json(stored: Mapping[str, Any]) -> Signal:
    """The signal that `signal_to_json` made this of."""
    known = {name: read(stored[name]) for name, read in _READERS.items() if name in stored}
    return Signal(**known)


def _guard(stored: Mapping[str, str]) -> PriceOrPercent:
    return PriceOrPercent(**{kind: to_decimal(value) for kind, value in stored.items()})


def _targets(stored: Iterable[Mapping[str, Any]]) -> tuple[TargetWish, ...]:
    return tuple(TargetWish(_guard(each["at"]), to_decimal(each["share"])) for each in stored)


def _as_it_is(stored: Any) -> Any:
    return stored


#: How each part of a stored signal is read.
_READERS: Mapping[str, Callable[[Any], Any]] = {
    "action": AlertAction,
    **dict.fromkeys(("price", *SIZES, "trailing_percent", "position_size"), to_decimal),
    **dict.fromkeys(("stop_loss", "take_profit"), _guard),
    "targets": _targets,
    **dict.fromkeys(("market_position", "prev_market_position"), StrategyPosition),
    "time": datetime.fromisoformat,
    **dict.fromkeys(("symbol", "alert_id", "expires_in", "comment", "leaves_type", "extras"), _as_it_is),
}
