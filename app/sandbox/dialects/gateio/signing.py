"""Who sent a request, whether they meant it, and when.

Source: https://www.gate.com/docs/developers/apiv4/#authentication
"""

from __future__ import annotations

import hashlib
import hmac
import re
from urllib.parse import unquote

from app.sandbox.dialects.gateio.errors import GateError
from app.sandbox.engine.account import Account
from app.sandbox.engine.venue import Venue
from app.sandbox.http import Request

KEY_HEADER = "key"

_WINDOW = 60
_REQUIRED = (KEY_HEADER, "timestamp", "sign")
_TIMESTAMP = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?\Z")


def authenticate(request: Request, venue: Venue) -> Account:
    """The account that signed a request.

    Raises:
        GateError: MISSING_REQUIRED_HEADER, INVALID_KEY, REQUEST_EXPIRED or INVALID_SIGNATURE.
    """
    for name in _REQUIRED:
        if not request.headers.get(name):
            raise GateError(401, "MISSING_REQUIRED_HEADER", f"Missing required header: {name}")
    account = venue.accounts.get(request.headers[KEY_HEADER])
    if account is None:
        raise GateError(401, "INVALID_KEY", "Invalid key provided")
    timestamp = request.headers["timestamp"]
    check_time(timestamp, venue.now())
    expected = sign(account.api_secret, signed_text(request, timestamp))
    if not hmac.compare_digest(expected.encode(), request.headers["sign"].encode("latin-1")):
        raise GateError(401, "INVALID_SIGNATURE", "Signature mismatch")
    return account


def signed_text(request: Request, timestamp: str) -> str:
    """Method, path, query before it was encoded, hash of the body and time, a line each."""
    body = hashlib.sha512(request.body).hexdigest()
    return "\n".join((request.method, request.path, unquote(request.query), body, timestamp))


def sign(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha512).hexdigest()


def check_time(timestamp: str, now: int) -> None:
    """Accept a timestamp in seconds within a minute of the exchange's clock."""
    if not _TIMESTAMP.match(timestamp) or abs(float(timestamp) - now / 1_000_000) > _WINDOW:
        raise GateError(
            401, "REQUEST_EXPIRED", f"gap between request Timestamp and server time exceeds {_WINDOW}"
        )


def check_expiry(request: Request, now: int) -> None:
    """Refuse a request that comes later than its sender wanted (``x-gate-exptime``, in milliseconds)."""
    until = request.headers.get("x-gate-exptime", "")
    if until.isascii() and until.isdigit() and int(until) * 1000 < now:
        raise GateError(400, "REQUEST_EXPIRED", "the request has expired")
