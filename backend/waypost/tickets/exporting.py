"""Taking a list away as a file: what the list shows, to whoever may see it, in batches and constant memory.

The file is written whole into a nameless temporary file before its first byte goes out. So the log holds what leaves
before it does, no session is open while a slow client reads, and a download that breaks off, or a process that dies,
leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import IO, Any, Protocol

import xlsxwriter
from sqlalchemy import BigInteger, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.errors import SessionEnded
from waypost.access.queries import actors
from waypost.catalog.models import TicketType
from waypost.directory.models import User
from waypost.directory.names import names
from waypost.kernel.cells import BOM
from waypost.kernel.clock import now, rfc3339, zone_of
from waypost.kernel.db import Database
from waypost.kernel.errors import Kind, Refusal, invalid_field
from waypost.kernel.events import EventRow, record
from waypost.tickets import events, sheets
from waypost.tickets.clock_words import NO_TARGET
from waypost.tickets.listing import Filters, ticket_list
from waypost.tickets.models import Ticket
from waypost.tickets.sheets import Cell, Column

MOST_ROWS = 100_000
MOST_BYTES = 256 * 1024 * 1024
BATCH = 500
CHUNK = 64 * 1024
AT_ONCE = 2  # files a process writes at a time
PER_WINDOW, WINDOW = 30, timedelta(minutes=10)
_writing = asyncio.Semaphore(AT_ONCE)
_by_person: set[int] = set()


class TooManyExports(Refusal):
    """You took away many lists in a short time. Please wait a little."""

    code, kind, title = "too_many_exports", Kind.THROTTLED, "Too many exports"


class ExportAbandoned(Exception):
    """Nobody waits for the file any more."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for: the list and its order, which columns (none: the usual ones), how it is written."""

    filters: Filters
    sort: str
    columns: Sequence[str] = ()
    format: str = "csv"
    with_bom: bool = True


@dataclass(slots=True)
class Exported:
    """A file that is ready. `is_cut`: there were more rows than a file may have."""

    file: IO[bytes]
    size: int = 0
    rows: int = 0
    is_cut: bool = False

    async def pieces(self) -> AsyncIterator[bytes]:
        """The file's bytes; it is gone once they were read, or nobody reads on."""
        try:
            while piece := await asyncio.to_thread(self.file.read, CHUNK):
                yield piece
        finally:
            self.file.close()


# --- which columns ----------------------------------------------------------------------------------------------------


async def _columns(session: AsyncSession, asked: Asked) -> tuple[list[Column], dict[str, str]]:
    """The columns of the file, and the types' names. A form's fields are columns when the list is of one type."""
    kinds = {k.key: k for k in (await session.scalars(select(TicketType)))}
    known = dict(sheets.COLUMNS)
    one = kinds.get(asked.filters.ticket_types[0]) if len(asked.filters.ticket_types) == 1 else None
    if one is not None:
        known |= sheets.form_columns(one.form)
    type_names = {k.key: k.name for k in kinds.values()}
    if not asked.columns:
        return [c for c in known.values() if c.is_default], type_names
    unknown = next((k for k in asked.columns if k not in known), None)
    if unknown is not None:
        why = "is a column of lists of one type only" if unknown.startswith(sheets.CUSTOM) else "is no column"
        raise invalid_field("?columns", f"{unknown[:80]} {why}")
    return [known[k] for k in dict.fromkeys(asked.columns)], type_names


async def _zone_of(session: AsyncSession, actor: Actor) -> tuple[str, tzinfo]:
    name = await session.scalar(select(User.timezone).where(User.id == actor.user_id)) or "UTC"
    zone = zone_of(name)
    return zone.key, zone


# --- reading ----------------------------------------------------------------------------------------------------------

_MORE: tuple[Any, ...] = (
    Ticket.description,
    Ticket.submitted_at,
    Ticket.completed_at,
    Ticket.closed_at,
    func.nullif(Ticket.sla_state, NO_TARGET).label("sla_state"),
    Ticket.sla_due_at,
    Ticket.custom_fields,
)
_more = select(Ticket.id, *_MORE).where(Ticket.id == any_(bindparam("ids", type_=ARRAY(BigInteger))))


