"""Webhook sources: the endpoints alerts come to, what each says in place of its alerts, and where they trade."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from sqlalchemy import JSON, BigInteger, ForeignKey, LargeBinary, String, UniqueConstraint, false, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.domain.alerts import AlertDefaults, OutOfStep
from app.domain.orders import OrderType, PriceOrPercent
from app.extensions import Table
from app.models.broker import Broker
from app.models.types import EnumText, ExactDecimal, UtcDateTime, utc_now


class Source(Table):
    """An endpoint that alerts come to. The token itself is shown once and stored as its SHA-256 only.

    ``secret_hash`` is of the secret that a body must contain, under a key (see `app.services.vault`);
    ``signing_secret`` is that under which a sender signs, encrypted. ``senders`` lists the addresses and networks that
    may send, None for any. ``duplicate_window`` is in seconds, 0 for alerts that only their id makes duplicates.

    ``heard_at`` and ``missed_at`` belong to the watch for silence, ``last_number`` and ``counted_alert_id`` to that for
    gaps between numbered alerts; see `app.services.misses`.
    """

    __tablename__ = "sources"
    __table_args__ = (UniqueConstraint("user_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    broker_id: Mapped[int] = mapped_column(ForeignKey("brokers.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(80))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    enabled: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)

    secret_hash: Mapped[str | None] = mapped_column(String(64))
    signing_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    senders: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))

    duplicate_window: Mapped[int] = mapped_column(default=10)
    expires_in: Mapped[int] = mapped_column(default=60)
    default_order_type: Mapped[OrderType] = mapped_column(
        EnumText(OrderType), default=OrderType.MARKET, server_default=OrderType.MARKET.value
    )
    default_percent: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    default_quantity: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    default_quote_quantity: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    default_risk_percent: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    default_equity_percent: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    default_stop_loss: Mapped[str | None] = mapped_column(String(80))
    default_take_profit: Mapped[str | None] = mapped_column(String(80))
    default_trailing_percent: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    symbol_map: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    out_of_step: Mapped[OutOfStep] = mapped_column(
        EnumText(OutOfStep), default=OutOfStep.SKIP, server_default=OutOfStep.SKIP.value
    )

    heartbeat_seconds: Mapped[int | None]
    heard_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    missed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    numbered: Mapped[bool] = mapped_column(default=False, server_default=false())
    last_number: Mapped[int | None] = mapped_column(BigInteger)
    counted_alert_id: Mapped[int | None]

    broker: Mapped[Broker] = relationship()
    routes: Mapped[list[SourceRoute]] = relationship(
        cascade="all, delete-orphan", passive_deletes=True, order_by="SourceRoute.id"
    )

    @property
    def defaults(self) -> AlertDefaults:
        """What it says where its alerts do not."""
        return AlertDefaults(
            order_type=self.default_order_type,
            percent=self.default_percent,
            quantity=self.default_quantity,
            quote_quantity=self.default_quote_quantity,
            risk_percent=self.default_risk_percent,
            equity_percent=self.default_equity_percent,
            stop_loss=_guard(self.default_stop_loss),
            take_profit=_guard(self.default_take_profit),
            trailing_percent=self.default_trailing_percent,
            symbol_map=self.symbol_map or {},
            out_of_step=self.out_of_step,
            expires_in=self.expires_in,
        )

    @defaults.setter
    def defaults(self, wanted: AlertDefaults) -> None:
        self.default_order_type = wanted.order_type
        self.default_percent = wanted.percent
        self.default_quantity = wanted.quantity
        self.default_quote_quantity = wanted.quote_quantity
        self.default_risk_percent = wanted.risk_percent
        self.default_equity_percent = wanted.equity_percent
        self.default_stop_loss = _text(wanted.stop_loss)
        self.default_take_profit = _text(wanted.take_profit)
        self.default_trailing_percent = wanted.trailing_percent
        self.symbol_map = dict(wanted.symbol_map) or None
        self.out_of_step = wanted.out_of_step
        self.expires_in = wanted.expires_in


class SourceRoute(Table):
    """A further broker on which a source's alerts trade, beside its own; at most one size, in place of the alert's."""

    __tablename__ = "source_routes"
    __table_args__ = (UniqueConstraint("source_id", "broker_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"))
    broker_id: Mapped[int] = mapped_column(ForeignKey("brokers.id", ondelete="CASCADE"), index=True)
    percent: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    quote_quantity: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    enabled: Mapped[bool] = mapped_column(default=True, server_default=true())

    broker: Mapped[Broker] = relationship()

    @property
    def size(self) -> Mapping[str, Decimal]:
        """Its own size by the name that alerts use for it; empty when it takes the alert's."""
        sizes = {"percent": self.percent, "quote_quantity": self.quote_quantity}
        return {name: value for name, value in sizes.items() if value is not None}


def _guard(stored: str | None) -> PriceOrPercent | None:
    return None if stored is None else PriceOrPercent.read(stored)


def _text(guard: PriceOrPercent | None) -> str | None:
    return None if guard is None else str(guard)
