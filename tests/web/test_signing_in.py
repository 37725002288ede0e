"""Signing up, logging in and out, as a browser does it."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from app.services import users
from tests.fixtures.app import PASSWORD, AppFactory, LogIn, MakeUser, submit

NEW = {"email": "ada@example.org", "password": PASSWORD, "password_again": PASSWORD}


def test_the_first_account_is_the_administrators_and_the_second_is_not(
    app: Flask, client: FlaskClient
) -> None:
    assert submit(client, "/signup", **NEW).location == "/start"
    second = app.test_client()
    submit(second, "/signup", **{**NEW, "email": "bob@example.org"})
    with app.app_context():
        assert [user.is_admin for user in users.everyone()] == [True, False]
    assert client.get("/admin").status_code == 200
    assert second.get("/admin").status_code == 403


def test_a_password_is_kept_as_its_argon2id_hash_alone(app: Flask, client: FlaskClient) -> None:
    submit(client, "/signup", **NEW)
    with app.app_context():
        kept = users.everyone()[0].password_hash
    assert kept.startswith("$argon2id$")
    assert PASSWORD not in kept


def test_a_form_without_its_token_is_refused_and_changes_nothing(app: Flask, client: FlaskClient) -> None:
    answer = client.post("/signup", data=NEW)
    assert answer.status_code == 400
    assert "Reload the page" in answer.text
    with app.app_context():
        assert users.count() == 0


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"email": "nobody"}, "email", "not an e-mail address"),
        ({"password": "short", "password_again": "short"}, "password", "at least 12 characters"),
        ({"password_again": "something else"}, "password_again", "not the same"),
    ],
)
def test_a_refused_sign_up_says_so_at_the_field_and_keeps_the_address(
    client: FlaskClient, change: dict[str, str], field: str, words: str
) -> None:
    answer = submit(client, "/signup", **{**NEW, **change})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert words in answer.text
    assert f'value="{change.get("email", NEW["email"])}"' in answer.text
    assert PASSWORD not in answer.text


def test_an_address_can_be_taken_once_only(make_user: MakeUser, client: FlaskClient) -> None:
    make_user("ada@example.org")
    answer = submit(client, "/signup", **{**NEW, "email": "ADA@example.org"})
    assert answer.status_code == 422
    assert "account with this address already" in answer.text


def test_closed_registration_lets_the_first_person_in_and_nobody_after(make_app: AppFactory) -> None:
    app = make_app(REGISTRATION="closed")
    assert submit(app.test_client(), "/signup", **NEW).status_code == 302
    late = app.test_client()
    assert "closed" in late.get("/signup").text
    answer = submit(late, "/signup", page="/login", **{**NEW, "email": "late@example.org"})
    assert answer.status_code == 403
    with app.app_context():
        assert users.count() == 1


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(
    make_user: MakeUser, client: FlaskClient
) -> None:
    user = make_user()
    wrong = submit(client, "/login", email=user.email, password="not the password")
    unknown = submit(client, "/login", email="nobody@example.org", password="not the password")
    assert wrong.status_code == unknown.status_code == 401
    for answer in (wrong, unknown):
        assert "Address and password do not fit together." in answer.text


def test_an_account_is_locked_after_failed_tries_and_says_for_how_long(
    make_user: MakeUser, client: FlaskClient, log_in: LogIn
) -> None:
    user, other = make_user(), make_user()
    answers = [
        submit(client, "/login", email=user.email, password=f"wrong password {number}").status_code
        for number in range(6)
    ]
    assert answers == [401] * 5 + [429]
    right = submit(client, "/login", email=user.email, password=PASSWORD)
    assert right.status_code == 429
    assert 0 < int(right.headers["Retry-After"]) <= 60
    log_in(other)  # another account is not touched by it


def test_an_address_that_tries_many_accounts_is_locked_out(make_user: MakeUser, client: FlaskClient) -> None:
    make_user()
    answers = [
        submit(client, "/login", email=f"guess{number}@example.org", password="guess").status_code
        for number in range(21)
    ]
    assert answers[-1] == 429


def test_logging_in_begins_a_session_with_nothing_from_before(
    make_user: MakeUser, client: FlaskClient
) -> None:
    user = make_user()
    with client.session_transaction() as session:
        session["planted"] = "by an attacker"
    client.get("/login")
    with client.session_transaction() as session:
        before = session["csrf_token"]
    submit(client, "/login", email=user.email, password=PASSWORD)
    with client.session_transaction() as session:
        assert "planted" not in session
        assert session.get("csrf_token") != before


def test_logging_out_makes_a_copied_cookie_worthless(app: Flask, make_user: MakeUser, log_in: LogIn) -> None:
    browser = log_in(make_user())
    cookie = browser.get_cookie("switchyard")
    assert cookie is not None
    thief = app.test_client()
    thief.set_cookie("switchyard", cookie.value)
    assert thief.get("/orders/").status_code == 200
    assert submit(browser, "/logout", page="/").status_code == 302
    assert thief.get("/orders/").status_code == 302
    assert browser.get("/orders/").status_code == 302


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(
    make_user: MakeUser, client: FlaskClient
) -> None:
    answer = submit(client, "/login", email=make_user().email, password=PASSWORD)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_behind_a_trusted_proxy_the_cookie_travels_over_tls_only(make_app: AppFactory) -> None:
    answer = submit(make_app(TRUSTED_PROXIES="1").test_client(), "/signup", **NEW)
    assert "Secure" in answer.headers["Set-Cookie"]


def test_a_page_asked_for_before_the_log_in_is_shown_after_it(
    make_user: MakeUser, client: FlaskClient
) -> None:
    user = make_user()
    asked = client.get("/orders/?tab=open")
    assert asked.status_code == 302
    answer = submit(client, asked.location, email=user.email, password=PASSWORD)
    assert answer.location == "/orders/?tab=open"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "",
    ],
)
def test_a_log_in_leads_nowhere_but_to_this_server(
    target: str, make_user: MakeUser, client: FlaskClient
) -> None:
    user = make_user()
    answer = submit(client, "/login", email=user.email, password=PASSWORD, next=target)
    assert answer.location == "/"


def test_a_program_without_a_session_is_told_401_rather_than_sent_to_a_form(
    make_user: MakeUser, client: FlaskClient
) -> None:
    make_user()
    assert client.get("/orders/", headers={"Accept": "application/json"}).status_code == 401
    assert client.get("/live", headers={"Accept": "text/event-stream"}).status_code == 401
    assert client.get("/trade/markets", headers={"HX-Request": "true"}).status_code == 401


def test_the_chosen_theme_is_kept(make_user: MakeUser, log_in: LogIn) -> None:
    browser = log_in(make_user())
    assert 'data-theme="dark"' in browser.get("/").text
    assert submit(browser, "/settings/theme", page="/", theme="light").location == "/"
    assert 'data-theme="light"' in browser.get("/").text
    submit(browser, "/settings/theme", page="/", theme="<script>")
    assert 'data-theme="light"' in browser.get("/").text


def test_an_address_that_nobody_has_is_answered_no_sooner_than_another() -> None:
    assert not PasswordHasher().check_needs_rehash(users.NOBODY)
