"""The webhook's door: takes deliveries, tells how it fares, and passes on what is not meant for it.

Plain WSGI, with no framework in between: of what a page needs, sessions, forms and templates, an alert needs nothing,
and going through all of it would cost more than storing the alert.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import redis.exceptions
import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wsgi import get_input_stream

from app.domain.alerts import AlertStatus
from app.models import utc_now
from app.receiver.guesses import Guesses
from app.receiver.telling import Answer
from app.services.intake import MAX_BODY, Delivery, Intake
from app.services.receipts import Receipt
from app.services.sources import fingerprint
from app.services.tally import Tally

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger()

_PATH = "/webhook"
_HEALTH = "/health"

_ANSWERS = {
    AlertStatus.RECEIVED: HTTPStatus.ACCEPTED,
    AlertStatus.PROCESSED: HTTPStatus.ACCEPTED,
    AlertStatus.DUPLICATE: HTTPStatus.ACCEPTED,
    AlertStatus.DENIED: HTTPStatus.FORBIDDEN,
    AlertStatus.ERROR: HTTPStatus.BAD_REQUEST,
}

#: What is kept of a request's headers: none of these proves anything, so that none needs to be secret.
_KEPT_HEADERS = {
    "HTTP_USER_AGENT": "User-Agent",
    "CONTENT_TYPE": "Content-Type",
    "CONTENT_LENGTH": "Content-Length",
    "HTTP_ACCEPT": "Accept",
    "HTTP_HOST": "Host",
    "HTTP_VIA": "Via",
    "HTTP_X_FORWARDED_FOR": "X-Forwarded-For",
    "HTTP_X_FORWARDED_PROTO": "X-Forwarded-Proto",
    "HTTP_X_REQUEST_ID": "X-Request-Id",
}
_LONGEST_HEADER = 300


class Door:
    """``/webhook`` and ``/health``; every other address is for the program behind it."""

    def __init__(self, app: Flask, behind: WSGIApplication) -> None:
        self._behind = behind
        self._tally = Tally(app.extensions["redis"])
        self._intake = Intake(app, self._tally)
        self._guesses = Guesses(app.extensions["settings"].limits_url)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path = environ.get("PATH_INFO", "")
        if path == _PATH or path.startswith(f"{_PATH}/"):
            answer = self._only("POST", environ) or self._receive(environ, path)
        elif path == _HEALTH:
            answer = self._only("GET", environ) or self._health()
        else:
            return self._behind(environ, start_response)
        return answer.send(start_response)

    def _only(self, method: str, environ: WSGIEnvironment) -> Answer | None:
        if environ["REQUEST_METHOD"] == method:
            return None
        words = {
            "error": f"this address takes {method} alone",
            "remedy": f"Send the request with the method {method}.",
        }
        return Answer(HTTPStatus.METHOD_NOT_ALLOWED, words, {"Allow": method})

    def _receive(self, environ: WSGIEnvironment, path: str) -> Answer:
        token = path[len(_PATH) + 1 :] or environ.get("HTTP_X_WEBHOOK_TOKEN", "")
        delivery = _delivery(environ, token)
        sender = (delivery.sender, fingerprint(token))
        wait = self._guesses.wait(*sender)
        if wait is not None:
            return _too_many(wait)  # with the right secret as well, or guessing on would find it
        try:
            receipt = self._intake.accept(delivery)
        except (SQLAlchemyError, TimeoutError):
            log.exception("alert_not_stored")
            return _not_stored()
        if receipt is None:
            log.warning("webhook_wrong_token", sender=delivery.sender)
            wait = self._guesses.count(delivery.sender)
            return _wrong_token() if wait is None else _too_many(wait)
        log.info("alert_received", alert_id=receipt.alert_id, status=receipt.status.value)
        if not receipt.proven:
            wait = self._guesses.count(*sender)
            return _told(receipt, HTTPStatus.UNAUTHORIZED) if wait is None else _too_many(wait)
        too_large = len(delivery.body) > MAX_BODY
        return _told(receipt, HTTPStatus.REQUEST_ENTITY_TOO_LARGE if too_large else _ANSWERS[receipt.status])

    def _health(self) -> Answer:
        told: dict[str, Any] = {
            "status": "ok",
            "started_at": self._tally.started_at.isoformat(),
            "uptime_seconds": int(self._tally.uptime.total_seconds()),
        }
        try:
            counts, last = self._tally.read()
        except redis.exceptions.RedisError as error:
            return Answer(HTTPStatus.OK, {**told, "counts": f"unavailable: {type(error).__name__}"})
        last_alert = {"last_alert_at": None if last is None else last.isoformat()}
        return Answer(HTTPStatus.OK, {**told, **counts, **last_alert})


def _delivery(environ: WSGIEnvironment, token: str) -> Delivery:
    body, whole = _read(environ)
    return Delivery(
        token=token,
        body=body,
        content_type=environ.get("CONTENT_TYPE", ""),
        sender=environ.get("REMOTE_ADDR") or "",
        received_at=utc_now(),
        length=_declared_length(environ),
        cut_short=not whole,
        headers={
            name: environ[key][:_LONGEST_HEADER] for key, name in _KEPT_HEADERS.items() if environ.get(key)
        },
        signature=environ.get("HTTP_X_SIGNATURE", ""),
        timestamp=environ.get("HTTP_X_TIMESTAMP"),
    )


def _read(environ: WSGIEnvironment) -> tuple[bytes, bool]:
    """What came of the body, no more than shows that it is too much, and whether it could be read without a fault."""
    body = b""
    try:
        stream = get_input_stream(environ)
        while len(body) <= MAX_BODY and (part := stream.read(MAX_BODY + 1 - len(body))):
            body += part
    except Exception as error:  # noqa: BLE001 - each server has faults of its own, such as of a broken chunk
        log.info("body_not_read", received=len(body), error=type(error).__name__)
        return body, False
    return body, True


def _declared_length(environ: WSGIEnvironment) -> int | None:
    """How many bytes the sender said it sends, as far as any are read."""
    written = environ.get("CONTENT_LENGTH") or ""
    return min(int(written), MAX_BODY + 1) if written.isascii() and written.isdigit() else None


def _told(receipt: Receipt, status: HTTPStatus) -> Answer:
    told: dict[str, Any] = {"id": receipt.alert_id, "status": receipt.status.value}
    if receipt.reason is not None:
        told["reason"] = receipt.reason
    if receipt.duplicate_of_id is not None:
        told["duplicate_of"] = receipt.duplicate_of_id
    if len(receipt.alert_ids) > 1:
        told["ids"] = list(receipt.alert_ids)
    return Answer(status, told)


def _wrong_token() -> Answer:
    return Answer(
        HTTPStatus.UNAUTHORIZED,
        {"error": "no source has this token", "remedy": "Copy the webhook URL anew."},
    )


def _too_many(wait: int) -> Answer:
    words = {"error": "too many tries in a short time", "remedy": f"Wait {wait} seconds, then try again."}
    return Answer(HTTPStatus.TOO_MANY_REQUESTS, words, {"Retry-After": str(wait)})


def _not_stored() -> Answer:
    """The one case for a 5xx: nothing was stored, so the sender should come again."""
    words = {"error": "the alert could not be stored", "remedy": "Send it again; nothing was kept of it."}
    return Answer(HTTPStatus.SERVICE_UNAVAILABLE, words, {"Retry-After": "5"})
