"""The webhook as a program: in front of the pages, or alone on a port of its own.

It imports no page: what runs apart from them is small, and a fault in one cannot stop alerts.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Flask

from app.core import believe_proxies, create_core
from app.receiver.door import Door
from app.receiver.telling import Answer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from app.config import Settings


def create_receiver(settings: Settings | None = None) -> Flask:
    """What takes alerts and answers nothing else.

    Raises:
        ConfigurationError: when a setting is missing or makes no sense.
    """
    app = create_core(settings)
    app.wsgi_app = Door(app, _nothing_else)  # type: ignore[method-assign]
    believe_proxies(app)
    return app


def put_before(app: Flask) -> None:
    """Let the webhook take what is its own before the application behind it sees it."""
    app.wsgi_app = Door(app, app.wsgi_app)  # type: ignore[method-assign]


def _nothing_else(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    words = {
        "error": "there is nothing at this address",
        "remedy": "Alerts go to /webhook/TOKEN; the pages are served elsewhere.",
    }
    return Answer(HTTPStatus.NOT_FOUND, words).send(start_response)
