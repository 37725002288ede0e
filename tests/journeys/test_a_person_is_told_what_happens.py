"""What happens while nobody looks reaches a person, through the web process, beat's ticks and a worker."""

from __future__ import annotations

from app.dispatch import TaskName
from tests.fixtures.receiver import TOKEN, Receiver
from tests.fixtures.stack import Stack, until


def test_an_alert_that_was_not_understood_is_told_by_a_worker(stack: Stack, receiver: Receiver) -> None:
    desk = stack.open_desk()
    added = desk.submit("/settings/notifications/", name="phone", url=receiver.url, ALERT_FAILED="1")
    assert added.status_code == 200
    assert TOKEN not in added.text
    until(lambda: receiver.got, "the test message")

    desk.send("{nonsense")
    for tick in (TaskName.BEAT_SEAL, TaskName.BEAT_NOTIFY):
        stack.call(tick)
    until(lambda: len(receiver.got) == 2, "what happened to be told")

    assert "not valid JSON" in receiver.got[1]["message"]
    assert "Works" in desk.http.get(f"{stack.url}/settings/notifications/", timeout=10).text
