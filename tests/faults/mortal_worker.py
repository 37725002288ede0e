"""A worker that can be told where to die: ``python -m tests.faults.mortal_worker``, driven by lines of JSON.

A job is ``{"act": name, "arguments": [...], "die_at": point or null, "in_person": false}``. Each is done in a child of
its own, forked from a process that has loaded everything and holds no connection, and answered with the child's exit
status and the crash points it reached: ``{"status": -9, "reached": [...]}``. What the process does in person its
children need not load and compile again.
"""

from __future__ import annotations

import base64
import json
import multiprocessing
import random
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from multiprocessing.connection import Connection
from typing import Any

import structlog
from flask import Flask
from sqlalchemy import select

from app import dispatch
from app.core import create_core
from app.dispatch import TaskName
from app.domain.alerts import AlertStatus
from app.domain.errors import TradingError
from app.domain.orders import OrderDraft, OrderStatus, OrderType, PriceOrPercent, Side
from app.exchanges import NAMES
from app.extensions import db
from app.extensions import redis as store
from app.models import (
    Alert,
    Broker,
    OrderOrigin,
    OrderRole,
    OrderRow,
    Position,
    PositionStatus,
    utc_now,
)
from app.models.types import UtcDateTime
from app.services import (
    alerts,
    connections,
    execution,
    intake,
    orders,
    protection,
    reconciliation,
    rehearsal,
    wishes,
)
from tests.faults.crash_points import CrashPoints, compile_in

log = structlog.get_logger()

#: Further than any window of reconciliation reaches, and nearer than the expiry of the tests' alerts.
A_WHILE = timedelta(minutes=2)
_ROUNDS = 6

#: Children that inherit what is loaded; Celery gives up the connections of its parent in them by itself.
_FORKING = multiprocessing.get_context("fork")


def receive(token: str, body: str, age: float) -> None:
    """What the web process does with a delivery that came ``age`` seconds ago."""
    received_at = utc_now() - timedelta(seconds=age)
    intake.store([intake.Delivery(token, body.encode(), "application/json", "127.0.0.1", received_at)])


def press(broker_id: int, client_order_id: str) -> None:
    """What the web process does when a person presses the button of a preview."""
    broker = db.session.get_one(Broker, broker_id)
    exits = {
        "stop_loss": PriceOrPercent(percent=Decimal(2)),
        "take_profit": PriceOrPercent(percent=Decimal(5)),
    }
    draft = OrderDraft("BTC/USDT", Side.BUY, OrderType.MARKET, quantity=Decimal("0.01"), **exits)
    orders.place(broker, draft, OrderOrigin.TICKET, client_order_id=client_order_id)


def move(broker_id: int, stop_loss: str) -> None:
    """What the web process does when a person moves the stop-loss of a position."""
    position = _position(broker_id)
    if position.status is PositionStatus.OPEN:
        with suppress(wishes.WishRefused):  # asked again, once the market is known to be past that price
            wishes.move(position, stop_loss=PriceOrPercent(price=Decimal(stop_loss)))


def close(broker_id: int, percent: str) -> None:
    """What the web process does when a person sells a share, who does not ask again for what is written down."""
    position = _position(broker_id)
    sales = select(OrderRow.id).where(OrderRow.position_id == position.id, OrderRow.role == OrderRole.EXIT)
    if position.close_quantity is None and db.session.scalar(sales) is None:
        wishes.close(position, Decimal(percent))


def _position(broker_id: int) -> Position:
    return db.session.scalars(select(Position).where(Position.broker_id == broker_id)).one()


def hold(broker_id: int) -> None:
    """A position without exits, bought by hand."""
    broker = db.session.get_one(Broker, broker_id)
    draft = OrderDraft("BTC/USDT", Side.BUY, OrderType.MARKET, quantity=Decimal("0.01"))
    execution.submit(orders.place(broker, draft, OrderOrigin.TICKET).id)


def redeliver(broker_id: int, act: str, *arguments: object) -> None:
    """Everything comes a second time: the request from outside, and the task of every row there is.

    Then time goes by until sweep and reconciliation have settled them.
    """
    _ACTS[act](*arguments)
    for table, task in (
        (Alert, TaskName.PROCESS_ALERT),
        (OrderRow, TaskName.SUBMIT_ORDER),
        (OrderRow, TaskName.RECONCILE_ORDER),
        (Position, TaskName.MANAGE_POSITION),
    ):
        for row_id in db.session.scalars(select(table.id).where(table.broker_id == broker_id)).all():
            _perform(task, row_id)
    deliver()
    for _ in range(_ROUNDS):
        _let_a_while_pass(broker_id)
        if not _unsettled(broker_id):
            _let_a_while_pass(broker_id)  # nothing more may come of it, but an execution seen late
            return
    raise AssertionError(f"still not settled after {_ROUNDS} rounds: {_unsettled(broker_id)}")


