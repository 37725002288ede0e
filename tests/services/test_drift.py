"""What an exchange reports beyond what we booked: shown at once, explained when it is early, and else taken in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select

from app.domain.accounts import Balance, Credential, Environment, TradingMode
from app.domain.ledger import EntryKind
from app.domain.orders import OrderDraft, OrderRequest, OrderStatus, OrderType, Side
from app.exchanges import NAMES, connect
from app.extensions import db
from app.extensions import redis as store
from app.models import BalanceRow, Broker, LedgerEntry, OrderOrigin, OrderRow, utc_now
from app.services import balances, brokers, connections, execution, ledger, markets, orders, reconciliation
from tests.fixtures.app import AppFactory, MakeUser
from tests.fixtures.sandbox import Keys, SandboxServer

BTC = "BTC/USDT"
QUANTITY = Decimal("0.01")

every_exchange = pytest.mark.parametrize("exchange", NAMES)


@pytest.fixture
def app(
    request: pytest.FixtureRequest, make_app: AppFactory, fresh_sandbox: SandboxServer
) -> Iterator[Flask]:
    """On SQLite, unless a test asks for PostgreSQL."""
    environ = {"SANDBOX_URL": fresh_sandbox.url}
    if getattr(request, "param", "sqlite") == "postgresql":
        environ["DATABASE_URL"] = request.getfixturevalue("postgres_url")
    app = make_app(**environ)
    with app.app_context():
        yield app
        connections.close()


on_both_databases = pytest.mark.parametrize(
    "app", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)


class Desk:
    """One broker, what is done on it by us and by hand, and what its balances say then."""

    def __init__(self, broker_id: int, sandbox: SandboxServer, keys: Keys) -> None:
        self.broker_id, self.sandbox, self.keys = broker_id, sandbox, keys

    @property
    def broker(self) -> Broker:
        return db.session.get_one(Broker, self.broker_id)

    def sync(self) -> None:
        """One sync of balances, half a minute later, in a session of its own as every task has."""
        self._later()
        balances.sync(self.broker_id)
        db.session.remove()

    def look(self) -> None:
        """One look at the resting orders."""
        self._later()
        reconciliation.sync_open(self.broker_id)
        db.session.remove()

    def _later(self) -> None:
        """Let so much time pass that the exchange's allowance is whole again."""
        db.session.remove()
        store.flushdb()

    def place(self, side: Side = Side.BUY, *, price: str | None = None) -> int:
        """Place and submit an order for a hundredth of a bitcoin, at the market unless a price is given."""
        kind = OrderType.MARKET if price is None else OrderType.LIMIT
        draft = OrderDraft(BTC, side, kind, quantity=QUANTITY, price=price and Decimal(price))
        order = orders.place(self.broker, draft, OrderOrigin.TICKET)
        execution.submit(order.id)
        return order.id

    def change(self, asset: str, amount: str) -> None:
        """A deposit, or a withdrawal when negative."""
        held = self.sandbox.balances(self.broker.exchange, self.keys)
        free = {name: row["free"] for name, row in held.items()}
        free[asset] = str(Decimal(free.get(asset, "0")) + Decimal(amount))
        keys = self.keys
        self.sandbox.control(
            "accounts",
            exchange=self.broker.exchange,
            api_key=keys.api_key,
            api_secret=keys.api_secret,
            passphrase=keys.passphrase,
            balances=free,
        )

    def drift(self) -> dict[str, Decimal]:
        """What drifts, by asset."""
        rows = db.session.scalars(select(BalanceRow).where(BalanceRow.broker_id == self.broker_id))
        return {row.asset: row.drift for row in rows if row.drift}

    def external(self) -> dict[str, Decimal]:
        """What was taken in as done by hand, by asset."""
        query = select(LedgerEntry).where(LedgerEntry.kind == EntryKind.EXTERNAL)
        return {entry.asset: entry.amount for entry in db.session.scalars(query)}

    def adds_up(self) -> bool:
        """Whether the ledger's sum is what the exchange reported last, for every asset."""
        return all(account.total == account.reported for account in ledger.accounts(self.broker))


@pytest.fixture
def open_desk(app: Flask, make_user: MakeUser, fresh_sandbox: SandboxServer) -> Callable[..., Desk]:
    """Desks on the sandbox; their ledger is opened unless told otherwise."""

    def make(exchange: str = NAMES[0], *, opened: bool = True) -> Desk:
        keys = fresh_sandbox.account(exchange)
        broker = brokers.add(
            make_user(),
            name="Practice",
            exchange=exchange,
            environment=Environment.SANDBOX,
            credential=Credential(keys.api_key, keys.api_secret, keys.passphrase),
            mode=TradingMode.OFF,
        )
        markets.load(broker.id)
        desk = Desk(broker.id, fresh_sandbox, keys)
        if opened:
            desk.sync()
        return desk

    return make


OpenDesk = Callable[..., Desk]


# -- what was done by hand ------------------------------------------------------------------------------------


