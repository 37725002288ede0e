"""The webhook: authenticate, store, answer. What an alert leads to is decided by a worker."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import structlog
from flask import Blueprint, current_app, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from app.domain.alerts import AlertStatus
from app.extensions import csrf, limiter
from app.models import utc_now
from app.services.intake import MAX_BODY, Delivery, Receipt
from app.web.access import public

log = structlog.get_logger()

blueprint = Blueprint("webhook", __name__)
csrf.exempt(blueprint)

_WRONG_TOKENS = "30 per minute"

_ANSWERS = {
    AlertStatus.RECEIVED: HTTPStatus.ACCEPTED,
    AlertStatus.PROCESSED: HTTPStatus.ACCEPTED,
    AlertStatus.DUPLICATE: HTTPStatus.ACCEPTED,
    AlertStatus.DENIED: HTTPStatus.FORBIDDEN,
    AlertStatus.ERROR: HTTPStatus.BAD_REQUEST,
}


@blueprint.post("/webhook/<token>")
@public
def receive(token: str) -> ResponseReturnValue:
    """An alert with the source's token in the address."""
    return _receive(token)


@blueprint.post("/webhook")
@public
def receive_with_header() -> ResponseReturnValue:
    """An alert from a sender that can set ``X-Webhook-Token``."""
    return _receive(request.headers.get("X-Webhook-Token", ""))


def _receive(token: str) -> ResponseReturnValue:
    delivery = Delivery(
        token=token,
        body=request.stream.read(MAX_BODY + 1),
        content_type=request.content_type or "",
        sender=request.remote_addr or "",
        received_at=utc_now(),
    )
    try:
        receipt = current_app.extensions["intake"].accept(delivery)
    except (SQLAlchemyError, TimeoutError):
        log.exception("alert_not_stored")
        return _not_stored()
    return _wrong_token() if receipt is None else _answer(receipt, len(delivery.body) > MAX_BODY)


def _answer(receipt: Receipt, oversized: bool) -> ResponseReturnValue:
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE if oversized else _ANSWERS[receipt.status]
    body: dict[str, Any] = {"id": receipt.alert_id, "status": receipt.status.value}
    if receipt.reason is not None:
        body["reason"] = receipt.reason
    if receipt.duplicate_of_id is not None:
        body["duplicate_of"] = receipt.duplicate_of_id
    log.info("alert_received", alert_id=receipt.alert_id, status=receipt.status.value)
    return body, status


def _not_stored() -> ResponseReturnValue:
    """The one case for a 5xx: nothing was stored, so the sender should come again."""
    body = {"error": "the alert could not be stored", "remedy": "Send it again; nothing was kept of it."}
    return body, HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "5"}


def _wrong_token() -> ResponseReturnValue:
    """401 for any token nobody has; 429 for an address that keeps trying."""
    log.warning("webhook_wrong_token", sender=request.remote_addr)
    with limiter.limit(_WRONG_TOKENS, scope="webhook-wrong-token"):
        return {"error": "no source has this token", "remedy": "Copy the webhook URL anew."}, 401
