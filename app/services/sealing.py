"""Chaining what was written down, and proving the chain.

An entry is written with what it tells; its seal follows within seconds. Sealing inside every transaction would have
all of them wait for one another's commits, and alerts are to be accepted by the hundreds each second.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Select, func, select, text

from app.domain import audit as chain
from app.domain.audit import Break, Entry, Link, Seal, Verdict
from app.domain.errors import SwitchyardError
from app.extensions import db, settings
from app.models import AuditEntry, AuditSeal, utc_now

log = structlog.get_logger()

#: An entry this old without a seal means that nobody seals, or that seals were removed.
SEALED_WITHIN = timedelta(minutes=1)

_BATCH = 250

#: The beat looks for entries among the numbers below the newest sealed one, too: a transaction may commit after one
#: that drew a higher number. None stays open while so many others commit.
_LATE = 10_000

_PG_LOCK = 0x5EA1

_entries = db.metadata.tables[AuditEntry.__tablename__].columns
_seal_table = db.metadata.tables[AuditSeal.__tablename__]
_seals = _seal_table.columns


_SEAL_NOW = "Start bin/start, or run flask audit seal. If beat ran all the time, seals were removed."


class Unreadable(SwitchyardError):
    """A file is no export of an audit chain."""

    remedy = "Give a file that flask audit export wrote, as it wrote it."


def seal(*, everything: bool = False) -> Seal | None:
    """Chain all entries that have no seal yet; returns the newest seal there is.

    ``everything`` looks through the whole history for them instead of its end.
    """
    while True:
        newest, sealed = _seal_batch(everything)
        if newest is not None and sealed:
            # The log, too, remembers the head: a chain whose end is cut off does not show it by itself.
            log.info("audit_sealed", entries=sealed, position=newest.position, digest=newest.digest)
        if sealed < _BATCH:
            return newest


def verify(*, noted: str | None = None) -> Verdict:
    """Prove the chain in the database, from its first link to the last; ``noted`` as in `app.domain.audit.verify`.

    An entry that should have been sealed by now breaks it as well. Writes nothing.
    """
    verdict = chain.verify(settings.audit_key, links(), noted=noted)
    if verdict.broken is None and (overdue := _overdue()) is not None:
        what = f"entry {overdue} should have been sealed by now and is not"
        return Verdict(verdict.links, verdict.head, Break(what, _SEAL_NOW))
    return verdict


def verify_lines(lines: Iterable[str], *, noted: str | None = None) -> Verdict:
    """Prove an exported chain.

    Raises:
        Unreadable: a line is none that `export` writes.
    """
    return chain.verify(settings.audit_key, _read(lines), noted=noted)


def export() -> Iterator[str]:
    """The chain as JSON, one link a line, in the order of positions."""
    for link in links():
        yield json.dumps(link.to_json(), sort_keys=True)


def links() -> Iterator[Link]:
    """Every seal in the order of positions, with its entry, read piece by piece."""
    query = select(*_seals, *_entries).outerjoin(AuditEntry, AuditEntry.id == AuditSeal.entry_id)
    query = query.order_by(AuditSeal.position).execution_options(yield_per=1000)
    width = len(_seals)
    with db.session.execute(query) as rows:
        for row in rows:
            entry = None if row[width] is None else Entry(*row[width:])
            yield Link(Seal(*row[:width]), entry)


def _seal_batch(everything: bool) -> tuple[Seal | None, int]:
    _lock()
    newest = _newest()
    entries = [Entry(*row) for row in db.session.execute(_unsealed(everything).limit(_BATCH))]
    made: list[Seal] = []
    for entry in entries:
        newest = chain.seal(settings.audit_key, entry, newest)
        made.append(newest)
    if made:
        rows = [{name: getattr(each, name) for name in Seal.__slots__} for each in made]
        db.session.execute(_seal_table.insert(), rows)
    db.session.commit()
    return newest, len(made)


def _lock() -> None:
    """One sealer at a time; SQLite admits one writer anyway."""
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _PG_LOCK})


def _newest() -> Seal | None:
    row = db.session.execute(select(*_seals).order_by(AuditSeal.position.desc()).limit(1)).first()
    return None if row is None else Seal(*row)


def _unsealed(everything: bool) -> Select[Any]:
    query = select(*_entries).outerjoin(AuditSeal, AuditSeal.entry_id == AuditEntry.id)
    query = query.where(AuditSeal.position.is_(None)).order_by(AuditEntry.id)
    if everything:
        return query
    last = select(func.coalesce(func.max(AuditSeal.entry_id), 0)).scalar_subquery()
    return query.where(AuditEntry.id > last - _LATE)


def _overdue() -> int | None:
    """The first entry that is old enough to have a seal and has none."""
    due = utc_now() - SEALED_WITHIN
    query = _unsealed(everything=True).where(AuditEntry.at < due).limit(1)
    return db.session.scalar(query.with_only_columns(AuditEntry.id))


def _read(lines: Iterable[str]) -> Iterator[Link]:
    for number, line in enumerate(lines, start=1):
        try:
            yield Link.from_json(json.loads(line))
        except (ValueError, KeyError, TypeError):
            raise Unreadable(f"line {number} is no link of an audit chain") from None
