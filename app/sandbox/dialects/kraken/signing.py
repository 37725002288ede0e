"""Who sent a request, whether they meant it, and whether it is new.

Source: https://docs.kraken.com/api/docs/guides/spot-rest-auth
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections import defaultdict

from app.sandbox.dialects.kraken.errors import KrakenError
from app.sandbox.engine.account import Account
from app.sandbox.engine.venue import Venue
from app.sandbox.http import Request

KEY_HEADER = "api-key"
_SIGNATURE_HEADER = "api-sign"
_LARGEST_NONCE = 2**64 - 1


class Nonces:
    """The nonces each key has used; a new one must be larger, or lie in the key's window and be new."""

    def __init__(self) -> None:
        self._used: defaultdict[str, set[int]] = defaultdict(set)

    def accept(self, api_key: str, nonce: int, window: int) -> None:
        """Use a nonce up.

        Raises:
            KrakenError: EAPI:Invalid nonce.
        """
        used = self._used[api_key]
        latest = max(used, default=-1)
        if nonce in used or nonce <= latest - window:
            raise KrakenError("EAPI:Invalid nonce")
        used.add(nonce)
        latest = max(nonce, latest)
        self._used[api_key] = {number for number in used if number > latest - window or number == latest}


def authenticate(request: Request, nonce: str | None, venue: Venue) -> tuple[Account, int]:
    """The account that signed a request, and the nonce it was signed with.

    Raises:
        KrakenError: EAPI:Invalid key, EAPI:Invalid nonce for one that is no number, EAPI:Invalid signature.
    """
    account = venue.accounts.get(request.headers.get(KEY_HEADER, ""))
    if account is None:
        raise KrakenError("EAPI:Invalid key")
    if nonce is None or not (nonce.isascii() and nonce.isdigit()) or int(nonce) > _LARGEST_NONCE:
        raise KrakenError("EAPI:Invalid nonce")
    expected = signature(account.api_secret, request.path, nonce, request.body)
    sent = request.headers.get(_SIGNATURE_HEADER, "")
    if expected is None or not hmac.compare_digest(expected.encode(), sent.encode()):
        raise KrakenError("EAPI:Invalid signature")
    return account, int(nonce)


def signature(secret: str, path: str, nonce: str, body: bytes) -> str | None:
    """What API-Sign has to be, or None when the secret is not Base64."""
    try:
        key = base64.b64decode(secret, validate=True)
    except binascii.Error:
        return None
    digest = hashlib.sha256(nonce.encode() + body).digest()
    return base64.b64encode(hmac.new(key, path.encode() + digest, hashlib.sha512).digest()).decode()
