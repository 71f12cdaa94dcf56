"""How it goes with a destination: what went wrong, how long it is left alone, and who hears of it."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.permissions import Permission
from waypost.audit.models import AuditSeal
from waypost.audit.streams.delivering import NotTaken
from waypost.audit.streams.events import StreamRecovered
from waypost.audit.streams.models import AuditStream
from waypost.kernel.alarms import AlarmRaised
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.events import SYSTEM, record
from waypost.kernel.logs import get_logger

log = get_logger(__name__)
ALARM_AFTER = timedelta(minutes=15)  # for so long it fails before administrators are told
LONGEST_PAUSE, LONGEST_PAUSE_WRONG = timedelta(minutes=2), timedelta(minutes=15)
KIND = "audit.stream_failed"


def pause_after(failures: int, *, is_wrong: bool, wish: timedelta | None = None) -> timedelta:
    """How long a destination is left alone after so many failures in a row; at least what it asked for."""
    longest = LONGEST_PAUSE_WRONG if is_wrong else LONGEST_PAUSE
    wait = min(timedelta(seconds=2.0 ** min(failures, 12)), longest) * random.uniform(0.8, 1.2)  # noqa: S311
    return max(wait, min(wish or timedelta(0), timedelta(hours=1)))


async def note_failed(session: AsyncSession, row: AuditStream, error: NotTaken) -> None:
    """It did not take what it was sent; the row is locked. After a while administrators are told, once."""
    at = now()
    row.failures = min(row.failures + 1, 30)
    row.failing_since = row.failing_since or at
    row.last_error, row.failed_at = error.why, at
    row.open_until = at + pause_after(row.failures, is_wrong=error.is_wrong, wish=error.after)
    row.lease = row.leased_until = None
    log.warning("audit stream not taken", stream_id=row.id, why=error.why, is_wrong=error.is_wrong)
    if row.alarmed_at is None and at - row.failing_since >= ALARM_AFTER:
        row.alarmed_at = at
        end = await session.scalar(select(func.max(AuditSeal.position))) or 0
        told = AlarmRaised(
            kind=KIND,
            topic=f"audit_stream.{row.id}",
            link="/settings/audit-streams",
            needs=Permission.AUDIT_CONFIGURE.value,
            values={
                "destination": row.name,
                "behind": f"{max(0, end - row.position):,}",
                "why": error.why,
                "action": "Look at the destination",
            },
        )
        await record(session, told, actor=SYSTEM, at=at)


async def note_worked(session: AsyncSession, row: AuditStream) -> None:
    """It took what it was sent; the row is locked."""
    since, was_told = row.failing_since, row.alarmed_at is not None
    row.failures, row.failing_since, row.open_until, row.alarmed_at = 0, None, None, None
    row.worked_at = now()
    if was_told and since is not None:
        again = StreamRecovered(stream_id=row.id, name=row.name, failing_since=rfc3339(since))
        await record(session, again, actor=SYSTEM)


def state_of(row: AuditStream) -> str:
    """`OFF`, `UNTRIED`, `WORKS` or `FAILING`."""
    if not row.is_on:
        return "OFF"
    if row.failures:
        return "FAILING"
    return "WORKS" if row.worked_at else "UNTRIED"


def is_paused(row: AuditStream, at: datetime) -> bool:
    """Whether it is left alone now."""
    return row.open_until is not None and row.open_until > at