async def _batches(
    database: Database, actor: Actor, asked: Asked, columns: Sequence[Column]
) -> AsyncIterator[list[list[Any]]]:
    """The rows of the list, batch by batch; what this person may see is asked anew for each."""
    cursor: str | None = None
    needs_more = any(c.key.startswith(sheets.CUSTOM) or c.key in {m.key for m in _MORE} for c in columns)
    while True:
        seer = actor
        if actor.session_id is not None:
            found = await actors.get(database, user_id=actor.user_id, session_id=actor.session_id)
            if found is None:
                raise SessionEnded
            seer = found
        async with database.read() as session:
            page = await ticket_list(session, seer, asked.filters, sort=asked.sort, cursor=cursor, limit=BATCH)
            items: list[dict[str, Any]] = page["items"]
            if needs_more and items:
                more = {r.id: r for r in await session.execute(_more, {"ids": [i["id"] for i in items]})}
                items = [_with_more(i, more[i["id"]]) for i in items if i["id"] in more]
            for c in columns:
                await _name(session, items, c)
        yield [[item.get(c.key) for c in columns] for item in items]
        cursor = page["next_cursor"]
        if cursor is None:
            return


async def _name(session: AsyncSession, items: Sequence[dict[str, Any]], column: Column) -> None:
    """Put names where a form's field holds ids of people or departments."""
    if column.holds not in (sheets.Holds.PERSON, sheets.Holds.DEPARTMENT):
        return
    ids = [i[column.key] for i in items if isinstance(i.get(column.key), int)]
    look_up = names.people if column.holds is sheets.Holds.PERSON else names.departments
    known = await look_up(session, ids)
    for item in items:
        if item.get(column.key) in known:
            item[column.key] = known[item[column.key]]


def _with_more(item: dict[str, Any], row: Any) -> dict[str, Any]:
    own = {c.key: getattr(row, c.key) for c in _MORE if c.key != "custom_fields"}
    return {**item, **own, **{sheets.CUSTOM + k: v for k, v in row.custom_fields.items()}}


# --- writing ----------------------------------------------------------------------------------------------------------


class _Writer(Protocol):
    def add(self, rows: Sequence[Sequence[Cell]]) -> None: ...
    def end(self) -> None: ...
    def give_up(self) -> None: ...


class _Csv:
    def __init__(self, file: IO[bytes], headings: Sequence[str], zone: tzinfo, *, with_bom: bool) -> None:
        self.file, self.zone = file, zone
        file.write(BOM if with_bom else b"")
        self.add([headings])

    def add(self, rows: Sequence[Sequence[Cell]]) -> None:
        self.file.write(sheets.csv_lines(rows, self.zone))

    def end(self) -> None:
        self.file.flush()

    def give_up(self) -> None:
        """Nothing but the file itself is held."""


class _Xlsx:
    """Excel's own format, written row by row; every text is a text, whatever it begins with."""

    def __init__(self, file: IO[bytes], headings: Sequence[str], zone: tzinfo) -> None:
        self.zone, self.row = zone, 0
        # Rows lie in a folder of their own until the end, so that whatever happens they are taken away together.
        self.folder = tempfile.TemporaryDirectory(prefix="waypost-export-", ignore_cleanup_errors=True)
        options = {
            "constant_memory": True,
            "tmpdir": self.folder.name,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "default_date_format": "yyyy-mm-dd hh:mm",
        }
        self.book = xlsxwriter.Workbook(file, options)
        self.sheet = self.book.add_worksheet("Tickets")
        self.sheet.freeze_panes(1, 0)
        self.sheet.set_column(0, max(0, len(headings) - 1), 18)
        self.bold = self.book.add_format({"bold": True})
        self.number = self.book.add_format({"num_format": "0.00###"})
        self.whole = self.book.add_format({"num_format": "0"})
        for n, words in enumerate(headings):
            self.sheet.write_string(0, n, sheets.fitted(words), self.bold)
        self.row = 1

    def add(self, rows: Sequence[Sequence[Cell]]) -> None:
        for cells in rows:
            for n, cell in enumerate(cells):
                self._write(n, cell)
            self.row += 1

    def _write(self, column: int, cell: Cell) -> None:
        if cell is None:
            return
        if isinstance(cell, datetime):
            at = sheets.local(cell, self.zone)
            if at.year >= 1900:
                self.sheet.write_datetime(self.row, column, at)
            else:
                self.sheet.write_string(self.row, column, f"{at:%Y-%m-%d %H:%M}")
        elif isinstance(cell, Decimal):
            self.sheet.write_number(self.row, column, float(cell), self.number if cell % 1 else self.whole)
        else:
            self.sheet.write_string(self.row, column, sheets.fitted(cell))

    def end(self) -> None:
        try:
            self.book.close()
        finally:
            self.give_up()

    def give_up(self) -> None:
        """Let go of the rows on the disk."""
        self.sheet._opt_close()
        self.folder.cleanup()


