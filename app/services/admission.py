"""Whether a delivery comes from somebody the source listens to: its address, its signature, the secret in its body."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from sqlalchemy import or_

from app.domain import senders
from app.domain.alert_format import ALIASES
from app.domain.alerts import AlertStatus
from app.domain.errors import SwitchyardError
from app.domain.senders import Unproven
from app.models import Alert, Source, utc_now
from app.services import vault
from app.services.vault import VaultSealed

#: Of a stored alert: it was let in. What was denied at the door no worker picked up.
ADMITTED = or_(Alert.status != AlertStatus.DENIED, Alert.picked_up_at.is_not(None))


class NotAdmitted(SwitchyardError):
    """A delivery that is kept and not acted on. ``proven`` is False when its sender has yet to prove who it is.

    The message goes to the sender as well and says nothing that would help to guess.
    """

    remedy = "Compare what the sender sends with the source's settings."

    def __init__(self, message: str, *, proven: bool) -> None:
        super().__init__(message)
        self.proven = proven


def check_sender(source: Source, *, address: str, body: bytes, signature: str, timestamp: str | None) -> None:
    """See that it comes from a listed address and is signed, where the source asks for it.

    Raises:
        NotAdmitted: it does not.
    """
    if source.senders is not None and not senders.may_send(address, source.senders):
        raise NotAdmitted("the sender's address is not among those that this source listens to", proven=True)
    if source.signing_secret is None:
        return
    try:
        secret = vault.unseal_signing_secret(source)
        senders.check_signature(secret, body, signature, timestamp, utc_now())
    except (Unproven, VaultSealed) as error:
        raise NotAdmitted(error.message, proven=False) from None


def check_secret(source: Source, pairs: Mapping[str, object]) -> None:
    """See that the pairs of a body contain the source's secret, where it has one; in constant time.

    Raises:
        NotAdmitted: it is missing or wrong.
    """
    if source.secret_hash is None:
        return
    given = next(
        (value for key, value in pairs.items() if ALIASES.get(key.strip().lower()) == "secret"), None
    )
    if given is None:
        raise NotAdmitted("the secret is missing", proven=False)
    if not hmac.compare_digest(vault.secret_hash(source, str(given)), source.secret_hash):
        raise NotAdmitted("the secret is not the right one", proven=False)
