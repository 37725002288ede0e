"""The variables that the commands of the Procfile use, on top of the person's own environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from app.config import Settings
from app.exchanges import NAMES


def process_environment(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """What every process is started with: the settings made explicit, and programs of our environment first."""
    user, password = settings.flower_credentials
    return {
        **environ,
        "PATH": f"{Path(sys.prefix) / 'bin'}{os.pathsep}{environ.get('PATH', os.defpath)}",
        "PYTHONUNBUFFERED": "1",
        "FLASK_APP": "wsgi",
        "DATA_DIR": str(settings.data_dir),
        "HOST": settings.host,
        "PORT": str(settings.port),
        "WEBHOOK_PORT": str(settings.webhook_port),
        "SANDBOX_PORT": str(settings.sandbox_port),
        "ORDERS_CONCURRENCY": str(settings.orders_concurrency),
        "SYNC_CONCURRENCY": str(settings.sync_concurrency),
        "ORDERS_QUEUES": ",".join(f"orders.{name}" for name in NAMES),
        "SYNC_QUEUES": ",".join(["default", *(f"sync.{name}" for name in NAMES)]),
        "REDIS_SOCKET": str(settings.redis_socket),
        # Flower reads its options from the environment, which keeps its password off the command line.
        "FLOWER_ADDRESS": "127.0.0.1",
        "FLOWER_PORT": str(settings.flower_port),
        "FLOWER_URL_PREFIX": "flower",
        "FLOWER_BASIC_AUTH": f"{user}:{password}",
    }
