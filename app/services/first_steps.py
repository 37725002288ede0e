"""How far a new person has come: from the account to the first real broker, told by what there is and by nothing else.

Nothing is stored about the path, so it can be left and taken up again, and whatever is done elsewhere counts as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select

from app.domain.accounts import Environment, TradingMode
from app.domain.orders import OrderStatus
from app.exchanges import NAMES, title
from app.extensions import db
from app.models import Alert, Broker, OrderRole, OrderRow, Source, User
from app.services import brokers, sources


class Step(StrEnum):
    """The steps, in the order they are taken."""

    ACCOUNT = "account"
    BROKER = "broker"
    CHECK_UP = "check_up"
    ORDER = "order"
    WEBHOOK = "webhook"
    ALERT = "alert"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """What a person has of all that the path leads to; None for what is still to come.

    ``broker`` is the one to go on with, a simulated one where there is one; ``order`` the first that was filled, or the
    newest while none was; ``alert`` the newest that came to ``source``.
    """

    broker: Broker | None
    order: OrderRow | None
    source: Source | None
    alert: Alert | None
    live: Broker | None

    @property
    def done(self) -> frozenset[Step]:
        """The steps that are behind them."""
        reached = {
            Step.ACCOUNT: True,
            Step.BROKER: self.broker is not None,
            Step.CHECK_UP: self.broker is not None and bool(self.broker.connected),
            Step.ORDER: self.order is not None and self.order.status is OrderStatus.FILLED,
            Step.WEBHOOK: self.source is not None,
            Step.ALERT: self.alert is not None,
            Step.LIVE: self.live is not None,
        }
        return frozenset(step for step, behind in reached.items() if behind)

    @property
    def current(self) -> Step | None:
        """The first step that is not done; None at the end of the path."""
        return next((step for step in Step if step not in self.done), None)


def of(user: User) -> FirstSteps:
    """Where a person stands."""
    owned = brokers.of(user)
    simulated = [broker for broker in owned if broker.environment is Environment.SANDBOX]
    live = [broker for broker in owned if broker.environment is Environment.LIVE and broker.connected]
    source = _first_source(user)
    return FirstSteps(
        broker=next(iter([*simulated, *owned]), None),
        order=_order(user),
        source=source,
        alert=None if source is None else sources.last_alerts(user).get(source.id),
        live=next(iter(live), None),
    )


def practise(user: User) -> Broker:
    """Connect a practice account on the sandbox, unless there is a broker; its check-up starts by itself."""
    owned = brokers.of(user)
    if owned:
        return owned[0]
    return brokers.add(
        user,
        name=f"Practice on {title(NAMES[0])}",
        exchange=NAMES[0],
        environment=Environment.SANDBOX,
        credential=None,
        mode=TradingMode.WEBHOOKS,
    )


def new_address(user: User, broker: Broker) -> str:
    """The token of a person's first source: of a new one, or a new one of the source there is."""
    source = _first_source(user)
    if source is not None:
        return sources.rotate(source)
    _, token = sources.create(user, broker, "TradingView")
    return token


def _first_source(user: User) -> Source | None:
    return db.session.scalar(select(Source).where(Source.user_id == user.id).order_by(Source.id).limit(1))


def _order(user: User) -> OrderRow | None:
    entries = select(OrderRow).where(OrderRow.user_id == user.id, OrderRow.role == OrderRole.ENTRY)
    filled = entries.where(OrderRow.status == OrderStatus.FILLED).order_by(OrderRow.id)
    return db.session.scalar(filled.limit(1)) or db.session.scalar(
        entries.order_by(OrderRow.id.desc()).limit(1)
    )
