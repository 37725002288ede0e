"""Who sent a request, whether they meant it, and when.

Source: https://www.kucoin.com/docs-new/authentication
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from app.sandbox.dialects.kucoin.errors import unauthorised
from app.sandbox.engine.account import Account
from app.sandbox.engine.venue import Venue
from app.sandbox.http import Request

KEY, SIGN, TIMESTAMP, PASSPHRASE = "kc-api-key", "kc-api-sign", "kc-api-timestamp", "kc-api-passphrase"
VERSION = "kc-api-key-version"
_WINDOW = 5_000_000
_VERSIONS = ("2", "3")


def authenticate(request: Request, venue: Venue) -> Account:
    """The account that signed a request.

    Raises:
        KuCoinError: 400001 for a missing header, 400003 for the key, 400009 for its version, 400004 for the
            passphrase, 400005 for the signature, 400002 for the time.
    """
    headers = request.headers
    for name in (KEY, SIGN, TIMESTAMP, PASSPHRASE):
        if not headers.get(name):
            raise unauthorised("400001", f"Please check the header of your request for {name.upper()}.")
    account = venue.accounts.get(headers[KEY])
    if account is None:
        raise unauthorised("400003", "KC-API-KEY not exists")
    if headers.get(VERSION) not in _VERSIONS:
        raise unauthorised("400009", "Invalid KC-API-KEY-VERSION")
    if not _equal(headers[PASSPHRASE], signature(account.api_secret, (account.passphrase or "").encode())):
        raise unauthorised("400004", "Invalid KC-API-PASSPHRASE")
    if not any(_equal(headers[SIGN], signature(account.api_secret, text)) for text in signed_texts(request)):
        raise unauthorised("400005", "Invalid KC-API-SIGN")
    _check_time(headers, venue.now())
    return account


def signature(secret: str, text: bytes) -> str:
    """The base64 of an HMAC-SHA256."""
    digest = hmac.new(secret.encode(), text, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def signed_texts(request: Request) -> set[bytes]:
    """What may have been signed: time, method, path with query, and body, the query as sent or before encoding."""
    target = (f"{request.path}?{request.query}" if request.query else request.path).encode("latin-1")
    head = f"{request.headers[TIMESTAMP]}{request.method}".encode("latin-1")
    return {head + path + request.body for path in (target, unquote_to_bytes(target))}


def _check_time(headers: Mapping[str, str], now: int) -> None:
    text = headers[TIMESTAMP]
    if not (text.isascii() and text.isdigit()) or abs(int(text) * 1000 - now) > _WINDOW:
        raise unauthorised("400002", "KC-API-TIMESTAMP Invalid")


def _equal(sent: str, expected: str) -> bool:
    return hmac.compare_digest(sent.encode("latin-1"), expected.encode("latin-1"))
