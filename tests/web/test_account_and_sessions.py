"""A person changes what they log in with, and sees and ends where they are logged in."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text, update

from app.extensions import db
from app.models import LoginSession, User, utc_now
from app.services import tokens, users
from app.services.tokens import Scope
from app.web import agents
from tests.fixtures.app import PASSWORD, LogIn, MakeUser, submit
from tests.web.test_every_page import counted_queries

NEW = "a quite different one"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "CriOS/131.0.6778.73 Mobile/15E148 Safari/604.1"
)


def _on_a_phone(app: Flask, user: User) -> FlaskClient:
    browser = app.test_client()
    browser.environ_base["HTTP_USER_AGENT"] = PHONE
    browser.environ_base["REMOTE_ADDR"] = "203.0.113.7"
    submit(browser, "/login", email=user.email, password=PASSWORD)
    return browser


def test_a_new_password_asks_for_the_old_and_ends_every_other_session(
    app: Flask, user: User, browser: FlaskClient
) -> None:
    phone = _on_a_phone(app, user)
    form = {"email": user.email, "new_password": NEW, "new_password_again": NEW}
    wrong = submit(browser, "/settings/account", **form, password="not the password")
    assert wrong.status_code == 422
    short = {**form, "new_password": "short", "new_password_again": "short"}
    assert submit(browser, "/settings/account", **short, password=PASSWORD).status_code == 422
    assert phone.get("/orders/").status_code == 200

    answer = submit(browser, "/settings/account", **form, password=PASSWORD)

    assert answer.status_code == 302
    assert browser.get("/orders/").status_code == 200
    assert phone.get("/orders/").status_code == 302
    assert submit(phone, "/login", email=user.email, password=PASSWORD).status_code == 401
    assert submit(phone, "/login", email=user.email, password=NEW).status_code == 302


def test_another_address_is_what_one_logs_in_with(
    app: Flask, user: User, browser: FlaskClient, make_user: MakeUser
) -> None:
    taken = submit(browser, "/settings/account", email=make_user().email, password=PASSWORD)
    assert taken.status_code == 422
    assert "account with this address already" in taken.text

    submit(browser, "/settings/account", email="Ada@Example.org", password=PASSWORD)

    assert browser.get("/orders/").status_code == 200
    assert submit(app.test_client(), "/login", email="ada@example.org", password=PASSWORD).status_code == 302
    assert submit(app.test_client(), "/login", email=user.email, password=PASSWORD).status_code == 401


def test_sessions_are_listed_in_words_and_end_one_by_one_or_all_others_at_once(
    app: Flask, user: User, browser: FlaskClient
) -> None:
    phones = [_on_a_phone(app, user) for _ in range(3)]
    page = browser.get("/settings/sessions").text
    assert page.count("Chrome on iPhone</td>") == 3
    assert "203.0.113.7" in page
    assert page.count("This one") == 1

    path = re.search(r'action="(/settings/sessions/\d+/end)"', page)
    assert path is not None
    submit(browser, path[1], page="/settings/sessions")
    assert sorted(phone.get("/orders/").status_code for phone in phones) == [200, 200, 302]

    submit(browser, "/settings/sessions/end-others", page="/settings/sessions")
    assert {phone.get("/orders/").status_code for phone in phones} == {302}
    assert browser.get("/orders/").status_code == 200


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", ("Firefox", "Linux")),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/131.0 Safari/537.36 Edg/131.0", ("Edge", "Windows")),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.1 Safari/605.1", ("Safari", "macOS")),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/131.0 Mobile Safari/537.36", ("Chrome", "Android")),
        ("something else", (None, None)),
    ],
)
def test_a_browser_is_told_in_words(header: str, words: tuple[str | None, str | None]) -> None:
    assert agents.in_words(header) == words


def test_logging_out_ends_this_session_alone(app: Flask, user: User, browser: FlaskClient) -> None:
    phone = _on_a_phone(app, user)
    submit(phone, "/logout", page="/")
    assert phone.get("/orders/").status_code == 302
    assert browser.get("/orders/").status_code == 200


def test_the_key_in_a_cookie_is_stored_nowhere(app: Flask, browser: FlaskClient) -> None:
    with browser.session_transaction() as kept:
        key = kept["_user_id"]
    with app.app_context():
        assert key not in str(db.session.execute(text("SELECT * FROM login_sessions")).all())


def test_being_logged_in_costs_a_page_one_question_and_a_write_a_minute(
    app: Flask, browser: FlaskClient
) -> None:
    def about_sessions() -> list[str]:
        with counted_queries(app) as statements:
            assert browser.get("/settings/risk").status_code == 200
        return [said.split()[0] for said in statements if "login_sessions" in said or "FROM users" in said]

    assert about_sessions() == ["SELECT"]
    _age(app, timedelta(seconds=61))
    assert about_sessions() == ["SELECT", "UPDATE"]
    assert about_sessions() == ["SELECT"]


def test_a_session_that_is_not_used_for_two_weeks_has_ended(app: Flask, browser: FlaskClient) -> None:
    _age(app, timedelta(days=13))
    assert browser.get("/orders/").status_code == 200
    _age(app, timedelta(days=15))
    assert browser.get("/orders/").status_code == 302


def test_a_closed_account_keeps_its_person_and_their_programs_out(
    app: Flask, user: User, browser: FlaskClient, make_user: MakeUser, log_in: LogIn
) -> None:
    other = make_user()
    theirs = log_in(other)
    with app.app_context():
        _, token = tokens.create(other, "bot", [Scope.READ], days=1)
    call = {"Authorization": f"Bearer {token}"}
    assert app.test_client().get("/api/v1/positions", headers=call).status_code == 200

    submit(browser, f"/admin/users/{other.id}/close", page="/admin")

    assert theirs.get("/orders/").status_code == 302
    assert submit(theirs, "/login", email=other.email, password=PASSWORD).status_code == 401
    assert app.test_client().get("/api/v1/positions", headers=call).status_code == 401
    submit(browser, f"/admin/users/{other.id}/reopen", page="/admin")
    assert "the account is closed" in log_in(other).get("/").text.lower()  # the halt of entries stays


def test_the_last_administrator_stays_one(
    app: Flask, user: User, browser: FlaskClient, make_user: MakeUser
) -> None:
    for act in ("role", "close"):
        submit(browser, f"/admin/users/{user.id}/{act}", page="/admin", admin="0")
    assert "is the only administrator" in browser.get("/admin").text
    other = make_user()
    submit(browser, f"/admin/users/{other.id}/role", page="/admin", admin="1")
    submit(browser, f"/admin/users/{user.id}/role", page="/admin", admin="0")
    assert browser.get("/admin").status_code == 403
    with app.app_context():
        assert [person.is_admin for person in users.everyone()] == [False, True]


def _age(app: Flask, age: timedelta) -> None:
    with app.app_context():
        db.session.execute(update(LoginSession).values(seen_at=utc_now() - age))
        db.session.commit()
