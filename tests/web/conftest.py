"""A person with a past, and their browser."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from app.models import User
from tests.fixtures.app import LogIn, MakeUser
from tests.fixtures.history import History, MakeHistory


@pytest.fixture
def user(make_user: MakeUser) -> User:
    """Whose pages and rows they are."""
    return make_user()


@pytest.fixture
def history(user: User, make_history: MakeHistory) -> History:
    """Four alerts, of which one was acted on and one not understood, five orders and three positions."""
    return make_history(user)


@pytest.fixture
def browser(user: User, log_in: LogIn) -> FlaskClient:
    """Logged in."""
    return log_in(user)
