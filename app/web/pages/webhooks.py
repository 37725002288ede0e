"""Webhook sources and what came to them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.models import Alert
from app.services import alerts, sources, timeline
from app.web import paging
from app.web.access import member

blueprint = Blueprint("webhooks", __name__, url_prefix="/webhooks")

_PER_PAGE = 20


@blueprint.get("/")
@member
def index() -> ResponseReturnValue:
    """The sources and the alerts that came to them."""
    number = paging.asked_for()
    found, total = alerts.listing(current_user, page=number, per_page=_PER_PAGE)
    return render_template(
        "webhooks/list.html",
        sources=sources.of(current_user),
        last_alerts=sources.last_alerts(current_user),
        alerts=found,
        page=paging.page_of(number, _PER_PAGE, total, "webhooks.index"),
    )


@blueprint.get("/alerts/<int:alert_id>")
@member
def alert(alert_id: int) -> ResponseReturnValue:
    """One alert: as it came, as it was understood, what was decided and what came of it."""
    found = alerts.find(current_user, alert_id) or abort(404)
    led_to = alerts.orders_of(found)
    return render_template(
        "webhooks/alert.html",
        alert=found,
        understood=_understood(found),
        unknown=(found.signal or {}).get("extras", {}),
        orders=led_to,
        timeline=timeline.of(led_to[0]) if led_to else timeline.of_alert(found),
    )


def _understood(found: Alert) -> dict[str, Any]:
    """The parts of the signal that say something, exits as a person writes them."""
    shown: dict[str, Any] = {}
    for name, value in (found.signal or {}).items():
        if isinstance(value, dict) and name != "extras":
            shown[name] = value["price"] if "price" in value else f"{value['percent']} %"
        elif name != "extras" and value is not None:
            shown[name] = value
    return shown
