"""Taking a report away as files: asking, cancelling, the history, and fetching what was made.

A file is for the person it was made for: it holds the rows they may see, so nobody else is given it, the owner of the
schedule and administrators neither. They read who got how many rows.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.directory.models import User
from waypost.directory.names import names
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.events import record
from waypost.kernel.paging import decode_cursor, encode_cursor
from waypost.reports import export_policy, service
from waypost.reports.dashboards import Kind
from waypost.reports.errors import DashboardNotFound
from waypost.reports.export_errors import (
    MOST_WAITING,
    ExportFileNotFound,
    ExportIsOver,
    ExportNotFound,
    TooManyWaiting,
)
from waypost.reports.export_events import ReportExportAsked, ReportExportCancelled, ReportExportTaken
from waypost.reports.export_models import ExportFile, ExportPart, ReportExport
from waypost.reports.sources import BoardSource, Source
from waypost.vendors import sealed_files

FORMATS = ("CSV", "XLSX", "PDF")
TYPES = {
    "CSV": "text/csv; charset=utf-8",
    "XLSX": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "PDF": "application/pdf",
}
OPEN = ("QUEUED", "RUNNING")
HISTORY = timedelta(days=90)  # that something was exported is shown so long; the audit trail keeps it
BATCH = 500


async def ask(session: AsyncSession, actor: Actor, report_id: int, formats: Sequence[str]) -> ReportExport:
    """Have a report made into files for oneself. Raises `ReportNotFound` or `TooManyWaiting`."""
    return await _ask(session, actor, await service.find_report(session, actor, report_id), formats)


async def ask_board(session: AsyncSession, actor: Actor, kind: Kind, days: int, formats: Sequence[str]) -> ReportExport:
    """Have a dashboard made into files for oneself. Raises `DashboardNotFound` or `TooManyWaiting`."""
    return await _ask(session, actor, board_for(actor, kind, days), formats)


def board_for(actor: Actor, kind: Kind, days: int) -> BoardSource:
    """A dashboard this person may open. Raises `DashboardNotFound`."""
    source = BoardSource(kind, days)
    if not export_policy.may_get(actor, source):
        raise DashboardNotFound
    return source


async def _ask(session: AsyncSession, actor: Actor, source: Source, formats: Sequence[str]) -> ReportExport:
    await session.execute(select(User.id).where(User.id == actor.user_id).with_for_update(key_share=True))
    waiting = (ReportExport.asked_by_id == actor.user_id, ReportExport.kind == "NOW", ReportExport.status.in_(OPEN))
    if (await session.scalar(select(func.count()).where(*waiting)) or 0) >= MOST_WAITING:
        raise TooManyWaiting
    return await begin(session, actor, source, "NOW", formats, [actor.user_id])


async def begin(
    session: AsyncSession,
    by: Actor,
    source: Source,
    kind: str,
    formats: Sequence[str],
    people: Sequence[int],
    **more: Any,
) -> ReportExport:
    """Write down what is to be made, a part for each person. `by` asked for it. For nobody it is over, and failed."""
    at = now()
    export = ReportExport(
        kind=kind,
        report_id=source.id,
        report_name=source.name,
        board=source.kind.value if isinstance(source, BoardSource) else None,
        days=source.days if isinstance(source, BoardSource) else None,
        formats=[f for f in FORMATS if f in formats],
        status="QUEUED" if people else "FAILED",
        finished_at=None if people else at,
        total=len(people),
        done=0,
        failed=0,
        created_at=at,
        asked_by_id=by.user_id,
        **more,
    )
    session.add(export)
    await session.flush()
    session.add_all(
        ExportPart(
            export_id=export.id,
            user_id=user_id,
            status="WAITING",
            is_now=kind in ("NOW", "TEST"),
            is_mailed=kind != "NOW",
            attempts=0,
            next_at=at,
        )
        for user_id in people
    )
    asked = ReportExportAsked(
        export_id=export.id,
        report_id=source.id,
        board=export.board,
        kind=kind,
        formats=export.formats,
        people=len(people),
    )
    await record(session, asked, actor=by, at=at)
    return export


async def find_export(session: AsyncSession, actor: Actor, export_id: int, *, lock: bool = False) -> ReportExport:
    """An export this person may know of. Raises `ExportNotFound`."""
    statement = select(ReportExport).where(ReportExport.id == export_id, export_policy.visible_to(actor))
    found = await session.scalar(statement.with_for_update(key_share=True) if lock else statement)
    if found is None:
        raise ExportNotFound
    return found


async def cancel(session: AsyncSession, actor: Actor, export_id: int) -> ReportExport:
    """Don't make what is left of an export. Raises `ExportNotFound` or `ExportIsOver`."""
    export = await find_export(session, actor, export_id, lock=True)
    if not export_policy.may_cancel(actor, export):
        raise ExportNotFound
    if export.status not in OPEN:
        raise ExportIsOver
    at = now()
    mine = (ExportPart.export_id == export_id, ExportPart.status == "WAITING")
    left = await session.execute(
        update(ExportPart).where(*mine).values(status="CANCELLED", finished_at=at).returning(ExportPart.id)
    )
    export.status, export.finished_at = "CANCELLED", at
    cancelled = ReportExportCancelled(export_id=export_id, left=len(left.all()))
    await record(session, cancelled, actor=actor, at=at)
    return export


# --- the history ------------------------------------------------------------------------------------------------------


