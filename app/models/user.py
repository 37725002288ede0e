"""People who may log in."""

from __future__ import annotations

from datetime import datetime

from flask_login import UserMixin
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Table
from app.models.types import UtcDateTime, utc_now


class User(UserMixin, Table):
    """A person. Rows they own carry ``user_id`` and are visible to them alone.

    While ``closed_at`` is set they cannot log in, nor can their programs. ``language`` and ``time_zone`` are None where
    they follow the browser.
    """

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str] = mapped_column(String(256))
    is_admin: Mapped[bool] = mapped_column(default=False)
    theme: Mapped[str] = mapped_column(String(8), default="dark")
    language: Mapped[str | None] = mapped_column(String(8))
    time_zone: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    last_login_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    #: Of the session that this person has just begun; only their cookie keeps it.
    session_key = ""

    def get_id(self) -> str:
        """What the session cookie holds."""
        return self.session_key
