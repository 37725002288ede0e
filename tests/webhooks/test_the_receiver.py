"""The webhook as a program of its own, and what both programs tell of how they fare."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from flask import Flask
from redis import Redis

from app.config import PROJECT_ROOT, load_settings
from app.receiver import create_receiver
from tests.fixtures.app import AppFactory
from tests.fixtures.stack import free_ports, until
from tests.webhooks.conftest import Line


@pytest.fixture
def receiver(app: Flask) -> Flask:
    """The receiver on the same data as the web program."""
    return create_receiver(app.extensions["settings"])


def test_it_loads_no_page_and_no_command(tmp_path: Path) -> None:
    program = "import json, sys, receiver; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT_ROOT,
        env={**os.environ, "SWITCHYARD_ENV": "testing", "DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(json.loads(done.stdout))
    assert "app.receiver.door" in loaded
    forbidden = ("app.web", "app.cli", "app.schemas", "app.sandbox", "marshmallow", "ccxt")
    assert {name for name in loaded if name.startswith(forbidden)} == set()


def test_it_has_no_pages(receiver: Flask) -> None:
    sender = receiver.test_client()
    for path in ("/", "/login", "/webhooks/", "/health/live", "/static/css/switchyard.css", "/webhookx"):
        answer = sender.get(path)
        assert answer.status_code == 404, path
        assert "remedy" in answer.get_json()


def test_it_takes_alerts_by_the_address_and_by_the_header(receiver: Flask, line: Line) -> None:
    sender = receiver.test_client()
    by_address = sender.post(f"/webhook/{line.token}", data="action=PING")
    by_header = sender.post("/webhook", data="action=PING;id=2", headers={"X-Webhook-Token": line.token})
    assert (by_address.status_code, by_header.status_code) == (202, 202)
    assert [alert.id for alert in line.alerts()] == [by_address.get_json()["id"], by_header.get_json()["id"]]
    assert by_address.headers["Cache-Control"] == "no-store"


def test_it_takes_posts_alone(receiver: Flask, line: Line) -> None:
    for method in ("GET", "PUT", "DELETE", "HEAD"):
        answer = receiver.test_client().open(f"/webhook/{line.token}", method=method)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert receiver.test_client().post("/health").status_code == 405
    assert line.alerts() == []


@pytest.mark.parametrize("program", ["web", "receiver"])
def test_its_health_counts_what_came_since_the_start(
    program: str, app: Flask, receiver: Flask, line: Line
) -> None:
    sender = (app if program == "web" else receiver).test_client()
    before = sender.get("/health").get_json()
    assert (before["received"], before["last_alert_at"]) == (0, None)
    good = json.dumps({"action": "BuyMarket", "symbol": "BTCUSDT", "quantity": "1"})
    sender.post("/webhook/wrong", data=good)
    assert sender.get("/health").get_json()["last_alert_at"] is None, "whoever has no token sends no alert"
    for body in (good, good, "gibberish", "action=PING"):
        sender.post(f"/webhook/{line.token}", data=body)

    after = sender.get("/health").get_json()

    counts = {name: after[name] for name in ("received", "rejected", "duplicate")}
    assert counts == {"received": 5, "rejected": 2, "duplicate": 1}
    assert after["last_alert_at"] >= after["started_at"]
    assert after["uptime_seconds"] >= 0


def test_its_health_answers_without_redis_and_alerts_are_taken(make_app: AppFactory, tmp_path: Path) -> None:
    app = make_app(REDIS_URL=f"unix://{tmp_path}/none.sock")
    sender = app.test_client()
    answers = [sender.post("/webhook/wrong", data="x") for _ in range(61)]
    assert {answer.status_code for answer in answers} == {401, 429}, "each process counts by itself"
    health = sender.get("/health")
    assert health.status_code == 200
    assert "unavailable" in health.get_json()["counts"]


def test_whoever_guesses_tokens_is_told_for_how_long_to_wait_and_the_right_token_still_works(
    receiver: Flask, line: Line
) -> None:
    sender = receiver.test_client()
    answers = [sender.post(f"/webhook/guess{number}", data="action=PING") for number in range(61)]
    assert [answer.status_code for answer in answers[:30]] == [401] * 30
    limited = [answer for answer in answers if answer.status_code == 429]
    assert limited
    assert all(0 < int(answer.headers["Retry-After"]) <= 60 for answer in limited)
    assert sender.post(f"/webhook/{line.token}", data="action=PING").status_code == 202


def test_a_body_that_was_cut_off_on_its_way_is_never_acted_on(receiver: Flask, line: Line) -> None:
    """``quantity=10`` may have been going to be 100."""
    body = b"action=BuyMarket; symbol=BTCUSDT; quantity=10"
    environ = {"CONTENT_LENGTH": str(len(body) + 1), "wsgi.input_terminated": True}
    answer = receiver.test_client().post(f"/webhook/{line.token}", data=body, environ_overrides=environ)
    assert answer.status_code == 400
    assert "ended after 45 of 46 bytes" in answer.get_json()["reason"]


@pytest.fixture
def served(app: Flask, redis_url: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """``flask webhook serve`` on the application's data, and its address."""
    (port,) = free_ports(1)
    settings = app.extensions["settings"]
    environ = {
        **os.environ,
        "SWITCHYARD_ENV": "testing",
        "DATA_DIR": str(settings.data_dir),
        "REDIS_URL": redis_url,
        "FLASK_APP": "wsgi",
        "LOG_LEVEL": "ERROR",
    }
    command = [sys.executable, "-m", "flask", "webhook", "serve", "--port", str(port), "--workers", "2"]
    process = subprocess.Popen(command, cwd=PROJECT_ROOT, env=environ)
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return requests.get(f"{url}/health", timeout=5).ok
        except requests.ConnectionError:
            return False

    try:
        until(answers, "the receiver to serve", 90)
        yield process, url
    finally:
        process.kill()
        process.wait()


