"""Orders, stops and pairs are three families at KuCoin, with calls of their own; to us they are orders."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal

import pytest

from app.domain import Credential, Leg, OcoRequest, OrderNotFound, OrderReport, OrderStatus, OrderType, Side
from app.exchanges import connect
from app.exchanges.base import Exchange
from tests.exchanges.kucoin_client import order
from tests.fixtures.sandbox import Keys, SandboxServer

BTC = "BTC/USDT"
QUANTITY = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Account:
    """A client, the keys it uses and the sandbox it talks to."""

    exchange: Exchange
    keys: Keys
    sandbox: SandboxServer

    def stop(self, limit: str | None = None, client_order_id: str = "stop") -> OrderReport:
        """A stop-loss at 54000, the last price being 60000."""
        return self.exchange.place_order(
            order(
                side=Side.SELL,
                type=OrderType.STOP_LOSS if limit is None else OrderType.STOP_LIMIT,
                quantity=QUANTITY,
                trigger_price=Decimal(54000),
                price=None if limit is None else Decimal(limit),
                client_order_id=client_order_id,
            )
        )

    def pair(self, stop_limit: str | None = None) -> OrderReport:
        """A stop at 54000 and a take-profit at 66000."""
        stop = Leg(Decimal(54000), None if stop_limit is None else Decimal(stop_limit))
        return self.exchange.place_oco(
            OcoRequest(BTC, Side.SELL, QUANTITY, stop, Leg(Decimal(66000)), "pair")
        )

    def price(self, price: int) -> None:
        """Move the price."""
        self.sandbox.price("kucoin", BTC, str(price))

    def get(self, placed: OrderReport) -> OrderReport:
        """What became of an order, by the id under which it was placed."""
        return self.exchange.get_order(BTC, exchange_order_id=placed.exchange_order_id)


@pytest.fixture
def account(fresh_sandbox: SandboxServer) -> Iterator[Account]:
    keys = fresh_sandbox.account("kucoin")
    credential = Credential(keys.api_key, keys.api_secret, keys.passphrase)
    with closing(connect("kucoin", credential, base_url=fresh_sandbox.at("kucoin"))) as exchange:
        yield Account(exchange, keys, fresh_sandbox)


def test_everything_that_rests_is_cancelled_whatever_family_it_is_of(account: Account) -> None:
    account.exchange.place_order(
        order(type=OrderType.LIMIT, quantity=QUANTITY, price=Decimal(50000), client_order_id="plain")
    )
    account.stop()
    account.pair()
    assert len(account.exchange.open_orders()) == 4

    reports = account.exchange.cancel_all()

    assert {report.client_order_id for report in reports} == {"plain", "stop", "pair-sl", "pair-tp"}
    assert {report.status for report in reports} == {OrderStatus.CANCELED}
    assert account.exchange.open_orders() == []


def test_a_stop_that_has_become_a_resting_order_is_cancelled_as_that_order(account: Account) -> None:
    placed = account.stop(limit="55000")
    account.price(53000)
    assert account.get(placed).status is OrderStatus.OPEN

    report = account.exchange.cancel_order(BTC, exchange_order_id=placed.exchange_order_id)

    assert (report.status, report.type, report.client_order_id) == (
        OrderStatus.CANCELED,
        OrderType.STOP_LIMIT,
        "stop",
    )
    assert account.exchange.open_orders(BTC) == []


def test_a_pair_whose_stop_has_become_a_resting_order_is_cancelled_with_it(account: Account) -> None:
    placed = account.pair(stop_limit="53900")
    account.price(50000)
    resting = account.get(placed)
    assert (resting.status, [leg.status for leg in resting.children]) == (
        OrderStatus.OPEN,
        [OrderStatus.OPEN, OrderStatus.CANCELED],
    )

    report = account.exchange.cancel_order(BTC, exchange_order_id=placed.exchange_order_id)

    assert (report.exchange_order_id, report.status) == (placed.exchange_order_id, OrderStatus.CANCELED)
    assert account.exchange.open_orders(BTC) == []
    assert account.exchange.balances()["BTC"].locked == 0


@pytest.mark.parametrize("kind", ["stop", "pair"])
def test_what_has_executed_cannot_be_cancelled(account: Account, kind: str) -> None:
    placed = account.stop() if kind == "stop" else account.pair()
    account.price(53000)
    with pytest.raises(OrderNotFound):
        account.exchange.cancel_order(BTC, exchange_order_id=placed.exchange_order_id)
    assert account.get(placed).status is OrderStatus.FILLED


@pytest.mark.parametrize("kind", ["stop", "pair"])
def test_a_cancelled_stop_or_pair_cannot_be_cancelled_again(account: Account, kind: str) -> None:
    placed = account.stop() if kind == "stop" else account.pair()
    account.exchange.cancel_order(BTC, client_order_id=kind)
    with pytest.raises(OrderNotFound):
        account.exchange.cancel_order(BTC, exchange_order_id=placed.exchange_order_id)


def test_a_changed_order_keeps_its_client_id_and_gets_another_of_the_exchange(account: Account) -> None:
    placed = account.exchange.place_order(
        order(type=OrderType.LIMIT, quantity=QUANTITY, price=Decimal(50000), client_order_id="first")
    )
    changed = account.exchange.amend_order(BTC, client_order_id="first", price=Decimal(51000))
    assert (changed.price, changed.quantity, changed.client_order_id) == (Decimal(51000), QUANTITY, "first")
    assert changed.exchange_order_id != placed.exchange_order_id
    assert account.get(placed).status is OrderStatus.CANCELED


def test_purchases_and_sales_both_pay_their_fee_in_quote(account: Account) -> None:
    for side in Side:
        report = account.exchange.place_order(
            order(side=side, type=OrderType.MARKET, quantity=QUANTITY, client_order_id=side.lower())
        )
        assert report.cost is not None
        assert report.fees == {"USDT": report.cost / 1000}
        assert {fill.fee_asset for fill in report.fills} == {"USDT"}
    assert account.exchange.balances()["BTC"].total == 2


def test_a_market_order_sized_in_quote_spends_or_brings_in_that_much(account: Account) -> None:
    for side in Side:
        report = account.exchange.place_order(
            order(side=side, type=OrderType.MARKET, quote_quantity=Decimal(500), client_order_id=side.lower())
        )
        assert (report.status, report.quantity) == (OrderStatus.FILLED, None)
        assert report.cost is not None
        assert 499 < report.cost <= 500


def test_the_client_id_of_a_leg_is_ours_alone_and_found_through_its_pair(account: Account) -> None:
    placed = account.pair()
    for leg in placed.children:
        found = account.get(leg)
        assert (found.client_order_id, found.type) == (leg.client_order_id, leg.type)
    with pytest.raises(OrderNotFound):
        account.exchange.get_order(BTC, client_order_id="pair-sl")


def test_a_stop_holds_nothing_and_waits_for_an_order_that_does_not_come_when_the_balance_is_gone(
    account: Account,
) -> None:
    placed = account.stop()
    assert account.exchange.balances()["BTC"].locked == 0
    account.exchange.place_order(
        order(side=Side.SELL, type=OrderType.MARKET, quantity=Decimal(2), client_order_id="gone")
    )
    account.price(53000)
    assert account.get(placed).status is OrderStatus.PENDING, "its order may only not be seen yet"


@pytest.mark.parametrize("look_up", ["get_order", "fills"])
def test_an_order_that_has_executed_but_is_not_seen_yet_is_told_as_received(
    account: Account, look_up: str
) -> None:
    account.sandbox.fault("kucoin", look_up, "unseen", api_key=account.keys.api_key)
    placed = account.exchange.place_order(order(type=OrderType.MARKET, quantity=QUANTITY))
    assert (placed.status, placed.filled_quantity) == (OrderStatus.OPEN, None)
    assert account.get(placed).status is OrderStatus.FILLED


def test_what_lies_in_the_funding_account_is_no_balance(
    account: Account, fresh_sandbox: SandboxServer
) -> None:
    keys = account.keys
    fresh_sandbox.control(
        "accounts",
        exchange="kucoin",
        api_key=keys.api_key,
        api_secret=keys.api_secret,
        passphrase=keys.passphrase,
        balances={"USDT": "7"},
        funding={"USDT": "5000", "SOL": "3"},
    )
    balances = account.exchange.balances()
    assert balances["USDT"].total == 7
    assert "SOL" not in balances
