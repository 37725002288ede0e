"""The positions page: what is held and how it is guarded, and changing that."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from app.models import Position, PositionStatus
from app.schemas.positions import CloseSchema, ProtectionSchema
from app.services import positions, standing, wishes
from app.services.wishes import WishRefused
from app.web import forms
from app.web.access import member
from app.web.filters import sentence

blueprint = Blueprint("positions", __name__, url_prefix="/positions")

_RECENT = 50


@blueprint.get("/")
@member
def index() -> ResponseReturnValue:
    """What is held now, and what was held last."""
    held = positions.of(current_user, PositionStatus.OPEN)
    over = positions.of(current_user, PositionStatus.CLOSED, limit=_RECENT)
    return render_template("positions/list.html", held=standing.of(held), over=standing.of(over))


@blueprint.get("/<int:position_id>")
@member
def detail(position_id: int) -> ResponseReturnValue:
    """One position with its orders and fills, and what may be done with it."""
    return _page(_own(position_id))


@blueprint.post("/<int:position_id>/close")
@member
def close(position_id: int) -> ResponseReturnValue:
    """Sell a share of it at the market."""
    position = _own(position_id)
    wanted, errors = forms.load(CloseSchema())
    if errors:
        return _page(position, errors), 422
    return _wish(
        position,
        lambda: wishes.close(position, wanted["percent"]),
        _("It is being sold at the market; what is left stays guarded."),
    )


@blueprint.post("/<int:position_id>/protection")
@member
def protect(position_id: int) -> ResponseReturnValue:
    """Move its stop-loss or take-profit, or let the stop-loss follow the price."""
    position = _own(position_id)
    wanted, errors = forms.load(ProtectionSchema())
    if errors:
        return _page(position, errors), 422
    return _wish(position, lambda: wishes.move(position, **wanted), _("The protection is being moved."))


@blueprint.post("/<int:position_id>/break-even")
@member
def break_even(position_id: int) -> ResponseReturnValue:
    """Move its stop-loss to where nothing is lost."""
    position = _own(position_id)
    return _wish(
        position, lambda: wishes.break_even(position), _("The stop-loss is being moved to break-even.")
    )


@blueprint.post("/<int:position_id>/reverse")
@member
def reverse(position_id: int) -> ResponseReturnValue:
    """Turn it around, which on a spot market sells it whole."""
    position = _own(position_id)
    return _wish(
        position,
        lambda: wishes.reverse(position),
        _("It is being sold whole. A spot market has no short positions, so nothing is opened in its place."),
    )


def _own(position_id: int) -> Position:
    return positions.find(current_user, position_id) or abort(404)


def _wish(position: Position, wish: Callable[[], Position], done: str) -> ResponseReturnValue:
    try:
        wish()
    except WishRefused as refusal:
        return _page(position, {forms.WHOLE: [sentence(refusal.message)]}), 422
    flash(done, "success")
    return redirect(url_for("positions.detail", position_id=position.id))


def _page(position: Position, errors: forms.Errors | None = None) -> str:
    stands = standing.story(position)
    return render_template(
        "positions/detail.html",
        stands=stands,
        position=position,
        orders=stands.orders[::-1],
        fills=[(fill.order, fill) for fill in stands.fills],
        values=forms.typed(),
        errors=errors or {},
    )
