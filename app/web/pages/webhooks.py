"""The inbox: what came to the webhooks, what became of it, and having it run again."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from app.domain.alerts import AlertStatus
from app.exchanges import title
from app.models import Alert, PositionStatus, utc_now
from app.services import (
    alert_figures,
    alerts,
    brokers,
    explaining,
    inbox,
    positions,
    replays,
    sources,
    standing,
)
from app.services.alerts import ConfirmationRefused
from app.services.inbox import ACTIONS, AlertFilter
from app.services.replays import ReplayRefused
from app.web import paging, understood
from app.web.access import member
from app.web.ids import row_id
from app.web.languages import words
from app.web.periods import PERIODS

blueprint = Blueprint("webhooks", __name__, url_prefix="/webhooks")

_FILTERS = ("broker_id", "source_id", "status", "action", "period")

#: What the figures on top cover where no period is chosen; the list below them then goes back all the way.
_USUAL_PERIOD = "day"


@blueprint.get("/")
@member
def index() -> ResponseReturnValue:
    """How the alerts fare, those that pass the filters in the address, and what is held because of them."""
    wanted = _wanted()
    found, total = inbox.listing(current_user, wanted)
    open_now = positions.of(current_user, PositionStatus.OPEN, broker_id=wanted.broker_id, limit=None)
    held = standing.of(open_now)
    period = request.args.get("period") if wanted.since else _USUAL_PERIOD
    since = wanted.since or utc_now() - PERIODS[_USUAL_PERIOD]
    return render_template(
        "webhooks/inbox.html",
        figures=alert_figures.since(current_user, since, broker_id=wanted.broker_id),
        period=period,
        filters={name: request.args.get(name, "") for name in _FILTERS},
        brokers=brokers.of(current_user),
        sources=sources.named(current_user),
        statuses=list(AlertStatus),
        actions=ACTIONS,
        entries=inbox.entries(found),
        exchange_title=title,
        page=paging.page_of(wanted.page, wanted.per_page, total, "webhooks.index"),
        held=held,
        sums=standing.sums(held),
    )


@blueprint.get("/alerts/<int:alert_id>")
@member
def alert(alert_id: int) -> ResponseReturnValue:
    """One alert: as it came, as it was understood, what was decided and what came of it."""
    found = _own(alert_id)
    story = inbox.story(found)
    return render_template(
        "webhooks/alert.html",
        alert=found,
        story=story,
        body=understood.pointed_at(found.body, story.fault),
        parts=understood.parts(found.signal),
        extras=understood.extras(found.signal),
    )


@blueprint.get("/alerts/<int:alert_id>/replay")
@member
def rehearse(alert_id: int) -> ResponseReturnValue:
    """What an alert would lead to if it came now, on its own broker or on another; nothing is placed."""
    found = _own(alert_id)
    asked = request.args.get("broker_id", type=row_id)
    broker = found.broker if asked is None else brokers.find(current_user, asked) or abort(404)
    told = explaining.explain_again(found, broker)
    further = explaining.elsewhere(told, found.source) if asked is None and found.delivery_id is None else []
    return render_template(
        "webhooks/replay.html",
        alert=found,
        broker=broker,
        brokers=brokers.of(current_user),
        told=understood.shown(told),
        elsewhere=[understood.shown(each) for each in further],
    )


@blueprint.post("/alerts/<int:alert_id>/replay")
@member
def replay(alert_id: int) -> ResponseReturnValue:
    """Run an alert again for real, on the sandbox."""
    found = _own(alert_id)
    try:
        again = replays.replay(found)
    except ReplayRefused as refusal:
        flash(
            _("Nothing was replayed: %(why)s.", why=words(refusal.message)) + f" {words(refusal.remedy)}",
            "warning",
        )
        return redirect(url_for("webhooks.rehearse", alert_id=alert_id))
    flash(
        _(
            "Alert %(number)s is run again on %(broker)s, as this one.",
            number=alert_id,
            broker=again.broker.name,
        ),
        "success",
    )
    return redirect(url_for("webhooks.alert", alert_id=again.id))


@blueprint.post("/alerts/<int:alert_id>/confirm")
@member
def confirm(alert_id: int) -> ResponseReturnValue:
    """Have an alert acted on that waits for a person's word."""
    found = _own(alert_id)
    try:
        alerts.confirm(found)
    except ConfirmationRefused as refusal:
        flash(
            _("Nothing was confirmed: %(why)s.", why=words(refusal.message)) + f" {words(refusal.remedy)}",
            "warning",
        )
    else:
        flash(_("Confirmed: a worker acts on it now."), "success")
    return redirect(url_for("webhooks.alert", alert_id=alert_id))


def _own(alert_id: int) -> Alert:
    return inbox.find(current_user, alert_id) or abort(404)


def _wanted() -> AlertFilter:
    given = request.args
    status, action = given.get("status", ""), given.get("action", "")
    period: timedelta | None = PERIODS.get(given.get("period", ""))
    return AlertFilter(
        broker_id=given.get("broker_id", type=row_id),
        source_id=given.get("source_id", type=row_id),
        status=AlertStatus(status) if status in list(AlertStatus) else None,
        action=action if action in ACTIONS else None,
        since=None if period is None else utc_now() - period,
        page=paging.asked_for(),
    )
