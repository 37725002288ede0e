"""An order as the API tells it."""

from __future__ import annotations

from marshmallow import Schema, fields

from app.domain.orders import OrderStatus, OrderType, Side
from app.models import OrderRole
from app.schemas.answers.fields import Money, maybe_text, moment, word
from app.services.timeline import Owner


class OrderAnswer(Schema):
    """What was asked for and what became of it; amounts in base and quote of the symbol."""

    id = fields.Integer()
    role = word(OrderRole)
    broker_id = fields.Integer()
    symbol = fields.String()
    side = word(Side)
    type = word(OrderType)
    status = word(OrderStatus)
    quantity = Money(allow_none=True)
    quote_quantity = Money(allow_none=True)
    price = Money(allow_none=True)
    trigger_price = Money(allow_none=True)
    filled_quantity = Money(allow_none=True)
    average_price = Money(allow_none=True)
    client_order_id = fields.String()
    exchange_order_id = maybe_text()
    reason = maybe_text()
    remedy = maybe_text()
    created_at = moment()
    sent_at = moment(allow_none=True)
    acknowledged_at = moment(allow_none=True)
    closed_at = moment(allow_none=True)


class FillAnswer(Schema):
    """One execution."""

    order_id = fields.Integer()
    trade_id = fields.String()
    price = Money()
    quantity = Money()
    cost = Money()
    fee = Money(allow_none=True)
    fee_asset = maybe_text()
    at = moment(allow_none=True)


class HopAnswer(Schema):
    """One step of a way: when it was reached, how long it took, and whose time that was."""

    name = fields.String()
    at = moment()
    start_ms = fields.Float()
    ms = fields.Float()
    owner = word(Owner)


class TimelineAnswer(Schema):
    """How far an alert or an order has come, step by step, in milliseconds."""

    hops = fields.List(fields.Nested(HopAnswer))
    total_ms = fields.Float()
    ours_ms = fields.Float()
    exchange_ms = fields.Float(allow_none=True)
