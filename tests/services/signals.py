"""A source of a trader's broker, and what alerts that come to it lead to."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from itertools import count

from app.domain.accounts import TradingMode
from app.domain.alerts import AlertDefaults, AlertStatus
from app.extensions import db
from app.models import Alert, OrderRow, Source, utc_now
from app.services import alerts, balances, inbox, intake, sources
from app.services.intake import Delivery
from app.services.sources import SourceSettings
from tests.services.trader import Trader

_numbers = count(1)


@dataclass
class Signals:
    """A source, and a sender that has its token; prices and balances of its broker are known."""

    trader: Trader
    source: Source
    token: str

    @classmethod
    def of(cls, trader: Trader) -> Signals:
        """A source of a broker that trades on alerts."""
        trader.broker.mode = TradingMode.WEBHOOKS
        source, token = sources.create(trader.broker.user, trader.broker, "chart")
        balances.sync(trader.broker.id)
        return cls(trader, source, token)

    def says(self, **defaults: object) -> None:
        """Give the source defaults."""
        wanted = replace(AlertDefaults(), **defaults)  # type: ignore[arg-type]
        sources.edit(self.source, self.source.name, self.trader.broker, SourceSettings(defaults=wanted))

    def price(self, price: int) -> None:
        """Move the price, and hear of it."""
        self.trader.price(price)
        balances.sync(self.trader.broker.id)

    def store(self, **fields: object) -> int:
        """An alert as it waits for a worker; its id."""
        body = json.dumps({"symbol": "BTCUSDT", "id": f"alert-{next(_numbers)}", **fields})
        [receipt] = intake.store([Delivery(self.token, body.encode(), "text/plain", "192.0.2.7", utc_now())])
        assert receipt is not None
        return receipt.alert_id

    def work(self, alert_id: int) -> Alert:
        """An alert as a worker leaves it."""
        alerts.process(alert_id)
        return self.fresh(alert_id)

    def send(self, **fields: object) -> Alert:
        """An alert that came and was worked on."""
        return self.work(self.store(**fields))

    def done(self, **fields: object) -> Alert:
        """The same, of one that was acted on."""
        alert = self.send(**fields)
        assert alert.status is AlertStatus.PROCESSED, alert.reason
        return alert

    @staticmethod
    def fresh(alert_id: int) -> Alert:
        """An alert as the database has it."""
        return db.session.get_one(Alert, alert_id, populate_existing=True)

    @staticmethod
    def orders(alert: Alert) -> list[OrderRow]:
        """What an alert led to, exits that guard left out."""
        return [order for order in inbox.orders_of(alert) if order.role != "PROTECTION"]
