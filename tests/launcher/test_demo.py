"""bin/demo --once, whole: the command, its processes, the three alerts, the table."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

from app.config import PROJECT_ROOT
from deploy.launcher.demo_table import Outcome, table

PATIENCE = 120.0


def test_the_demo_shows_what_became_of_three_alerts_and_ends_well(tmp_path: Path) -> None:
    with socket.socket() as one, socket.socket() as two, socket.socket() as three:
        for probe in (one, two, three):
            probe.bind(("127.0.0.1", 0))
        ports = [str(probe.getsockname()[1]) for probe in (one, two, three)]
    environ = dict(zip(("PORT", "SANDBOX_PORT", "FLOWER_PORT"), ports, strict=True))
    done = subprocess.run(
        [str(PROJECT_ROOT / "bin" / "demo"), "--once"],
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), **environ},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"ready: http://127.0.0.1:{environ['PORT']}" in done.stdout
    assert done.stdout.count("✓") == 3
    assert "refused with HTTP 400: not valid JSON" in done.stdout
    assert f"Log in at http://127.0.0.1:{environ['PORT']} as demo@example.com" in done.stdout
    assert not list((tmp_path / "run").glob("*.pid"))


def test_the_table_has_a_line_of_milliseconds_for_each_alert_and_marks_what_went_wrong() -> None:
    hops = [{"name": "stored", "ms": 1.25}, {"name": "sent", "ms": 2.5}]
    bought = Outcome("buy", 3.0, "market FILLED", as_expected=True, orders=[{"role": "ENTRY", "hops": hops}])
    refused = Outcome("malformed", 4.0, "accepted", as_expected=False)
    titles, first, *_, second, became = table([bought, refused]).splitlines()[:5]

    assert titles.split() == ["webhook", "stored", "queued", "picked", "up", "sent", "confirmed", "filled"]
    assert first.split() == ["✓", "buy", "3.0", "1.2", "-", "-", "2.5", "-", "-"]
    assert second.split()[:3] == ["✗", "malformed", "4.0"]
    assert became.strip() == "accepted"
