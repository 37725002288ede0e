"""Long lists in pages, with every filter kept in the address."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request, url_for

from app.web.addresses import with_query


@dataclass(frozen=True, slots=True)
class Page:
    """Where in a list a page stands; the rows it shows count from 1."""

    number: int
    pages: int
    total: int
    first: int
    last: int
    previous_url: str | None
    next_url: str | None


def asked_for() -> int:
    """The page number in the address; 1 when there is none worth the name."""
    return min(max(request.args.get("page", 1, type=int), 1), 1_000_000)


def page_of(number: int, per_page: int, total: int, endpoint: str) -> Page:
    """A page of the list of ``total`` rows that ``endpoint`` shows."""
    pages = max(1, -(-total // per_page))
    first = (number - 1) * per_page + 1
    return Page(
        number=number,
        pages=pages,
        total=total,
        first=min(first, total),
        last=min(first + per_page - 1, total),
        previous_url=_url(endpoint, number - 1) if number > 1 else None,
        next_url=_url(endpoint, number + 1) if number < pages else None,
    )


def _url(endpoint: str, number: int) -> str:
    return with_query(url_for(endpoint), page=number)
