"""How figures are written in a person's language, and read when they are typed.

Groups of thousands are never set apart by a point, whatever a language does elsewhere: whoever copies 50.000 into a
form would mean fifty thousand and order fifty. So a point is the decimal sign in every form, and in a language that has
a decimal comma a comma is one as well.
"""

from __future__ import annotations

import re
from functools import lru_cache

from babel import Locale

from app.web.languages import spoken

_NARROW_SPACE = "\u202f"
_SPACES = " \u00a0\u202f"
_WITH_COMMA = re.compile(rf"(?:\d+|\d{{1,3}}(?:[{_SPACES}]\d{{3}})+),\d+[{_SPACES}]?%?")


def written(plain: str) -> str:
    """A plain decimal number, such as ``-12480.50``, with its thousands grouped and every digit it has."""
    group, point = _signs(spoken())
    sign = "-" if plain.startswith("-") else ""
    whole, dot, fraction = plain.removeprefix("-").partition(".")
    return f"{sign}{int(whole):,}".replace(",", group) + (point if dot else "") + fraction


def read(typed: str) -> str:
    """What was typed as a plain decimal, if it is a figure with this language's decimal comma; else as it is."""
    if _signs(spoken())[1] != "," or not _WITH_COMMA.fullmatch(typed.strip()):
        return typed
    return re.sub(f"[{_SPACES}]", "", typed).replace(",", ".")


@lru_cache
def _signs(language: str) -> tuple[str, str]:
    symbols = Locale(language).number_symbols["latn"]
    group = str(symbols["group"])
    return _NARROW_SPACE if group == "." else group, str(symbols["decimal"])
