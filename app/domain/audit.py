"""The audit chain: what is written down, how one entry is chained to the one before, and where a chain is broken.

An entry tells who did what to what, when and from where. Its seal gives it a position and a digest over the entry,
the position and the digest before: whoever changes, removes or moves an entry has to make every later digest anew, and
cannot, because digests are keyed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

#: What the first seal names as the digest before it.
GENESIS = "0" * 64


class Action(StrEnum):
    """What is written down: what it is about, a dot, and what happened to it."""

    ALERT_RECEIVED = "alert.received"
    ALERT_DECIDED = "alert.decided"
    ORDER_PLACED = "order.placed"
    ORDER_MOVED = "order.moved"
    ORDER_NOTED = "order.noted"
    ORDER_CANCEL_ASKED = "order.cancel_asked"
    ORDER_CHANGE_ASKED = "order.change_asked"
    BROKER_ADDED = "broker.added"
    BROKER_EDITED = "broker.edited"
    BROKER_KEYS_CHANGED = "broker.keys_changed"
    BROKER_MODE_SET = "broker.mode_set"
    BROKER_PAUSED = "broker.paused"
    BROKER_RESUMED = "broker.resumed"
    BROKER_MADE_MAIN = "broker.made_main"
    BROKER_REMOVED = "broker.removed"
    BROKER_CONNECTED = "broker.connected"
    BROKER_DISCONNECTED = "broker.disconnected"
    BROKER_SYNC_FAILING = "broker.sync_failing"
    SOURCE_CREATED = "source.created"
    SOURCE_EDITED = "source.edited"
    SOURCE_SECRETS_CHANGED = "source.secrets_changed"
    SOURCE_TOKEN_CHANGED = "source.token_changed"  # noqa: S105 - names what happened
    SOURCE_SWITCHED_ON = "source.switched_on"
    SOURCE_SWITCHED_OFF = "source.switched_off"
    USER_CREATED = "user.created"
    USER_EMAIL_CHANGED = "user.email_changed"
    USER_PASSWORD_CHANGED = "user.password_changed"  # noqa: S105 - names what happened
    USER_ROLE_SET = "user.role_set"
    USER_CLOSED = "user.closed"
    USER_REOPENED = "user.reopened"
    SECOND_FACTOR_ON = "second_factor.on"
    SECOND_FACTOR_OFF = "second_factor.off"
    SECOND_FACTOR_NEW_CODES = "second_factor.new_codes"
    SECOND_FACTOR_CODE_USED = "second_factor.recovery_code_used"
    LOGIN_SUCCEEDED = "login.succeeded"
    LOGIN_FAILED = "login.failed"
    LOGIN_ENDED = "login.ended"
    NOTIFICATION_ADDED = "notification.added"
    NOTIFICATION_EDITED = "notification.edited"
    NOTIFICATION_REMOVED = "notification.removed"
    SERVER_REGISTRATION_SET = "server.registration_set"
    SERVER_MAINTENANCE_SET = "server.maintenance_set"
    HALT_STARTED = "halt.started"
    HALT_LIFTED = "halt.lifted"
    PANIC_PRESSED = "panic.pressed"
    RISK_LIMITS_SET = "risk.limits_set"
    API_TOKEN_CREATED = "token.created"  # noqa: S105 - names what happened
    API_TOKEN_REVOKED = "token.revoked"  # noqa: S105 - names what happened
    POSITION_MOVED = "position.moved"
    POSITION_CLOSED = "position.close_asked"
    POSITION_ENDED = "position.ended"
    POSITION_ALARMED = "position.alarmed"
    AUDIT_EXPORTED = "audit.exported"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. ``detail`` holds text, whole numbers, booleans, and lists and mappings of them."""

    id: int
    at: datetime
    actor: str
    user_id: int | None
    address: str | None
    action: str
    subject: str
    detail: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As it is digested and exported: the time in UTC to the microsecond."""
        at = self.at.astimezone(UTC).isoformat(timespec="microseconds")
        return {**{name: getattr(self, name) for name in self.__slots__}, "at": at}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Entry:
        """What `to_json` gave.

        Raises:
            KeyError, TypeError, ValueError: it is not that.
        """
        return cls(**{**told, "at": datetime.fromisoformat(told["at"])})


@dataclass(frozen=True, slots=True)
class Seal:
    """The place of an entry in the chain: positions count from 1, digests are 64 hexadecimal digits."""

    position: int
    entry_id: int
    previous: str
    digest: str


@dataclass(frozen=True, slots=True)
class Link:
    """A seal with the entry it is about; None when that is gone."""

    seal: Seal
    entry: Entry | None

    def to_json(self) -> dict[str, Any]:
        """As it is exported."""
        seal = {name: getattr(self.seal, name) for name in Seal.__slots__}
        return {**seal, "entry": None if self.entry is None else self.entry.to_json()}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Link:
        """What `to_json` gave.

        Raises:
            KeyError, TypeError, ValueError: it is not that.
        """
        seal = Seal(told["position"], told["entry_id"], str(told["previous"]), str(told["digest"]))
        return cls(seal, None if told["entry"] is None else Entry.from_json(told["entry"]))


@dataclass(frozen=True, slots=True)
class Break:
    """Where a chain is broken, in words, and what to do."""

    what: str
    remedy: str = (
        "Keep a copy of the database as it is and compare it with a backup or an export. A chain also breaks at its "
        "first link when MASTER_KEY is not the one it was sealed under."
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a chain proves: ``links`` whole ones up to the ``head`` digest, and where it breaks after them, if so."""

    links: int
    head: str
    broken: Break | None = None


