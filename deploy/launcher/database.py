"""Bringing the database to the newest migration, and knowing in milliseconds when it is there already."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from app.config import PROJECT_ROOT, Settings
from deploy.launcher.errors import LaunchError

_VERSIONS = PROJECT_ROOT / "migrations" / "versions"
_QUERY = "SELECT version_num FROM alembic_version"


def is_migrated(settings: Settings, versions: Path = _VERSIONS) -> bool:
    """Whether the database stands at the newest migrations, by asking it and not by what we remember."""
    return _current(settings) == heads(versions)


def migrate(environ: Mapping[str, str]) -> None:
    """Create the database or bring it up to date.

    Raises `LaunchError` with the reason when that fails.
    """
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"]
    done = subprocess.run(
        command,
        cwd=PROJECT_ROOT,
        env=environ,
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode == 0:
        return
    lines = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("(Background")]
    raise LaunchError(
        f"The database could not be brought up to date: {lines[-1] if lines else 'no reason was given'}",
        remedy="Check DATABASE_URL, that its server runs, and the free disk space; then start again.",
    )


def heads(versions: Path) -> set[str]:
    """The revisions among ``versions/*.py`` that no other one builds on; read as text, as importing is slow."""
    revisions, parents = set[str](), set[str]()
    for path in versions.glob("*.py"):
        source = path.read_text()
        revisions |= _assigned("revision", source)
        parents |= _assigned("down_revision", source)
    return revisions - parents


def _assigned(name: str, source: str) -> set[str]:
    statement = re.search(rf"^{name}\b[^=\n]*=(.*)$", source, re.MULTILINE)
    return set(re.findall(r"""["']([^"']+)["']""", statement[1])) if statement else set()


def _current(settings: Settings) -> set[str] | None:
    """The revisions the database stands at; None when it is not there or has none."""
    file = settings.sqlite_file
    if file is None:
        return _current_postgresql(settings.database_url)
    if not file.is_file():
        return None
    try:
        connection = sqlite3.connect(file)
        try:
            return {row[0] for row in connection.execute(_QUERY)}
        finally:
            connection.close()
    except sqlite3.Error:
        return None  # `migrate` meets the same error and reports it


def _current_postgresql(url: str) -> set[str] | None:
    import psycopg  # not needed by the embedded database, and slow to import

    try:
        with psycopg.connect(url.replace("+psycopg", "", 1), connect_timeout=10) as connection:
            return {row[0] for row in connection.execute(_QUERY)}
    except psycopg.Error:
        return None  # `migrate` meets the same error and reports it
