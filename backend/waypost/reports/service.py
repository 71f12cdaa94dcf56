"""Saving, changing and deleting reports, and reading them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.models import Role
from waypost.directory.models import Team, User
from waypost.directory.names import names
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.errors import FieldError, Invalid, StaleVersion
from waypost.kernel.events import record
from waypost.kernel.paging import after, decode_cursor, encode_cursor
from waypost.kernel.shapes import nfc
from waypost.reports import policy
from waypost.reports.errors import MOST_REPORTS, ReportNotFound, ReportNotYours, TooManyReports
from waypost.reports.events import ReportChanged, ReportDeleted, ReportSaved
from waypost.reports.saved_models import SavedReport
from waypost.reports.shapes import check
from waypost.tickets.conditions import condition_of
from waypost.tickets.fields import known_fields


async def report_page(session: AsyncSession, actor: Actor, *, cursor: str | None, limit: int) -> dict[str, Any]:
    """The reports of this person and those shared with them, by name."""
    statement = (
        select(SavedReport).where(policy.visible_to(actor)).order_by(SavedReport.name, SavedReport.id).limit(limit + 1)
    )
    if cursor:
        name, report_id = decode_cursor(cursor, "reports", str, int)
        statement = statement.where(after([(SavedReport.name, name, False), (SavedReport.id, report_id, False)]))
    rows = list(await session.scalars(statement))
    following = encode_cursor("reports", rows[limit - 1].name, rows[limit - 1].id) if len(rows) > limit else None
    return {"items": [await report_json(session, actor, r) for r in rows[:limit]], "next_cursor": following}


async def find_report(session: AsyncSession, actor: Actor, report_id: int, *, lock: bool = False) -> SavedReport:
    """A report this person may open. Raises `ReportNotFound`."""
    statement = select(SavedReport).where(SavedReport.id == report_id)
    report = await session.scalar(statement.with_for_update(key_share=True) if lock else statement)
    if report is None or not policy.may_see(actor, report):
        raise ReportNotFound
    return report


async def report_json(session: AsyncSession, actor: Actor, report: SavedReport) -> dict[str, Any]:
    """A report as clients read it; with whom it is shared is told to who made it."""
    mine = policy.may_change(actor, report)
    people = await names.people(session, [report.owner_id, *(report.person_ids if mine else ())])
    teams = await names.teams(session, report.team_ids if mine else ())
    return {
        "id": report.id,
        "name": report.name,
        "owner": people.get(report.owner_id),
        "definition": report.definition,
        "people": [people[i] for i in report.person_ids if i in people] if mine else [],
        "teams": [teams[i] for i in report.team_ids if i in teams] if mine else [],
        "roles": report.roles if mine else [],
        "version": report.version,
        "created_at": rfc3339(report.created_at),
        "updated_at": rfc3339(report.updated_at),
        "allowed_actions": ["edit", "delete"] if mine else [],
    }


async def create_report(session: AsyncSession, actor: Actor, **values: Any) -> SavedReport:
    """Save a report. Raises `Invalid`, `InvalidCondition` or `TooManyReports`."""
    await session.execute(select(User.id).where(User.id == actor.user_id).with_for_update(key_share=True))
    mine = select(func.count()).select_from(SavedReport).where(SavedReport.owner_id == actor.user_id)
    if (await session.scalar(mine) or 0) >= MOST_REPORTS:
        raise TooManyReports
    await _check(session, actor, values)
    at = now()
    report = SavedReport(owner_id=actor.user_id, version=1, created_at=at, updated_at=at, **values)
    session.add(report)
    await session.flush()
    await record(session, ReportSaved(report_id=report.id, **_shared(report)), actor=actor)
    return report


async def update_report(
    session: AsyncSession, actor: Actor, report_id: int, *, version: int, **values: Any
) -> SavedReport:
    """Change a report. Raises `ReportNotFound`, `ReportNotYours`, `StaleVersion` and what `create_report` raises."""
    report = await changeable(session, actor, report_id)
    if report.version != version:
        raise StaleVersion(current_version=report.version)
    await _check(session, actor, values)
    changed = sorted(k for k, v in values.items() if getattr(report, k) != v)
    if changed:
        for name in changed:
            setattr(report, name, values[name])
        report.version += 1
        report.updated_at = now()
        await session.flush()
        await record(session, ReportChanged(report_id=report.id, changed=changed, **_shared(report)), actor=actor)
    return report


async def delete_report(session: AsyncSession, actor: Actor, report_id: int) -> None:
    """Delete a report, with its schedules. Raises `ReportNotFound` or `ReportNotYours`."""
    report = await changeable(session, actor, report_id)
    await record(session, ReportDeleted(report_id=report.id), actor=actor)
    await session.delete(report)
    await session.flush()


async def changeable(session: AsyncSession, actor: Actor, report_id: int) -> SavedReport:
    """The report, locked for a change that is theirs to make."""
    report = await find_report(session, actor, report_id, lock=True)
    if not policy.may_change(actor, report):
        raise ReportNotYours
    return report


def _shared(report: SavedReport) -> dict[str, Any]:
    return {"person_ids": report.person_ids, "team_ids": report.team_ids, "roles": report.roles}


async def _check(session: AsyncSession, actor: Actor, values: dict[str, Any]) -> None:
    values["definition"] = nfc(values["definition"])
    check(values["definition"], await known_fields(session))
    condition = values["definition"].get("condition")
    await condition_of(session, actor, condition, pointer="/definition/condition")
    wrong = []
    for name, model, column in (
        ("person_ids", User, User.id),
        ("team_ids", Team, Team.id),
        ("roles", Role, Role.key),
    ):
        wanted = values[name] = sorted(set(values[name]))
        known = (
            set(await session.scalars(select(column).select_from(model).where(column.in_(wanted)))) if wanted else set()
        )
        wrong += [FieldError(f"/{name}", f"there is no {x}") for x in wanted if x not in known][:1]
    wrong += [
        FieldError("/team_ids", "is not a team of yours")
        for team_id in values["team_ids"]
        if not policy.may_share_with_team(actor, team_id)
    ][:1]
    if values["roles"] and not policy.may_share_with_role(actor):
        wrong.append(FieldError("/roles", "is shared with by administrators only"))
    if wrong:
        raise Invalid("This report can't be shared so.", errors=tuple(wrong))
