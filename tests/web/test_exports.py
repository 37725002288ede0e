"""What is listed can be had as a file: whole, exact, and harmless when opened."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook

from app.extensions import db
from app.models import User
from app.services import audit
from app.web import exports
from tests.fixtures.app import LogIn, MakeUser
from tests.fixtures.history import History

AT = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
LONG = Decimal("1234567890.123456789012345678")
ROWS = [
    (AT, "=1+1", Decimal("-0.10"), LONG, 7, None),
    (AT, "-cmd|' /C calc'!A0", Decimal("1E-8"), Decimal("1E+21"), 0, "Zoë, “so”\nsaid"),
]
COLUMNS = ("Time (UTC)", "Text", "Amount", "Long", "Number", "Note")


def read_csv(text: str) -> list[list[Any]]:
    return list(csv.reader(io.StringIO(text)))


def read_xlsx(data: bytes) -> list[list[Any]]:
    sheet = load_workbook(io.BytesIO(data)).active
    assert sheet is not None
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def test_a_csv_file_holds_every_digit_and_no_formula(app: Flask) -> None:
    with app.test_request_context("/?format=csv"):
        answer = exports.answer("things", COLUMNS, ROWS)
        header, first, second = read_csv(answer.get_data(as_text=True))
    assert header == list(COLUMNS)
    assert first == ["2026-03-01T12:30:15.123+00:00", "'=1+1", "-0.1", str(LONG), "7", ""]
    assert second[1:4] == ["'-cmd|' /C calc'!A0", "0.00000001", "1000000000000000000000"]
    assert second[5] == ROWS[1][5]
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=switchyard-things-")


def test_a_workbook_counts_with_what_it_can_hold_and_shows_the_rest_as_text(app: Flask) -> None:
    with app.test_request_context("/?format=xlsx"):
        answer = exports.answer("things", COLUMNS, ROWS)
        answer.direct_passthrough = False
        header, first, second = read_xlsx(answer.get_data())
        answer.close()
    assert header == list(COLUMNS)
    assert first == [AT.replace(microsecond=123000, tzinfo=None), "=1+1", -0.1, str(LONG), 7, None]
    assert second[1:4] == ["-cmd|' /C calc'!A0", 1e-8, 1e21]
    assert second[5] == ROWS[1][5]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_activity_is_had_as_a_file_under_the_filters_of_the_page(
    app: Flask, browser: FlaskClient, user: User, history: History, kind: str
) -> None:
    with app.app_context():
        for number in range(1200):
            audit.record("key.rotated", f"broker {number}", user_id=user.id)
        db.session.commit()

    def exported(query: str) -> list[list[Any]]:
        with browser.get(f"/activity/export?format={kind}&{query}") as answer:
            assert answer.status_code == 200
            return (read_csv(answer.text) if kind == "csv" else read_xlsx(answer.data))[1:]

    subjects = [row[2] for row in exported("kind=key&page=3")]
    assert subjects == [f"broker {number}" for number in reversed(range(1200))]
    assert {row[1] for row in exported("kind=order")} == {"order.placed"}
    assert len(exported("")) > 1200
    assert (
        f'/activity/export?kind=order&amp;format={kind}"' in browser.get("/activity/?kind=order&page=1").text
    )


def test_a_file_holds_no_other_persons_rows(
    browser: FlaskClient, history: History, make_user: MakeUser, log_in: LogIn
) -> None:
    stranger = log_in(make_user(is_admin=False))
    assert "order.placed" in browser.get("/activity/export").text
    assert "order.placed" not in stranger.get("/activity/export").text
