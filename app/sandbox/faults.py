"""Faults a test can lay in the way of an exchange's answers.

A fault waits for a matching request, happens ``times`` times, and is gone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextvars import Token
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from app.sandbox.engine.venue import FILL_FRACTION
from app.sandbox.http import Hangup, Repeated, Response

OPERATIONS = frozenset(
    {
        "amend_order",
        "balances",
        "cancel_order",
        "candles",
        "fills",
        "get_order",
        "markets",
        "open_orders",
        "order_book",
        "order_history",
        "permissions",
        "place_order",
        "positions",
        "server_time",
        "ticker",
        "tickers",
    }
)
"""What a request is for, in words that every dialect shares."""

ANY = "*"

_LOOK_UPS = frozenset({"fills", "get_order", "open_orders", "order_history"})


class FaultKind(StrEnum):
    REFUSE = "refuse"
    """Hang up without executing or answering."""
    RESET = "reset"
    """Reset the connection; executed first when ``executed``."""
    RESET_BEFORE = "reset_before"
    """Reset the connection without executing."""
    RESET_AFTER = "reset_after"
    """Execute, then reset the connection."""
    DELAY = "delay"
    """Wait ``seconds``, then execute and answer."""
    ACCEPT_THEN_TIMEOUT = "accept_then_timeout"
    """Execute, then say nothing for ``seconds`` and hang up."""
    GARBAGE = "garbage"
    """Answer with what nobody can parse; executed first when ``executed``."""
    RATE_LIMIT = "rate_limit"
    """The exchange's own 429, with Retry-After ``retry_after``; not executed."""
    BAN = "ban"
    """The exchange's own answer to a banned client, for ``retry_after`` seconds; not executed."""
    ERROR_BEFORE = "error_before"
    """HTTP ``status`` (503) without executing."""
    ERROR_AFTER = "error_after"
    """Execute, then HTTP ``status`` (503)."""
    PARTIAL_FILL = "partial_fill"
    """Only ``fraction`` of the order fills at once."""
    DUPLICATE_ANSWER = "duplicate_answer"
    """Execute once, answer twice."""
    UNSEEN = "unseen"
    """Answer a look-up as if the account had no orders, the way an exchange does that has not caught up yet."""


@dataclass(slots=True)
class Fault:
    """One fault; ``api_key`` None means it strikes any account."""

    exchange: str
    operation: str
    kind: FaultKind
    times: int = 1
    api_key: str | None = None
    seconds: float = 30.0
    retry_after: int = 1
    status: int = 503
    fraction: Decimal = Decimal("0.5")
    executed: bool = False

    def strikes(self, exchange: str, operation: str, api_key: str | None) -> bool:
        """Whether it is meant for such a request."""
        return (
            self.exchange == exchange
            and self.operation in (operation, ANY)
            and self.api_key in (None, api_key)
            and not (self.kind is FaultKind.PARTIAL_FILL and operation != "place_order")
            and not (self.kind is FaultKind.UNSEEN and operation not in _LOOK_UPS)
        )


class FaultBoard:
    """The faults that are waiting, oldest first."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._waiting.append(fault)

    def waiting(self) -> list[Fault]:
        with self._lock:
            return list(self._waiting)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def take(self, exchange: str, operation: str, api_key: str | None) -> Fault | None:
        """The fault that strikes this request, used up by one."""
        if not self._waiting:
            return None
        with self._lock:
            for fault in self._waiting:
                if fault.strikes(exchange, operation, api_key):
                    fault.times -= 1
                    if fault.times <= 0:
                        self._waiting.remove(fault)
                    return fault
        return None


class Excuses(Protocol):
    """How an exchange words what is not an order's fault."""

    def rate_limited(self, retry_after: int) -> Response: ...

    def banned(self, retry_after: int) -> Response: ...

    def broken(self, status: int) -> Response: ...


def suffer(fault: Fault, execute: Callable[[], Response], excuses: Excuses) -> Response | Repeated:
    """Let a fault happen to a request.

    Raises:
        Hangup: when the fault is a broken connection.
    """
    kind = fault.kind
    if kind is FaultKind.REFUSE:
        raise Hangup(reset=False)
    if kind is FaultKind.RESET_BEFORE or (kind is FaultKind.RESET and not fault.executed):
        raise Hangup(reset=True)
    if kind is FaultKind.RATE_LIMIT:
        return excuses.rate_limited(fault.retry_after)
    if kind is FaultKind.BAN:
        return excuses.banned(fault.retry_after)
    if kind is FaultKind.ERROR_BEFORE:
        return excuses.broken(fault.status)
    if kind is FaultKind.PARTIAL_FILL:
        return _filling(fault.fraction, execute)
    if kind is FaultKind.DELAY:
        time.sleep(fault.seconds)
    if kind is FaultKind.GARBAGE and not fault.executed:
        return _GARBAGE
    return _after(fault, execute(), excuses)


def _after(fault: Fault, response: Response, excuses: Excuses) -> Response | Repeated:
    match fault.kind:
        case FaultKind.GARBAGE:
            return _GARBAGE
        case FaultKind.ERROR_AFTER:
            return excuses.broken(fault.status)
        case FaultKind.DUPLICATE_ANSWER:
            return Repeated(response, 2)
        case FaultKind.RESET | FaultKind.RESET_AFTER:
            raise Hangup(reset=True)
        case FaultKind.ACCEPT_THEN_TIMEOUT:
            time.sleep(fault.seconds)
            raise Hangup(reset=False)
        case _:
            return response


def _filling(fraction: Decimal, execute: Callable[[], Response]) -> Response:
    token: Token[Decimal | None] = FILL_FRACTION.set(fraction)
    try:
        return execute()
    finally:
        FILL_FRACTION.reset(token)


_GARBAGE = Response(200, b'{"code":0,"da\x00\xff<html>', content_type="text/html")
