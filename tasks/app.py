"""The Celery application the worker, beat and Flower run: every task inside the Flask application's context."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from celery import Task

from app.core import create_core
from app.domain.errors import SwitchyardError
from app.extensions import celery, db
from app.services import copies, faults
from app.services.acting import Actor, acting

flask_app = create_core()


class ContextTask(Task):
    """A task that runs in the application's context and leaves no database session behind."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with flask_app.app_context(), acting(self._actor):
            try:
                if self._header("copy"):
                    copies.begun(self.name, args[0])
                return self.run_in_context(*args, **kwargs)
            finally:
                db.session.remove()

    def run_in_context(self, *args: Any, **kwargs: Any) -> Any:
        """The work itself; a kind of task that has more to do around it does it here."""
        return super().__call__(*args, **kwargs)

    def on_failure(self, exc: BaseException, *_details: Any, **_more: Any) -> None:
        """Note what nobody expected where an administrator sees it; Celery's log has the whole of it."""
        if not isinstance(exc, SwitchyardError):
            with flask_app.app_context():
                faults.note(exc, self.name)

    @property
    def _actor(self) -> Actor:
        """A worker, or beat when it is the one that asked for the work; the worker's own name tells where."""
        name = "beat" if self.name.startswith("beat.") else "worker"
        host = self.request.hostname
        return Actor(name, address=None if host is None else str(host)[:64])

    @property
    def queued_at(self) -> datetime | None:
        """When `app.dispatch` sent this delivery."""
        stamp = self._header("queued_at")
        return None if stamp is None else datetime.fromisoformat(stamp)

    def _header(self, name: str) -> Any:
        return (self.request.headers or {}).get(name) or self.request.get(name)


celery.Task = ContextTask

from tasks import alerts, beat, brokers, catching_up, notify, orders, positions, presence, readiness, rehearsal  # noqa: E402,F401,I001 - registers the tasks and signals  # fmt: skip
