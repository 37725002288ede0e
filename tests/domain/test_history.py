"""Which moments are kept, and for how long a stretch of time each stands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.domain.history import LENGTHS, Grain, finest, grain_of, made_of, row_length, stretch

MOMENTS = st.integers(1_700_000_000, 1_900_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(MOMENTS, st.lists(st.integers(1, 200_000), min_size=1, max_size=20))
def test_each_stretch_in_which_anything_was_seen_has_exactly_one_point(
    start: datetime, seconds: list[int]
) -> None:
    seen = [start]
    for gap in seconds:
        seen.append(seen[-1] + timedelta(seconds=gap))
    kept: list[tuple[datetime, Grain]] = []
    for at in seen:
        grain = grain_of(at, kept[-1][0] if kept else None)
        if grain is not None:
            kept.append((at, grain))
    for grain in Grain:
        length = LENGTHS[grain]
        stretches = [stretch(at, length) for at, its in kept if its in made_of(grain)]
        assert stretches == sorted({stretch(at, length) for at in seen})


def test_a_look_at_any_period_is_made_of_few_points_and_told_in_fewer_rows() -> None:
    for days in (1, 7, 30, 365):
        period = timedelta(days=days)
        assert period / LENGTHS[finest(period)] <= 750
        assert 24 <= period / row_length(period) <= 54
