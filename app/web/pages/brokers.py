"""Brokers: adding, editing, testing, pausing, removing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as lazy
from flask_login import current_user

from app.domain.accounts import Environment, TradingMode
from app.exchanges import NAMES, CredentialField, Region, capabilities, credential_fields, regions, title
from app.models import Broker
from app.schemas.brokers import BrokerForm, BrokerSchema
from app.services import brokers, ledger, overview, underway
from app.services.brokers import BrokerRefused
from app.services.underway import Stage, Work
from app.web import forms
from app.web.access import member
from app.web.filters import sentence
from app.web.languages import words

blueprint = Blueprint("brokers", __name__, url_prefix="/brokers")

#: The modes this server can act in so far.
MODES = (TradingMode.OFF, TradingMode.WEBHOOKS)

_LATEST_ENTRIES = 10
_NO_QUEUE = lazy("The task queue cannot be reached, so no worker was asked. Try again when Redis is back.")


@dataclass(frozen=True, slots=True)
class _Exchange:
    """An exchange as the form shows it, the environment to suggest first."""

    id: str
    name: str
    credential_fields: tuple[CredentialField, ...]
    environments: tuple[Environment, ...]
    regions: tuple[Region, ...]


@blueprint.get("/")
@member
def index() -> ResponseReturnValue:
    """Every broker as a card."""
    return render_template("brokers/list.html", brokers=overview.states(brokers.of(current_user)))


@blueprint.route("/new", methods=["GET", "POST"])
@member
def new() -> ResponseReturnValue:
    """Connect an account; its check-up starts by itself."""
    if request.method == "GET":
        suggested = {name: request.args[name] for name in ("exchange", "environment") if name in request.args}
        return _form_page(None, {"exchange": NAMES[0], **suggested}, {})
    form, errors = forms.load(BrokerSchema())
    if not errors and form.credential is None and form.environment is not Environment.SANDBOX:
        errors = {
            field.name: [_("%(field)s is missing.", field=words(field.label))]
            for field in _fields(form.exchange)
        }
    if errors:
        return _form_page(None, forms.typed(), errors), 422
    try:
        broker = _add(form)
    except BrokerRefused as refusal:
        return _form_page(None, forms.typed(), forms.errors_of(refusal)), 422
    flash(_("%(broker)s is stored; its connection is being tested.", broker=broker.name), "success")
    return redirect(url_for("brokers.detail", broker_id=broker.id))


@blueprint.get("/fields")
@member
def fields() -> ResponseReturnValue:
    """The part of the form that depends on the exchange."""
    exchange = _exchange(request.args.get("exchange", ""))
    return render_template("brokers/_fields.html", exchange=exchange, broker=None, values={}, errors={})


@blueprint.get("/<int:broker_id>")
@member
def detail(broker_id: int) -> ResponseReturnValue:
    """A broker with its check-up, mode, markets and ledger."""
    broker = _own(broker_id)
    return render_template(
        "brokers/detail.html",
        broker=overview.states([broker])[0],
        checkup=_checkup(broker),
        markets=_markets(broker),
        ledger=_ledger(broker),
        modes=MODES,
    )


@blueprint.route("/<int:broker_id>/edit", methods=["GET", "POST"])
@member
def edit(broker_id: int) -> ResponseReturnValue:
    """Change a broker; keys that are not entered stay as they are."""
    broker = _own(broker_id)
    if request.method == "GET":
        return _form_page(broker, _values(broker), {})
    form, errors = forms.load(BrokerSchema())
    if errors:
        return _form_page(broker, forms.typed(), errors), 422
    try:
        brokers.edit(
            broker,
            name=form.name,
            environment=form.environment,
            dry_run=form.dry_run,
            credential=form.credential,
            same_account=form.same_account,
            region=form.region,
        )
    except BrokerRefused as refusal:
        return _form_page(broker, forms.typed(), forms.errors_of(refusal)), 422
    _apply(broker, form)
    flash(_("%(name)s is saved.", name=broker.name), "success")
    return redirect(url_for("brokers.detail", broker_id=broker.id))


@blueprint.post("/<int:broker_id>/test")
@member
def test(broker_id: int) -> ResponseReturnValue:
    """Have a worker run the check-up."""
    if not brokers.request_check(_own(broker_id)):
        flash(str(_NO_QUEUE), "error")
    return redirect(url_for("brokers.detail", broker_id=broker_id))


@blueprint.post("/<int:broker_id>/markets")
@member
def load_markets(broker_id: int) -> ResponseReturnValue:
    """Have a worker load the markets."""
    if not brokers.request_markets(_own(broker_id)):
        flash(str(_NO_QUEUE), "error")
    return redirect(url_for("brokers.detail", broker_id=broker_id))


@blueprint.post("/<int:broker_id>/mode")
@member
def set_mode(broker_id: int) -> ResponseReturnValue:
    """Choose which sources may trade."""
    broker = _own(broker_id)
    asked = request.form.get("mode", "")
    if asked not in MODES:
        abort(400)
    brokers.set_mode(broker, TradingMode(asked))
    done = {
        TradingMode.OFF: _("%(broker)s now takes manual orders only.", broker=broker.name),
        TradingMode.WEBHOOKS: _("%(broker)s now also trades on webhooks.", broker=broker.name),
    }
    flash(done[broker.mode], "success")
    return redirect(url_for("brokers.detail", broker_id=broker_id))


@blueprint.post("/<int:broker_id>/main")
@member
def make_main(broker_id: int) -> ResponseReturnValue:
    """Make it the broker the ticket opens with."""
    broker = _own(broker_id)
    brokers.make_main(broker)
    flash(_("%(broker)s is now the main broker.", broker=broker.name), "success")
    return redirect(url_for("brokers.detail", broker_id=broker_id))


@blueprint.post("/<int:broker_id>/pause")
@member
def pause(broker_id: int) -> ResponseReturnValue:
    """Pause a broker, or let it go on with ``paused=0``."""
    broker = _own(broker_id)
    paused = request.form.get("paused", "1") != "0"
    brokers.set_active(broker, not paused)
    done = (
        _("%(broker)s is paused.", broker=broker.name)
        if paused
        else _("%(broker)s trades again.", broker=broker.name)
    )
    flash(done, "success")
    return redirect(url_for("brokers.detail", broker_id=broker_id))


@blueprint.post("/<int:broker_id>/remove")
@member
def remove(broker_id: int) -> ResponseReturnValue:
    """Forget a broker with its keys."""
    broker = _own(broker_id)
    try:
        brokers.remove(broker)
    except BrokerRefused as refusal:
        flash(f"{sentence(refusal.message)} {words(refusal.remedy)}", "error")
        return redirect(url_for("brokers.detail", broker_id=broker_id))
    flash(_("%(broker)s is removed and its keys are deleted.", broker=broker.name), "success")
    return redirect(url_for("brokers.index"))


def _own(broker_id: int) -> Broker:
    return brokers.find(current_user, broker_id) or abort(404)


def _add(form: BrokerForm) -> Broker:
    broker = brokers.add(
        current_user,
        name=form.name,
        exchange=form.exchange,
        environment=form.environment,
        credential=form.credential,
        mode=form.mode,
        dry_run=form.dry_run,
        region=form.region,
    )
    if form.is_main:
        brokers.make_main(broker)
    return broker


def _apply(broker: Broker, form: BrokerForm) -> None:
    if form.mode is not broker.mode:
        brokers.set_mode(broker, form.mode)
    if form.is_main and not broker.is_main:
        brokers.make_main(broker)


def _form_page(broker: Broker | None, values: dict[str, Any], errors: forms.Errors) -> str:
    name = broker.exchange if broker is not None else values.get("exchange", "")
    return render_template(
        "brokers/form.html",
        broker=broker,
        exchanges=[{"id": name, "name": title(name)} for name in NAMES],
        exchange=_exchange(name if name in NAMES else NAMES[0]),
        modes=MODES,
        values=values,
        errors=errors,
    )


def _exchange(name: str) -> _Exchange:
    if name not in NAMES:
        abort(404)
    testable = capabilities(name).test_environment
    environments = [Environment.SANDBOX, *([Environment.TESTNET] if testable else []), Environment.LIVE]
    return _Exchange(name, title(name), credential_fields(name), tuple(environments), regions(name))


def _fields(exchange: str) -> tuple[CredentialField, ...]:
    return credential_fields(exchange) if exchange in NAMES else ()


def _values(broker: Broker) -> dict[str, Any]:
    return {
        "exchange": broker.exchange,
        "name": broker.name,
        "environment": broker.environment,
        "region": broker.region,
        "mode": broker.mode,
        "dry_run": broker.dry_run,
        "is_main": broker.is_main,
    }


def _checkup(broker: Broker) -> dict[str, Any] | None:
    if broker.checked_at is None or broker.connected is None:
        return None
    found = broker.check_up or {}
    return {
        **found,
        "at": broker.checked_at,
        "connected": broker.connected,
        "reason": broker.connection_reason,
        "remedy": broker.connection_remedy,
    }


def _markets(broker: Broker) -> dict[str, Any]:
    stage = underway.stage(Work.MARKETS, broker.id)
    state = "LOADING" if stage is not None else "FAILED" if broker.markets_error else "IDLE"
    return {
        "state": state,
        "stage": stage,
        "stages": list(Stage),
        "loaded_at": broker.markets_loaded_at,
        "error": broker.markets_error,
    }


def _ledger(broker: Broker) -> dict[str, Any]:
    return {
        "opened_at": broker.ledger_opened_at,
        "drifting": sorted((row for row in broker.balances if row.drift), key=lambda row: row.asset),
        "entries": ledger.entries(broker, limit=_LATEST_ENTRIES),
    }
