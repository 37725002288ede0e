"""Turning the second factor on and off, and other recovery codes."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import segno
from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from app.services import second_factor
from app.services.refusal import Refused
from app.web import forms, reproof
from app.web.access import member

blueprint = Blueprint("second_factor", __name__, url_prefix="/settings/second-factor")


@blueprint.route("/", methods=["GET", "POST"])
@member
@reproof.limited
def index() -> ResponseReturnValue:
    """Whether it is on and what to do next, or one of `_ACTS`."""
    if request.method == "GET":
        return _page()
    act = _ACTS.get(request.form.get("act", "")) or abort(400)
    try:
        return act()
    except Refused as refusal:
        return _page(errors=forms.errors_of(refusal)), 422


@blueprint.get("/code.svg")
@member
def picture() -> ResponseReturnValue:
    """The QR code of what was begun, for as long as it is not confirmed."""
    enrolment = second_factor.enrolment(current_user) or abort(404)
    drawing = io.BytesIO()
    segno.make(enrolment.uri, error="m").save(drawing, kind="svg", scale=5, dark="#000", light="#fff")
    return Response(drawing.getvalue(), mimetype="image/svg+xml")


def _begin() -> ResponseReturnValue:
    """Make a secret for an authenticator; nothing counts until a code of it has come."""
    _ask_again()
    second_factor.begin(current_user)
    return redirect(url_for("second_factor.index"))


def _confirm() -> ResponseReturnValue:
    """Turn it on by a first code; the answer shows the recovery codes, this once."""
    return _page(codes=second_factor.confirm(current_user, request.form.get("code", "")))


def _renew_codes() -> ResponseReturnValue:
    """Other recovery codes, shown this once; those there were are good for nothing any more."""
    _ask_again()
    return _page(codes=second_factor.new_codes(current_user))


def _turn_off() -> ResponseReturnValue:
    """Have the password alone suffice again."""
    _ask_again()
    second_factor.turn_off(current_user)
    flash(_("The second factor is off: your password alone opens this account."), "warning")
    return redirect(url_for("second_factor.index"))


_ACTS: Mapping[str, Callable[[], ResponseReturnValue]] = {
    "begin": _begin,
    "confirm": _confirm,
    "codes": _renew_codes,
    "off": _turn_off,
}


def _ask_again() -> None:
    reproof.ask_again(request.form.get("password", ""))


def _page(*, errors: forms.Errors | None = None, codes: list[str] | None = None) -> str:
    is_on = second_factor.is_on(current_user)
    return render_template(
        "settings/second_factor.html",
        is_on=is_on,
        enrolment=second_factor.enrolment(current_user),
        codes=codes,
        codes_left=second_factor.codes_left(current_user) if is_on else 0,
        errors=errors or {},
    )
