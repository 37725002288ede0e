"""Encryption of exchange keys, of what senders of webhooks sign with, of second factors and notification addresses.

Each broker has a data key of its own, itself encrypted under the master key; everything else is encrypted under the
master key itself. The additional data of every ciphertext names its row and field, so that one moved to
another row or column does not open.
"""

from __future__ import annotations

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.domain.accounts import Credential
from app.domain.errors import SwitchyardError
from app.extensions import settings
from app.models import Broker, Source

_NONCE = 12
_SIGNING_SECRET = "source:{}:signing_secret"  # noqa: S105 - names where it stands
_SECOND_FACTOR = "second_factor:{}:secret"
_CHANNEL_URL = "notification_channel:{}:url"


class VaultSealed(SwitchyardError):
    """What is stored cannot be decrypted with the master key this server runs with."""

    remedy = "Start the server with the master key it was stored under, or enter it again."


def seal(broker: Broker, credential: Credential) -> None:
    """Encrypt a credential into its broker, which must have its id; a fresh data key every time."""
    data_key = AESGCM.generate_key(bit_length=256)
    broker.data_key = _encrypt(settings.master_key, data_key, broker, "data_key")
    broker.api_key = _encrypt(data_key, credential.api_key.encode(), broker, "api_key")
    broker.api_secret = _encrypt(data_key, credential.api_secret.encode(), broker, "api_secret")
    broker.passphrase = (
        None
        if credential.passphrase is None
        else _encrypt(data_key, credential.passphrase.encode(), broker, "passphrase")
    )


def unseal(broker: Broker) -> Credential:
    """The credential of a broker; ask for it only to build a client.

    Raises:
        VaultSealed: when the master key does not fit.
    """
    try:
        data_key = _decrypt(settings.master_key, broker.data_key, broker, "data_key")
        return Credential(
            api_key=_decrypt(data_key, broker.api_key, broker, "api_key").decode(),
            api_secret=_decrypt(data_key, broker.api_secret, broker, "api_secret").decode(),
            passphrase=None
            if broker.passphrase is None
            else _decrypt(data_key, broker.passphrase, broker, "passphrase").decode(),
        )
    except InvalidTag:
        raise VaultSealed(f"the keys of broker {broker.name!r} cannot be decrypted") from None


def opens(broker: Broker) -> bool:
    """Whether the master key fits a broker; its keys themselves stay closed."""
    try:
        _decrypt(settings.master_key, broker.data_key, broker, "data_key")
    except InvalidTag:
        return False
    return True


def seal_signing_secret(source: Source, secret: str) -> bytes:
    """The encrypted form of what a source's sender signs with; the source must have its id."""
    return _encrypt_within(settings.master_key, secret.encode(), _SIGNING_SECRET.format(source.id))


def unseal_signing_secret(source: Source) -> str:
    """What the sender of a source signs with.

    Raises:
        VaultSealed: when the master key does not fit.
    """
    what = f"the signing secret of source {source.name!r}"
    return _unseal_within(source.signing_secret or b"", _SIGNING_SECRET.format(source.id), what)


def seal_second_factor(user_id: int, secret: str) -> bytes:
    """The encrypted form of an authenticator's secret."""
    return _encrypt_within(settings.master_key, secret.encode(), _SECOND_FACTOR.format(user_id))


def unseal_second_factor(user_id: int, sealed: bytes) -> str:
    """The secret of a person's authenticator.

    Raises:
        VaultSealed: when the master key does not fit.
    """
    return _unseal_within(sealed, _SECOND_FACTOR.format(user_id), "the second factor")


def seal_channel_url(channel_id: int, url: str) -> bytes:
    """The encrypted form of where notifications go."""
    return _encrypt_within(settings.master_key, url.encode(), _CHANNEL_URL.format(channel_id))


def unseal_channel_url(channel_id: int, sealed: bytes) -> str:
    """Where the notifications of a channel go.

    Raises:
        VaultSealed: when the master key does not fit.
    """
    return _unseal_within(sealed, _CHANNEL_URL.format(channel_id), "the address of a notification channel")


def secret_hash(source: Source, secret: str) -> str:
    """What is stored of the secret in a source's alerts, which must have its id.

    A person chooses it, so that a plain hash could be found by trying words; this one needs the master key.
    """
    text = f"source:{source.id}:{secret}".encode("utf-8", "surrogatepass")
    return hmac.new(settings.webhook_key, text, hashlib.sha256).hexdigest()


def body_fingerprint(body: bytes) -> str:
    """By what a repeated body is known again.

    The body may contain a secret, and all else in it is told beside: with a plain hash words could be tried on it.
    """
    return hmac.new(settings.webhook_key, b"body:" + body, hashlib.sha256).hexdigest()


def _encrypt(key: bytes, secret: bytes, broker: Broker, field: str) -> bytes:
    return _encrypt_within(key, secret, f"broker:{broker.id}:{field}")


def _decrypt(key: bytes, sealed: bytes, broker: Broker, field: str) -> bytes:
    return _decrypt_within(key, sealed, f"broker:{broker.id}:{field}")


def _unseal_within(sealed: bytes, place: str, what: str) -> str:
    try:
        return _decrypt_within(settings.master_key, sealed, place).decode()
    except InvalidTag:
        raise VaultSealed(f"{what} cannot be decrypted") from None


def _encrypt_within(key: bytes, secret: bytes, place: str) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, secret, place.encode())


def _decrypt_within(key: bytes, sealed: bytes, place: str) -> bytes:
    return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], place.encode())
