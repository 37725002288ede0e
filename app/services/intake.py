"""Taking alerts in: stored and committed before they are answered, many at once when many come.

Each web process has one writer. Requests hand it their delivery and wait; it stores whatever is waiting in one
transaction and wakes them. Under load one commit so carries many alerts, where a commit for each would spend its
time waiting for the disk and for the other writers; alone, an alert waits for nobody.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import joinedload

from app.domain.alert_format import AlertFault, parse_alert, read_pairs
from app.domain.alerts import AlertAction, AlertStatus, Signal, signal_to_json
from app.domain.masking import mask, mask_within
from app.extensions import db
from app.models import Alert, Source, SourceRoute
from app.services import admission, events, handover, sources, vault
from app.services.admission import NotAdmitted
from app.services.events import Topic
from app.services.fan_out import further_alerts
from app.services.receipts import Receipt
from app.services.tally import Tally

log = structlog.get_logger()

#: A larger body is refused; what is kept of it is its beginning.
MAX_BODY = 64 * 1024
_KEPT_OF_OVERSIZED = 1024

#: How many alerts one commit may carry, and how long a request waits for its own.
_BATCH = 64
_PATIENCE_SECONDS = 20.0

#: What a repeated body may repeat: not what was denied here, such as a stranger's copy that came before the alert.
_TAKEN = Alert.delivery_id.is_(None) & admission.ADMITTED


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook request as it came. ``length`` is what the sender said the body has, in bytes, if it said so.

    ``cut_short`` tells that reading the body ended in a fault, so that its end is not the sender's.
    """

    token: str = field(repr=False)
    body: bytes = field(repr=False)
    content_type: str
    sender: str
    received_at: datetime
    length: int | None = None
    cut_short: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    signature: str = field(default="", repr=False)
    timestamp: str | None = None


@dataclass(slots=True)
class _Judged:
    """A delivery of a known source, and what it made: its first alert, then those for further brokers."""

    alerts: list[Alert]
    proven: bool = True

    @property
    def first(self) -> Alert:
        return self.alerts[0]


@dataclass(frozen=True, slots=True)
class _Waiting:
    delivery: Delivery
    receipt: Future[Receipt | None]


class Intake:
    """The one writer of alerts of this process; its thread starts with the first delivery."""

    def __init__(self, app: Flask, tally: Tally) -> None:
        self._app = app
        self._tally = tally
        self._waiting: queue.SimpleQueue[_Waiting] = queue.SimpleQueue()
        self._start = threading.Lock()
        self._writer: threading.Thread | None = None

    def accept(self, delivery: Delivery) -> Receipt | None:
        """Store a delivery and hand it on; None when no source has its token.

        A body that cannot be understood, a repeated one and one for a source that is switched off are stored as
        well, with the reason; they only lead to no order. Whatever the database raises is raised here.

        Raises:
            TimeoutError: when its turn did not come in time; it is then not stored later either.
        """
        self._ensure_writer()
        waiting = _Waiting(delivery, Future())
        self._waiting.put(waiting)
        try:
            return waiting.receipt.result(_PATIENCE_SECONDS)
        except TimeoutError:
            if waiting.receipt.cancel():
                raise
            return (
                waiting.receipt.result()
            )  # it is being stored: only the outcome says whether to send it again

    def _ensure_writer(self) -> None:
        with self._start:
            if self._writer is None or not self._writer.is_alive():
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
        """Store those that are still waited for, and wake who waits."""
        self._settle([waiting for waiting in batch if waiting.receipt.set_running_or_notify_cancel()])

    def _settle(self, batch: Sequence[_Waiting]) -> None:
        try:
            receipts = store([waiting.delivery for waiting in batch])
        except BaseException as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            db.session.rollback()
            if len(batch) > 1 and not isinstance(error, OperationalError):
                for waiting in batch:  # one of them is at fault; its neighbours are not
                    self._settle([waiting])
            else:
                for waiting in batch:
                    waiting.receipt.set_exception(error)
        else:
            self._tally.count(receipts)
            for waiting, receipt in zip(batch, receipts, strict=True):
                waiting.receipt.set_result(receipt)


