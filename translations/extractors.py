"""What collects the texts that no gettext call marks: sentences of services, and the names of what is audited.

Babel calls these as ``babel.cfg`` says. Sentences are every text of at least two words that code of the services
produces; an f-string's values become {1}, {2} and so on, as `app.web.sentences` recognises them again.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import IO, Any

Found = Iterator[tuple[int, None, str, list[str]]]

_VALUE = "\0"
#: Enumerations whose names sentences quote in lower case.
_QUOTED = ("OrderOrigin", "OrderStatus", "Side")
#: A value of a text that str.format fills in.
_TO_FORMAT = re.compile(r"\{[a-z_]+\}")
_WORD = re.compile(r"[A-Za-z]{2,}")
#: Programs, patterns, statements and rates have words too.
_NO_SENTENCE = re.compile(r"\n|^[<^]|^SELECT |^\d+ per |\(\?")


def sentences(file: IO[bytes], _keywords: Any, _tags: Any, options: dict[str, str]) -> Found:
    """The sentences of a Python file. With ``only = remedies`` those alone that end with a full stop, and what the
    exchange calls the parts of a key."""
    texts = _Texts.of(ast.parse(file.read()))
    for line, text in texts.found:
        if options.get("only") != "remedies" or text.endswith("."):
            yield line, None, text, []
    for line, label in texts.labels:
        yield line, None, label, []


def actions(file: IO[bytes], _keywords: Any, _tags: Any, options: dict[str, str]) -> Found:
    """The values of an enumeration with a dot, as the activity page writes them: ``order.cancel_asked`` in words."""
    seen = set()
    for node in ast.walk(ast.parse(file.read())):
        if isinstance(node, ast.Constant) and re.fullmatch(r"[a-z_]+\.[a-z_]+", str(node.value)):
            kind = str(node.value).partition(".")[0].replace("_", " ")
            if kind not in seen:
                seen.add(kind)
                yield node.lineno, None, kind, []
            yield node.lineno, None, re.sub("[._]", " ", str(node.value)), []


def _says_something(text: str) -> bool:
    words = text.replace(_VALUE, "").strip()
    return " " in words and len(_WORD.findall(words)) > 1


class _Texts(ast.NodeVisitor):
    """Finds what is said in code; docstrings, log lines and the parts of an f-string by themselves are not."""

    def __init__(self) -> None:
        self.found: list[tuple[int, str]] = []
        self.labels: list[tuple[int, str]] = []

    @classmethod
    def of(cls, tree: ast.Module) -> _Texts:
        texts = cls()
        texts.visit(tree)
        return texts

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        if node.name in _QUOTED:
            names = (
                each.value.value
                for each in node.body
                if isinstance(each, ast.Assign) and isinstance(each.value, ast.Constant)
            )
            self.labels += [(node.lineno, str(name).lower().replace("_", " ")) for name in names]
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        of = node.func.value if isinstance(node.func, ast.Attribute) else node.func
        if isinstance(of, ast.Name) and of.id in ("log", "re"):
            return
        if isinstance(of, ast.Name) and of.id == "CredentialField":
            self.labels.append((node.lineno, str(ast.literal_eval(node.args[1]))))
        self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        said = [str(part.value) if isinstance(part, ast.Constant) else _VALUE for part in node.values]
        self._note(node.lineno, re.sub(f"{_VALUE}+", _VALUE, "".join(said)))
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.visit(part.value)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._note(node.lineno, _TO_FORMAT.sub(_VALUE, node.value))

    def _note(self, line: int, text: str) -> None:
        if not _says_something(text) or _NO_SENTENCE.search(text):
            return
        numbers = iter(range(1, 10))
        self.found.append((line, re.sub(_VALUE, lambda _: f"{{{next(numbers)}}}", text)))
