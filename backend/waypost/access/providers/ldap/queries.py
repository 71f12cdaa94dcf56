"""Reading looks at a directory."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.providers.ldap.models import DirectoryRun, DirectoryRunPerson, RunState
from waypost.access.providers.ldap.runs import find_directory, find_run, may_be_applied
from waypost.directory.names import names
from waypost.kernel.clock import rfc3339
from waypost.kernel.paging import decode_cursor, encode_cursor


async def run_page(session: AsyncSession, provider_id: int, *, cursor: str | None, limit: int) -> dict[str, Any]:
    """Runs of a directory, the newest first. Raises `ProviderNotFound`, `NotADirectory`."""
    await find_directory(session, provider_id)
    wanted = select(DirectoryRun).where(DirectoryRun.provider_id == provider_id).order_by(DirectoryRun.id.desc())
    if cursor:
        (before,) = decode_cursor(cursor, "directory_runs", int)
        wanted = wanted.where(DirectoryRun.id < before)
    rows = list(await session.scalars(wanted.limit(limit + 1)))
    more = len(rows) > limit
    rows = rows[:limit]
    return {
        "items": await _as_json(session, rows),
        "next_cursor": encode_cursor("directory_runs", rows[-1].id) if more else None,
    }


async def one_run(session: AsyncSession, provider_id: int, run_id: int) -> dict[str, Any]:
    """One run. Raises `ProviderNotFound`, `NotADirectory`, `RunNotFound`."""
    return (await _as_json(session, [await find_run(session, provider_id, run_id)]))[0]


async def people_page(
    session: AsyncSession, provider_id: int, run_id: int, *, action: str | None, cursor: str | None, limit: int
) -> dict[str, Any]:
    """What a run made, or would make, of whom. Raises `ProviderNotFound`, `NotADirectory`, `RunNotFound`."""
    run = await find_run(session, provider_id, run_id)
    # a run that was held by another one's plan shows that
    shown = run.plan_of_id if run.state == RunState.HELD and run.plan_of_id else run.id
    wanted = select(DirectoryRunPerson).where(DirectoryRunPerson.run_id == shown)
    if action:
        wanted = wanted.where(DirectoryRunPerson.action == action)
    if cursor:
        (after,) = decode_cursor(cursor, "directory_run_people", int)
        wanted = wanted.where(DirectoryRunPerson.position > after)
    rows = list(await session.scalars(wanted.order_by(DirectoryRunPerson.position).limit(limit + 1)))
    more = len(rows) > limit
    rows = rows[:limit]
    return {
        "items": [
            {
                "position": r.position,
                "action": r.action,
                "reason": r.reason,
                "name": r.name,
                "user_id": r.user_id,
                "changes": r.changes,
                "note": r.note,
                "error": r.error,
            }
            for r in rows
        ],
        "next_cursor": encode_cursor("directory_run_people", rows[-1].position) if more else None,
    }


async def _as_json(session: AsyncSession, rows: list[DirectoryRun]) -> list[dict[str, Any]]:
    people = await names.people(session, [i for r in rows for i in (r.asked_by_id, r.settled_by_id)])
    return [
        {
            "id": r.id,
            "provider_id": r.provider_id,
            "state": r.state,
            "is_dry": r.is_dry,
            "is_whole": r.is_whole,
            "asked_by": _person(people, r.asked_by_id),
            "plan_of_id": r.plan_of_id,
            "asked_at": rfc3339(r.asked_at),
            "started_at": rfc3339(r.started_at) if r.started_at else None,
            "ended_at": rfc3339(r.ended_at) if r.ended_at else None,
            "counts": r.counts,
            "stop": r.stop,
            "error": r.error,
            "settled_by": _person(people, r.settled_by_id),
            "settled_at": rfc3339(r.settled_at) if r.settled_at else None,
            "allowed_actions": [
                *(["apply"] if may_be_applied(r) else []),
                *(["dismiss"] if r.state == RunState.STOPPED else []),
            ],
        }
        for r in rows
    ]


def _person(people: Any, person_id: int | None) -> dict[str, Any] | None:
    found = people.get(person_id)
    return {"id": found["id"], "name": found["name"]} if found else None
