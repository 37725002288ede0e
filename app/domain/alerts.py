"""Alerts: the actions a signal may ask for and what may become of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from app.domain.money import plain, to_decimal
from app.domain.orders import PriceOrPercent


class AlertAction(StrEnum):
    """What an alert asks for, in the words it is written with."""

    PING = "PING"
    BUY_MARKET = "BuyMarket"
    SELL_MARKET = "SellMarket"
    BUY_LIMIT = "BuyLimit"
    SELL_LIMIT = "SellLimit"


class AlertStatus(StrEnum):
    """What became of an alert."""

    RECEIVED = "RECEIVED"
    PROCESSING = "PROCESSING"
    PROCESSED = "PROCESSED"
    ERROR = "ERROR"
    MISS = "MISS"
    DUPLICATE = "DUPLICATE"
    DENIED = "DENIED"
    EXPIRED = "EXPIRED"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will be done with the alert."""
        return self not in (AlertStatus.RECEIVED, AlertStatus.PROCESSING)


class OutOfStep(StrEnum):
    """What is done with an alert whose strategy holds something else than its broker does."""

    ALIGN = "ALIGN"
    """Trade toward what the strategy holds now."""
    SKIP = "SKIP"
    """Do nothing, and say why."""
    ASK = "ASK"
    """Do nothing until a person confirms it."""


@dataclass(frozen=True, slots=True)
class AlertDefaults:
    """What a source says where its alerts do not: at most one size, the protection of entries, the expiry in seconds.

    ``symbol_map`` goes from the sender's spelling, in capitals, to a market's symbol. ``out_of_step`` counts only for
    alerts that tell what their strategy holds.
    """

    percent: Decimal | None = None
    quote_quantity: Decimal | None = None
    stop_loss: PriceOrPercent | None = None
    take_profit: PriceOrPercent | None = None
    trailing_percent: Decimal | None = None
    symbol_map: Mapping[str, str] = field(default_factory=dict)
    out_of_step: OutOfStep = OutOfStep.SKIP
    expires_in: int = 60


@dataclass(frozen=True, slots=True)
class Signal:
    """An alert understood. ``percent`` is of free quote for a buy, of what is held for a sell.

    ``extras`` keeps the keys we do not know, as they were written.
    """

    action: AlertAction
    symbol: str | None = None
    price: Decimal | None = None
    percent: Decimal | None = None
    quantity: Decimal | None = None
    quote_quantity: Decimal | None = None
    stop_loss: PriceOrPercent | None = None
    take_profit: PriceOrPercent | None = None
    alert_id: str | None = None
    comment: str | None = None
    expires_in: int | None = None
    extras: Mapping[str, str] = field(default_factory=dict)


def signal_to_json(signal: Signal) -> dict[str, Any]:
    """A signal as JSON can hold it, amounts as plain strings, what is absent left out."""

    def exact(value: Any) -> Any:
        if isinstance(value, Decimal):
            return plain(value)
        if isinstance(value, dict):
            return {key: exact(item) for key, item in value.items() if item is not None}
        return value

    found: dict[str, Any] = exact(asdict(signal))
    return found


def signal_from_json(stored: Mapping[str, Any]) -> Signal:
    """The signal that `signal_to_json` made this of."""

    def amount(name: str) -> Decimal | None:
        return to_decimal(stored[name]) if name in stored else None

    def guard(name: str) -> PriceOrPercent | None:
        if name not in stored:
            return None
        return PriceOrPercent(**{kind: to_decimal(value) for kind, value in stored[name].items()})

    return Signal(
        AlertAction(stored["action"]),
        symbol=stored.get("symbol"),
        price=amount("price"),
        percent=amount("percent"),
        quantity=amount("quantity"),
        quote_quantity=amount("quote_quantity"),
        stop_loss=guard("stop_loss"),
        take_profit=guard("take_profit"),
        alert_id=stored.get("alert_id"),
        comment=stored.get("comment"),
        expires_in=stored.get("expires_in"),
        extras=stored.get("extras", {}),
    )
