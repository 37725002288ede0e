"""The sender of the tests behaves as TradingView does, or what it drives proves nothing."""

from __future__ import annotations

from tests.exchanges.local_server import LocalServer, Misbehave, reply
from tests.webhooks.tradingview import MOST_TRIGGERS, ChartAlert


def test_it_says_json_only_of_what_is_json() -> None:
    with LocalServer(lambda _: reply("")) as server:
        alert = ChartAlert(server.url)
        alert.trigger('{"action": "PING"}')
        alert.trigger("action=PING")
        kinds = [request.headers["content-type"] for request in server.received]
    assert kinds == ["application/json; charset=utf-8", "text/plain; charset=utf-8"]


def test_it_sends_again_what_met_a_5xx_three_times_five_seconds_apart() -> None:
    with LocalServer(lambda _: reply("", 503)) as server:
        alert = ChartAlert(server.url)
        delivery = alert.trigger("action=PING")
        assert len(server.received) == 4
    assert delivery is not None
    assert [answer.status_code for answer in delivery.answers if answer is not None] == [503] * 4
    assert alert.clock.now == 15


def test_it_ends_with_the_first_answer_that_is_no_5xx() -> None:
    statuses = iter((500, 400))
    with LocalServer(lambda _: reply("", next(statuses))) as server:
        delivery = ChartAlert(server.url).trigger("nonsense")
        assert len(server.received) == 2
    assert delivery is not None
    assert delivery.last.status_code == 400


def test_it_gives_up_on_a_silent_server_and_does_not_come_again() -> None:
    with LocalServer(lambda _: Misbehave.STAY_SILENT) as server:
        delivery = ChartAlert(server.url, patience=0.2).trigger("action=PING")
        assert len(server.received) == 1
    assert delivery is not None
    assert delivery.answers == (None,)


def test_it_stops_after_too_many_triggers_and_only_then() -> None:
    with LocalServer(lambda _: reply("")) as server:
        calm, wild = ChartAlert(server.url), ChartAlert(server.url)
        for _ in range(3 * MOST_TRIGGERS):
            assert calm.trigger("action=PING")
            calm.clock.wait(12)
        sent = [wild.trigger("action=PING") for _ in range(MOST_TRIGGERS + 2)]
        assert len(server.received) == 4 * MOST_TRIGGERS
    assert sent[-2:] == [None, None]
    assert wild.stopped