def _open(asked: Asked, file: IO[bytes], headings: Sequence[str], zone: tzinfo) -> _Writer:
    if asked.format == "xlsx":
        return _Xlsx(file, headings, zone)
    return _Csv(file, headings, zone, with_bom=asked.with_bom)


# --- the use case -----------------------------------------------------------------------------------------------------


async def export_tickets(
    database: Database, actor: Actor, asked: Asked, *, is_waited_for: Callable[[], Awaitable[bool]] | None = None
) -> Exported:
    """The list as a file, once the log holds who takes what.

    Raises `TooManyExports`, names an unknown column, or ends with `ExportAbandoned` when nobody waits any more.
    """
    async with database.read() as session:
        await _check_pace(session, actor)
        columns, type_names = await _columns(session, asked)
        zone_name, zone = await _zone_of(session, actor)
    if actor.user_id in _by_person:
        raise TooManyExports("Your last export is still being written.", retry_after=5)
    _by_person.add(actor.user_id)
    try:
        async with _writing:
            headings = [sheets.heading(c, zone_name) for c in columns]
            made = await _write(database, actor, asked, columns, type_names, headings, zone, is_waited_for)
    finally:
        _by_person.discard(actor.user_id)
    try:
        await _keep_record(database, actor, asked, columns, made)
    except BaseException:
        made.file.close()
        raise
    return made


async def _write(
    database: Database,
    actor: Actor,
    asked: Asked,
    columns: Sequence[Column],
    type_names: dict[str, str],
    headings: Sequence[str],
    zone: tzinfo,
    is_waited_for: Callable[[], Awaitable[bool]] | None,
) -> Exported:
    file: IO[bytes] = tempfile.TemporaryFile(prefix="waypost-export-")  # noqa: SIM115 - it lives until it was read
    made, held = Exported(file), 0

    def cells(values: Sequence[Any]) -> list[Cell]:
        named = (type_names.get(v, v) if c.key == "ticket_type" else v for c, v in zip(columns, values, strict=True))
        return [sheets.cell_of(c, v) for c, v in zip(columns, named, strict=True)]

    writer: _Writer | None = None
    try:
        writer = await asyncio.to_thread(_open, asked, file, headings, zone)
        async for batch in _batches(database, actor, asked, columns):
            if is_waited_for is not None and not await is_waited_for():
                raise ExportAbandoned
            rows = [cells(values) for values in batch[: MOST_ROWS - made.rows]] if held < MOST_BYTES else []
            held += sum(len(c) for row in rows for c in row if isinstance(c, str))
            await asyncio.to_thread(writer.add, rows)
            made.rows += len(rows)
            made.is_cut = len(rows) < len(batch)
            if made.is_cut:
                break
        if made.is_cut:
            said = f"There is more: only the first {made.rows} rows are here. Narrow the list to get the rest."
            await asyncio.to_thread(writer.add, [[said, *[None] * (len(columns) - 1)]])
        await asyncio.to_thread(writer.end)
        made.size = file.seek(0, 2)
        file.seek(0)
    except BaseException:
        if writer is not None:
            writer.give_up()
        file.close()
        raise
    return made


async def _check_pace(session: AsyncSession, actor: Actor) -> None:
    since = now() - WINDOW
    count, first = (
        await session.execute(
            select(func.count(), func.min(EventRow.at)).where(
                EventRow.at > since, EventRow.type == events.TicketsExported.type, EventRow.actor_id == actor.user_id
            )
        )
    ).one()
    if count >= PER_WINDOW:
        raise TooManyExports(retry_after=int((first - since).total_seconds()) + 1)


async def _keep_record(
    database: Database, actor: Actor, asked: Asked, columns: Sequence[Column], made: Exported
) -> None:
    """Write down who took what, before it leaves."""
    narrowed = {f.name: v for f in fields(Filters) if (v := getattr(asked.filters, f.name)) not in ((), None)}
    async with database.transaction() as session:
        await record(
            session,
            events.TicketsExported(
                user_id=actor.user_id,
                format=asked.format,
                filters={k: rfc3339(v) if isinstance(v, datetime) else v for k, v in narrowed.items()},
                sort=asked.sort,
                columns=[c.key for c in columns],
                rows=made.rows,
                is_cut=made.is_cut,
            ),
            actor=actor,
        )
