"""Every delivery that ever came to a webhook source."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.orm.attributes import set_committed_value

from app.domain.alerts import AlertStatus
from app.extensions import Table
from app.models.broker import Broker
from app.models.source import Source
from app.models.types import EnumText, UtcDateTime, utc_now


class Confirmation(StrEnum):
    """Whether a person has confirmed an alert that must not be acted on without."""

    ASKED = "ASKED"
    GIVEN = "GIVEN"


class Alert(Table):
    """One delivery, stored before it is understood.

    ``body`` is what came, with any secret redacted; ``signal`` its meaning once parsed; ``reason`` says in words
    why it became what ``status`` says. ``fingerprint`` is the hash by which a repeated delivery is known. ``headers``
    are the request's without those that prove anything. ``confirmation`` is None unless a person has to say, or has
    said, whether it shall be acted on. ``replayed_from`` is the alert that a person had run once more, on the sandbox,
    as this one.

    A delivery for several brokers is an alert for each of them: ``delivery_id`` names the first, which alone has the
    ``idempotency_key``, and is None in it.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        Index("ix_alerts_user_received", "user_id", "received_at"),
        Index("ix_alerts_source_fingerprint", "source_id", "fingerprint"),
        Index("ix_alerts_status_received", "status", "received_at"),
        UniqueConstraint("source_id", "idempotency_key"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    source_id: Mapped[int] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"))
    broker_id: Mapped[int] = mapped_column(ForeignKey("brokers.id", ondelete="CASCADE"))
    status: Mapped[AlertStatus] = mapped_column(EnumText(AlertStatus))
    body: Mapped[str] = mapped_column(Text)
    content_type: Mapped[str] = mapped_column(String(100))
    headers: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    sender: Mapped[str] = mapped_column(String(64))
    fingerprint: Mapped[str] = mapped_column(String(64))
    idempotency_key: Mapped[str | None] = mapped_column(String(120))
    duplicate_of_id: Mapped[int | None] = mapped_column(ForeignKey("alerts.id", ondelete="SET NULL"))
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("alerts.id", ondelete="CASCADE"), index=True)
    replayed_from_id: Mapped[int | None] = mapped_column(ForeignKey("alerts.id", ondelete="SET NULL"))
    confirmation: Mapped[Confirmation | None] = mapped_column(EnumText(Confirmation))
    action: Mapped[str | None] = mapped_column(String(20))
    symbol: Mapped[str | None] = mapped_column(String(64))
    signal: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    reason: Mapped[str | None] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    picked_up_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    processed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)

    source: Mapped[Source] = relationship()
    broker: Mapped[Broker] = relationship()
    duplicate_of: Mapped[Alert | None] = relationship(foreign_keys=duplicate_of_id, remote_side="Alert.id")
    delivery: Mapped[Alert | None] = relationship(foreign_keys=delivery_id, remote_side="Alert.id")
    replayed_from: Mapped[Alert | None] = relationship(foreign_keys=replayed_from_id, remote_side="Alert.id")

    def came_to(self, source: Source, broker: Broker) -> None:
        """Name the rows that its ids say, without the bookkeeping that a change of a stored alert needs."""
        set_committed_value(self, "source", source)
        set_committed_value(self, "broker", broker)

    def end(self, status: AlertStatus, reason: str) -> None:
        """Say in words what became of it."""
        self.status = status
        self.reason = reason
        self.processed_at = utc_now()
