"""The form of a webhook source."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from marshmallow import (
    EXCLUDE,
    Schema,
    ValidationError,
    fields,
    post_load,
    pre_load,
    validate,
    validates_schema,
)

from app.domain.alerts import SIZES, AlertDefaults, OutOfStep
from app.domain.orders import OrderType
from app.domain.senders import TRADINGVIEW
from app.schemas.fields import Amount, Percent, ProtectivePrice, Switch

_WHOLE: dict[str, Any] = {"invalid": "Write a whole number, for example 10."}

_DEFAULTS = (
    *("order_type", *SIZES),
    *("stop_loss", "take_profit", "trailing_percent"),
    *("symbol_map", "out_of_step", "expires_in"),
)


@dataclass(frozen=True, slots=True)
class RouteForm:
    """A ticked broker beside the source's own, with its own size, if any."""

    broker_id: int
    percent: Decimal | None
    quote_quantity: Decimal | None


@dataclass(frozen=True, slots=True)
class SourceForm:
    """A filled-in form. Secrets are None where nothing was entered, and to be dropped where that was ticked."""

    name: str
    broker_id: int
    duplicate_window: int
    defaults: AlertDefaults
    senders: tuple[str, ...]
    heartbeat_seconds: int | None
    numbered: bool
    routes: tuple[RouteForm, ...]
    secret: str | None
    signing_secret: str | None
    drop_secret: bool
    drop_signing_secret: bool


class SymbolMap(fields.Field[dict[str, str]]):
    """Lines of ``FROM = TO``."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> dict[str, str]:
        found: dict[str, str] = {}
        for number, line in enumerate(str(value).splitlines(), start=1):
            written, equals, meant = (part.strip() for part in line.partition("="))
            if not line.strip():
                continue
            if not (written and equals and meant):
                raise ValidationError(f"Line {number}: write what the alert says = the market, one a line.")
            found[written.upper()] = meant.upper()
        return found


class Addresses(fields.Field[tuple[str, ...]]):
    """Addresses and networks, on lines or behind commas."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> tuple[str, ...]:
        return tuple(part for part in re.split(r"[\s,;]+", str(value)) if part)


class SourceSchema(Schema):
    """A form of text fields in, a `SourceForm` out; what is left empty is the usual."""

    class Meta:
        unknown = EXCLUDE

    name = fields.String(required=True, validate=validate.Length(1, 80, error="Between 1 and 80 characters."))
    broker_id = fields.Integer(
        required=True, error_messages={"required": "Choose a broker.", "invalid": "Choose a broker."}
    )
    order_type = fields.Enum(
        OrderType, load_default=OrderType.MARKET, error_messages={"unknown": "Choose one of these."}
    )
    percent = Percent(load_default=None)
    quantity = Amount(load_default=None)
    quote_quantity = Amount(load_default=None)
    risk_percent = Percent(load_default=None)
    equity_percent = Percent(load_default=None)
    stop_loss = ProtectivePrice(load_default=None)
    take_profit = ProtectivePrice(load_default=None)
    trailing_percent = Percent(load_default=None)
    expires_in = fields.Integer(load_default=60, error_messages=_WHOLE)
    duplicate_window = fields.Integer(load_default=10, error_messages=_WHOLE)
    symbol_map = SymbolMap(load_default=dict)
    out_of_step = fields.Enum(
        OutOfStep, load_default=OutOfStep.SKIP, error_messages={"unknown": "Choose one of these."}
    )
    senders = Addresses(load_default=())
    tradingview = Switch()
    heartbeat_seconds = fields.Integer(load_default=None, error_messages=_WHOLE)
    numbered = Switch()
    secret = fields.String(load_default=None)
    signing_secret = fields.String(load_default=None)
    drop_secret = Switch()
    drop_signing_secret = Switch()

    @pre_load
    def _without_empty(self, data: Mapping[str, str], **_: Any) -> dict[str, str]:
        return {name: value.strip() for name, value in data.items() if value.strip()}

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def _check_routes(self, _data: dict[str, Any], original: Mapping[str, str], **_: Any) -> None:
        _routes(original)

    @post_load(pass_original=True)
    def _form(self, data: dict[str, Any], original: Mapping[str, str], **_: Any) -> SourceForm:
        defaults = AlertDefaults(**{name: data.pop(name) for name in _DEFAULTS})
        if data.pop("tradingview"):
            data["senders"] = (*TRADINGVIEW, *data["senders"])
        return SourceForm(**data, defaults=defaults, routes=tuple(_routes(original)))


def _routes(form: Mapping[str, str]) -> list[RouteForm]:
    """What was ticked: ``route-ID``, with ``route-ID-percent`` or ``route-ID-quote`` beside it."""
    errors: dict[str, list[str]] = {}
    found = []
    for name in form:
        match = re.fullmatch(r"route-(\d{1,9})", name)
        if match is None:
            continue
        try:
            percent = Percent().deserialize(form.get(f"{name}-percent", ""))
            quote = Amount().deserialize(form.get(f"{name}-quote", ""))
        except ValidationError as error:
            errors[f"{name}-size"] = [str(message) for message in error.messages]
        else:
            found.append(RouteForm(int(match.group(1)), percent, quote))
    if errors:
        raise ValidationError(errors)
    return found
