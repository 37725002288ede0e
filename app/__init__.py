"""Switchyard: signals in, orders placed exactly once, positions never naked.

`create_app` is the web program and the application context of the workers. The packages `app.domain` and
`app.exchanges` need none of it and import without it.
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
    from flask import Flask

    from app import wiring
    from app.config import PROJECT_ROOT

    settings = settings or wiring.read_settings()
    app = Flask(
        __name__,
        root_path=str(PROJECT_ROOT),
        template_folder="templates",
        static_folder="static",
        instance_path=str(settings.data_dir),
    )
    wiring.configure(app, settings)
    wiring.add_extensions(app, settings)
    wiring.add_web(app)
    wiring.add_commands(app)
    return app
