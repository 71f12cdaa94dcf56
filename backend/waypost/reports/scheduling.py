"""Schedules whose time has come: each instant once, also after nobody was there for a while; then one export for all of
what was missed. Whose owner left or lost the report waits, and says so.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.queries import actor_of_user
from waypost.directory.events import UserDeactivated
from waypost.directory.names import names
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.events import SYSTEM, Doer, record
from waypost.kernel.notices import NoticeAsked
from waypost.reports import export_policy, exporting
from waypost.reports.export_events import ExportSchedulePaused
from waypost.reports.export_models import ReportExport
from waypost.reports.export_times import next_after
from waypost.reports.recipients import people_of
from waypost.reports.schedule_models import ExportSchedule
from waypost.reports.schedules import rhythm_of
from waypost.reports.sources import BoardSource, Source, source_of

MOST_AT_ONCE = 100
WHY = {
    "OWNER_LEFT": "Who set it up does not work here any more. Somebody else can set it up for themselves.",
    "NOT_SHARED": "The report is not shared with its owner any more.",
}
PLACE = "/reports/exports"


async def begin_due(database: Database) -> int:
    """Begin the exports whose time has come, each in a transaction of its own; how many there were."""
    for begun in range(MOST_AT_ONCE):
        async with database.transaction() as session:
            due = (
                select(ExportSchedule).where(ExportSchedule.next_at <= now()).order_by(ExportSchedule.next_at).limit(1)
            )
            schedule = await session.scalar(due.with_for_update(skip_locked=True, key_share=True))
            if schedule is None:
                return begun
            await _begin(session, schedule)
    return MOST_AT_ONCE


async def _begin(session: AsyncSession, schedule: ExportSchedule) -> None:
    owner = await actor_of_user(session, schedule.owner_id)
    source = await source_of(session, schedule)
    if source is None:
        return  # its report is being deleted, and it with it
    if owner is None or not export_policy.may_get(owner, source):
        await pause(session, schedule, source, "OWNER_LEFT" if owner is None else "NOT_SHARED", SYSTEM)
        return
    due_at, schedule.next_at = schedule.next_at, next_after(rhythm_of(schedule), now())
    if schedule.next_at is None:  # no zone has so few days
        schedule.state, schedule.paused_why = "PAUSED", "BY_OWNER"
    done = select(ReportExport.id).where(ReportExport.schedule_id == schedule.id, ReportExport.due_at == due_at)
    if await session.scalar(done) is not None:
        return  # an instant is exported once; a schedule that comes back to one goes on from there
    more = {"schedule_id": schedule.id, "due_at": due_at}
    people = await people_of(session, schedule, source)
    await exporting.begin(session, owner, source, "SCHEDULED", schedule.formats, people, **more)


async def pause(session: AsyncSession, schedule: ExportSchedule, source: Source, why: str, by: Doer) -> None:
    """Let a schedule wait, and tell its owner, or those it was for when the owner is gone."""
    schedule.state, schedule.paused_why, schedule.next_at = "PAUSED", why, None
    schedule.version += 1
    schedule.updated_at = at = now()
    await session.flush()
    await record(session, ExportSchedulePaused(schedule_id=schedule.id, why=why), actor=by, at=at)
    told = [schedule.owner_id] if why == "NOT_SHARED" else [i for i in schedule.person_ids if i != schedule.owner_id]
    people = await names.people(session, [schedule.owner_id])
    owner = people[schedule.owner_id]["name"] if schedule.owner_id in people else ""
    for user_id in told:
        notice = NoticeAsked(
            user_id=user_id,
            kind="report.export_paused",
            topic=f"schedule.{schedule.id}",
            link=PLACE,
            action="Look at the exports",
            values={"report": source.name, "why": _why(source, why)},
            facts=[["Set up by", str(owner)]],
        )
        await record(session, notice, actor=SYSTEM, at=at)


def _why(source: Source, why: str) -> str:
    is_gone = why == "NOT_SHARED" and isinstance(source, BoardSource)
    return "Its owner has no such dashboard any more." if is_gone else WHY[why]


async def on_user_deactivated(session: AsyncSession, event: UserDeactivated, actor: Doer) -> None:
    """What somebody who leaves had sent waits."""
    theirs = select(ExportSchedule).where(ExportSchedule.owner_id == event.user_id, ExportSchedule.state == "ACTIVE")
    for schedule in await session.scalars(theirs.order_by(ExportSchedule.id).with_for_update(key_share=True)):
        if (source := await source_of(session, schedule)) is not None:
            await pause(session, schedule, source, "OWNER_LEFT", actor)
