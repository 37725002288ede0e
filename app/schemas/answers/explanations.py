"""What an alert would lead to, as commands print it for a program."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from app.domain.alerts import AlertStatus, signal_to_json
from app.domain.orders import OrderType, Side
from app.schemas.answers.alerts import PlaceAnswer
from app.schemas.answers.fields import Money, maybe_text, word
from app.services.explaining import Explanation


class RequestAnswer(Schema):
    """The order that would be sent."""

    symbol = fields.String()
    side = word(Side)
    type = word(OrderType)
    quantity = Money(allow_none=True)
    quote_quantity = Money(allow_none=True)
    price = Money(allow_none=True)


class ObjectionAnswer(Schema):
    """Something that speaks against acting on it."""

    rule = fields.String()
    message = fields.String()


class ExplanationAnswer(Schema):
    """What an alert would become, why, and the order it would lead to, null where there would be none."""

    broker = fields.String(attribute="broker.name")
    status = word(AlertStatus)
    reason = fields.String()
    fault = fields.Nested(PlaceAnswer, allow_none=True)
    symbol = maybe_text()
    order = fields.Method("_order")
    cost = Money(attribute="plan.cost", allow_none=True)
    fee = Money(attribute="plan.fee", allow_none=True)
    protection = fields.String()
    objections = fields.List(fields.Nested(ObjectionAnswer))
    signal = fields.Method("_signal")

    def _order(self, told: Explanation) -> Any:
        """None would be sent in spite of an objection."""
        return None if told.objections or told.request is None else RequestAnswer().dump(told.request)

    def _signal(self, told: Explanation) -> Any:
        return None if told.signal is None else signal_to_json(told.signal)
