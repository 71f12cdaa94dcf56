"""What an installation begins with, and how it is read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.sla.test_calendar import utc
from waypost.sla import queries
from waypost.sla.calendar import after
from waypost.sla.marking import Metric
from waypost.sla.policies import Target, Unit


async def test_an_installation_begins_with_hours_and_targets(database: Any) -> None:
    async with database.read() as session:
        calendars = await queries.calendars(session)
        policies = await queries.policies(session)
    hours = calendars.default
    assert calendars.of(None) == calendars.of(hours.id) == calendars.of(10**9) == hours
    friday = utc(2026, 1, 16, 20)
    assert after(hours.calendar, friday, timedelta(hours=4)).weekday() == 0
    assert policies[-1].target(Metric.FIRST_RESPONSE, "CRITICAL") == Target(30, Unit.MINUTES)
    assert policies[-1].rules.paused == {"PENDING_INFO", "SUBMITTED", "IN_REVIEW"}


async def test_what_was_read_once_is_not_read_again(database: Any) -> None:
    async with database.read() as session:
        first = await queries.policies(session)
        again = await queries.policies(session)
        known = await queries.calendars(session)
        old = await queries.calendar_versions(session, [(known.default.id, known.default.version), (10**9, 1)])
        kept = await queries.policy_versions(session, [(first[0].id, first[0].version), (10**9, 1)])
    assert all(a is b for a, b in zip(first, again, strict=True))
    assert list(old) == [(known.default.id, known.default.version)]
    assert kept == {(first[0].id, first[0].version): first[0]}
