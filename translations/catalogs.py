"""The catalogs: what the code says now, and whether every language has good words for it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]

#: The languages there are translations for.
LANGUAGES = ("fr", "pt", "es")

#: What marks a text besides gettext and its kin: two short names of lazy_gettext, and what only notes it.
KEYWORDS = {**DEFAULT_KEYWORDS, "_l": None, "lazy": None, "noted": None}

_PLACES = ("app", "templates")
_VALUE = re.compile(r"%\(\w+\)[sd]|\{\d\}|<[^>]+>")


def collected() -> Catalog:
    """Every text that the pages say now, in English."""
    with (ROOT / "babel.cfg").open(encoding="utf-8") as mapping:
        methods, options = parse_mapping_cfg(mapping)  # type: ignore[no-untyped-call] # Babel's own command line
    found = Catalog(charset="utf-8")
    said = extract_from_dir(ROOT, methods, options, KEYWORDS, directory_filter=_is_ours)
    for file, line, message, _comments, context in said:
        known = found.get(message, context)
        if known is None or file not in (place for place, _line in known.locations):
            found.add(message, locations=[(file, line)], context=context)
    return found


def stored(language: str) -> Catalog:
    """A language's catalog as the repository holds it."""
    path = path_of(language)
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def update(language: str, said: Catalog) -> None:
    """Bring a language's catalog up to date: new texts are added untranslated, old ones dropped."""
    catalog = stored(language)
    catalog.update(said, no_fuzzy_matching=True, update_creation_date=False)
    catalog.obsolete.clear()
    path_of(language).parent.mkdir(parents=True, exist_ok=True)
    with path_of(language).open("wb") as file:
        write_po(file, catalog, width=120, include_lineno=False)


def path_of(language: str) -> Path:
    """Where a language's catalog is."""
    return ROOT / "translations" / language / "LC_MESSAGES" / "messages.po"


def faults(language: str, said: Catalog) -> Iterator[str]:
    """What is wrong with a language's catalog: texts without words, with doubtful ones, or with other values."""
    catalog = stored(language)
    for message in said:
        if not message.id:
            continue
        translated = catalog.get(message.id, message.context)
        if translated is None or not all(_strings(translated)):
            yield f"{language}: {_first(message)!r} has no translation"
        elif translated.fuzzy:
            yield f"{language}: {_first(message)!r} is marked as doubtful"
        else:
            yield from _wrong_values(language, translated)


def _wrong_values(language: str, message: Message) -> Iterator[str]:
    """Values, tags and percent signs have to be those of the English text: gettext fills them in by name."""
    english = (message.id,) if isinstance(message.id, str) else message.id
    for number, string in enumerate(_strings(message)):
        meant = english[min(number, len(english) - 1)]
        if _values(string) != _values(meant):
            yield f"{language}: {string!r} has not the values of {meant!r}"
        if any(sign in string and sign not in meant for sign in '"<>'):
            yield f"{language}: {string!r} would end an attribute or a tag"


def _values(text: str) -> Counter[str]:
    return Counter([*_VALUE.findall(text), *re.findall("%%", text)])


def _first(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _strings(message: Message) -> tuple[str, ...]:
    string = message.string or ""
    return (string,) if isinstance(string, str) else tuple(string)


def _is_ours(directory: str | Path) -> bool:
    parts = Path(directory).relative_to(ROOT).parts
    return not parts or parts[0] in _PLACES
