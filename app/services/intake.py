"""Taking alerts in: stored and committed before they are answered, many at once when many come.

Each web process has one writer. Requests hand it their delivery and wait; it stores whatever is waiting in one
transaction and wakes them. Under load one commit so carries many alerts, where a commit for each would spend its
time waiting for the disk and for the other writers; alone, an alert waits for nobody.
"""

from __future__ import annotations

import hashlib
import queue
import re
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from app import dispatch
from app.domain.alert_format import AlertFault, parse_alert
from app.domain.alerts import AlertAction, AlertStatus, Signal, signal_to_json
from app.extensions import db
from app.models import Alert, Source
from app.services import events, sources
from app.services.events import Topic

log = structlog.get_logger()

#: A larger body is refused; what is kept of it is its beginning.
MAX_BODY = 64 * 1024
_KEPT_OF_OVERSIZED = 1024

#: How many alerts one commit may carry, and how long a request waits for its own.
_BATCH = 64
_PATIENCE_SECONDS = 20.0

#: A secret's value: a quoted one to its closing quote, however it ends if it never does, any other to the next pair.
_SECRET = re.compile(r"""(?i)(\bsecret["']?\s*[:=]\s*)("(?:[^"\\]|\\.)*"?|[^\r\n,;}]+)""")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook request as it came."""

    token: str = field(repr=False)
    body: bytes
    content_type: str
    sender: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a sender is told of a stored alert."""

    alert_id: int
    source_id: int
    status: AlertStatus
    reason: str | None
    duplicate_of_id: int | None


@dataclass(frozen=True, slots=True)
class _Waiting:
    delivery: Delivery
    receipt: Future[Receipt | None]


