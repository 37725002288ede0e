"""Server-sent events: an open page is told what changed and fetches it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import redis.exceptions
from flask import Blueprint, Response, current_app
from flask.sansio.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.extensions import db
from app.services import events
from app.services.events import Change
from app.web.access import member

blueprint = Blueprint("live", __name__)

#: That a page has gone is noticed with the next of these.
_HEARTBEAT_SECONDS = 5.0
_SLOTS = "live_slots"


@blueprint.record_once
def _prepare(state: BlueprintSetupState) -> None:
    """Each open page holds a thread, so at most half of them are given away: alerts always find one."""
    threads = state.app.extensions["settings"].web_threads
    state.app.extensions[_SLOTS] = threading.BoundedSemaphore(max(1, threads // 2))


@blueprint.get("/live")
@member
def stream() -> ResponseReturnValue:
    """The logged-in person's events, each named by its topic; pages beyond the slots are told to come back."""
    slots = current_app.extensions[_SLOTS]
    if not slots.acquire(blocking=False):
        return _come_back()
    try:
        changes = events.subscribe(current_user.id, heartbeat=_HEARTBEAT_SECONDS)
    except redis.exceptions.RedisError:
        slots.release()
        return _come_back()
    db.session.remove()
    response = Response(_lines(changes), mimetype="text/event-stream")
    response.call_on_close(slots.release)
    response.headers.update({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    return response


def _come_back() -> ResponseReturnValue:
    return "", 503, {"Retry-After": "10"}


def _lines(changes: Iterator[Change | None]) -> Iterator[str]:
    yield "retry: 3000\n\n"
    try:
        for change in changes:
            yield (
                ": still here\n\n" if change is None else f"event: {change.topic}\ndata: {change.row_id}\n\n"
            )
    except redis.exceptions.RedisError:
        return  # the page reconnects by itself
