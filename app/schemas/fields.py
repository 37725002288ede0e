"""The kinds of input our forms have, each with words that say how to write it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, fields, validate

from app.domain.errors import InvalidAmount
from app.domain.money import plain, to_decimal
from app.domain.orders import PriceOrPercent


class Amount(fields.Field[Decimal | None]):
    """An exact amount greater than zero; an empty input is no amount."""

    def _serialize(self, value: Decimal | None, attr: str | None, obj: Any, **_: Any) -> str:
        return "" if value is None else plain(value)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Decimal | None:
        text = str(value).strip()
        return None if not text else _positive(text)


class ProtectivePrice(fields.Field[PriceOrPercent | None]):
    """A price, or a distance from the entry as ``2%``."""

    def _serialize(self, value: PriceOrPercent | None, attr: str | None, obj: Any, **_: Any) -> str:
        if value is None:
            return ""
        return f"{plain(value.percent)}%" if value.percent is not None else plain(value.price or Decimal(0))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> PriceOrPercent | None:
        text = str(value).strip()
        if not text:
            return None
        if text.endswith("%"):
            return PriceOrPercent(percent=_positive(text.removesuffix("%").strip()))
        return PriceOrPercent(price=_positive(text))


class Percent(fields.Field[Decimal | None]):
    """A share above zero and at most a hundred, with or without its sign; an empty input is none."""

    def _serialize(self, value: Decimal | None, attr: str | None, obj: Any, **_: Any) -> str:
        return "" if value is None else f"{plain(value)}%"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Decimal | None:
        text = str(value).strip().removesuffix("%").strip()
        if not text:
            return None
        percent = _positive(text)
        if percent > 100:
            raise ValidationError("At most 100 %.")
        return percent


class Switch(fields.Boolean):
    """A checkbox: absent from the form when it is not ticked."""

    def __init__(self) -> None:
        super().__init__(load_default=False)


class Confirmation(fields.String):
    """A word typed to show that what follows is meant."""

    def __init__(self, word: str) -> None:
        words = f"Type {word} to show that you mean it."
        super().__init__(
            required=True,
            validate=validate.Equal(word, error=words),
            error_messages={"required": words},
        )


def _positive(text: str) -> Decimal:
    try:
        number = to_decimal(text)
    except InvalidAmount as error:
        raise ValidationError(f"{error.message}. {error.remedy}") from None
    if number <= 0:
        raise ValidationError("It must be greater than zero.")
    return number
