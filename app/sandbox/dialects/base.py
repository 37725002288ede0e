"""What the server asks of a dialect."""

from __future__ import annotations

from typing import ClassVar, Protocol

from app.sandbox.engine.model import Order
from app.sandbox.engine.settlement import VenueRules
from app.sandbox.engine.venue import Venue
from app.sandbox.faults import Excuses
from app.sandbox.http import Request, Response


class Dialect(Excuses, Protocol):
    """One exchange's way of speaking HTTP, in front of a venue.

    Requests arrive with the exchange's own path: the sandbox's prefix is already taken off, so that what is
    signed is what the real exchange would see.
    """

    RULES: ClassVar[VenueRules]

    limits: dict[str, int]
    """The rate limits by name; the control API may change the values."""

    def __init__(self, venue: Venue, *, enforce_limits: bool) -> None: ...

    def operation(self, request: Request) -> str:
        """What a request is for, in the words of ``faults.OPERATIONS``, or "" for anything else."""

    def api_key(self, request: Request) -> str | None:
        """The key a request claims to come from."""

    def order_id(self, order: Order) -> str:
        """An order's id as the exchange writes it."""

    def answer(self, request: Request) -> Response:
        """Execute a request and answer it, refusals included."""
