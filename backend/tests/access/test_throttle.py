"""Pauses grow, end, and are forgiven."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from waypost.access.throttle import LONGEST, Failures, after_failure, seconds_to_wait

AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
PAUSE = timedelta(minutes=10)


def fail(failures: Failures, times: int, at: datetime = AT) -> Failures:
    for _ in range(times):
        failures = after_failure(failures, at, allowed=3, pause=PAUSE)
    return failures


def test_pauses_double_up_to_a_day() -> None:
    assert seconds_to_wait(fail(Failures(), 2), AT) == 0
    blocked = fail(Failures(), 3)
    assert seconds_to_wait(blocked, AT) == 601
    assert seconds_to_wait(blocked, AT + PAUSE) == 0
    assert seconds_to_wait(fail(blocked, 3), AT) == 1201
    assert seconds_to_wait(fail(Failures(), 60), AT) == int(LONGEST.total_seconds()) + 1


def test_a_quiet_day_forgives() -> None:
    tried = fail(Failures(), 2)
    assert fail(tried, 1, AT + timedelta(days=2)).blocked_until is None
