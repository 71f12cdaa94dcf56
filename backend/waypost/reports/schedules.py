"""Setting up what is exported by itself: making, changing, pausing, deleting schedules, and reading them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, true
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.models import Role
from waypost.access.queries import actors_of_users
from waypost.directory.models import User
from waypost.directory.names import names
from waypost.kernel.clock import now, rfc3339, zone_names
from waypost.kernel.errors import FieldError, Invalid, StaleVersion
from waypost.kernel.events import record
from waypost.kernel.paging import decode_cursor, encode_cursor
from waypost.reports import export_policy, exporting, service
from waypost.reports.dashboards import Kind
from waypost.reports.errors import DashboardNotFound, ReportNotFound
from waypost.reports.export_errors import (
    MOST_SCHEDULES,
    NobodyToSendTo,
    ScheduleNotFound,
    StillExporting,
    TooManySchedules,
)
from waypost.reports.export_events import ExportScheduleChanged, ExportScheduleDeleted, ExportScheduleMade
from waypost.reports.export_models import ReportExport
from waypost.reports.export_times import Every, Rhythm, next_after
from waypost.reports.recipients import group_faults, people_of
from waypost.reports.saved_models import SavedReport
from waypost.reports.schedule_models import ExportSchedule
from waypost.reports.sources import BoardSource, Source, source_of, why_not

SET = ("subject", "formats", "every", "weekdays", "day", "at_time", "zone", "person_ids", "team_ids", "roles")


def rhythm_of(schedule: ExportSchedule) -> Rhythm:
    """When a schedule is due."""
    return Rhythm(
        Every(schedule.every),
        schedule.at_time,
        ZoneInfo(schedule.zone),
        frozenset(schedule.weekdays),
        schedule.day,
    )


async def make(session: AsyncSession, actor: Actor, report_id: int, **values: Any) -> ExportSchedule:
    """Have a report exported by itself. Raises `ReportNotFound`, `TooManySchedules` or `Invalid`."""
    return await _make(session, actor, await service.find_report(session, actor, report_id), values)


async def make_of_board(session: AsyncSession, actor: Actor, kind: Kind, *, days: int, **values: Any) -> ExportSchedule:
    """Have a dashboard exported by itself. Raises `DashboardNotFound`, `TooManySchedules` or `Invalid`."""
    return await _make(session, actor, exporting.board_for(actor, kind, days), values)


async def _make(session: AsyncSession, actor: Actor, source: Source, values: dict[str, Any]) -> ExportSchedule:
    await session.execute(select(User.id).where(User.id == actor.user_id).with_for_update(key_share=True))
    mine = select(func.count()).select_from(ExportSchedule).where(ExportSchedule.owner_id == actor.user_id)
    if (await session.scalar(mine) or 0) >= MOST_SCHEDULES:
        raise TooManySchedules
    is_paused = values.pop("is_paused", False)
    await _check(session, actor, source, values, {"team_ids": (), "roles": ()})
    at = now()
    schedule = ExportSchedule(
        report_id=source.id,
        board=source.kind.value if isinstance(source, BoardSource) else None,
        days=source.days if isinstance(source, BoardSource) else None,
        owner_id=actor.user_id,
        state="PAUSED",
        paused_why="BY_OWNER",
        failing_ids=[],
        version=1,
        created_at=at,
        updated_at=at,
        **values,
    )
    _set_state(schedule, is_paused=is_paused)
    session.add(schedule)
    await session.flush()
    made = ExportScheduleMade(
        schedule_id=schedule.id, report_id=source.id, board=schedule.board, settings=settings_of(schedule)
    )
    await record(session, made, actor=actor, at=at)
    return schedule


async def change(
    session: AsyncSession, actor: Actor, schedule_id: int, *, version: int, is_paused: bool, **values: Any
) -> ExportSchedule:
    """Change a schedule. Raises `ScheduleNotFound`, `StaleVersion` or `Invalid`."""
    schedule = await find(session, actor, schedule_id, lock=True)
    if schedule.version != version:
        raise StaleVersion(current_version=schedule.version)
    source = await source_of(session, schedule)
    if source is None:  # it goes with its report
        raise ScheduleNotFound
    if not is_paused:
        await _check_owner(session, schedule, source)
    before = settings_of(schedule)
    await _check(session, actor, source, values, before)
    for name, value in values.items():
        setattr(schedule, name, value)
    _set_state(schedule, is_paused=is_paused)
    after = settings_of(schedule)
    if before != after:
        schedule.version += 1
        schedule.updated_at = now()
        await session.flush()
        changed = {k for k in after if before[k] != after[k]}
        told = ExportScheduleChanged(
            schedule_id=schedule.id,
            before={k: before[k] for k in sorted(changed)},
            after={k: after[k] for k in sorted(changed)},
        )
        await record(session, told, actor=actor)
    return schedule


def _set_state(schedule: ExportSchedule, *, is_paused: bool) -> None:
    """Wait, or go on with the next instant from now."""
    if is_paused:
        schedule.state, schedule.next_at = "PAUSED", None
        schedule.paused_why = schedule.paused_why or "BY_OWNER"
    else:
        schedule.state, schedule.paused_why = "ACTIVE", None
        schedule.next_at = next_after(rhythm_of(schedule), now())


async def delete(session: AsyncSession, actor: Actor, schedule_id: int) -> None:
    """Export nothing by itself any more; what was exported stays in the history. Raises `ScheduleNotFound`."""
    schedule = await find(session, actor, schedule_id, lock=True)
    told = ExportScheduleDeleted(schedule_id=schedule.id, report_id=schedule.report_id, board=schedule.board)
    await record(session, told, actor=actor)
    await session.delete(schedule)
    await session.flush()


async def run(session: AsyncSession, actor: Actor, schedule_id: int, *, is_test: bool) -> ReportExport:
    """Export now what a schedule exports: for all its people, or as a test for oneself alone.

    Raises `ScheduleNotFound`, `ReportNotFound`, `DashboardNotFound`, `StillExporting` or `NobodyToSendTo`.
    """
    schedule = await find(session, actor, schedule_id, lock=True)
    going = (ReportExport.schedule_id == schedule_id, ReportExport.status.in_(exporting.OPEN))
    if await session.scalar(select(ReportExport.id).where(*going).limit(1)) is not None:
        raise StillExporting
    source: Source
    if schedule.report_id is not None:
        source = await service.find_report(session, actor, schedule.report_id)
    else:
        source = exporting.board_for(actor, Kind(schedule.board or ""), schedule.days or 0)
    people = [actor.user_id] if is_test else await people_of(session, schedule, source)
    if not people:
        raise NobodyToSendTo
    kind = "TEST" if is_test else "MANUAL"
    return await exporting.begin(session, actor, source, kind, schedule.formats, people, schedule_id=schedule.id)


async def find(session: AsyncSession, actor: Actor, schedule_id: int, *, lock: bool = False) -> ExportSchedule:
    """A schedule of this person's, or any for administrators of views. Raises `ScheduleNotFound`."""
    statement = select(ExportSchedule).where(ExportSchedule.id == schedule_id)
    schedule = await session.scalar(statement.with_for_update(key_share=True) if lock else statement)
    if schedule is None or not export_policy.may_see_schedule(actor, schedule):
        raise ScheduleNotFound
    return schedule


