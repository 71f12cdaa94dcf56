"""Tables of people as clients read them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.importing import service
from waypost.access.importing.models import PeopleImport, PeopleImportRow
from waypost.access.importing.reading import FIELDS
from waypost.kernel.cells import BOM, csv_bytes
from waypost.kernel.clock import rfc3339
from waypost.kernel.paging import decode_cursor, encode_cursor
from waypost.kernel.tables import guess

FIRST_ROWS = 3
Json = dict[str, Any]


def _short(job: PeopleImport) -> Json:
    return {
        "id": job.id,
        "filename": job.filename,
        "encoding": job.encoding,
        "separator": job.separator,
        "total": job.total,
        "status": job.status,
        "created_at": rfc3339(job.created_at),
        "finished_at": job.finished_at and rfc3339(job.finished_at),
    }


async def import_json(session: AsyncSession, job: PeopleImport) -> Json:
    """An import as clients read it: its columns, what it would do, and how far it is."""
    first = await session.execute(
        select(PeopleImportRow.number, PeopleImportRow.cells)
        .where(PeopleImportRow.job_id == job.id)
        .order_by(PeopleImportRow.number)
        .limit(FIRST_ROWS)
    )
    counted = await service.counts(session, job.id)
    reach = await service.reach_of(session, job) if job.status == "CHECKED" else None
    is_last = job.status == "CHECKED" and await service.takes_last_administrator(session, job)
    return {
        **_short(job),
        "headings": job.headings,
        "first_rows": [{"number": n, "cells": cells} for n, cells in first],
        "suggestion": guess(job.headings, FIELDS),
        "plan": job.plan,
        "counts": {k.lower(): counted.get(k, 0) for k in ("NEW", "CHANGE", "SAME", "WRONG")},
        "to_do": job.to_do,
        "done": job.done,
        "failed": job.failed,
        "stop": reach
        and {
            "leaving": reach.leaving,
            "active": reach.active,
            "is_much": reach.is_much,
            "takes_last_administrator": is_last,
        },
    }


async def import_page(session: AsyncSession, actor: Actor, *, cursor: str | None, limit: int) -> Json:
    """One's own imports, newest first. One statement."""
    wanted = select(PeopleImport).where(PeopleImport.actor_id == actor.user_id).order_by(PeopleImport.id.desc())
    if cursor:
        (last,) = decode_cursor(cursor, "people imports", int)
        wanted = wanted.where(PeopleImport.id < last)
    rows = list(await session.scalars(wanted.limit(limit + 1)))
    following = encode_cursor("people imports", rows[limit - 1].id) if len(rows) > limit else None
    return {"items": [_short(job) for job in rows[:limit]], "next_cursor": following}


def _row_json(row: PeopleImportRow) -> Json:
    return {
        "number": row.number,
        "outcome": row.outcome,
        "status": row.status,
        "name": row.name,
        "user_id": row.user_id,
        "changes": [{k: c[k] for k in ("field", "before", "after")} for c in row.changes or ()],
        "errors": row.errors or [],
        "waits": row.waits,
        "error": row.error,
    }


async def row_page(
    session: AsyncSession,
    actor: Actor,
    import_id: int,
    *,
    outcome: str | None,
    status: str | None,
    cursor: str | None,
    limit: int,
) -> Json:
    """What its rows do, or what became of them, in their order. One statement besides the import's own."""
    await service.find_import(session, actor, import_id)
    wanted = select(PeopleImportRow).where(PeopleImportRow.job_id == import_id)
    if outcome:
        wanted = wanted.where(PeopleImportRow.outcome == outcome)
    if status:
        wanted = wanted.where(PeopleImportRow.status == status)
    if cursor:
        (last,) = decode_cursor(cursor, "people import rows", int)
        wanted = wanted.where(PeopleImportRow.number > last)
    rows = list(await session.scalars(wanted.order_by(PeopleImportRow.number).limit(limit + 1)))
    following = encode_cursor("people import rows", rows[limit - 1].number) if len(rows) > limit else None
    return {"items": [_row_json(row) for row in rows[:limit]], "next_cursor": following}


async def wrong_rows(session: AsyncSession, actor: Actor, import_id: int) -> tuple[str, bytes]:
    """The rows that did nothing because something is wrong, with what it is, to mend and bring again; and a name."""
    job = await service.find_import(session, actor, import_id)
    rows = await session.scalars(
        select(PeopleImportRow)
        .where(PeopleImportRow.job_id == import_id)
        .where((PeopleImportRow.outcome == "WRONG") | (PeopleImportRow.status == "FAILED"))
        .order_by(PeopleImportRow.number)
    )
    lines = [[*job.headings, "What is wrong"]]
    lines += [[*row.cells, _said(row)] for row in rows]
    name = job.filename.rpartition(".")[0] or job.filename
    return f"{name}-to-mend.csv", BOM + csv_bytes(lines)


def _said(row: PeopleImportRow) -> str:
    if row.error:
        return str(row.error["detail"])
    return "; ".join(f"{e['column'] or e['field']}: {e['message']}".removeprefix(": ") for e in row.errors or ())
