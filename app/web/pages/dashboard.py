"""The dashboard."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.domain.money import EXACT
from app.models import BalanceRow, Broker, PositionStatus
from app.services import (
    balances,
    brokers,
    history,
    holdings,
    inbox,
    orders,
    overview,
    positions,
    standing,
)
from app.services.history import Course
from app.services.holdings import Share
from app.web import drawing, exports
from app.web.access import member
from app.web.addresses import with_query
from app.web.periods import PERIODS

blueprint = Blueprint("dashboard", __name__)

_RECENT = 10
_CENT = Decimal("0.01")


@blueprint.get("/")
@member
def index() -> ResponseReturnValue:
    """Everything at a glance."""
    owned = brokers.of(current_user)
    held = balances.held_by(current_user)
    period = _period()
    course = history.of_equity(current_user, PERIODS[period], held)
    return render_template(
        "dashboard.html",
        totals=overview.totals(held, course.day_ago),
        period=period,
        periods={name: with_query(url_for("dashboard.index"), period=name) for name in PERIODS},
        equity=history.rows(course.curve, PERIODS[period]),
        exports=exports.links(url_for("dashboard.export")),
        balances=[holdings.Held(broker, row) for broker, row in held[:_RECENT]],
        allocation=_allocation(held),
        brokers=overview.states(owned),
        positions=standing.of(positions.of(current_user, PositionStatus.OPEN, limit=_RECENT)),
        alerts=inbox.recent(current_user, _RECENT),
        orders=orders.recent(current_user, _RECENT),
    )


@blueprint.get("/equity")
@member
def equity() -> ResponseReturnValue:
    """The figures of the curve; times in Unix seconds, each once, amounts as text."""
    values = {int(worth.at.timestamp()): EXACT.quantize(worth.usd, _CENT) for worth in _course().curve}
    return {"points": [{"time": time, "value": format(value, "f")} for time, value in values.items()]}


@blueprint.get("/equity/export")
@member
def export() -> ResponseReturnValue:
    """The same as a file."""
    columns = ("Time (UTC)", "Equity, USD", "Assets without a price")
    return exports.answer("equity", columns, _course().curve)


def _course() -> Course:
    return history.of_equity(current_user, PERIODS[_period()], balances.held_by(current_user))


def _period() -> str:
    asked = request.args.get("period", "day")
    return asked if asked in PERIODS else "day"


def _allocation(
    held: Sequence[tuple[Broker, BalanceRow]],
) -> dict[str, list[tuple[Share, tuple[float, float]]]]:
    """The shares of assets and of brokers, each with the arc that draws it."""
    kinds = {
        "asset": holdings.shares((row.asset, row.usd_value) for _, row in held),
        "broker": holdings.shares((broker.name, row.usd_value) for broker, row in held),
    }
    return {
        kind: list(zip(shares, drawing.arcs([share.percent for share in shares]), strict=True))
        for kind, shares in kinds.items()
    }
