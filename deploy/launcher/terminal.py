"""What the person who typed the command sees."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import datetime

from honcho.colour import get_colours
from honcho.printer import Message, Printer


class Terminal:
    """Says our own lines as they are, and with ``verbose`` relays the processes' lines the way honcho does."""

    def __init__(self, *, verbose: bool = False) -> None:
        self._verbose = verbose
        self._printer = Printer(sys.stdout, width=14)
        self._palette = get_colours()
        self._colours: dict[str, str] = {}
        self._gone = False

    def say(self, text: str) -> None:
        """Print a line; once the terminal has gone away, nothing."""
        self._guarded(lambda: print(text, flush=True))

    def relay(self, name: str, output: bytes) -> None:
        """Print a process's output, if wanted."""
        if not self._verbose or not output:
            return
        if name not in self._colours:
            self._colours[name] = next(self._palette)
        message = Message("line", output, datetime.now().astimezone(), name, self._colours[name])
        self._guarded(lambda: self._printer.write(message))

    def _guarded(self, write: Callable[[], None]) -> None:
        """A closed terminal (`bin/start | head`) is no reason to stop trading."""
        if self._gone:
            return
        try:
            write()
        except BrokenPipeError:
            self._gone = True
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
