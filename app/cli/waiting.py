"""Waiting for what a worker does: commands never call an exchange themselves, they watch the row it changes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import click

from app.cli.group import Refusal, reading_only
from app.extensions import db

_Found = TypeVar("_Found")
_Command = TypeVar("_Command", bound=Callable[..., Any])
_BETWEEN_LOOKS = 0.1


class NoNews(Refusal):
    """A worker did not do its work within the time given."""

    remedy = "Run flask doctor: it tells whether a worker serves the queue. The work stays queued."


def timeout_option(seconds: float) -> Callable[[_Command], _Command]:
    """Adds ``--timeout``."""
    return click.option(
        "--timeout",
        type=click.FloatRange(min=0.1),
        default=seconds,
        show_default=True,
        metavar="SECONDS",
        help="How long to wait for a worker.",
    )


def until(look: Callable[[], _Found | None], *, doing: str, timeout: float) -> _Found:
    """Look again and again until there is something to see; ``doing`` is told on standard error meanwhile.

    Raises:
        NoNews: when ``timeout`` seconds have passed.
    """
    click.echo(f"{doing} ...", err=True, nl=False)
    start = time.monotonic()
    with reading_only():
        while True:
            db.session.rollback()  # ends the transaction, so that the next look sees what workers committed
            found = look()
            passed = time.monotonic() - start
            if found is not None:
                click.echo(f" {passed:.1f} s", err=True)
                return found
            if passed > timeout:
                click.echo(err=True)
                raise NoNews(f"{doing}: no answer within {timeout:g} s")
            time.sleep(_BETWEEN_LOOKS)


def handed_over(dispatched: bool) -> None:
    """Refuse to wait for work that no queue took.

    Raises:
        Refusal: when it was not dispatched.
    """
    if not dispatched:
        raise Refusal("no worker was asked: Redis does not answer", remedy="Run: flask doctor")
