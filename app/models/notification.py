"""Where people are told what happens while they do not look."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Table
from app.models.types import UtcDateTime, utc_now


class NotificationChannel(Table):
    """An address that messages go to: an Apprise URL, encrypted, of which the scheme alone is known without the key.

    ``kinds`` names what is told, see `app.services.notices`. ``told_position`` is the place in the audit chain up to
    which everything was told, ``waiting`` whether there may be more. Nothing is sent before ``quiet_until``.
    ``failures`` counts the tries that failed since the last that did not; ``last_error`` says why in words.
    """

    __tablename__ = "notification_channels"
    __table_args__ = (UniqueConstraint("user_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(80))
    scheme: Mapped[str] = mapped_column(String(20))
    url: Mapped[bytes] = mapped_column(LargeBinary)
    kinds: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    told_position: Mapped[int] = mapped_column(BigInteger)
    waiting: Mapped[bool] = mapped_column(default=False)
    quiet_until: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failures: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(Text)
