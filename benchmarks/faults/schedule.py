"""Which fault happens when: the same seed gives the same schedule."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice

#: What is done to our own processes.
PROCESS_FAULTS = (
    "kill web",
    "kill a web worker",
    "kill worker-orders",
    "kill worker-sync",
    "kill beat",
    "restart redis",
)
#: Of the database, where it is a server.
DATABASE_FAULTS = ("restart database",)

#: In seconds, between two deaths of one process: the supervisor waits ever longer for one that dies again within half
#: a minute, and a process that is not there cannot be killed.
DEATHS_APART = 35.0

#: What may happen to Redis' content and the tasks at any rate.
QUEUE_FAULTS = ("flush redis", "deliver twice")

#: What happens at the exchange, as the sandbox calls it, and with which details. Times are longer than our client
#: waits for an answer where the fault is about that.
EXCHANGE_FAULTS: dict[str, dict[str, object]] = {
    "accept_then_timeout": {"seconds": 12},
    "delay": {"seconds": 12},
    "reset_before": {},
    "reset_after": {},
    "refuse": {},
    "error_before": {},
    "error_after": {},
    "garbage before": {"kind": "garbage", "executed": False},
    "garbage after": {"kind": "garbage", "executed": True},
    "rate_limit": {"retry_after": 1},
    "ban": {"retry_after": 2},
    "duplicate_answer": {},
    "partial_fill": {},
    "unseen": {},
}


@dataclass(frozen=True, slots=True)
class Planned:
    """One fault: ``at`` is in seconds from the first alert, ``share`` decides whom it strikes, from 0 to 1."""

    at: float
    kind: str
    share: float


def plan(count: int, seconds: float, seed: int, *, database_server: bool) -> list[Planned]:
    """``count`` faults within ``seconds``: the processes die as often as they may, and the other kinds take turns.

    Raises:
        ValueError: so few that not every kind occurs.
    """
    dice = random.Random(seed)
    found = [
        Planned(at, kind, dice.random())
        for kind in (*PROCESS_FAULTS, *(DATABASE_FAULTS if database_server else ()))
        for at in _deaths(dice, seconds)
    ]
    others = [*EXCHANGE_FAULTS, *QUEUE_FAULTS]
    needed = len(found) + len(others)
    if count < needed:
        raise ValueError(f"{count} faults are too few for every kind to occur: {needed} are needed")
    turns = islice(cycle(others), count - len(found))
    found += [Planned(dice.uniform(0, seconds), kind, dice.random()) for kind in turns]
    return sorted(found, key=lambda fault: fault.at)


def _deaths(dice: random.Random, seconds: float) -> Iterator[float]:
    at = dice.uniform(0, min(seconds, DEATHS_APART))
    while at < seconds:
        yield at
        at += DEATHS_APART + dice.uniform(0, 5)
