"""What real trading leaves in the audit chain, and its proof: all through ``flask audit``."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.dispatch import TaskName
from app.models import AuditEntry, AuditSeal
from tests.cli.conftest import PASSWORD, Operator
from tests.fixtures.stack import until

SECRET = "open-sesame-of-the-chart"


def told_of(operator: Operator, subject: str) -> list[dict[str, Any]]:
    """Everything about one row, oldest first."""
    shown = operator.flask("audit", "show", "--subject", subject, "--json").json
    return list(reversed(shown))


def actions(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["action"] for entry in entries]


@pytest.fixture(scope="module")
def trader(new_operator: Callable[..., Operator]) -> Operator:
    """One who connected a broker."""
    made = new_operator()
    made.connect()
    return made


def await_entries(trader: Operator, subject: str, number: int) -> None:
    """Wait until as many entries are written down about a row."""
    query = select(func.count(AuditEntry.id)).where(AuditEntry.subject == subject)

    def written() -> bool:
        with trader.stack.session() as session:
            return session.scalar(query) == number

    until(written, f"{number} entries about {subject}")


@pytest.fixture(scope="module")
def alert(trader: Operator) -> int:
    """The id of a decided alert that had a secret in it."""
    token = trader.flask("source", "create", "chart", "--json").json["url"].rpartition("/")[2]
    body = {"action": "BuyMarket", "symbol": "BTCUSDT", "quantity": "0.01", "secret": SECRET}
    words = ("alert", "send", json.dumps(body), "--source", "chart", "--json")
    number = int(trader.flask(*words, SWITCHYARD_TOKEN=token).json["id"])
    await_entries(trader, f"alert {number}", 2)
    return number


def test_an_alert_and_its_order_are_written_down_step_by_step(trader: Operator, alert: int) -> None:
    received, decided = told_of(trader, f"alert {alert}")
    assert (received["action"], received["address"]) == ("alert.received", "127.0.0.1")
    assert received["actor"].startswith("source ")
    assert (decided["action"], decided["actor"]) == ("alert.decided", "worker")
    assert decided["detail"] == {"status": "PROCESSED", "reason": "buy 0.01 BTC at the market"}
    assert "@" in decided["address"]

    order = trader.flask("order", "list", "--alert", str(alert), "--json").json[0]["id"]
    await_entries(trader, f"order {order}", 3)
    placed, claimed, filled = told_of(trader, f"order {order}")
    assert actions([placed, claimed, filled]) == ["order.placed", "order.moved", "order.moved"]
    assert (placed["detail"]["alert_id"], placed["detail"]["quantity"]) == (alert, "0.01")
    assert (claimed["detail"]["before"], claimed["detail"]["status"]) == ("PENDING", "SUBMITTED")
    assert (filled["detail"]["status"], filled["detail"]["filled_quantity"]) == ("FILLED", "0.01")


def test_what_an_operator_does_is_written_down_with_their_name(trader: Operator) -> None:
    words = ("order", "place", "buy", "BTC/USDT", "--quantity", "0.01", "--price", "20000", "--yes", "--json")
    order = trader.flask(*words, SSH_CONNECTION="203.0.113.9 50022 10.0.0.1 22").json["id"]
    trader.flask("order", "cancel", str(order), "--yes")

    entries = told_of(trader, f"order {order}")

    by_operator = [entry for entry in entries if entry["actor"] == f"cli:{getpass.getuser()}"]
    assert actions(by_operator) == ["order.placed", "order.cancel_asked"]
    assert [entry["address"] for entry in by_operator] == ["203.0.113.9", None]
    assert actions(entries)[-1] == "order.moved"
    assert entries[-1]["detail"]["status"] == "CANCELED"


def test_the_chain_of_real_trading_is_whole_and_its_export_too(
    trader: Operator, alert: int, tmp_path: Path
) -> None:
    trader.flask("audit", "seal")
    proved = trader.flask("audit", "verify", "--json").json
    assert proved["broken"] is None
    assert proved["links"] > 10
    file = tmp_path / "chain.jsonl"

    trader.flask("audit", "export", str(file))

    text = file.read_text()
    assert f'"alert {alert}"' in text
    again = trader.flask("audit", "verify", "--file", str(file), "--expect", proved["head"], "--json").json
    assert (again["broken"], again["links"]) == (None, len(text.splitlines()))
    for secret in (SECRET, PASSWORD, trader.keys.api_key, trader.keys.api_secret):
        assert secret not in text
    file.write_text("\n".join(text.splitlines()[:-1]))
    cut = trader.flask("audit", "verify", "--file", str(file), "--expect", again["head"], code=1)
    assert "the end was cut off" in cut.err
    file.write_text(text.replace("alert.received", "alert.forgotten", 1))
    changed = trader.flask("audit", "verify", "--file", str(file), code=1)
    assert "was changed" in changed.err
    assert "remedy: " in changed.err


def test_entries_are_found_by_person_kind_time_and_number(trader: Operator) -> None:
    def shown(*words: str) -> list[dict[str, Any]]:
        found = trader.flask("audit", "show", *words, "--json").json
        assert isinstance(found, list)
        return found

    theirs = shown("--user", trader.email, "--limit", "1000")
    assert {entry["user_id"] for entry in theirs} == {theirs[0]["user_id"]}
    assert actions(theirs)[-1] == "user.created"
    assert set(actions(shown("--user", trader.email, "--action", "source"))) == {"source.created"}
    assert set(actions(shown("--action", "broker.added"))) == {"broker.added"}
    assert len(shown("--limit", "2")) == 2
    assert shown("--since", "2999-01-01") == []
    assert "Nothing like that" in trader.flask("audit", "show", "--subject", "order 0").out
    assert "no account" in trader.flask("audit", "show", "--user", "no@x.org", code=1).err


def test_a_worker_seals_when_beat_asks_for_it(trader: Operator) -> None:
    with trader.stack.session() as session:
        newest = session.scalar(select(func.max(AuditEntry.id)))

    trader.stack.call(TaskName.BEAT_SEAL)

    def sealed() -> bool:
        with trader.stack.session() as session:
            return session.scalar(select(AuditSeal).where(AuditSeal.entry_id == newest)) is not None

    until(sealed, "the newest entry to be sealed")
