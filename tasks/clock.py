"""The Celery application that beat runs: the schedule and the broker, and none of the memory the work itself needs."""

from __future__ import annotations

import os

from celery import Celery

from app.config import load_settings
from tasks import readiness  # noqa: F401 - its signal tells bin/start that beat has begun

celery = Celery("switchyard", config_source="celeryconfig")
celery.conf.broker_url = load_settings(os.environ).celery_broker_url
