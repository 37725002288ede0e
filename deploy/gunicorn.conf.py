"""gunicorn's settings, from ours: a few processes with threads."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from app.config import load_settings

_settings = load_settings(os.environ)

bind = f"{_settings.host}:{_settings.port}"
workers = _settings.web_workers
worker_class = "gthread"
threads = _settings.web_threads
# The application is imported once and shared by the workers: half the memory, half the start-up time.
preload_app = True

# Senders of webhooks come back; a connection that is open already saves them the handshake.
keepalive = 30
timeout = 60
# Requests take milliseconds; the live updates of open pages are in no thread of the server's.
graceful_timeout = 5

limit_request_line = 4096
limit_request_fields = 64
limit_request_field_size = 8190
# Whom to believe about the client's address is the application's decision (TRUSTED_PROXIES).
forwarded_allow_ips = ""

# A worker proves it is alive by touching a file; on a disk that is slow for a moment it would be killed for it.
_memory = Path("/dev/shm")  # noqa: S108 - gunicorn makes files of its own there, unguessable and unlinked at once
worker_tmp_dir = str(_memory) if _memory.is_dir() else None
control_socket_disable = True

accesslog = None
errorlog = "-"
loglevel = _settings.log_level.lower()


def when_ready(_server: Any) -> None:
    """In the parent, before it forks: a collection in the children would copy every page they share."""
    from app.services.rehearsal import settle

    settle()


def post_worker_init(worker: Any) -> None:
    """Go through the motions of taking an alert in, so that the first real one does not wait for them."""
    from sqlalchemy.exc import SQLAlchemyError

    from app.extensions import db
    from app.services.rehearsal import rehearse_intake

    with worker.wsgi.app_context():
        try:
            rehearse_intake()
        except SQLAlchemyError as error:
            worker.log.warning("rehearsal failed: %s", error)
        finally:
            db.session.remove()
