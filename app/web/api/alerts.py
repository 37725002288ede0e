"""Alerts: what came and what became of it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort

from app.models import utc_now
from app.schemas.answers.alerts import AlertDetailAnswer, AlertListAnswer, AlertPageAnswer, AlertStatsAnswer
from app.schemas.answers.shapes import Paged
from app.schemas.queries import AlertQuery, BrokerQuery, RecentQuery
from app.services import alert_figures, inbox, sources
from app.services.alert_figures import SPANS, Figures
from app.services.inbox import AlertFilter, Story
from app.services.tokens import Scope
from app.web.access import api
from app.web.api.contract import contract
from app.web.api.person import caller, own_broker

blueprint = Blueprint("alerts", __name__, url_prefix="/alerts")


@blueprint.get("")
@api(Scope.READ)
@contract(AlertPageAnswer, query=AlertQuery)
def list_alerts(query: AlertFilter) -> Paged:
    """A page of the alerts that pass every filter given, newest first."""
    own_broker(query.broker_id)
    if query.source_id is not None and sources.find(caller(), query.source_id) is None:
        abort(404)
    found, total = inbox.listing(caller(), query)
    return Paged(inbox.entries(found), query.page, query.per_page, total)


@blueprint.get("/recent")
@api(Scope.READ)
@contract(AlertListAnswer, query=RecentQuery)
def recent_alerts(query: dict[str, Any]) -> dict[str, Any]:
    """The newest alerts, newest first."""
    return {"alerts": inbox.entries(inbox.recent(caller(), query["limit"]))}


@blueprint.get("/stats")
@api(Scope.READ)
@contract(AlertStatsAnswer, query=BrokerQuery)
def alert_stats(query: dict[str, Any]) -> dict[str, Figures]:
    """How the alerts of the last 24 hours, 7 days and 30 days fared."""
    own_broker(query["broker_id"])
    now = utc_now()
    return {
        span: alert_figures.since(caller(), now - length, broker_id=query["broker_id"])
        for span, length in SPANS.items()
    }


@blueprint.get("/<int:alert_id>")
@api(Scope.READ)
@contract(AlertDetailAnswer)
def one_alert(alert_id: int) -> Story:
    """One alert: as it came (its secret masked), as it was understood, what was decided and what came of it."""
    return inbox.story(inbox.find(caller(), alert_id) or abort(404))
