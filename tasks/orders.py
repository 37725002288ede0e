"""Placing, cancelling, changing and finding out about orders."""

from app.dispatch import TaskName
from app.services import amending, execution, reconciliation
from tasks.app import ContextTask, celery


@celery.task(name=TaskName.SUBMIT_ORDER.value, bind=True)
def submit(self: ContextTask, order_id: int) -> None:
    """Place an order."""
    execution.submit(order_id, queued_at=self.queued_at)


@celery.task(name=TaskName.CANCEL_ORDER.value)
def cancel(order_id: int) -> None:
    """Cancel an order on its exchange."""
    execution.cancel(order_id)


@celery.task(name=TaskName.AMEND_ORDER.value)
def amend(order_id: int) -> None:
    """Change an order on its exchange."""
    amending.carry_out(order_id)


@celery.task(name=TaskName.RECONCILE_ORDER.value)
def reconcile(order_id: int) -> None:
    """Find out what became of an order in doubt."""
    reconciliation.reconcile(order_id)


@celery.task(name=TaskName.SYNC_OPEN_ORDERS.value)
def sync_open(broker_id: int) -> None:
    """Learn of fills and cancellations on a broker."""
    reconciliation.sync_open(broker_id)
