"""Webhook sources and what came to them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.models import Alert, Source
from app.schemas.sources import SourceSchema
from app.services import brokers, inbox, sources, timeline
from app.services.inbox import AlertFilter
from app.services.sources import SourceRefused
from app.web import forms, paging
from app.web.access import member

blueprint = Blueprint("webhooks", __name__, url_prefix="/webhooks")

_PER_PAGE = 20


@blueprint.get("/")
@member
def index() -> ResponseReturnValue:
    """The sources and the alerts that came to them."""
    return _page()


@blueprint.post("/")
@member
def create() -> ResponseReturnValue:
    """A new source; its address is shown in this answer and never again."""
    form, errors = forms.load(SourceSchema())
    if errors:
        return _page(errors=errors), 422
    broker = brokers.find(current_user, form.broker_id) or abort(404)
    try:
        source, token = sources.create(
            current_user, broker, form.name, duplicate_window=form.duplicate_window
        )
    except SourceRefused as refusal:
        return _page(errors=forms.errors_of(refusal)), 422
    return _page(new_url=_address(source, token), values={})


@blueprint.post("/<int:source_id>/toggle")
@member
def toggle(source_id: int) -> ResponseReturnValue:
    """Switch a source off, or on again."""
    source = _own(source_id)
    sources.set_enabled(source, not source.enabled)
    flash(f"{source.name} is switched {'on' if source.enabled else 'off'}.", "success")
    return redirect(url_for("webhooks.index"))


@blueprint.post("/<int:source_id>/rotate")
@member
def rotate(source_id: int) -> ResponseReturnValue:
    """A new address for a source; the old one is refused from now on."""
    source = _own(source_id)
    return _page(new_url=_address(source, sources.rotate(source)), values={})


@blueprint.get("/<int:source_id>/rotate")
@member
def rotated(source_id: int) -> ResponseReturnValue:
    """Whoever comes back to where an address was shown does not see it again."""
    _own(source_id)
    return redirect(url_for("webhooks.index"))


@blueprint.get("/alerts/<int:alert_id>")
@member
def alert(alert_id: int) -> ResponseReturnValue:
    """One alert: as it came, as it was understood, what was decided and what came of it."""
    found = inbox.find(current_user, alert_id) or abort(404)
    led_to = inbox.orders_of(found)
    return render_template(
        "webhooks/alert.html",
        alert=found,
        understood=_understood(found),
        unknown=(found.signal or {}).get("extras", {}),
        orders=led_to,
        timeline=timeline.of(led_to[0]) if led_to else timeline.of_alert(found),
    )


def _own(source_id: int) -> Source:
    return sources.find(current_user, source_id) or abort(404)


def _address(source: Source, token: str) -> dict[str, str]:
    return {"name": source.name, "url": url_for("webhook.receive", token=token, _external=True)}


def _page(
    *,
    new_url: dict[str, str] | None = None,
    values: dict[str, str] | None = None,
    errors: forms.Errors | None = None,
) -> str:
    number = paging.asked_for()
    found, total = inbox.listing(current_user, AlertFilter(page=number, per_page=_PER_PAGE))
    return render_template(
        "webhooks/list.html",
        sources=sources.of(current_user),
        last_alerts=sources.last_alerts(current_user),
        brokers=brokers.of(current_user),
        new_url=new_url,
        values=forms.typed() if values is None else values,
        errors=errors or {},
        alerts=found,
        page=paging.page_of(number, _PER_PAGE, total, "webhooks.index"),
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
