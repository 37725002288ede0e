"""What goes wrong on the way: rejected only on definitive evidence, and never placed twice."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from app.domain import (
    DuplicateOrder,
    ExchangeUnavailable,
    OrderNotFound,
    OrderStatus,
    OrderType,
    OutcomeUnknown,
    RateLimited,
)
from app.exchanges import connect
from app.exchanges.base import Place, ReusedId
from app.exchanges.transport import sending_until
from tests.exchanges.conformance.conftest import BTC, Account, Opening
from tests.fixtures.sandbox import SandboxServer

#: fault, its fields, whether the order was executed all the same
LOST = [
    ("refuse", {}, False),
    ("reset_before", {}, False),
    ("reset_after", {}, True),
    ("accept_then_timeout", {"seconds": "0.5"}, True),
    ("garbage", {"executed": True}, True),
    ("garbage", {"executed": False}, False),
    ("error_before", {"status": 502}, False),
    ("error_after", {"status": 504}, True),
]


@pytest.mark.parametrize(
    ("kind", "fields", "executed"), LOST, ids=[f"{kind} {fields}" for kind, fields, _ in LOST]
)
def test_a_lost_answer_to_an_order_is_unknown_and_the_order_can_be_looked_up(
    account: Account, kind: str, fields: dict[str, object], executed: bool
) -> None:
    account.fault("place_order", kind, **fields)
    with pytest.raises(OutcomeUnknown):
        account.rest(client_order_id="lost1")
    assert account.accepted() == (["lost1"] if executed else []), "and it is not sent again"
    if not account.able.client_id_lookup:
        return
    if executed:
        assert account.exchange.get_order(BTC, client_order_id="lost1").status is OrderStatus.OPEN
    else:
        with pytest.raises(OrderNotFound):
            account.exchange.get_order(BTC, client_order_id="lost1")


def test_an_order_that_is_held_up_past_its_time_is_surely_not_placed(account: Account) -> None:
    request = account.request(OrderType.LIMIT, price=account.last() / 2)
    with sending_until(datetime.now(UTC)), pytest.raises(ExchangeUnavailable, match="nothing was sent"):
        account.exchange.place_order(request)
    assert account.accepted() == []


def test_an_order_in_doubt_can_be_settled_by_what_the_exchange_declares(account: Account) -> None:
    able = account.able
    assert able.look_up_places
    assert able.look_up_places & {Place.HISTORY, Place.CLIENT_ID}
    assert Place.FILLS in able.look_up_places
    assert (Place.CLIENT_ID in able.look_up_places) is (able.client_id_lookup is not None)
    assert able.visibility_delay > timedelta(0)
    assert able.history_kept > able.request_window + able.visibility_delay


@pytest.mark.parametrize("kind", ["refuse", "reset_before", "garbage", "error_before"])
def test_a_lost_answer_to_a_question_is_merely_unavailable(account: Account, kind: str) -> None:
    account.fault("balances", kind)
    with pytest.raises(ExchangeUnavailable):
        account.exchange.balances()
    assert account.exchange.balances()["BTC"].total == 2


@pytest.mark.parametrize("kind", ["reset_after", "error_after"])
def test_a_lost_answer_to_a_cancellation_is_unknown(account: Account, kind: str) -> None:
    placed = account.rest()
    account.fault("cancel_order", kind)
    with pytest.raises(OutcomeUnknown):
        account.exchange.cancel_order(BTC, exchange_order_id=placed.exchange_order_id)
    order = account.exchange.get_order(BTC, exchange_order_id=placed.exchange_order_id)
    assert order.status is OrderStatus.CANCELED


def test_an_order_refused_for_too_many_requests_was_not_placed_and_says_when_to_come_back(
    open_account: Opening, fresh_sandbox: SandboxServer
) -> None:
    account = open_account(server=fresh_sandbox)
    request = account.request(OrderType.LIMIT, price=account.last() / 2)
    account.fault("place_order", "rate_limit", retry_after=7)
    with pytest.raises(RateLimited) as caught:
        account.exchange.place_order(request)
    assert caught.value.retry_after is not None
    assert 1 <= caught.value.retry_after <= 60
    with pytest.raises(RateLimited, match="not sent"):
        account.exchange.place_order(request)
    assert account.accepted() == []


def test_a_ban_keeps_every_call_away(open_account: Opening, fresh_sandbox: SandboxServer) -> None:
    account = open_account(server=fresh_sandbox)
    account.fault("balances", "ban", retry_after=120)
    with pytest.raises(RateLimited):
        account.exchange.balances()
    with pytest.raises(RateLimited, match="not sent"):
        account.exchange.balances()


def test_a_repeated_answer_is_one_order(account: Account) -> None:
    account.fault("place_order", "duplicate_answer")
    account.rest(client_order_id="once1")
    assert account.exchange.balances()["USDT"].locked > 0
    assert account.accepted() == ["once1"]
    if account.able.reused_id is not ReusedId.PLACED:
        with suppress(DuplicateOrder):
            account.rest(client_order_id="once1")
        assert account.accepted() == ["once1"]


def test_a_partial_fill_tells_what_is_left(account: Account) -> None:
    account.fault("place_order", "partial_fill", fraction="0.4")
    placed = account.place(OrderType.LIMIT, price=account.last() * Decimal("1.01"), quantity=Decimal("0.1"))
    order = account.exchange.get_order(BTC, exchange_order_id=placed.exchange_order_id)
    assert order.status is OrderStatus.PARTIALLY_FILLED
    assert (order.filled_quantity, order.remaining) == (Decimal("0.04"), Decimal("0.06"))
    report = account.exchange.cancel_order(BTC, exchange_order_id=placed.exchange_order_id)
    assert (report.status, report.filled_quantity) == (OrderStatus.CANCELED, Decimal("0.04"))


def test_the_whole_conversation_stays_within_the_limits_of_the_exchange(
    open_account: Opening, fresh_sandbox: SandboxServer, name: str
) -> None:
    """Limits enforced: our own budget, not the exchange, is what stops us."""
    account = open_account(server=fresh_sandbox)
    stopped = None
    for number in range(400):
        try:
            account.exchange.open_orders()
        except RateLimited as error:
            stopped = number, error
            break
    assert stopped is not None
    assert "not sent" in str(stopped[1])
    seen = fresh_sandbox.look("requests", exchange=name)["requests"]
    assert {entry["status"] for entry in seen} == {200}
    placed = account.exchange.place_order(account.request(OrderType.LIMIT, price=Decimal(30000)))
    assert placed.status is OrderStatus.OPEN, "orders keep a share that reads cannot spend"


def test_a_closed_client_leaves_no_connection_behind(name: str, sandbox: SandboxServer) -> None:
    exchange = connect(name, base_url=sandbox.at(name))
    exchange.server_time()
    exchange.close()
    exchange.close()
