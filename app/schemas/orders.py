"""The order ticket."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validate, validates_schema

from app.domain.orders import OrderDraft, OrderType, Side, TargetWish, TimeInForce
from app.schemas.fields import Amount, Percent, ProtectivePrice, Switch
from app.services.amending import Change

_HUNDRED = Decimal(100)

#: The rows for several take-profits: each a price and the share of what was bought that it sells.
TARGET_ROWS = range(1, 5)


class SizeUnit(StrEnum):
    """What the size of a ticket is counted in."""

    BASE = "base"
    QUOTE = "quote"
    PERCENT = "percent"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A filled-in ticket. ``client_order_id`` is set by a preview, so that it places one order however often it
    is sent."""

    broker_id: int
    draft: OrderDraft
    client_order_id: str | None


class TicketSchema(Schema):
    """A form of text fields in, a `Ticket` out; `dump` writes the same fields for a form that repeats it."""

    class Meta:
        unknown = EXCLUDE

    broker_id = fields.Integer(required=True, error_messages={"required": "Choose a broker."})
    symbol = fields.String(required=True, validate=validate.Length(1, 64, error="Choose a market."))
    side = fields.Enum(Side, required=True, error_messages={"unknown": "Choose buy or sell."})
    type = fields.Enum(OrderType, load_default=OrderType.MARKET)
    size = Amount(required=True, error_messages={"required": "How much?"})
    size_unit = fields.Enum(SizeUnit, by_value=True, load_default=SizeUnit.BASE)
    price = Amount(load_default=None)
    time_in_force = fields.Enum(TimeInForce, load_default=TimeInForce.GTC)
    post_only = Switch()
    stop_loss = ProtectivePrice(load_default=None)
    take_profit = ProtectivePrice(load_default=None)
    trailing_percent = Percent(load_default=None)
    target_1 = ProtectivePrice(load_default=None)
    share_1 = Percent(load_default=None)
    target_2 = ProtectivePrice(load_default=None)
    share_2 = Percent(load_default=None)
    target_3 = ProtectivePrice(load_default=None)
    share_3 = Percent(load_default=None)
    target_4 = ProtectivePrice(load_default=None)
    share_4 = Percent(load_default=None)
    client_order_id = fields.String(
        load_default=None, validate=validate.Regexp(r"s[0-9a-z]{17}\Z", error="That preview is not ours.")
    )

    @validates_schema
    def _check(self, data: dict[str, Any], **_: Any) -> None:
        found: dict[str, list[str]] = {}
        if data["size"] is None:
            found["size"] = ["How much?"]
        elif data["size_unit"] is SizeUnit.PERCENT and data["size"] > _HUNDRED:
            found["size"] = ["At most 100 %."]
        if data["type"] not in (OrderType.MARKET, OrderType.LIMIT):
            found["type"] = ["The ticket takes market and limit orders."]
        elif data["type"] is OrderType.LIMIT and data["price"] is None:
            found["price"] = ["A limit order needs its price."]
        stop = data["stop_loss"]
        if stop is not None and stop.percent is not None and stop.percent >= _HUNDRED:
            found["stop_loss"] = ["It must be less than 100 %."]
        for row in TARGET_ROWS:
            if data[f"target_{row}"] is None and data[f"share_{row}"] is not None:
                found[f"target_{row}"] = ["At what price?"]
            elif data[f"target_{row}"] is not None and data[f"share_{row}"] is None:
                found[f"share_{row}"] = ["How much of it?"]
        if found:
            raise ValidationError(found)

    @post_load
    def _ticket(self, data: dict[str, Any], **_: Any) -> Ticket:
        unit, size = data["size_unit"], data["size"]
        limited = data["type"] is OrderType.LIMIT
        draft = OrderDraft(
            symbol=data["symbol"].strip(),
            side=data["side"],
            type=data["type"],
            quantity=size if unit is SizeUnit.BASE else None,
            quote_quantity=size if unit is SizeUnit.QUOTE else None,
            percent=size if unit is SizeUnit.PERCENT else None,
            price=data["price"] if limited else None,
            time_in_force=data["time_in_force"] if limited else TimeInForce.GTC,
            post_only=data["post_only"] and limited,
            stop_loss=data["stop_loss"],
            take_profit=data["take_profit"],
            targets=tuple(
                TargetWish(data[f"target_{row}"], data[f"share_{row}"])
                for row in TARGET_ROWS
                if data[f"target_{row}"] is not None
            ),
            trailing_percent=data["trailing_percent"],
        )
        return Ticket(data["broker_id"], draft, data["client_order_id"])


class ChangeSchema(Schema):
    """What an open order shall become; an empty field stays as it is."""

    class Meta:
        unknown = EXCLUDE

    quantity = Amount(load_default=None)
    price = Amount(load_default=None)

    @post_load
    def _change(self, data: dict[str, Any], **_: Any) -> Change:
        return Change(**data)
