"""Server-sent events: an open page is told what changed and fetches it.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from flask import Blueprint, Flask, Response, current_app, g, request
from flask.sansio.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.services import events
from app.web.access import member
from app.web.open_pages import OpenPage, OpenPages

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

blueprint = Blueprint("live", __name__)

_PAGES = "open_pages"
_GREETING = "retry: 1000\n\n"


@blueprint.record_once
def _prepare(state: BlueprintSetupState) -> None:
    state.app.extensions[_PAGES] = OpenPages(cast(Flask, state.app))


@blueprint.before_app_request
def _look() -> None:
    """Note what a page will have seen, before anything of it is read; templates hand it to the stream."""
    g.looked_at = events.now()


@blueprint.get("/live")
@member
def stream() -> ResponseReturnValue:
    """The logged-in person's events, each named by its topic, from what the page has seen on.

    That is what a browser that comes back says itself, or else ``since`` in the address.
    """
    pages: OpenPages = current_app.extensions[_PAGES]
    if pages.full:
        return "", HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "10"}
    return _Stream(pages, current_user.id, since=_seen())


def _seen() -> int:
    for said in (request.headers.get("Last-Event-ID", ""), request.args.get("since", "")):
        if said.isascii() and said.isdigit():
            return int(said)
    return g.looked_at  # type: ignore[no-any-return]


class _Stream(Response):
    """Is sent by `OpenPages`, on the connection itself where the server lends it: no thread waits then."""

    default_mimetype = "text/event-stream"
    automatically_set_content_length = False

    def __init__(self, pages: OpenPages, user_id: int, *, since: int) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._open = partial(OpenPage, user_id, since=since)
        self._pages = pages

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        taken = _take_over(environ)
        if taken is None:
            return self._pass_on(environ, start_response)
        page = self._open(taken)
        headers = self.get_wsgi_headers(environ)
        headers["Connection"] = "close"
        page.write(f"HTTP/1.1 {self.status}\r\n{headers}{_GREETING}")
        self._pages.add(page)
        return Response()(environ, start_response)

    def _pass_on(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """By a thread of the server, for as long as the page is open."""
        ours, theirs = socket.socketpair()
        page = self._open(ours)
        page.write(_GREETING)
        self._pages.add(page)
        self.response = iter(partial(theirs.recv, 4096), b"")
        self.call_on_close(theirs.close)
        return super().__call__(environ, start_response)


def _take_over(environ: WSGIEnvironment) -> socket.socket | None:
    """The connection, of which the server is left a dead one to do with as it likes; None where it lends none.

    Under TLS the socket alone would not do. The name is
    gunicorn's; other servers pass the stream on by a thread.
    """
    lent = environ.get("gunicorn.socket")
    if type(lent) is not socket.socket:
        return None
    taken = lent.dup()
    dead, other_end = socket.socketpair()
    with dead, other_end:
        os.dup2(dead.fileno(), lent.fileno(), inheritable=False)
    return taken
