"""`/sla/calendars/{calendar_id}/file` and `/feed`: calendar files, brought or fetched."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response

from waypost.access.actor import Actor
from waypost.access.deps import costly, permit
from waypost.access.permissions import Permission
from waypost.kernel.clock import now
from waypost.kernel.db import WriteSession, database
from waypost.kernel.errors import Kind, Refusal, StaleVersion
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.ids import PathId
from waypost.kernel.openapi import problems
from waypost.kernel.uploads import OVERHEAD, BadUpload, read_upload
from waypost.sla import calendar_files, ical
from waypost.sla.calendar_files import Brought, Preview, UnusableFile
from waypost.sla.calendar_router import answer, calendar_is_there
from waypost.sla.calendar_schemas import CalendarRead, FeedBody, FeedSetup, FilePreview
from waypost.sla.errors import CalendarNotFound, TooMany

router = APIRouter(route_class=StrictRoute, prefix="/sla/calendars", tags=["Service levels"])
Configurer = Annotated[Actor, permit(Permission.SLA_CONFIGURE)]
VersionRead = Annotated[
    int, Query(ge=1, le=2**31 - 1, description="The version of the calendar you read.", examples=[1])
]


class FileTooLarge(Refusal):
    """This calendar file is too large."""

    code, kind, title = "calendar_file_too_large", Kind.TOO_LARGE, "Too large"


_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                },
                "example": {"file": "holidays.ics"},
            }
        },
    }
}


async def _brought(request: Request) -> Brought:
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and (len(length) > 15 or int(length) > ical.MOST_BYTES + OVERHEAD):
        raise FileTooLarge
    upload = await read_upload(request)
    data = bytearray()
    async for piece in upload.data:
        data += piece
        if len(data) > ical.MOST_BYTES:
            raise FileTooLarge
    name = "".join(c for c in upload.filename.replace("\\", "/").rpartition("/")[2] if c.isprintable())
    return Brought(name[:255] or "calendar.ics", bytes(data))


def _told(preview: Preview, zone: str) -> dict[str, Any]:
    first, last = ical.window(_today(zone))
    return {
        "first": first.isoformat(),
        "last": last.isoformat(),
        "days": [
            {"day": one.day.isoformat(), "name": one.name, "is_new": one.day in preview.new}
            for one in preview.reading.days
        ],
        "gone": [{"day": one.day.isoformat(), "name": one.name} for one in preview.gone],
        "ignored": [{"name": one.name, "reason": one.reason} for one in preview.reading.ignored],
        "ignored_count": preview.reading.ignored_count,
    }


def _today(zone: str) -> date:
    return now().astimezone(ZoneInfo(zone)).date()


async def _look(calendar_id: int, brought: Brought) -> Response:
    zone, reading = await calendar_files.read(database(), calendar_id, brought)
    async with database().read() as session:
        return json_response(_told(await calendar_files.compare(session, calendar_id, reading), zone))


@router.post(
    "/{calendar_id}/file/preview",
    response_model=FilePreview,
    openapi_extra=_FORM,
    responses=problems(CalendarNotFound, BadUpload, UnusableFile, FileTooLarge),
)
@guarded(calendar_is_there)
@costly
async def preview_calendar_file(calendar_id: PathId, request: Request, _: Configurer) -> Response:
    """What a calendar file (.ics) would close: each day with its name, what is new, what is gone. Nothing is kept."""
    return await _look(calendar_id, await _brought(request))


@router.post(
    "/{calendar_id}/feed/preview",
    response_model=FilePreview,
    responses=problems(CalendarNotFound, UnusableFile),
)
@guarded(calendar_is_there)
@costly
async def preview_calendar_feed(calendar_id: PathId, body: FeedBody, _: Configurer) -> Response:
    """The same of the file at an address."""
    return await _look(calendar_id, await calendar_files.fetch(body.address))


@router.post(
    "/{calendar_id}/file",
    response_model=CalendarRead,
    openapi_extra=_FORM,
    responses=problems(CalendarNotFound, BadUpload, UnusableFile, FileTooLarge, StaleVersion, TooMany),
)
@guarded(calendar_is_there)
@costly
async def bring_calendar_file(
    calendar_id: PathId, request: Request, actor: Configurer, version: VersionRead
) -> Response:
    """Let a calendar file close its days, instead of the file there was. It is followed into new years by itself."""
    return await _take(actor, calendar_id, version, await _brought(request))


@router.put(
    "/{calendar_id}/feed",
    response_model=CalendarRead,
    responses=problems(CalendarNotFound, UnusableFile, StaleVersion, TooMany),
)
@guarded(calendar_is_there)
@costly
async def set_calendar_feed(calendar_id: PathId, body: FeedSetup, actor: Configurer) -> Response:
    """Let the file at an address close its days. It is fetched again daily; when that fails the days stay as they are."""
    return await _take(actor, calendar_id, body.version, await calendar_files.fetch(body.address))


async def _take(actor: Actor, calendar_id: int, version: int, brought: Brought) -> Response:
    _, reading = await calendar_files.read(database(), calendar_id, brought)
    async with database().transaction() as session:
        row = await calendar_files.take(session, actor, calendar_id, version, brought, reading)
        return await answer(session, actor, row)


@router.delete("/{calendar_id}/file", response_model=CalendarRead, responses=problems(CalendarNotFound, StaleVersion))
@guarded(calendar_is_there)
async def drop_calendar_file(
    calendar_id: PathId, session: WriteSession, actor: Configurer, version: VersionRead
) -> Response:
    """Forget the file of a calendar, and open the days it closed."""
    return await answer(session, actor, await calendar_files.drop(session, actor, calendar_id, version))
