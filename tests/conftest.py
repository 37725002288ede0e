"""What every test may ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = [
    "tests.fixtures.app",
    "tests.fixtures.history",
    "tests.fixtures.postgres",
    "tests.fixtures.receiver",
    "tests.fixtures.redis",
    "tests.fixtures.sandbox",
    "tests.fixtures.stack",
]

#: Whole files that take minutes, and folders whose files start processes of their own.
_LONGEST = (
    "test_a_worker_may_die_at_any_statement",
    "test_ledger_over_a_month",
    "test_a_short_run_of_faults",
    "test_no_position_is_naked",
)
_LONG = {"faults", "journeys", "browser", "launcher", "cli"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: taken up last, they would run alone while the other processes have nothing left to do."""
    items.sort(key=lambda item: _turn(item.path))


def _turn(path: Path) -> int:
    if path.stem in _LONGEST:
        return _LONGEST.index(path.stem)
    return len(_LONGEST) if path.parent.name in _LONG else len(_LONGEST) + 1
