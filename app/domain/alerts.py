"""Alerts: the actions a signal may ask for and what may become of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

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
