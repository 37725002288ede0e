"""Switchyard: signals in, orders placed exactly once, positions never naked.

`create_app` is the web program and the command line. The packages `app.domain` and `app.exchanges` need none of it
and import without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.config import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """The Flask application, from the environment unless settings are given.

    Raises:
        ConfigurationError: when a setting is missing or makes no sense.
    """
    from app import cli, web
    from app.core import believe_proxies, create_core

    app = create_core(settings)
    web.init_app(app)
    believe_proxies(app)
    cli.init_app(app)
    return app
