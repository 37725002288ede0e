"""The Celery application the worker, beat and Flower run: every task inside the Flask application's context."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from celery import Task

from app.core import create_core
from app.extensions import celery, db

flask_app = create_core()


class ContextTask(Task):
    """A task that runs in the application's context and leaves no database session behind."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with flask_app.app_context():
            try:
                return super().__call__(*args, **kwargs)
            finally:
                db.session.remove()

    @property
    def queued_at(self) -> datetime | None:
        """When `app.dispatch` sent this delivery."""
        stamp = (self.request.headers or {}).get("queued_at") or self.request.get("queued_at")
        return None if stamp is None else datetime.fromisoformat(stamp)


celery.Task = ContextTask

from tasks import alerts, beat, brokers, orders, positions, presence, readiness, rehearsal  # noqa: E402,F401 - registers the tasks and signals
