"""Asking a person who is logged in for their password once more: an open page is no proof of who sits before it."""

from __future__ import annotations

from flask import Response, g
from flask_login import current_user

from app.services import users
from app.services.users import PasswordWrong
from app.web.guards import limiter

_WRONG_PASSWORDS = "5 per minute; 20 per hour"


def ask_again(password: str) -> None:
    """Go on if this is the password of whoever is logged in; a view that asks is also `limited`.

    Raises:
        PasswordWrong: it is not.
    """
    try:
        users.confirm_password(current_user, password)
    except PasswordWrong:
        g.password_refused = True
        raise


def _whose() -> str:
    return f"user {getattr(current_user, 'id', None)}"


def _refused(_response: Response) -> bool:
    return bool(g.get("password_refused"))


#: Stops a person, at all such views together, who keeps getting it wrong.
limited = limiter.shared_limit(
    _WRONG_PASSWORDS, scope="password-again", key_func=_whose, methods=["POST"], deduct_when=_refused
)
