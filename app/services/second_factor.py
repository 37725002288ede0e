"""The second factor: an authenticator's codes (TOTP, RFC 6238), and recovery codes for when it is lost.

An authenticator counts from the first code it was confirmed by. A code is good for its 30 seconds and those before and
after, once: neither it nor an earlier one is taken again, whoever reads it over a shoulder.
"""

from __future__ import annotations

import hmac
import secrets
import time
from dataclasses import dataclass

import pyotp
from sqlalchemy import delete, func, or_, select, update

from app.domain.audit import Action
from app.extensions import db
from app.models import RecoveryCode, SecondFactor, User, utc_now
from app.services import audit, vault
from app.services.refusal import Refused
from app.services.sources import fingerprint

ISSUER = "Switchyard"
RECOVERY_CODES = 10
_STEP_SECONDS = 30

#: A clock may be off by so many steps, in either direction.
_STEPS_OFF = 1

#: Without letters and digits that look like others. Sixteen of them are 2^79 possibilities: a plain hash suffices.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_CODE_LENGTH = 16


class CodeRefused(Refused):
    """A code is not good, or not any more."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator needs: the secret to type, or the address that a QR code holds."""

    secret: str
    uri: str

    @property
    def groups(self) -> str:
        """The secret as a person types it."""
        return _grouped(self.secret, " ")


def is_on(user: User) -> bool:
    """Whether a person has to show a code to log in."""
    factor = db.session.get(SecondFactor, user.id)
    return factor is not None and factor.confirmed_at is not None


def begin(user: User) -> None:
    """Make a new secret, in place of one that was never confirmed.

    Raises:
        CodeRefused: the second factor is on, and has to be turned off first.
    """
    if is_on(user):
        raise CodeRefused("the second factor is on already", remedy="Turn it off first.")
    db.session.execute(delete(SecondFactor).where(SecondFactor.user_id == user.id))
    secret = pyotp.random_base32()
    db.session.add(SecondFactor(user_id=user.id, secret=vault.seal_second_factor(user.id, secret)))
    db.session.commit()


def enrolment(user: User) -> Enrolment | None:
    """What was begun and is not confirmed yet; None afterwards: the secret is never shown again."""
    factor = db.session.get(SecondFactor, user.id)
    if factor is None or factor.confirmed_at is not None:
        return None
    totp = _totp(factor)
    return Enrolment(totp.secret, totp.provisioning_uri(name=user.email, issuer_name=ISSUER))


def confirm(user: User, code: str) -> list[str]:
    """Turn the second factor on by a first code; returns the recovery codes, which are shown this once.

    Raises:
        CodeRefused: nothing was begun, or the authenticator says something else.
    """
    factor = db.session.get(SecondFactor, user.id)
    if factor is None or factor.confirmed_at is not None:
        raise CodeRefused("there is nothing to confirm", remedy="Begin anew.")
    if not _take_totp(factor, code):
        raise CodeRefused("that is not the code which the authenticator shows now", field="code")
    factor.confirmed_at = utc_now()
    codes = _renew_codes(user)
    audit.record(Action.SECOND_FACTOR_ON, f"user {user.id}", user_id=user.id)
    db.session.commit()
    return codes


def check(user: User, code: str) -> None:
    """Take a person's code, of the authenticator or for recovery, and never the same again.

    Raises:
        CodeRefused: it is not good; written down like a log-in that failed.
    """
    factor = db.session.get(SecondFactor, user.id)
    if factor is not None and _take_totp(factor, code):
        db.session.commit()
        return
    if _take_recovery_code(user, code):
        left = codes_left(user)
        audit.record(Action.SECOND_FACTOR_CODE_USED, f"user {user.id}", user_id=user.id, left=left)
        db.session.commit()
        return
    audit.record(Action.LOGIN_FAILED, f"user {user.id}", user_id=user.id, reason="wrong second factor")
    db.session.commit()
    raise CodeRefused("that code is not good", field="code")


def codes_left(user: User) -> int:
    """How many recovery codes were not used yet."""
    unused = select(func.count(RecoveryCode.id)).where(
        RecoveryCode.user_id == user.id, RecoveryCode.used_at.is_(None)
    )
    return db.session.scalar(unused) or 0


def new_codes(user: User) -> list[str]:
    """Other recovery codes in place of those there are.

    Raises:
        CodeRefused: the second factor is off.
    """
    if not is_on(user):
        raise CodeRefused("the second factor is off", remedy="Turn it on first.")
    codes = _renew_codes(user)
    audit.record(Action.SECOND_FACTOR_NEW_CODES, f"user {user.id}", user_id=user.id)
    db.session.commit()
    return codes


def turn_off(user: User) -> bool:
    """Have the password alone suffice again; returns whether anything was on or begun."""
    was_there = db.session.get(SecondFactor, user.id) is not None
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    db.session.execute(delete(SecondFactor).where(SecondFactor.user_id == user.id))
    if was_there:
        audit.record(Action.SECOND_FACTOR_OFF, f"user {user.id}", user_id=user.id)
    db.session.commit()
    return was_there


def users_with() -> set[int]:
    """The ids of all people whose second factor is on."""
    confirmed = select(SecondFactor.user_id).where(SecondFactor.confirmed_at.is_not(None))
    return set(db.session.scalars(confirmed))


def _totp(factor: SecondFactor) -> pyotp.TOTP:
    return pyotp.TOTP(vault.unseal_second_factor(factor.user_id, factor.secret), interval=_STEP_SECONDS)


def _take_totp(factor: SecondFactor, code: str) -> bool:
    """Whether a code is the authenticator's; its step is taken in the same statement that finds it free."""
    digits = code.replace(" ", "")
    totp, now = _totp(factor), int(time.time()) // _STEP_SECONDS
    for step in range(now - _STEPS_OFF, now + _STEPS_OFF + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), digits.encode(errors="replace")):
            free = or_(SecondFactor.last_step.is_(None), SecondFactor.last_step < step)
            taken = db.session.execute(
                update(SecondFactor)
                .where(SecondFactor.user_id == factor.user_id, free)
                .values(last_step=step)
                .returning(SecondFactor.user_id)
            )
            return taken.first() is not None
    return False


def _take_recovery_code(user: User, code: str) -> bool:
    typed = "".join(code.lower().split()).replace("-", "")
    taken = db.session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user.id,
            RecoveryCode.code_hash == fingerprint(typed),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=utc_now())
        .returning(RecoveryCode.id)
    )
    return taken.first() is not None


def _renew_codes(user: User) -> list[str]:
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH)) for _ in range(RECOVERY_CODES)]
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    db.session.add_all([RecoveryCode(user_id=user.id, code_hash=fingerprint(code)) for code in codes])
    return [_grouped(code, "-") for code in codes]


def _grouped(text: str, separator: str) -> str:
    return separator.join(text[start : start + 4] for start in range(0, len(text), 4))