def store(deliveries: Sequence[Delivery]) -> list[Receipt | None]:
    """Store deliveries in one commit, dispatch those that can be acted on, and say of each what it became."""
    try:
        judged = _store_together(deliveries)
    except IntegrityError:
        # Another process stored the same id between our look and our commit: look again.
        db.session.rollback()
        judged = _store_together(deliveries)
    alerts = [alert for each in judged if each is not None for alert in each.alerts]
    handover.process_alerts(
        (alert.id, alert.broker.exchange) for alert in alerts if alert.status is AlertStatus.RECEIVED
    )
    for user_id in {alert.user_id for alert in alerts}:
        events.publish(user_id, Topic.ALERTS)
    return [None if each is None else _receipt(each) for each in judged]


def _store_together(deliveries: Sequence[Delivery]) -> list[_Judged | None]:
    known = _sources_of(deliveries)
    judged = [
        None if source is None else _judged(source, delivery)
        for delivery, source in ((each, known.get(sources.fingerprint(each.token))) for each in deliveries)
    ]
    stored = [each for each in judged if each is not None]
    _link_duplicates([each.first for each in stored if each.first.status is AlertStatus.RECEIVED])
    for each in stored:
        if each.first.status is AlertStatus.RECEIVED:
            each.alerts += further_alerts(each.first)
        db.session.add_all(each.alerts)
    db.session.commit()
    return judged


def _sources_of(deliveries: Iterable[Delivery]) -> dict[str, Source]:
    """Sources by what is stored of their token; read every time, so that a switched-off one is off at once."""
    hashes = {sources.fingerprint(delivery.token) for delivery in deliveries}
    query = (
        select(Source)
        .where(Source.token_hash.in_(hashes))
        .options(joinedload(Source.broker), joinedload(Source.routes).joinedload(SourceRoute.broker))
    )
    return {source.token_hash: source for source in db.session.scalars(query).unique()}


def _judged(source: Source, delivery: Delivery) -> _Judged:
    kept = delivery.body if len(delivery.body) <= MAX_BODY else delivery.body[:_KEPT_OF_OVERSIZED]
    alert = Alert(
        user_id=source.user_id,
        source_id=source.id,
        broker_id=source.broker_id,
        status=AlertStatus.RECEIVED,
        body=mask(_readable(kept)),
        content_type=delivery.content_type[:100],
        headers=dict(delivery.headers),
        sender=delivery.sender[:64],
        fingerprint=vault.body_fingerprint(delivery.body),
        received_at=delivery.received_at,
        expires_at=delivery.received_at + timedelta(seconds=source.expires_in),
    )
    alert.came_to(source, source.broker)
    judged = _Judged([alert])
    try:
        _judge(alert, source, _understand(source, delivery))
    except NotAdmitted as refusal:
        alert.end(AlertStatus.DENIED, refusal.message)
        judged.proven = refusal.proven
    except AlertFault as fault:
        alert.end(AlertStatus.ERROR, mask(fault.message))
    return judged


def _readable(body: bytes) -> str:
    """A body as text that a database holds, whatever it is; never to be acted on."""
    encoding = json.detect_encoding(body).removesuffix("-sig")  # a mark of UTF-8 is kept as it came
    text = body.decode(encoding, "replace")
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _understand(source: Source, delivery: Delivery) -> Signal:
    body = delivery.body
    if len(body) > MAX_BODY:
        raise AlertFault(f"the body is larger than {MAX_BODY} bytes; more is not taken")
    if delivery.length is not None and len(body) < delivery.length:
        raise AlertFault(f"the body ended after {len(body)} of {delivery.length} bytes")
    if delivery.cut_short:
        raise AlertFault(f"the body could not be read further than {len(body)} bytes")
    admission.check_sender(
        source,
        address=delivery.sender,
        body=body,
        signature=delivery.signature,
        timestamp=delivery.timestamp,
    )
    try:
        readable = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise AlertFault(f"the body is not UTF-8 text: byte {error.start + 1}") from None
    if source.secret_hash is not None:
        admission.check_secret(source, read_pairs(readable))
    return parse_alert(readable)


def _judge(alert: Alert, source: Source, signal: Signal) -> None:
    alert.action = signal.action.value
    alert.symbol = signal.symbol
    alert.signal = mask_within(signal_to_json(signal))
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
        query = select(Alert).where(of_sources, same_body, _TAKEN, Alert.duplicate_of_id.is_(None))
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


def _receipt(judged: _Judged) -> Receipt:
    first = judged.first
    return Receipt(
        alert_id=first.id,
        source_id=first.source_id,
        status=first.status,
        reason=first.reason,
        duplicate_of_id=first.duplicate_of_id,
        proven=judged.proven,
        alert_ids=[alert.id for alert in judged.alerts],
    )
