"""Acting on stored alerts: deciding what each asks for, and doing it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app import dispatch
from app.domain.alerts import AlertStatus, Signal, signal_from_json
from app.domain.errors import ExchangeUnavailable, OutcomeUnknown, RateLimited, SwitchyardError
from app.extensions import db
from app.models import (
    Alert,
    Confirmation,
    utc_now,
)
from app.services import alert_acts, connections, events
from app.services.alert_decisions import Decision, decide
from app.services.alert_facts import Case, depends_on_account, gather
from app.services.alert_precedence import A_MOMENT, must_wait
from app.services.events import Topic
from app.services.sizing import Holdings

log = structlog.get_logger()

#: How long a person may take to confirm an alert that does not say itself how long it is good for.
CONFIRM_WITHIN = timedelta(minutes=10)


class ConfirmationRefused(SwitchyardError):
    """An alert that cannot be confirmed."""

    remedy = "Reload the alert; if you still want the trade, place it by hand."


def process(alert_id: int, *, queued_at: datetime | None = None) -> None:
    """Decide an alert and do what it asks for; does nothing for one that was decided before.

    The decision, what it wants written down and this worker's claim of an order are one commit, so that an alert
    delivered to two workers acts once.
    """
    picked_up_at = utc_now()
    alert = _undecided(alert_id)
    if alert is None or alert.signal is None:
        db.session.rollback()
        return
    case = case_of(alert, signal_from_json(alert.signal))
    if must_wait(alert, case):
        db.session.commit()  # nothing was changed: it lets go of the alert
        dispatch.process_alert(alert_id, case.broker.exchange, countdown=A_MOMENT)
        return
    asked = _Asked()
    if depends_on_account(case.signal):
        found = _ask(case)
        alert = None if found is None else _undecided(alert_id)
        if found is None or alert is None:
            db.session.rollback()
            return
        asked = found
    decision = decide(case, gather(case, asked.account, asked.unknown, hold=True), utc_now())
    alert.picked_up_at = picked_up_at
    alert.action = case.signal.action.value  # of a plain buy or sell its source says the type
    bring_about = _conclude(alert, decision, queued_at)
    db.session.commit()
    bring_about()
    events.publish(alert.user_id, Topic.ALERTS, alert.id)


def case_of(alert: Alert, signal: Signal) -> Case:
    """A stored alert as what is to be decided. Its source's word counts as it is now."""
    source, replayed = alert.source, alert.replayed_from_id is not None
    defaults = source.defaults
    return Case(
        broker=alert.broker,
        signal=defaults.complete(signal),
        defaults=defaults,
        received_at=alert.received_at,
        expires_at=alert.expires_at,
        switched_off=None if source.enabled or replayed else source.name,
        by_person=replayed,
        confirmed=alert.confirmation is Confirmation.GIVEN,
    )


def confirm(alert: Alert) -> Alert:
    """Have an alert that was out of step acted on after all: it trades toward what its strategy holds.

    Raises:
        ConfirmationRefused: nobody asked for it, it was confirmed before, or it has expired.
    """
    db.session.refresh(alert, ["status", "confirmation", "expires_at"], with_for_update=True)
    if alert.confirmation is not Confirmation.ASKED:
        db.session.rollback()
        raise ConfirmationRefused("this alert does not wait for a confirmation")
    if utc_now() >= alert.expires_at:
        db.session.rollback()
        raise ConfirmationRefused("it is too late to act on this alert")
    alert.confirmation, alert.status = Confirmation.GIVEN, AlertStatus.RECEIVED
    alert.reason = "confirmed by a person"
    alert.processed_at = None
    db.session.commit()
    dispatch.process_alert(alert.id, alert.broker.exchange)
    events.publish(alert.user_id, Topic.ALERTS, alert.id)
    return alert


@dataclass(frozen=True, slots=True)
class _Asked:
    """What an account holds, or why that cannot be told for good; neither of what did not depend on it."""

    account: Holdings | None = None
    unknown: str | None = None


def _ask(case: Case) -> _Asked | None:
    """Ask the exchange what the account holds right now; None when it is to be asked again later.

    The alert is still RECEIVED then, and the sweep tries again until it expires.
    """
    try:
        with connections.calling(
            case.broker
        ) as exchange:  # ends the transaction: nothing may be held meanwhile
            return _Asked(exchange.balances())
    except (ExchangeUnavailable, RateLimited, OutcomeUnknown) as error:
        log.warning("balance_not_known", broker_id=case.broker.id, error=error.message)
        return None
    except SwitchyardError as error:
        return _Asked(unknown=f"{error.message}. {error.remedy}")


def _conclude(alert: Alert, decision: Decision, queued_at: datetime | None) -> Callable[[], None]:
    """Write down what becomes of an alert; returns what is to be run after the commit."""
    alert.end(decision.status, decision.reason)
    if decision.asks:
        alert.confirmation = Confirmation.ASKED
        if alert.signal is None or "expires_in" not in alert.signal:
            alert.expires_at = max(alert.expires_at, utc_now() + CONFIRM_WITHIN)
    if decision.act is None or decision.objections:
        return _nothing
    return alert_acts.write_down(decision.act, alert, queued_at=queued_at)


def _nothing() -> None:
    """There is nothing to bring about."""


def _undecided(alert_id: int) -> Alert | None:
    """The alert if nobody has decided it, its row held until the transaction ends."""
    query = select(Alert).where(Alert.id == alert_id, Alert.status == AlertStatus.RECEIVED)
    query = query.options(joinedload(Alert.source), joinedload(Alert.broker))
    return db.session.scalar(query.with_for_update(of=Alert).execution_options(populate_existing=True))
