"""What is worth telling a person who does not look: read off the audit chain, so that nothing has to think of it.

The chain has every entry once, in an order that never changes and without gaps, also of transactions that committed
late. Whoever remembers a position in it has told everything up to there, and can tell the rest at any time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, func, or_, select

from app.domain.alerts import AlertStatus
from app.domain.audit import Action
from app.domain.orders import OrderStatus, Side
from app.extensions import db
from app.models import Alert, AuditEntry, AuditSeal, HaltScope, OrderRole, OrderRow, Source

#: What lies farther back in the chain is not told any more: it is on the Activity page.
_FARTHEST = 50_000


class Kind(StrEnum):
    """What people choose from."""

    ENTRY_FILLED = "ENTRY_FILLED"
    POSITION_CLOSED = "POSITION_CLOSED"
    POSITION_UNGUARDED = "POSITION_UNGUARDED"
    ORDER_REJECTED = "ORDER_REJECTED"
    ALERT_FAILED = "ALERT_FAILED"
    ALERT_MISSED = "ALERT_MISSED"
    HALTED = "HALTED"
    BROKER_LOST = "BROKER_LOST"
    SYNC_FAILING = "SYNC_FAILING"
    ACCOUNT = "ACCOUNT"


#: What goes wrong, and who gets in.
URGENT = frozenset(Kind) - {Kind.ENTRY_FILLED, Kind.POSITION_CLOSED}


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell, in words."""

    at: datetime
    kind: Kind
    words: str


_BY_ACTION: Mapping[str, Kind] = {
    Action.POSITION_ENDED: Kind.POSITION_CLOSED,
    Action.POSITION_ALARMED: Kind.POSITION_UNGUARDED,
    Action.HALT_STARTED: Kind.HALTED,
    Action.BROKER_DISCONNECTED: Kind.BROKER_LOST,
    Action.BROKER_SYNC_FAILING: Kind.SYNC_FAILING,
    Action.LOGIN_SUCCEEDED: Kind.ACCOUNT,
    Action.USER_EMAIL_CHANGED: Kind.ACCOUNT,
    Action.USER_PASSWORD_CHANGED: Kind.ACCOUNT,
    Action.SECOND_FACTOR_ON: Kind.ACCOUNT,
    Action.SECOND_FACTOR_OFF: Kind.ACCOUNT,
    Action.SECOND_FACTOR_CODE_USED: Kind.ACCOUNT,
    Action.API_TOKEN_CREATED: Kind.ACCOUNT,
}
_BY_STATUS: Mapping[tuple[str, str], Kind] = {
    (Action.ORDER_MOVED, OrderStatus.FILLED): Kind.ENTRY_FILLED,
    (Action.ORDER_MOVED, OrderStatus.REJECTED): Kind.ORDER_REJECTED,
    (Action.ORDER_MOVED, OrderStatus.DENIED): Kind.ORDER_REJECTED,
    (Action.ALERT_DECIDED, AlertStatus.ERROR): Kind.ALERT_FAILED,
    (Action.ALERT_DECIDED, AlertStatus.DENIED): Kind.ALERT_FAILED,
    (Action.ALERT_DECIDED, AlertStatus.EXPIRED): Kind.ALERT_FAILED,
    (Action.ALERT_DECIDED, AlertStatus.MISS): Kind.ALERT_MISSED,
}
_ACTIONS = frozenset(_BY_ACTION) | {action for action, _ in _BY_STATUS}


def newest_position() -> int:
    """The end of the chain; 0 while it is empty."""
    return db.session.scalar(select(func.max(AuditSeal.position))) or 0


def concerned(after: int, upto: int) -> set[int | None]:
    """The ids of people to whom something happened between two positions that could be told; None for everybody."""
    rows = [row for row in _entries(after, upto) if _kind(row) is not None]
    return {None if _is_for_all(row) else row.user_id for row in rows}


def between(user_id: int, kinds: Collection[str], after: int, upto: int) -> list[Notice]:
    """What happened to a person between two positions, of the kinds they chose, oldest first."""
    theirs = or_(AuditEntry.user_id == user_id, AuditEntry.action == Action.HALT_STARTED)
    rows = [
        row
        for row in _entries(after, upto, theirs)
        if _kind(row) in kinds and (row.user_id == user_id or _is_for_all(row))
    ]
    return list(_told(rows, _orders_of(rows), _sources_of(rows)))


