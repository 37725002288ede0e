"""The text of an alert as keys and values: a JSON object, or ``key=value`` pairs on lines, behind commas or semicolons.

Numbers keep the digits they were written with. What the keys mean is the business of `app.domain.alert_format`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from app.domain.errors import SwitchyardError

_NOT_LINE_BREAK = re.compile(r"[^\n]")

#: What no database and no page can hold: NUL, and halves of characters that JSON may spell as escapes.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")

_PLACE_TOLD = re.compile(r"\(line (\d+), column (\d+)\)\Z")

#: Quotes that a word processor makes of straight ones, which JSON does not know.
_CURLY = re.compile("[“”„‘’«»]")

#: The strings and the punctuation of a JSON text, which is all it takes to tell where its keys are.
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:]')


class AlertFault(SwitchyardError):
    """An alert that cannot be understood; ``line`` and ``column`` count from 1 where the place is known.

    ``key`` is the meaning of the key at fault, for whoever knows where that key stands.
    """

    remedy = "Correct the alert's message; docs/webhooks.md shows every key."

    def __init__(
        self, said: str, *, key: str | None = None, line: int | None = None, column: int | None = None
    ) -> None:
        where = f" (line {line}, column {column})" if line is not None else ""
        super().__init__(said + where)
        self.said = said
        self.key = key
        self.line = line
        self.column = column


def place_told(message: str) -> tuple[int, int] | None:
    """The line and column that the message of a fault ends with, for whoever kept nothing else of the fault."""
    told = _PLACE_TOLD.search(message)
    return None if told is None else (int(told[1]), int(told[2]))


def read_pairs(text: str) -> dict[str, object]:
    """The keys and values of an alert as they were written; every number is the text of its digits.

    Raises:
        AlertFault: neither a JSON object nor ``key=value`` pairs.
    """
    text = _readable(text)
    return _read_json(text) if _is_json(text) else _read_key_values(text)


def place_of(text: str, key: str) -> tuple[int, int] | None:
    """The line and column of a key of an alert that could be read, both counted from 1."""
    text = _readable(text)
    places = _json_keys(text) if _is_json(text) else _written_keys(text)
    return next((place for written, place in places if written == key), None)


def storable(text: str) -> str:
    """The text itself.

    Raises:
        AlertFault: it holds what cannot be stored.
    """
    if _UNSTORABLE.search(text):
        raise AlertFault("the alert contains a NUL or half a character")
    return text


def _readable(text: str) -> str:
    text = text.removeprefix("\ufeff").rstrip()
    begin = text.lstrip()
    if not begin:
        raise AlertFault("the alert is empty")
    # What goes before stays as blanks, so that a fault is told on the line that the sender sees.
    return _NOT_LINE_BREAK.sub(" ", text[: -len(begin)]) + storable(begin)


def _is_json(text: str) -> bool:
    return text.lstrip()[0] in '{["'


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
        hint = "; JSON takes straight quotes only" if _CURLY.search(text) else ""
        raise AlertFault(
            f"not valid JSON: {error.msg}{hint}", line=error.lineno, column=error.colno
        ) from None
    except RecursionError:
        raise AlertFault("the JSON is nested too deeply") from None
    if not isinstance(value, dict):
        raise AlertFault("the JSON must be one object, {…}", line=1, column=1)
    return value


def _read_key_values(text: str) -> dict[str, object]:
    pairs: dict[str, object] = {}
    for line, column, part in _parts(text):
        key, equals, value = part.partition("=")
        key = key.strip()
        if not equals or not key:
            # It is not quoted: it may be the end of a secret that holds a separator.
            raise AlertFault("expected key=value", line=line, column=column)
        if key in pairs:
            raise AlertFault(f"{key} is given twice", line=line, column=column)
        pairs[key] = value.strip()
    return pairs


def _parts(text: str) -> Iterator[tuple[int, int, str]]:
    """What stands between the separators, without blanks around it, and the line and column where it begins."""
    for number, line in enumerate(text.splitlines(), start=1):
        for found in re.finditer(r"[^,;]+", line):
            part = found.group().strip()
            if part:
                yield number, found.start() + found.group().index(part) + 1, part


def _written_keys(text: str) -> Iterator[tuple[str, tuple[int, int]]]:
    for line, column, part in _parts(text):
        yield part.partition("=")[0].strip(), (line, column)


def _json_keys(text: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """The keys of the outermost object: the strings there that a colon follows."""
    depth, last = 0, None
    for token in _JSON_TOKEN.finditer(text):
        mark = token.group()
        if mark == ":" and depth == 1 and last is not None:
            begin = last.start()
            line = text.count("\n", 0, begin) + 1
            yield json.loads(last.group()), (line, begin - text.rfind("\n", 0, begin))
        elif mark in "{[":
            depth += 1
        elif mark in "}]":
            depth -= 1
        last = token
