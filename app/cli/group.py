"""What every group of commands shares: refusals in words instead of tracebacks, and exit codes.

0 done; 1 refused or failed, with ``error`` and ``remedy`` on standard error; 2 the command line was not understood.
"""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
import redis.exceptions
from flask.cli import AppGroup
from sqlalchemy.exc import DBAPIError

from app.domain.errors import SwitchyardError
from app.extensions import db
from app.models.sqlite import reading
from app.services import audit
from app.services.acting import Actor, acting


class Refusal(SwitchyardError):
    """A command cannot do what it was asked to."""


class Commands(AppGroup):
    """A group whose commands end with a readable refusal when a service refuses."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error of ours, of the database or of Redis is told in two lines."""
        try:
            with acting(_operator()):
                return super().invoke(ctx)
        except SwitchyardError as error:
            _refuse(error.message, error.remedy)
        except DBAPIError as error:
            reason = str(error.orig).strip().splitlines() or [type(error).__name__]
            _refuse(f"the database cannot be used: {reason[0]}", "Run: flask doctor")
        except redis.exceptions.RedisError as error:
            _refuse(f"Redis cannot be used: {error}", "Run: flask doctor")


@contextmanager
def reading_only() -> Iterator[None]:
    """While only reads are meant: they need not wait for a writer, nor keep one waiting.

    The transaction ends with the block: none may be open while a command waits for a person or the network.
    """
    token = reading.set(True)
    try:
        yield
    finally:
        db.session.commit()
        reading.reset(token)


def _operator() -> Actor:
    """Whoever typed the command: their name on this machine, and where they came from when that was by SSH."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # an id that has no name here, as in some containers
        name = f"uid {os.getuid()}"
    came_from = os.environ.get("SSH_CONNECTION", "").split()
    return Actor(f"{audit.OPERATOR}{name}", address=came_from[0][:64] if came_from else None)


def _refuse(message: str, remedy: str) -> None:
    click.secho(f"error: {message}", err=True, fg="red")
    click.echo(f"remedy: {remedy}", err=True)
    sys.exit(1)
