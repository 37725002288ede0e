"""Whether the program lives and can serve."""

from __future__ import annotations

import redis.exceptions
from flask import Blueprint
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.extensions import db
from app.extensions import redis as store
from app.services import schedule
from app.web.access import public

blueprint = Blueprint("health", __name__, url_prefix="/health")


@blueprint.get("/live")
@public
def live() -> ResponseReturnValue:
    """The process answers."""
    return {"status": "ok"}


@blueprint.get("/ready")
@public
def ready() -> ResponseReturnValue:
    """Database and Redis answer; when beat last ran. 503 names what does not."""
    parts = {"database": _database(), "redis": _redis()}
    well = all(state == "ok" for state in parts.values())
    tick = schedule.last_tick() if parts["redis"] == "ok" else None
    body = {**parts, "beat_last_tick": None if tick is None else tick.isoformat()}
    return {"status": "ok" if well else "unavailable", **body}, 200 if well else 503


def _database() -> str:
    try:
        db.session.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        return f"unavailable: {type(error).__name__}"
    return "ok"


def _redis() -> str:
    try:
        store.ping()
    except redis.exceptions.RedisError as error:
        return f"unavailable: {type(error).__name__}"
    return "ok"
