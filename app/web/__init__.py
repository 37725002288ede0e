"""What answers HTTP: the webhook before all else, the pages, the API, health, live updates, and how errors look."""

from __future__ import annotations

from flask import Flask, request

from app import receiver
from app.models.sqlite import reading
from app.web import (
    access,
    api,
    assets,
    errors,
    filters,
    guards,
    health,
    ids,
    languages,
    live,
    pages,
    security,
    sessions,
)


def init_app(app: Flask) -> None:
    """Register every blueprint and what holds for all requests."""
    guards.init_app(app)
    ids.init_app(app)
    access.init_app(app)
    errors.init_app(app)
    security.init_app(app)
    sessions.init_app(app)
    assets.init_app(app)
    languages.init_app(app)
    filters.init_app(app)
    app.before_request(_note_intent)
    app.teardown_request(_forget_intent)
    app.register_blueprint(api.blueprint)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(live.blueprint)
    pages.init_app(app)
    receiver.put_before(app)


def _note_intent() -> None:
    reading.set(request.method in ("GET", "HEAD", "OPTIONS"))


def _forget_intent(_error: BaseException | None) -> None:
    reading.set(False)
