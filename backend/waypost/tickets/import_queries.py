"""Reading imports: one's own, their rows, and the rows that need another look as a file."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.catalog.models import TicketType
from waypost.kernel.cells import BOM
from waypost.kernel.clock import rfc3339
from waypost.kernel.paging import decode_cursor, encode_cursor
from waypost.tickets import mapping, policy, sheets
from waypost.tickets.import_models import ImportRow, TicketImport
from waypost.tickets.importing import counts, find_import
from waypost.tickets.models import Ticket

SHOWN = 5  # rows one sees while choosing columns
_WORDS = {
    "PENDING": "pending",
    "READY": "ready",
    "WRONG": "wrong",
    "DUPLICATE": "duplicates",
    "DONE": "done",
    "FAILED": "failed",
}


async def import_json(session: AsyncSession, job: TicketImport) -> dict[str, Any]:
    """An import as clients read it, with its first rows and how far it is."""
    found = await counts(session, job.id)
    first = await session.scalars(
        select(ImportRow).where(ImportRow.import_id == job.id).order_by(ImportRow.number).limit(SHOWN)
    )
    return {
        **_short(job),
        "headings": job.headings,
        "first_rows": [{"number": r.number, "cells": r.cells} for r in first],
        "plan": job.plan,
        "counts": {word: found.get(status, 0) for status, word in _WORDS.items()},
        "same_file_as": await _same_before(session, job),
    }


def _short(job: TicketImport) -> dict[str, Any]:
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


async def _same_before(session: AsyncSession, job: TicketImport) -> int | None:
    """One's earlier import of the very same file that made tickets."""
    earlier = select(TicketImport.id).where(
        TicketImport.actor_id == job.actor_id,
        TicketImport.sha256 == job.sha256,
        TicketImport.id < job.id,
        TicketImport.status.in_(("RUNNING", "FINISHED", "CANCELLED")),
    )
    return await session.scalar(earlier.order_by(TicketImport.id.desc()).limit(1))


async def import_page(session: AsyncSession, actor: Actor, *, cursor: str | None, limit: int) -> dict[str, Any]:
    """One's own imports, newest first: `{items, next_cursor}`."""
    statement = select(TicketImport).where(TicketImport.actor_id == actor.user_id)
    if cursor:
        (last,) = decode_cursor(cursor, "imports", int)
        statement = statement.where(TicketImport.id < last)
    rows = (await session.scalars(statement.order_by(TicketImport.id.desc()).limit(limit + 1))).all()
    following = encode_cursor("imports", rows[limit - 1].id) if len(rows) > limit else None
    return {"items": [_short(r) for r in rows[:limit]], "next_cursor": following}


async def row_page(
    session: AsyncSession, actor: Actor, import_id: int, *, status: str | None, cursor: str | None, limit: int
) -> dict[str, Any]:
    """What became of an import's rows, in their order; a ticket is named to those who may see it."""
    await find_import(session, actor, import_id)
    statement = (
        select(ImportRow, Ticket.id.label("seen_id"), Ticket.ticket_number)
        .outerjoin(Ticket, and_(Ticket.id == ImportRow.ticket_id, policy.visible_to(actor)))
        .where(ImportRow.import_id == import_id)
    )
    if status:
        statement = statement.where(ImportRow.status == status)
    if cursor:
        (last,) = decode_cursor(cursor, "import-rows", int)
        statement = statement.where(ImportRow.number > last)
    statement = statement.order_by(ImportRow.number).limit(limit + 1)
    rows = (await session.execute(statement, policy.values(actor))).all()
    items = [
        {
            "number": row.number,
            "status": row.status,
            "cells": row.cells,
            "errors": row.errors or [],
            "ticket": None if seen_id is None else {"id": seen_id, "ticket_number": number},
        }
        for row, seen_id, number in rows[:limit]
    ]
    following = encode_cursor("import-rows", rows[limit - 1][0].number) if len(rows) > limit else None
    return {"items": items, "next_cursor": following}


async def wrong_rows(session: AsyncSession, actor: Actor, import_id: int) -> tuple[str, bytes]:
    """The rows that became no ticket, with what is wrong, as a CSV to mend and bring again; and the file's name."""
    job = await find_import(session, actor, import_id)
    rows = await session.scalars(
        select(ImportRow)
        .where(ImportRow.import_id == import_id, ImportRow.status.in_(("WRONG", "FAILED")))
        .order_by(ImportRow.number)
    )
    lines: list[list[sheets.Cell]] = [[*job.headings, "What is wrong"]]
    lines += [[*row.cells, "; ".join(_said(e) for e in row.errors or [])] for row in rows]
    name = job.filename.rpartition(".")[0] or job.filename
    return f"{name}-to-mend.csv", BOM + sheets.csv_lines(lines, ZoneInfo("UTC"))


def _said(error: dict[str, Any]) -> str:
    about = error.get("column") or error.get("field") or ""
    return f"{about}: {error['message']}" if about else str(error["message"])


async def suggestion(session: AsyncSession, actor: Actor, import_id: int, kind: TicketType) -> dict[str, Any]:
    """What a file's columns could be for a type: its fields with their titles, and the columns that say which they are."""
    job = await find_import(session, actor, import_id)
    own = dict.fromkeys(mapping.FIELDS)
    fields = [{"key": k, "title": None} for k in own] + [
        {"key": k, "title": t} for k, t in mapping.importable(kind.form).items()
    ]
    return {"fields": fields, "columns": mapping.suggest(job.headings, kind.form)}
