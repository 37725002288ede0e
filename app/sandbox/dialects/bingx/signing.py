"""Who sent a request, whether they meant it, and when.

What is signed are the values themselves, not as they are encoded to travel. The documentation has the parameters once
in the order in which they are sent and once sorted: either is taken.
Source: https://bingx-api.github.io/docs-v3/#/en/Spot/Introduction
"""

from __future__ import annotations

import hashlib
import hmac

from app.sandbox.dialects.bingx.errors import BingXError, untimely
from app.sandbox.dialects.bingx.parameters import Parameters
from app.sandbox.engine.account import Account
from app.sandbox.engine.venue import Venue
from app.sandbox.http import Request

KEY_HEADER = "x-bx-apikey"

_LONGEST_WINDOW = 5000


def authenticate(request: Request, sent: list[tuple[str, str]], venue: Venue) -> Account:
    """The account that signed a request whose parameters are ``sent``.

    Raises:
        BingXError: 100413 for the key, 100412 without a signature, 100421 for the time, 100001 for the signature.
    """
    account = venue.accounts.get(request.headers.get(KEY_HEADER, ""))
    if account is None:
        raise BingXError(100413, "Incorrect apiKey")
    params = Parameters(sent)
    signature = params.text("signature")
    if signature is None:
        raise BingXError(100412, "Null signature")
    check_time(params.text("timestamp"), params.text("recvWindow"), venue.now())
    signed = [pair for pair in sent if pair[0] != "signature"]
    expected = {sign(account.api_secret, order) for order in (signed, sorted(signed))}
    if not any(hmac.compare_digest(each.encode(), signature.lower().encode()) for each in expected):
        raise BingXError(100001, "Signature verification failed")
    return account


def sign(secret: str, sent: list[tuple[str, str]]) -> str:
    text = "&".join(f"{name}={value}" for name, value in sent)
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def check_time(timestamp: str | None, window: str | None, now: int) -> None:
    """Accept a timestamp in milliseconds that is no older than its window; one that lies ahead no further than that."""
    if timestamp is None or not all(
        value.isascii() and value.isdigit() and len(value) < 15 for value in (timestamp, window or "0")
    ):
        raise untimely()
    longest = min(int(window or _LONGEST_WINDOW), _LONGEST_WINDOW)
    if abs(now // 1000 - int(timestamp)) > longest:
        raise untimely()