@every_exchange
@pytest.mark.parametrize(
    ("asset", "amount"), [("USDT", "1234.56789012"), ("BTC", "-0.12345678"), ("SOL", "3.5")]
)
def test_a_deposit_or_withdrawal_shows_as_drift_first_and_is_taken_in_when_it_stays(
    open_desk: OpenDesk, exchange: str, asset: str, amount: str
) -> None:
    desk = open_desk(exchange)
    desk.change(asset, amount)

    desk.sync()
    assert desk.drift() == {asset: Decimal(amount)}
    assert desk.external() == {}

    desk.sync()
    assert desk.drift() == {}
    assert desk.external() == {asset: Decimal(amount)}
    assert desk.adds_up()

    desk.sync()
    assert desk.external() == {asset: Decimal(amount)}, "it is taken in once"


@on_both_databases
@every_exchange
def test_a_trade_made_by_hand_is_taken_in_on_both_its_sides_and_called_one(
    open_desk: OpenDesk, exchange: str
) -> None:
    desk = open_desk(exchange)
    keys = desk.keys
    by_hand = connect(
        exchange,
        Credential(keys.api_key, keys.api_secret, keys.passphrase),
        environment=Environment.SANDBOX,
        base_url=desk.sandbox.at(exchange),
    )
    by_hand.use_markets(by_hand.markets())
    by_hand.place_order(OrderRequest(BTC, Side.SELL, OrderType.MARKET, quantity=Decimal("0.5")))
    by_hand.close()

    desk.sync()
    drift = desk.drift()
    assert drift["BTC"] == Decimal("-0.5")
    assert Decimal(29000) < drift["USDT"] < Decimal(30000)

    desk.sync()
    assert desk.external() == drift
    assert desk.drift() == {}
    notes = set(db.session.scalars(select(LedgerEntry.note).where(LedgerEntry.kind == EntryKind.EXTERNAL)))
    assert len(notes) == 1
    assert "trade made by hand" in notes.pop()
    assert desk.adds_up()


def test_all_that_is_taken_away_is_still_expected_until_it_is_taken_in(open_desk: OpenDesk) -> None:
    desk = open_desk()
    desk.change("ETH", "-20")

    desk.sync()
    assert desk.drift() == {"ETH": Decimal(-20)}, "although the exchange does not list it any more"

    desk.sync()
    desk.sync()
    assert "ETH" not in {row.asset for row in db.session.scalars(select(BalanceRow))}
    assert desk.adds_up()


def test_a_drift_that_changes_is_watched_anew(open_desk: OpenDesk) -> None:
    desk = open_desk()
    desk.change("USDT", "5")
    desk.sync()
    desk.change("USDT", "2")
    desk.sync()
    assert desk.drift() == {"USDT": Decimal(7)}
    assert desk.external() == {}

    desk.sync()
    assert desk.external() == {"USDT": Decimal(7)}


def test_an_asset_that_came_and_went_between_two_syncs_leaves_no_balance(open_desk: OpenDesk) -> None:
    desk = open_desk("kucoin")  # which takes its fees in quote: nothing of the base is left over
    for side in (Side.BUY, Side.SELL):
        draft = OrderDraft("SOL/USDT", side, OrderType.MARKET, quantity=Decimal(1))
        execution.submit(orders.place(desk.broker, draft, OrderOrigin.TICKET).id)
    desk.look()
    desk.sync()

    assert {row.asset for row in desk.broker.balances} == {"USDT", "BTC", "ETH"}
    assert desk.drift() == {}
    assert desk.adds_up()


@on_both_databases
def test_what_is_done_by_hand_between_our_own_trades_is_told_apart_from_them(open_desk: OpenDesk) -> None:
    desk = open_desk()
    desk.place()
    desk.change("BTC", "1")
    desk.place(Side.SELL)
    for _ in range(3):
        desk.sync()

    assert desk.external() == {"BTC": Decimal(1)}
    assert desk.adds_up()


# -- what is merely early --------------------------------------------------------------------------------------


@every_exchange
def test_an_execution_that_is_not_booked_yet_is_being_explained_and_never_taken_in(
    open_desk: OpenDesk, exchange: str
) -> None:
    desk = open_desk(exchange)
    desk.place(price="59000")
    desk.look()
    desk.sandbox.price(exchange, BTC, "58000")

    for _ in range(4):
        desk.sync()
        assert set(desk.drift()) == {"BTC", "USDT"}
    assert desk.external() == {}

    desk.look()
    desk.sync()
    assert desk.drift() == {}
    assert desk.external() == {}
    assert desk.adds_up()


