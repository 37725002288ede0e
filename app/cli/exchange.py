"""``flask exchanges``: the directory of every exchange, and what the ones we trade on can do."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from types import ModuleType

import click

from app.cli.group import Commands
from app.cli.output import Row, json_option, show
from app.exchanges import NAMES, capabilities, directory, matrix
from app.exchanges.directory import Listing

exchanges = Commands("exchanges", help="The directory of exchanges.")

_COLUMNS = ("id", "name", "native", "required_credentials", "test_environment")


@exchanges.command("list")
@click.argument("text", required=False, default="")
@click.option("--native", is_flag=True, help="Only those we trade on.")
@json_option
def list_(text: str, native: bool, as_json: bool) -> None:
    """List the exchanges whose name contains TEXT; JSON tells also what the native ones can do."""
    rows = [_row(listing) for listing in directory.search(text, native=native)]
    nothing = "No exchange has such a name." if text else "The directory is empty: flask exchanges refresh"
    show(rows, _COLUMNS, as_json=as_json, nothing=nothing)


@exchanges.command()
def refresh() -> None:
    """Write the directory anew from the installed ccxt; a developer's command, the file is in the repository."""
    import ccxt  # here only: no other process may pay for it

    before = set(directory.read().listings) if directory.FILE.exists() else set()
    directory.write(ccxt.__version__, _told_by(ccxt))
    now = directory.read()
    changed = len(set(now.listings) ^ before)
    click.echo(f"{len(now.listings)} exchanges of ccxt {now.ccxt_version}; {changed} lines added or removed.")


@exchanges.command("matrix")
@click.argument("document", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def matrix_(document: Path) -> None:
    """Renew the capability matrix in DOCUMENT from what the clients declare."""
    document.write_text(matrix.renewed(document.read_text(), NAMES))


def _told_by(ccxt: ModuleType) -> Iterator[Listing]:
    with click.progressbar(ccxt.exchanges, label="Asking ccxt", file=sys.stderr) as progress:
        for each in progress:
            exchange = getattr(ccxt, each)()
            yield Listing(
                each,
                str(exchange.name),
                tuple(name for name, needed in exchange.requiredCredentials.items() if needed),
                bool(exchange.urls.get("test")),
            )


def _row(listing: Listing) -> Row:
    return {
        "id": listing.id,
        "name": listing.name,
        "native": listing.native,
        "required_credentials": list(listing.required_credentials),
        "test_environment": listing.test_environment,
        "capabilities": _capabilities(listing.id) if listing.native else None,
    }


def _capabilities(name: str) -> Row:
    return {key: _plain(value) for key, value in asdict(capabilities(name)).items()}


def _plain(value: object) -> object:
    """A declared capability as JSON can hold it: sets sorted, durations in seconds."""
    match value:
        case frozenset():
            return sorted(str(item) for item in value)
        case timedelta():
            return value.total_seconds()
        case StrEnum():
            return value.value
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case tuple():
            return [_plain(item) for item in value]
        case Decimal() | int() | None:
            return value
        case _:
            raise TypeError(f"no JSON form for {value!r}")
