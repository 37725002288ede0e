"""The performance page: what trading earned day by day, and how fast alerts were acted on."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.models import utc_now
from app.services import latencies, results
from app.web import calendars
from app.web.access import member
from app.web.addresses import with_query
from app.web.calendars import Month
from app.web.zones import zone

blueprint = Blueprint("performance", __name__)

_LATENCIES_OF = timedelta(days=7)


@blueprint.get("/performance")
@member
def index() -> ResponseReturnValue:
    """The month that the address asks for, day by day, and the last week's latencies."""
    month = _month()
    here = url_for("performance.index")
    return render_template(
        "performance.html",
        month=month,
        earlier=with_query(here, month=month.previous),
        later=None if month.next is None else with_query(here, month=month.next),
        short=calendars.short,
        latencies=latencies.to_the_wire(current_user, utc_now() - _LATENCIES_OF),
    )


def _month() -> Month:
    today = utc_now().astimezone(zone()).date()
    first = calendars.first_day(request.args.get("month", ""), today)
    days = results.by_day(current_user, first, calendars.last_day(first), zone())
    return calendars.month_of(first, days, today)
