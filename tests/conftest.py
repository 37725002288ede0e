"""What every test may ask for."""

from __future__ import annotations

pytest_plugins = [
    "tests.fixtures.app",
    "tests.fixtures.history",
    "tests.fixtures.postgres",
    "tests.fixtures.receiver",
    "tests.fixtures.redis",
    "tests.fixtures.sandbox",
    "tests.fixtures.stack",
]
