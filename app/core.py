"""The application without its doors: settings, database, Redis and Celery, which is all that a worker needs."""

from __future__ import annotations

import os
from datetime import timedelta
from functools import partial
from typing import Any

import click
from flask import Flask
from redis import Redis
from werkzeug.local import LocalProxy
from werkzeug.middleware.proxy_fix import ProxyFix

from app import extensions
from app.config import PROJECT_ROOT, ConfigurationError, Settings, load_settings
from app.log import configure_logging
from app.models import sqlite
from app.services import trail


def read_settings() -> Settings:
    """The environment's settings; at a command line a mistake in them is told in words instead of a traceback."""
    try:
        return load_settings(os.environ)
    except ConfigurationError as error:
        if click.get_current_context(silent=True) is None:
            raise
        raise click.ClickException(f"{error.message}\nremedy: {error.remedy}") from None


def create_core(settings: Settings | None = None) -> Flask:
    """An application that the services can work in; `create_app` adds the pages and the commands.

    Raises:
        ConfigurationError: when a setting is missing or makes no sense.
    """
    settings = settings or read_settings()
    app = Flask(
        "app",
        root_path=str(PROJECT_ROOT),
        template_folder="templates",
        static_folder="static",
        instance_path=str(settings.data_dir),
    )
    _configure(app, settings)
    _add_extensions(app, settings)
    return app


def believe_proxies(app: Flask) -> None:
    """Take the address, scheme and host that the trusted proxies tell for the client's; last, before all else."""
    hops = app.extensions["settings"].trusted_proxies
    if hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]


def _configure(app: Flask, settings: Settings) -> None:
    """Flask's own settings; everything else reads `Settings`."""
    app.extensions["settings"] = settings
    app.config.update(
        SECRET_KEY=settings.secret_key,
        TESTING=settings.testing,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(settings),
        SESSION_COOKIE_NAME="switchyard",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.trusted_proxies > 0,
        PERMANENT_SESSION_LIFETIME=timedelta(days=14),
        MAX_CONTENT_LENGTH=2 * 1024 * 1024,
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(days=30),
    )
    configure_logging(settings.log_level)


def _add_extensions(app: Flask, settings: Settings) -> None:
    """Bind the shared objects to this application."""
    extensions.db.init_app(app)
    app.extensions["migrate"] = LocalProxy(partial(_migrations, app))
    extensions.celery.conf.broker_url = settings.celery_broker_url
    app.extensions["redis"] = Redis.from_url(
        settings.redis_url, decode_responses=True, socket_connect_timeout=1, socket_timeout=5
    )
    with app.app_context():
        engine = extensions.db.engine
    if engine.dialect.name == "sqlite":
        sqlite.prepare(engine)
    trail.keep()


def _migrations(app: Flask) -> Any:
    """Flask-Migrate, made when a command first asks for it: no server needs Alembic's 10 MB and 90 ms."""
    from flask_migrate import Migrate

    directory = str(PROJECT_ROOT / "migrations")
    Migrate(app, extensions.db, directory=directory, render_as_batch=True)
    return app.extensions["migrate"]


def _engine_options(settings: Settings) -> dict[str, object]:
    if settings.sqlite_file is not None:
        return {"connect_args": {"timeout": 15}}
    return {"pool_pre_ping": True, "pool_size": 10, "max_overflow": 30}
