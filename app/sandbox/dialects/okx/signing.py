"""Who sent a request, whether they meant it, and when.

Source: https://www.okx.com/docs-v5/en/#overview-rest-authentication
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import UTC, datetime

from app.sandbox.dialects.okx.errors import OKXError
from app.sandbox.engine.account import Account
from app.sandbox.engine.venue import Venue
from app.sandbox.http import Request

KEY_HEADER = "ok-access-key"
DEMO_HEADER = "x-simulated-trading"

_WINDOW = 30_000_000
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")
_REQUIRED = (
    (KEY_HEADER, "50103", "OK-ACCESS-KEY"),
    ("ok-access-passphrase", "50104", "OK-ACCESS-PASSPHRASE"),
    ("ok-access-sign", "50106", "OK-ACCESS-SIGN"),
    ("ok-access-timestamp", "50107", "OK-ACCESS-TIMESTAMP"),
)


def authenticate(request: Request, venue: Venue) -> Account:
    """The account that signed a request.

    Raises:
        OKXError: 50103, 50104, 50106 and 50107 for a header that is missing, 50112 and 50102 for the time, 50111 for
            the key, 50101 when key and trading mode do not match, 50105 for the passphrase, 50113 for the signature.
    """
    for name, code, title in _REQUIRED:
        if not request.headers.get(name):
            raise _denied(code, f"Request header {title} cannot be empty")
    timestamp = request.headers["ok-access-timestamp"]
    _check_time(timestamp, venue.now())
    account = venue.accounts.get(request.headers[KEY_HEADER])
    if account is None:
        raise _denied("50111", "Invalid OK-ACCESS-KEY")
    if (request.headers.get(DEMO_HEADER) == "1") is not account.permissions.demo:
        raise _denied("50101", "APIKey does not match current environment")
    if request.headers["ok-access-passphrase"] != account.passphrase:
        raise _denied("50105", "Request header OK-ACCESS-PASSPHRASE incorrect")
    expected = sign(account.api_secret, signed_text(request, timestamp))
    if not hmac.compare_digest(expected.encode(), request.headers["ok-access-sign"].encode("latin-1")):
        raise _denied("50113", "Invalid Sign")
    return account


def signed_text(request: Request, timestamp: str) -> bytes:
    """Time, method, path with the query as received, and body, one after the other."""
    query = f"?{request.query}" if request.query else ""
    return f"{timestamp}{request.method}{request.path}{query}".encode("latin-1") + request.body


def sign(secret: str, text: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest()).decode()


def check_expiry(request: Request, now: int) -> None:
    """Throw an order away whose sender does not want it any more.

    Raises:
        OKXError: 50036 when ``expTime``, in milliseconds, has passed.
    """
    until = request.headers.get("exptime", "")
    if until.isascii() and until.isdigit() and int(until) * 1000 < now:
        raise OKXError("50036", "The expTime can't be earlier than the current system time", 400)


def _check_time(timestamp: str, now: int) -> None:
    try:
        if not _TIMESTAMP.match(timestamp):
            raise ValueError(timestamp)
        sent = datetime.fromisoformat(timestamp.replace("Z", "+00:00")).astimezone(UTC)
    except ValueError:
        raise _denied("50112", "Invalid OK-ACCESS-TIMESTAMP") from None
    if abs(int(sent.timestamp() * 1000) * 1000 - now) > _WINDOW:
        raise _denied("50102", "Timestamp request expired")


def _denied(code: str, message: str) -> OKXError:
    return OKXError(code, message, 401)
