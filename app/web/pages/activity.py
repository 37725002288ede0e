"""The activity page: what happened to a person's alerts, orders, keys and log-ins, by whom and from where."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.domain.audit import Action
from app.models import utc_now
from app.services import audit
from app.services.audit import EntryFilter
from app.web import paging
from app.web.access import member
from app.web.periods import PERIODS

blueprint = Blueprint("activity", __name__, url_prefix="/activity")

_PER_PAGE = 50

#: What entries may be about, in the order in which it is first written down.
_KINDS = tuple(dict.fromkeys(action.partition(".")[0] for action in Action))

#: Where a subject is shown: its page and what that calls its number.
_PAGES = {
    "order": ("orders.detail", "order_id"),
    "alert": ("webhooks.alert", "alert_id"),
    "broker": ("brokers.detail", "broker_id"),
}


@blueprint.get("/")
@member
def index() -> ResponseReturnValue:
    """What passes the filters in the address; an administrator sees what operators did as well."""
    filters = {name: request.args.get(name, "").strip() for name in ("kind", "subject", "period")}
    period = PERIODS.get(filters["period"])
    wanted = EntryFilter(
        action=filters["kind"] or None,
        subject=filters["subject"].lower() or None,
        since=None if period is None else utc_now() - period,
        page=paging.asked_for(),
        per_page=_PER_PAGE,
    )
    found, total = audit.listing(wanted, viewer=current_user)
    return render_template(
        "activity.html",
        filters=filters,
        kinds=_KINDS,
        entries=[{**row, "url": _url(row["subject"], row["user_id"])} for row in found],
        page=paging.page_of(wanted.page, wanted.per_page, total, "activity.index"),
    )


def _url(subject: str, user_id: int | None) -> str | None:
    """The page of what an entry is about, where this person may see that."""
    kind, _, number = subject.partition(" ")
    if kind not in _PAGES or user_id != current_user.id:
        return None
    endpoint, name = _PAGES[kind]
    where: dict[str, Any] = {name: number}
    return url_for(endpoint, **where)
