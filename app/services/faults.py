"""What broke lately, for the administrator's page: where and of which kind, never the words, which may hold a secret.

The log has the whole of it; the correlation id leads there.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import redis.exceptions
import structlog

from app.config import PROJECT_ROOT
from app.extensions import redis as store
from app.models import utc_now

log = structlog.get_logger()

_KEY = "faults"
_KEPT = 50


@dataclass(frozen=True, slots=True)
class Fault:
    """An error that nobody expected. ``doing`` names the page or the task, ``place`` the line it came from."""

    at: datetime
    doing: str
    kind: str
    place: str
    correlation_id: str | None


def note(error: BaseException, doing: str, correlation_id: str | None = None) -> None:
    """Keep an error; the newest few are."""
    fault = Fault(utc_now(), doing, type(error).__name__, _place(error), correlation_id)
    try:
        with store.pipeline() as pipe:
            pipe.lpush(_KEY, json.dumps({**asdict(fault), "at": fault.at.isoformat()}))
            pipe.ltrim(_KEY, 0, _KEPT - 1)
            pipe.execute()
    except redis.exceptions.RedisError as failure:
        log.warning("fault_not_kept", error=str(failure))


def recent() -> Sequence[Fault]:
    """The newest errors of all processes, newest first.

    Raises:
        redis.exceptions.RedisError: when Redis cannot be asked.
    """
    kept = [json.loads(str(text)) for text in store.lrange(_KEY, 0, -1)]
    return [Fault(**{**row, "at": datetime.fromisoformat(row["at"])}) for row in kept]


def _place(error: BaseException) -> str:
    """The innermost line of ours, or of anybody's when none is ours."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(PROJECT_ROOT / "app")]
    if not frames:
        return "unknown"
    frame = (ours or frames)[-1]
    path = Path(frame.filename)
    shown = path.relative_to(PROJECT_ROOT) if ours else Path(path.name)
    return f"{shown}:{frame.lineno}"
