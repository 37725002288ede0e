"""How many intents are lost, doubled or executed stale while everything around them fails.

    python -m benchmarks.faults --json

Everything that bin/start runs is running. Alerts are sent at a rate, and sent again until they are answered 202,
while a seeded schedule of faults kills and restarts the processes, empties Redis, delivers tasks twice and strikes at
the exchange. When all has settled, every intent is compared with what the exchange's engine received. The exit status
is 0 only when nothing was lost, doubled or executed stale.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from app.exchanges import NAMES
from benchmarks.faults.run import Wish, run


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--intents", type=int, default=400)
    parser.add_argument("--rate", type=float, default=8, help="alerts a second")
    parser.add_argument("--faults", type=int, default=80, help="how many")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--exchanges", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument(
        "--impatient", action="store_true", help="do not wait for beat to settle what is open"
    )
    parser.add_argument("--json", action="store_true")
    given = vars(parser.parse_args())
    as_json = given.pop("json")
    report = run(Wish(**given))
    print(json.dumps(report, indent=2) if as_json else _readable(report))
    return 0 if report["as_promised"] else 1


def _readable(report: dict[str, Any]) -> str:
    lines = [f"{name:>18}: {value}" for name, value in report.items() if not isinstance(value, dict | list)]
    for name in ("faults", "verdicts", "reasons", "seconds_to_settle"):
        lines += [f"{name}:", *(f"  {value:>8}  {kind}" for kind, value in report[name].items())]
    return "\n".join([*lines, *report["bad"]])


if __name__ == "__main__":
    sys.exit(main())
