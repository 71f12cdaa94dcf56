"""Calendar files: fetched or brought, looked at before they count, and read again by themselves.

What a file closes stands beside the days set by hand. One that is fetched is fetched daily; when that fails the days of the
last good one stay, and administrators are told once. Every file is followed anew as years go by.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import httpx2
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.permissions import Permission
from waypost.kernel.alarms import AlarmRaised
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.errors import Invalid, Refusal, invalid_field
from waypost.kernel.events import SYSTEM, Doer, record
from waypost.kernel.logs import get_logger
from waypost.kernel.outgoing import NotAllowed, check_url, guarded
from waypost.sla import ical, ical_reading
from waypost.sla.calendar_setting import ICAL, Day, locked, put_file_days
from waypost.sla.errors import CalendarNotFound
from waypost.sla.ical import BadFile, Closed, Reading
from waypost.sla.models import SlaCalendar, SlaCalendarDay, SlaCalendarFile

log = get_logger(__name__)
TASK = "sla.calendar_files"
KIND = "sla.calendar_failed"
EACH = timedelta(days=1)
AGAIN_AFTER = timedelta(hours=1)
LONGEST = 15.0  # seconds for fetching
MOST_A_RUN = 20


class UnusableFile(Invalid):
    """This calendar file cannot be used."""

    code = "unusable_calendar_file"


@dataclass(frozen=True, slots=True)
class Brought:
    """A file, and where it comes from: what it is called, or its address."""

    name: str
    data: bytes
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file would close: each day and whether that is new; what it closes no longer; what it says in vain."""

    reading: Reading
    new: frozenset[date]
    gone: tuple[Closed, ...]


async def fetch(address: str) -> Brought:
    """The file at an address. Raises `UnusableFile`, or `Invalid` for what is no address that is called."""
    try:
        url = check_url(address.strip().replace("webcal://", "https://", 1))
        async with (
            asyncio.timeout(LONGEST),
            httpx2.AsyncClient(transport=guarded(), follow_redirects=False, trust_env=False) as client,
            client.stream("GET", url, headers={"Accept": "text/calendar, text/plain"}) as answer,
        ):
            if answer.status_code != 200:
                raise UnusableFile(f"That address answers {answer.status_code}.")
            data = bytearray()
            async for chunk in answer.aiter_bytes():
                data += chunk
                if len(data) > ical.MOST_BYTES:
                    raise UnusableFile("There is too much at that address.")
    except NotAllowed as refused:
        raise invalid_field("/address", f"is not called: {refused}") from refused
    except TimeoutError as late:
        raise UnusableFile(f"No answer within {LONGEST:.0f} seconds.") from late
    except httpx2.HTTPError as failed:
        raise UnusableFile("Nothing answers at that address.") from failed
    return Brought(url.host[:255], bytes(data), str(url))


async def read(database: Database, calendar_id: int, brought: Brought) -> tuple[str, Reading]:
    """The zone of a calendar, and what a file says there. Raises `CalendarNotFound`, `UnusableFile`.

    A file may be slow to read and wait for others: no connection is held meanwhile.
    """
    async with database.read() as session:
        zone = await _zone_of(session, calendar_id)
    return zone, await _read(brought.data, zone)


async def compare(session: AsyncSession, calendar_id: int, reading: Reading) -> Preview:
    """What a file would change. Nothing is kept."""
    day = SlaCalendarDay
    before = await session.execute(
        select(day.day, day.name, day.uid)
        .where(day.calendar_id == calendar_id, day.source == ICAL, day.day.is_not(None))
        .order_by(day.day)
    )
    was = {at: Closed(at, name, uid or "") for at, name, uid in before if at is not None}
    there = {one.day for one in reading.days}
    return Preview(reading, frozenset(there - set(was)), tuple(one for at, one in was.items() if at not in there))


async def _zone_of(session: AsyncSession, calendar_id: int) -> str:
    """The zone of a calendar. Raises `CalendarNotFound`."""
    zone = await session.scalar(select(SlaCalendar.zone).where(SlaCalendar.id == calendar_id))
    if zone is None:
        raise CalendarNotFound
    return zone


