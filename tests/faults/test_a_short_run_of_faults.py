"""Everything that bin/start runs, every kind of fault there is, and no intent lost, doubled or executed too late."""

from __future__ import annotations

from app.exchanges import NAMES
from benchmarks.faults.desks import desks_needed
from benchmarks.faults.run import Wish, run
from benchmarks.faults.schedule import EXCHANGE_FAULTS, PROCESS_FAULTS, QUEUE_FAULTS

#: The two that allow an account most: with few accounts no look-up has to wait for its turn.
GENEROUS = sorted(NAMES, key=lambda name: desks_needed(name, intents=1000, seconds=10))[:2]


def test_no_intent_is_lost_or_doubled_or_executed_too_late() -> None:
    report = run(Wish(intents=80, rate=7, faults=30, seed=20, exchanges=GENEROUS, impatient=True))

    assert report["bad"] == []
    assert (report["lost"], report["doubled"], report["stale_executed"], report["strays"]) == (0, 0, 0, 0)
    assert report["intents"] == 80
    struck = set(report["faults"])
    assert struck >= {*PROCESS_FAULTS, *QUEUE_FAULTS}
    # One that was laid and met no request has not struck, and so few intents do not pass by all of them.
    assert len(struck & set(EXCHANGE_FAULTS)) > len(EXCHANGE_FAULTS) / 2
    assert report["verdicts"]["executed"] > 40, "most intents survive"
