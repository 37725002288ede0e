"""The dashboard."""

from __future__ import annotations

from decimal import Decimal

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.domain.money import EXACT
from app.models import PositionStatus
from app.services import balances, brokers, inbox, orders, overview, positions, standing
from app.web.access import member
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
    return render_template(
        "dashboard.html",
        totals=overview.totals(current_user, held),
        period=period,
        equity=[
            {"at": at, "value": value} for at, value in balances.equity_curve(current_user, PERIODS[period])
        ],
        balances=[
            {
                "broker": broker.name,
                "asset": row.asset,
                "free": row.free,
                "locked": row.locked,
                "usd": row.usd_value,
                "drift": row.drift,
            }
            for broker, row in held
        ],
        brokers=overview.states(owned),
        positions=standing.of(positions.of(current_user, PositionStatus.OPEN, limit=_RECENT)),
        alerts=inbox.recent(current_user, _RECENT),
        orders=orders.recent(current_user, _RECENT),
    )


@blueprint.get("/equity")
@member
def equity() -> ResponseReturnValue:
    """The figures of the curve; times in Unix seconds, each once, amounts as text."""
    points: dict[int, str] = {}
    for at, value in balances.equity_curve(current_user, PERIODS[_period()]):
        points[int(at.timestamp())] = format(EXACT.quantize(value, _CENT), "f")
    return {"points": [{"time": time, "value": value} for time, value in points.items()]}


def _period() -> str:
    asked = request.args.get("period", "day")
    return asked if asked in PERIODS else "day"
