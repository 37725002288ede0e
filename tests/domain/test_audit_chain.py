"""A chain of sealed entries: whole it proves itself, and whatever is done to it is found at its place."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from app.domain.audit import GENESIS, Entry, Link, Seal, seal, verify

KEY = b"k" * 32

_text = st.text(max_size=12)
_detail = st.dictionaries(_text, st.one_of(_text, st.integers(), st.booleans(), st.lists(_text, max_size=2)))
_times = st.datetimes(timezones=st.just(UTC))
_entries = st.builds(
    Entry,
    id=st.just(0),
    at=_times,
    actor=_text,
    user_id=st.none() | st.integers(1, 99),
    address=st.none() | _text,
    action=_text,
    subject=_text,
    detail=_detail,
)


def chained(entries: list[Entry], key: bytes = KEY) -> list[Link]:
    """The entries, numbered and sealed one after the other."""
    links: list[Link] = []
    newest: Seal | None = None
    for number, entry in enumerate(entries, start=1):
        entry = replace(entry, id=number * 10)
        newest = seal(key, entry, newest)
        links.append(Link(newest, entry))
    return links


chains = st.lists(_entries, min_size=1, max_size=8).map(chained)


@st.composite
def chains_and_a_place(draw: st.DrawFn, *, before_last: bool = False) -> tuple[list[Link], int]:
    """A chain and the index of one of its links, on request one that another follows."""
    links = draw(st.lists(_entries, min_size=2, max_size=8).map(chained))
    return links, draw(st.integers(0, len(links) - (2 if before_last else 1)))


#: What somebody could change of an entry.
CHANGES: dict[str, Callable[[Entry], Entry]] = {
    "at": lambda entry: replace(entry, at=datetime(1999, 1, 1, tzinfo=UTC)),
    "actor": lambda entry: replace(entry, actor=entry.actor + "x"),
    "user_id": lambda entry: replace(entry, user_id=(entry.user_id or 0) + 1),
    "address": lambda entry: replace(entry, address=(entry.address or "") + "x"),
    "action": lambda entry: replace(entry, action=entry.action + "x"),
    "subject": lambda entry: replace(entry, subject=entry.subject + "x"),
    "detail": lambda entry: replace(entry, detail={**entry.detail, "added": "x"}),
}


@given(chains)
def test_a_whole_chain_proves_itself_and_ends_at_its_head(links: list[Link]) -> None:
    verdict = verify(KEY, links)

    assert verdict.broken is None
    assert (verdict.links, verdict.head) == (len(links), links[-1].seal.digest)


def test_an_empty_chain_is_whole() -> None:
    assert verify(KEY, []).broken is None
    assert verify(KEY, []).head == GENESIS


@given(chains)
def test_a_chain_says_the_same_after_it_was_written_out_and_read_again(links: list[Link]) -> None:
    again = [Link.from_json(json.loads(json.dumps(link.to_json()))) for link in links]

    assert verify(KEY, again) == verify(KEY, links)


@given(chains_and_a_place(), st.sampled_from(sorted(CHANGES)))
def test_a_changed_entry_is_named(chain: tuple[list[Link], int], name: str) -> None:
    links, place = chain
    seal_, entry = links[place].seal, links[place].entry
    assert entry is not None
    links[place] = Link(seal_, CHANGES[name](entry))

    verdict = verify(KEY, links)

    assert verdict.links == place
    assert verdict.broken is not None
    assert verdict.broken.what == f"entry {entry.id}, sealed at {place + 1}, was changed"


@given(chains_and_a_place())
def test_an_entry_that_is_gone_is_named(chain: tuple[list[Link], int]) -> None:
    links, place = chain
    links[place] = Link(links[place].seal, None)

    broken = verify(KEY, links).broken

    assert broken is not None
    assert broken.what == f"entry {(place + 1) * 10} is missing, though seal {place + 1} is about it"


@given(chains_and_a_place(before_last=True))
def test_a_link_taken_out_of_the_middle_is_named(chain: tuple[list[Link], int]) -> None:
    links, place = chain
    del links[place]

    broken = verify(KEY, links).broken

    assert broken is not None
    assert broken.what == f"seal {place + 1} is missing"


@given(chains_and_a_place(before_last=True), st.sampled_from(["digest", "previous"]))
def test_a_changed_seal_is_named(chain: tuple[list[Link], int], name: str) -> None:
    links, place = chain
    changed = replace(links[place].seal, **{name: "f" * 64})
    links[place] = Link(changed, links[place].entry)

    broken = verify(KEY, links).broken

    assert broken is not None
    assert broken.what == f"seal {place + 1} was changed"


@given(chains_and_a_place(before_last=True))
def test_two_entries_that_changed_places_are_found_at_the_first(chain: tuple[list[Link], int]) -> None:
    links, place = chain
    one, other = links[place], links[place + 1]
    links[place] = Link(replace(one.seal, entry_id=other.seal.entry_id), other.entry)
    links[place + 1] = Link(replace(other.seal, entry_id=one.seal.entry_id), one.entry)

    assert verify(KEY, links).links == place


@given(chains_and_a_place())
def test_who_has_no_key_cannot_chain_a_changed_entry_anew(chain: tuple[list[Link], int]) -> None:
    links, place = chain
    entries = [link.entry for link in links if link.entry is not None]
    entries[place] = CHANGES["actor"](entries[place])

    verdict = verify(KEY, chained(entries, key=b"another"))

    assert verdict.broken is not None


@given(chains_and_a_place(before_last=True))
def test_an_end_that_was_cut_off_is_found_by_whoever_noted_the_head(chain: tuple[list[Link], int]) -> None:
    links, place = chain
    noted = links[-1].seal.digest

    assert verify(KEY, links, noted=noted).broken is None
    assert verify(KEY, links, noted=links[place].seal.digest).broken is None
    cut = verify(KEY, links[: place + 1], noted=noted)
    assert cut.links == place + 1
    assert cut.broken is not None
    assert "cut off" in cut.broken.what
