"""How fast webhooks are accepted: answered 202 after the row is committed.

    python -m benchmarks.accept --json

Everything that bin/start runs is running; the broker's mode is OFF, so that workers decide each alert and place
nothing. Reports the rate with 16 clients that wait for nothing but their answers, and the latencies at 200 a second.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from typing import Any

from benchmarks import load
from benchmarks.stack import open_desk, running


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--clients", type=int, default=16)
    options = parser.parse_args()
    with running() as stack:
        desk = open_desk(stack, trading=False)
        load.saturate(desk.url, _body("warm"), connections=options.clients, seconds=2)
        runs = [_run(desk.url, number, options) for number in range(options.runs)]
    report = {
        "clients": options.clients,
        "runs": runs,
        "median": {
            name: statistics.median(run[name] for run in runs)
            for name in ("rate", "stored_share", "p50_at_200", "p99_at_200")
        },
    }
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        print("\n".join(f"{name:>14}: {value}" for name, value in report["median"].items()))


def _run(url: str, number: int, options: argparse.Namespace) -> dict[str, Any]:
    full = load.saturate(url, _body(f"full{number}"), connections=options.clients, seconds=options.seconds)
    time.sleep(3)  # let the workers come to rest, so that the next figure is not theirs
    calm = load.pace(url, _body(f"calm{number}"), rate=200, seconds=options.seconds)
    at_200 = calm.percentiles()
    answered = full.statuses.total() + calm.statuses.total()
    stored = full.statuses[202] + calm.statuses[202]
    return {
        "rate": round(full.rate, 1),
        "full_speed_ms": full.percentiles(),
        "stored_share": stored / answered,
        "p50_at_200": at_200["p50"],
        "p99_at_200": at_200["p99"],
    }


def _body(salt: str) -> Any:
    return lambda number: json.dumps(
        {"action": "BuyMarket", "symbol": "BTCUSDT", "quantity": "0.01", "id": f"{salt}-{number}"}
    ).encode()


if __name__ == "__main__":
    main()