def _entries(after: int, upto: int, *conditions: ColumnElement[bool]) -> Sequence[Row[Any]]:
    query = select(
        AuditEntry.at, AuditEntry.user_id, AuditEntry.action, AuditEntry.subject, AuditEntry.detail
    )
    query = query.join(AuditSeal, AuditSeal.entry_id == AuditEntry.id).where(
        AuditSeal.position > max(after, upto - _FARTHEST),
        AuditSeal.position <= upto,
        AuditEntry.action.in_(_ACTIONS),
        *conditions,
    )
    return db.session.execute(query.order_by(AuditSeal.position)).all()


def _is_for_all(row: Row[Any]) -> bool:
    return bool(row.action == Action.HALT_STARTED and row.detail.get("scope") == HaltScope.SERVER)


def _kind(row: Row[Any]) -> Kind | None:
    return _BY_ACTION.get(row.action) or _BY_STATUS.get((row.action, str(row.detail.get("status"))))


def _orders_of(rows: Iterable[Row[Any]]) -> Mapping[str, OrderRow]:
    """The orders that entries are about, by subject."""
    numbers = _numbers(rows, Action.ORDER_MOVED)
    found = db.session.scalars(select(OrderRow).where(OrderRow.id.in_(numbers))) if numbers else ()
    return {f"order {order.id}": order for order in found}


def _sources_of(rows: Iterable[Row[Any]]) -> Mapping[str, str]:
    """The names of the sources whose alerts entries are about, by subject."""
    numbers = _numbers(rows, Action.ALERT_DECIDED)
    query = select(Alert.id, Source.name).join(Source, Source.id == Alert.source_id)
    found = db.session.execute(query.where(Alert.id.in_(numbers))).all() if numbers else ()
    return {f"alert {alert_id}": name for alert_id, name in found}


def _numbers(rows: Iterable[Row[Any]], action: Action) -> set[int]:
    return {int(row.subject.partition(" ")[2]) for row in rows if row.action == action}


def _told(
    rows: Iterable[Row[Any]], orders: Mapping[str, OrderRow], sources: Mapping[str, str]
) -> Iterator[Notice]:
    for row in rows:
        kind, order = _kind(row), orders.get(row.subject)
        if kind is None or (kind is Kind.ENTRY_FILLED and not _is_entry(order)):
            continue
        about = order.symbol if order is not None else sources.get(row.subject) or _about(kind, row)
        yield Notice(row.at, kind, f"{about}: {_words(kind, row, order)}")


def _is_entry(order: OrderRow | None) -> bool:
    return order is not None and order.role is OrderRole.ENTRY


def _about(kind: Kind, row: Row[Any]) -> str:
    said = row.detail
    match kind:
        case Kind.ACCOUNT:
            return "your account"
        case Kind.HALTED:
            wide = {HaltScope.SERVER.value: "the whole server", HaltScope.USER.value: "all your brokers"}
            return wide.get(said["scope"], f"broker {said.get('broker_id')}")
        case _:
            return str(said.get("symbol") or said.get("name") or row.subject)


def _words(kind: Kind, row: Row[Any], order: OrderRow | None) -> str:
    said = row.detail
    match kind:
        case Kind.ENTRY_FILLED if order is not None:
            done = "bought" if order.side is Side.BUY else "sold"
            return f"{done} {said.get('filled_quantity')} at {said.get('average_price', 'an unknown price')}"
        case Kind.POSITION_CLOSED:
            return f"the position is closed, {said.get('realised')} realised; {said.get('because')}"
        case Kind.POSITION_UNGUARDED:
            return str(said.get("alarm"))
        case Kind.ORDER_REJECTED:
            return f"{row.subject} came to nothing: {said.get('cause')}"
        case Kind.HALTED:
            return f"entries are halted: {said.get('reason')}"
        case Kind.ACCOUNT:
            return str(row.action).replace(".", " ").replace("_", " ")
        case _:
            return str(said.get("reason"))
