"""Who sent a request, whether they meant it, and when.

Source: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/request-security
"""

from __future__ import annotations

import hashlib
import hmac
import re
from decimal import Decimal

from app.sandbox.dialects.binance.errors import BinanceError, missing, unauthorised
from app.sandbox.dialects.binance.parameters import Parameters
from app.sandbox.engine.account import Account
from app.sandbox.engine.venue import Venue
from app.sandbox.http import Request

KEY_HEADER = "x-mbx-apikey"

_KEY = re.compile(r"[A-Za-z0-9_-]{1,128}\Z")
_RECV_WINDOW = re.compile(r"[0-9]{1,5}(\.[0-9]{1,3})?\Z")
_DEFAULT_WINDOW = Decimal(5000)
_LONGEST_WINDOW = Decimal(60000)
_AHEAD = 1_000_000
_MICROSECOND_DIGITS = 16


def authenticate(request: Request, params: Parameters, venue: Venue) -> Account:
    """The account that signed a request.

    Raises:
        BinanceError: -2014 and -2015 for the key, -1102 for missing parts, -1022 for the signature, -1021 for the
            time.
    """
    account = key_owner(request, venue)
    signature = params.required("signature")
    timestamp = params.required("timestamp")
    expected = hmac.new(account.api_secret.encode(), signed_text(request), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.lower().encode()):
        raise BinanceError(-1022, "Signature for this request is not valid.")
    check_time(timestamp, params.text("recvWindow"), venue.now())
    return account


def key_owner(request: Request, venue: Venue) -> Account:
    """The account whose key the header names."""
    key = request.headers.get(KEY_HEADER, "")
    if not _KEY.match(key):
        raise BinanceError(-2014, "API-key format invalid.", 401)
    account = venue.accounts.get(key)
    if account is None:
        raise unauthorised()
    return account


def signed_text(request: Request) -> bytes:
    """Query and body as received, one after the other without a separator, less the signature itself."""
    query = _unsigned(request.query)
    body = _unsigned(request.body.decode("latin-1"))
    return (query + body).encode("latin-1")


def _unsigned(text: str) -> str:
    return "&".join(pair for pair in text.split("&") if not pair.startswith("signature="))


def check_time(timestamp: str, recv_window: str | None, now: int) -> None:
    """Accept a timestamp in milliseconds or microseconds that lies inside the window, by the exchange's clock."""
    if not (timestamp.isascii() and timestamp.isdigit()):
        raise missing("timestamp")
    window = _DEFAULT_WINDOW
    if recv_window is not None:
        if not _RECV_WINDOW.match(recv_window):
            raise BinanceError(-1130, "Data sent for parameter 'recvWindow' is not valid.")
        window = Decimal(recv_window)
    if window > _LONGEST_WINDOW:
        raise BinanceError(-1131, "recvWindow must be less than 60000.")
    sent = int(timestamp) * (1 if len(timestamp) >= _MICROSECOND_DIGITS else 1000)
    if sent >= now + _AHEAD:
        raise BinanceError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if now - sent > window * 1000:
        raise BinanceError(-1021, "Timestamp for this request is outside of the recvWindow.")
