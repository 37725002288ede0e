"""Errors a person can act on, and keys that show themselves to nobody."""

from __future__ import annotations

import pickle
from decimal import Decimal

import pytest

from app.domain import errors
from app.domain.accounts import Balance, ConnectionReport, Credential, Environment, Grant, TradingMode
from app.domain.errors import (
    ExchangeError,
    ExchangeUnavailable,
    InsufficientFunds,
    OrderDenied,
    OrderRejected,
    OutcomeUnknown,
    RateLimited,
    SwitchyardError,
    TradingError,
    Violation,
)

ALL = [
    found for found in vars(errors).values() if isinstance(found, type) and issubclass(found, SwitchyardError)
]
OF_EXCHANGES = [found for found in ALL if issubclass(found, ExchangeError)]
SECRET = "do-not-show-me"


@pytest.mark.parametrize("kind", ALL)
def test_every_error_has_a_remedy_in_a_sentence(kind: type[SwitchyardError]) -> None:
    assert kind.remedy[0].isupper()
    assert kind.remedy.endswith(".")


@pytest.mark.parametrize("kind", OF_EXCHANGES)
def test_an_exchange_error_names_the_exchange_and_its_code(kind: type[ExchangeError]) -> None:
    error = kind("kraken", "Insufficient funds", code="EOrder", http_status=400, raw={"error": ["EOrder"]})

    assert str(error) == error.message == "kraken EOrder: Insufficient funds"
    assert (error.exchange, error.code, error.http_status) == ("kraken", "EOrder", 400)
    assert error.exchange_message == "Insufficient funds"
    assert error.raw == {"error": ["EOrder"]}


def test_an_exchange_error_without_a_code_names_the_exchange_alone() -> None:
    assert str(ExchangeUnavailable("okx", "no route to host")) == "okx: no route to host"


def test_a_remedy_of_its_own_goes_before_the_usual_one() -> None:
    assert OrderRejected("okx", "no", remedy="Do this.").remedy == "Do this."
    assert OrderRejected("okx", "no").remedy == OrderRejected.remedy


def test_a_denial_names_every_violation() -> None:
    denied = OrderDenied([Violation("lot_size", "too fine"), Violation("min_notional", "too small")])

    assert denied.message == "too fine; too small"
    assert [violation.rule for violation in denied.violations] == ["lot_size", "min_notional"]
    assert OrderDenied.because("paused", "it is paused").violations == (Violation("paused", "it is paused"),)


def test_a_rate_limit_says_when_to_come_back() -> None:
    assert RateLimited("okx", "slow down", retry_after=30, code="50011").retry_after == 30
    assert RateLimited("okx", "slow down").retry_after is None


def test_surely_not_executed_and_maybe_executed_are_never_mistaken_for_each_other_or_for_a_no() -> None:
    kinds = (ExchangeUnavailable, OutcomeUnknown, OrderRejected, OrderDenied, RateLimited)

    for one in kinds:
        assert issubclass(one, TradingError)
        assert not any(issubclass(one, other) for other in kinds if other is not one)
    assert issubclass(InsufficientFunds, OrderRejected)


def test_the_raw_answer_kept_in_an_error_is_a_copy() -> None:
    answer: dict[str, object] = {"code": 1}
    error = ExchangeError("okx", "no", raw=answer)
    answer["code"] = 2

    assert error.raw == {"code": 1}


def test_a_credential_shows_none_of_its_secrets() -> None:
    credential = Credential(SECRET, SECRET, SECRET)

    for shown in (repr(credential), str(credential), f"{credential}", "%s %r" % (credential, [credential])):  # noqa: UP031
        assert SECRET not in shown


def test_what_holds_a_credential_does_not_show_it_either() -> None:
    error = SwitchyardError(f"{Credential(SECRET, SECRET)} was refused")

    assert SECRET not in repr(error)
    assert SECRET not in str(error)


def test_a_credential_cannot_be_changed_and_survives_a_copy_whole() -> None:
    credential = Credential(SECRET, SECRET, None)

    with pytest.raises(AttributeError):
        credential.api_key = "other"  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(credential)) == credential


def test_words_are_stored_as_they_are_shown() -> None:
    assert [each.value for each in Environment] == ["LIVE", "TESTNET", "SANDBOX"]
    assert [each.value for each in TradingMode] == ["OFF", "WEBHOOKS", "STRATEGY"]


def test_a_report_that_knows_nothing_claims_nothing() -> None:
    report = ConnectionReport(connected=False)

    assert report.permissions.read is report.permissions.trade is report.permissions.withdraw is Grant.UNKNOWN
    assert report.ip_restricted is Grant.UNKNOWN
    assert report.clock_skew_ms is None
    assert report.balances == {}


def test_a_balance_tells_its_parts_by_name() -> None:
    balance = Balance("BTC", free=Decimal(1), locked=Decimal(2), total=Decimal(3))

    assert (balance.asset, balance.free, balance.locked, balance.total) == ("BTC", 1, 2, 3)
