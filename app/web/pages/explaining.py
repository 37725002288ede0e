"""Explaining a pasted alert: what it would lead to, with nothing stored and nothing placed."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.schemas.explaining import ExplainSchema
from app.services import explaining, sources
from app.services.explaining import Explanation
from app.web import forms, understood
from app.web.access import member

blueprint = Blueprint("explaining", __name__, url_prefix="/webhooks/explain")


@blueprint.route("", methods=["GET", "POST"])
@member
def index() -> ResponseReturnValue:
    """The form and, once an alert is pasted, what it would lead to if it came now."""
    if request.method == "GET":
        return _page({})
    form, errors = forms.load(ExplainSchema())
    if errors:
        return _page(errors), 422
    source = sources.find(current_user, form.source_id) or abort(404)
    told = explaining.explain(form.text, source)
    return _page({}, told, explaining.elsewhere(told, source))


def _page(
    errors: forms.Errors, told: Explanation | None = None, elsewhere: Sequence[Explanation] = ()
) -> str:
    values = forms.typed()
    return render_template(
        "webhooks/explain.html",
        sources=sources.named(current_user),
        told=None if told is None else understood.shown(told),
        elsewhere=[understood.shown(each) for each in elsewhere],
        text=None if told is None else understood.pointed_at(values["text"], understood.place_of(told)),
        values=values,
        errors=errors,
    )