async def _read(data: bytes, zone: str) -> Reading:
    try:
        return await ical_reading.read(data, zone, now().astimezone(ZoneInfo(zone)).date())
    except BadFile as wrong:
        raise UnusableFile(str(wrong)) from wrong


async def take(
    session: AsyncSession, actor: Doer, calendar_id: int, version: int, brought: Brought, reading: Reading
) -> SlaCalendar:
    """Let a file close its days, instead of the one there was. Raises `CalendarNotFound`, `StaleVersion`, `TooMany`."""
    row = await locked(session, calendar_id, version)
    file = await session.get(SlaCalendarFile, calendar_id)
    if file is None:
        file = SlaCalendarFile(calendar_id=calendar_id)
        session.add(file)
    file.name, file.address, file.content = brought.name, brought.address, brought.data
    _worked(file)
    await session.flush()
    await put_file_days(session, actor, row, _days(reading))
    return row


async def drop(session: AsyncSession, actor: Doer, calendar_id: int, version: int) -> SlaCalendar:
    """Forget the file, and open the days it closed. Raises `CalendarNotFound`, `StaleVersion`."""
    row = await locked(session, calendar_id, version)
    file = await session.get(SlaCalendarFile, calendar_id)
    if file is not None:
        await session.delete(file)
        await session.flush()
    await put_file_days(session, actor, row, ())
    return row


def _days(reading: Reading) -> tuple[Day, ...]:
    return tuple(Day(one.name, day=one.day, uid=one.uid or None) for one in reading.days)


def _worked(file: SlaCalendarFile) -> None:
    file.read_at, file.next_at = now(), now() + EACH
    file.failing_since, file.failures, file.error = None, 0, ""


async def run_due(database: Database) -> None:
    """Fetch what is due, and follow into new years what was brought as a file."""
    async with database.read() as session:
        file = SlaCalendarFile
        due = select(file.calendar_id, file.name, file.address, file.content, SlaCalendar.zone).join(SlaCalendar)
        rows = (await session.execute(due.where(file.next_at <= now()).order_by(file.next_at).limit(MOST_A_RUN))).all()
    for row in rows:
        try:
            brought = Brought(row.name, row.content) if row.address is None else await fetch(row.address)
            reading = await _read(brought.data, row.zone)
            await _follow(database, row.calendar_id, row.content, brought, reading)
        except Refusal as refused:
            await _failed(database, row.calendar_id, refused.errors[0].message if refused.errors else refused.detail)


async def _follow(database: Database, calendar_id: int, was: bytes, brought: Brought, reading: Reading) -> None:
    async with database.transaction() as session:
        row = await session.get(SlaCalendar, calendar_id, with_for_update=True)
        file = await session.get(SlaCalendarFile, calendar_id, populate_existing=True)
        if row is None or file is None or file.content != was:  # somebody brought another one meanwhile
            return
        file.content = brought.data
        _worked(file)
        await session.flush()
        await put_file_days(session, SYSTEM, row, _days(reading))


async def _failed(database: Database, calendar_id: int, why: str) -> None:
    """The days of the last good file stay. Administrators are told when it begins."""
    async with database.transaction() as session:
        row = await session.get(SlaCalendar, calendar_id, with_for_update=True)
        file = await session.get(SlaCalendarFile, calendar_id, populate_existing=True)
        if row is None or file is None:
            return
        begins = file.failing_since is None
        file.failing_since = file.failing_since or now()
        file.failures, file.error, file.next_at = file.failures + 1, why[:300], now() + AGAIN_AFTER
        log.warning("calendar file not read", calendar_id=calendar_id, why=why)
        if begins:
            told = AlarmRaised(
                kind=KIND,
                topic=f"sla_calendar.{calendar_id}",
                link=f"/settings/service-levels/calendars/{calendar_id}",
                needs=Permission.SLA_CONFIGURE.value,
                values={"calendar": row.name, "why": why, "action": "Look at the calendar"},
            )
            await record(session, told, actor=SYSTEM)