async def page(
    session: AsyncSession, actor: Actor, *, of_all: bool, report_id: int | None, cursor: str | None, limit: int
) -> dict[str, Any]:
    """One's own schedules, newest first; with `of_all` those of everybody, for administrators of views."""
    everybody = of_all and export_policy.may_see_all(actor)
    whose = true() if everybody else ExportSchedule.owner_id == actor.user_id
    statement = select(ExportSchedule).where(whose).order_by(ExportSchedule.id.desc()).limit(limit + 1)
    if report_id is not None:
        statement = statement.where(ExportSchedule.report_id == report_id)
    if cursor:
        (last,) = decode_cursor(cursor, "schedules", int)
        statement = statement.where(ExportSchedule.id < last)
    rows = list(await session.scalars(statement))
    following = encode_cursor("schedules", rows[limit - 1].id) if len(rows) > limit else None
    return {"items": await schedules_json(session, rows[:limit]), "next_cursor": following}


async def schedules_json(session: AsyncSession, rows: Sequence[ExportSchedule]) -> list[dict[str, Any]]:
    """Schedules as clients read them, with how the last export went."""
    people = await names.people(session, [i for r in rows for i in (r.owner_id, *r.person_ids)])
    reports = {
        r.id: r.name
        for r in await session.execute(
            select(SavedReport.id, SavedReport.name).where(SavedReport.id.in_([r.report_id for r in rows]))
        )
    }
    teams = await names.teams(session, [i for r in rows for i in r.team_ids])
    keys = {key for r in rows for key in r.roles}
    roles: dict[str, str] = {}
    if keys:
        called = await session.execute(select(Role.key, Role.name).where(Role.key.in_(sorted(keys))))
        roles = {row.key: row.name for row in called}
    newest = (
        select(ReportExport)
        .where(ReportExport.schedule_id.in_([r.id for r in rows]))
        .ext(distinct_on(ReportExport.schedule_id))
        .order_by(ReportExport.schedule_id, ReportExport.id.desc())
    )
    last = {e.schedule_id: e for e in await session.scalars(newest)}
    return [
        {
            "id": r.id,
            "report": {"id": r.report_id, "name": _called(r, reports), "board": r.board, "days": r.days},
            "owner": people.get(r.owner_id),
            "subject": r.subject,
            "formats": r.formats,
            "every": r.every,
            "weekdays": r.weekdays,
            "day": r.day,
            "at_time": f"{r.at_time:%H:%M}",
            "zone": r.zone,
            "people": [people[i] for i in r.person_ids if i in people],
            "teams": [teams[i] for i in r.team_ids if i in teams],
            "roles": [{"key": key, "name": roles[key]} for key in r.roles if key in roles],
            "state": r.state,
            "paused_why": r.paused_why,
            "next_at": rfc3339(r.next_at) if r.next_at else None,
            "last": _last(last[r.id]) if r.id in last else None,
            "version": r.version,
        }
        for r in rows
    ]


