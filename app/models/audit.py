"""Who did what, when and from where, and the seals that chain it: both only ever grow."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Table
from app.models.append_only import append_only
from app.models.types import UtcDateTime

#: SQLite numbers rows by itself only in a column that is called INTEGER; it holds 64 bits there too.
_Id = BigInteger().with_variant(Integer, "sqlite")


class AuditEntry(Table):
    """One thing that happened, written in the transaction of what it tells.

    ``user_id`` is whom it concerns, a number and no reference: history outlives its people. ``subject`` names a row
    like "order 12". See `app.domain.audit` for the rest.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_user", "user_id", "id"),)

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(String(254))
    user_id: Mapped[int | None]
    address: Mapped[str | None] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(80))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)


class AuditSeal(Table):
    """The place of one entry in the chain; see `app.domain.audit`."""

    __tablename__ = "audit_seals"

    position: Mapped[int] = mapped_column(_Id, primary_key=True, autoincrement=False)
    entry_id: Mapped[int] = mapped_column(ForeignKey("audit_entries.id"), unique=True)
    previous: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))


for model in (AuditEntry, AuditSeal):
    append_only(model.metadata.tables[model.__tablename__])
