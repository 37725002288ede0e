"""Risk limits as a form, a command or a program of the API gives them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validates_schema

from app.domain.risk import Limits, TradingHours
from app.schemas.fields import Amount

_HUNDRED = Decimal(100)


class Count(fields.Field[int | None]):
    """A whole number greater than zero; an empty input is none."""

    def _serialize(self, value: int | None, attr: str | None, obj: Any, **_: Any) -> str:
        return "" if value is None else str(value)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> int | None:
        text = str(value).strip()
        if not text:
            return None
        if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) == 0:
            raise ValidationError("Write a whole number greater than zero, for example 5.")
        return int(text)


class Symbols(fields.Field[frozenset[str] | None]):
    """Symbols such as ``BTC/USDT``, as a list or separated by commas or spaces; an empty input is any symbol."""

    def _serialize(self, value: frozenset[str] | None, attr: str | None, obj: Any, **_: Any) -> str:
        return ", ".join(sorted(value or ()))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> frozenset[str] | None:
        given = value if isinstance(value, list) else str(value).replace(",", " ").split()
        symbols = frozenset(str(symbol).strip().upper() for symbol in given)
        if strange := sorted(symbol for symbol in symbols if not all(symbol.partition("/"))):
            raise ValidationError(f"{strange[0]!r} is not a symbol; write it like BTC/USDT.")
        return symbols or None


class Hours(fields.Field[TradingHours | None]):
    """Trading hours such as ``Mon-Fri 08:00-17:30 Europe/Paris``, or as the API shows them; empty is always."""

    def _serialize(self, value: TradingHours | None, attr: str | None, obj: Any, **_: Any) -> str:
        return "" if value is None else str(value)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> TradingHours | None:
        try:
            if isinstance(value, Mapping):
                return TradingHours.from_json(value)
            return TradingHours.parse(value) if str(value).strip() else None
        except (ValueError, AttributeError) as error:
            raise ValidationError(
                f"This cannot be read: {error}. Write it like Mon-Fri 08:00-17:30 Europe/Paris."
            ) from None


class LimitsSchema(Schema):
    """Fields of text in, `Limits` out; what is empty or left out has no limit. `dump` writes them for a form."""

    class Meta:
        unknown = EXCLUDE

    max_order_value = Amount(load_default=None, allow_none=True)
    max_open_positions = Count(load_default=None, allow_none=True)
    max_symbol_exposure = Amount(load_default=None, allow_none=True)
    max_orders_per_minute = Count(load_default=None, allow_none=True)
    daily_loss_limit = Amount(load_default=None, allow_none=True)
    max_drawdown_percent = Amount(load_default=None, allow_none=True)
    cooldown_losses = Count(load_default=None, allow_none=True)
    cooldown_minutes = Count(load_default=None, allow_none=True)
    allowed_symbols = Symbols(load_default=None, allow_none=True)
    trading_hours = Hours(load_default=None, allow_none=True)
    price_collar_percent = Amount(load_default=None, allow_none=True)

    @validates_schema
    def _check(self, data: dict[str, Any], **_: Any) -> None:
        found: dict[str, list[str]] = {}
        if data["max_drawdown_percent"] is not None and data["max_drawdown_percent"] >= _HUNDRED:
            found["max_drawdown_percent"] = ["It must be less than 100 %."]
        if data["cooldown_losses"] is not None and data["cooldown_minutes"] is None:
            found["cooldown_minutes"] = ["For how many minutes?"]
        if data["cooldown_minutes"] is not None and data["cooldown_losses"] is None:
            found["cooldown_losses"] = ["After how many losses?"]
        if found:
            raise ValidationError(found)

    @post_load
    def _limits(self, data: dict[str, Any], **_: Any) -> Limits:
        return Limits(**data)
