"""How a person wants to see the pages: language, time zone and theme."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from marshmallow import EXCLUDE, Schema, fields, validate

from app.services import users
from app.web import forms, zones
from app.web.access import member
from app.web.languages import LANGUAGES, find_out_again

blueprint = Blueprint("look", __name__, url_prefix="/settings/look")


class LookSchema(Schema):
    """The form; an empty language or zone follows the browser."""

    class Meta:
        unknown = EXCLUDE

    language = fields.String(
        load_default="", validate=validate.OneOf(["", *LANGUAGES], error="Choose one of these.")
    )
    time_zone = fields.String(
        load_default="", validate=validate.OneOf(["", *zones.names()], error="Choose one of these.")
    )
    theme = fields.String(
        load_default=users.THEMES[0], validate=validate.OneOf(users.THEMES, error="Choose one of these.")
    )


@blueprint.route("", methods=["GET", "POST"])
@member
def index() -> ResponseReturnValue:
    """The choices; what was chosen counts from the answer on."""
    if request.method == "GET":
        return _page({name: getattr(current_user, name) or "" for name in LookSchema().fields}, {})
    wanted, errors = forms.load(LookSchema())
    if errors:
        return _page(forms.typed(), errors), 422
    users.set_look(
        current_user,
        theme=wanted["theme"],
        language=wanted["language"] or None,
        time_zone=wanted["time_zone"] or None,
    )
    find_out_again()
    flash(_("The pages look as you chose."), "success")
    return redirect(url_for("look.index"))


def _page(values: dict[str, str], errors: forms.Errors) -> str:
    return render_template(
        "settings/look.html", languages=LANGUAGES, zones=zones.names(), values=values, errors=errors
    )
