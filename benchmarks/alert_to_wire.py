"""From the alert's sending to its order at the exchange's matching engine.

    python -m benchmarks.alert_to_wire --json

Each alert asks for a quantity of its own, by which its order is known at the sandbox's engine; both clocks are this
machine's. Everything that bin/start runs is running.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from datetime import datetime
from decimal import Decimal
from typing import Any

from benchmarks import load
from benchmarks.stack import Desk, Stack, open_desk, running

RATES = (10, 50)
SETTLE_SECONDS = 30
_STEP = Decimal("0.00001")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rates", type=int, nargs="+", default=RATES)
    parser.add_argument("--sources", type=int, default=1, help="alerts come to so many sources in turn")
    options = parser.parse_args()
    with running() as stack:
        desk = open_desk(stack, trading=True, sources=options.sources)
        runner = _Runner(stack, desk)
        runner.run(10, 2)  # warms connections and caches
        report = {
            f"{rate}/s": _summary([runner.run(rate, options.seconds) for _ in range(options.runs)])
            for rate in options.rates
        }
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        for rate, row in report.items():
            print(f"{rate:>6}: p50 {row['p50']} ms, p99 {row['p99']} ms, arrived {row['arrived']}")


class _Runner:
    def __init__(self, stack: Stack, desk: Desk) -> None:
        self._stack = stack
        self._desk = desk
        self._next = 100

    def run(self, rate: int, seconds: float) -> dict[str, Any]:
        first = self._next
        count = int(rate * seconds)
        self._next += count
        sent = load.pace(self._desk.urls, self._body(first), rate=rate, seconds=seconds)
        arrived = self._await(first, count)
        delays = [(arrived[number] - sent.sent_at[number]) * 1000 for number in arrived]
        return {"sent": count, "arrived": len(arrived), **load.percentiles(delays)}

    def _body(self, first: int) -> Any:
        def body(number: int) -> bytes:
            quantity = format(_STEP * (first + number), "f")
            alert = {"action": "BuyMarket", "symbol": "BTCUSDT", "quantity": quantity}
            return json.dumps({**alert, "id": f"wire-{first + number}"}).encode()

        return body

    def _await(self, first: int, count: int) -> dict[int, float]:
        deadline = time.monotonic() + SETTLE_SECONDS
        arrived: dict[int, float] = {}
        while len(arrived) < count and time.monotonic() < deadline:
            time.sleep(0.5)
            for order in self._stack.orders(self._desk.exchange, self._desk.api_key):
                number = int(Decimal(order["quantity"]) / _STEP) - first
                if 0 <= number < count:
                    arrived[number] = datetime.fromisoformat(order["received_at"]).timestamp()
        return arrived


def _summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    names = ("p50", "p99", "max")
    middle = {name: round(statistics.median(run[name] for run in runs), 2) for name in names}
    totals = {name: sum(run[name] for run in runs) for name in ("sent", "arrived")}
    return {**middle, **totals, "runs": runs}


if __name__ == "__main__":
    main()
