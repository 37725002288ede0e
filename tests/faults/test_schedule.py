"""The faults of a run: the same seed, the same faults; every kind of them; and no process killed while it is away."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.faults.schedule import (
    DATABASE_FAULTS,
    DEATHS_APART,
    EXCHANGE_FAULTS,
    PROCESS_FAULTS,
    QUEUE_FAULTS,
    plan,
)

KINDS = {*EXCHANGE_FAULTS, *PROCESS_FAULTS, *QUEUE_FAULTS}


@given(count=st.integers(200, 2000), seconds=st.floats(5, 900), seed=st.integers(0, 99), server=st.booleans())
def test_every_kind_occurs_as_planned(count: int, seconds: float, seed: int, server: bool) -> None:
    planned = plan(count, seconds, seed, database_server=server)

    assert planned == plan(count, seconds, seed, database_server=server)
    assert len(planned) == count
    assert {fault.kind for fault in planned} == KINDS | (set(DATABASE_FAULTS) if server else set())
    assert all(0 <= fault.at <= seconds and 0 <= fault.share < 1 for fault in planned)
    assert planned == sorted(planned, key=lambda fault: fault.at)


def test_a_process_is_left_alone_for_a_while_after_its_death() -> None:
    planned = plan(500, 600, seed=3, database_server=True)
    for kind in (*PROCESS_FAULTS, *DATABASE_FAULTS):
        times = [fault.at for fault in planned if fault.kind == kind]
        assert len(times) > 10
        assert all(later - earlier >= DEATHS_APART for earlier, later in pairwise(times))


def test_too_few_faults_are_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        plan(10, 60, seed=1, database_server=False)
