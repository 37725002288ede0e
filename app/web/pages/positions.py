"""The positions page: what is held and how it is guarded, and changing that."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from app.domain.money import plain
from app.models import Position, PositionStatus
from app.schemas.positions import CloseSchema, ProtectionSchema
from app.services import brokers, positions, standing, wishes
from app.services.wishes import WishRefused
from app.web import exports, forms, paging
from app.web.access import member
from app.web.filters import sentence
from app.web.ids import row_id


class _Wanted(TypedDict):
    """The filters in the address."""

    broker_id: int | None
    containing: str | None


blueprint = Blueprint("positions", __name__, url_prefix="/positions")

_MOST_HELD = 200
_PER_PAGE = 20
_COLUMNS = (
    *("Position", "Opened (UTC)", "Closed (UTC)", "Broker", "Market", "Status", "Held", "Bought in all"),
    *(
        "Entry price",
        "Mark",
        "Cost",
        "Unrealised",
        "Realised",
        "Fees",
        "Stop-loss",
        "Trailing %",
        "Take-profits",
    ),
    "How it is held, or why it closed",
)


@blueprint.get("/")
@member
def index() -> ResponseReturnValue:
    """What is held now, and a page of what was held before."""
    wanted, page = _wanted(), paging.asked_for()
    held, _number = positions.listing(current_user, status=PositionStatus.OPEN, per_page=_MOST_HELD, **wanted)
    over, total = positions.listing(
        current_user, status=PositionStatus.CLOSED, page=page, per_page=_PER_PAGE, **wanted
    )
    return render_template(
        "positions/list.html",
        held=standing.of(held),
        over=standing.of(over),
        filters={name: request.args.get(name, "") for name in ("broker_id", "symbol")},
        brokers=brokers.of(current_user),
        page=paging.page_of(page, _PER_PAGE, total, "positions.index"),
        exports=exports.links(url_for("positions.export")),
    )


@blueprint.get("/export")
@member
def export() -> ResponseReturnValue:
    """The same as a file, open and closed ones."""
    return exports.answer("positions", _COLUMNS, map(_row, positions.every(current_user, **_wanted())))


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


def _wanted() -> _Wanted:
    return {
        "broker_id": request.args.get("broker_id", type=row_id),
        "containing": request.args.get("symbol", "").strip() or None,
    }


def _row(position: Position) -> exports.Row:
    [stands] = standing.of([position])
    targets = ", ".join(f"{plain(each.price)} ({plain(each.share)} %)" for each in position.targets)
    return (
        *(position.id, position.opened_at, position.closed_at, position.broker.name, position.symbol),
        *(position.status, position.quantity, position.bought),
        *(stands.rounded(position.entry_price), stands.mark, stands.rounded(position.cost)),
        *(
            stands.rounded(stands.unrealised),
            stands.rounded(position.realised),
            stands.rounded(position.fees),
        ),
        *(position.stop_loss, position.trailing_percent, targets, stands.held),
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
