"""A copy of everything that is held about somebody: asked for, made by the worker, fetched by who asked, gone in a week.

The file is a ZIP of JSON documents, of the files the person wrote, and of a page that shows it all. It is written whole
into a nameless temporary file, then sealed into the store of files.
"""

from __future__ import annotations

import asyncio
import html
import io
import secrets
import tempfile
import zipfile
from collections.abc import AsyncIterator, Collection
from datetime import timedelta
from typing import IO, Any

import msgspec
from sqlalchemy import Table, func, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import step_up
from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.access.privacy.errors import ExportNotFound, ExportNotReady, ExportWaits, TooManyCopies
from waypost.access.privacy.events import PersonalExportAsked, PersonalExportMade, PersonalExportTaken
from waypost.access.privacy.models import PersonalExport
from waypost.directory.errors import PersonNotFound, WasErased
from waypost.directory.models import User
from waypost.kernel import crypto
from waypost.kernel.clock import now
from waypost.kernel.db import Base, Database
from waypost.kernel.events import SYSTEM, record
from waypost.kernel.logs import get_logger
from waypost.kernel.paging import decode_cursor, encode_cursor
from waypost.kernel.personal import File, Held, files_of, personal
from waypost.kernel.relay import wait_before
from waypost.kernel.settings import get_settings
from waypost.vendors import sealed_files
from waypost.vendors.object_store import StoreFailed, object_store

log = get_logger(__name__)
TASK = "privacy.exports"
LOCK = 0x574159D0
LIFE = timedelta(days=7)
PER_DAY = 5
MAX_ATTEMPTS = 5
BATCH = 500
MOST_ROWS = 200_000  # of one kind; what is beyond is said to be missing
MOST_SHOWN = 100  # of one kind, on the page
MOST_FILES = 1024**3  # bytes of files; the others are listed only
PIECE = 64 * 1024


# --- asking and fetching ----------------------------------------------------------------------------------------------


async def ask(session: AsyncSession, actor: Actor, user_id: int) -> PersonalExport:
    """Ask for a copy: of one's own, or of somebody's by who handles such requests.

    Raises `PersonNotFound`, `WasErased`, `ExportWaits`, `TooManyCopies` or `StepUpNeeded`.
    """
    if user_id != actor.user_id:
        actor.require(Permission.PRIVACY_HANDLE)
    await step_up.require(session, actor)
    user = await session.get(User, user_id, with_for_update={"key_share": True}, populate_existing=True)
    if user is None:
        raise PersonNotFound
    if user.erased_at is not None:
        raise WasErased
    at = now()
    mine = (PersonalExport.user_id == user_id, PersonalExport.asked_by_id == actor.user_id)
    if await session.scalar(select(PersonalExport.id).where(*mine, PersonalExport.state == "WAITING")) is not None:
        raise ExportWaits
    since = at - timedelta(days=1)
    if (await session.scalar(select(func.count()).where(*mine, PersonalExport.created_at > since)) or 0) >= PER_DAY:
        raise TooManyCopies(retry_after=3600)
    row = PersonalExport(
        user_id=user_id, asked_by_id=actor.user_id, state="WAITING", created_at=at, next_at=at, attempts=0, size=0
    )
    session.add(row)
    await session.flush()
    await record(session, PersonalExportAsked(user_id=user_id, export_id=row.id), actor=actor, at=at)
    return row


async def page(
    session: AsyncSession, actor: Actor, user_id: int, *, cursor: str | None, limit: int
) -> tuple[list[PersonalExport], str | None]:
    """The copies of somebody's data this reader asked for, newest first."""
    statement = (
        select(PersonalExport)
        .where(PersonalExport.user_id == user_id, PersonalExport.asked_by_id == actor.user_id)
        .order_by(PersonalExport.id.desc())
        .limit(limit + 1)
    )
    if cursor:
        (last,) = decode_cursor(cursor, "personal exports", int)
        statement = statement.where(PersonalExport.id < last)
    rows = list(await session.scalars(statement))
    return rows[:limit], encode_cursor("personal exports", rows[limit - 1].id) if len(rows) > limit else None


