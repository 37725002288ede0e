"""Whether people may make accounts for themselves: what an administrator decided, or else what REGISTRATION says."""

from __future__ import annotations

from app.domain.audit import Action
from app.extensions import db, settings
from app.models import ServerSetting
from app.services import audit

_NAME = "registration_open"


def is_open() -> bool:
    """Whether sign-up is open. The first account can always be made, which is up to the caller."""
    decided = db.session.get(ServerSetting, _NAME)
    return settings.registration_open if decided is None else bool(decided.value)


def set_open(is_open: bool) -> None:
    """Open or close sign-up from now on, whatever the environment says."""
    db.session.merge(ServerSetting(name=_NAME, value=is_open))
    audit.record(Action.SERVER_REGISTRATION_SET, "server", open=is_open)
    db.session.commit()
