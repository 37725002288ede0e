"""How far a halt or a panic goes: one broker, all of an account, or the whole server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from app.cli.group import Refusal
from app.cli.owner import broker_named
from app.models import User
from app.services import halts
from app.services.halts import Reach

_Command = TypeVar("_Command", bound=Callable[..., Any])


def reach_options(command: _Command) -> _Command:
    """Adds ``--broker`` and ``--server``; see `reach`."""
    on_server = click.option(
        "--server", "server", is_flag=True, help="Everyone's brokers; administrators only."
    )
    on_broker = click.option("--broker", "broker_name", metavar="NAME", help="This broker only.")
    return on_broker(on_server(command))


def reach(user: User, broker_name: str | None, server: bool) -> Reach:
    """What the options name; without one, all brokers of the account.

    Raises:
        Refusal: both are given, or there is no such broker.
    """
    if server and broker_name is not None:
        raise Refusal("--broker and --server exclude each other", remedy="Give one of them.")
    if server:
        return halts.whole_server()
    return halts.all_of(user) if broker_name is None else halts.only(broker_named(user, broker_name))
