"""A log file that stays small enough to open."""

from __future__ import annotations

import os
from pathlib import Path


class LogFile:
    """Appends bytes to ``path``; past ``limit`` bytes the file becomes ``path.1`` and a new one begins."""

    def __init__(self, path: Path, limit: int = 10 * 1024 * 1024) -> None:
        self._path = path
        self._limit = limit
        self._file = path.open("ab", buffering=0)

    def write(self, data: bytes) -> None:
        """Append ``data``; raises `OSError` when the disk does not take it."""
        if self._file.tell() + len(data) > self._limit:
            self._file.close()
            os.replace(self._path, f"{self._path}.1")
            self._file = self._path.open("ab", buffering=0)
        self._file.write(data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
