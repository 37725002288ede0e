"""The form of the message builder."""

from __future__ import annotations

from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validate, validates_schema

from app.domain.alert_message import MessageSize, MessageWish
from app.domain.alerts import AlertAction

#: What the form calls an alert that does whatever its strategy orders.
OF_STRATEGY = "strategy"

_LONGEST = 120


def _typed() -> fields.String:
    return fields.String(load_default="", validate=validate.Length(max=_LONGEST))


class MessageSchema(Schema):
    """Fields of text in, a `MessageWish` out; what they mean together the parser of alerts says."""

    class Meta:
        unknown = EXCLUDE

    action = fields.String(
        load_default=OF_STRATEGY,
        validate=validate.OneOf([OF_STRATEGY, *(each.value for each in AlertAction)]),
    )
    size = fields.Enum(MessageSize, by_value=True, load_default=MessageSize.SOURCE)
    amount = _typed()
    price = _typed()
    stop_loss = _typed()
    take_profit = _typed()
    trailing_percent = _typed()

    @validates_schema
    def _check(self, data: dict[str, Any], **_: Any) -> None:
        if data["size"] not in (MessageSize.SOURCE, MessageSize.STRATEGY) and not data["amount"].strip():
            raise ValidationError({"amount": ["How much?"]})
        if data["size"] is MessageSize.STRATEGY and data["action"] != OF_STRATEGY:
            raise ValidationError({"size": ["Only a strategy has a size of its own."]})

    @post_load
    def _wish(self, data: dict[str, Any], **_: Any) -> MessageWish:
        typed = {name: value.strip() for name, value in data.items() if name not in ("action", "size")}
        action = None if data["action"] == OF_STRATEGY else AlertAction(data["action"])
        return MessageWish(action, data["size"], **typed)
