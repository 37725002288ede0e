"""What bin/test needs besides Python packages: the front-end's, with those only tests use, and a Redis."""

from __future__ import annotations

import sys

from app.config import PROJECT_ROOT
from app.domain.errors import SwitchyardError
from deploy.launcher import frontend
from deploy.launcher.redis_server import find_redis_server, install_redis_server
from deploy.launcher.terminal import Terminal


def main() -> int:
    """Install what is missing; returns the exit status."""
    terminal = Terminal()
    try:
        if not frontend.is_installed(dev=True):
            terminal.say("Installing the front-end packages ...")
            frontend.install(dev=True)
        if find_redis_server() is None:
            terminal.say("Fetching a Redis ...")
            install_redis_server(PROJECT_ROOT / "requirements.txt")
    except SwitchyardError as error:
        terminal.say(f"{error.message}\n{error.remedy}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
