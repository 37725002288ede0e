"""The last prices per exchange and environment, kept in Redis: fresh enough to value and preview, free to lose."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from decimal import Decimal

import redis.exceptions
import structlog

from app.domain.accounts import Environment
from app.domain.markets import Ticker
from app.domain.money import EXACT, plain, to_decimal
from app.extensions import redis as store

log = structlog.get_logger()

#: A price older than this is no price any more.
MAX_AGE_SECONDS = 300

#: A price older than this may be shown, but does not say where the market stands now.
FRESH_SECONDS = 10

#: Assets that count as one US dollar.
DOLLARS = ("USD", "USDT", "USDC", "FDUSD", "DAI", "TUSD")


def remember(exchange: str, environment: Environment, tickers: Iterable[Ticker]) -> None:
    """Keep the last price of each ticker; without Redis they are simply not kept."""
    prices = {ticker.symbol: plain(ticker.last) for ticker in tickers if ticker.last is not None}
    if not prices:
        return
    key, heard = _key(exchange, environment), _heard_key(exchange, environment)
    try:
        with store.pipeline(transaction=False) as pipe:
            pipe.hset(key, mapping=prices)  # type: ignore[arg-type]
            pipe.expire(key, MAX_AGE_SECONDS)
            pipe.hset(heard, mapping=dict.fromkeys(prices, time.time()))
            pipe.expire(heard, MAX_AGE_SECONDS)
            pipe.execute()
    except redis.exceptions.RedisError as error:
        log.warning("prices_not_kept", exchange=exchange, error=str(error))


def last(exchange: str, environment: Environment, symbol: str) -> Decimal | None:
    """The last price known of a market, or None."""
    try:
        found = store.hget(_key(exchange, environment), symbol)
    except redis.exceptions.RedisError as error:
        log.warning("price_not_read", exchange=exchange, error=str(error))
        return None
    return None if found is None else to_decimal(str(found))


def fresh(exchange: str, environment: Environment, symbol: str) -> Decimal | None:
    """The price if it was heard within `FRESH_SECONDS`, or None; for what an old price would decide wrong."""
    try:
        heard = store.hget(_heard_key(exchange, environment), symbol)
    except redis.exceptions.RedisError as error:
        log.warning("price_not_read", exchange=exchange, error=str(error))
        return None
    if heard is None or time.time() - float(heard) > FRESH_SECONDS:
        return None
    return last(exchange, environment, symbol)


def last_of(exchange: str, environment: Environment, symbols: Iterable[str]) -> dict[str, Decimal]:
    """The last price of each of these markets of which one is known, asked for in one call."""
    wanted = sorted(set(symbols))
    if not wanted:
        return {}
    try:
        found = store.hmget(_key(exchange, environment), wanted)
    except redis.exceptions.RedisError as error:
        log.warning("prices_not_read", exchange=exchange, error=str(error))
        return {}
    return {
        symbol: to_decimal(str(price))
        for symbol, price in zip(wanted, found, strict=True)
        if price is not None
    }


def worth(exchange: str, environment: Environment, asset: str, amount: Decimal) -> Decimal | None:
    """The worth of an amount in USD by the last prices known, or None."""
    if asset in DOLLARS:
        return amount
    symbols = [f"{asset}/BTC", *(f"{base}/{dollar}" for base in (asset, "BTC") for dollar in DOLLARS)]
    return in_usd(asset, amount, last_of(exchange, environment, symbols))


def in_usd(asset: str, amount: Decimal, prices: Mapping[str, Decimal]) -> Decimal | None:
    """The worth of an amount in USD by way of a dollar pair or of BTC; None when no price leads there."""
    if asset in DOLLARS:
        return amount
    for dollar in DOLLARS:
        price = prices.get(f"{asset}/{dollar}")
        if price is not None:
            return EXACT.multiply(amount, price)
    in_bitcoin = prices.get(f"{asset}/BTC")
    if asset == "BTC" or in_bitcoin is None:
        return None
    return in_usd("BTC", EXACT.multiply(amount, in_bitcoin), prices)


def _key(exchange: str, environment: Environment) -> str:
    return f"prices:{exchange}:{environment.value}"


def _heard_key(exchange: str, environment: Environment) -> str:
    return f"{_key(exchange, environment)}:heard"