@every_exchange
def test_an_order_whose_outcome_is_unknown_holds_up_all_taking_in(open_desk: OpenDesk, exchange: str) -> None:
    desk = open_desk(exchange)
    desk.sandbox.fault(exchange, "place_order", "reset_after", times=1, api_key=desk.keys.api_key)
    order_id = desk.place()
    assert db.session.get_one(OrderRow, order_id).status is OrderStatus.SUBMITTED

    for _ in range(4):
        desk.sync()
    assert set(desk.drift()) == {"BTC", "USDT"}
    assert desk.external() == {}

    reconciliation.reconcile(order_id)
    desk.look()  # some list the fills of an order apart
    desk.sync()
    assert desk.drift() == {}
    assert desk.external() == {}
    assert desk.adds_up()


@every_exchange
def test_fills_that_were_not_listed_with_the_answer_are_asked_for_until_they_come(
    open_desk: OpenDesk, exchange: str
) -> None:
    desk = open_desk(exchange)
    desk.sandbox.fault(exchange, "fills", "error_before", times=1, api_key=desk.keys.api_key)
    order_id = desk.place()
    for _ in range(2):
        desk.look()

    order = db.session.get_one(OrderRow, order_id)
    assert order.status is OrderStatus.FILLED
    assert sum(fill.quantity for fill in order.fills) == QUANTITY
    assert not order.fills_missing
    desk.sync()
    assert desk.drift() == {}


def test_an_order_that_the_exchange_has_forgotten_is_not_asked_for_for_ever(open_desk: OpenDesk) -> None:
    desk = open_desk()
    order_id = desk.place()
    order = db.session.get_one(OrderRow, order_id)
    order.fills_missing, order.exchange_order_id = True, "987654321"
    db.session.commit()

    desk.look()

    order = db.session.get_one(OrderRow, order_id)
    assert not order.fills_missing
    assert "stay unknown" in order.events[-1].cause


def test_a_resting_order_keeps_nothing_from_being_taken_in_once_it_was_looked_at(
    open_desk: OpenDesk,
) -> None:
    desk = open_desk()
    desk.place(price="50000")
    desk.change("ETH", "1")
    desk.sync()
    desk.sync()
    assert desk.drift() == {"ETH": Decimal(1)}, "nobody has looked at the order since"

    desk.look()
    desk.sync()
    assert desk.external() == {"ETH": Decimal(1)}


def test_a_look_that_missed_an_order_vouches_for_nothing(open_desk: OpenDesk) -> None:
    desk = open_desk()
    order_id = desk.place(price="59000")
    desk.change("ETH", "1")
    desk.sync()
    desk.sandbox.price(desk.broker.exchange, BTC, "58000")
    desk.sandbox.fault(desk.broker.exchange, "get_order", "error_before", times=1)
    desk.look()
    assert db.session.get_one(OrderRow, order_id).status is OrderStatus.OPEN

    desk.sync()
    assert "ETH" in desk.drift()
    assert desk.external() == {}


def test_balances_asked_for_before_others_were_stored_are_passed_over(open_desk: OpenDesk) -> None:
    desk = open_desk()
    before = utc_now()
    old = {row.asset: row.total for row in desk.broker.balances}
    desk.change("USDT", "5")
    desk.sync()

    balances.store(
        desk.broker,
        {asset: Balance(asset, total, Decimal(0), total) for asset, total in old.items()},
        asked_at=before,
    )

    assert desk.drift() == {"USDT": Decimal(5)}


# -- the opening -----------------------------------------------------------------------------------------------


def test_the_first_sync_opens_the_ledger_with_what_is_there(open_desk: OpenDesk) -> None:
    desk = open_desk()
    openings = {entry.asset: entry.amount for entry in db.session.scalars(select(LedgerEntry))}
    assert openings == {"USDT": Decimal(100000), "BTC": Decimal(2), "ETH": Decimal(20)}
    assert {row.drift for row in desk.broker.balances} == {Decimal(0)}


def test_what_was_traded_before_the_opening_is_not_counted_twice(open_desk: OpenDesk) -> None:
    desk = open_desk(opened=False)
    desk.place()
    desk.sync()
    desk.sync()

    assert desk.drift() == {}
    assert desk.adds_up()


@on_both_databases
def test_the_ledger_is_not_opened_while_an_order_is_in_doubt(open_desk: OpenDesk) -> None:
    desk = open_desk(opened=False)
    desk.sandbox.fault(desk.broker.exchange, "place_order", "reset_after", times=1)
    order_id = desk.place()
    desk.sync()
    assert {row.drift for row in desk.broker.balances} == {None}

    reconciliation.reconcile(order_id)
    desk.sync()
    assert {row.drift for row in desk.broker.balances} == {Decimal(0)}
    assert desk.adds_up()


def test_other_keys_open_the_ledger_anew_for_they_may_open_another_account(open_desk: OpenDesk) -> None:
    desk = open_desk()
    other = desk.sandbox.account(desk.broker.exchange, {"USDT": "7"})
    brokers.edit(
        desk.broker,
        name="Practice",
        environment=Environment.SANDBOX,
        dry_run=False,
        credential=Credential(other.api_key, other.api_secret, other.passphrase),
    )
    desk.sync()

    assert desk.drift() == {}
    assert desk.external() == {}
    assert desk.adds_up()
