"""Keeping secrets out of what is stored of an alert, whatever its format and however broken it is.

The text is not parsed for this: what cannot be understood is stored as well. When in doubt more is masked, never less.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from app.domain.alert_format import ALIASES

MASK = "•••"

_NAMES = tuple(name for name, meaning in ALIASES.items() if meaning == "secret")


def _spelled(name: str) -> str:
    """A pattern for a name in any case, each letter as itself or as JSON's escape of it."""
    return "".join(
        rf"(?:{re.escape(letter)}|\\u00(?:{ord(letter.lower()):x}|{ord(letter.upper()):x}))"
        for letter in name
    )


_SECRET = re.compile(
    rf"""
    ( (?<![^\W_]) (?:{"|".join(map(_spelled, _NAMES))}) \w* # its name or one that holds it,
      \\*["'”’»]? \s* [:=] \s* )                            # with whatever closes it, and what leads to the value:
    ( \\+"  .*? (?: \\+" | \Z )                             # in JSON that stands in a JSON string
    | "     (?: [^"\\] | \\. )* (?: "? | \\? \Z )           # quoted, to its closing quote or for want of one the end
    | [“”„] [^“”]*  [“”]?
    | «     [^»]*   »?
    | '     [^']*   '?
    | ‘     [^’]*   ’?
    | [\[{{] .*                                             # no plain value: all that follows
    | [^\r\n,;}}]+                                          # bare, to the next pair
    )
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)


def mask(text: str) -> str:
    """The text with the value of every secret replaced."""
    return _SECRET.sub(rf"\1{MASK}", text)


def mask_within(told: Mapping[str, Any]) -> dict[str, Any]:
    """Texts and mappings of texts with every secret in them replaced."""
    return {name: _masked(value) for name, value in told.items()}


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    return mask_within(value) if isinstance(value, Mapping) else value
