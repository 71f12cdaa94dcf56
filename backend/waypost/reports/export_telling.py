"""What people are told of exports by mail: their files to each, and to the owner who got none; and the files themselves."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.queries import actor_of_user
from waypost.directory.models import User
from waypost.directory.names import names
from waypost.kernel.clock import now
from waypost.kernel.db import database
from waypost.kernel.enclosures import Enclosure, NotEnclosed
from waypost.kernel.events import SYSTEM, record
from waypost.kernel.formats import formats_of
from waypost.kernel.notices import NoticeAsked
from waypost.reports import export_policy, exporting
from waypost.reports.export_errors import ExportFileNotFound
from waypost.reports.export_models import ExportFile, ExportPart, ReportExport
from waypost.reports.schedule_models import ExportSchedule
from waypost.reports.sources import source_of
from waypost.vendors.object_store import Missing

MOST_MAILED = 3 * 1024 * 1024  # bytes of a person's files; more stand behind a link
MOST_NAMED = 20
WHAT = "report_export"  # of `kernel/enclosures.py`


async def tell_reader(
    session: AsyncSession, export: ReportExport, part: ExportPart, files: Sequence[tuple[str, int]], rows: int
) -> None:
    """Mail somebody their files (names and bytes), or where they are."""
    schedule = await session.get(ExportSchedule, export.schedule_id) if export.schedule_id else None
    reader = await session.get_one(User, part.user_id)
    formats = formats_of(reader.locale, reader.timezone)
    people = await names.people(session, [export.asked_by_id])
    by = str(people[export.asked_by_id]["name"]) if export.asked_by_id in people else ""
    subject = schedule.subject if schedule else export.report_name
    is_attached = sum(size for _, size in files) <= MOST_MAILED
    notice = NoticeAsked(
        user_id=part.user_id,
        kind="report.export",
        topic=f"export.{export.id}.{part.id}",
        link=f"/reports/exports?export={export.id}",
        action="Open in Waypost",
        values={
            "subject": f"Test: {subject}" if export.kind == "TEST" else subject,
            "report": export.report_name,
            "files": ", ".join(name for name, _ in files),
            "is_attached": is_attached,
        },
        facts=[
            ["Report", export.report_name],
            ["Counted", formats.instant(now())],
            ["Contents", f"{formats.number(rows)} {'row' if rows == 1 else 'rows'}"],
            *([["Sent by", by]] if export.asked_by_id != part.user_id else []),
        ],
        enclosed={WHAT: part.id} if is_attached else {},
    )
    await record(session, notice, actor=SYSTEM)


async def tell_owner(session: AsyncSession, export: ReportExport) -> None:
    """Tell whose schedule it is who got nothing, unless they were told the same the last time."""
    if export.schedule_id is None or export.kind == "TEST":
        return
    schedule = await session.get(ExportSchedule, export.schedule_id)
    if schedule is None:
        return
    mine = (ExportPart.export_id == export.id, ExportPart.status == "FAILED")
    failed = list(await session.scalars(select(ExportPart).where(*mine).order_by(ExportPart.user_id)))
    failing = [part.user_id for part in failed]
    if failing == schedule.failing_ids:
        return
    schedule.failing_ids = failing
    if not failed:
        return
    people = await names.people(session, failing)
    lines = [
        f"- {people[p.user_id]['name'] if p.user_id in people else '–'}: {(p.error or {}).get('detail', '')}"
        for p in failed[:MOST_NAMED]
    ]
    lines += [f"- and {len(failed) - MOST_NAMED} more"] if len(failed) > MOST_NAMED else []
    notice = NoticeAsked(
        user_id=schedule.owner_id,
        kind="report.export_failing",
        topic=f"schedule.{schedule.id}",
        link=f"/reports/exports?export={export.id}",
        action="Look at the export",
        values={"report": export.report_name, "people": "\n".join(lines)},
    )
    await record(session, notice, actor=SYSTEM)


async def open_files(part_id: int, user_id: int) -> list[Enclosure]:
    """The files of a part for a mail that goes out now, while the report is still theirs to read.

    Raises `NotEnclosed` or `StoreFailed`.
    """
    async with database().read() as session:
        part = await session.get(ExportPart, part_id)
        if part is None or part.user_id != user_id:
            raise NotEnclosed("its file is kept no longer")
        export = await session.get_one(ReportExport, part.export_id)
        source = await source_of(session, export)
        reader = await actor_of_user(session, user_id)
        if reader is None or (source is not None and not export_policy.may_get(reader, source)):
            raise NotEnclosed("the report is not shared with them any more")
        mine = select(ExportFile).where(ExportFile.part_id == part_id, ExportFile.expires_at > now())
        files = list(await session.scalars(mine.order_by(ExportFile.id)))
    if not files:
        raise NotEnclosed("its file is kept no longer")
    found = []
    for file in files:
        try:
            content = b"".join([piece async for piece in exporting.contents(file)])
        except (Missing, ExportFileNotFound) as gone:
            raise NotEnclosed("its file is kept no longer") from gone
        found.append(Enclosure(file.name, exporting.TYPES[file.format].partition(";")[0], content))
    return found
