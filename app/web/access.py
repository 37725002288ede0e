"""Who may call a route. Every view says so by one of four decorators; one that says nothing answers nobody."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import Any

from flask import Flask, abort, current_app, g, request
from flask_login import current_user

from app.domain.errors import SwitchyardError
from app.models import ApiToken
from app.models.sqlite import reading
from app.services import tokens
from app.services.tokens import Scope
from app.web.guards import limiter

View = Callable[..., Any]

_WRONG_TOKENS = "30 per minute"


class TokenUnknown(SwitchyardError):
    """A call of the API without a token that is good."""

    remedy = "Send “Authorization: Bearer TOKEN”; make one under API tokens or with: flask token create NAME"


class ScopeMissing(SwitchyardError):
    """A token that may not do this."""

    remedy = "Make a token with this scope."


class Access(StrEnum):
    """The four decisions there are."""

    PUBLIC = "PUBLIC"
    MEMBER = "MEMBER"
    ADMIN = "ADMIN"
    API = "API"


def public(view: View) -> View:
    """Anyone may call it."""
    return _decided(view, Access.PUBLIC)


def member(view: View) -> View:
    """Whoever is logged in may call it, and sees their own rows alone."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if not current_user.is_authenticated:
            return current_app.login_manager.unauthorized()  # type: ignore[attr-defined]
        return view(*args, **kwargs)

    return _decided(guarded, Access.MEMBER)


def admin(view: View) -> View:
    """Administrators alone may call it."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if not current_user.is_authenticated:
            return current_app.login_manager.unauthorized()  # type: ignore[attr-defined]
        if not current_user.is_admin:
            abort(403)
        return view(*args, **kwargs)

    return _decided(guarded, Access.ADMIN)


def api(*needed: Scope) -> Callable[[View], View]:
    """A program may call it by a token that has all these scopes, and sees its person's rows alone."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            g.api_token = _token_of_request()
            if missing := [scope.value for scope in needed if scope.value not in g.api_token.scopes]:
                raise ScopeMissing(f"this token lacks the scope {' and '.join(missing)}")
            return view(*args, **kwargs)

        guarded._scopes = needed  # type: ignore[attr-defined]
        return _decided(guarded, Access.API)

    return decorate


def _token_of_request() -> ApiToken:
    """The token of ``Authorization: Bearer``, its use noted.

    Raises:
        TokenUnknown: there is none, or it is not (or no longer) any; an address that keeps trying gets 429 instead.
    """
    reading.set(False)  # also a look notes that the token was used
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    found = tokens.use(token.strip()) if kind.lower() == "bearer" else None
    if found is None:
        with limiter.limit(_WRONG_TOKENS, scope="api-wrong-token"):
            raise TokenUnknown("this needs a token of the API that is neither expired nor revoked")
    return found


def decision(view: View) -> Access | None:
    """What a view decided, or None when it forgot to."""
    return getattr(view, "_access", None)


def scopes(view: View) -> tuple[Scope, ...]:
    """What a token needs to call a view of the API."""
    return getattr(view, "_scopes", ())


def init_app(app: Flask) -> None:
    """Answer nobody on a route without a decision."""

    @app.before_request
    def _refuse_undecided() -> None:
        if request.endpoint is None or request.endpoint == "static":
            return
        if decision(app.view_functions[request.endpoint]) is None:
            abort(403)


def _decided(view: View, access: Access) -> View:
    view._access = access  # type: ignore[attr-defined]
    return view
