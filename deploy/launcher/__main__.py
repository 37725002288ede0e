"""The command line of bin/start and bin/demo."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from app.config import PROJECT_ROOT, Settings
from app.domain.errors import SwitchyardError
from deploy.launcher import preflight
from deploy.launcher.errors import explained
from deploy.launcher.start import Stack, address, prepare, set_up
from deploy.launcher.terminal import Terminal

#: Kept apart from real data: a demo's accounts and keys must never end up among them.
DEMO_DATA = PROJECT_ROOT / "var" / "demo"


def main(arguments: list[str]) -> int:
    """Run bin/start or bin/demo; returns the exit status."""
    os.umask(0o077)  # data, logs and sockets are their owner's alone
    options = _parser().parse_args(arguments)
    try:
        return _run(options, _environment(options), Terminal(verbose=options.verbose))
    except SwitchyardError as error:
        problem = error
    except OSError as error:
        explanation = explained(error)
        if explanation is None:
            raise
        problem = explanation
    print(f"{problem.message}\n{problem.remedy}", file=sys.stderr)
    return 1


def _run(options: argparse.Namespace, environ: Mapping[str, str], terminal: Terminal) -> int:
    settings = prepare(environ)
    if options.setup_only:
        set_up(settings, environ, terminal)
        terminal.say("Everything is set up. Start it with bin/start.")
        return 0
    with _claimed(settings.data_dir):
        preflight.check_ports(settings)
        stack = Stack(settings, set_up(settings, environ, terminal), terminal)
        try:
            if not stack.start():
                return 1
            terminal.say(f"ready: {address(settings)}")
            return _serve(stack, options, settings, terminal)
        finally:
            stack.stop()


def _serve(stack: Stack, options: argparse.Namespace, settings: Settings, terminal: Terminal) -> int:
    if options.program == "start":
        terminal.say(f"Logs are in {settings.log_dir}. Stop with Ctrl-C.")
        return stack.serve()
    demo = [sys.executable, "-m", "deploy.launcher.demo"]
    with subprocess.Popen(demo, cwd=PROJECT_ROOT, env=stack.environ, start_new_session=True) as guide:
        return stack.serve(guide, once=options.once)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bin", allow_abbrev=False)
    programs = parser.add_subparsers(dest="program", required=True)
    start = programs.add_parser(
        "start", prog="bin/start", description="Set up what is missing and start Switchyard."
    )
    demo = programs.add_parser(
        "demo",
        prog="bin/demo",
        description="Start Switchyard on data of its own with a demo account, and show what becomes of three alerts.",
    )
    for program in (start, demo):
        program.add_argument("--host", help="address to listen on (HOST, 127.0.0.1)")
        program.add_argument("--port", help="port of the pages (PORT, 8000)")
        program.add_argument("--setup-only", action="store_true", help="set everything up and end")
        program.add_argument("-v", "--verbose", action="store_true", help="show what the processes say")
        program.epilog = "Every setting is an environment variable; docs/configuration.md lists them."
    demo.add_argument(
        "--once", action="store_true", help="end after the table; status 0 if all went as it should"
    )
    return parser


def _environment(options: argparse.Namespace) -> dict[str, str]:
    """The person's environment with the options of the command line on top."""
    environ = dict(os.environ)
    for name, value in {"HOST": options.host, "PORT": options.port}.items():
        if value is not None:
            environ[name] = value
    if options.program == "demo":
        environ["DEMO"] = "1"
        environ["DATA_DIR"] = environ.get("DATA_DIR") or str(DEMO_DATA)
    return environ


@contextmanager
def _claimed(data_dir: Path) -> Iterator[None]:
    """Hold DATA_DIR for ourselves."""
    descriptor = preflight.lock(data_dir)
    try:
        yield
    finally:
        preflight.unlock(data_dir, descriptor)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
