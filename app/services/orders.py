"""Orders as people meet them: placing, cancelling, finding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload, selectinload

from app import dispatch
from app.domain.audit import Action
from app.domain.errors import OrderDenied, SwitchyardError
from app.domain.money import plain
from app.domain.orders import OrderDraft, OrderStatus, TargetWish
from app.extensions import db
from app.models import Alert, Broker, OrderOrigin, OrderRole, OrderRow, User, utc_now
from app.services import audit, events, portions, wishes
from app.services.events import Topic
from app.services.planning import Plan, preview

#: How long a manual order may wait for a worker before it is dropped aloud rather than placed late.
MANUAL_EXPIRY = timedelta(seconds=60)

#: The tabs of the orders page.
TABS: dict[str, tuple[OrderStatus, ...]] = {
    "all": (),
    "open": (OrderStatus.PENDING, OrderStatus.SUBMITTED, OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED),
    "filled": (OrderStatus.FILLED,),
    "rejected": (OrderStatus.REJECTED, OrderStatus.DENIED),
}


class CancelRefused(SwitchyardError):
    """An order that cannot be cancelled any more."""

    remedy = "Reload the order; it has come to its end."


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders to list; everything absent means any."""

    tab: str = "all"
    broker_id: int | None = None
    alert_id: int | None = None
    symbol: str | None = None
    origin: OrderOrigin | None = None
    since: datetime | None = None
    page: int = 1
    per_page: int = 20


def place(
    broker: Broker, draft: OrderDraft, origin: OrderOrigin, *, client_order_id: str | None = None
) -> OrderRow:
    """Store a manual order and hand it to its exchange's queue.

    With a ``client_order_id`` that an order of this broker has already, that order is the answer: one preview
    places one order, however often its button is pressed.

    Raises:
        OrderDenied: with every rule it breaks; nothing is stored then.
    """
    received_at = utc_now()
    if client_order_id is not None and (placed := by_client_id(broker, client_order_id)) is not None:
        return placed
    if not broker.active:
        raise OrderDenied.because("paused", f"{broker.name} is paused", remedy="Resume the broker first.")
    planned = preview(broker, draft)
    if planned.violations:
        raise OrderDenied(planned.violations)
    order = record(
        broker, draft, planned, origin, received_at=received_at, expires_at=utc_now() + MANUAL_EXPIRY
    )
    if client_order_id is not None:
        order.client_order_id = client_order_id
    try:
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        placed = by_client_id(broker, client_order_id or "")
        if placed is None:
            raise
        return placed
    dispatch.submit_order(order.id, broker.exchange)
    events.publish(broker.user_id, Topic.ORDERS, order.id)
    return order


def record(
    broker: Broker,
    draft: OrderDraft,
    planned: Plan,
    origin: OrderOrigin,
    *,
    received_at: datetime,
    expires_at: datetime,
    alert: Alert | None = None,
) -> OrderRow:
    """Add the intent of a planned order to the session, without committing.

    A protective distance given in percent stays one: it is measured from the price the entry really gets.
    """
    request = planned.request
    order = OrderRow(
        user_id=broker.user_id,
        broker=broker,
        alert_id=None if alert is None else alert.id,
        role=OrderRole.ENTRY,
        origin=origin,
        symbol=request.symbol,
        side=request.side,
        type=request.type,
        time_in_force=request.time_in_force,
        post_only=request.post_only,
        quantity=request.quantity,
        quote_quantity=request.quote_quantity,
        price=request.price,
        trigger_price=request.trigger_price,
        stop_loss=request.stop_loss and request.stop_loss.trigger_price,
        take_profit=request.take_profit and request.take_profit.trigger_price,
        stop_loss_percent=draft.first_stop and draft.first_stop.percent,
        take_profit_percent=draft.take_profit and draft.take_profit.percent,
        trailing_percent=draft.trailing_percent,
        targets=[_target(wish) for wish in draft.targets] or None,
        received_at=received_at,
        created_at=utc_now(),
        expires_at=expires_at,
        status=OrderStatus.PENDING,
        attempts=0,
        carried=False,
        fills=[],
        children=[],
    )
    order.note(f"asked for by {origin.lower()}", at=order.created_at)
    db.session.add(order)
    return order


def _target(wish: TargetWish) -> dict[str, str]:
    """A take-profit as `OrderRow.targets` keeps it, in plain text."""
    if wish.at.percent is not None:
        return {"percent": plain(wish.at.percent), "share": plain(wish.share)}
    return {"price": plain(wish.at.price or Decimal(0)), "share": plain(wish.share)}


