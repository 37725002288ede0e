"""The public doors that the demo goes through: the command line, the webhook and the sandbox's control API."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

import requests

from app.config import PROJECT_ROOT
from deploy.launcher.errors import LaunchError

_TIMEOUT = 10


def flask(*arguments: str, standard_input: str = "") -> Any:
    """What a flask command prints as JSON; the command line never holds a secret, ``standard_input`` may.

    Raises `LaunchError` with the command's own words when it refuses.
    """
    done = subprocess.run(
        [sys.executable, "-m", "flask", *arguments, "--json"],
        cwd=PROJECT_ROOT,
        input=standard_input,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.startswith(("error: ", "remedy: "))]
        reason, remedy = (
            said if len(said) == 2 else (done.stderr.strip()[-500:], "Run: .venv/bin/flask doctor")
        )
        raise LaunchError(
            f"flask {' '.join(arguments[:2])} failed: {reason.removeprefix('error: ')}",
            remedy=remedy.removeprefix("remedy: "),
        )
    return json.loads(done.stdout)


def send_alert(url: str, text: str) -> tuple[int, Mapping[str, Any], float]:
    """Send an alert as TradingView would: the HTTP status, the answer and the milliseconds until it was there."""
    start = time.perf_counter()
    answer = requests.post(url, data=text.encode(), headers={"Content-Type": "text/plain"}, timeout=_TIMEOUT)
    took = (time.perf_counter() - start) * 1000
    return answer.status_code, answer.json(), took


def control(sandbox_url: str, method: str, name: str, body: Mapping[str, object] | None = None) -> Any:
    """Ask the sandbox's control API; raises `LaunchError` when it refuses."""
    answer = requests.request(method, f"{sandbox_url}/_control/{name}", json=body, timeout=_TIMEOUT)
    if not answer.ok:
        raise LaunchError(f"The sandbox refused: {answer.text[:200]}", remedy="Look into the sandbox's log.")
    return answer.json()
