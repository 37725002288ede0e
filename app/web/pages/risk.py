"""Risk limits, the kill switch and panic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from marshmallow import ValidationError

from app.models import Broker, Halt, HaltScope
from app.schemas.halts import HaltForm, HaltSchema, PanicSchema
from app.schemas.risk import LimitsSchema
from app.services import brokers, halts, limits, panic
from app.services.halts import Reach
from app.web import forms
from app.web.access import member
from app.web.languages import words

blueprint = Blueprint("risk", __name__)


@blueprint.route("/settings/risk", methods=["GET", "POST"])
@member
def index() -> ResponseReturnValue:
    """The limits of all brokers together, or of the one that ``broker_id`` names."""
    broker = _named_in(request.values.get("broker_id", ""))
    if request.method == "GET":
        values = LimitsSchema().dump(limits.of(current_user, broker))
        return _page(broker, values, {})
    wanted, errors = forms.load(LimitsSchema())
    if errors:
        return _page(broker, forms.typed(), errors), 422
    limits.put(current_user, broker, wanted)
    flash(_("The limits are saved; the next entry has to keep them."), "success")
    return redirect(url_for("risk.index", broker_id=None if broker is None else broker.id))


@blueprint.post("/halts/start")
@member
def start() -> ResponseReturnValue:
    """Stop entries at once."""
    form = _halt_form()
    reach = _reach(form)
    halts.start(reach, current_user, form.reason)
    flash(_("Entries of %(name)s are halted. Exits still run.", name=words(reach.name)), "success")
    return redirect(_page_of(form))


@blueprint.post("/halts/lift")
@member
def lift() -> ResponseReturnValue:
    """Let entries go on."""
    form = _halt_form()
    reach = _reach(form)
    halts.lift(reach, current_user)
    flash(_("The halt of %(name)s is lifted.", name=words(reach.name)), "success")
    return redirect(_page_of(form))


@blueprint.route("/panic", methods=["GET", "POST"])
@member
def emergency() -> ResponseReturnValue:
    """Say what a panic does, ask for the word, and do it."""
    if request.method == "GET":
        return _panic_page(_halt_form(), {})
    form, errors = forms.load(PanicSchema())
    if errors:
        return _panic_page(_halt_form(), errors), 422
    toll = panic.press(_reach(form), current_user, form.reason or "panic")[1]
    done = (
        _("Entries are halted."),
        ngettext("%(num)s entry order is cancelled.", "%(num)s entry orders are cancelled.", toll.orders),
        ngettext("%(num)s position is being sold.", "%(num)s positions are being sold.", toll.positions),
    )
    flash(" ".join(done), "success")
    return redirect(_page_of(form))


def in_force() -> Sequence[Halt]:
    """The halts that concern whoever looks at a page, asked for once a page."""
    if "halts" not in g:
        g.halts = halts.seen_by(current_user)
    found: Sequence[Halt] = g.halts
    return found


def _halt_form() -> HaltForm:
    """What the address or the form says; a page of ours never says anything that makes no sense."""
    try:
        form: HaltForm = HaltSchema().load(request.values.to_dict())
    except ValidationError:
        abort(400)
    return form


def _reach(form: HaltForm) -> Reach:
    if form.scope is HaltScope.SERVER:
        return halts.whole_server()
    if form.broker_id is None:
        return halts.all_of(current_user)
    return halts.only(_own(form.broker_id))


def _page_of(form: HaltForm) -> str:
    """Where the switch of this reach is."""
    if form.scope is HaltScope.SERVER:
        return url_for("admin.index")
    if form.broker_id is None:
        return url_for("risk.index")
    return url_for("brokers.detail", broker_id=form.broker_id)


def _panic_page(form: HaltForm, errors: forms.Errors) -> str:
    if form.scope is HaltScope.SERVER and not current_user.is_admin:
        abort(403)
    reach = _reach(form)
    return render_template(
        "risk/panic.html",
        reach=reach,
        fields=_fields(form),
        toll=panic.foresee(reach),
        values=forms.typed(),
        errors=errors,
        back=_page_of(form),
    )


def _fields(form: HaltForm) -> dict[str, Any]:
    broker = {} if form.broker_id is None else {"broker_id": form.broker_id}
    return {"scope": form.scope.value, **broker}


def _page(broker: Broker | None, values: dict[str, Any], errors: forms.Errors) -> str:
    return render_template(
        "risk/limits.html", broker=broker, brokers=brokers.of(current_user), values=values, errors=errors
    )


def _named_in(broker_id: str) -> Broker | None:
    if not broker_id:
        return None
    return _own(int(broker_id)) if broker_id.isdecimal() else abort(404)


def _own(broker_id: int) -> Broker:
    return brokers.find(current_user, broker_id) or abort(404)