async def fetch(session: AsyncSession, actor: Actor, export_id: int) -> PersonalExport:
    """A copy that is ready, for whoever asked for it and still may. Records it.

    Raises `ExportNotFound`, `ExportNotReady` or `StepUpNeeded`.
    """
    row = await session.get(PersonalExport, export_id)
    if row is None or row.asked_by_id != actor.user_id:
        raise ExportNotFound
    if row.user_id != actor.user_id and not actor.may(Permission.PRIVACY_HANDLE):
        raise ExportNotFound
    if row.state == "WAITING":
        raise ExportNotReady
    if row.state != "READY" or row.expires_at is None or row.expires_at <= now():
        raise ExportNotFound
    await step_up.require(session, actor)
    await record(session, PersonalExportTaken(user_id=row.user_id, export_id=row.id), actor=actor)
    return row


def contents(row: PersonalExport) -> AsyncIterator[bytes]:
    """The bytes of a copy that is ready."""
    if row.object_name is None or row.key_id is None or row.wrapped_key is None:
        raise ExportNotFound
    return sealed_files.contents(sealed_files.SealedFile(row.object_name, row.size, row.key_id, row.wrapped_key))


async def names_kept(session: AsyncSession, names: Collection[str]) -> set[str]:
    """Which of these objects of the store are copies of ours."""
    known = await session.scalars(select(PersonalExport.object_name).where(PersonalExport.object_name.in_(names)))
    return {name for name in known if name}


# --- making -----------------------------------------------------------------------------------------------------------


async def make_due(database: Database) -> int:
    """Make the copies that wait, one after the other, and forget those whose week is over; how many were made."""
    made = 0
    async with database.alone(LOCK) as is_alone:
        while is_alone and (row := await _take(database)) is not None:
            made += await _make(database, row)
        if is_alone:
            await _forget_old(database)
    return made


async def _take(database: Database) -> PersonalExport | None:
    at = now()
    waiting = (PersonalExport.state == "WAITING", PersonalExport.next_at <= at)
    async with database.transaction() as session:
        statement = select(PersonalExport).where(*waiting).order_by(PersonalExport.next_at).limit(1).with_for_update()
        row: PersonalExport | None = await session.scalar(statement)
        if row is not None:
            row.attempts += 1
            row.next_at = at + wait_before(row.attempts)
        return row


async def _make(database: Database, row: PersonalExport) -> int:
    try:
        file: IO[bytes] = tempfile.TemporaryFile(prefix="waypost-personal-")  # noqa: SIM115 - closed below
        try:
            await _write(database, row.user_id, file)
            size = file.seek(0, 2)
            name, key = secrets.token_hex(20), crypto.new_key()
            await object_store(get_settings()).put(name, crypto.seal(key, _pieces(file)))
        finally:
            file.close()
    except Exception as failed:
        log.exception("a copy of personal data could not be made", export_id=row.id)
        is_over = row.attempts >= MAX_ATTEMPTS
        failure = {"last_error": type(failed).__name__, "state": "FAILED" if is_over else "WAITING"}
        await _keep(database, row.id, failure)
        return 0
    wrapped, at = crypto.keyring().wrap(key, name.encode()), now()
    values: dict[str, Any] = {
        "state": "READY",
        "made_at": at,
        "expires_at": at + LIFE,
        "object_name": name,
        "key_id": wrapped.key_id,
        "wrapped_key": wrapped.value,
        "size": size,
        "next_at": None,
    }
    async with database.transaction() as session:
        done = await session.scalar(
            update(PersonalExport)
            .where(PersonalExport.id == row.id, PersonalExport.state == "WAITING")
            .values(**values)
            .returning(PersonalExport.id)
        )
        if done is not None:
            told = PersonalExportMade(user_id=row.user_id, export_id=row.id, size=size)
            await record(session, told, actor=SYSTEM, at=at)
    return 1


async def _keep(database: Database, export_id: int, values: dict[str, Any]) -> None:
    async with database.transaction() as session:
        await session.execute(update(PersonalExport).where(PersonalExport.id == export_id).values(**values))


async def _pieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    file.seek(0)
    while piece := await asyncio.to_thread(file.read, PIECE):
        yield piece


async def _forget_old(database: Database) -> None:
    over = (PersonalExport.state == "READY", PersonalExport.expires_at <= now())
    async with database.transaction() as session:
        rows = list(await session.scalars(select(PersonalExport).where(*over).limit(BATCH).with_for_update()))
        gone = [row.object_name for row in rows if row.object_name]
        for row in rows:
            row.state, row.object_name, row.key_id, row.wrapped_key = "GONE", None, None, None
    for name in gone:
        try:
            await object_store(get_settings()).delete(name)
        except StoreFailed:
            log.warning("object left behind", object_name=name)  # housekeeping finds it, as nobody names it


