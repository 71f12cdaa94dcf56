"""Making the files of exports: in the worker, a part at a time, each once, with the rows its reader may see then.

No transaction is open while a report is worked out and drawn. What a part became, its files and its event are written in
one; a worker that dies leaves the part to the next turn, and its file, which no row names, to housekeeping.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.access.queries import actor_of_user
from waypost.approvals.wording import namer, types
from waypost.directory.models import User
from waypost.kernel.clock import now
from waypost.kernel.conditions.tree import describe
from waypost.kernel.db import Database
from waypost.kernel.errors import Kind, Refusal
from waypost.kernel.events import SYSTEM, record
from waypost.kernel.filenames import safe_name
from waypost.kernel.formats import formats_of
from waypost.kernel.jobs import DEFECT
from waypost.kernel.logs import get_logger
from waypost.kernel.relay import wait_before
from waypost.kernel.settings import get_settings
from waypost.reports import dashboards, export_policy, export_telling, running, scheduling
from waypost.reports.board_sheets import COUNTS, sheets_of
from waypost.reports.errors import ReportNotFound
from waypost.reports.export_events import ReportExportMade
from waypost.reports.export_models import ExportFile, ExportPart, ReportExport
from waypost.reports.export_pdf import pdf_file
from waypost.reports.export_tables import Book, csv_file, sheet_of, xlsx_file
from waypost.reports.schedule_models import ExportSchedule
from waypost.reports.sources import BoardSource, Source, source_of
from waypost.tickets.conditions import condition_of
from waypost.vendors import sealed_files

log = get_logger(__name__)
TASK = "reports.exports"
LOCK = 0x574145E0
TURN = 20.0  # seconds a worker gives to exports at a time
KEPT = timedelta(days=14)
MAX_ATTEMPTS = 5
MOST_BYTES = 32 * 1024 * 1024
BATCH = 200
LONGEST = timedelta(hours=6)  # after which what is left of an export is not made any more


class NotTheirs(Refusal):
    """The report is not shared with this person, or they may not read reports."""

    code, kind = "report_not_shared", Kind.FORBIDDEN


class HasLeft(Refusal):
    """This person does not work here any more."""

    code, kind = "person_left", Kind.NOT_FOUND


class FileTooLarge(Refusal):
    """The file would be larger than 32 MB. Narrow the report by a filter, or choose CSV."""

    code, kind = "export_too_large", Kind.TOO_LARGE


class TookTooLong(Refusal):
    """The export did not come to its end within six hours."""

    code, kind = "export_too_slow", Kind.UNAVAILABLE


@dataclass(frozen=True, slots=True)
class Made:
    """A file that lies in the store, and what it is called."""

    format: str
    name: str
    file: sealed_files.SealedFile


async def make_due(database: Database) -> bool:
    """Begin what is due, then make parts of exports that wait, one after the other; whether some are left after a while."""
    await scheduling.begin_due(database)
    until = time.monotonic() + TURN
    async with database.alone(LOCK) as is_alone:
        if not is_alone:
            return False
        while (part := await _take(database)) is not None:
            await _make(database, part)
            if time.monotonic() >= until:
                return True
        await _forget_files(database)
    return False


async def _take(database: Database) -> ExportPart | None:
    """The next part whose turn it is: those somebody waits for at a screen first."""
    at = now()
    async with database.transaction() as session:
        due = (ExportPart.status == "WAITING", ExportPart.next_at <= at)
        order = (ExportPart.is_now.desc(), ExportPart.id)
        part: ExportPart | None = await session.scalar(
            select(ExportPart).where(*due).order_by(*order).limit(1).with_for_update()
        )
        if part is not None:
            part.attempts += 1
            part.next_at = at + wait_before(part.attempts)
            begun = (ReportExport.id == part.export_id, ReportExport.status == "QUEUED")
            await session.execute(update(ReportExport).where(*begun).values(status="RUNNING"))
        return part


async def _make(database: Database, part: ExportPart) -> None:
    made: list[Made] = []
    try:
        rows = await _write(database, part, made)
    except Refusal as refused:
        if refused.kind is Kind.UNAVAILABLE and part.attempts < MAX_ATTEMPTS and not isinstance(refused, TookTooLong):
            return  # others are being worked out: its turn comes again
        await _settle(database, part, {"code": refused.code, "detail": refused.detail}, 0, [])
    except Exception:  # a defect must not stop the others, nor be tried for ever
        log.exception("an export could not be made", export_id=part.export_id, part_id=part.id)
        if part.attempts >= MAX_ATTEMPTS:
            await _settle(database, part, DEFECT, 0, [])
    else:
        if await _settle(database, part, None, rows, made):
            return
    for one in made:  # of no use to anybody
        await sealed_files.drop(one.file.name)


async def _write(database: Database, part: ExportPart, made: list[Made]) -> int:
    """Put the files of a part into the store; how many rows they have."""
    async with database.read() as session:
        export = await session.get_one(ReportExport, part.export_id)
        reader = await session.get_one(User, part.user_id)
        actor = await actor_of_user(session, part.user_id)
        source = await source_of(session, export)
    if export.created_at < now() - LONGEST:
        raise TookTooLong
    if actor is None:
        raise HasLeft
    if source is None:
        raise ReportNotFound("The report was deleted.")
    if not export_policy.may_get(actor, source):
        raise NotTheirs("This dashboard is not made for this person." if isinstance(source, BoardSource) else None)
    book = await _book(database, actor, reader, source)
    person = f"{reader.first_name} {reader.last_name}"
    footer = f"{book.title} · {get_settings().origin} · {book.formats.instant(book.at)}"
    writers: dict[str, Callable[[], bytes]] = {
        "CSV": lambda: csv_file(book),
        "XLSX": lambda: xlsx_file(book),
        "PDF": lambda: pdf_file(book, made_by=person, footer=footer),
    }
    day = book.at.astimezone(book.formats.zone)
    for key in export.formats:
        content = await asyncio.to_thread(writers[key])
        if len(content) > MOST_BYTES:
            raise FileTooLarge
        name = safe_name(f"{book.title} {day:%Y-%m-%d}.{key.lower()}")
        made.append(Made(key, name, await sealed_files.keep(content)))
    return sum(len(sheet.rows) for sheet in book.sheets)


async def _book(database: Database, actor: Actor, reader: User, source: Source) -> Book:
    """The numbers this reader gets, with what they count in words, when they were counted, and for whom."""
    person = f"{reader.first_name} {reader.last_name}"
    formats = formats_of(reader.locale, reader.timezone)
    if isinstance(source, BoardSource):
        async with database.read() as session:
            board = await dashboards.dashboard(session, actor, source.kind, source.days)
            names = await types.get(session)
        sheets = sheets_of(board, names, formats, decides=actor.may(Permission.APPROVALS_DECIDE))
        at = datetime.fromisoformat(board["as_of"])
        counts = f"A dashboard; what is told of a time reaches back {source.days} days"
        only = COUNTS[source.kind]
    else:
        result = await running.run(database, actor, source.definition)
        async with database.read() as session:
            only = await _only(session, actor, source.definition)
            names = await types.get(session)
        sheets = [sheet_of(source.name, source.definition.get("chart", "BAR"), result, names)]
        at = datetime.fromisoformat(result["as_of"])
        shown = [axis["label"].lower() for axis in (result["rows"], result["by"]) if axis]
        measures = "; ".join(m["label"] for m in result["measures"])
        counts = f"{measures}{' by ' + ' and '.join(shown) if shown else ''}"
    about = (
        ("Counts", counts),
        ("Which requests", only),
        ("Counted", formats.instant(at)),
        ("For", f"{person}: requests they may see"),
    )
    return Book(source.name, tuple(sheets), about, at, formats)


async def _only(session: AsyncSession, actor: Actor, definition: dict[str, Any]) -> str:
    """Which requests a report counts, in words."""
    if definition.get("condition") is None:
        return "All requests this person may see"
    condition = await condition_of(session, actor, definition["condition"], pointer="/definition/condition")
    only = describe(condition, await namer(session, [condition]))
    return only[:1].upper() + only[1:]


async def _settle(
    database: Database, part: ExportPart, error: dict[str, Any] | None, rows: int, made: list[Made]
) -> bool:
    """Write down what became of a part, once; false when that was done, or it was cancelled, meanwhile."""
    at = now()
    async with database.transaction() as session:
        whose = select(ReportExport.schedule_id).where(ReportExport.id == part.export_id)
        if (schedule_id := await session.scalar(whose)) is not None:  # first the schedule, then its export: as it goes
            await session.get(ExportSchedule, schedule_id, with_for_update={"key_share": True})
        export = await session.get_one(ReportExport, part.export_id, with_for_update={"key_share": True})
        values = {
            "status": "FAILED" if error else "DONE",
            "error": error,
            "rows": None if error else rows,
            "size": None if error else sum(m.file.size for m in made),
            "finished_at": at,
        }
        mine = (ExportPart.id == part.id, ExportPart.status == "WAITING")
        if await session.scalar(update(ExportPart).where(*mine).values(**values).returning(ExportPart.id)) is None:
            return False
        session.add_all(_file(part.id, one, at) for one in made)
        if error:
            export.failed += 1
        else:
            export.done += 1
            told = ReportExportMade(
                export_id=export.id,
                report_id=export.report_id,
                user_id=part.user_id,
                formats=[m.format for m in made],
                rows=rows,
                size=sum(m.file.size for m in made),
            )
            await record(session, told, actor=SYSTEM, at=at)
            if part.is_mailed:
                await export_telling.tell_reader(session, export, part, [(m.name, m.file.size) for m in made], rows)
        if export.done + export.failed >= export.total:
            export.status, export.finished_at = "DONE" if export.done else "FAILED", at
            await export_telling.tell_owner(session, export)
        await session.flush()
    return True


def _file(part_id: int, made: Made, at: datetime) -> ExportFile:
    return ExportFile(
        part_id=part_id,
        format=made.format,
        name=made.name,
        size=made.file.size,
        expires_at=at + KEPT,
        object_name=made.file.name,
        key_id=made.file.key_id,
        wrapped_key=made.file.key,
    )


async def _forget_files(database: Database) -> None:
    """Remove the files whose time is over; that they were there stays in the history."""
    over = (ExportFile.object_name.is_not(None), ExportFile.expires_at <= now())
    async with database.transaction() as session:
        rows = list(await session.scalars(select(ExportFile).where(*over).limit(BATCH).with_for_update()))
        gone = [row.object_name for row in rows if row.object_name]
        for row in rows:
            row.object_name, row.key_id, row.wrapped_key = None, None, None
    for name in gone:
        await sealed_files.drop(name)
