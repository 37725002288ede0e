"""Server-sent events: an open page is told what changed and fetches it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import redis.exceptions
from flask import Blueprint, Response, stream_with_context
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.extensions import db, settings
from app.services import events
from app.web.access import member

blueprint = Blueprint("live", __name__)

_HEARTBEAT_SECONDS = 15.0
_open = threading.Semaphore(0)
_prepared = threading.Event()


@blueprint.get("/live")
@member
def stream() -> ResponseReturnValue:
    """The logged-in person's events.

    Each open page holds a thread, so at most half of them are given away: pages beyond that are told to come back,
    and alerts always find a thread.
    """
    slots = _slots()
    if not slots.acquire(blocking=False):
        return "", 503, {"Retry-After": "10"}
    user_id = current_user.id
    db.session.remove()
    response = Response(stream_with_context(_lines(user_id, slots)), mimetype="text/event-stream")
    response.headers.update({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    return response


def _lines(user_id: int, slots: threading.Semaphore) -> Iterator[str]:
    try:
        yield "retry: 3000\n\n"
        for message in events.subscribe(user_id, heartbeat=_HEARTBEAT_SECONDS):
            yield ": still here\n\n" if message is None else f"data: {message}\n\n"
    except redis.exceptions.RedisError:
        return  # the page reconnects by itself
    finally:
        slots.release()


def _slots() -> threading.Semaphore:
    if not _prepared.is_set():
        _prepared.set()
        _open.release(max(1, settings.web_threads // 2))
    return _open
