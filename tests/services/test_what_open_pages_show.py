"""Order books and candles: fetched by workers, shared by all who look, told of when they cannot be had."""

from __future__ import annotations

from itertools import pairwise

from redis import Redis

from app.exchanges import NAMES
from app.extensions import db
from app.models import Broker
from app.services import market_search, prices, viewing
from tests.services.conftest import BTC, Desk, OpenDesk


def _market(desk: Desk) -> tuple[Broker, int]:
    broker = db.session.get_one(Broker, desk.broker_id)
    market_id = market_search.id_of(broker, BTC)
    assert market_id is not None
    return broker, market_id


def test_a_book_is_asked_of_one_worker_however_many_look_and_shown_to_all(
    desk: Desk, redis_client: Redis
) -> None:
    broker, market_id = _market(desk)
    waiting = redis_client.llen(f"sync.{desk.exchange}")

    looks = [viewing.book(broker, market_id) for _ in range(5)]
    assert [look.shown for look in looks] == [None] * 5
    assert redis_client.llen(f"sync.{desk.exchange}") == waiting + 1

    viewing.fetch(market_id)
    view = viewing.book(broker, market_id)
    assert view.shown is not None
    assert view.problem is None
    assert 0 < len(view.shown.bids) <= 10
    assert view.shown.bids[0].price < view.shown.asks[0].price
    assert prices.fresh(broker.exchange, broker.environment, BTC) is not None

    viewing.fetch(market_id)  # a task that comes late, for what another has fetched
    assert viewing.book(broker, market_id).fetched_at == view.fetched_at


def test_every_interval_has_candles_oldest_first(desk: Desk, redis_client: Redis) -> None:
    broker, market_id = _market(desk)
    for interval in viewing.INTERVALS:
        assert viewing.candles(broker, market_id, interval).shown is None
        viewing.fetch(market_id)
        shown = viewing.candles(broker, market_id, interval).shown
        assert shown, interval
        assert all(earlier.at < later.at for earlier, later in pairwise(shown)), interval
        assert all(candle.low <= candle.close <= candle.high for candle in shown), interval
        redis_client.flushdb()  # as after some time: what was asked so far counts no more


def test_what_cannot_be_fetched_is_told_in_words_and_what_was_known_stays(
    open_desk: OpenDesk, redis_client: Redis
) -> None:
    desk = open_desk(NAMES[0])
    broker, market_id = _market(desk)
    viewing.book(broker, market_id)
    viewing.fetch(market_id)
    _forget_that_it_was_asked(redis_client, market_id)
    viewing.book(broker, market_id)
    desk.sandbox.fault(desk.exchange, "order_book", "error_before", times=5)
    viewing.fetch(market_id)
    desk.sandbox.take_faults_back()

    view = viewing.book(broker, market_id)
    assert view.shown is not None
    assert view.problem is not None
    assert desk.exchange in view.problem

    _forget_that_it_was_asked(redis_client, market_id)
    viewing.book(broker, market_id)
    viewing.fetch(market_id)
    assert viewing.book(broker, market_id).problem is None


def _forget_that_it_was_asked(redis_client: Redis, market_id: int) -> None:
    """As after the seconds for which nobody is asked again."""
    redis_client.delete(f"view:{market_id}:book:asked")
