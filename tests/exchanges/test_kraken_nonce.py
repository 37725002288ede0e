"""Nonces that rise and arrive in order, whoever sends: threads of one process, and processes that share a Redis."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, closing
from multiprocessing import get_context
from urllib.parse import parse_qs

import pytest
from redis import Redis

from app.domain import Credential, ExchangeUnavailable, InvalidTimestamp
from app.exchanges import connect
from app.exchanges import nonce as nonces
from app.exchanges.base import Exchange
from app.exchanges.budget import Charge, LocalRateBudget, RateBudget, RedisRateBudget
from app.exchanges.kraken import Kraken
from app.exchanges.nonce import LocalNonces, Nonces
from tests.exchanges.kraken_client import KEY, SECRET, SYMBOL, kraken, refusing
from tests.exchanges.local_server import LocalServer, Received, Reply, reply
from tests.exchanges.recorded import body_text
from tests.fixtures.sandbox import SandboxServer

CALLERS = 16
CALLS = 3


def nonce_of(request: Received) -> int:
    return int(parse_qs(request.body)["nonce"][0])


def client(url: str, credential: Credential, budget: RateBudget | None = None) -> Exchange:
    return connect("kraken", credential, base_url=url, budget=budget)


def all_at_once(work: Callable[[int], object], count: int = CALLERS) -> list[object]:
    """Run so many callers that begin together; what they return, or the error that one of them met."""
    start = threading.Barrier(count)

    def caller(number: int) -> object:
        start.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(caller, range(count)))


class Arrivals:
    """Answers with balances, and keeps the nonces in the order in which they arrive."""

    def __init__(self) -> None:
        self.nonces: list[int] = []
        self._lock = threading.Lock()

    def __call__(self, request: Received) -> Reply:
        with self._lock:
            self.nonces.append(nonce_of(request))
        return reply(body_text("kraken", "balance_ex"))

    @property
    def in_order(self) -> bool:
        """Whether each is above the one before."""
        return self.nonces == sorted(set(self.nonces))


# -- sixteen callers -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("never_refused")
def test_sixteen_threads_of_one_client_are_all_heard_by_an_exchange_that_refuses_a_lower_nonce(
    sandbox: SandboxServer,
) -> None:
    keys = sandbox.account("kraken")
    credential = Credential(keys.api_key, keys.api_secret)
    with closing(client(sandbox.at("kraken"), credential, _Unlimited())) as exchange:
        exchange.markets()
        answers = all_at_once(lambda _: [exchange.open_orders(SYMBOL) for _ in range(CALLS)])
    assert answers == [[[]] * CALLS] * CALLERS


@pytest.mark.usefixtures("never_refused")
def test_sixteen_clients_with_a_redis_in_common_are_all_heard_too(
    sandbox: SandboxServer, redis_url: str
) -> None:
    """Each has a budget of its own over the same Redis, as a process has: nothing else is shared."""
    keys = sandbox.account("kraken")
    credential = Credential(keys.api_key, keys.api_secret)
    with ExitStack() as stack:
        clients = []
        for _ in range(CALLERS):
            budget = _Unlimited()
            budget.nonces = RedisRateBudget(stack.enter_context(Redis.from_url(redis_url))).nonces
            clients.append(stack.enter_context(closing(client(sandbox.at("kraken"), credential, budget))))
        answers = all_at_once(lambda number: [clients[number].balances()["BTC"].total for _ in range(CALLS)])
    assert answers == [[2] * CALLS] * CALLERS


def test_processes_with_a_redis_in_common_send_in_the_order_of_their_nonces(redis_url: str) -> None:
    arrivals = Arrivals()
    with LocalServer(arrivals) as server, ProcessPoolExecutor(3, get_context("spawn")) as pool:
        for done in [pool.submit(ask_from_a_process, server.url, redis_url) for _ in range(3)]:
            done.result(60)
    assert len(arrivals.nonces) == 3 * 2
    assert arrivals.in_order


def ask_from_a_process(url: str, redis_url: str) -> None:
    """Two questions, asked by two threads of another process."""
    with Redis.from_url(redis_url) as redis:
        budget = RedisRateBudget(redis)
        exchange = client(url, Credential(KEY, SECRET), budget)
        all_at_once(lambda _: exchange.balances(), 2)
        exchange.close()


class _Unlimited(LocalRateBudget):
    """A budget that never refuses: these tests ask more in a second than Kraken answers in a minute."""

    nonces: Nonces = LocalNonces()

    def spend(self, venue: str, charges: Sequence[Charge], *, urgent: bool) -> list[int]:
        """Nothing is counted."""
        return [0] * len(charges)


@pytest.fixture
def never_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails the test at the first refused nonce, which would otherwise be made good with a second request."""

    def refused(_: Kraken, __: InvalidTimestamp) -> None:
        raise AssertionError("a nonce was refused")

    monkeypatch.setattr(Kraken, "_renew_timestamp", refused)


# -- the turns themselves --------------------------------------------------------------------------------------


