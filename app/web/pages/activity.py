"""The activity page: what happened to a person's alerts, orders, keys and log-ins, by whom and from where."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import RowMapping

from app.domain.audit import Action
from app.models import utc_now
from app.services import audit
from app.services.audit import EntryFilter
from app.web import exports, paging
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
    wanted = _wanted()
    found, total = audit.listing(wanted, viewer=current_user)
    return render_template(
        "activity.html",
        filters=_given(),
        kinds=_KINDS,
        entries=[{**row, "url": _url(row["subject"], row["user_id"])} for row in found],
        page=paging.page_of(wanted.page, wanted.per_page, total, "activity.index"),
        exports=exports.links(url_for("activity.export")),
    )


@blueprint.get("/export")
@member
def export() -> ResponseReturnValue:
    """The same as a file, all pages of it."""
    columns = ("Time (UTC)", "What", "Subject", "Who", "From", "Detail", "Seal")
    entries = audit.every(_wanted(), viewer=current_user)
    return exports.answer("activity", columns, (_row(entry) for entry in entries))


def _row(entry: RowMapping) -> exports.Row:
    detail = json.dumps(entry["detail"], ensure_ascii=False)
    told = (entry["action"], entry["subject"], entry["actor"], entry["address"], detail, entry["position"])
    return (entry["at"], *told)


def _given() -> dict[str, str]:
    return {name: request.args.get(name, "").strip() for name in ("kind", "subject", "period")}


def _wanted() -> EntryFilter:
    given = _given()
    period = PERIODS.get(given["period"])
    return EntryFilter(
        action=given["kind"] or None,
        subject=given["subject"].lower() or None,
        since=None if period is None else utc_now() - period,
        page=paging.asked_for(),
        per_page=_PER_PAGE,
    )


def _url(subject: str, user_id: int | None) -> str | None:
    """The page of what an entry is about, where this person may see that."""
    kind, _, number = subject.partition(" ")
    if kind not in _PAGES or user_id != current_user.id:
        return None
    endpoint, name = _PAGES[kind]
    where: dict[str, Any] = {name: number}
    return url_for(endpoint, **where)