def _called(schedule: ExportSchedule, reports: dict[int, str]) -> str:
    if schedule.board is not None and schedule.days is not None:
        return BoardSource(Kind(schedule.board), schedule.days).name
    return reports.get(schedule.report_id or 0, "")


def _last(export: ReportExport) -> dict[str, Any]:
    told = {k: getattr(export, k) for k in ("id", "kind", "status", "total", "done", "failed")}
    return {**told, "created_at": rfc3339(export.created_at)}


async def schedule_json(session: AsyncSession, schedule: ExportSchedule) -> dict[str, Any]:
    """One schedule."""
    return (await schedules_json(session, [schedule]))[0]


def settings_of(schedule: ExportSchedule) -> dict[str, Any]:
    """What of a schedule somebody sets, as the trail keeps it."""
    told = {name: getattr(schedule, name) for name in SET}
    return {**told, "at_time": f"{schedule.at_time:%H:%M}", "is_paused": schedule.state == "PAUSED"}


async def _check_owner(session: AsyncSession, schedule: ExportSchedule, source: Source) -> None:
    """An administrator does not let go on what its owner may not read. Raises `Invalid`."""
    owner = (await actors_of_users(session, [schedule.owner_id])).get(schedule.owner_id)
    if owner is None:
        raise Invalid("Its owner has left.", errors=(FieldError("/is_paused", "stays so: its owner has left"),))
    if not export_policy.may_get(owner, source):
        raise DashboardNotFound if isinstance(source, BoardSource) else ReportNotFound


async def _check(
    session: AsyncSession, actor: Actor, source: Source, values: dict[str, Any], kept: dict[str, Any]
) -> None:
    """Raises `Invalid` naming the fields."""
    wrong = []
    if values["zone"] not in zone_names():
        wrong.append(FieldError("/zone", "is no time zone, such as Europe/Berlin"))
    values["at_time"] = time.fromisoformat(values["at_time"])
    values["formats"] = [f for f in exporting.FORMATS if f in values["formats"]]
    values["weekdays"] = sorted(set(values["weekdays"])) if values["every"] == "WEEK" else []
    if values["every"] == "WEEK" and not values["weekdays"]:
        wrong.append(FieldError("/weekdays", "needs a day at least"))
    values["day"] = values["day"] if values["every"] == "MONTH" else 1
    values["person_ids"] = list(dict.fromkeys(values["person_ids"]))
    values["team_ids"], values["roles"] = sorted(set(values["team_ids"])), sorted(set(values["roles"]))
    if not (values["person_ids"] or values["team_ids"] or values["roles"]):
        wrong.append(FieldError("/person_ids", "needs a person, a team or a role at least"))
    wrong += await group_faults(session, actor, source, kept, values)
    known = await actors_of_users(session, values["person_ids"])
    for n, person in enumerate(values["person_ids"]):
        if person not in known:
            wrong.append(FieldError(f"/person_ids/{n}", "is nobody who works here"))
        elif not export_policy.may_get(known[person], source):
            wrong.append(FieldError(f"/person_ids/{n}", why_not(source)))
    if wrong:
        raise Invalid("This can't be scheduled so.", errors=tuple(wrong))
