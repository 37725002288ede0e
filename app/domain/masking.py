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


#: Where a bare value ends: at a separator with one of our keys behind it, or with any quoted one. A separator alone may
#: be part of the secret.
_NEXT_PAIR = rf"""[,;] \s* (?: "[^"]*" \s* : | ["'“]? (?: {"|".join(ALIASES)} ) ["'”]? \s* [:=] )"""

#: Linear in the text, whatever it is: what was taken is not given back to be tried in another way, and a name without a
#: value is stepped over whole, for else every name within it would be followed to the same end.
_SECRET = re.compile(
    rf"""
    (?: {"|".join(map(_spelled, _NAMES))} )             # its name, alone or in a longer one,
    [^"'“”„«»‘’:=,;{{}}\[\]\r\n]*+
    (?: (?P<lead> ["'”’»]? \s*+ [:=] \s*+ )             # with whatever closes it and leads to the value:
        (?: \\++"  .*? (?: \\" | \Z )                  # in JSON that stands in a JSON string
        | "     (?: [^"\\] | \\. )*+ "?                # quoted, to its closing quote or for want of one the end
        | [“”„] [^“”]*+ [“”]?
        | «     [^»]*+ »?
        | '     [^']*+ '?
        | ‘     [^’]*+ ’?
        | [\[{{] .*                                     # no plain value: all that follows
        | (?: (?! {_NEXT_PAIR} ) [^\r\n] )++           # bare, to the next pair or the end of the line
        ) [^\s,;}}\]]*+                                 # and what clings to it
    )?+
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_NAMED_SECRET = re.compile("|".join(map(re.escape, _NAMES)), re.IGNORECASE)


def mask(text: str) -> str:
    """The text with the value of every secret replaced."""
    return _SECRET.sub(_without_value, text)


def _without_value(found: re.Match[str]) -> str:
    if found["lead"] is None:
        return found[0]
    return found[0][: found.end("lead") - found.start()] + MASK


def mask_within(told: Mapping[str, Any]) -> dict[str, Any]:
    """Texts and mappings of texts with every secret in them replaced, and all that a secret's name stands before."""
    return {name: MASK if _NAMED_SECRET.search(name) else _masked(value) for name, value in told.items()}


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    return mask_within(value) if isinstance(value, Mapping) else value
