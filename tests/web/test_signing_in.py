"""Signing up, logging in and out, as a browser does it."""

from __future__ import annotations

from flask import Flask
from flask.testing import FlaskClient

from app.services import users
from tests.fixtures.app import PASSWORD, submit

NEW = {"email": "ada@example.org", "password": PASSWORD, "password_again": PASSWORD}


def test_the_first_account_is_the_administrators_and_the_second_is_not(
    app: Flask, client: FlaskClient
) -> None:
    assert submit(client, "/signup", **NEW).location == "/"
    second = app.test_client()
    submit(second, "/signup", **{**NEW, "email": "bob@example.org"})
    with app.app_context():
        assert [user.is_admin for user in users.everyone()] == [True, False]
    assert client.get("/admin").status_code == 200
    assert second.get("/admin").status_code == 403
