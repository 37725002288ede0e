"""Every exchange tells its time, markets and prices in the same words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from app.domain import InvalidOrder, MarketKind, OrderDenied, TradingError
from app.exchanges import connect
from tests.exchanges.conformance.conftest import BTC, ETH, Account
from tests.fixtures.sandbox import SandboxServer


def test_the_time_is_aware_and_utc(account: Account) -> None:
    now = account.exchange.server_time()
    assert now.tzinfo is UTC
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=5)


def test_markets_have_grids_and_say_what_they_are(account: Account) -> None:
    market = account.markets[BTC]
    assert (market.base, market.quote, market.kind, market.active) == ("BTC", "USDT", MarketKind.SPOT, True)
    assert market.tick_size > 0
    assert market.lot_size > 0
    assert len(account.markets) > 10
    assert len({each.exchange_symbol for each in account.markets.values()}) == len(account.markets)


def test_public_calls_need_no_key(name: str, sandbox: SandboxServer) -> None:
    exchange = connect(name, base_url=sandbox.at(name))
    assert exchange.ticker(BTC).last
    exchange.close()


def test_a_ticker_follows_the_price(account: Account) -> None:
    account.sandbox.price(account.name, ETH, "3210")
    ticker = account.exchange.ticker(ETH)
    assert ticker.symbol == ETH
    assert ticker.last == Decimal(3210)
    assert ticker.bid is not None
    assert ticker.ask is not None
    assert ticker.bid <= ticker.ask
    account.sandbox.price(account.name, ETH, "3000")


def test_tickers_are_told_for_some_markets_or_for_all(account: Account) -> None:
    assert set(account.exchange.tickers([BTC, ETH])) == {BTC, ETH}
    assert set(account.exchange.tickers()) >= {BTC, ETH}
    assert account.exchange.tickers([]) == {}


def test_the_order_book_is_best_first_and_no_deeper_than_asked(account: Account) -> None:
    book = account.exchange.order_book(BTC, 5)
    bids, asks = [level.price for level in book.bids], [level.price for level in book.asks]
    assert 0 < len(bids) <= 5
    assert 0 < len(asks) <= 5
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert bids[0] < asks[0]


@pytest.mark.parametrize(("interval", "span"), [("1m", 60), ("1h", 3600), ("1d", 86400)])
def test_candles_are_oldest_first_and_an_interval_apart(account: Account, interval: str, span: int) -> None:
    candles = account.exchange.candles(BTC, interval, limit=5)
    assert 0 < len(candles) <= 5
    for earlier, later in pairwise(candles):
        assert later.at - earlier.at == timedelta(seconds=span)
    for candle in candles:
        assert candle.low <= min(candle.open, candle.close)
        assert max(candle.open, candle.close) <= candle.high


def test_candles_begin_no_earlier_than_asked(account: Account) -> None:
    since = datetime.now(UTC) - timedelta(minutes=30)
    candles = account.exchange.candles(BTC, "1m", since=since, limit=10)
    assert len(candles) == 10
    assert candles[0].at >= since - timedelta(minutes=1)


def test_an_interval_nobody_offers_is_refused(account: Account) -> None:
    with pytest.raises(OrderDenied):
        account.exchange.candles(BTC, "7m")


def test_a_market_that_does_not_exist_is_an_error_of_ours(account: Account) -> None:
    with pytest.raises(TradingError) as caught:
        account.exchange.ticker("NO/SUCH")
    assert isinstance(caught.value, InvalidOrder | OrderDenied)
    assert caught.value.remedy
