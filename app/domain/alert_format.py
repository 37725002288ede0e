"""The text of an alert and its meaning: a JSON object, or ``key=value`` pairs on lines or behind commas or semicolons.

Total: any text gives either a `Signal` or an `AlertFault` that says what is wrong and where; nothing else is raised
and nothing is half understood.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from decimal import Decimal

from app.domain.alerts import AlertAction, Signal
from app.domain.errors import InvalidAmount, SwitchyardError
from app.domain.money import to_decimal
from app.domain.orders import PriceOrPercent

#: Every spelling of a key we know, English and French, and what it means.
ALIASES: Mapping[str, str] = {
    "action": "action",
    "symbol": "symbol",
    "ticker": "symbol",
    "price": "price",
    "prix": "price",
    "stop_loss": "stop_loss",
    "prix_sl": "stop_loss",
    "sl": "stop_loss",
    "take_profit": "take_profit",
    "prix_tp": "take_profit",
    "tp": "take_profit",
    "percent": "percent",
    "pour_cent": "percent",
    "quantity": "quantity",
    "quote_quantity": "quote_quantity",
    "id": "id",
    "idempotency_key": "id",
    "expires_in": "expires_in",
    "comment": "comment",
    "type": "type",
    "secret": "secret",
}

SIZES = ("percent", "quantity", "quote_quantity")

_ACTIONS: Mapping[str, AlertAction] = {action.value.lower(): action for action in AlertAction}
_PLAIN_ACTIONS: Mapping[tuple[str, str], AlertAction] = {
    ("buy", "market"): AlertAction.BUY_MARKET,
    ("sell", "market"): AlertAction.SELL_MARKET,
    ("buy", "limit"): AlertAction.BUY_LIMIT,
    ("sell", "limit"): AlertAction.SELL_LIMIT,
}
_LIMITS = (AlertAction.BUY_LIMIT, AlertAction.SELL_LIMIT)
_MAX_EXPIRY = 86_400
_MAX_TEXT = 120
_MAX_SYMBOL = 64

_NOT_LINE_BREAK = re.compile(r"[^\n]")

#: What no database and no page can hold: NUL, and halves of characters that JSON may spell as escapes.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class AlertFault(SwitchyardError):
    """An alert that cannot be understood; ``line`` and ``column`` count from 1 where the place is known."""

    remedy = "Correct the alert's message; docs/webhooks.md shows every key."

    def __init__(self, message: str, *, line: int | None = None, column: int | None = None) -> None:
        where = f" (line {line}, column {column})" if line is not None else ""
        super().__init__(message + where)
        self.line = line
        self.column = column


def parse_alert(text: str) -> Signal:
    """The meaning of an alert's text.

    Raises:
        AlertFault: when it cannot be understood whole.
    """
    pairs = read_pairs(text)
    fields: dict[str, object] = {}
    extras: dict[str, str] = {}
    for key, value in pairs.items():
        name = ALIASES.get(key.strip().lower())
        if name is None:
            extras[_storable(key)[:_MAX_TEXT]] = _storable(_as_text(value))[:_MAX_TEXT]
        elif name in fields:
            raise AlertFault(f"{name} is given twice")
        elif value is not None and value != "":
            fields[name] = value
    return _signal(fields, extras)


def read_pairs(text: str) -> dict[str, object]:
    """The keys and values of an alert, numbers kept exact, before they are given a meaning.

    Raises:
        AlertFault: neither a JSON object nor ``key=value`` pairs.
    """
    text = text.removeprefix("\ufeff").rstrip()
    begin = text.lstrip()
    if not begin:
        raise AlertFault("the alert is empty")
    # What goes before stays as blanks, so that a fault is told on the line that the sender sees.
    text = _NOT_LINE_BREAK.sub(" ", text[: -len(begin)]) + _storable(begin)
    return _read_json(text) if begin[0] in '{["' else _read_key_values(text)


def _read_json(text: str) -> dict[str, object]:
    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise AlertFault("a key is given twice")
        return found

    def refuse(constant: str) -> object:
        raise AlertFault(f"{constant} is not a number")

    try:
        value = json.loads(
            text, parse_float=str, parse_int=str, parse_constant=refuse, object_pairs_hook=unique
        )
    except json.JSONDecodeError as error:
        raise AlertFault(f"not valid JSON: {error.msg}", line=error.lineno, column=error.colno) from None
    except RecursionError:
        raise AlertFault("the JSON is nested too deeply") from None
    if not isinstance(value, dict):
        raise AlertFault("the JSON must be one object, {…}", line=1, column=1)
    return value


def _read_key_values(text: str) -> dict[str, object]:
    pairs: dict[str, object] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        column = 1
        for part in re.split(r"[,;]", line):
            key, equals, value = part.partition("=")
            if part.strip():
                if not equals or not key.strip():
                    raise AlertFault(
                        f"expected key=value, found {part.strip()[:40]!r}", line=number, column=column
                    )
                if key.strip() in pairs:
                    raise AlertFault(f"{key.strip()} is given twice", line=number, column=column)
                pairs[key.strip()] = value.strip()
            column += len(part) + 1
    return pairs


def _signal(fields: dict[str, object], extras: dict[str, str]) -> Signal:
    action = _action(fields)
    if action is AlertAction.PING:
        return Signal(action, alert_id=_text(fields, "id"), comment=_text(fields, "comment"), extras=extras)
    symbol = _text(fields, "symbol", longest=_MAX_SYMBOL)
    if symbol is None:
        raise AlertFault(f"{action} needs a symbol")
    sizes = [name for name in SIZES if name in fields]
    if len(sizes) != 1:
        given = " and ".join(sizes) if sizes else "none"
        raise AlertFault(f"give exactly one of {', '.join(SIZES)}; the alert has {given}")
    price = _amount(fields, "price")
    if action in _LIMITS and price is None:
        raise AlertFault(f"{action} needs a price")
    percent = _amount(fields, "percent", suffix="%")
    if percent is not None and percent > 100:
        raise AlertFault("percent must be at most 100")
    return Signal(
        action,
        symbol=symbol,
        price=price if action in _LIMITS else None,
        percent=percent,
        quantity=_amount(fields, "quantity"),
        quote_quantity=_amount(fields, "quote_quantity"),
        stop_loss=_protective(fields, "stop_loss"),
        take_profit=_protective(fields, "take_profit"),
        alert_id=_text(fields, "id"),
        comment=_text(fields, "comment"),
        expires_in=_seconds(fields),
        extras=extras,
    )


def _action(fields: dict[str, object]) -> AlertAction:
    written = _text(fields, "action")
    if written is None:
        raise AlertFault("the alert has no action")
    found = _ACTIONS.get(written.lower())
    if found is None:
        kind = (_text(fields, "type") or "market").lower()
        found = _PLAIN_ACTIONS.get((written.lower(), kind))
    if found is None:
        near = difflib.get_close_matches(written.lower(), _ACTIONS, n=1)
        hint = f"; did you mean {_ACTIONS[near[0]]}?" if near else ""
        raise AlertFault(f"unknown action {written!r}{hint}")
    return found


def _text(fields: dict[str, object], name: str, *, longest: int = _MAX_TEXT) -> str | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise AlertFault(f"{name} must be text")
    if len(value) > longest:
        raise AlertFault(f"{name} is longer than {longest} characters")
    return _storable(value).strip() or None


def _amount(fields: dict[str, object], name: str, *, suffix: str = "") -> Decimal | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise AlertFault(f"{name} must be a number")
    try:
        number = to_decimal(value.strip().removesuffix(suffix) if suffix else value)
    except InvalidAmount as error:
        raise AlertFault(f"{name}: {error.message}") from None
    if number <= 0:
        raise AlertFault(f"{name} must be greater than zero")
    return number


def _protective(fields: dict[str, object], name: str) -> PriceOrPercent | None:
    value = fields.get(name)
    if not isinstance(value, str) or not value.strip().endswith("%"):
        price = _amount(fields, name)
        return None if price is None else PriceOrPercent(price=price)
    percent = _amount(fields, name, suffix="%")
    if name == "stop_loss" and percent is not None and percent >= 100:
        raise AlertFault("stop_loss must be less than 100%")
    return PriceOrPercent(percent=percent)


def _seconds(fields: dict[str, object]) -> int | None:
    number = _amount(fields, "expires_in")
    if number is None:
        return None
    if number != int(number) or number > _MAX_EXPIRY:
        raise AlertFault(f"expires_in must be whole seconds, at most {_MAX_EXPIRY}")
    return int(number)


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _storable(text: str) -> str:
    if _UNSTORABLE.search(text):
        raise AlertFault("the alert contains a NUL or half a character")
    return text