async def _write(database: Database, user_id: int, file: IO[bytes]) -> None:
    """The ZIP: a document for each kind of thing, the files, and the page over them."""
    sections: list[str] = []
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        sections += [await _section(database, archive, held, user_id) for held in personal() if held.shown]
        async with database.read() as session:
            files = await files_of(session, user_id)
        sections.append(await _files(archive, files))
        archive.writestr("index.html", _page(sections))


async def _section(database: Database, archive: zipfile.ZipFile, held: Held, user_id: int) -> str:
    name = f"data/{held.table}.{held.column}{'.' + held.title.lower().replace(' ', '-') if held.only else ''}.json"
    shown: list[dict[str, Any]] = []
    count, out = 0, io.BytesIO()
    async for rows in _rows(database, held, user_id):
        for row in rows:
            out.write(b",\n" if count else b"[\n")
            out.write(msgspec.json.encode(row, enc_hook=str))
            count += 1
            if len(shown) < MOST_SHOWN:
                shown.append(row)
    out.write(b"\n]\n" if count else b"[]\n")
    await asyncio.to_thread(archive.writestr, name, out.getvalue())
    return _table(held.title, name, shown, count)


async def _rows(database: Database, held: Held, user_id: int) -> AsyncIterator[list[dict[str, Any]]]:
    table: Table = Base.metadata.tables[held.table]
    key = list(table.primary_key.columns)
    columns = [table.c[name] for name in held.shown]
    statement = select(*key, *columns).where(table.c[held.column] == user_id).order_by(*key).limit(BATCH)
    if held.only:
        statement = statement.where(text(held.only))
    last: tuple[Any, ...] | None = None
    for _ in range(MOST_ROWS // BATCH):
        async with database.read() as session:
            found = (await session.execute(statement.where(tuple_(*key) > last) if last else statement)).all()
        if found:
            yield [
                dict(zip((n.removeprefix("sealed_") for n in held.shown), row[len(key) :], strict=True))
                for row in found
            ]
        if len(found) < BATCH:
            return
        last = tuple(found[-1][: len(key)])


async def _files(archive: zipfile.ZipFile, files: list[File]) -> str:
    """The files themselves, as far as they fit."""
    rows, held = [], 0
    for file in files:
        is_in = held + file.size <= MOST_FILES
        if is_in:
            held += file.size
            pieces = await file.read()
            with archive.open(f"files/{file.name}", "w") as entry:
                async for piece in pieces:
                    await asyncio.to_thread(entry.write, piece)
        rows.append({"name": file.name, "size": file.size, "is_in_this_archive": is_in})
    return _table("The files themselves", "files/", rows[:MOST_SHOWN], len(rows))


def _table(title: str, name: str, rows: list[dict[str, Any]], count: int) -> str:
    heading = f"<h2>{html.escape(title)} <small>{count}</small></h2><p><code>{html.escape(name)}</code></p>"
    if not rows:
        return heading
    head = "".join(f"<th>{html.escape(column.replace('_', ' '))}</th>" for column in rows[0])
    body = "".join("<tr>" + "".join(f"<td>{_cell(v)}</td>" for v in row.values()) + "</tr>" for row in rows)
    more = f"<p>The first {len(rows)} of {count}; the document has all.</p>" if count > len(rows) else ""
    return f"{heading}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    plain = value if isinstance(value, str) else msgspec.json.encode(value, enc_hook=str).decode().strip('"')
    return html.escape(plain[:2000])


def _page(sections: list[str]) -> str:
    style = (
        "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}"
        "table{border-collapse:collapse;display:block;overflow-x:auto}td,th{border:1px solid #999;padding:.25rem .5rem;"
        "text-align:left;vertical-align:top;white-space:pre-wrap}small{font-weight:400}"
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Your data in Waypost</title>'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f'<meta name="viewport" content="width=device-width"><style>{style}</style></head><body>'
        f"<h1>What Waypost holds</h1><p>Made on {now():%d %B %Y, %H:%M} UTC. Passwords, keys and codes are never part of"
        f" it, and neither are other people's words.</p>{''.join(sections)}</body></html>"
    )
