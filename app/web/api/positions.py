"""Positions: what is held, how it is guarded and how it stands."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort

from app.models import PositionStatus
from app.schemas.answers.positions import (
    PositionDetailAnswer,
    PositionListAnswer,
    PositionPageAnswer,
    PositionSummaryAnswer,
)
from app.schemas.answers.shapes import Paged
from app.schemas.queries import BrokerQuery, PositionQuery
from app.services import positions, standing
from app.services.standing import Standing, Story
from app.services.tokens import Scope
from app.web.access import api
from app.web.api.contract import contract
from app.web.api.person import caller, own_broker

blueprint = Blueprint("positions", __name__, url_prefix="/positions")


@blueprint.get("")
@api(Scope.READ)
@contract(PositionPageAnswer, query=PositionQuery)
def list_positions(query: dict[str, Any]) -> Paged:
    """A page of the positions that pass every filter given, open and closed, newest first."""
    own_broker(query["broker_id"])
    found, total = positions.listing(caller(), **query)
    return Paged(standing.of(found), query["page"], query["per_page"], total)


@blueprint.get("/open")
@api(Scope.READ)
@contract(PositionListAnswer, query=BrokerQuery)
def open_positions(query: dict[str, Any]) -> dict[str, Any]:
    """Every open position, newest first."""
    return {"positions": _held(query["broker_id"])}


@blueprint.get("/summary")
@api(Scope.READ)
@contract(PositionSummaryAnswer, query=BrokerQuery)
def position_summary(query: dict[str, Any]) -> dict[str, Any]:
    """What the open positions come to, for each quote asset."""
    held = _held(query["broker_id"])
    alarms = sum(stands.position.alarm is not None for stands in held)
    return {"open": len(held), "alarms": alarms, "by_quote": standing.sums(held)}


@blueprint.get("/<int:position_id>")
@api(Scope.READ)
@contract(PositionDetailAnswer)
def one_position(position_id: int) -> Story:
    """One position with its orders and their executions."""
    return standing.story(positions.find(caller(), position_id) or abort(404))


def _held(broker_id: int | None) -> list[Standing]:
    own_broker(broker_id)
    return standing.of(positions.of(caller(), PositionStatus.OPEN, broker_id=broker_id, limit=None))