def seal(key: bytes, entry: Entry, after: Seal | None) -> Seal:
    """The seal that chains an entry to the newest one; ``after`` is None for the very first."""
    position, previous = (after.position + 1, after.digest) if after is not None else (1, GENESIS)
    return Seal(position, entry.id, previous, _digest(key, position, entry, previous))


def verify(key: bytes, links: Iterable[Link], *, noted: str | None = None) -> Verdict:
    """Go through a chain from its first link, given in the order of positions, to its end or the first broken link.

    A chain does not show by itself that its end was cut off. ``noted`` is a digest that was seen at its head before:
    without it the chain is broken.
    """
    position, head, found = 0, GENESIS, noted is None
    for link, following in _with_following(links):
        broken = _fault(key, link, following, position + 1, head)
        if broken is not None:
            return Verdict(position, head, Break(broken))
        position, head = link.seal.position, link.seal.digest
        found = found or head == noted
    return Verdict(
        position, head, None if found else Break("no seal has the noted digest: the end was cut off")
    )


def _fault(key: bytes, link: Link, following: Link | None, position: int, previous: str) -> str | None:
    seal, entry = link.seal, link.entry
    if seal.position != position:
        return f"seal {position} is missing"
    if seal.previous != previous or (entry is not None and entry.id != seal.entry_id):
        return f"seal {position} was changed"
    if entry is None:
        return f"entry {seal.entry_id} is missing, though seal {position} is about it"
    right = _digest(key, position, entry, previous)
    if hmac.compare_digest(right.encode(), seal.digest.encode()):
        return None
    if following is not None and following.seal.previous == right:
        return f"seal {position} was changed"  # what follows remembers the digest that the entry still has
    return f"entry {entry.id}, sealed at {position}, was changed"


def _with_following(links: Iterable[Link]) -> Iterator[tuple[Link, Link | None]]:
    rest = iter(links)
    link = next(rest, None)
    while link is not None:
        following = next(rest, None)
        yield link, following
        link = following


def _digest(key: bytes, position: int, entry: Entry, previous: str) -> str:
    told = {"position": position, "entry": entry.to_json(), "previous": previous}
    text = json.dumps(told, sort_keys=True, separators=(",", ":"))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
