"""What happens to alerts and orders writes itself down: with the rows that tell it, in the same transaction.

No service has to think of it and none can forget it. An alert is told when it is stored and when it is decided, an
order when its intent is stored and at each step and note of its story, a position when it ends and when it is not
guarded as wished, a broker when its keys begin to work or cease to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import event, inspect
from sqlalchemy.orm import Session, UOWTransaction

from app.domain.alerts import AlertStatus
from app.domain.audit import Action
from app.extensions import db
from app.models import Alert, Broker, OrderEvent, OrderRow, Position, PositionStatus, utc_now
from app.services import acting, audit
from app.services.acting import Actor

#: What an order asks for, as far as it says so.
_ASKED = (
    *("broker_id", "alert_id", "parent_id", "role", "origin", "client_order_id", "symbol", "side", "type"),
    *("quantity", "quote_quantity", "price", "trigger_price", "stop_loss", "take_profit"),
    *("stop_loss_percent", "take_profit_percent"),
)


def keep() -> None:
    """Begin to write down what the sessions of this process store."""
    if not event.contains(db.session, "after_flush", _tell):
        event.listen(db.session, "after_flush", _tell)


def _tell(session: Session, _flush: UOWTransaction) -> None:
    new = session.new
    changed = session.dirty
    rows = [*_of_alerts(new, changed), *_of_orders(new), *_of_positions(changed), *_of_brokers(changed)]
    if rows:
        audit.write(rows)


def _of_alerts(new: Iterable[object], changed: Iterable[object]) -> Iterator[dict[str, Any]]:
    for row in new:
        if isinstance(row, Alert):
            yield _received(row)
            if row.status is not AlertStatus.RECEIVED:
                yield _decided(row)
    for row in changed:
        if isinstance(row, Alert) and _has_changed(row, "status"):
            yield _decided(row)


def _received(alert: Alert) -> dict[str, Any]:
    detail = {
        "source_id": alert.source_id,
        "action": alert.action,
        "symbol": alert.symbol,
        "body_sha256": hashlib.sha256(alert.body.encode()).hexdigest(),  # of what is kept, secrets masked
    }
    sender = Actor(f"source {alert.source_id}", address=alert.sender)
    return audit.entry(
        Action.ALERT_RECEIVED, f"alert {alert.id}", sender, alert.user_id, alert.received_at, detail
    )


def _decided(alert: Alert) -> dict[str, Any]:
    detail = {"status": alert.status, "reason": alert.reason, "duplicate_of": alert.duplicate_of_id}
    at = alert.processed_at or alert.received_at
    who = acting.current()
    return audit.entry(Action.ALERT_DECIDED, f"alert {alert.id}", who, alert.user_id, at, detail)


def _of_orders(new: Iterable[object]) -> Iterator[dict[str, Any]]:
    placed = {row for row in new if isinstance(row, OrderRow)}
    for row in new:
        if isinstance(row, OrderEvent):
            yield _of_event(row, first=row.order in placed)
            placed.discard(row.order)


def _of_event(step: OrderEvent, *, first: bool) -> dict[str, Any]:
    order = step.order
    detail: dict[str, object] = {"cause": step.cause, "status": step.after}
    if first:
        action = Action.ORDER_PLACED
        detail |= {name: getattr(order, name) for name in _ASKED}
    elif step.before in (None, step.after):
        action = Action.ORDER_NOTED
    else:
        action = Action.ORDER_MOVED
        detail |= {"before": step.before, "filled_quantity": order.filled_quantity}
        detail |= {"average_price": order.average_price, "exchange_order_id": order.exchange_order_id}
    return audit.entry(action, f"order {order.id}", acting.current(), order.user_id, step.at, detail)


def _of_positions(changed: Iterable[object]) -> Iterator[dict[str, Any]]:
    for row in changed:
        if not isinstance(row, Position):
            continue
        if _has_changed(row, "status") and row.status is PositionStatus.CLOSED:
            yield _of_position(Action.POSITION_ENDED, row, realised=row.realised, because=row.closed_because)
        if _has_changed(row, "alarm") and row.alarm is not None:
            yield _of_position(Action.POSITION_ALARMED, row, alarm=row.alarm)


def _of_position(action: Action, row: Position, **detail: object) -> dict[str, Any]:
    told = {"broker_id": row.broker_id, "symbol": row.symbol, **detail}
    return audit.entry(action, f"position {row.id}", acting.current(), row.user_id, utc_now(), told)


def _of_brokers(changed: Iterable[object]) -> Iterator[dict[str, Any]]:
    for row in changed:
        if isinstance(row, Broker) and row.connected is not None and _has_changed(row, "connected"):
            action = Action.BROKER_CONNECTED if row.connected else Action.BROKER_DISCONNECTED
            told = {"name": row.name, "reason": row.connection_reason}
            yield audit.entry(action, f"broker {row.id}", acting.current(), row.user_id, utc_now(), told)


def _has_changed(row: object, name: str) -> bool:
    """Whether what is stored of it is another value than before."""
    return bool(inspect(row).attrs[name].history.has_changes())
