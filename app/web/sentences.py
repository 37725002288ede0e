"""The sentences of services, said in the person's language.

Services, workers, commands and the API speak English, and what is recorded stays as it was said. A page recognises such
a sentence by its English text and says it in the person's language. A catalog holds a sentence with values as
"{1} is paused"; what stands in the place of {1} goes over into the translation, itself translated where it is a
sentence too. What is not recognised, an exchange's own message for example, is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache


def noted(english: str) -> str:
    """A text as it is, to be collected for translation although no gettext says it."""
    return english


#: Single words that sentences quote, and what the library that checks forms says by itself.
_QUOTED = (
    *(noted("above"), noted("below")),
    *(
        noted("Missing data for required field."),
        noted("Field may not be null."),
        noted("Not a valid integer."),
    ),
)
_AND = noted(" and ")
_PLACE = re.compile(r"\{\d\}")

#: Where several sentences were joined, or one and the remark that follows it.
_JOINT = re.compile(r"(?<=[.!?]) |(?=; )|(?<=:) |(?= \(line )")
#: Where a list was: only what is known whole is taken for one.
_COMMA = re.compile(r"(?=, | and )")

#: How deep values are looked into: a reason that quotes a reason that quotes a reason.
_DEEPEST = 3


class Sentences:
    """The sentences of one language, by their English text."""

    def __init__(self, said: Mapping[str, str]) -> None:
        self._said = said
        with_values = (english for english in said if _PLACE.search(english))
        # The more a pattern says itself, the surer it is meant.
        self._patterns = [
            (_pattern(english), said[english])
            for english in sorted(with_values, key=_own_words, reverse=True)
        ]
        self.translated = lru_cache(maxsize=4096)(self._translated)

    def _translated(self, english: str) -> str:
        """An English sentence in this language, or itself."""
        return self._whole(english, _DEEPEST) or self._in_parts(english, _DEEPEST)

    def _whole(self, english: str, depth: int) -> str | None:
        for text, end in _with_and_without_stop(english):
            if text in self._said:
                return self._said[text] + end
            for pattern, said in self._patterns:
                if found := pattern.fullmatch(text):
                    return _filled(said, [self._value(value, depth - 1) for value in found.groups()]) + end
        return None

    def _in_parts(self, english: str, depth: int) -> str:
        parts = _JOINT.split(english)
        joints = [joint.group() for joint in _JOINT.finditer(english)]
        said = [self._part(part, depth) for part in parts]
        return "".join(part + joint for part, joint in zip(said, [*joints, ""], strict=True))

    def _part(self, english: str, depth: int) -> str:
        bare = english.removeprefix("; ")
        joint = english[: len(english) - len(bare)]
        return self._whole(english, depth) or joint + (
            self._whole(bare, depth) or self._list(bare, depth) or bare
        )

    def _list(self, english: str, depth: int) -> str | None:
        """Several sentences with commas or an "and" between them, if each of them is known."""
        said = [self._listed(part, depth) for part in _COMMA.split(english)]
        return None if len(said) == 1 or None in said else "".join(filter(None, said))

    def _listed(self, english: str, depth: int) -> str | None:
        if whole := self._whole(english, depth):
            return whole
        for joint in (", ", _AND):
            if english.startswith(joint) and (bare := self._whole(english.removeprefix(joint), depth)):
                return self._said.get(joint, joint) + bare
        return None

    def _value(self, value: str, depth: int) -> str:
        if depth == 0 or not value:
            return value
        return self._whole(value, depth) or self._in_parts(value, depth)


def _with_and_without_stop(english: str) -> Iterator[tuple[str, str]]:
    yield english, ""
    if english.endswith("."):
        yield english[:-1], "."


def _filled(said: str, values: Sequence[str]) -> str:
    return _PLACE.sub(lambda place: values[int(place[0][1]) - 1], said)


def _own_words(english: str) -> int:
    return len(_PLACE.sub("", english))


def _pattern(english: str) -> re.Pattern[str]:
    said = [re.escape(part) for part in _PLACE.split(english)]
    return re.compile("((?:(?!; ).)+?)".join(said), re.DOTALL)  # what is joined by "; " is said part by part
