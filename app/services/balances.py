"""What brokers hold, and what it is worth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select

from app.domain.accounts import Balance
from app.domain.errors import AuthenticationFailed, ExchangeError, PermissionDenied
from app.extensions import db
from app.models import BalanceRow, Broker, User, utc_now
from app.services import allowances, connections, drift, events, futures, history, limits, prices
from app.services.events import Topic

_ZERO = Decimal(0)


def sync(broker_id: int) -> None:
    """Fetch a broker's balances and its exchange's prices, keep both, and note what it is all worth.

    What backs its futures is looked at as well, less often.
    """
    broker = db.session.get_one(Broker, broker_id)
    asked_at = utc_now()
    try:
        with connections.calling(broker) as exchange:
            held = exchange.balances()
            tickers = exchange.tickers()
            allowances.remember(broker, exchange.rate_budget())
    except (AuthenticationFailed, PermissionDenied) as refused:
        _disconnect(broker, refused)
        raise
    prices.remember(broker.exchange, broker.environment, tickers.values())
    last = {symbol: ticker.last for symbol, ticker in tickers.items() if ticker.last is not None}
    store(broker, held, last, asked_at=asked_at)
    futures.sync(broker)


def store(
    broker: Broker,
    held: Mapping[str, Balance],
    last_prices: Mapping[str, Decimal] | None = None,
    *,
    asked_at: datetime,
) -> None:
    """Make the stored balances equal to the reported ones; with prices also their worth, and its history.

    Balances that were asked for, at ``asked_at``, before others were stored are passed over: they may be older.
    """
    _lock(broker)
    if broker.balances_synced_at is not None and asked_at < broker.balances_synced_at:
        db.session.commit()
        return
    now = utc_now()
    rows = _reported(broker, held)
    drift.follow(broker, rows, now)
    db.session.flush()  # a row that has just been added may be one to delete
    for asset, row in rows.items():
        if last_prices is not None:
            row.usd_value = prices.in_usd(asset, row.total, last_prices)
        if asset not in held and not row.drift:
            db.session.delete(row)
    broker.balances_synced_at = now
    halted = False
    if last_prices is not None:
        history.note(broker, rows.values(), now)
        halted = bool(limits.watch_drawdown(broker))
    db.session.commit()
    db.session.expire(broker, ["balances"])
    events.publish(broker.user_id, Topic.BALANCES, broker.id)
    if halted:
        events.publish(broker.user_id, Topic.BROKERS, broker.id)


def free(broker: Broker, asset: str) -> Decimal | None:
    """What is free of an asset as last synced; None before the first sync."""
    if broker.balances_synced_at is None:
        return None
    amount = db.session.scalar(
        select(BalanceRow.free).where(BalanceRow.broker_id == broker.id, BalanceRow.asset == asset)
    )
    return _ZERO if amount is None else amount


def of(broker: Broker, asset: str) -> BalanceRow | None:
    """What a broker holds of an asset, as last synced."""
    query = select(BalanceRow).where(BalanceRow.broker_id == broker.id, BalanceRow.asset == asset)
    return db.session.scalar(query)


def free_of(broker: Broker, assets: Iterable[str]) -> dict[str, Decimal]:
    """What is free of several assets as last synced; empty before the first sync."""
    if broker.balances_synced_at is None:
        return {}
    wanted = tuple(assets)
    query = select(BalanceRow.asset, BalanceRow.free).where(BalanceRow.broker_id == broker.id)
    rows = db.session.execute(query.where(BalanceRow.asset.in_(wanted)))
    return {**dict.fromkeys(wanted, _ZERO), **dict(rows.all())}


def held_by(user: User) -> Sequence[tuple[Broker, BalanceRow]]:
    """Every balance of a person with its broker, the most valuable first."""
    rows = db.session.execute(
        select(Broker, BalanceRow).join(BalanceRow).where(Broker.user_id == user.id)
    ).all()
    return sorted(
        ((row[0], row[1]) for row in rows), key=lambda pair: pair[1].usd_value or _ZERO, reverse=True
    )


def _lock(broker: Broker) -> None:
    """Let syncs of one broker take turns, each seeing what the one before has stored; bookings need not wait."""
    turn = {"key_share": True}
    db.session.refresh(broker, ["balances_synced_at", "ledger_opened_at"], with_for_update=turn)


def _reported(broker: Broker, held: Mapping[str, Balance]) -> dict[str, BalanceRow]:
    """The rows of a broker's assets with what was reported now, nothing of those that were left out."""
    query = select(BalanceRow).where(BalanceRow.broker_id == broker.id)
    rows = {row.asset: row for row in db.session.scalars(query.execution_options(populate_existing=True))}
    for asset in held.keys() - rows.keys():
        rows[asset] = BalanceRow(broker_id=broker.id, asset=asset)
        db.session.add(rows[asset])
    for asset, row in rows.items():
        balance = held.get(asset, Balance(asset, _ZERO, _ZERO, _ZERO))
        row.free, row.locked, row.total = balance.free, balance.locked, balance.total
    return rows


def _disconnect(broker: Broker, refused: ExchangeError) -> None:
    """The keys work no more: say so on the broker, and leave it alone until it is tested again."""
    broker.connected = False
    broker.connection_reason, broker.connection_remedy = refused.message, refused.remedy
    db.session.commit()
    events.publish(broker.user_id, Topic.BROKERS, broker.id)
