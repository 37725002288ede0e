"""Who sent a request, whether they meant it, and when.

Source: https://bybit-exchange.github.io/docs/v5/guide#authentication
"""

from __future__ import annotations

import hashlib
import hmac

from app.sandbox.dialects.bybit.errors import BybitError
from app.sandbox.engine.account import Account
from app.sandbox.engine.venue import Venue
from app.sandbox.http import Request

KEY_HEADER = "x-bapi-api-key"

_USUAL_WINDOW = "5000"
_AHEAD = 1_000_000


def authenticate(request: Request, venue: Venue) -> Account:
    """The account that signed a request.

    Raises:
        BybitError: 10003 for the key, 10002 for the time, 10004 for the signature.
    """
    account = venue.accounts.get(request.headers.get(KEY_HEADER, ""))
    if account is None:
        raise BybitError(10003, "API key is invalid.")
    timestamp = request.headers.get("x-bapi-timestamp", "")
    window = request.headers.get("x-bapi-recv-window", _USUAL_WINDOW)
    check_time(timestamp, window, venue.now())
    expected = sign(account.api_secret, signed_text(request, timestamp, window))
    if not hmac.compare_digest(expected.encode(), request.headers.get("x-bapi-sign", "").encode("latin-1")):
        raise BybitError(10004, "error sign! please check your signature generation algorithm.")
    return account


def signed_text(request: Request, timestamp: str, window: str) -> bytes:
    """Time, key, window, and the query as received or the body, one after the other."""
    head = f"{timestamp}{request.headers[KEY_HEADER]}{window}".encode("latin-1")
    return head + (request.query.encode("latin-1") if request.method == "GET" else request.body)


def sign(secret: str, text: bytes) -> str:
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def check_time(timestamp: str, window: str, now: int) -> None:
    """Accept a timestamp from the window before the exchange's clock to a second after it; both in milliseconds."""
    if not all(value.isascii() and value.isdigit() and len(value) < 15 for value in (timestamp, window)):
        raise BybitError(10002, "invalid request, please check your server timestamp or recv_window param")
    sent = int(timestamp) * 1000
    if not now - int(window) * 1000 <= sent < now + _AHEAD:
        words = f"req_timestamp[{timestamp}],server_timestamp[{now // 1000}],recv_window[{window}]"
        raise BybitError(
            10002, f"invalid request, please check your server timestamp or recv_window param. {words}"
        )
