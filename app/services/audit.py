"""Writing down what people and operators do, and reading it again.

What happens to alerts and orders is written down by itself (`app.services.trail`); how all of it is chained is in
`app.services.sealing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import structlog
from sqlalchemy import ColumnElement, RowMapping, func, or_, select

from app.domain.money import plain
from app.extensions import db
from app.models import AuditEntry, AuditSeal, User, utc_now
from app.services import acting, portions

_table = db.metadata.tables[AuditEntry.__tablename__]
_INSERT = _table.insert().inline()  # nobody needs the new ids
_sealed = select(*_table.columns, AuditSeal.position).outerjoin(
    AuditSeal, AuditSeal.entry_id == AuditEntry.id
)

#: What the name of an actor at a command line begins with.
OPERATOR = "cli:"


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries to list; everything absent means any. ``action`` is a whole name or its part before the dot."""

    action: str | None = None
    subject: str | None = None
    user_id: int | None = None
    since: datetime | None = None
    page: int = 1
    per_page: int = 50


def record(action: str, subject: str, *, user_id: int | None = None, **detail: object) -> None:
    """Write down that the current actor did something, in the caller's transaction: it is kept if that commits.

    ``action`` is one of `app.domain.audit.Action`, ``subject`` names a row like "order 12". ``user_id`` is whom it
    concerns, who sees it on their Activity page; the actor unless given. ``detail`` tells the rest: text, numbers that
    are whole or Decimal, times, and nothing secret; what is None is left out.

    Raises:
        TypeError: for a detail of another kind, a float, say, or a credential.
    """
    who = acting.current()
    write([entry(action, subject, who, who.user_id if user_id is None else user_id, utc_now(), detail)])


def entry(
    action: str,
    subject: str,
    who: acting.Actor,
    user_id: int | None,
    at: datetime,
    detail: Mapping[str, object],
) -> dict[str, Any]:
    """One entry for `write`."""
    return {
        "at": at,
        "actor": who.name,
        "user_id": user_id,
        "address": who.address,
        "action": str(action),
        "subject": subject,
        "detail": {name: _as_json(value) for name, value in detail.items() if value is not None},
    }


def write(rows: Sequence[dict[str, Any]]) -> None:
    """Add entries to the transaction, all in one statement; each tells the id of the request under way, if any."""
    request_id = structlog.contextvars.get_contextvars().get("correlation_id")
    if request_id is not None:
        for row in rows:
            row["detail"]["correlation_id"] = request_id
    db.session.connection().execute(_INSERT, rows)  # not the session's: orders wait for this


def listing(wanted: EntryFilter, *, viewer: User | None = None) -> tuple[Sequence[RowMapping], int]:
    """A page of entries, newest first, each with the position of its seal (None before it has one), and how many match.

    With a ``viewer`` only what that person may see: what concerns them and, an administrator, what concerns nobody and
    what operators did.
    """
    conditions = _conditions(wanted, viewer)
    total = db.session.scalar(select(func.count(AuditEntry.id)).where(*conditions)) or 0
    query = _sealed.where(*conditions).order_by(AuditEntry.id.desc()).limit(wanted.per_page)
    query = query.offset((wanted.page - 1) * wanted.per_page)
    return db.session.execute(query).mappings().all(), total


def every(wanted: EntryFilter, *, viewer: User) -> Iterator[RowMapping]:
    """All entries that `listing` has pages of, read as they are taken."""
    query = _sealed.where(*_conditions(wanted, viewer))
    return (row._mapping for row in portions.newest_first(query, _table.c.id))


def _conditions(wanted: EntryFilter, viewer: User | None) -> list[ColumnElement[bool]]:
    return [*_wanted(wanted), *([] if viewer is None else [_visible_to(viewer)])]


def _wanted(wanted: EntryFilter) -> Iterable[ColumnElement[bool]]:
    if wanted.action is not None:
        kind = AuditEntry.action.startswith(f"{wanted.action}.", autoescape=True)
        yield or_(AuditEntry.action == wanted.action, kind)
    if wanted.subject is not None:
        yield AuditEntry.subject == wanted.subject
    if wanted.user_id is not None:
        yield AuditEntry.user_id == wanted.user_id
    if wanted.since is not None:
        yield AuditEntry.at >= wanted.since


def _visible_to(viewer: User) -> ColumnElement[bool]:
    theirs = AuditEntry.user_id == viewer.id
    if not viewer.is_admin:
        return theirs
    return or_(theirs, AuditEntry.user_id.is_(None), AuditEntry.actor.startswith(OPERATOR))


def _as_json(value: object) -> object:
    """Money as plain text, time as ISO 8601; anything whose text could hold more than it should is refused."""
    match value:
        case None | bool() | int():
            return value
        case str():
            return str(value)
        case Decimal():
            return plain(value)
        case datetime():
            return value.isoformat()
        case list() | tuple():
            return [_as_json(item) for item in value]
    raise TypeError(f"{type(value).__name__} is not written down")
