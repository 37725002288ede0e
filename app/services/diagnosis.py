"""Is everything there that trading needs? Each part is looked at by itself, and how to mend it is said with it."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

import redis.exceptions
from alembic.script import ScriptDirectory
from flask import current_app
from kombu.exceptions import OperationalError
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from app.config import PROJECT_ROOT, SECRET_VARIABLES
from app.extensions import db, settings
from app.extensions import redis as store
from app.models import Broker, utc_now
from app.services import schedule, vault, workers

OLDEST_PYTHON = (3, 11)

#: Beat sweeps every 15 seconds; three missed ticks are no accident.
_TICK_WITHIN = timedelta(seconds=60)
_SKEW_NOTED, _SKEW_TOO_FAR = timedelta(seconds=1), timedelta(seconds=5)
_SPACE_NOTED, _SPACE_NEEDED = 1024**3, 100 * 1024**2


class State(StrEnum):
    """How a part is."""

    OK = "OK"
    WARNING = "WARNING"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one part; ``remedy`` says how to mend it when it is not well."""

    part: str
    state: State
    detail: str
    remedy: str | None = None


class Unwell(Exception):
    """A part does not work; why, and how to mend it."""

    def __init__(self, detail: str, remedy: str, *, state: State = State.FAILED) -> None:
        super().__init__(detail)
        self.finding = state, detail, remedy


def examine(parts: Iterable[str] | None = None) -> Iterator[Finding]:
    """Look at the named parts, or at all, one after the other; what rests on one that failed is looked at too."""
    for part in _PARTS if parts is None else parts:
        try:
            yield Finding(part, State.OK, _PARTS[part]())
        except Unwell as found:
            yield Finding(part, *found.finding)
        except SQLAlchemyError as error:
            db.session.rollback()
            yield Finding(part, State.FAILED, f"the database refuses: {_first_line(error)}", _MEND_DATABASE)
        except (redis.exceptions.RedisError, OperationalError) as error:
            yield Finding(part, State.FAILED, f"Redis does not answer: {_first_line(error)}", _MEND_REDIS)


def _python() -> str:
    version = platform.python_version()
    if sys.version_info < OLDEST_PYTHON:
        raise Unwell(f"Python {version}", "Use Python 3.11 or newer: PYTHON=python3.12 bin/start")
    return f"Python {version}"


def _database() -> str:
    db.session.execute(select(1))
    return db.engine.dialect.name + ("" if settings.sqlite_file is None else f": {settings.sqlite_file}")


def _migrations() -> str:
    script = ScriptDirectory.from_config(current_app.extensions["migrate"].migrate.get_config())
    wanted = set(script.get_heads())
    there = set(db.session.scalars(text("SELECT version_num FROM alembic_version")))
    if there != wanted:
        raise Unwell(f"at {_list(there)}, the program needs {_list(wanted)}", "Run: flask db upgrade")
    return f"at {_list(there)}, the newest"


def _redis() -> str:
    version = store.info("server")["redis_version"]
    return f"Redis {version}, embedded" if settings.embedded_redis else f"Redis {version}"


def _workers() -> str:
    online = workers.online()
    served = {queue for worker in online for queue in worker.queues}
    orphans = sorted(set(workers.queues()) - served)
    if orphans:
        raise Unwell(
            f"no worker serves {_list(orphans)}",
            f"Start bin/start, or: celery -A tasks.app worker --pool threads --queues {','.join(orphans)}",
        )
    return f"{len(online)} worker(s) serve all {len(served)} queues"


def _beat() -> str:
    tick = schedule.last_tick()
    if tick is None or utc_now() - tick > _TICK_WITHIN:
        when = "not since Redis was emptied" if tick is None else f"last at {tick:%Y-%m-%d %H:%M:%S}Z"
        raise Unwell(
            f"beat does not tick: {when}", "Start bin/start, or: celery -A tasks.app beat; give it 15 s."
        )
    return f"ticked {(utc_now() - tick).total_seconds():.0f} s ago"


def _clock() -> str:
    skews = dict(_skews())
    name, worst = max(skews.items(), key=lambda item: abs(item[1]))
    told = f"{worst.total_seconds() * 1000:.0f} ms off {name}, of {len(skews)} clock(s) compared"
    if abs(worst) > _SKEW_NOTED:
        state = State.FAILED if abs(worst) > _SKEW_TOO_FAR else State.WARNING
        raise Unwell(told, "Synchronise this machine's clock: timedatectl set-ntp true", state=state)
    return told


def _skews() -> Iterator[tuple[str, timedelta]]:
    """How far other clocks are ahead of ours: those of Redis, of a database server, of the exchanges in use."""
    before = utc_now()
    seconds, microseconds = store.time()
    yield "Redis", datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds) - before
    if settings.sqlite_file is None:
        before = utc_now()
        yield "the database", db.session.scalars(select(func.clock_timestamp())).one() - before
    for broker in db.session.scalars(select(Broker).where(Broker.check_up.is_not(None))):
        skew = (broker.check_up or {}).get("clock_skew_ms")
        if skew is not None:
            yield f"{broker.exchange} as {broker.name} saw it", timedelta(milliseconds=skew)


def _secrets() -> str:
    directory = settings.data_dir / "secrets"
    origins = [_origin(variable, directory / variable.lower()) for variable in SECRET_VARIABLES]
    stranger = next(
        (broker for broker in db.session.scalars(select(Broker)) if not vault.opens(broker)), None
    )
    if stranger is not None:
        raise Unwell(
            f"the keys of broker {stranger.name} were stored under another master key",
            "Start with the MASTER_KEY they were stored under, or enter the keys again.",
        )
    return ", ".join(origins)


def _origin(variable: str, file: Path) -> str:
    if os.environ.get(variable):
        return f"{variable} from the environment"
    if not file.is_file():
        raise Unwell(f"{variable} is not set and {file} is not there", "Run: bin/start --setup-only")
    for path, mode in ((file.parent, 0o700), (file, 0o600)):
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise Unwell(f"{path} can be read by others", f"Run: chmod {mode:o} {path}")
    return f"{variable} from its file"


def _disk() -> str:
    free = shutil.disk_usage(settings.data_dir if settings.data_dir.exists() else PROJECT_ROOT).free
    told = f"{free / 1024**3:.1f} GiB free at {settings.data_dir}"
    if free < _SPACE_NOTED:
        state = State.FAILED if free < _SPACE_NEEDED else State.WARNING
        raise Unwell(told, "Free some space, or set DATA_DIR to a directory on a larger disk.", state=state)
    return told


_MEND_DATABASE = "Start its server and check DATABASE_URL; when tables are missing, run: flask db upgrade"
_MEND_REDIS = "Start bin/start, or the Redis that REDIS_URL names."
_PARTS: dict[str, Callable[[], str]] = {
    "python": _python,
    "database": _database,
    "migrations": _migrations,
    "redis": _redis,
    "workers": _workers,
    "beat": _beat,
    "clock": _clock,
    "secrets": _secrets,
    "disk": _disk,
}


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


def _first_line(error: BaseException) -> str:
    cause = getattr(error, "orig", None) or error
    return (str(cause).strip().splitlines() or [type(error).__name__])[0]
