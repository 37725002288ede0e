"""A second factor keeps out whoever knows the password alone, and lets its owner in by one way or another."""

from __future__ import annotations

import html
import re
import time

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from app.extensions import db
from app.models import AuditEntry, User
from app.services import second_factor
from tests.fixtures.app import PASSWORD, MakeUser, submit

PAGE = "/settings/second-factor/"


def _code(secret: str, *, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(int(time.time()), counter_offset=steps)


def _shown_secret(browser: FlaskClient) -> str:
    found = re.search(r'id="totp-key">([A-Z2-7 ]+)<', browser.get(PAGE).text)
    assert found is not None
    return found[1].replace(" ", "")


def _shown_codes(page: str) -> list[str]:
    return re.findall(r"<li><code>([a-z0-9-]+)</code></li>", page)


def _turn_on(browser: FlaskClient) -> tuple[str, list[str]]:
    """Returns the secret and the recovery codes. The code used is the last step's, so that this step's is free."""
    assert submit(browser, PAGE, act="begin", password=PASSWORD).status_code == 302
    secret = _shown_secret(browser)
    answer = submit(browser, PAGE, act="confirm", code=_code(secret, steps=-1))
    assert answer.status_code == 200, answer.text
    return secret, _shown_codes(answer.text)


def _halfway(app: Flask, user: User) -> FlaskClient:
    """A browser in which the password was right."""
    browser = app.test_client()
    answer = submit(browser, "/login?next=/orders/", email=user.email, password=PASSWORD)
    assert answer.location == "/login/code"
    assert browser.get("/orders/").status_code == 302
    return browser


def test_it_counts_from_its_first_code_on_and_not_before(
    app: Flask, user: User, browser: FlaskClient
) -> None:
    assert submit(browser, PAGE, act="begin", password="not the password").status_code == 422
    submit(browser, PAGE, act="begin", password=PASSWORD)
    secret = _shown_secret(browser)
    drawing = browser.get(f"{PAGE}code.svg")
    assert (drawing.mimetype, drawing.headers["Cache-Control"]) == ("image/svg+xml", "no-store")
    assert submit(browser, PAGE, act="confirm", code="000000").status_code == 422
    assert submit(app.test_client(), "/login", email=user.email, password=PASSWORD).location == "/"

    answer = submit(browser, PAGE, act="confirm", code=_code(secret))

    codes = _shown_codes(answer.text)
    assert len(set(codes)) == second_factor.RECOVERY_CODES
    later = browser.get(PAGE).text
    assert secret not in later.replace(" ", "")
    assert not any(code in later for code in codes)
    assert browser.get(f"{PAGE}code.svg").status_code == 404
    _halfway(app, user)


def test_neither_secret_nor_codes_can_be_read_from_the_database_or_the_trail(
    app: Flask, browser: FlaskClient
) -> None:
    secret, codes = _turn_on(browser)
    with app.app_context():
        tables = ("second_factors", "recovery_codes", "audit_entries")
        stored = " ".join(
            str(row) for table in tables for row in db.session.execute(text(f"SELECT * FROM {table}"))
        )
        actions = db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    for told in (secret, *codes, *(code.replace("-", "") for code in codes)):
        assert told not in stored
    assert "second_factor.on" in actions


def test_a_code_opens_once_even_within_its_half_minute(app: Flask, user: User, browser: FlaskClient) -> None:
    secret, _ = _turn_on(browser)
    first, second = _halfway(app, user), _halfway(app, user)
    now = _code(secret)

    entered = submit(first, "/login/code", code=f"{now[:3]} {now[3:]}")

    assert entered.location == "/orders/"
    assert first.get("/orders/").status_code == 200
    replayed = submit(second, "/login/code", code=now)
    assert replayed.status_code == 401
    assert (
        submit(second, "/login/code", code=_code(secret, steps=-1)).status_code == 401
    )  # older than the last
    assert second.get("/orders/").status_code == 302


def test_a_recovery_code_opens_once_and_new_ones_end_the_old(
    app: Flask, user: User, browser: FlaskClient
) -> None:
    _, codes = _turn_on(browser)
    assert submit(_halfway(app, user), "/login/code", code=codes[0].upper()).status_code == 302
    assert submit(_halfway(app, user), "/login/code", code=codes[0]).status_code == 401
    assert "9 recovery codes are left" in browser.get(PAGE).text

    assert submit(browser, PAGE, act="codes", password="wrong one").status_code == 422
    fresh = _shown_codes(submit(browser, PAGE, act="codes", password=PASSWORD).text)

    assert submit(_halfway(app, user), "/login/code", code=codes[1]).status_code == 401
    assert submit(_halfway(app, user), "/login/code", code=fresh[0]).status_code == 302


def test_codes_cannot_be_tried_out(app: Flask, user: User, browser: FlaskClient) -> None:
    secret, _ = _turn_on(browser)
    thief = _halfway(app, user)
    answers = [submit(thief, "/login/code", code=f"00000{number}").status_code for number in range(6)]
    assert answers == [401] * 5 + [429]
    assert submit(_halfway(app, user), "/login/code", code=_code(secret)).status_code == 429


def test_the_second_step_is_nowhere_without_the_first(app: Flask, user: User, browser: FlaskClient) -> None:
    secret, _ = _turn_on(browser)
    stranger = app.test_client()
    assert stranger.get("/login/code").location == "/login"
    assert submit(stranger, "/login/code", page="/login", code=_code(secret)).location == "/login"
    slow = _halfway(app, user)
    with slow.session_transaction() as kept:
        kept["halfway"] = {**kept["halfway"], "until": "2026-01-01T00:00:00+00:00"}
    assert submit(slow, "/login/code", page="/login", code=_code(secret)).location == "/login"


def test_turning_it_off_asks_for_the_password(app: Flask, user: User, browser: FlaskClient) -> None:
    _turn_on(browser)
    refused = submit(browser, PAGE, act="off", password="wrong one")
    assert refused.status_code == 422
    assert "not your password" in refused.text
    _halfway(app, user)

    assert submit(browser, PAGE, act="off", password=PASSWORD).status_code == 302

    assert submit(app.test_client(), "/login", email=user.email, password=PASSWORD).location == "/"


def test_an_open_page_is_no_place_to_guess_the_password(browser: FlaskClient) -> None:
    answers = [
        submit(browser, path, act="begin", password=f"guess {number}", email="a@x.org")
        for number, path in enumerate(["/settings/account", PAGE] * 3)
    ]
    assert [answer.status_code for answer in answers] == [422] * 5 + [429]
    assert submit(browser, PAGE, act="begin", password=PASSWORD).status_code == 429


def test_what_is_asked_for_out_of_turn_is_refused_in_words(browser: FlaskClient) -> None:
    assert "There is nothing to confirm" in submit(browser, PAGE, act="confirm", code="1").text
    assert "is off" in submit(browser, PAGE, act="codes", password=PASSWORD).text
    assert submit(browser, PAGE, act="nonsense").status_code == 400


@pytest.mark.parametrize("door", ["terminal", "administrator"])
def test_who_has_lost_everything_is_let_in_again(
    app: Flask, door: str, user: User, browser: FlaskClient, make_user: MakeUser
) -> None:
    other = make_user()
    theirs = app.test_client()
    submit(theirs, "/login", email=other.email, password=PASSWORD)
    _turn_on(theirs)

    if door == "terminal":
        done = app.test_cli_runner().invoke(args=["user", "reset-2fa", other.email])
        assert done.exit_code == 0, done.output
    else:
        path = f"/admin/users/{other.id}/second-factor/reset"
        assert html.escape(path) in browser.get("/admin").text
        assert submit(browser, path, page="/admin").status_code == 302

    assert theirs.get("/orders/").status_code == 302
    assert submit(theirs, "/login", email=other.email, password=PASSWORD).location == "/"
