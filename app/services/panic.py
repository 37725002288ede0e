"""Panic: stop entries, cancel what would still buy, and sell what is held. One press, whatever is under way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from app import dispatch
from app.domain.alerts import AlertStatus
from app.domain.audit import Action
from app.domain.orders import OrderStatus
from app.extensions import db
from app.models import Alert, Halt, HaltCause, HaltScope, OrderRole, OrderRow, Position, PositionStatus, User
from app.services import audit, halts, orders
from app.services.halts import Reach

_UNFINISHED = (
    OrderStatus.PENDING,
    OrderStatus.SUBMITTED,
    OrderStatus.OPEN,
    OrderStatus.PARTIALLY_FILLED,
)
_Row = TypeVar("_Row", Alert, OrderRow, Position)


@dataclass(frozen=True, slots=True)
class Toll:
    """What a panic does, or did: how many entry orders are cancelled and how many positions sold at the market."""

    orders: int
    positions: int


def foresee(reach: Reach) -> Toll:
    """What `press` would do now, for the question that is asked before it."""
    return Toll(len(_entries(reach)), len(_positions(reach)))


def press(reach: Reach, by: User, reason: str) -> tuple[Halt, Toll]:
    """Halt a reach, then cancel its entry orders and flatten its positions; each is on its way when this returns.

    Entries are stopped first and for good, so that nothing is bought while the rest is sold. What an entry buys that is
    on the wire already is sold when that is heard of (`app.services.bookkeeping`).

    Raises:
        HaltRefused: only administrators do this to the whole server.
    """
    halt = halts.start(reach, by, reason, cause=HaltCause.PANIC)
    audit.record(Action.PANIC_PRESSED, f"halt {halt.id}", user_id=reach.user_id, broker_id=reach.broker_id)
    db.session.commit()
    _let_decide(reach)
    toll = Toll(
        sum(_cancel(order_id) for order_id in _entries(reach)),
        sum(_flatten(position_id) for position_id in _positions(reach)),
    )
    return halt, toll


def _let_decide(reach: Reach) -> None:
    """Wait for alerts that are being decided, which hold their rows: what the gate let through is seen only then."""
    query = select(Alert.id).where(Alert.status == AlertStatus.RECEIVED)
    db.session.execute(_within(query, Alert, reach).with_for_update(read=True)).all()
    db.session.commit()


def _cancel(order_id: int) -> bool:
    order = db.session.scalar(
        select(OrderRow)
        .where(OrderRow.id == order_id, OrderRow.status.in_(_UNFINISHED))
        .options(joinedload(OrderRow.broker))
        .with_for_update(of=OrderRow)
        .execution_options(populate_existing=True)
    )
    if order is None:
        db.session.rollback()
        return False
    orders.cancel(order)
    return True


def _flatten(position_id: int) -> bool:
    """Wish everything held of a position to be sold; the worker of its exchange sees to it."""
    position = db.session.scalar(
        select(Position)
        .where(Position.id == position_id, Position.status == PositionStatus.OPEN)
        .options(joinedload(Position.broker))
        .with_for_update(of=Position)
        .execution_options(populate_existing=True)
    )
    if position is None:
        db.session.rollback()
        return False
    position.wish_sale(position.quantity)
    db.session.commit()
    dispatch.manage_position(position.id, position.broker.exchange)
    return True


def _entries(reach: Reach) -> Sequence[int]:
    query = select(OrderRow.id).where(OrderRow.role == OrderRole.ENTRY, OrderRow.status.in_(_UNFINISHED))
    return db.session.scalars(_within(query, OrderRow, reach)).all()


def _positions(reach: Reach) -> Sequence[int]:
    query = select(Position.id).where(Position.status == PositionStatus.OPEN)
    return db.session.scalars(_within(query, Position, reach)).all()


def _within(query: Select[int], table: type[_Row], reach: Reach) -> Select[int]:
    if reach.scope is not HaltScope.SERVER:
        query = query.where(table.user_id == reach.user_id)
    if reach.scope is HaltScope.BROKER:
        query = query.where(table.broker_id == reach.broker_id)
    return query.order_by(table.id)
