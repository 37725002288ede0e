"""A worker goes through the motions once before it takes its first order."""

from __future__ import annotations

from celery.signals import worker_init

from app.extensions import db
from app.services import rehearsal
from tasks.app import flask_app


@worker_init.connect
def rehearse(**_: object) -> None:
    """Celery logs what goes wrong here and goes on: a rehearsal is no reason not to work."""
    with flask_app.app_context():
        rehearsal.rehearse_orders()
        db.session.remove()
