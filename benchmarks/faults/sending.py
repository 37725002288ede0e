"""The sender of alerts: like a charting service, it sends again what it was not told to be stored."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import cycle
from random import Random

import requests

from app.domain.money import plain
from benchmarks.faults.desks import SYMBOL, Desk, quantity_of

_SENDERS = 32
_ANSWER_SECONDS = 5
_PAUSE_SECONDS = 0.5
#: Seconds. The first is longer than it takes any exchange to prove that an order never arrived.
_EXPIRY, _HASTY_EXPIRY = 120, 8
_GUARDED = 0.3


@dataclass(slots=True)
class Intent:
    """One alert: the ``number``-th of its desk."""

    desk: Desk
    number: int
    expires_in: int
    guarded: bool
    sent_at: datetime | None = None
    """When it was sent first."""
    sendings: int = 0
    accepted: bool = False
    """Whether it was answered 202."""

    @property
    def id(self) -> str:
        """By which a repeated sending is known."""
        return f"intent-{self.number}"

    def body(self) -> bytes:
        """The alert as it is sent, each time the same."""
        exits = {"stop_loss": "20%", "take_profit": "30%"} if self.guarded else {}
        alert = {"action": "BuyMarket", "symbol": SYMBOL, "quantity": plain(quantity_of(self.number))}
        return json.dumps({**alert, **exits, "expires_in": self.expires_in, "id": self.id}).encode()


def intents(desks: Sequence[Desk], count: int, dice: Random) -> list[Intent]:
    """``count`` intents, the exchanges taking turns, and on each its desks."""
    by_exchange: defaultdict[str, list[Desk]] = defaultdict(list)
    for desk in desks:
        by_exchange[desk.account.exchange].append(desk)
    turns = [cycle(group) for group in by_exchange.values()]
    numbers: Counter[int] = Counter()
    found = []
    for index in range(count):
        desk = next(turns[index % len(turns)])
        expires_in = _HASTY_EXPIRY if desk.account.hasty else _EXPIRY
        found.append(Intent(desk, numbers[desk.source_id], expires_in, guarded=dice.random() < _GUARDED))
        numbers[desk.source_id] += 1
    return found


@dataclass(slots=True)
class Sender:
    """Sends intents at a rate and goes on with each until it is answered 202, or its patience ends."""

    rate: float
    patience: float
    _local: threading.local = field(default_factory=threading.local)

    def send_all(self, wanted: Sequence[Intent]) -> None:
        """Send everything; returns when each is answered or given up."""
        start = time.monotonic()
        with ThreadPoolExecutor(_SENDERS) as pool:
            for number, intent in enumerate(wanted):
                time.sleep(max(0.0, start + number / self.rate - time.monotonic()))
                pool.submit(self._send, intent)

    def _send(self, intent: Intent) -> None:
        intent.sent_at = datetime.now(UTC)
        give_up = time.monotonic() + self.patience
        while not intent.accepted and time.monotonic() < give_up:
            intent.sendings += 1
            intent.accepted = self._post(intent) == requests.codes.accepted
            if not intent.accepted:
                time.sleep(_PAUSE_SECONDS)

    def _post(self, intent: Intent) -> int | None:
        """The status of the answer, or None when there was none."""
        if not hasattr(self._local, "http"):
            self._local.http = requests.Session()
        headers = {"Content-Type": "application/json"}
        try:
            answer = self._local.http.post(
                intent.desk.url, data=intent.body(), headers=headers, timeout=_ANSWER_SECONDS
            )
        except requests.RequestException:
            return None
        return int(answer.status_code)
