"""Whose token it is that calls, and what is theirs."""

from __future__ import annotations

from flask import abort, g

from app.models import Broker, User
from app.services import brokers


def caller() -> User:
    """The person of the token."""
    user: User = g.api_token.user
    return user


def own_broker(broker_id: int | None) -> Broker | None:
    """The caller's broker of this id, None when none is named; another person's does not exist."""
    return None if broker_id is None else brokers.find(caller(), broker_id) or abort(404)
