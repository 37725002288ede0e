"""The inbox: finding alerts that came, and what each led to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import joinedload, selectinload

from app.domain.alert_text import place_told
from app.domain.alerts import AlertAction, AlertStatus
from app.extensions import db
from app.models import Alert, OrderRole, OrderRow, User
from app.services import misses, timeline
from app.services.timeline import Timeline

#: What alerts are known to ask for; one that did not come asks for nothing.
ACTIONS: Sequence[str] = (*map(str, AlertAction), misses.ACTION)

#: In the order of an index, so that the first page of many alerts is read without sorting them all.
_NEWEST_FIRST = (Alert.received_at.desc(), Alert.id.desc())


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts to list; everything absent means any. ``since`` is part of the time, ``until`` is not."""

    broker_id: int | None = None
    source_id: int | None = None
    action: str | None = None
    status: AlertStatus | None = None
    since: datetime | None = None
    until: datetime | None = None
    page: int = 1
    per_page: int = 20


@dataclass(frozen=True, slots=True)
class Entry:
    """An alert as a list shows it: with the first order it asked for."""

    alert: Alert
    order_id: int | None


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a text, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Story:
    """All that is known of an alert: every order it led to, oldest first, a pair of exits as its legs; and its way."""

    alert: Alert
    orders: Sequence[OrderRow]
    timeline: Timeline
    same_delivery: Sequence[Alert]
    """What the same delivery made for further brokers of its source."""

    @property
    def order_id(self) -> int | None:
        """The first order it asked for."""
        return self.orders[0].id if self.orders else None

    @property
    def fault(self) -> Place | None:
        """Where in its text it could not be understood, if that is known."""
        understood = self.alert.signal is not None
        place = None if understood else place_told(self.alert.reason or "")
        return None if place is None else Place(*place)


def listing(user: User, wanted: AlertFilter) -> tuple[Sequence[Alert], int]:
    """A page of a person's alerts, newest first, and how many match."""
    conditions = _conditions(user, wanted)
    total = db.session.scalar(select(func.count(Alert.id)).where(*conditions)) or 0
    query = select(Alert).where(*conditions).options(joinedload(Alert.broker), joinedload(Alert.source))
    query = query.order_by(*_NEWEST_FIRST).limit(wanted.per_page)
    return db.session.scalars(query.offset((wanted.page - 1) * wanted.per_page)).all(), total


def recent(user: User, number: int) -> Sequence[Alert]:
    """A person's newest alerts."""
    query = select(Alert).where(Alert.user_id == user.id).order_by(*_NEWEST_FIRST).limit(number)
    return db.session.scalars(query.options(joinedload(Alert.broker), joinedload(Alert.source))).all()


def find(user: User, alert_id: int) -> Alert | None:
    """An alert of this person; another person's is as if it did not exist."""
    return db.session.scalar(
        select(Alert)
        .where(Alert.id == alert_id, Alert.user_id == user.id)
        .options(joinedload(Alert.source), joinedload(Alert.broker))
    )


def orders_of(alert: Alert) -> Sequence[OrderRow]:
    """Every order an alert led to, protective ones included, oldest first."""
    query = select(OrderRow).where(OrderRow.alert_id == alert.id).order_by(OrderRow.id)
    query = query.options(joinedload(OrderRow.broker), selectinload(OrderRow.children))
    return db.session.scalars(query).all()


def entries(alerts: Sequence[Alert]) -> list[Entry]:
    """These alerts with the first order of each."""
    query = select(OrderRow.alert_id, func.min(OrderRow.id)).group_by(OrderRow.alert_id)
    asked_for = OrderRow.role != OrderRole.PROTECTION
    rows = db.session.execute(query.where(OrderRow.alert_id.in_([alert.id for alert in alerts]), asked_for))
    first = dict(rows.all())
    return [Entry(alert, first.get(alert.id)) for alert in alerts]


def story(alert: Alert) -> Story:
    """An alert with its orders, its way and its like."""
    orders = [order for order in orders_of(alert) if not order.is_pair]
    way = timeline.of(orders[0]) if orders else timeline.of_alert(alert)
    return Story(alert, orders, way, _same_delivery(alert))


def _same_delivery(alert: Alert) -> Sequence[Alert]:
    first = alert.delivery_id or alert.id
    query = select(Alert).where((Alert.id == first) | (Alert.delivery_id == first), Alert.id != alert.id)
    return db.session.scalars(query.options(joinedload(Alert.broker)).order_by(Alert.id)).all()


def _conditions(user: User, wanted: AlertFilter) -> list[ColumnElement[bool]]:
    conditions = [Alert.user_id == user.id]
    if wanted.broker_id is not None:
        conditions.append(Alert.broker_id == wanted.broker_id)
    if wanted.source_id is not None:
        conditions.append(Alert.source_id == wanted.source_id)
    if wanted.action is not None:
        conditions.append(Alert.action == wanted.action)
    if wanted.status is not None:
        conditions.append(Alert.status == wanted.status)
    if wanted.since is not None:
        conditions.append(Alert.received_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(Alert.received_at < wanted.until)
    return conditions
