"""Who acts in this context, and from where: what the audit chain writes beside everything that happens.

The doors say it: the web for each request, the command line for a command, a worker for a task.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """A person by their e-mail address, or a part of the program by its name; ``user_id`` for a person only.

    ``address`` is the network address of a person, the host of a worker, or None when there is no telling.
    """

    name: str
    user_id: int | None = None
    address: str | None = None


_nobody = Actor("system")
_who: ContextVar[Callable[[], Actor]] = ContextVar("who", default=lambda: _nobody)


def current() -> Actor:
    """Who acts now."""
    return _who.get()()


def begin(who: Callable[[], Actor]) -> None:
    """From now on ``who`` tells who acts; it is asked only when something is written down."""
    _who.set(who)


def end() -> None:
    """From now on nobody in particular acts."""
    _who.set(lambda: _nobody)


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """While the block runs, this is who acts."""
    token = _who.set(lambda: actor)
    try:
        yield
    finally:
        _who.reset(token)
