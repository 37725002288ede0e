"""What is stored of an alert never holds its secret, whatever the secret is made of and however broken the alert is."""

from __future__ import annotations

import pytest

from app.domain.masking import mask


@pytest.mark.parametrize(
    "body",
    [
        '{"action": "PING", "secret": "hunter2 and more, really", "id": "7"}',
        '{"action": "PING", "secret": "hunter2 \\" and more", "id": "7"}',
        '{"action": "PING", "Secret" : "hunter2 and more" , "id": "7"}',
        '{"secret":"hunter2 and more',
        '{"secret":"hunter2 and more\\',
        '{"secret": ["hunter2", "and", "more"]}',
        '{"secret": {"hunter2": "and more"}}',
        '{"s\\u0065cret": "hunter2 and more", "id": "7"}',
        '"{\\"secret\\": \\"hunter2, and more\\", \\"id\\": \\"7\\"}"',
        "{“secret”: “hunter2, and more”, “id”: “7”}",
        "action=PING; secret=hunter2 and more; id=7",
        "action=PING\nSECRET = hunter2 and more\nid=7",
        'action=PING, secret="hunter2, and more", id=7',
        "{'secret': 'hunter2, and more'}",
        "action=PING&secret=hunter2&more",
        "my_secret: hunter2 and more",
        '{"secrett": "hunter2 and more", "id": "7"}',
    ],
)
def test_the_whole_value_is_masked_and_nothing_else(body: str) -> None:
    masked = mask(body)

    assert "hunter2" not in masked
    assert "more" not in masked
    assert ("7" in masked) is ("7" in body.replace("hunter2", ""))


@pytest.mark.parametrize("body", ["action=PING", '{"comment": "no secrets here"}'])
def test_what_is_no_secret_stays(body: str) -> None:
    assert mask(body) == body
