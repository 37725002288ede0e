"""Alerts that did not come: a source that fell silent, and gaps between numbered alerts.

A sender that stops is not heard of: TradingView, for one, switches an alert off that fires too often. Beat looks every
few seconds at the sources whose alerts are expected, and what is missing is recorded as an alert with action MISS.

**Silence.** A source with a heartbeat sends something, a PING at least, that often; what is denied at the door does not
count. Once ``heard_at`` is longer ago, it is missed; that is recorded once, until it is heard again.

**Numbers.** Alerts of a numbered source carry ``number``, a whole number that grows by one. Those that lie between two
that came are missed, each run of them once. The count begins anew at 0 or 1, as a strategy's does that is started
again; any other number that is not greater than the last came late and says nothing.

While a source is switched off, nothing is expected of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import structlog
from sqlalchemy import and_, func, or_, select

from app.domain.alerts import AlertStatus
from app.extensions import db
from app.models import Alert, Source, utc_now
from app.services import events
from app.services.admission import ADMITTED
from app.services.events import Topic

log = structlog.get_logger()

ACTION = "MISS"

#: Numbered alerts that are sent at once may arrive in any order for so long.
SETTLES_WITHIN = timedelta(seconds=10)
_BATCH = 1000
_BEGINNINGS = frozenset({0, 1})
_MOST_DIGITS = 18  # what a database's large integer holds


#: Of an alert: its sender was heard. What was denied at the door is anybody's; what did not come and what a person
#: runs again is ours.
HEARD = and_(
    Alert.status != AlertStatus.MISS,
    Alert.replayed_from_id.is_(None),
    ADMITTED,
)


def begin(source: Source) -> None:
    """Expect alerts of a source from now on; the caller commits."""
    watched = source.heartbeat_seconds is not None
    source.heard_at, source.missed_at = (utc_now() if watched else None), None
    source.last_number = None
    newest = select(func.max(Alert.id)).where(Alert.source_id == source.id)
    source.counted_alert_id = db.session.scalar(newest) if source.numbered else None


def look() -> int:
    """Record what did not come; returns how many alerts with action MISS that made."""
    now = utc_now()
    watched = or_(Source.heartbeat_seconds.is_not(None), Source.numbered.is_(True))
    sources = db.session.scalars(select(Source).where(Source.enabled.is_(True), watched)).all()
    db.session.rollback()
    due = [source.id for source in sources if source.numbered or _is_overdue(source, now)]
    return sum(_look_at(source_id) for source_id in due)


def _look_at(source_id: int) -> int:
    query = select(Source).where(Source.id == source_id, Source.enabled.is_(True))
    source = db.session.scalar(query.with_for_update().execution_options(populate_existing=True))
    if source is None:
        db.session.rollback()
        return 0
    now = utc_now()
    reasons = [*_silence(source, now), *_gaps(source, now)]
    db.session.add_all([_miss(source, reason) for reason in reasons])
    db.session.commit()
    if reasons:
        log.warning("alerts_missed", source_id=source.id, reasons=reasons)
        events.publish(source.user_id, Topic.ALERTS)
    return len(reasons)


def _is_overdue(source: Source, now: datetime) -> bool:
    if source.heartbeat_seconds is None or source.heard_at is None:
        return False
    return now - source.heard_at >= timedelta(seconds=source.heartbeat_seconds)


def _silence(source: Source, now: datetime) -> Iterator[str]:
    """What is to be said of a source that is overdue, once it was looked for what came meanwhile."""
    if not _is_overdue(source, now):
        return
    query = select(func.max(Alert.received_at)).where(
        Alert.user_id == source.user_id,
        Alert.received_at > source.heard_at,
        Alert.source_id == source.id,
        HEARD,
    )
    heard_at = db.session.scalar(query)
    if heard_at is not None:
        source.heard_at, source.missed_at = heard_at, None
    if _is_overdue(source, now) and source.missed_at is None:
        source.missed_at = now
        since = f"{source.heard_at:%Y-%m-%d %H:%M:%S} UTC"
        yield f"nothing was heard since {since}, with an alert expected every {source.heartbeat_seconds} s"


def _gaps(source: Source, now: datetime) -> Iterator[str]:
    """What is to be said of the numbers of the alerts that came since the last look."""
    if not source.numbered:
        return
    query = select(Alert).where(
        Alert.source_id == source.id,
        Alert.id > (source.counted_alert_id or 0),
        Alert.received_at < now - SETTLES_WITHIN,
        Alert.delivery_id.is_(None),
        Alert.replayed_from_id.is_(None),
        Alert.status.not_in((AlertStatus.DUPLICATE, AlertStatus.MISS)),
    )
    came = db.session.scalars(query.order_by(Alert.id).limit(_BATCH)).all()
    if not came:
        return
    source.counted_alert_id = came[-1].id
    numbers = [number for alert in came if (number := _number(alert)) is not None]
    for count in _counts(numbers):
        for number in sorted(count):
            last = source.last_number
            if number in _BEGINNINGS or last is None:
                source.last_number = number
            elif number > last:
                if number > last + 1:
                    yield _in_words(last + 1, number - 1)
                source.last_number = number


def _counts(numbers: Iterable[int]) -> list[set[int]]:
    """Numbers in the order they came, divided where the count begins anew."""
    counts: list[set[int]] = [set()]
    for number in numbers:
        if number in _BEGINNINGS and counts[-1] - _BEGINNINGS:
            counts.append(set())
        counts[-1].add(number)
    return counts


def _number(alert: Alert) -> int | None:
    """The number an alert carries: under ``number``, or else an id that is one."""
    told = alert.signal or {}
    written = str(told.get("extras", {}).get("number") or told.get("alert_id") or "")
    return int(written) if written.isascii() and written.isdigit() and len(written) <= _MOST_DIGITS else None


def _in_words(first: int, last: int) -> str:
    return f"alert {first} did not come" if first == last else f"alerts {first} to {last} did not come"


def _miss(source: Source, reason: str) -> Alert:
    now = utc_now()
    alert = Alert(
        user_id=source.user_id,
        source_id=source.id,
        broker_id=source.broker_id,
        body="",
        content_type="",
        sender="",
        fingerprint="",
        action=ACTION,
        received_at=now,
        expires_at=now,
    )
    alert.end(AlertStatus.MISS, reason)
    return alert
