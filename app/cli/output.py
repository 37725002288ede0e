"""How commands print what they list: aligned columns for a person, JSON for a program."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

import click

from app.domain.money import plain

Row = Mapping[str, Any]
_Command = TypeVar("_Command", bound=Callable[..., Any])


def json_option(command: _Command) -> _Command:
    """Adds ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for a program.")(command)


def show(rows: Sequence[Row], columns: Sequence[str], *, as_json: bool, nothing: str) -> None:
    """Print every field of the rows as a JSON array, or the named columns as a table; ``nothing`` when empty."""
    if as_json:
        show_json(list(rows))
    elif not rows:
        click.echo(nothing)
    else:
        _table([column.upper().replace("_", " ") for column in columns], rows, columns)


def show_one(row: Row, *, as_json: bool) -> None:
    """Print one thing: as a JSON object, or one field a line."""
    if as_json:
        show_json(row)
        return
    width = max(map(len, row))
    for name, value in row.items():
        click.echo(f"{name.replace('_', ' '):<{width}}  {_cell(value)}")


def show_json(value: object) -> None:
    """Print JSON: amounts as plain decimal strings, times as ISO 8601."""
    click.echo(json.dumps(value, default=_plain_value, ensure_ascii=False, indent=2))


def _plain_value(value: object) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _table(titles: Sequence[str], rows: Sequence[Row], columns: Sequence[str]) -> None:
    lines = [titles, *([_cell(row[column]) for column in columns] for row in rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    for line in lines:
        click.echo("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def _cell(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return plain(value)
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}Z"
        case dict():
            return ", ".join(f"{name} {_cell(item)}" for name, item in value.items())
        case list():
            return "; ".join(_cell(item) for item in value) or "none"
        case _:
            return str(value)