def cancel(order: OrderRow) -> None:
    """Ask for an order's cancellation; one that was not sent yet ends here, a resting one on its exchange.

    Raises:
        CancelRefused: it has come to its end already.
    """
    wishes.give_up(order)  # holds the position before the order, as whoever guards it does
    db.session.refresh(order, ["status"], with_for_update=True)  # a worker may claim it in this moment
    if order.status.is_final:
        db.session.rollback()
        raise CancelRefused(f"the order is {order.status.lower()} already")
    want_cancelled(order)
    db.session.commit()
    pursue_cancellation(order)


def want_cancelled(order: OrderRow) -> None:
    """Write down that an unfinished order, which the caller holds, shall be cancelled; does not commit."""
    order.cancel_requested = True
    audit.record(Action.ORDER_CANCEL_ASKED, f"order {order.id}", user_id=order.user_id)
    if order.status is OrderStatus.PENDING:
        order.move_to(OrderStatus.CANCELED, "cancelled before it was sent")


def pursue_cancellation(order: OrderRow) -> None:
    """Have a worker cancel on its exchange what was wanted cancelled, and tell open pages."""
    if not order.status.is_final:
        dispatch.cancel_order(order.id, order.broker.exchange)
    events.publish(order.user_id, Topic.ORDERS, order.id)


def find(user: User, order_id: int) -> OrderRow | None:
    """An order of this person with its story; another person's is as if it did not exist."""
    return db.session.scalar(
        select(OrderRow)
        .where(OrderRow.id == order_id, OrderRow.user_id == user.id)
        .options(
            joinedload(OrderRow.broker),
            joinedload(OrderRow.alert),
            selectinload(OrderRow.events),
            selectinload(OrderRow.fills),
            selectinload(OrderRow.children).selectinload(OrderRow.children),
        )
    )


def by_client_id(broker: Broker, client_order_id: str) -> OrderRow | None:
    """A broker's order of this client id."""
    return db.session.scalar(
        select(OrderRow).where(OrderRow.broker_id == broker.id, OrderRow.client_order_id == client_order_id)
    )


def listing(user: User, wanted: OrderFilter) -> tuple[Sequence[OrderRow], int]:
    """A page of a person's orders, newest first, and how many match."""
    conditions = _of_tab(user, wanted)
    total = db.session.scalar(select(func.count(OrderRow.id)).where(*conditions)) or 0
    query = select(OrderRow).where(*conditions).options(joinedload(OrderRow.broker))
    query = query.order_by(OrderRow.id.desc()).limit(wanted.per_page)
    return db.session.scalars(query.offset((wanted.page - 1) * wanted.per_page)).all(), total


def every(user: User, wanted: OrderFilter) -> Iterator[OrderRow]:
    """All orders that `listing` has pages of, with alert and fills, read as they are taken."""
    query = select(OrderRow).where(*_of_tab(user, wanted))
    query = query.options(
        joinedload(OrderRow.broker), joinedload(OrderRow.alert), selectinload(OrderRow.fills)
    )
    return (row[0] for row in portions.newest_first(query, OrderRow.__table__.c.id))


def recent(user: User, number: int) -> Sequence[OrderRow]:
    """A person's newest orders."""
    query = select(OrderRow).where(*_conditions(user, OrderFilter())).order_by(OrderRow.id.desc())
    return db.session.scalars(query.limit(number).options(joinedload(OrderRow.broker))).all()


def counts(user: User, wanted: OrderFilter) -> dict[str, int]:
    """How many orders each tab holds under the same filter."""
    rows = db.session.execute(
        select(OrderRow.status, func.count(OrderRow.id))
        .where(*_conditions(user, wanted))
        .group_by(OrderRow.status)
    )
    by_status = dict(rows.all())
    return {
        tab: sum(by_status.get(status, 0) for status in statuses or by_status)
        for tab, statuses in TABS.items()
    }


def _of_tab(user: User, wanted: OrderFilter) -> list[ColumnElement[bool]]:
    statuses = TABS.get(wanted.tab, ())
    return _conditions(user, wanted) + ([OrderRow.status.in_(statuses)] if statuses else [])


def _conditions(user: User, wanted: OrderFilter) -> list[ColumnElement[bool]]:
    """A pair of exits is shown as its legs; until they are placed, as the order that will place them."""
    is_a_pair = (OrderRow.role == OrderRole.PROTECTION) & OrderRow.children.any()
    conditions = [OrderRow.user_id == user.id, ~is_a_pair]
    if wanted.alert_id is not None:
        conditions.append(OrderRow.alert_id == wanted.alert_id)
    if wanted.broker_id is not None:
        conditions.append(OrderRow.broker_id == wanted.broker_id)
    if wanted.symbol:
        conditions.append(OrderRow.symbol.contains(wanted.symbol.upper(), autoescape=True))
    if wanted.origin is not None:
        conditions.append(OrderRow.origin == wanted.origin)
    if wanted.since is not None:
        conditions.append(OrderRow.created_at >= wanted.since)
    return conditions
