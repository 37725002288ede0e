"""Replaying a stored alert for real, on the sandbox: a new alert that is decided and traded like any other.

What it would lead to without trading is told by `app.services.explaining`.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import select

from app import dispatch
from app.domain.accounts import Environment
from app.domain.alerts import AlertAction, AlertStatus
from app.domain.errors import SwitchyardError
from app.extensions import db
from app.models import Alert, Broker, utc_now
from app.services import events
from app.services.events import Topic


class ReplayRefused(SwitchyardError):
    """An alert that cannot be run again."""

    remedy = "Open a practice account, which trades on the sandbox, and replay the alert there."


def replay(alert: Alert, broker: Broker | None = None) -> Alert:
    """Run a stored alert again on a broker of the same person on the sandbox; one is chosen unless it is given.

    The broker's mode does not matter, because a person asks; halts and limits hold.

    Raises:
        ReplayRefused: it was not understood, or there is no such broker.
    """
    if alert.signal is None or alert.action == AlertAction.PING:
        raise ReplayRefused(
            "there is nothing in this alert to be run again", remedy="Correct its message and send it anew."
        )
    on = broker or _practice_broker(alert)
    if on is None or on.user_id != alert.user_id or on.environment is not Environment.SANDBOX:
        raise ReplayRefused("an alert is replayed on the sandbox only, never on a real account")
    again = _copy(alert, on)
    db.session.add(again)
    db.session.commit()
    dispatch.process_alert(again.id, on.exchange)
    events.publish(again.user_id, Topic.ALERTS, again.id)
    return again


def _copy(alert: Alert, broker: Broker) -> Alert:
    now = utc_now()
    good_for = (alert.signal or {}).get("expires_in", alert.source.expires_in)
    return Alert(
        user_id=alert.user_id,
        source_id=alert.source_id,
        broker_id=broker.id,
        replayed_from_id=alert.id,
        status=AlertStatus.RECEIVED,
        body=alert.body,
        content_type=alert.content_type,
        sender="replay",
        # Its own, or the alert that comes next with this body would be taken for a repetition of the replay.
        fingerprint=hashlib.sha256(secrets.token_bytes(32)).hexdigest(),
        action=alert.action,
        symbol=alert.symbol,
        signal=alert.signal,
        received_at=now,
        expires_at=now + timedelta(seconds=good_for),
    )


def _practice_broker(alert: Alert) -> Broker | None:
    """The alert's own broker if it is on the sandbox, else the person's first there, of the same exchange if any."""
    query = select(Broker).where(
        Broker.user_id == alert.user_id, Broker.environment == Environment.SANDBOX, Broker.active.is_(True)
    )
    own, exchange = Broker.id == alert.broker_id, Broker.exchange == alert.broker.exchange
    return db.session.scalar(query.order_by(own.desc(), exchange.desc(), Broker.id).limit(1))
