"""The demo's table: what became of each alert, and the milliseconds of every hop on the way."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: The hops of an order's timeline, and the words above their columns.
_HOPS = {
    "stored": "stored",
    "queued": "queued",
    "picked_up": "picked up",
    "sent": "sent",
    "acknowledged": "confirmed",
    "filled": "filled",
}
_WIDTH, _COLUMN = 100, 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one alert. ``accepted_ms`` is how long the webhook took to answer, seen from outside."""

    title: str
    accepted_ms: float
    became: str
    as_expected: bool
    orders: list[Any] = field(default_factory=list)


def table(outcomes: Sequence[Outcome]) -> str:
    """The outcomes for a terminal: a line of milliseconds each, and below it what became of the alert."""
    titles = ["webhook", *_HOPS.values()]
    widest = max(len(outcome.title) for outcome in outcomes) + 3
    lines = [" " * widest + "".join(title.rjust(_COLUMN) for title in titles)]
    for outcome in outcomes:
        hops = _milliseconds(outcome)
        cells = [outcome.accepted_ms, *(hops.get(name) for name in _HOPS)]
        shown = "".join(("-" if cell is None else f"{cell:.1f}").rjust(_COLUMN) for cell in cells)
        mark = "✓" if outcome.as_expected else "✗"
        lines.append(f"{mark} {outcome.title}".ljust(widest) + shown)
        lines += textwrap.wrap(outcome.became, _WIDTH, initial_indent="    ", subsequent_indent="    ")
    return "\n".join(
        [*lines, "", "Milliseconds: the webhook's whole answer as seen from outside, then each hop."]
    )


def _milliseconds(outcome: Outcome) -> Mapping[str, float]:
    for order in outcome.orders:
        if order["role"] == "ENTRY":
            return {hop["name"]: hop["ms"] for hop in order["hops"]}
    return {}
