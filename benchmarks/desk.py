"""Run beside a started stack: makes a user, a sandbox broker with loaded markets and sources; prints their tokens."""

from __future__ import annotations

import sys
import time

from app import create_app
from app.domain import Credential, Environment, TradingMode
from app.extensions import db

EMAIL, PASSWORD = "bench@example.org", "only for this run"
READY_SECONDS = 60


def main(exchange: str, mode: str, count: str) -> None:
    """The keys come on standard input, a line each."""
    key, secret = (sys.stdin.readline().strip() for _ in range(2))
    with create_app().app_context():
        from app.services import brokers, sources, users

        user = users.sign_up(EMAIL, PASSWORD)
        broker = brokers.add(
            user,
            name="bench",
            exchange=exchange,
            environment=Environment.SANDBOX,
            credential=Credential(key, secret),
            mode=TradingMode(mode),
        )
        deadline = time.monotonic() + READY_SECONDS
        while broker.markets_loaded_at is None:
            if time.monotonic() > deadline:
                raise RuntimeError(broker.connection_reason or broker.markets_error or "no markets in time")
            time.sleep(0.1)
            db.session.rollback()
            db.session.refresh(broker)
        for number in range(int(count)):
            _, token = sources.create(user, broker, f"bench {number}")
            print(token)


if __name__ == "__main__":
    main(*sys.argv[1:])
