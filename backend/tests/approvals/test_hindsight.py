"""Who looks back at broken glass, and when they are told again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from waypost.approvals import hindsight

DUE = datetime(2026, 11, 26, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def test_who_would_have_decided_and_administrators_look_but_never_who_had_a_part() -> None:
    found = hindsight.reviewers([3, 5, 3, 7], [5, 9, 1], barred={7}, broken_by=9)
    assert found == (3, 5, 1)


def test_told_when_due_then_the_administrators_a_day_later_then_weekly() -> None:
    assert hindsight.due_now(DUE, 0, DUE - timedelta(seconds=1)) is None
    first = hindsight.due_now(DUE, 0, DUE)
    assert first == hindsight.Rung(1, climbs=False, next_at=DUE + DAY)
    assert hindsight.due_now(DUE, 1, DUE + DAY - timedelta(seconds=1)) is None
    second = hindsight.due_now(DUE, 1, DUE + DAY)
    assert second == hindsight.Rung(2, climbs=True, next_at=DUE + 8 * DAY)
    assert hindsight.due_now(DUE, 2, DUE + 8 * DAY) == hindsight.Rung(3, climbs=True, next_at=DUE + 15 * DAY)


@given(st.integers(0, 5), st.timedeltas(timedelta(days=-3), timedelta(days=200)))
def test_after_any_downtime_one_thing_is_due_and_the_next_lies_ahead(rungs: int, later: timedelta) -> None:
    at = DUE + later
    found = hindsight.due_now(DUE, rungs, at)
    if found is None:
        assert hindsight.rung_at(DUE, rungs) > at
        return
    assert found.rungs > rungs
    assert found.next_at > at
    assert hindsight.due_now(DUE, found.rungs, at) is None
