"""What every test may ask for."""

from __future__ import annotations

pytest_plugins = ["tests.fixtures.postgres", "tests.fixtures.redis", "tests.fixtures.sandbox"]
