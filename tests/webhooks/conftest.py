"""A person with a broker whose markets are known, sources of it, and senders of alerts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.domain.accounts import TradingMode
from app.extensions import db
from app.models import Alert, Broker, Source, User, utc_now
from app.services import markets, sources
from app.services.sources import SourceSettings
from tests.fixtures.app import MakeBroker, MakeUser
from tests.fixtures.history import BTC, ETH


@dataclass
class Line:
    """A source, and a sender that has its token."""

    app: Flask
    source_id: int
    token: str

    def send(self, body: str | bytes, sender: str = "192.0.2.7", **headers: str) -> TestResponse:
        """Post one alert from an address."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        browser = self.app.test_client()
        return browser.post(
            f"/webhook/{self.token}",
            data=body,
            headers={"Content-Type": "text/plain", **named},
            environ_base={"REMOTE_ADDR": sender},
        )

    def alerts(self) -> list[Alert]:
        """Every alert of the source, oldest first."""
        with self.app.app_context():
            query = select(Alert).where(Alert.source_id == self.source_id).order_by(Alert.id)
            return list(db.session.scalars(query))

    def change(self, **columns: Any) -> None:
        """Set columns of the source, the passing of time among them."""
        with self.app.app_context():
            source = db.session.get_one(Source, self.source_id)
            for name, value in columns.items():
                setattr(source, name, value)
            db.session.commit()


MakeLine = Callable[..., Line]


@pytest.fixture
def trader(make_user: MakeUser) -> User:
    """Whose sources they are."""
    return make_user()


@pytest.fixture
def broker(app: Flask, trader: User, make_broker: MakeBroker) -> Broker:
    """A broker that trades on alerts."""
    made = make_broker(trader, "main", mode=TradingMode.WEBHOOKS)
    with app.app_context():
        markets.store(made.exchange, made.environment, [BTC, ETH])
        known = db.session.merge(made)
        known.markets_loaded_at = utc_now()
        db.session.commit()
        return known


@pytest.fixture
def make_line(app: Flask, trader: User, broker: Broker) -> MakeLine:
    """Sources with settings, and secrets if any."""

    def make(name: str = "chart", settings: SourceSettings | None = None, **secrets: str) -> Line:
        with app.app_context():
            source, token = sources.create(trader, db.session.merge(broker), name, settings, **secrets)
            return Line(app, source.id, token)

    return make


@pytest.fixture
def line(make_line: MakeLine) -> Line:
    """A source with the usual settings."""
    return make_line()
