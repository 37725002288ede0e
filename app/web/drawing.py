"""Small charts as the figures of an SVG; what they say stands beside them in words or in a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

#: What a line is drawn in: the width and height of its viewBox.
LINE_BOX = (96, 24)

_MARGIN = 2
_GAP = 0.6


def lines(values: Sequence[Decimal | None]) -> list[str]:
    """The points of the polylines that draw values an equal step apart, interrupted where there is none."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return []
    low, high = min(known), max(known)
    width, height = LINE_BOX
    step = (width - 2 * _MARGIN) / (len(values) - 1)
    room = height - 2 * _MARGIN

    def place(index: int, value: Decimal) -> str:
        risen = float((value - low) / (high - low)) if high > low else 0.5
        return f"{_MARGIN + index * step:.1f},{height - _MARGIN - risen * room:.1f}"

    return [" ".join(place(index, value) for index, value in run) for run in _runs(values) if len(run) > 1]


def _runs(values: Iterable[Decimal | None]) -> Iterator[list[tuple[int, Decimal]]]:
    """Neighbours that all have a value, each with its place."""
    run: list[tuple[int, Decimal]] = []
    for index, value in enumerate(values):
        if value is None:
            yield run
            run = []
        else:
            run.append((index, value))
    yield run


def arcs(percents: Sequence[Decimal]) -> list[tuple[float, float]]:
    """Where each part of a ring begins and how long it is drawn, in percent of the way round; a gap sets them apart."""
    found = []
    begun = 0.0
    gap = _GAP if len(percents) > 1 else 0.0
    for percent in map(float, percents):
        found.append((round(begun, 1), round(max(percent - gap, gap), 1)))
        begun += percent
    return found
