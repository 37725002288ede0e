"""Whose rows a command is about: every row belongs to one account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from app.cli.group import Refusal
from app.models import Broker, Source, User
from app.services import brokers, sources, users

_Command = TypeVar("_Command", bound=Callable[..., Any])


def owner_option(command: _Command) -> _Command:
    """Adds ``--user``; see `owner`."""
    return click.option(
        "--user",
        "email",
        envvar="SWITCHYARD_USER",
        metavar="EMAIL",
        help="Whose; needed when there are several accounts.",
    )(command)


def owner(email: str | None) -> User:
    """The account of this address, or the only one there is.

    Raises:
        Refusal: no such account, or which of several is not said.
    """
    if email is not None:
        found = users.by_email(email)
        if found is None:
            raise Refusal(f"there is no account {email}", remedy="See the accounts: flask user list")
        return found
    everyone = users.everyone()
    if len(everyone) == 1:
        return everyone[0]
    if not everyone:
        raise Refusal("there is no account yet", remedy="Make one: flask user create EMAIL")
    raise Refusal(
        f"there are {len(everyone)} accounts", remedy="Say whose: --user EMAIL, or set SWITCHYARD_USER"
    )


def broker_named(user: User, name: str | None) -> Broker:
    """A person's broker of this name, or their main one.

    Raises:
        Refusal: when they have none.
    """
    if name is None:
        theirs = brokers.of(user)
        if not theirs:
            raise Refusal("there is no broker yet", remedy="Connect one: flask broker add")
        return theirs[0]
    found = brokers.by_name(user, name)
    if found is None:
        names = ", ".join(broker.name for broker in brokers.of(user)) or "none"
        raise Refusal(f"{user.email} has no broker {name}", remedy=f"Their brokers: {names}")
    return found


def source_named(user: User, name: str) -> Source:
    """A person's source of this name.

    Raises:
        Refusal: they have none.
    """
    found = sources.by_name(user, name)
    if found is None:
        raise Refusal(
            f"{user.email} has no source {name}", remedy=f"See them: flask source list --user {user.email}"
        )
    return found
