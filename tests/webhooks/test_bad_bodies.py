"""Whatever is sent is answered, kept and explained, never with a 5xx, and never half understood."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app.extensions import db
from app.models import OrderRow
from app.services import alerts
from tests.webhooks.conftest import Line

BODIES = json.loads(Path(__file__).with_name("bodies.json").read_text())


def _raw(case: dict[str, Any]) -> bytes:
    if "hex" in case:
        return bytes.fromhex(case["hex"])
    if "built" in case:
        built = case["built"]
        return (built["before"] + built["again"] * built["times"] + built["after"]).encode()
    return str(case["body"]).encode()


def test_there_are_enough_of_them() -> None:
    assert len({case["name"] for case in BODIES}) == len(BODIES) >= 60


@pytest.mark.parametrize("case", BODIES, ids=lambda case: case["name"])
def test_a_body_is_answered_and_kept_as_it_should_be(case: dict[str, Any], app: Flask, line: Line) -> None:
    body = _raw(case)

    answer = line.send(body, Content_Type=case.get("content_type", "text/plain"))

    assert answer.status_code == case["http"], answer.text
    (alert,) = line.alerts()
    told = answer.get_json()
    assert (told["id"], told["status"]) == (alert.id, alert.status) == (alert.id, case["stored"])
    assert told.get("reason") == alert.reason
    assert re.search(case["reason"] or "^$", alert.reason or "")
    kept = case.get("kept", case["body"])
    if kept is not None:
        assert alert.body == kept
    if "never" in case:
        seen = f"{alert.body} {alert.reason} {json.dumps(alert.signal)} {answer.text}"
        assert case["never"] not in seen
    with app.app_context():
        if "decided" in case:
            alerts.process(alert.id)
            (alert,) = line.alerts()
            assert alert.status == case["decided"]
            assert case["because"] in (alert.reason or "")
        assert db.session.query(OrderRow).count() == 0