async def export_page(
    session: AsyncSession, actor: Actor, *, cursor: str | None, limit: int, of: ColumnElement[bool] | None = None
) -> dict[str, Any]:
    """The exports this person asked for or got something of, newest first; or those `of` something they may know of."""
    last = decode_cursor(cursor, "exports", int)[0] if cursor else None
    if of is None:
        ids = export_policy.newest_of(actor, last, limit + 1)
        statement = select(ReportExport).where(ReportExport.id.in_(ids))
    else:
        statement = select(ReportExport).where(of)
        statement = statement.where(ReportExport.id < last) if last is not None else statement
    rows = list(await session.scalars(statement.order_by(ReportExport.id.desc()).limit(limit + 1)))
    following = encode_cursor("exports", rows[limit - 1].id) if len(rows) > limit else None
    return {"items": await exports_json(session, actor, rows[:limit]), "next_cursor": following}


async def exports_json(session: AsyncSession, actor: Actor, rows: Sequence[ReportExport]) -> list[dict[str, Any]]:
    """Exports as lists show them: with what the reader got of each."""
    ids = [r.id for r in rows]
    parts = {
        p.export_id: p
        for p in await session.scalars(
            select(ExportPart).where(ExportPart.export_id.in_(ids), ExportPart.user_id == actor.user_id)
        )
    }
    files: dict[int, list[ExportFile]] = {}
    mine = select(ExportFile).where(ExportFile.part_id.in_([p.id for p in parts.values()])).order_by(ExportFile.id)
    for file in await session.scalars(mine):
        files.setdefault(file.part_id, []).append(file)
    people = await names.people(session, [r.asked_by_id for r in rows])
    return [
        {
            "id": r.id,
            "kind": r.kind,
            "report": {"id": r.report_id, "name": r.report_name, "board": r.board, "days": r.days},
            "asked_by": people.get(r.asked_by_id),
            "formats": r.formats,
            "status": r.status,
            "total": r.total,
            "done": r.done,
            "failed": r.failed,
            "created_at": rfc3339(r.created_at),
            "finished_at": rfc3339(r.finished_at) if r.finished_at else None,
            "mine": _mine(parts[r.id], files.get(parts[r.id].id, [])) if r.id in parts else None,
            "allowed_actions": ["cancel"] if r.status in OPEN and export_policy.may_cancel(actor, r) else [],
        }
        for r in rows
    ]


def _mine(part: ExportPart, files: Sequence[ExportFile]) -> dict[str, Any]:
    at = now()
    return {
        "status": part.status,
        "rows": part.rows,
        "error": part.error["detail"] if part.error else None,
        "files": [
            {
                "id": f.id,
                "format": f.format,
                "name": f.name,
                "size": f.size,
                "kept_until": rfc3339(f.expires_at),
                "is_kept": f.object_name is not None and f.expires_at > at,
            }
            for f in files
        ],
    }


async def export_json(session: AsyncSession, actor: Actor, export: ReportExport) -> dict[str, Any]:
    """One export, with who got how much of it: to who asked for it, and to administrators; to others their own part."""
    told = (await exports_json(session, actor, [export]))[0]
    parts: Sequence[ExportPart] = ()
    if export_policy.may_cancel(actor, export):
        statement = select(ExportPart).where(ExportPart.export_id == export.id).order_by(ExportPart.id)
        parts = (await session.scalars(statement)).all()
    people = await names.people(session, [p.user_id for p in parts])
    told["parts"] = [
        {
            "person": people.get(p.user_id),
            "status": p.status,
            "rows": p.rows,
            "size": p.size,
            "error": p.error["detail"] if p.error else None,
            "finished_at": rfc3339(p.finished_at) if p.finished_at else None,
        }
        for p in parts
    ]
    return told


# --- the files --------------------------------------------------------------------------------------------------------


async def fetch(session: AsyncSession, actor: Actor, file_id: int) -> ExportFile:
    """A file that was made for this person, while it is kept. Records it. Raises `ExportFileNotFound`."""
    statement = (
        select(ExportFile, ExportPart.export_id)
        .join(ExportPart, ExportPart.id == ExportFile.part_id)
        .where(ExportFile.id == file_id, ExportPart.user_id == actor.user_id)
    )
    found = (await session.execute(statement)).first()
    if found is None or found.ExportFile.object_name is None or found.ExportFile.expires_at <= now():
        raise ExportFileNotFound
    file: ExportFile = found.ExportFile
    taken = ReportExportTaken(export_id=found.export_id, user_id=actor.user_id, format=file.format, size=file.size)
    await record(session, taken, actor=actor)
    return file


def contents(file: ExportFile) -> AsyncIterator[bytes]:
    """The bytes of a file that is kept."""
    if file.object_name is None or file.key_id is None or file.wrapped_key is None:
        raise ExportFileNotFound
    return sealed_files.contents(sealed_files.SealedFile(file.object_name, file.size, file.key_id, file.wrapped_key))


async def names_kept(session: AsyncSession, wanted: Collection[str]) -> set[str]:
    """Which of these objects of the store are files of exports."""
    known = await session.scalars(select(ExportFile.object_name).where(ExportFile.object_name.in_(wanted)))
    return {name for name in known if name}


async def forget_old_exports(session: AsyncSession) -> None:
    """Exports of long ago leave the history; their files went before them."""
    old = select(ReportExport.id).where(ReportExport.created_at < now() - HISTORY, ReportExport.status.not_in(OPEN))
    await session.execute(delete(ReportExport).where(ReportExport.id.in_(old.limit(BATCH))))
