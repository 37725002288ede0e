"""Who may call a route. Every view says so by one of three decorators; one that says nothing answers nobody."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import Any

from flask import Flask, abort, current_app, request
from flask_login import current_user

View = Callable[..., Any]


class Access(StrEnum):
    """The three decisions there are."""

    PUBLIC = "PUBLIC"
    MEMBER = "MEMBER"
    ADMIN = "ADMIN"


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


def decision(view: View) -> Access | None:
    """What a view decided, or None when it forgot to."""
    return getattr(view, "_access", None)


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
