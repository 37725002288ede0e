"""A delivery of somebody who has the token and nothing else: the address, the secret and the signature it must have."""

from __future__ import annotations

import hashlib
import json
import time

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as some
from werkzeug.test import TestResponse

from app.domain import senders
from app.domain.senders import TRADINGVIEW, NotAnAddress
from app.extensions import db
from app.models import Source
from app.services import sources
from app.services.sources import SourceSettings
from tests.fixtures.app import AppFactory
from tests.webhooks.conftest import Line, MakeLine

SECRET = "correct-horse"
SIGNING_SECRET = "battery-staple"
BUY = {"action": "BuyMarket", "symbol": "BTCUSDT", "quantity": "0.01"}


def _denied(line: Line, answer: TestResponse, http: int, reason: str) -> None:
    assert answer.status_code == http, answer.text
    alert = line.alerts()[-1]
    assert (answer.get_json()["id"], alert.status) == (alert.id, "DENIED")
    assert reason in (alert.reason or "")
    assert alert.signal is None
    told = f"{answer.text} {alert.body} {alert.reason} {alert.headers}"
    assert SECRET not in told
    assert SIGNING_SECRET not in told


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({**BUY, "secret": SECRET}),
        json.dumps({**BUY, "SECRET": SECRET}),
        f"action=BuyMarket; symbol=BTCUSDT; quantity=0.01; secret={SECRET}",
    ],
)
def test_an_alert_with_the_secret_is_taken_and_the_secret_is_not_kept(body: str, make_line: MakeLine) -> None:
    line = make_line(secret=SECRET)

    assert line.send(body).status_code == 202

    (alert,) = line.alerts()
    assert "•••" in alert.body
    assert SECRET not in f"{alert.body} {alert.signal} {alert.reason}"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (json.dumps(BUY), "missing"),
        (json.dumps({**BUY, "secret": SECRET[:-1]}), "not the right one"),
        (json.dumps({**BUY, "secret": SECRET.upper()}), "not the right one"),
        (json.dumps({**BUY, "secret": ""}), "not the right one"),
        (json.dumps({**BUY, "secret": [SECRET]}), "not the right one"),
        (json.dumps({**BUY, "comment": f"secret={SECRET}"}), "missing"),
    ],
)
def test_an_alert_without_the_secret_is_denied_and_kept(body: str, reason: str, make_line: MakeLine) -> None:
    line = make_line(secret=SECRET)
    _denied(line, line.send(body), 401, reason)


def test_a_fault_in_the_message_is_told_before_the_secret_is_missed(make_line: MakeLine) -> None:
    line = make_line(secret=SECRET)
    answer = line.send('{"action": "PING",')
    assert answer.status_code == 400
    assert "line 1, column" in answer.get_json()["reason"]


def test_the_secret_is_stored_as_a_hash_that_needs_the_master_key_and_fits_one_source(
    app: Flask, make_line: MakeLine
) -> None:
    first, second = make_line("a", secret=SECRET), make_line("b", secret=SECRET)
    with app.app_context():
        stored = [db.session.get_one(Source, each.source_id) for each in (first, second)]
    assert stored[0].secret_hash != stored[1].secret_hash
    assert SECRET not in repr([vars(source) for source in stored])


def test_what_is_kept_of_a_body_to_know_it_again_needs_the_master_key(make_line: MakeLine) -> None:
    """All of the body but the secret is kept beside it."""
    line, body = make_line(secret=SECRET), json.dumps({**BUY, "secret": SECRET})
    assert [line.send(body).get_json()["status"] for _ in range(2)] == ["RECEIVED", "DUPLICATE"]
    plain_hash = hashlib.sha256(body.encode()).hexdigest()
    assert plain_hash not in {alert.fingerprint for alert in line.alerts()}


def test_a_signed_body_is_taken_and_any_other_denied(make_line: MakeLine) -> None:
    line, body = make_line(signing_secret=SIGNING_SECRET), json.dumps(BUY)
    signature = senders.sign(SIGNING_SECRET, body.encode())

    assert line.send(body, X_Signature=signature).status_code == 202

    _denied(line, line.send(body), 401, "missing")
    _denied(line, line.send(body + " ", X_Signature=signature), 401, "not of this body")
    _denied(line, line.send(body, X_Signature=signature[:-1]), 401, "not of this body")
    _denied(line, line.send(body, X_Signature="é" * 71), 401, "not of this body")
    _denied(line, line.send(body, X_Signature=senders.sign("wrong", body.encode())), 401, "not of this body")


def test_a_signature_with_its_time_is_good_for_five_minutes_and_the_time_cannot_be_taken_off(
    make_line: MakeLine,
) -> None:
    line, body = make_line(signing_secret=SIGNING_SECRET), json.dumps(BUY)
    now, old = str(int(time.time())), str(int(time.time()) - 301)

    def signed(timestamp: str) -> str:
        return senders.sign(SIGNING_SECRET, body.encode(), timestamp)

    assert line.send(body, X_Signature=signed(now), X_Timestamp=now).status_code == 202
    _denied(line, line.send(body, X_Signature=signed(old), X_Timestamp=old), 401, "300 seconds")
    _denied(line, line.send(body, X_Signature=signed(old), X_Timestamp=now), 401, "not of this body")
    _denied(line, line.send(body, X_Signature=signed(now)), 401, "not of this body")
    _denied(line, line.send(body, X_Signature=signed("soon"), X_Timestamp="soon"), 401, "300 seconds")


