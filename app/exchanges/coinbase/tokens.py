"""A token for each request, signed with the private key of a CDP key pair: ES256 or EdDSA, whichever the key is for.

Source: https://docs.cdp.coinbase.com/get-started/authentication/jwt-authentication and coinbase-advanced-py 1.8.4.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

#: How long a token is taken for. Two minutes are allowed; a short life bounds how late a request may arrive.
LIFETIME_SECONDS = 20
#: A token begins a little earlier than now, for an exchange whose clock is behind.
EARLIER_SECONDS = 5

_PEM = "-----BEGIN"
_SEED_BYTES = 32
_KEY_LENGTHS = (_SEED_BYTES, 2 * _SEED_BYTES)


class NotAKey(ValueError):
    """A text that is no private key of either kind. It is not repeated: it may be a secret all the same."""

    def __init__(self) -> None:
        super().__init__("the secret is no private key")


class Signer:
    """Signs for one key; reading a private key takes longer than using it."""

    def __init__(self, name: str, secret: str) -> None:
        """Raises:
        NotAKey: the secret is neither an EC key in PEM nor an Ed25519 key.
        """
        self._name = name
        self._key = read_key(secret)

    def token(self, method: str, host: str, path: str, now: int) -> str:
        """A token for this one request, by the exchange's clock in seconds."""
        claims = {
            "sub": self._name,
            "iss": "cdp",
            "nbf": now - EARLIER_SECONDS,
            "exp": now + LIFETIME_SECONDS,
            "uri": f"{method} {host}{path}",
        }
        return self.signed(claims, secrets.token_hex(16))

    def signed(self, claims: dict[str, Any], nonce: str) -> str:
        """Claims as a token."""
        algorithm = "EdDSA" if isinstance(self._key, Ed25519PrivateKey) else "ES256"
        header = {"alg": algorithm, "typ": "JWT", "kid": self._name, "nonce": nonce}
        text = f"{_part(header)}.{_part(claims)}"
        return f"{text}.{_text(self._signature(text.encode()))}"

    def _signature(self, text: bytes) -> bytes:
        if isinstance(self._key, Ed25519PrivateKey):
            return self._key.sign(text)
        r, s = decode_dss_signature(self._key.sign(text, ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def read_key(secret: str) -> EllipticCurvePrivateKey | Ed25519PrivateKey:
    """The key in a secret as Coinbase gives it out: PEM, its line ends escaped or not, or base64 of 32 or 64 bytes.

    Raises:
        NotAKey: for any other text.
    """
    text = secret.replace("\\n", "\n").strip()
    try:
        if not text.startswith(_PEM):
            raw = base64.b64decode(text, validate=True)
            if len(raw) not in _KEY_LENGTHS:
                raise NotAKey
            return Ed25519PrivateKey.from_private_bytes(raw[:_SEED_BYTES])
        key = load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, binascii.Error, UnsupportedAlgorithm):
        raise NotAKey from None
    if isinstance(key, Ed25519PrivateKey):
        return key
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1):
        return key
    raise NotAKey


def _part(content: dict[str, Any]) -> str:
    return _text(json.dumps(content, separators=(",", ":")).encode())


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
