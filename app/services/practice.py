"""Practice accounts: play money on the sandbox for whoever has no keys yet.

The sandbox forgets its accounts when it stops; a practice account is therefore opened again, with fresh play money,
by the check-up that misses it.
"""

from __future__ import annotations

import base64
import secrets

import structlog

from app.domain.accounts import Credential
from app.domain.errors import ExchangeUnavailable
from app.extensions import settings

log = structlog.get_logger()

#: What a practice account starts with.
PLAY_MONEY = {"USDT": "100000", "BTC": "1", "ETH": "10"}

_MARK = "practice-"
_TIMEOUT_SECONDS = 5


def new_credential() -> Credential:
    """Keys that no exchange gave out; the secret is 32 bytes in base64, as some exchanges' private keys are."""
    return Credential(
        api_key=_MARK + secrets.token_hex(24),
        api_secret=base64.b64encode(secrets.token_bytes(32)).decode(),
        passphrase=secrets.token_hex(8),
    )


def is_practice(credential: Credential) -> bool:
    """Whether these are keys of ours."""
    return credential.api_key.startswith(_MARK)


def ensure_account(exchange: str, credential: Credential) -> None:
    """Open the account on the sandbox unless it is there.

    Raises:
        ExchangeUnavailable: the sandbox does not answer.
    """
    import requests  # here, because no other part of a server needs its memory

    accounts = f"{settings.sandbox_url}/_control/accounts"
    who = {"exchange": exchange, "api_key": credential.api_key}
    try:
        if requests.get(accounts, params=who, timeout=_TIMEOUT_SECONDS).ok:
            return
        account = {
            **who,
            "api_secret": credential.api_secret,
            "passphrase": credential.passphrase,
            "balances": PLAY_MONEY,
        }
        requests.post(accounts, json=account, timeout=_TIMEOUT_SECONDS).raise_for_status()
    except requests.RequestException as error:
        log.warning("practice_account_not_opened", exchange=exchange, error=type(error).__name__)
        raise ExchangeUnavailable(
            exchange,
            "the sandbox does not answer",
            remedy="Start the sandbox, then test the connection again.",
        ) from None
