"""Finding out: what became of orders whose outcome is unknown, what filled meanwhile, what was never picked up.

The database is the truth and this module is what keeps it so, whatever Redis lost and whichever worker died.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload, selectinload

from app import dispatch
from app.domain.alerts import AlertStatus
from app.domain.errors import OrderNotFound, TradingError
from app.domain.orders import OrderReport, OrderStatus
from app.exchanges import Exchange, capabilities
from app.extensions import db
from app.models import Alert, Broker, OrderRole, OrderRow, utc_now
from app.services import bookkeeping, connections, events, execution
from app.services.events import Topic

log = structlog.get_logger()

#: The sweep leaves younger rows to the task that was dispatched for them.
PICKED_UP_WITHIN = timedelta(seconds=5)

#: From here on an order that no look-up finds was never executed: the claim's send window, the exchange's own
#: window for a request's timestamp and our read time-out have all passed.
ABSENT_AFTER = timedelta(seconds=25)

#: What `sync_open` looks at: orders that rest, and orders of which the exchange has not listed every fill.
TO_BE_SEEN = or_(
    OrderRow.status.in_((OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)), OrderRow.fills_missing.is_(True)
)
_BATCH = 500


def reconcile(order_id: int) -> None:
    """Settle one SUBMITTED order by looking for it everywhere it could be."""
    order = _load(order_id)
    if order.status is not OrderStatus.SUBMITTED:
        return
    with connections.calling(order.broker) as exchange:
        report = _look_up(exchange, order)
    if report is not None:
        order.acknowledged_at = order.acknowledged_at or utc_now()
        _adopt(order, report, "found on the exchange by its client id")
    elif _surely_absent(order, utc_now()):
        _give_back(order)


def sync_open(broker_id: int) -> None:
    """Learn what became of a broker's resting orders since the last look, and of those that lack fills."""
    broker, began, missed = db.session.get_one(Broker, broker_id), utc_now(), 0
    query = select(OrderRow).where(OrderRow.broker_id == broker_id, TO_BE_SEEN)
    query = query.options(
        joinedload(OrderRow.broker), selectinload(OrderRow.fills), selectinload(OrderRow.children)
    )
    orders = db.session.scalars(query).all()
    if not orders:
        return
    with connections.calling(broker) as exchange:
        resting = _resting(exchange, sorted({order.symbol for order in orders}))
    for order in random.sample(orders, len(orders)):  # an allowance too small for all shall starve none
        if _undisturbed(order, resting):
            continue
        try:
            _refresh(order)
        except TradingError as error:
            missed += 1
            log.warning("order_not_refreshed", order_id=order.id, error=error.message)
    if not missed:
        broker.orders_seen_at = began
        db.session.commit()


def sweep() -> int:
    """Send again what no worker has picked up, and look up what is still in doubt; returns how many."""
    now = utc_now()
    settled = now - PICKED_UP_WITHIN
    alerts = db.session.execute(
        select(Alert.id, Broker.exchange)
        .join(Broker, Broker.id == Alert.broker_id)
        .where(Alert.status == AlertStatus.RECEIVED, Alert.received_at < settled)
        .limit(_BATCH)
    ).all()
    orders = db.session.execute(
        select(OrderRow.id, Broker.exchange, OrderRow.status)
        .join(Broker, Broker.id == OrderRow.broker_id)
        .where(
            or_(
                (OrderRow.status == OrderStatus.PENDING)
                & or_(OrderRow.next_attempt_at.is_(None), OrderRow.next_attempt_at < settled),
                (OrderRow.status == OrderStatus.SUBMITTED) & (OrderRow.picked_up_at < settled),
            ),
            OrderRow.created_at < settled,
        )
        .limit(_BATCH)
    ).all()
    db.session.rollback()
    for alert_id, exchange in alerts:
        dispatch.process_alert(alert_id, exchange)
    for order_id, exchange, status in orders:
        send = dispatch.submit_order if status is OrderStatus.PENDING else dispatch.reconcile_order
        send(order_id, exchange)
    return len(alerts) + len(orders)


def _resting(exchange: Exchange, symbols: Sequence[str]) -> dict[str | None, OrderReport]:
    """What rests on some markets, by its id; asked once where every call lists all markets anyway."""
    asked = [None] if capabilities(exchange.name).lists_all_markets else symbols
    return {report.exchange_order_id: report for symbol in asked for report in exchange.open_orders(symbol)}


def _undisturbed(order: OrderRow, resting: Mapping[str | None, OrderReport]) -> bool:
    """Whether nothing happened to an order: it rests as booked or, a pair of exits, both its legs do."""
    if order.role is OrderRole.PROTECTION and order.children:
        return all(_undisturbed(leg, resting) for leg in order.children)
    report = resting.get(order.exchange_order_id)
    return report is not None and not bookkeeping.unbooked(order, report)


def _refresh(order: OrderRow) -> None:
    try:
        with connections.calling(order.broker) as exchange:
            report = exchange.get_order(order.symbol, exchange_order_id=order.exchange_order_id)
    except OrderNotFound:
        if not order.status.is_final:
            raise
        order.fills_missing = False
        order.note("the exchange does not know it any more: the fills that were missing stay unknown")
        db.session.commit()
        return
    _adopt(order, report, "seen on the exchange")


def _adopt(order: OrderRow, report: OrderReport, cause: str) -> None:
    if bookkeeping.unbooked(order, report):
        with connections.calling(order.broker) as exchange:
            report = bookkeeping.with_fills(exchange, order, report)
    following = bookkeeping.adopt(order, report, cause)
    db.session.commit()
    events.publish(order.user_id, Topic.ORDERS, order.id)
    for protection in following:
        execution.submit(protection.id)


def _look_up(exchange: Exchange, order: OrderRow) -> OrderReport | None:
    try:
        if capabilities(exchange.name).client_id_lookup is not None:
            return exchange.get_order(order.symbol, client_order_id=order.client_order_id)
    except OrderNotFound:
        pass  # not proof: it may show among the open or past ones first
    since = (order.sent_at or order.created_at) - timedelta(minutes=1)
    for reports in (exchange.open_orders(order.symbol), exchange.order_history(order.symbol, since=since)):
        for report in reports:
            if report.client_order_id == order.client_order_id:
                return report
    return None


def _surely_absent(order: OrderRow, now: datetime) -> bool:
    claimed_at = order.picked_up_at or order.created_at
    return now - claimed_at > ABSENT_AFTER + capabilities(order.broker.exchange).visibility_delay


def _give_back(order: OrderRow) -> None:
    now = utc_now()
    if order.expires_at is not None and now >= order.expires_at:
        order.reason = "never reached the exchange and is too old to be sent now"
        order.move_to(OrderStatus.EXPIRED, order.reason)
        db.session.commit()
    else:
        order.move_to(OrderStatus.PENDING, "proven absent on the exchange: to be sent")
        db.session.commit()
        dispatch.submit_order(order.id, order.broker.exchange)
    events.publish(order.user_id, Topic.ORDERS, order.id)


def _load(order_id: int) -> OrderRow:
    options = [joinedload(OrderRow.broker), selectinload(OrderRow.fills)]
    return db.session.get_one(OrderRow, order_id, options=options, populate_existing=True)
