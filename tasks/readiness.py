"""Tells whoever started a worker or beat that it has begun its work, by the file that READY_FILE names."""

from __future__ import annotations

import os
from pathlib import Path

from celery.signals import beat_init, worker_ready


@worker_ready.connect
@beat_init.connect
def announce(**_: object) -> None:
    """Leave the mark that bin/start waits for before it says that all is ready."""
    if mark := os.environ.get("READY_FILE"):
        Path(mark).touch()
