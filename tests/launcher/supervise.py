"""Runs the supervisor on a test's Procfile until told to stop: ``supervise.py PROCFILE DATA_DIR [FOUNDATION...]``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from honcho.environ import parse_procfile

from app.domain.errors import SwitchyardError
from deploy.launcher.preflight import prepare_data_dir
from deploy.launcher.service import Service
from deploy.launcher.supervisor import Supervisor
from deploy.launcher.terminal import Terminal

procfile, data_dir, *foundation = sys.argv[1:]
prepare_data_dir(Path(data_dir))
commands = parse_procfile(Path(procfile).read_text()).processes
services = {
    name: Service(name, command, environ={**os.environ, "HERE": data_dir}, data_dir=Path(data_dir))
    for name, command in commands.items()
}
terminal = Terminal(verbose=True)
supervisor = Supervisor(terminal)
supervisor.watch_signals()
supervisor.start_foundation(services[name] for name in foundation)
supervisor.start(service for name, service in services.items() if name not in foundation)
terminal.say("started")
try:
    while not supervisor.stop_requested:
        supervisor.step(1.0)
except SwitchyardError as error:
    terminal.say(error.message)
supervisor.stop()
terminal.say("stopped")
