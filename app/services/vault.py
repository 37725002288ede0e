"""Envelope encryption of exchange keys.

Each broker has a data key of its own, itself encrypted under the master key. The additional data of every
ciphertext names its broker and field, so that one moved to another row or column does not open.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.domain.accounts import Credential
from app.domain.errors import SwitchyardError
from app.extensions import settings
from app.models import Broker

_NONCE = 12


class VaultSealed(SwitchyardError):
    """A broker's keys cannot be decrypted with the master key this server runs with."""

    remedy = "Start the server with the master key the keys were stored under, or enter the keys again."


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


def _context(broker: Broker, field: str) -> bytes:
    return f"broker:{broker.id}:{field}".encode()


def _encrypt(key: bytes, secret: bytes, broker: Broker, field: str) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, secret, _context(broker, field))


def _decrypt(key: bytes, sealed: bytes, broker: Broker, field: str) -> bytes:
    return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], _context(broker, field))
