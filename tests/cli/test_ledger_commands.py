"""The money ledger at the terminal."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal

import pytest
from click.testing import Result
from flask import Flask

from app.domain.accounts import Balance
from app.extensions import db
from app.models import BalanceRow, Broker, User, utc_now
from app.services import balances
from tests.fixtures.app import MakeBroker, MakeUser

TypeIn = Callable[..., Result]


@pytest.fixture
def broker(app: Flask, make_user: MakeUser, make_broker: MakeBroker) -> Broker:
    user: User = make_user()
    return make_broker(user, "main")


def sync(app: Flask, broker: Broker, **held: str) -> None:
    """What a sync of balances does when the exchange reports these."""
    with app.app_context():
        reported = {
            asset: Balance(asset, Decimal(total), Decimal(0), Decimal(total)) for asset, total in held.items()
        }
        balances.store(db.session.get_one(Broker, broker.id), reported, asked_at=utc_now())


def test_before_the_first_sync_there_is_nothing_to_list(type_in: TypeIn, broker: Broker) -> None:
    for command in ("list", "sum"):
        assert "flask broker sync" in type_in("ledger", command).stdout


def test_entries_and_sums_are_listed_for_a_person_and_for_a_program(
    app: Flask, type_in: TypeIn, broker: Broker
) -> None:
    sync(app, broker, USDT="1000.50", BTC="0.1")

    assert "OPENING" in type_in("ledger", "list").stdout
    [entry] = json.loads(type_in("ledger", "list", "main", "--asset", "usdt", "--json").stdout)
    assert (entry["asset"], entry["amount"], entry["kind"]) == ("USDT", "1000.5", "OPENING")
    sums = json.loads(type_in("ledger", "sum", "--json").stdout)
    assert [(row["asset"], row["opening"], row["total"]) for row in sums] == [
        ("BTC", "0.1", "0.1"),
        ("USDT", "1000.5", "1000.5"),
    ]


def test_a_ledger_that_adds_up_passes_the_check(app: Flask, type_in: TypeIn, broker: Broker) -> None:
    sync(app, broker, USDT="1000.50")
    [row] = json.loads(type_in("ledger", "check", "--json").stdout)
    assert (row["total"], row["reported"], row["drift"]) == ("1000.5", "1000.5", "0")


def test_the_check_names_what_drifts_and_by_how_much_and_exits_1(
    app: Flask, type_in: TypeIn, broker: Broker
) -> None:
    sync(app, broker, USDT="1000.50", BTC="0.1")
    sync(app, broker, USDT="1000.50", BTC="0.3")
    done = type_in("ledger", "check", code=1)
    assert "BTC by +0.2" in done.stderr
    assert "USDT by" not in done.stderr

    sync(app, broker, USDT="1000.50", BTC="0.3")
    type_in("ledger", "check")  # it was taken in
    assert "EXTERNAL" in type_in("ledger", "list").stdout


def test_the_check_finds_a_figure_that_is_not_the_sum_of_its_entries(
    app: Flask, type_in: TypeIn, broker: Broker
) -> None:
    sync(app, broker, USDT="1000.50")
    with app.app_context():
        db.session.query(BalanceRow).one().expected = Decimal(1)
        db.session.commit()
    done = type_in("ledger", "check", code=1)
    assert "not the sum of its entries" in done.stderr
