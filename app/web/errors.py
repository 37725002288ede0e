"""Domain errors and HTTP errors as answers: a page for a browser, JSON for a program."""

from __future__ import annotations

import time
import uuid
from http import HTTPStatus

import structlog
from flask import Flask, Response, current_app, g, make_response, request
from flask.typing import ResponseReturnValue
from flask_limiter.errors import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from app.domain.errors import OrderDenied, SwitchyardError
from app.services import faults, maintenance
from app.services.flower import FlowerSilent
from app.services.halts import HaltRefused
from app.services.refusal import Refused
from app.web.access import ScopeMissing, TokenUnknown
from app.web.guards import limiter, login

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

#: How long, in seconds, a caller is told to wait when nothing says it better.
_USUAL_WAIT = 60

#: Doors that only programs come to, whatever they say they accept.
_FOR_PROGRAMS = ("/api/", "/health/")

#: What is served while the pages are away.
_ALWAYS_THERE = (*_FOR_PROGRAMS, "/static/")

_CODES: dict[type[SwitchyardError], int] = {
    OrderDenied: 422,
    Refused: 422,
    TokenUnknown: 401,
    ScopeMissing: 403,
    HaltRefused: 403,
    FlowerSilent: 503,
}


def init_app(app: Flask) -> None:
    """Give every request an id and every error a face."""
    # Before all else, also before the extensions: what they ask may be what is away.
    app.before_request_funcs.setdefault(None, [])[:0] = [_identify, _be_away]
    app.register_error_handler(CSRFError, _csrf_failed)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(SwitchyardError, _domain_error)
    app.register_error_handler(Exception, _unexpected)


def wants_json() -> bool:
    """Whether the caller is a program rather than a browser's page."""
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], default="text/html")
    return best == "application/json" or request.path.startswith(_FOR_PROGRAMS)


def _identify() -> None:
    g.correlation_id = uuid.uuid4().hex
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(correlation_id=g.correlation_id)


def _be_away() -> ResponseReturnValue | None:
    """During maintenance every page says so, and when to come back; the webhook stands in front of this."""
    under_way = None if request.path.startswith(_ALWAYS_THERE) else maintenance.current_if_known()
    if under_way is None:
        return None
    message = under_way.reason or None
    return _answer(503, message, retry_after=under_way.retry_after, away=True)


def _csrf_failed(error: CSRFError) -> ResponseReturnValue:
    happened = "The form had grown too old, or it did not come from a page of this server."
    return _answer(400, happened, "Reload the page and send it again.")


def _http_error(error: HTTPException) -> ResponseReturnValue:
    response = _answer(error.code or 500, retry_after=_retry_after(error))
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value
    return response


def _domain_error(error: SwitchyardError) -> ResponseReturnValue:
    code = next((code for kind, code in _CODES.items() if isinstance(error, kind)), 400)
    response = _answer(code, error.message, error.remedy)
    if isinstance(error, TokenUnknown):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _unexpected(error: Exception) -> ResponseReturnValue:
    log.exception("request_failed", endpoint=request.endpoint)  # never the path: it may hold a token
    faults.note(error, request.endpoint or "unknown", g.get("correlation_id"))
    return _answer(500)


def _retry_after(error: HTTPException) -> int | None:
    """Seconds until a limited caller may come back: every 429 says it."""
    if error.code != HTTPStatus.TOO_MANY_REQUESTS:
        return None
    limit = limiter.current_limit if isinstance(error, RateLimitExceeded) else None
    return _USUAL_WAIT if limit is None else max(1, int(limit.reset_at - time.time()))


def _answer(
    code: int,
    message: str | None = None,
    remedy: str | None = None,
    *,
    retry_after: int | None = None,
    away: bool = False,
) -> Response:
    """An error in words; without a message the page and `_WORDS` have general ones for the code."""
    correlation_id = g.get("correlation_id", "")
    if wants_json():
        happened, todo = _WORDS.get(code, (HTTPStatus(code).phrase, "Try again."))
        body = {
            "error": message or happened,
            "remedy": remedy or todo,
            "correlation_id": correlation_id,
        }
        response = make_response(body, code)
    else:
        page = _page(
            code=code,
            message=message,
            remedy=remedy,
            retry_after=retry_after,
            away=away,
            correlation_id=correlation_id,
        )
        response = make_response(page, code)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def _page(**told: object) -> str:
    """The page of an error. It asks the database nothing: who is not known to be logged in by now counts as nobody."""
    person = g.setdefault("_login_user", login.anonymous_user())  # where Flask-Login keeps `current_user`
    theme = vars(person).get("theme")
    return current_app.jinja_env.get_template("errors/error.html").render(theme=theme, **told)
