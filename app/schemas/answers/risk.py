"""Limits and halts as the API tells them."""

from __future__ import annotations

from marshmallow import Schema, fields

from app.models import HaltCause, HaltScope
from app.schemas.answers.fields import Money, moment, word

#: When trading is allowed: days such as ``Mon``, and times of day in a zone. Made this way because of the name "from".
HoursAnswer = Schema.from_dict(
    {
        "days": fields.List(fields.String()),
        "from": fields.String(),
        "to": fields.String(),
        "zone": fields.String(),
    },
    name="HoursAnswer",
)


class LimitValuesAnswer(Schema):
    """Each limit, null where there is none."""

    max_order_value = Money(allow_none=True)
    max_open_positions = fields.Integer(allow_none=True)
    max_symbol_exposure = Money(allow_none=True)
    max_orders_per_minute = fields.Integer(allow_none=True)
    daily_loss_limit = Money(allow_none=True)
    max_drawdown_percent = Money(allow_none=True)
    cooldown_losses = fields.Integer(allow_none=True)
    cooldown_minutes = fields.Integer(allow_none=True)
    allowed_symbols = fields.List(fields.String(), allow_none=True)
    trading_hours = fields.Nested(HoursAnswer, allow_none=True)
    price_collar_percent = Money(allow_none=True)


class LimitsAnswer(Schema):
    """The limits of the account, or those of the named broker instead."""

    broker_id = fields.Integer(allow_none=True)
    limits = fields.Nested(LimitValuesAnswer)


class HaltAnswer(Schema):
    """A halt in force; exits run under each."""

    id = fields.Integer()
    scope = word(HaltScope)
    broker_id = fields.Integer(allow_none=True)
    cause = word(HaltCause)
    reason = fields.String()
    started_at = moment()
    exits = fields.Constant("still run", metadata={"type": "string"})


class HaltListAnswer(Schema):
    """The halts that concern the account."""

    halts = fields.List(fields.Nested(HaltAnswer))


class LiftedAnswer(Schema):
    """How many halts were ended."""

    lifted = fields.Integer()


class PanicAnswer(Schema):
    """What a panic has done."""

    halt = fields.Nested(HaltAnswer)
    orders_cancelled = fields.Integer()
    positions_closing = fields.Integer()
