"""An alert of TradingView, as far as a webhook notices.

It posts the message, as JSON only when the message is JSON, and gives up after 3 seconds. What answers 5xx gets it
again, up to 3 times, 5 seconds apart. An alert that triggers more than 15 times within 3 minutes switches itself off.
Time is a clock's that the test moves: nothing here really waits.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field

import requests

GIVES_UP_AFTER_SECONDS = 3.0
RESENDS = 3
RESENDS_AFTER_SECONDS = 5.0
MOST_TRIGGERS = 15
TRIGGERS_WITHIN_SECONDS = 180.0


@dataclass
class Clock:
    """Seconds that pass when they are told to."""

    now: float = 0.0

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one trigger: every answer in turn, None for one that did not come in time."""

    answers: tuple[requests.Response | None, ...]

    @property
    def last(self) -> requests.Response:
        """The answer that ended it."""
        answer = self.answers[-1]
        assert answer is not None, "nobody answered in time"
        return answer


@dataclass
class ChartAlert:
    """One alert on a chart, with the webhook that it notifies."""

    url: str
    clock: Clock = field(default_factory=Clock)
    http: requests.Session = field(default_factory=requests.Session)
    patience: float = GIVES_UP_AFTER_SECONDS
    stopped: bool = False
    _triggers: deque[float] = field(default_factory=deque)

    def trigger(self, message: str) -> Delivery | None:
        """Let the condition of the alert come true; None when the alert has switched itself off."""
        if self._is_too_often():
            self.stopped = True
        if self.stopped:
            return None
        answers = [self._post(message)]
        while len(answers) <= RESENDS and answers[-1] is not None and answers[-1].status_code >= 500:
            self.clock.wait(RESENDS_AFTER_SECONDS)
            answers.append(self._post(message))
        return Delivery(tuple(answers))

    def _is_too_often(self) -> bool:
        self._triggers.append(self.clock.now)
        while self._triggers[0] <= self.clock.now - TRIGGERS_WITHIN_SECONDS:
            self._triggers.popleft()
        return len(self._triggers) > MOST_TRIGGERS

    def _post(self, message: str) -> requests.Response | None:
        kind = "application/json" if _is_json(message) else "text/plain"
        headers = {"Content-Type": f"{kind}; charset=utf-8", "User-Agent": "Go-http-client/1.1"}
        try:
            return self.http.post(self.url, data=message.encode(), headers=headers, timeout=self.patience)
        except requests.Timeout:
            return None


def _is_json(message: str) -> bool:
    try:
        json.loads(message)
    except ValueError:
        return False
    return True
