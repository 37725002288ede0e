"""Who sent a request, whether they meant it, and when.

Source: https://www.bitget.com/api-doc/common/signature
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

from app.sandbox.dialects.bitget.errors import BitgetError
from app.sandbox.engine.account import Account
from app.sandbox.engine.venue import Venue
from app.sandbox.http import Request

KEY_HEADER = "access-key"

_KEY = re.compile(r"[A-Za-z0-9_-]{1,128}\Z")
_WINDOW = 30_000_000
_REQUIRED = (
    ("access-key", "40001", "ACCESS_KEY cannot be empty"),
    ("access-sign", "40002", "ACCESS_SIGN cannot be empty"),
    ("access-timestamp", "40003", "ACCESS_TIMESTAMP cannot be empty"),
    ("access-passphrase", "40011", "ACCESS_PASSPHRASE cannot be empty"),
)


def authenticate(request: Request, venue: Venue) -> Account:
    """The account that signed a request.

    Raises:
        BitgetError: 40001, 40002, 40003 and 40011 for a header that is missing, 40005 and 40008 for the time, 40006
            and 40037 for the key, 40009 for the signature, 40012 for the passphrase, 40105 and 40110 when key and
            trading mode do not match.
    """
    for name, code, words in _REQUIRED:
        if not request.headers.get(name):
            raise BitgetError(code, words)
    timestamp = request.headers["access-timestamp"]
    check_time(timestamp, venue.now())
    account = _key_owner(request.headers[KEY_HEADER], venue)
    expected = sign(account.api_secret, signed_text(request, timestamp))
    if not hmac.compare_digest(expected.encode(), request.headers["access-sign"].encode("latin-1")):
        raise BitgetError("40009", "sign signature error")
    if request.headers["access-passphrase"] != account.passphrase:
        raise BitgetError("40012", "apikey/password is incorrect")
    demo = request.headers.get("paptrading") == "1"
    if account.permissions.demo and not demo:
        raise BitgetError("40105", "The API key belongs to demo trading; send the header paptrading")
    if demo and not account.permissions.demo:
        raise BitgetError("40110", "The API key does not belong to demo trading")
    return account


def signed_text(request: Request, timestamp: str) -> bytes:
    """Time, method, path with the query as received, and body, one after the other."""
    query = f"?{request.query}" if request.query else ""
    return f"{timestamp}{request.method}{request.path}{query}".encode("latin-1") + request.body


def sign(secret: str, text: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest()).decode()


def check_time(timestamp: str, now: int) -> None:
    """Accept a timestamp in milliseconds within thirty seconds of the exchange's clock."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) == 13):
        raise BitgetError("40005", "Invalid ACCESS_TIMESTAMP")
    if abs(int(timestamp) * 1000 - now) > _WINDOW:
        raise BitgetError("40008", "Request timestamp expired")


def _key_owner(key: str, venue: Venue) -> Account:
    if not _KEY.match(key):
        raise BitgetError("40006", "Invalid ACCESS_KEY")
    account = venue.accounts.get(key)
    if account is None:
        raise BitgetError("40037", "Apikey does not exist")
    return account
