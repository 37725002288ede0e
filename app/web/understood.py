"""What was understood of an alert, part by part, as a person reads it; and where a text is at fault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as lazy

from app.domain.alerts import signal_to_json
from app.services.explaining import Explanation
from app.services.inbox import Place

#: What each part of a signal means.
_MEANINGS: Mapping[str, Any] = {
    "action": lazy("what it asks for"),
    "symbol": lazy("the market, as it was written"),
    "price": lazy("of the limit order, in quote"),
    "percent": lazy("of the free quote for a purchase, of what is held for a sale"),
    "quantity": lazy("size in base"),
    "quote_quantity": lazy("size in quote"),
    "risk_percent": lazy("of the account's worth, lost if the stop-loss sells"),
    "equity_percent": lazy("of the account's worth, to be spent"),
    "stop_loss": lazy("where a loss is cut"),
    "take_profit": lazy("where a gain is taken"),
    "targets": lazy("where gains are taken, with the share that each sells"),
    "trailing_percent": lazy("distance at which the stop-loss follows the best price"),
    "market_position": lazy("what the strategy holds after it"),
    "prev_market_position": lazy("what the strategy held before it"),
    "position_size": lazy("how much the strategy holds after it"),
    "alert_id": lazy("the same id leads to one order, however often it comes"),
    "time": lazy("when it was sent, by the sender's clock"),
    "expires_in": lazy("seconds after which it is dropped rather than executed late"),
    "comment": lazy("kept and shown"),
}
_EXTRAS = "extras"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an alert: its name, what it says and what that means."""

    name: str
    value: str
    meaning: str


def parts(signal: Mapping[str, Any] | None) -> list[Part]:
    """The parts of a stored signal that say something, in the order in which they are explained above."""
    told = signal or {}
    return [
        Part(name, _in_words(told[name]), str(meaning)) for name, meaning in _MEANINGS.items() if name in told
    ]


def extras(signal: Mapping[str, Any] | None) -> Mapping[str, str]:
    """The keys that were kept but mean nothing to us."""
    found: Mapping[str, str] = (signal or {}).get(_EXTRAS, {})
    return found


@dataclass(frozen=True, slots=True)
class Shown:
    """An explanation with the parts of what was understood, as a page shows them."""

    told: Explanation
    parts: Sequence[Part]
    extras: Mapping[str, str]


def shown(told: Explanation) -> Shown:
    """An explanation for a page."""
    signal = None if told.signal is None else signal_to_json(told.signal)
    return Shown(told, parts(signal), extras(signal))


def place_of(told: Explanation) -> Place | None:
    """Where the explained text is at fault, if it is and that is known."""
    fault = told.fault
    if fault is None or fault.line is None or fault.column is None:
        return None
    return Place(fault.line, fault.column)


def pointed_at(text: str, place: Place | None) -> tuple[str, str, str]:
    """A text in three: what stands before a place, what stands at it, and the rest; whole in the first without one."""
    if place is None:
        return text, "", ""
    lines = text.splitlines(keepends=True)
    at = sum(map(len, lines[: place.line - 1])) + place.column - 1
    at = min(at, len(text))
    return text[:at], text[at : at + 1].strip("\r\n") or "◂", text[at + 1 :]


def _in_words(value: object) -> str:
    match value:
        case {"price": price}:
            return str(price)
        case {"percent": percent}:
            return f"{percent} %"
        case {"at": at, "share": share}:
            return str(_("%(price)s for %(share)s percent", price=_in_words(at), share=share))
        case Sequence() if not isinstance(value, str):
            return ", ".join(map(_in_words, value))
        case _:
            return str(value)
