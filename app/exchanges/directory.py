"""Every exchange that ccxt knows: what its keys consist of, whether it has a test environment, whether we trade there.

ccxt is the source of names and requirements only. `flask exchanges refresh` writes ``directory.json`` from it; this
module reads that file and never imports ccxt, whose import costs a process 60 MB.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from app.exchanges import NAMES, capabilities

FILE = Path(__file__).with_name("directory.json")

#: Where ccxt's id of an exchange is not our name of it.
_OUR_NAMES: Mapping[str, str] = {"gate": "gateio"}


@dataclass(frozen=True, slots=True)
class Listing:
    """One exchange. ``required_credentials`` are in ccxt's words (apiKey, secret, password, uid, …)."""

    id: str
    name: str
    required_credentials: tuple[str, ...]
    test_environment: bool

    @property
    def native(self) -> bool:
        """Whether we have a client of our own for it."""
        return self.id in NAMES


@dataclass(frozen=True, slots=True)
class Directory:
    """All listings by id, and the version of ccxt that told them."""

    ccxt_version: str
    listings: tuple[Listing, ...]


@cache
def read() -> Directory:
    """The directory as stored; what our own clients declare goes before what ccxt says."""
    stored = json.loads(FILE.read_text(encoding="utf-8"))
    return Directory(stored["ccxt_version"], tuple(_corrected(row) for row in stored["exchanges"]))


def search(text: str = "", *, native: bool = False) -> list[Listing]:
    """The listings whose name or id contains ``text``, with ``native`` only those we trade on."""
    wanted = text.strip().casefold()
    return [
        listing
        for listing in read().listings
        if (wanted in listing.name.casefold() or wanted in listing.id) and (listing.native or not native)
    ]


def write(ccxt_version: str, listings: Iterable[Listing]) -> None:
    """Store a directory: sorted, one exchange a line, so that a refresh shows exactly what changed."""
    rows = sorted((asdict(_named_by_us(listing)) for listing in listings), key=lambda row: str(row["id"]))
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    text = f'{{\n"ccxt_version": {json.dumps(ccxt_version)},\n"exchanges": [\n{lines}\n]\n}}\n'
    draft = FILE.with_suffix(".new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(FILE)
    read.cache_clear()


def _named_by_us(listing: Listing) -> Listing:
    return Listing(
        _OUR_NAMES.get(listing.id, listing.id),
        listing.name,
        tuple(sorted(listing.required_credentials)),
        listing.test_environment,
    )


def _corrected(row: Mapping[str, object]) -> Listing:
    listing = Listing(**{**row, "required_credentials": tuple(row["required_credentials"])})  # type: ignore[arg-type]
    if not listing.native:
        return listing
    declared = capabilities(listing.id).test_environment
    return Listing(listing.id, listing.name, listing.required_credentials, declared)