class Intake:
    """The one writer of alerts of this process; its thread starts with the first delivery."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._waiting: queue.SimpleQueue[_Waiting] = queue.SimpleQueue()
        self._start = threading.Lock()
        self._writer: threading.Thread | None = None

    def accept(self, delivery: Delivery) -> Receipt | None:
        """Store a delivery and hand it on; None when no source has its token.

        A body that cannot be understood, a repeated one and one for a source that is switched off are stored as
        well, with the reason; they only lead to no order. Whatever the database raises is raised here.
        """
        self._ensure_writer()
        waiting = _Waiting(delivery, Future())
        self._waiting.put(waiting)
        return waiting.receipt.result(_PATIENCE_SECONDS)

    def _ensure_writer(self) -> None:
        with self._start:
            if self._writer is None:
                self._writer = threading.Thread(target=self._write, name="intake", daemon=True)
                self._writer.start()

    def _write(self) -> None:
        with self._app.app_context():
            while True:
                self._store(self._next_batch())
                db.session.remove()

    def _next_batch(self) -> list[_Waiting]:
        batch = [self._waiting.get()]
        while len(batch) < _BATCH:
            try:
                batch.append(self._waiting.get_nowait())
            except queue.Empty:
                break
        return batch

    def _store(self, batch: Sequence[_Waiting]) -> None:
        try:
            receipts = store([waiting.delivery for waiting in batch])
        except BaseException as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            db.session.rollback()
            for waiting in batch:
                waiting.receipt.set_exception(error)
        else:
            for waiting, receipt in zip(batch, receipts, strict=True):
                waiting.receipt.set_result(receipt)


def store(deliveries: Sequence[Delivery]) -> list[Receipt | None]:
    """Store deliveries in one commit, dispatch those that can be acted on, and say of each what it became."""
    try:
        alerts = _store_together(deliveries)
    except IntegrityError:
        # Another process stored the same id between our look and our commit: look again, one by one.
        db.session.rollback()
        if len(deliveries) > 1:
            return [receipt for delivery in deliveries for receipt in store([delivery])]
        alerts = _store_together(deliveries)
    received = [alert for alert in alerts if alert is not None and alert.status is AlertStatus.RECEIVED]
    dispatch.process_alerts((alert.id, alert.source.broker.exchange) for alert in received)
    for user_id in {alert.user_id for alert in alerts if alert is not None}:
        events.publish(user_id, Topic.ALERTS)
    return [None if alert is None else _receipt(alert) for alert in alerts]


def _store_together(deliveries: Sequence[Delivery]) -> list[Alert | None]:
    known = _sources_of(deliveries)
    alerts = [
        _judged(source, delivery) if source is not None else None
        for delivery, source in ((each, known.get(sources.fingerprint(each.token))) for each in deliveries)
    ]
    stored = [alert for alert in alerts if alert is not None]
    _link_duplicates([alert for alert in stored if alert.status is AlertStatus.RECEIVED])
    db.session.add_all(stored)
    db.session.commit()
    return alerts


def _sources_of(deliveries: Iterable[Delivery]) -> dict[str, Source]:
    """Sources by what is stored of their token; read every time, so that a switched-off one is off at once."""
    hashes = {sources.fingerprint(delivery.token) for delivery in deliveries}
    query = select(Source).where(Source.token_hash.in_(hashes)).options(joinedload(Source.broker))
    return {source.token_hash: source for source in db.session.scalars(query)}


def _judged(source: Source, delivery: Delivery) -> Alert:
    kept = delivery.body if len(delivery.body) <= MAX_BODY else delivery.body[:_KEPT_OF_OVERSIZED]
    readable = kept.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    alert = Alert(
        user_id=source.user_id,
        source_id=source.id,
        source=source,
        broker_id=source.broker_id,
        status=AlertStatus.RECEIVED,
        body=_SECRET.sub(r"\1•••", readable),
        content_type=delivery.content_type[:100],
        sender=delivery.sender[:64],
        fingerprint=hashlib.sha256(delivery.body).hexdigest(),
        received_at=delivery.received_at,
        expires_at=delivery.received_at + timedelta(seconds=source.expires_in),
    )
    try:
        signal = _understand(delivery.body)
    except AlertFault as fault:
        alert.end(AlertStatus.ERROR, fault.message)
    else:
        _judge(alert, source, signal)
    return alert


def _understand(body: bytes) -> Signal:
    if len(body) > MAX_BODY:
        raise AlertFault(f"the body is larger than {MAX_BODY} bytes; more is not taken")
    try:
        readable = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise AlertFault(f"the body is not UTF-8 text: byte {error.start + 1}") from None
    return parse_alert(readable)


def _judge(alert: Alert, source: Source, signal: Signal) -> None:
    alert.action = signal.action.value
    alert.symbol = signal.symbol
    alert.signal = signal_to_json(signal)
    alert.expires_at = signal.expires_at(alert.received_at, source.expires_in)
    if not source.enabled:
        alert.end(AlertStatus.DENIED, f"the source {source.name} is switched off")
    elif signal.action is AlertAction.PING:
        alert.end(AlertStatus.PROCESSED, "the line is alive")
    else:
        alert.idempotency_key = signal.alert_id


def _link_duplicates(alerts: Sequence[Alert]) -> None:
    """Mark the alerts that repeat a stored one or one before them: the same id, or the same body just now."""
    if not alerts:
        return
    _lock(alerts)
    earlier = _alike(alerts)
    for alert in alerts:
        first = next((other for other in earlier if _repeats(alert, other)), None)
        if first is None:
            earlier.append(alert)
        else:
            alert.idempotency_key = None
            alert.duplicate_of = first
            alert.end(AlertStatus.DUPLICATE, "the same alert came before and was acted on then")


def _alike(alerts: Sequence[Alert]) -> list[Alert]:
    """Stored alerts that one of these could repeat. Two queries, because each is served by an index whole."""
    widest = max(alert.source.duplicate_window for alert in alerts)
    oldest = min(alert.received_at for alert in alerts) - timedelta(seconds=widest)
    ids = [alert.idempotency_key for alert in alerts if alert.idempotency_key is not None]
    bodies = [alert.fingerprint for alert in alerts if alert.idempotency_key is None]
    of_sources = Alert.source_id.in_({alert.source_id for alert in alerts})
    found: list[Alert] = []
    if ids:
        found += db.session.scalars(select(Alert).where(of_sources, Alert.idempotency_key.in_(ids)))
    if bodies:
        same_body = Alert.fingerprint.in_(bodies) & (Alert.received_at > oldest)
        query = select(Alert).where(of_sources, same_body, Alert.duplicate_of_id.is_(None))
        found += db.session.scalars(query.order_by(Alert.id))
    return found


def _repeats(alert: Alert, other: Alert) -> bool:
    if alert.source_id != other.source_id:
        return False
    if alert.idempotency_key is not None or other.idempotency_key is not None:
        return alert.idempotency_key == other.idempotency_key
    within = timedelta(seconds=alert.source.duplicate_window)
    return alert.fingerprint == other.fingerprint and abs(alert.received_at - other.received_at) < within


def _lock(alerts: Sequence[Alert]) -> None:
    """Two deliveries of one body at the same instant must not both look before either is stored.

    SQLite has one writer at a time anyway. The order of locking is fixed, so that batches cannot wait in a ring.
    """
    if db.engine.dialect.name != "postgresql":
        return
    lock = text("SELECT pg_advisory_xact_lock(:source, hashtext(:fingerprint))")
    for source_id, fingerprint in sorted({(alert.source_id, alert.fingerprint) for alert in alerts}):
        db.session.execute(lock, {"source": source_id, "fingerprint": fingerprint})


def _receipt(alert: Alert) -> Receipt:
    return Receipt(alert.id, alert.source_id, alert.status, alert.reason, alert.duplicate_of_id)
