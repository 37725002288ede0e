"""Where a person is told what happens while they do not look."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as lazy
from flask_login import current_user

from app import dispatch
from app.extensions import settings
from app.models import NotificationChannel
from app.services import notices, notifications
from app.services.notices import Kind
from app.services.notifications import ChannelRefused
from app.web import forms
from app.web.access import member
from app.web.guards import limiter

blueprint = Blueprint("notifications", __name__, url_prefix="/settings/notifications")

#: Every message costs a process for a second, and annoys whoever it reaches.
_MESSAGES_BY_HAND = "10 per minute; 60 per hour"

_KINDS = (
    (Kind.ENTRY_FILLED, lazy("An entry is filled")),
    (Kind.POSITION_CLOSED, lazy("A position is closed")),
    (Kind.POSITION_UNGUARDED, lazy("A position is not guarded as wished")),
    (Kind.ORDER_REJECTED, lazy("An order is refused")),
    (Kind.ALERT_FAILED, lazy("An alert is not acted on")),
    (Kind.ALERT_MISSED, lazy("An expected alert does not come")),
    (Kind.HALTED, lazy("Entries are halted")),
    (Kind.BROKER_LOST, lazy("The keys of a broker cease to work")),
    (Kind.SYNC_FAILING, lazy("A broker cannot be synced")),
    (Kind.ACCOUNT, lazy("Somebody logs in, or what opens the account changes")),
)


@blueprint.get("/")
@member
def index() -> ResponseReturnValue:
    """The channels, and a form for another."""
    return _page({kind.value: True for kind in notices.URGENT}, {})


@blueprint.post("/")
@member
@limiter.limit(_MESSAGES_BY_HAND)
def add() -> ResponseReturnValue:
    """Another channel; a test message shows whether it works."""
    try:
        made = notifications.add(
            current_user, request.form.get("name", ""), request.form.get("url", ""), _chosen()
        )
    except ChannelRefused as refusal:
        return _page(forms.typed(), forms.errors_of(refusal)), 422
    flash(_("A test message is on its way to %(name)s.", name=made.name), "info")
    return redirect(url_for("notifications.index"))


@blueprint.post("/<int:channel_id>/kinds")
@member
def choose(channel_id: int) -> ResponseReturnValue:
    """What a channel is told."""
    channel = _own(channel_id)
    notifications.choose(channel, _chosen())
    flash(_("%(name)s is told what you chose.", name=channel.name), "success")
    return redirect(url_for("notifications.index"))


@blueprint.post("/<int:channel_id>/test")
@member
@limiter.limit(_MESSAGES_BY_HAND)
def test(channel_id: int) -> ResponseReturnValue:
    """Send a message that says only that it came."""
    channel = _own(channel_id)
    if dispatch.test_channel(channel.id):
        flash(_("A test message is on its way to %(name)s.", name=channel.name), "info")
    else:
        flash(_("The queue cannot be reached: nothing is sent at the moment."), "error")
    return redirect(url_for("notifications.index"))


@blueprint.post("/<int:channel_id>/remove")
@member
def remove(channel_id: int) -> ResponseReturnValue:
    """Tell a channel nothing any more."""
    channel = _own(channel_id)
    notifications.remove(channel)
    flash(_("%(name)s is removed.", name=channel.name), "success")
    return redirect(url_for("notifications.index"))


def _own(channel_id: int) -> NotificationChannel:
    return notifications.find(current_user, channel_id) or abort(404)


def _chosen() -> set[Kind]:
    return {kind for kind in Kind if request.form.get(kind.value)}


def _page(values: Mapping[str, object], errors: forms.Errors) -> str:
    return render_template(
        "settings/notifications.html",
        channels=notifications.of(current_user),
        kinds=_KINDS,
        most=notifications.MOST_CHANNELS,
        schemes=sorted(settings.notify_schemes),
        values=values,
        errors=errors,
    )
