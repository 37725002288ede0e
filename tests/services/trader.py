"""A person who holds positions: what tests of protection buy with, and look at the exchange through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from app.domain.orders import OrderDraft, OrderType, PriceOrPercent, Side
from app.extensions import db
from app.extensions import redis as store
from app.models import Broker, OrderOrigin, OrderRow, Position, utc_now
from app.services import catalog, execution, orders, protection, reconciliation, watch
from tests.fixtures.sandbox import Keys, SandboxServer

BTC = "BTC/USDT"
QUANTITY = Decimal("0.01")
PRICE = Decimal(60_000)


@dataclass
class Trader:
    """A person with one broker, who trades on a sandbox whose prices the test moves."""

    broker: Broker
    sandbox: SandboxServer
    keys: Keys

    @property
    def name(self) -> str:
        return self.broker.exchange

    def later(self) -> None:
        """What beat does a minute later, when the counters of requests have run down."""
        store.flushdb()
        for order in db.session.scalars(db.select(OrderRow).where(OrderRow.acknowledged_at.is_not(None))):
            order.acknowledged_at = (order.acknowledged_at or utc_now()) - timedelta(minutes=1)
        db.session.commit()
        if db.session.scalar(db.select(Position.id).limit(1)) is not None:
            watch.look(self.broker.id)
        reconciliation.sync_open(self.broker.id)
        for position_id, _ in protection.unattended(500):
            execution.guard(position_id)

    def price(self, price: Decimal | str) -> None:
        self.sandbox.price(self.name, BTC, str(price))

    def buy(self, type_: OrderType = OrderType.MARKET, **fields: object) -> OrderRow:
        draft = OrderDraft(BTC, Side.BUY, type_, **{"quantity": QUANTITY, **fields})  # type: ignore[arg-type]
        order = orders.place(self.broker, draft, OrderOrigin.TICKET)
        execution.submit(order.id)
        return db.session.get_one(OrderRow, order.id, populate_existing=True)

    def position(self) -> Position:
        found = db.session.scalars(db.select(Position).order_by(Position.id.desc())).first()
        assert found is not None
        return db.session.get_one(Position, found.id, populate_existing=True)

    def resting(self) -> list[dict[str, str]]:
        """The sales that wait at the engine."""
        return [
            order
            for order in self.sandbox.orders(self.name, self.keys)
            if order["side"].upper() == "SELL" and order["state"] in ("open", "partially_filled")
        ]

    def stopped(self) -> Decimal:
        """How much waits under a stop-loss at the engine, in base."""
        return sum(
            (Decimal(order["quantity"]) for order in self.resting() if "stop" in order["type"]), Decimal(0)
        )

    def may_trade(self, allowed: bool) -> None:
        """Let the exchange take orders of these keys, or turn every one of them down."""
        self.sandbox.control("permissions", exchange=self.name, api_key=self.keys.api_key, trade=allowed)

    def lot(self, quantity: Decimal) -> Decimal:
        """As much of a quantity as can be traded."""
        market = catalog.known(self.broker, BTC)
        assert market is not None
        return market.quantize_quantity(quantity)

    def own(self) -> Decimal:
        """What the account holds of the base, free or not."""
        held = self.sandbox.balances(self.name, self.keys)["BTC"]
        return Decimal(held["free"]) + Decimal(held["locked"])


def stop_at(price: int | str) -> dict[str, PriceOrPercent]:
    """A stop-loss, as `Trader.buy` takes it."""
    return {"stop_loss": PriceOrPercent(price=Decimal(price))}