def test_the_time_of_an_overheard_signature_cannot_be_moved_into_the_body(make_line: MakeLine) -> None:
    """As the beginning of a first key it would be one that nobody knows, and the rest would be acted on, for ever."""
    line, body = (
        make_line(signing_secret=SIGNING_SECRET),
        "note=x; action=BuyMarket; symbol=BTCUSDT; quantity=1",
    )
    now = str(int(time.time()))
    signature = senders.sign(SIGNING_SECRET, body.encode(), now)
    assert line.send(body, X_Signature=signature, X_Timestamp=now).status_code == 202
    _denied(line, line.send(f"{now}.{body}", X_Signature=signature), 401, "signed with its time only")


def test_a_signing_secret_that_another_master_key_sealed_denies_and_breaks_nothing(
    app: Flask, make_line: MakeLine
) -> None:
    line = make_line(signing_secret=SIGNING_SECRET)
    line.change(signing_secret=b"x" * 40)
    body = json.dumps(BUY)
    signature = senders.sign(SIGNING_SECRET, body.encode())
    _denied(line, line.send(body, X_Signature=signature), 401, "cannot be decrypted")


@pytest.mark.parametrize("sender", [TRADINGVIEW[0], f"::ffff:{TRADINGVIEW[0]}", "10.1.2.3", "2001:db8::7"])
def test_a_listed_address_may_send(sender: str, make_line: MakeLine) -> None:
    listed = (*TRADINGVIEW, "10.0.0.0/8", "2001:db8::/32")
    line = make_line(settings=SourceSettings(senders=listed))
    assert line.send("action=PING", sender=sender).status_code == 202


@pytest.mark.parametrize("sender", ["52.89.214.239", "11.0.0.1", "2001:db9::1", "", "unix:"])
def test_any_other_address_is_denied(sender: str, make_line: MakeLine) -> None:
    listed = (*TRADINGVIEW, "10.0.0.0/8", "2001:db8::/32")
    line = make_line(settings=SourceSettings(senders=listed))
    _denied(line, line.send(json.dumps(BUY), sender=sender), 403, "address")


def test_the_address_is_that_which_the_trusted_proxies_tell_and_no_other(make_app: AppFactory) -> None:
    """Behind one proxy the last address of the header is its word; what stands before it, anybody may have written."""
    from app.domain.accounts import Credential, Environment
    from app.exchanges import NAMES
    from app.services import brokers, users

    answers = []
    for proxies in ("0", "1"):
        app = make_app(TRUSTED_PROXIES=proxies)
        with app.app_context():
            user = users.sign_up("ann@example.org", "correct horse battery")
            keys = Credential("key-of-the-account", "secret-of-the-account")
            broker = brokers.add(
                user, name="main", exchange=NAMES[0], environment=Environment.SANDBOX, credential=keys
            )
            _, token = sources.create(user, broker, "chart", SourceSettings(senders=TRADINGVIEW))
        for told in (TRADINGVIEW[0], f"{TRADINGVIEW[0]}, 192.0.2.1", f"192.0.2.1, {TRADINGVIEW[0]}"):
            answer = app.test_client().post(
                f"/webhook/{token}", data="action=PING", headers={"X-Forwarded-For": told}
            )
            answers.append(answer.status_code)
    assert answers == [403, 403, 403, 202, 403, 202]


def test_what_was_denied_does_not_make_the_right_one_a_duplicate(make_line: MakeLine) -> None:
    """Else a stranger could stop an alert by sending a copy of it first."""
    line, body = make_line(settings=SourceSettings(senders=TRADINGVIEW)), json.dumps(BUY)
    assert line.send(body).status_code == 403
    answer = line.send(body, sender=TRADINGVIEW[0])
    assert (answer.status_code, answer.get_json()["status"]) == (202, "RECEIVED")


def test_whoever_guesses_secrets_is_made_to_wait(make_line: MakeLine) -> None:
    line = make_line(secret=SECRET)
    answers = [line.send(json.dumps({**BUY, "secret": f"guess-{number}"})) for number in range(61)]
    codes = [answer.status_code for answer in answers]
    assert codes == [401] * 30 + [429] * 31
    assert all(0 < int(answer.headers["Retry-After"]) <= 60 for answer in answers[30:])
    right = json.dumps({**BUY, "secret": SECRET})
    assert line.send(right).status_code == 429, "else guessing on would find it"
    assert len(line.alerts()) == 30

    assert line.send(right, sender="192.0.2.8").status_code == 202
    assert make_line("other").send("action=PING").status_code == 202


def test_headers_are_kept_without_any_that_proves_something(make_line: MakeLine) -> None:
    line = make_line()
    proofs = {"X_Signature": "sha256=0", "Authorization": "Bearer hunter2", "Cookie": "hunter2=1"}
    line.send("action=PING", User_Agent="Go-http-client/1.1", **proofs)
    (alert,) = line.alerts()
    assert alert.headers is not None
    assert alert.headers["User-Agent"] == "Go-http-client/1.1"
    assert "hunter2" not in str(alert.headers)


@given(some.binary(max_size=200), some.text(min_size=8, max_size=40))
def test_a_signature_fits_its_body_and_its_secret_alone(body: bytes, secret: str) -> None:
    right = senders.sign(secret, body)
    assert right.startswith("sha256=")
    assert len(right) == 71
    assert senders.sign(secret, body + b"x") != right
    assert senders.sign(secret + "x", body) != right


@given(some.ip_addresses())
def test_every_address_may_send_when_it_is_listed_itself(address: object) -> None:
    assert senders.may_send(str(address), senders.networks([f" {address} "]))
    assert not senders.may_send(str(address), ())


@pytest.mark.parametrize("written", ["localhost", "1.2.3", "1.2.3.4/33", "1.2.3.4:80", "*"])
def test_what_is_no_address_is_refused_by_name(written: str) -> None:
    with pytest.raises(NotAnAddress, match="neither an address nor a network"):
        senders.networks([written])
