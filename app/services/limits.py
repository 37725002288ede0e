"""A person's risk limits: for all of their brokers together, and for each broker. An entry must keep both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.domain.audit import Action
from app.domain.risk import Limits, fallen_too_far
from app.extensions import db
from app.models import BalanceRow, Broker, Halt, HaltCause, RiskLimits, User
from app.services import audit, halts
from app.services.halts import Reach

_ZERO = Decimal(0)


def of(user: User, broker: Broker | None = None) -> Limits:
    """What a person allows on one broker, or on all of theirs together; without a limit where nothing is set."""
    row = _row(user.id, None if broker is None else broker.id)
    return Limits() if row is None else row.to_domain()


def all_of(user: User) -> Sequence[RiskLimits]:
    """Every set of limits of a person, the one for all brokers first."""
    query = select(RiskLimits).where(RiskLimits.user_id == user.id).options(joinedload(RiskLimits.broker))
    return sorted(db.session.scalars(query), key=lambda row: (row.broker_id is not None, row.broker_id or 0))


def as_json(limits: Limits) -> dict[str, Any]:
    """Limits as commands and the API print them; amounts stay exact."""
    shown = {field.name: getattr(limits, field.name) for field in fields(Limits)}
    symbols, hours = limits.allowed_symbols, limits.trading_hours
    shown["allowed_symbols"] = None if symbols is None else sorted(symbols)
    shown["trading_hours"] = None if hours is None else hours.to_json()
    return shown


def put(user: User, broker: Broker | None, wanted: Limits) -> None:
    """Make these the limits from the next entry on; what is None has none."""
    broker_id = None if broker is None else broker.id
    row = _row(user.id, broker_id)
    if wanted == Limits():
        if row is not None:
            db.session.delete(row)
    else:
        row = row or RiskLimits(user_id=user.id, broker_id=broker_id)
        if row.max_drawdown_percent != wanted.max_drawdown_percent:
            row.peak_equity = None
        _write(row, wanted)
        db.session.add(row)
    audit.record(Action.RISK_LIMITS_SET, "risk limits", user_id=user.id, broker_id=broker_id)
    db.session.commit()


def watch_drawdown(broker: Broker) -> list[Halt]:
    """Note the peak of equity, and halt entries where it has fallen too far below; the caller commits.

    Called when a broker's balances have been valued. What came or went by hand counts as gain or fall: the remedy is to
    lift the halt, which begins the measure anew.
    """
    query = select(RiskLimits).where(
        RiskLimits.user_id == broker.user_id,
        RiskLimits.broker_id.is_(None) | (RiskLimits.broker_id == broker.id),
        RiskLimits.max_drawdown_percent.is_not(None),
    )
    watched = db.session.scalars(query.order_by(RiskLimits.id).with_for_update()).all()
    started = (_measure(row, broker) for row in watched)
    return [halt for halt in started if halt is not None]


def _measure(row: RiskLimits, broker: Broker) -> Halt | None:
    equity, most = _equity(row), row.max_drawdown_percent
    peak = row.peak_equity = max(equity, row.peak_equity or _ZERO)
    if most is None or not fallen_too_far(equity, peak, most):
        return None
    reach = halts.only(broker) if row.broker_id is not None else halts.all_of(broker.user)
    return halts.begin(reach, HaltCause.DRAWDOWN, _in_words(reach, equity, peak, most))


def _equity(row: RiskLimits) -> Decimal:
    """What the brokers that a row covers are worth in USD, as last valued."""
    query = select(BalanceRow.usd_value).join(Broker, Broker.id == BalanceRow.broker_id)
    query = query.where(Broker.user_id == row.user_id, BalanceRow.usd_value.is_not(None))
    if row.broker_id is not None:
        query = query.where(Broker.id == row.broker_id)
    return sum((value for value in db.session.scalars(query) if value is not None), _ZERO)


def _in_words(reach: Reach, equity: Decimal, peak: Decimal, most: Decimal) -> str:
    return (
        f"{reach.name} fell to {equity:.2f} USD from a peak of {peak:.2f} USD, "
        f"more than the {most.normalize():f} % allowed"
    )


def _write(row: RiskLimits, wanted: Limits) -> None:
    for name, value in as_json(wanted).items():
        setattr(row, name, value)


def _row(user_id: int, broker_id: int | None) -> RiskLimits | None:
    return db.session.scalar(
        select(RiskLimits).where(
            RiskLimits.user_id == user_id, RiskLimits.broker_id.is_not_distinct_from(broker_id)
        )
    )