def test_served_by_its_command_its_processes_count_together_and_what_is_in_hand_is_answered_before_it_stops(
    served: tuple[subprocess.Popen[bytes], str], line: Line
) -> None:
    process, url = served
    assert requests.get(url, timeout=5).status_code == 404
    for number in range(20):  # each on a connection of its own, so that either process may get it
        answer = requests.post(f"{url}/webhook/{line.token}", data=f"action=PING;id={number}", timeout=10)
        assert answer.status_code == 202
    assert requests.get(f"{url}/health", timeout=5).json()["received"] == 20

    host, port = url.removeprefix("http://").split(":")
    body = b"action=PING"
    head = f"POST /webhook/{line.token} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with socket.create_connection((host, int(port)), timeout=10) as half_sent:
        half_sent.sendall(head + body[:4])
        assert requests.get(f"{url}/health", timeout=5).ok  # it has had time to begin reading
        process.send_signal(signal.SIGTERM)
        half_sent.sendall(body[4:])
        assert half_sent.recv(4096).startswith(b"HTTP/1.1 202")

    assert process.wait(15) == 0
    assert len(line.alerts()) == 21


def test_a_body_in_broken_chunks_is_the_senders_fault_and_kept(
    served: tuple[subprocess.Popen[bytes], str], line: Line
) -> None:
    host, port = served[1].removeprefix("http://").split(":")
    head = f"POST /webhook/{line.token} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    for chunks in (b"b\r\naction=PING\r\nsurely\r\n", b"4\r\naction=PING\r\n0\r\n\r\n", b"b\r\naction=PING"):
        with socket.create_connection((host, int(port)), timeout=10) as sender:
            sender.sendall(head + chunks)
            sender.shutdown(socket.SHUT_WR)
            assert sender.recv(4096).startswith(b"HTTP/1.1 400"), chunks

    kept = line.alerts()
    assert [alert.status for alert in kept] == ["ERROR"] * 3
    assert all("could not be read further" in (alert.reason or "") for alert in kept)


def test_the_tally_is_kept_for_a_month_at_most(receiver: Flask, line: Line, redis_url: str) -> None:
    receiver.test_client().post(f"/webhook/{line.token}", data="action=PING")
    with Redis.from_url(
        load_settings({"SWITCHYARD_ENV": "testing", "REDIS_URL": redis_url}).redis_url
    ) as redis:
        keys = list(redis.scan_iter("tally:*"))
        assert keys
        assert all(0 < redis.ttl(key) <= 31 * 86_400 for key in keys)  # type: ignore[operator]
