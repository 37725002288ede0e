"""How fast webhooks are accepted: answered 202 after the row is committed.

    python -m benchmarks.accept --json

Everything that bin/start runs is running; the broker's mode is OFF, so that workers decide each alert and place
nothing. Reports the rate with 16 clients that wait for nothing but their answers, and the latencies at 200 a second.
"""

from __future__ import annotations

import argparse
import json
import statistics
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
    parser.add_argument("--sources", type=int, default=1, help="alerts come to so many sources in turn")
    parser.add_argument(
        "--apart", action="store_true", help="by the receiver that stands apart from the pages"
    )
    options = parser.parse_args()
    with running(RECEIVER=str(int(options.apart))) as stack:
        desk = open_desk(stack, trading=False, sources=options.sources, apart=options.apart)
        load.pace(desk.urls, _body("warm"), rate=50, seconds=2)
        # The calm runs first: after a run at full speed the workers are busy with what it left.
        calm = [_calm(desk.urls, number, options) for number in range(options.runs)]
        full = [_full(desk.urls, number, options) for number in range(options.runs)]
    runs = [{**before, **after} for before, after in zip(calm, full, strict=True)]
    report = {
        "clients": options.clients,
        "sources": options.sources,
        "runs": runs,
        "median": {
            name: statistics.median(run[name] for run in runs)
            for name in ("rate", "stored_share", "p50_at_200", "p99_at_200", "stored_share_at_200")
        },
    }
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        print("\n".join(f"{name:>14}: {value}" for name, value in report["median"].items()))


def _calm(urls: list[str], number: int, options: argparse.Namespace) -> dict[str, Any]:
    result = load.pace(urls, _body(f"calm{number}"), rate=200, seconds=options.seconds)
    latencies = result.percentiles()
    return {
        "p50_at_200": latencies["p50"],
        "p99_at_200": latencies["p99"],
        "stored_share_at_200": result.statuses[202] / result.statuses.total(),
    }


def _full(urls: list[str], number: int, options: argparse.Namespace) -> dict[str, Any]:
    result = load.saturate(urls, _body(f"full{number}"), connections=options.clients, seconds=options.seconds)
    return {
        "rate": round(result.rate, 1),
        "full_speed_ms": result.percentiles(),
        "stored_share": result.statuses[202] / result.statuses.total(),
    }


def _body(salt: str) -> Any:
    return lambda number: json.dumps(
        {"action": "BuyMarket", "symbol": "BTCUSDT", "quantity": "0.01", "id": f"{salt}-{number}"}
    ).encode()


if __name__ == "__main__":
    main()