def _let_a_while_pass(broker_id: int) -> None:
    """Redis is emptied, time goes by, and beat sets going what it does."""
    store.flushall()
    _age(broker_id)
    reconciliation.sweep()
    dispatch.sync_open_orders(broker_id, db.session.get_one(Broker, broker_id).exchange)
    db.session.rollback()
    deliver()


def _unsettled(broker_id: int) -> list[tuple[str, int]]:
    """The rows of a broker that have yet to find their end, or their rest on the exchange."""
    waiting = OrderRow.status.in_((OrderStatus.PENDING, OrderStatus.SUBMITTED))
    undecided = Alert.status == AlertStatus.RECEIVED
    found = []
    for table, condition in ((OrderRow, waiting), (Alert, undecided)):
        ids = db.session.scalars(select(table.id).where(table.broker_id == broker_id, condition))
        found += [(table.__tablename__, row_id) for row_id in ids]
    for position in db.session.scalars(select(Position).where(Position.broker_id == broker_id)).all():
        if not protection.settled(position):
            found.append((Position.__tablename__, position.id))
    db.session.rollback()
    return found


_TASKS: Mapping[str, Callable[[int], None]] = {
    TaskName.PROCESS_ALERT: alerts.process,
    TaskName.SUBMIT_ORDER: execution.submit,
    TaskName.CANCEL_ORDER: execution.cancel,
    TaskName.RECONCILE_ORDER: reconciliation.reconcile,
    TaskName.SYNC_OPEN_ORDERS: reconciliation.sync_open,
    TaskName.MANAGE_POSITION: execution.guard,
}
_ACTS: Mapping[str, Callable[..., None]] = {
    **_TASKS,
    "receive": receive,
    "press": press,
    "move": move,
    "close": close,
    "hold": hold,
    "redeliver": redeliver,
}
_QUEUES = [queue(name) for name in NAMES for queue in (dispatch.orders_queue, dispatch.sync_queue)]


def deliver() -> None:
    """Do the tasks that wait in Redis, as a worker does; one for later is left to the sweep."""
    while taken := [message for queue in _QUEUES if (message := store.lpop(queue))]:
        for message in taken:
            envelope: dict[str, Any] = json.loads(str(message))
            headers = envelope["headers"]
            if headers["eta"] is None and headers["task"] in _TASKS:
                (row_id,) = json.loads(base64.b64decode(envelope["body"]))[0]
                _perform(headers["task"], row_id)


def _perform(task: str, row_id: int) -> None:
    try:
        _TASKS[task](row_id)
    except TradingError as error:  # a worker logs it and goes on
        log.info("task_failed", task=task, error=error.message)
    db.session.remove()


def _age(broker_id: int) -> None:
    """Make a broker's rows ``A_WHILE`` older, except for when they expire: nobody has to wait."""
    for table in (Alert, OrderRow):
        times = [
            column.key
            for column in table.__table__.columns
            if isinstance(column.type, UtcDateTime) and column.key != "expires_at"
        ]
        for row in db.session.scalars(select(table).where(table.broker_id == broker_id)):  # type: ignore[attr-defined]
            for name in times:
                if (moment := getattr(row, name)) is not None:
                    setattr(row, name, moment - A_WHILE)
    db.session.commit()


def main() -> None:
    """Serve jobs until the input ends."""
    points = compile_in()
    app = create_core()
    _answer(points.texts)
    for line in sys.stdin:
        job = json.loads(line)
        _answer(_in_person(app, job) if job["in_person"] else _in_a_child(app, points, job))


def _answer(content: object) -> None:
    sys.stdout.write(f"{json.dumps(content)}\n")
    sys.stdout.flush()


def _in_person(app: Flask, job: dict[str, Any]) -> dict[str, Any]:
    """Do a job here and then close every connection: a child must not share one."""
    with app.app_context():
        _do(job)
        db.session.remove()
        db.engine.dispose()
        connections.close()
        store.connection_pool.disconnect()
    rehearsal.settle()
    return {"status": 0, "reached": []}


def _in_a_child(app: Flask, points: CrashPoints, job: dict[str, Any]) -> dict[str, Any]:
    reading, writing = _FORKING.Pipe(duplex=False)
    child = _FORKING.Process(target=_live, args=(app, points, job, writing))
    child.start()
    writing.close()
    with reading:
        try:
            reached = reading.recv()
        except EOFError:
            reached = []  # it was killed, or failed
    child.join()
    return {"status": child.exitcode, "reached": reached}


def _live(app: Flask, points: CrashPoints, job: dict[str, Any], writing: Connection) -> None:
    points.reached.clear()
    points.die_at = job["die_at"]
    random.seed(
        0
    )  # which order is looked at first is left to chance; a trial has to come by the point of its model
    with app.app_context():
        _do(job)
    writing.send(list(points.reached))


def _do(job: dict[str, Any]) -> None:
    _ACTS[job["act"]](*job["arguments"])
    deliver()


if __name__ == "__main__":
    main()
