"""Webhook sources: made, changed, given a new address, switched."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from app.domain.alerts import OutOfStep
from app.domain.money import plain
from app.domain.senders import TRADINGVIEW
from app.models import Broker, Source
from app.schemas.sources import SourceForm, SourceSchema
from app.services import brokers, sources
from app.services.sources import Route, SourceRefused, SourceSettings
from app.web import forms
from app.web.access import member
from app.web.addresses import webhook_url

blueprint = Blueprint("sources", __name__, url_prefix="/webhooks/sources")


@blueprint.get("")
@member
def index() -> ResponseReturnValue:
    """Every source with the last alert that came to it."""
    return render_template(
        "webhooks/sources.html",
        sources=sources.of(current_user),
        last_alerts=sources.last_alerts(current_user),
    )


@blueprint.route("/new", methods=["GET", "POST"])
@member
def new() -> ResponseReturnValue:
    """A new source; its address is shown in this answer and never again."""
    if request.method == "GET":
        return _form_page(None, _values(SourceSettings()), {})
    form, errors = forms.load(SourceSchema())
    if errors:
        return _form_page(None, forms.typed(), errors), 422
    broker, wanted = _own_broker(form.broker_id), _settings(form)
    try:
        source, token = sources.create(
            current_user,
            broker,
            form.name,
            wanted,
            secret=form.secret,
            signing_secret=form.signing_secret,
        )
    except SourceRefused as refusal:
        return _form_page(None, forms.typed(), forms.errors_of(refusal)), 422
    return _detail_page(source, new_url=webhook_url(token))


@blueprint.get("/<int:source_id>")
@member
def detail(source_id: int) -> ResponseReturnValue:
    """What a source says and asks for; its address is not known any more."""
    return _detail_page(_own(source_id))


@blueprint.route("/<int:source_id>/edit", methods=["GET", "POST"])
@member
def edit(source_id: int) -> ResponseReturnValue:
    """Change a source; secrets that are not entered stay as they are."""
    source = _own(source_id)
    if request.method == "GET":
        return _form_page(source, {**_values(sources.settings_of(source)), **_named(source)}, {})
    form, errors = forms.load(SourceSchema())
    if errors:
        return _form_page(source, forms.typed(), errors), 422
    broker, wanted = _own_broker(form.broker_id), _settings(form)
    try:
        sources.edit(source, form.name, broker, wanted)
        if form.drop_secret or form.drop_signing_secret:
            sources.drop_secrets(source, secret=form.drop_secret, signing_secret=form.drop_signing_secret)
        if form.secret or form.signing_secret:
            sources.set_secrets(source, secret=form.secret, signing_secret=form.signing_secret)
    except SourceRefused as refusal:
        return _form_page(source, forms.typed(), forms.errors_of(refusal)), 422
    flash(_("%(name)s is saved.", name=source.name), "success")
    return redirect(url_for("sources.detail", source_id=source.id))


@blueprint.post("/<int:source_id>/toggle")
@member
def toggle(source_id: int) -> ResponseReturnValue:
    """Switch a source off, or on again."""
    source = _own(source_id)
    sources.set_enabled(source, not source.enabled)
    done = _("%(name)s is switched on.") if source.enabled else _("%(name)s is switched off.")
    flash(done % {"name": source.name}, "success")
    return redirect(url_for("sources.index"))


@blueprint.post("/<int:source_id>/rotate")
@member
def rotate(source_id: int) -> ResponseReturnValue:
    """A new address for a source; the old one is refused from now on."""
    source = _own(source_id)
    return _detail_page(source, new_url=webhook_url(sources.rotate(source)))


@blueprint.get("/<int:source_id>/rotate")
@member
def rotated(source_id: int) -> ResponseReturnValue:
    """Whoever comes back to where an address was shown does not see it again."""
    return redirect(url_for("sources.detail", source_id=_own(source_id).id))


def _own(source_id: int) -> Source:
    return sources.find(current_user, source_id) or abort(404)


def _own_broker(broker_id: int) -> Broker:
    return brokers.find(current_user, broker_id) or abort(404)


def _settings(form: SourceForm) -> SourceSettings:
    return SourceSettings(
        duplicate_window=form.duplicate_window,
        defaults=form.defaults,
        senders=form.senders,
        heartbeat_seconds=form.heartbeat_seconds,
        numbered=form.numbered,
        routes=[
            Route(_own_broker(route.broker_id), route.percent, route.quote_quantity) for route in form.routes
        ],
    )


def _named(source: Source) -> dict[str, Any]:
    return {"name": source.name, "broker_id": source.broker_id}


def _values(settings: SourceSettings) -> dict[str, Any]:
    """Settings as the form's fields show them."""
    defaults = settings.defaults
    values: dict[str, Any] = {
        "order_type": defaults.order_type,
        **({} if defaults.size is None else {defaults.size[0]: plain(defaults.size[1])}),
        "stop_loss": defaults.stop_loss,
        "take_profit": defaults.take_profit,
        "trailing_percent": None if defaults.trailing_percent is None else plain(defaults.trailing_percent),
        "expires_in": defaults.expires_in,
        "duplicate_window": settings.duplicate_window,
        "symbol_map": "\n".join(f"{written} = {meant}" for written, meant in defaults.symbol_map.items()),
        "out_of_step": defaults.out_of_step,
        "tradingview": set(TRADINGVIEW) <= set(settings.senders),
        "senders": "\n".join(each for each in settings.senders if each not in TRADINGVIEW),
        "heartbeat_seconds": settings.heartbeat_seconds,
        "numbered": settings.numbered,
    }
    for route in settings.routes:
        name = f"route-{route.broker.id}"
        values[name] = route.enabled
        values[f"{name}-percent"] = None if route.percent is None else plain(route.percent)
        values[f"{name}-quote"] = None if route.quote_quantity is None else plain(route.quote_quantity)
    return values


def _form_page(source: Source | None, values: dict[str, Any], errors: forms.Errors) -> str:
    return render_template(
        "webhooks/source_form.html",
        source=source,
        brokers=brokers.of(current_user),
        ways_out_of_step=list(OutOfStep),
        tradingview=TRADINGVIEW,
        values=values,
        errors=errors,
    )


def _detail_page(source: Source, *, new_url: str | None = None) -> str:
    return render_template(
        "webhooks/source.html", source=source, settings=sources.settings_of(source), new_url=new_url
    )
