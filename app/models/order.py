"""Orders, every step they took, and their fills."""

from __future__ import annotations

import secrets
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, object_session, relationship
from sqlalchemy.orm.attributes import set_committed_value

from app.domain.orders import OrderStatus, OrderType, Side, TimeInForce, ensure_transition
from app.extensions import Table
from app.models.alert import Alert
from app.models.broker import Broker
from app.models.position import Position
from app.models.types import EnumText, ExactDecimal, UtcDateTime, utc_now

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


def new_client_order_id() -> str:
    """An id legal on all nine exchanges: 18 lower-case letters and digits (the shortest limit), 87 random bits."""
    return "s" + "".join(secrets.choice(_ALPHABET) for _ in range(17))


class OrderRole(StrEnum):
    """Whether an order opens (or sells at will), guards what another order bought, or closes a position."""

    ENTRY = "ENTRY"
    PROTECTION = "PROTECTION"
    EXIT = "EXIT"


class OrderOrigin(StrEnum):
    """Who asked for an order."""

    ALERT = "ALERT"
    TICKET = "TICKET"
    CLI = "CLI"
    PROTECTION = "PROTECTION"
    EXCHANGE = "EXCHANGE"
    """The exchange itself, which places the legs that go with an order."""


class OrderRow(Table):
    """One order, from intent to its end. Sizes in base unless named quote; money in the market's quote.

    Either the exchange answered, at ``acknowledged_at``, or it was looked up and found, at ``found_at``.

    A protection order that carries both a trigger of its own and a take-profit is one OCO on the exchange; its
    other leg is a row whose ``parent_id`` is this one. ``fills_missing``: the exchange reports more executed than
    the fills that it has listed so far, which are asked for until they come. ``amend_quantity`` and ``amend_price`` are
    what a resting order shall become, until its exchange has answered (see `app.services.amending`). ``ruled_out``: how
    many of the places where an order in doubt is looked for are proven not to hold it (see `app.services.whereabouts`).
    """

    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint("broker_id", "client_order_id"),
        Index("ix_orders_user_created", "user_id", "created_at"),
        Index("ix_orders_status_created", "status", "created_at"),
        Index("ix_orders_broker_exchange_id", "broker_id", "exchange_order_id"),
        Index("ix_orders_position_carried", "position_id", "carried"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    broker_id: Mapped[int] = mapped_column(ForeignKey("brokers.id", ondelete="CASCADE"))
    alert_id: Mapped[int | None] = mapped_column(ForeignKey("alerts.id", ondelete="SET NULL"), index=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"), index=True)
    position_id: Mapped[int | None] = mapped_column(ForeignKey("positions.id", ondelete="SET NULL"))
    role: Mapped[OrderRole] = mapped_column(EnumText(OrderRole), default=OrderRole.ENTRY)
    origin: Mapped[OrderOrigin] = mapped_column(EnumText(OrderOrigin))

    client_order_id: Mapped[str] = mapped_column(String(40), default=new_client_order_id)
    exchange_order_id: Mapped[str | None] = mapped_column(String(80))
    symbol: Mapped[str] = mapped_column(String(64))
    side: Mapped[Side] = mapped_column(EnumText(Side))
    type: Mapped[OrderType] = mapped_column(EnumText(OrderType))
    time_in_force: Mapped[TimeInForce] = mapped_column(EnumText(TimeInForce), default=TimeInForce.GTC)
    post_only: Mapped[bool] = mapped_column(default=False)
    quantity: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    quote_quantity: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    price: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    trigger_price: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    stop_loss: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    take_profit: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    stop_loss_percent: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    take_profit_percent: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    trailing_percent: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    targets: Mapped[list[dict[str, str]] | None] = mapped_column(JSON)
    amend_quantity: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    amend_price: Mapped[Decimal | None] = mapped_column(ExactDecimal)

    status: Mapped[OrderStatus] = mapped_column(EnumText(OrderStatus), default=OrderStatus.PENDING)
    filled_quantity: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    average_price: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    cost: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    fills_missing: Mapped[bool] = mapped_column(default=False, index=True)
    error_code: Mapped[str | None] = mapped_column(String(40))
    reason: Mapped[str | None] = mapped_column(Text)
    remedy: Mapped[str | None] = mapped_column(Text)
    carried: Mapped[bool] = mapped_column(default=False)
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    attempts: Mapped[int] = mapped_column(default=0)
    ruled_out: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    received_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    queued_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    picked_up_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    acknowledged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    found_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    broker: Mapped[Broker] = relationship()
    alert: Mapped[Alert | None] = relationship()
    position: Mapped[Position | None] = relationship()
    parent: Mapped[OrderRow | None] = relationship(remote_side="OrderRow.id", back_populates="children")
    children: Mapped[list[OrderRow]] = relationship(back_populates="parent", order_by="OrderRow.id")
    events: Mapped[list[OrderEvent]] = relationship(
        back_populates="order", order_by="OrderEvent.id", cascade="all, delete-orphan", passive_deletes=True
    )
    fills: Mapped[list[FillRow]] = relationship(
        back_populates="order", order_by="FillRow.at", cascade="all, delete-orphan", passive_deletes=True
    )

    @property
    def is_pair(self) -> bool:
        """Whether it is two exits in one, which execute, and are booked, as its children."""
        return self.role is OrderRole.PROTECTION and bool(self.children)

    @property
    def is_being_amended(self) -> bool:
        """Whether somebody wants it changed and the exchange has not answered yet."""
        return self.amend_quantity is not None or self.amend_price is not None

    @property
    def acts_at(self) -> Decimal | None:
        """The price at which an exit acts, in quote; None for a sale at the market."""
        return self.trigger_price or self.price

    @property
    def exits(self) -> list[OrderRow]:
        """The protective orders that hang on this one, a pair of them as its legs."""
        return [leg for child in self.children for leg in (child.children or [child])]

    def move_to(self, status: OrderStatus, cause: str, *, at: datetime | None = None) -> None:
        """Take one step of the life of an order and record when and why.

        Raises:
            InvalidTransition: when its state does not allow the step.
        """
        ensure_transition(self.status, status)
        before, self.status = self.status, status
        moment = self.note(cause, before=before, at=at)
        if status.is_final:
            self.closed_at = moment

    def note(self, cause: str, *, before: OrderStatus | None = None, at: datetime | None = None) -> datetime:
        """Record that something happened to the order; returns when. ``before`` is the state it left, if any."""
        event = OrderEvent(at=at or utc_now(), before=before, after=self.status, cause=cause)
        session = object_session(self)
        if session is None or "events" in self.__dict__:
            self.events.append(event)
        else:  # appending would first load all events there are
            event.order_id = self.id
            set_committed_value(event, "order", self)
            session.add(event)
        return event.at


class OrderEvent(Table):
    """One step in the life of an order."""

    __tablename__ = "order_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    before: Mapped[OrderStatus | None] = mapped_column(EnumText(OrderStatus))
    after: Mapped[OrderStatus] = mapped_column(EnumText(OrderStatus))
    cause: Mapped[str] = mapped_column(Text)

    order: Mapped[OrderRow] = relationship(back_populates="events")


class FillRow(Table):
    """One execution on the exchange; known by its trade id, so that hearing of it twice books it once."""

    __tablename__ = "fills"
    __table_args__ = (UniqueConstraint("order_id", "trade_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"))
    trade_id: Mapped[str] = mapped_column(String(80))
    price: Mapped[Decimal] = mapped_column(ExactDecimal)
    quantity: Mapped[Decimal] = mapped_column(ExactDecimal)
    cost: Mapped[Decimal] = mapped_column(ExactDecimal)
    fee: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    fee_asset: Mapped[str | None] = mapped_column(String(32))
    maker: Mapped[bool | None]
    at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    order: Mapped[OrderRow] = relationship(back_populates="fills")
