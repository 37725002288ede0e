"""The only door to Celery: task names, the choice of queue, and what happens when the queue is down.

Call these after commit. A task carries an id and nothing else; when Redis cannot take it, the row in the database
stands and the sweep sends it later, so a failure here is logged and never raised.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

import structlog
from celery import current_app as celery
from kombu.exceptions import OperationalError

log = structlog.get_logger()

#: Work that belongs to no exchange.
DEFAULT_QUEUE = "default"


class TaskName(StrEnum):
    """Every task there is; a test proves that each is registered and none is missing here."""

    PROCESS_ALERT = "alerts.process"
    SUBMIT_ORDER = "orders.submit"
    CANCEL_ORDER = "orders.cancel"
    AMEND_ORDER = "orders.amend"
    RECONCILE_ORDER = "orders.reconcile"
    SYNC_OPEN_ORDERS = "orders.sync_open"
    MANAGE_POSITION = "positions.manage"
    WATCH_PRICES = "positions.watch"
    CHECK_BROKER = "brokers.check"
    SYNC_BALANCES = "balances.sync"
    LOAD_MARKETS = "markets.load"
    NOTIFY_CHANNEL = "notifications.send"
    TEST_CHANNEL = "notifications.test"
    LOOK_AT_MARKET = "markets.look"
    BEAT_BALANCES = "beat.balances"
    BEAT_OPEN_ORDERS = "beat.open_orders"
    BEAT_MARKETS = "beat.markets"
    BEAT_SWEEP = "beat.sweep"
    BEAT_WATCH = "beat.watch"
    BEAT_SEAL = "beat.seal"
    BEAT_MISSES = "beat.misses"
    BEAT_NOTIFY = "beat.notify"


def orders_queue(exchange: str) -> str:
    """The queue of what must reach an exchange quickly."""
    return f"orders.{exchange}"


def sync_queue(exchange: str) -> str:
    """The queue of what may take its time, so that it never delays an order."""
    return f"sync.{exchange}"


def process_alert(alert_id: int, exchange: str, *, countdown: float | None = None) -> bool:
    """Decide an alert and do what it asks for, on its exchange's own queue, after ``countdown`` seconds when given."""
    return _send(TaskName.PROCESS_ALERT, alert_id, orders_queue(exchange), countdown=countdown)


def submit_order(order_id: int, exchange: str, *, countdown: float | None = None) -> bool:
    """Place an order, after ``countdown`` seconds when given."""
    return _send(TaskName.SUBMIT_ORDER, order_id, orders_queue(exchange), countdown=countdown)


def cancel_order(order_id: int, exchange: str) -> bool:
    """Cancel an order on its exchange."""
    return _send(TaskName.CANCEL_ORDER, order_id, orders_queue(exchange))


def amend_order(order_id: int, exchange: str) -> bool:
    """Change an order on its exchange."""
    return _send(TaskName.AMEND_ORDER, order_id, orders_queue(exchange))


def reconcile_order(order_id: int, exchange: str) -> bool:
    """Find out what became of an order whose outcome is unknown."""
    return _send(TaskName.RECONCILE_ORDER, order_id, sync_queue(exchange))


def copy(task: TaskName, row_id: int, exchange: str, *, good_for: float) -> bool:
    """Send again what concerns one alert or order; dropped if no worker comes to it within so many seconds."""
    queue = sync_queue(exchange) if task is TaskName.RECONCILE_ORDER else orders_queue(exchange)
    return _send(task, row_id, queue, expires=good_for, copy=True)


def catch_up() -> None:
    """Do at once what beat asks for every few seconds: sweep, and look at all open orders."""
    for tick in (TaskName.BEAT_SWEEP, TaskName.BEAT_OPEN_ORDERS):
        _send(tick, None, DEFAULT_QUEUE)


def sync_open_orders(broker_id: int, exchange: str, *, good_for: float | None = None) -> bool:
    """Learn of fills and cancellations on a broker; dropped if no worker comes to it within so many seconds."""
    return _send(TaskName.SYNC_OPEN_ORDERS, broker_id, sync_queue(exchange), expires=good_for)


def manage_position(position_id: int, exchange: str, *, countdown: float | None = None) -> bool:
    """Bring a position's exits to what is wished, after ``countdown`` seconds when given."""
    return _send(TaskName.MANAGE_POSITION, position_id, orders_queue(exchange), countdown=countdown)


def watch_prices(broker_id: int, exchange: str) -> bool:
    """Look at the prices of an exchange for all positions there that are watched; any of its brokers serves."""
    return _send(TaskName.WATCH_PRICES, broker_id, sync_queue(exchange))


def check_broker(broker_id: int, exchange: str) -> bool:
    """Run the check-up of a broker's keys."""
    return _send(TaskName.CHECK_BROKER, broker_id, sync_queue(exchange))


def sync_balances(broker_id: int, exchange: str, *, good_for: float | None = None) -> bool:
    """Fetch what a broker holds; dropped if no worker comes to it within so many seconds."""
    return _send(TaskName.SYNC_BALANCES, broker_id, sync_queue(exchange), expires=good_for)


def load_markets(broker_id: int, exchange: str) -> bool:
    """Fetch the markets of a broker's exchange and environment."""
    return _send(TaskName.LOAD_MARKETS, broker_id, sync_queue(exchange))


def notify_channel(channel_id: int, *, good_for: float) -> bool:
    """Tell a notification channel what happened; dropped if no worker comes to it within so many seconds."""
    return _send(TaskName.NOTIFY_CHANNEL, channel_id, DEFAULT_QUEUE, expires=good_for)


def test_channel(channel_id: int) -> bool:
    """Send a message to a notification channel that says only that it came."""
    return _send(TaskName.TEST_CHANNEL, channel_id, DEFAULT_QUEUE)


def look_at_market(market_id: int, exchange: str, *, good_for: float) -> bool:
    """Fetch what open pages show of a market; dropped if no worker comes to it within so many seconds."""
    return _send(TaskName.LOOK_AT_MARKET, market_id, sync_queue(exchange), expires=good_for)


def _send(
    task: TaskName,
    row_id: int | None,
    queue: str,
    *,
    countdown: float | None = None,
    expires: float | None = None,
    copy: bool = False,
) -> bool:
    headers: dict[str, object] = {"queued_at": datetime.now(UTC).isoformat()}
    if copy:
        headers["copy"] = True
    args = () if row_id is None else (row_id,)
    try:
        celery.send_task(
            task.value, args=args, queue=queue, countdown=countdown, expires=expires, headers=headers
        )
    except (OperationalError, OSError) as error:
        log.warning("dispatch_failed", task=task.value, row_id=row_id, queue=queue, error=str(error))
        return False
    return True
