"""A purchase with both exits on an exchange that attaches them to market orders too: they rest there, always both."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from flask import Flask

from app.domain.accounts import Credential, Environment, TradingMode
from app.domain.orders import OrderDraft, OrderStatus, OrderType, PriceOrPercent, Side
from app.extensions import db
from app.models import Broker, OrderOrigin, OrderRow
from app.services import balances, brokers, connections, execution, markets, orders, reconciliation
from tests.fixtures.app import AppFactory, MakeUser
from tests.fixtures.sandbox import Keys, SandboxServer

EXCHANGE = "bitget"
BTC = "BTC/USDT"
STOP, TARGET = Decimal(57000), Decimal(66000)


@pytest.fixture
def app(make_app: AppFactory, fresh_sandbox: SandboxServer, redis_url: str) -> Flask:
    return make_app(SANDBOX_URL=fresh_sandbox.url, REDIS_URL=redis_url)


@pytest.fixture
def keys(fresh_sandbox: SandboxServer) -> Keys:
    return fresh_sandbox.account(EXCHANGE)


@pytest.fixture
def broker(app: Flask, make_user: MakeUser, keys: Keys) -> Iterator[Broker]:
    user = make_user()
    with app.app_context():
        added = brokers.add(
            user,
            name="Practice",
            exchange=EXCHANGE,
            environment=Environment.SANDBOX,
            credential=Credential(keys.api_key, keys.api_secret, keys.passphrase),
            mode=TradingMode.OFF,
        )
        markets.load(added.id)
        yield db.session.get_one(Broker, added.id)
        connections.close()


def buy(broker: Broker, type_: OrderType = OrderType.MARKET, **fields: Decimal) -> OrderRow:
    """Buy, by default for 600 USDT, with a stop-loss below and a take-profit above."""
    fields = fields or {"quote_quantity": Decimal(600)}
    exits = {"stop_loss": PriceOrPercent(price=STOP), "take_profit": PriceOrPercent(price=TARGET)}
    draft = OrderDraft(BTC, Side.BUY, type_, **fields, **exits)  # type: ignore[arg-type]
    order = orders.place(broker, draft, OrderOrigin.TICKET)
    execution.submit(order.id)
    return again(order)


def again(order: OrderRow) -> OrderRow:
    return db.session.get_one(OrderRow, order.id, populate_existing=True)


def legs(entry: OrderRow) -> dict[OrderType, OrderRow]:
    return {leg.type: leg for leg in entry.children}


def resting(broker: Broker) -> dict[str | None, OrderType | None]:
    """What rests on the exchange, by its id."""
    with connections.calling(broker) as exchange:
        return {order.exchange_order_id: order.type for order in exchange.open_orders(BTC)}


def assert_both_rest(entry: OrderRow) -> None:
    assert entry.status is OrderStatus.FILLED
    assert sum(fill.quantity for fill in entry.fills) == entry.filled_quantity
    exits = legs(entry)
    assert set(exits) == {OrderType.STOP_LOSS, OrderType.TAKE_PROFIT}
    assert {leg.status for leg in exits.values()} == {OrderStatus.OPEN}
    assert (exits[OrderType.STOP_LOSS].trigger_price, exits[OrderType.TAKE_PROFIT].trigger_price) == (
        STOP,
        TARGET,
    )
    assert resting(entry.broker) == {leg.exchange_order_id: leg.type for leg in exits.values()}


@pytest.mark.parametrize("size", ["quantity", "quote_quantity"])
def test_a_market_buy_ends_with_both_exits_resting_on_the_exchange(broker: Broker, size: str) -> None:
    amount = Decimal("0.01") if size == "quantity" else Decimal(600)
    assert_both_rest(buy(broker, **{size: amount}))


def test_exits_given_in_percent_of_a_known_price_rest_as_well(broker: Broker) -> None:
    balances.sync(broker.id)  # which brings the last prices along
    draft = OrderDraft(
        BTC,
        Side.BUY,
        OrderType.MARKET,
        quantity=Decimal("0.01"),
        stop_loss=PriceOrPercent(percent=Decimal(5)),
        take_profit=PriceOrPercent(percent=Decimal(10)),
    )
    order = orders.place(broker, draft, OrderOrigin.TICKET)
    execution.submit(order.id)
    assert_both_rest(again(order))


def test_a_limit_buy_has_both_exits_resting_once_it_is_filled(
    broker: Broker, fresh_sandbox: SandboxServer
) -> None:
    entry = buy(broker, OrderType.LIMIT, quantity=Decimal("0.01"), price=Decimal(59000))
    assert entry.status is OrderStatus.OPEN
    assert len(entry.children) == 2, "they wait for the fill"

    fresh_sandbox.price(EXCHANGE, BTC, "58900")
    reconciliation.sync_open(broker.id)

    assert_both_rest(again(entry))


def test_a_purchase_whose_answer_was_lost_is_not_guarded_twice(
    broker: Broker, fresh_sandbox: SandboxServer
) -> None:
    fresh_sandbox.fault(EXCHANGE, "place_order", "reset_after")
    entry = buy(broker)
    assert entry.status is OrderStatus.SUBMITTED

    reconciliation.reconcile(entry.id)

    assert_both_rest(again(entry))


def test_the_exit_that_executes_ends_the_other(broker: Broker, fresh_sandbox: SandboxServer) -> None:
    entry = buy(broker)

    fresh_sandbox.price(EXCHANGE, BTC, "56900")
    reconciliation.sync_open(broker.id)

    exits = legs(again(entry))
    stop, target = exits[OrderType.STOP_LOSS], exits[OrderType.TAKE_PROFIT]
    assert stop.status is OrderStatus.FILLED
    assert sum(fill.quantity for fill in stop.fills) == stop.filled_quantity
    assert target.status is OrderStatus.CANCELED
    assert resting(broker) == {}


def test_the_exits_of_a_cancelled_entry_end_with_it(broker: Broker) -> None:
    entry = buy(broker, OrderType.LIMIT, quantity=Decimal("0.01"), price=Decimal(59000))
    execution.cancel(entry.id)
    reconciliation.sync_open(broker.id)

    entry = again(entry)
    assert entry.status is OrderStatus.CANCELED
    assert {leg.status for leg in entry.children} == {OrderStatus.CANCELED}