@pytest.fixture(params=["local", "redis"])
def sharing(request: pytest.FixtureRequest) -> Iterator[Callable[[], Nonces]]:
    """Makes views of the same turns, as several processes would hold them."""
    if request.param == "local":
        only = LocalNonces()
        yield lambda: only
        return
    url = request.getfixturevalue("redis_url")
    with ExitStack() as stack:
        yield lambda: RedisRateBudget(stack.enter_context(Redis.from_url(url))).nonces


def test_numbers_rise_across_views_and_are_the_time_in_nanoseconds(
    sharing: Callable[[], Nonces],
) -> None:
    drawn = []
    before = time.time_ns()
    for view in [sharing() for _ in range(4)] * 5:
        with view.turn("me") as nonce:
            drawn.append(nonce)
    assert drawn == sorted(set(drawn))
    assert before <= drawn[0] <= drawn[-1] <= time.time_ns() + 20


def test_one_account_s_turn_is_one_request_at_a_time_and_another_account_does_not_wait(
    sharing: Callable[[], Nonces], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nonces, "PATIENCE_SECONDS", 0.05)
    with sharing().turn("me") as mine:
        with sharing().turn("you"):
            pass
        with pytest.raises(nonces.TurnNotCome), sharing().turn("me"):
            pass
    with sharing().turn("me") as next_one:
        assert next_one > mine


def test_a_turn_ends_with_an_error_as_well(sharing: Callable[[], Nonces]) -> None:
    for _ in range(2):
        with pytest.raises(RuntimeError), sharing().turn("me"):
            raise RuntimeError


def test_the_clock_may_go_back_and_the_numbers_do_not(redis_client: Redis) -> None:
    times = iter([1_000, 900, 900])
    local = LocalNonces(lambda: next(times))
    drawn = []
    for _ in range(3):
        with local.turn("me") as nonce:
            drawn.append(nonce)
    assert drawn == [1_000, 1_001, 1_002]

    ahead = time.time_ns() + 60_000_000_000
    redis_client.set("nonce:me:last", ahead)
    shared = RedisRateBudget(redis_client).nonces
    for number in (1, 2):
        with shared.turn("me") as nonce:
            assert nonce == ahead + number, "every digit counts, also above 2 to the 53rd"


def test_a_holder_that_died_loses_the_turn(redis_client: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nonces, "LONGEST_TURN_SECONDS", 0.2)
    abandoned = RedisRateBudget(redis_client).nonces.turn("me")
    first = abandoned.__enter__()
    monkeypatch.setattr(nonces, "LONGEST_TURN_SECONDS", 60)
    with RedisRateBudget(redis_client).nonces.turn("me") as second:
        assert second > first
        abandoned.__exit__(None, None, None)
        assert redis_client.exists("nonce:me:turn"), "the one who lost it does not end another's"


def test_without_redis_the_numbers_still_rise_above_those_that_it_gave(redis_client: Redis) -> None:
    ahead = time.time_ns() + 60_000_000_000
    redis_client.set("nonce:me:last", ahead)
    reachable = [True]

    def ask(question: Callable[[], object]) -> object:
        return question() if reachable[0] else None

    shared = nonces.RedisNonces(redis_client, ask)
    with shared.turn("me") as before:
        pass
    reachable[0] = False
    with shared.turn("me") as alone:
        assert alone > before > ahead
    reachable[0] = True
    with shared.turn("me") as after:
        assert after > alone


# -- a refused nonce -------------------------------------------------------------------------------------------


def test_a_refused_nonce_proves_that_nothing_was_done_and_is_followed_by_a_higher_one() -> None:
    def answer(request: Received) -> Reply:
        if len(server.received) == 1:
            return reply('{"error":["EAPI:Invalid nonce"]}')
        return reply(body_text("kraken", "balance_ex"))

    with kraken(answer) as (exchange, server):
        assert exchange.balances()["USD"].total
    first, second = (nonce_of(request) for request in server.received)
    assert second > first


def test_a_nonce_refused_twice_is_reported_with_what_to_do() -> None:
    with (
        kraken(refusing("EAPI:Invalid nonce")) as (exchange, server),
        pytest.raises(InvalidTimestamp) as caught,
    ):
        exchange.balances()
    assert "key for this server alone" in caught.value.remedy
    assert len(server.received) == 2


def test_a_request_whose_turn_does_not_come_is_surely_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nonces, "PATIENCE_SECONDS", 0.05)
    arrived, go_on = threading.Event(), threading.Event()

    def answer(request: Received) -> Reply:
        arrived.set()
        go_on.wait(10)
        return reply(body_text("kraken", "balance_ex"))

    with kraken(answer) as (exchange, server), ThreadPoolExecutor(1) as pool:
        slow = pool.submit(exchange.balances)
        assert arrived.wait(10)
        with pytest.raises(ExchangeUnavailable, match="not sent"):
            exchange.balances()
        go_on.set()
        assert slow.result(10)
    assert len(server.received) == 1
