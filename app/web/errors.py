"""Domain errors and HTTP errors as answers: a page for a browser, JSON for a program."""

from __future__ import annotations

import uuid
from http import HTTPStatus

import structlog
from flask import Flask, Response, g, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from app.domain.errors import OrderDenied, SwitchyardError

log = structlog.get_logger()

_WORDS: dict[int, tuple[str, str]] = {
    400: ("The request was not understood.", "Go back, correct the form and send it again."),
    401: ("You are not logged in.", "Log in and try again."),
    403: ("You may not do this.", "Ask the administrator, or log in with another account."),
    404: ("There is nothing at this address.", "Follow a link from the dashboard instead."),
    405: ("This address does not take that kind of request.", "Follow a link from the dashboard instead."),
    413: ("What you sent is too large.", "Send less at once."),
    429: ("Too many tries in a short time.", "Wait a minute, then try again."),
    500: ("Something broke on our side.", "Try again; if it stays, give the administrator the id below."),
    503: ("The service cannot answer at the moment.", "Try again in a moment."),
}


def init_app(app: Flask) -> None:
    """Give every request an id and every error a face."""
    app.before_request(_identify)
    app.register_error_handler(CSRFError, _csrf_failed)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(SwitchyardError, _domain_error)
    app.register_error_handler(Exception, _unexpected)


def wants_json() -> bool:
    """Whether the caller is a program rather than a browser's page."""
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], default="text/html")
    return best == "application/json" or request.path.startswith(("/webhook", "/api/", "/health"))


def _identify() -> None:
    g.correlation_id = uuid.uuid4().hex
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(correlation_id=g.correlation_id)


def _csrf_failed(error: CSRFError) -> ResponseReturnValue:
    return _answer(400, "This page was open too long, or came from elsewhere.", "Reload it and try again.")


def _http_error(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    happened, remedy = _WORDS.get(
        code, (error.description or HTTPStatus(code).phrase, "Go back and try again.")
    )
    response = _answer(code, happened, remedy)
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value
    return response


def _domain_error(error: SwitchyardError) -> ResponseReturnValue:
    code = 422 if isinstance(error, OrderDenied) else 400
    return _answer(code, error.message, error.remedy)


def _unexpected(error: Exception) -> ResponseReturnValue:
    log.exception("request_failed", path=request.path, endpoint=request.endpoint)
    return _answer(500, *_WORDS[500])


def _answer(code: int, happened: str, remedy: str) -> Response:
    correlation_id = g.get("correlation_id", "")
    if wants_json():
        body = {"error": happened, "remedy": remedy, "correlation_id": correlation_id}
        return make_response(body, code)
    page = render_template(
        "errors/error.html",
        code=code,
        happened=happened,
        remedy=remedy,
        correlation_id=correlation_id,
    )
    return make_response(page, code)
