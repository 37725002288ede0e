"""Reading the values of an alert's keys: text, exact numbers, prices or percentages, take-profits, times.

Each reader takes all that is given and the meaning of one key, and answers None where that key is not given.

Raises:
    AlertFault: all of them do, naming the key, when its value is none of its kind.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from app.domain.alert_text import AlertFault, storable
from app.domain.alerts import StrategyPosition
from app.domain.errors import InvalidAmount
from app.domain.money import to_decimal
from app.domain.orders import PriceOrPercent, TargetWish

Fields = dict[str, object]

MAX_TEXT = 120
MAX_SYMBOL = 64
_MAX_EXPIRY = 86_400
_MAX_TARGETS = 10
_HUNDRED = Decimal(100)

#: What each of several take-profits says, in the order of its short form.
_TARGET_KEYS = ("price", "share")

#: Epoch times with more digits than this are in milliseconds.
_SECONDS_DIGITS = 10


def text(fields: Fields, name: str, *, longest: int = MAX_TEXT) -> str | None:
    """Text without the blanks around it; empty counts as not given."""
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise AlertFault(f"{name} must be text", key=name)
    if len(value) > longest:
        raise AlertFault(f"{name} is longer than {longest} characters", key=name)
    return storable(value).strip() or None


def finite(fields: Fields, name: str, *, suffix: str = "") -> Decimal | None:
    """Any number, zero and negative ones too."""
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise AlertFault(f"{name} must be a number", key=name)
    try:
        return to_decimal(value.strip().removesuffix(suffix) if suffix else value)
    except InvalidAmount as error:
        raise AlertFault(f"{name}: {error.message}", key=name) from None


def amount(fields: Fields, name: str, *, suffix: str = "") -> Decimal | None:
    """A number above zero."""
    number = finite(fields, name, suffix=suffix)
    if number is not None and number <= 0:
        raise AlertFault(f"{name} must be greater than zero", key=name)
    return number


def percentage(fields: Fields, name: str) -> Decimal | None:
    """Percent above 0 and below 100, with or without its sign."""
    number = amount(fields, name, suffix="%")
    if number is not None and number >= _HUNDRED:
        raise AlertFault(f"{name} must be less than 100", key=name)
    return number


def protective(fields: Fields, name: str) -> PriceOrPercent | None:
    """A price, or with a percent sign the distance from the entry."""
    value = fields.get(name)
    if not isinstance(value, str) or not value.strip().endswith("%"):
        price = amount(fields, name)
        return None if price is None else PriceOrPercent(price=price)
    percent = amount(fields, name, suffix="%")
    if name == "stop_loss" and percent is not None and percent >= _HUNDRED:
        raise AlertFault("stop_loss must be less than 100%", key=name)
    return PriceOrPercent(percent=percent)


def take_profits(fields: Fields) -> tuple[PriceOrPercent | None, tuple[TargetWish, ...]]:
    """One take-profit of all that is held, or several with the share that each sells."""
    value = fields.get("take_profit")
    if isinstance(value, str) and ":" in value:
        value = value.split("|")
    if not isinstance(value, list):
        return protective(fields, "take_profit"), ()
    if not 0 < len(value) <= _MAX_TARGETS:
        raise AlertFault(f"take_profit takes up to {_MAX_TARGETS} prices", key="take_profit")
    targets = tuple(_target(each) for each in value)
    if sum(target.share for target in targets) > _HUNDRED:
        raise AlertFault("the shares of take_profit add up to more than 100", key="take_profit")
    return None, targets


def _target(written: object) -> TargetWish:
    """``3%:50`` or ``{"price": "3%", "share": 50}``: where it is taken, and how many percent of what was bought."""
    parts = (
        dict(zip(_TARGET_KEYS, written.split(":", 1), strict=False)) if isinstance(written, str) else written
    )
    if not isinstance(parts, dict) or set(parts) != set(_TARGET_KEYS):
        raise AlertFault(
            'each of several take_profits needs a price and a share, as "52000:50" or {"price": "3%", "share": 50}',
            key="take_profit",
        )
    try:
        at = protective({"take_profit": parts["price"]}, "take_profit")
        share = amount({"share": parts["share"]}, "share", suffix="%")
    except AlertFault as fault:
        raise AlertFault(f"take_profit: {fault.said}", key="take_profit") from None
    if at is None or share is None:
        raise AlertFault("each of several take_profits needs a price and a share", key="take_profit")
    return TargetWish(at, share)


def strategy_position(fields: Fields, name: str) -> StrategyPosition | None:
    """What a strategy holds."""
    written = text(fields, name)
    if written is None:
        return None
    try:
        return StrategyPosition(written.lower())
    except ValueError:
        raise AlertFault(f"{name} must be long, flat or short, not {written!r}", key=name) from None


def moment(fields: Fields) -> datetime | None:
    """ISO 8601 with its zone, as ``{{timenow}}`` gives it, or seconds or milliseconds since 1970."""
    written = text(fields, "time")
    if written is None:
        return None
    try:
        if written.isdecimal():
            scale = 1000 if len(written) > _SECONDS_DIGITS else 1
            return datetime.fromtimestamp(int(written) / scale, UTC)
        at = datetime.fromisoformat(written)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise AlertFault(
        f"time must be as 2026-01-31T12:00:00Z or a number of seconds, not {written!r}", key="time"
    )


def seconds(fields: Fields) -> int | None:
    """Whole seconds, a day at most."""
    number = amount(fields, "expires_in")
    if number is None:
        return None
    if number != int(number) or number > _MAX_EXPIRY:
        raise AlertFault(f"expires_in must be whole seconds, at most {_MAX_EXPIRY}", key="expires_in")
    return int(number)
