"""`/sla/calendars`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from waypost.access.actor import Actor
from waypost.access.deps import current_actor, permit
from waypost.access.permissions import Permission
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.errors import StaleVersion
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import PathId, path_id
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit
from waypost.kernel.versions import etag
from waypost.sla import calendar_reading, calendar_setting
from waypost.sla.calendar import Hours
from waypost.sla.calendar_schemas import (
    CalendarCreate,
    CalendarList,
    CalendarRead,
    CalendarTried,
    CalendarTry,
    CalendarUpdate,
    CalendarVersionPage,
    CalendarYear,
    DayBody,
    HoursBody,
    minutes,
)
from waypost.sla.calendar_setting import Day, Setup
from waypost.sla.errors import CalendarInUse, CalendarNotFound, NameTaken, TooMany
from waypost.sla.models import SlaCalendar
from waypost.sla.policies import Days, Target, Unit

router = APIRouter(route_class=StrictRoute, prefix="/sla/calendars", tags=["Service levels"])
Configurer = Annotated[Actor, permit(Permission.SLA_CONFIGURE)]
Reader = Annotated[Actor, permit(Permission.SLA_READ)]
Year = Annotated[int, Path(ge=1970, le=2200, examples=[2026])]


async def calendar_is_there(request: Request) -> None:
    """403 and 404 before a 422."""
    (await current_actor(request)).require(Permission.SLA_CONFIGURE)
    await _is_there(request)


async def _may_read(request: Request) -> None:
    (await current_actor(request)).require(Permission.SLA_READ)
    await _is_there(request)


async def _is_there(request: Request) -> None:
    calendar_id = path_id(request.path_params.get("calendar_id"))
    async with database().read() as session:
        if await session.get(SlaCalendar, calendar_id) is None:
            raise CalendarNotFound


def _hours(given: list[HoursBody]) -> Hours:
    return tuple((minutes(one.from_), minutes(one.to)) for one in given)


def _day(given: DayBody) -> Day:
    month_day = (int(given.month_day[:2]), int(given.month_day[3:])) if given.month_day else None
    hours = None if given.hours is None else _hours(given.hours)
    return Day(given.name, day=given.day, month_day=month_day, hours=hours)


def _setup(body: CalendarCreate) -> Setup:
    return Setup(
        name=body.name,
        zone=body.zone,
        week=tuple(_hours(hours) for hours in body.week),
        days=tuple(_day(day) for day in body.days),
        in_persons_zone=body.in_persons_zone,
        is_default=body.is_default,
    )


async def answer(session: ReadSession, actor: Actor, row: SlaCalendar, status: int = 200) -> Response:
    """A calendar, with the version it has."""
    found = await calendar_reading.one_calendar(session, actor, row.id)
    return json_response(found, status, etag(row.id, row.version))


@router.get("", response_model=CalendarList)
async def sla_calendars(session: ReadSession, actor: Reader) -> Response:
    """Every calendar of working hours, the default one first."""
    return json_response(await calendar_reading.calendar_list(session, actor))


@router.post("", status_code=201, response_model=CalendarRead, responses=problems(NameTaken, TooMany))
async def add_sla_calendar(body: CalendarCreate, session: WriteSession, actor: Configurer, once: OnceOnly) -> Response:
    """Add a calendar."""

    async def work() -> Response:
        row = await calendar_setting.add_calendar(session, actor, _setup(body))
        return await answer(session, actor, row, 201)

    return await once.answer(session, actor.user_id, work)


@router.get("/{calendar_id}", response_model=CalendarRead, responses=problems(CalendarNotFound))
async def sla_calendar(calendar_id: PathId, session: ReadSession, actor: Reader) -> Response:
    """A calendar with its days, and the file some of them come from."""
    found = await calendar_reading.one_calendar(session, actor, calendar_id)
    return json_response(found, headers=etag(calendar_id, found["version"]))


@router.put(
    "/{calendar_id}",
    response_model=CalendarRead,
    responses=problems(CalendarNotFound, NameTaken, CalendarInUse, TooMany, StaleVersion),
)
@guarded(calendar_is_there)
async def change_sla_calendar(
    calendar_id: PathId, body: CalendarUpdate, session: WriteSession, actor: Configurer
) -> Response:
    """Change a calendar: its next version, for what begins from now on. What runs keeps the version it began with."""
    row = await calendar_setting.change_calendar(session, actor, calendar_id, body.version, _setup(body))
    return await answer(session, actor, row)


@router.delete("/{calendar_id}", status_code=204, responses=problems(CalendarNotFound, CalendarInUse))
async def remove_sla_calendar(calendar_id: PathId, session: WriteSession, actor: Configurer) -> Response:
    """Take away a calendar that nothing goes by."""
    await calendar_setting.remove_calendar(session, actor, calendar_id)
    return Response(status_code=204)


@router.get("/{calendar_id}/years/{year}", response_model=CalendarYear, responses=problems(CalendarNotFound))
async def sla_calendar_year(calendar_id: PathId, year: Year, session: ReadSession, _: Reader) -> Response:
    """Each day of a year: open, closed, a holiday and its name, or with hours of its own."""
    return json_response(calendar_reading.year_of(await calendar_reading.known(session, calendar_id), year))


@router.get("/{calendar_id}/versions", response_model=CalendarVersionPage, responses=problems(CalendarNotFound))
async def sla_calendar_versions(
    calendar_id: PathId, session: ReadSession, _: Reader, limit: Limit = 25, cursor: Cursor = None
) -> Response:
    """Who changed a calendar, when, and what of it; newest first."""
    return json_response(await calendar_reading.version_page(session, calendar_id, cursor=cursor, limit=limit))


@router.post("/{calendar_id}/try", response_model=CalendarTried, responses=problems(CalendarNotFound))
@guarded(_may_read)
async def try_sla_calendar(calendar_id: PathId, body: CalendarTry, session: ReadSession, _: Reader) -> Response:
    """When a target would be due that begins at an instant, and of what the time until then is made. Nothing is kept."""
    target = Target(body.target.amount, Unit(body.target.unit), Days(body.target.days))
    return json_response(calendar_reading.tried(await calendar_reading.known(session, calendar_id), body.start, target))
