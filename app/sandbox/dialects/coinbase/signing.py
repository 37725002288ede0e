"""Who sent a request: a token signed with the account's private key, for this method and path alone.

Source: https://docs.cdp.coinbase.com/get-started/authentication/jwt-authentication
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from app.sandbox.dialects.coinbase.errors import unauthorized
from app.sandbox.engine.account import Account
from app.sandbox.engine.venue import Venue
from app.sandbox.http import Request

_LONGEST_LIFE = 125
_LEEWAY = 10
_SECOND = 1_000_000


def key_name(request: Request) -> str | None:
    """The key that a token claims to be of."""
    token = _token(request)
    name = None if token is None else token[0].get("kid")
    return name if isinstance(name, str) else None


def authenticate(request: Request, venue: Venue) -> Account:
    """The account that signed a request.

    Raises:
        CoinbaseError: 401, without saying why: for the key, the signature, the time, or another method or path.
    """
    token = _token(request)
    if token is None:
        raise unauthorized()
    header, claims, text, signature = token
    account = venue.accounts.get(str(header.get("kid")))
    if account is None or claims.get("sub") != account.api_key:
        raise unauthorized()
    now = venue.now() / _SECOND
    begins, ends = claims.get("nbf"), claims.get("exp")
    if not isinstance(begins, int) or not isinstance(ends, int) or ends - begins > _LONGEST_LIFE:
        raise unauthorized()
    if not begins - _LEEWAY <= now < ends or not _is_for(claims, request):
        raise unauthorized()
    if not _verifies(account.api_secret, header.get("alg"), text, signature):
        raise unauthorized()
    return account


def _is_for(claims: dict[str, Any], request: Request) -> bool:
    """Whether the token names this method and path. The host may be the real one's, or a prefix of the sandbox's."""
    uris = claims.get("uris")
    uri = claims.get("uri") or (uris[0] if isinstance(uris, list) and len(uris) == 1 else "")
    method, _, rest = str(uri).partition(" ")
    return method == request.method and rest.endswith(request.path)


def _token(request: Request) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes] | None:
    """Header, claims, the text that was signed, and the signature."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    parts = token.split(".")
    if scheme.lower() != "bearer" or len(parts) != 3:
        return None
    try:
        header, claims = (json.loads(_bytes(part)) for part in parts[:2])
        signature = _bytes(parts[2])
    except (ValueError, binascii.Error, RecursionError):
        return None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        return None
    return header, claims, f"{parts[0]}.{parts[1]}".encode("latin-1"), signature


def _bytes(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _verifies(secret: str, algorithm: object, text: bytes, signature: bytes) -> bool:
    try:
        if secret.startswith("-----BEGIN"):
            key = load_pem_private_key(secret.encode(), password=None)
        else:
            key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(secret)[:32])
        if isinstance(key, Ed25519PrivateKey) and algorithm == "EdDSA":
            key.public_key().verify(signature, text)
            return True
        if isinstance(key, EllipticCurvePrivateKey) and algorithm == "ES256" and len(signature) == 64:
            r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
            key.public_key().verify(encode_dss_signature(r, s), text, ECDSA(SHA256()))
            return True
    except (InvalidSignature, ValueError):
        return False
    return False
