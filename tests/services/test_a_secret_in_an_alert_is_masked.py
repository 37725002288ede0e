"""What is stored of an alert never holds its secret, whatever the secret is made of and however broken the alert is."""

from __future__ import annotations

import time

import pytest

from app.domain.masking import mask, mask_within


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
        '{"secret ": "hunter2 and more", "id": "7"}',
        '{"\\u0020secret\\u0020": "hunter2 and more", "id": "7"}',
        '{"webhookSecret": "hunter2 and more", "id": "7"}',
        '{"secret-key": "hunter2 and more", "id": "7"}',
        '{"secret": hunter2 and more, "note": "7"}',
        "action=PING, secret=p,hunter2;and more, id=7",
        "action=PING; secret=p;hunter2, and more\nid=7",
        'secret="p"hunter2; id=7',
    ],
)
def test_the_whole_value_is_masked_and_nothing_else(body: str) -> None:
    masked = mask(body)

    assert "hunter2" not in masked
    assert "more" not in masked
    assert ("7" in masked) is ("7" in body.replace("hunter2", ""))


@pytest.mark.parametrize(
    "attack",
    [
        "_secret",
        "secret ",
        "secret\n",
        'secret"\t',
        "secret:",
        'secret:"',
        'secret:\\"\\\\',
        "s\\u0065cret_",
        'secret=x,"',
        "secret=x,id ",
    ],
)
@pytest.mark.parametrize("repeated", ["all of it", "its end"])
def test_masking_takes_time_in_proportion_to_the_text_whoever_wrote_it(attack: str, repeated: str) -> None:
    """Every alert of every user waits while one is masked."""
    unit = attack if repeated == "all of it" else attack[-1]

    def seconds(length: int) -> float:
        text = attack + unit * (length // len(unit))
        begun = time.process_time()
        mask(text)
        return time.process_time() - begun

    assert seconds(8 * 16_384) < 24 * min(seconds(16_384) for _ in range(3)) + 0.05


@pytest.mark.parametrize("name", ["secret_key", "api_secret", "webhookSecret", "Secret"])
def test_a_value_is_masked_by_the_name_it_has_among_others(name: str) -> None:
    told = {"comment": "secret=hunter2", "extras": {name: "hunter2", "note": "7"}}
    assert mask_within(told) == {"comment": "secret=•••", "extras": {name: "•••", "note": "7"}}


@pytest.mark.parametrize("body", ["action=PING", '{"comment": "no secrets here"}'])
def test_what_is_no_secret_stays(body: str) -> None:
    assert mask(body) == body
