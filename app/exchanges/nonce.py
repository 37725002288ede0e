"""Numbers that only rise, for exchanges that refuse a request numbered below one they have accepted (Kraken).

To draw rising numbers is not enough: they have to arrive in order, and two connections keep no order between them. So
each key has one turn, which a request holds from its number until its answer, across threads and, through Redis,
across processes. A holder that dies loses the turn after a while; should two requests ever be under way at once all
the same, the exchange refuses the later-arriving lower one without executing it.

That refusal is worth more than the trouble: once a look-up was answered, no request sent before it, however long it
was held up on the way, can be accepted any more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

if TYPE_CHECKING:
    from redis import Redis

#: How long a request waits for its turn before it is given up, unsent.
PATIENCE_SECONDS = 5.0
#: How long a turn lasts at most when its holder never ends it: longer than any request takes.
LONGEST_TURN_SECONDS = 12.0
#: How often a process that waits asks again.
_ASK_SECONDS = 0.003


class TurnNotCome(Exception):
    """Other requests of the same key were under way all the time; nothing was sent."""


class Nonces(Protocol):
    """Gives each account its turns."""

    def turn(self, account: str) -> AbstractContextManager[int]:
        """Wait until no other request of the account is under way; gives a number above every earlier one.

        Numbers are Unix time in nanoseconds: the finest unit programs use, so that a key which another program has
        used before is not stuck with numbers above ours.

        Raises:
            TurnNotCome: when the turn does not come within `PATIENCE_SECONDS`.
        """


@dataclass(slots=True)
class _Stream:
    lock: threading.Lock = field(default_factory=threading.Lock)
    last: int = 0


class LocalNonces:
    """The turns of one process."""

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._streams: dict[str, _Stream] = {}

    @contextmanager
    def turn(self, account: str) -> Iterator[int]:
        """See `Nonces.turn`."""
        with self._guard:
            stream = self._streams.setdefault(account, _Stream())
        if not stream.lock.acquire(timeout=PATIENCE_SECONDS):
            raise TurnNotCome
        try:
            stream.last = max(stream.last + 1, self._clock())
            yield stream.last
        finally:
            stream.lock.release()

    def raise_to(self, account: str, nonce: int) -> None:
        """Give nothing below a number that was given elsewhere; for the holder of the turn."""
        self._streams[account].last = nonce


#: Keys belong to the process rather than to a client: two clients with the same key share their turns.
IN_THIS_PROCESS = LocalNonces()

#: KEYS: whose turn it is, the last number. ARGV: who asks, the longest turn in milliseconds, the number proposed.
#: Answers the number to use, or nothing while it is another's turn. Numbers stay text: Lua's lose digits above 2^53.
_TAKE = """
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return '' end
local last, proposed = redis.call('GET', KEYS[2]), ARGV[3]
if last and (#last > #proposed or (#last == #proposed and last >= proposed)) then redis.call('INCR', KEYS[2])
else redis.call('SET', KEYS[2], proposed) end
return redis.call('GET', KEYS[2])
"""

#: KEYS: whose turn it is. ARGV: who ends it; another's turn, after ours ran out, is left alone.
_END = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end return 1"


class RedisNonces:
    """Turns shared by every process that uses the same Redis; among its own threads while Redis is away."""

    def __init__(self, client: Redis, ask: Callable[[Callable[[], Any]], Any]) -> None:
        """``ask`` puts a question to Redis, and answers None while Redis is away."""
        self._take = client.register_script(_TAKE)
        self._end = client.register_script(_END)
        self._ask = ask
        self._here = LocalNonces()

    @contextmanager
    def turn(self, account: str) -> Iterator[int]:
        """See `Nonces.turn`."""
        holder = uuid4().hex
        with self._here.turn(account) as proposed:
            nonce = self._await(account, holder, proposed)
            if nonce is None:
                yield proposed
                return
            self._here.raise_to(account, nonce)
            try:
                yield nonce
            finally:
                self._ask(lambda: self._end(keys=[_turn_key(account)], args=[holder]))

    def _await(self, account: str, holder: str, proposed: int) -> int | None:
        """The number to use once it is our turn; None while Redis is away."""
        keys = [_turn_key(account), f"nonce:{account}:last"]
        args: list[str | int] = [holder, int(LONGEST_TURN_SECONDS * 1000), proposed]
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = self._ask(lambda: self._take(keys=keys, args=args))
            if answer is None or answer:
                return None if answer is None else int(answer)
            if time.monotonic() > deadline:
                raise TurnNotCome
            time.sleep(_ASK_SECONDS)


def _turn_key(account: str) -> str:
    return f"nonce:{account}:turn"
