"""What is stored of an alert never holds its secret, whatever the secret is made of."""

from __future__ import annotations

import pytest

from app.services.intake import _SECRET


@pytest.mark.parametrize(
    "body",
    [
        '{"action": "PING", "secret": "hunter2 and more, really", "id": "7"}',
        '{"action": "PING", "secret": "hunter2 \\" and more", "id": "7"}',
        '{"secret":"hunter2 and more',
        "action=PING; secret=hunter2 and more; id=7",
        "action=PING\nSECRET = hunter2 and more\nid=7",
        "{'secret': 'hunter2 and more'}",
    ],
)
def test_the_whole_value_is_masked_and_nothing_else(body: str) -> None:
    masked = _SECRET.sub(r"\1•••", body)

    assert "hunter2" not in masked
    assert "more" not in masked
    assert ("7" in masked) is ("7" in body.replace("hunter2", ""))
