"""Positions as the API tells them."""

from __future__ import annotations

from marshmallow import Schema, fields

from app.models import PositionStatus, TargetStatus
from app.schemas.answers.fields import Money, maybe_text, moment, word
from app.schemas.answers.orders import FillAnswer, OrderAnswer
from app.schemas.answers.shapes import PageAnswer, Surrounded


class TargetAnswer(Schema):
    """One take-profit: at ``price``, ``share`` percent of what was bought is sold."""

    price = Money()
    share = Money()
    status = word(TargetStatus)


class PositionAnswer(Surrounded):
    """What is or was held, and how it stands; amounts of money in the symbol's quote.

    ``current_price`` and ``unrealised`` are null when no price is known, or nothing is held any more.
    """

    row = "position"

    id = fields.Integer()
    broker_id = fields.Integer()
    broker = fields.String(attribute="broker.name")
    exchange = fields.String(attribute="broker.exchange")
    symbol = fields.String()
    side = fields.String()
    status = word(PositionStatus)
    quantity = Money()
    entry_price = Money(allow_none=True)
    current_price = Money(attribute="mark", allow_none=True)
    stop_loss = Money(allow_none=True)
    trailing_percent = Money(allow_none=True)
    take_profits = fields.List(fields.Nested(TargetAnswer), attribute="targets")
    unrealised = Money(allow_none=True)
    unrealised_percent = Money(allow_none=True)
    realised = Money()
    fees = Money()
    protection = fields.String(attribute="held")
    alarm = maybe_text()
    opened_at = moment()
    closed_at = moment(allow_none=True)


class PositionDetailAnswer(PositionAnswer):
    """One position with its orders and their executions, oldest first.

    ``fees_left_out`` were charged in neither asset of the symbol: by asset, and in none of the other amounts.
    """

    fees_left_out = fields.Dict(keys=fields.String(), values=Money())
    orders = fields.List(fields.Nested(OrderAnswer))
    fills = fields.List(fields.Nested(FillAnswer))


class PositionPageAnswer(PageAnswer):
    """A page of positions, newest first."""

    positions = fields.List(fields.Nested(PositionAnswer), attribute="rows")


class PositionListAnswer(Schema):
    """Every open position, newest first."""

    positions = fields.List(fields.Nested(PositionAnswer))


class SumAnswer(Schema):
    """What the open positions of one quote asset come to; ``unpriced`` ones are not in ``unrealised``."""

    quote = fields.String()
    positions = fields.Integer()
    cost = Money()
    unrealised = Money()
    realised = Money()
    fees = Money()
    unpriced = fields.Integer()


class PositionSummaryAnswer(Schema):
    """How many positions are open, how many of them are not guarded as wished, and what they come to."""

    open = fields.Integer()
    alarms = fields.Integer()
    by_quote = fields.List(fields.Nested(SumAnswer))
