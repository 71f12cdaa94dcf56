"""`/sla/people` and `/sla/departments`: by which calendar they work."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from waypost.access.actor import Actor
from waypost.access.deps import current_actor, permit
from waypost.access.permissions import Permission
from waypost.directory.errors import DepartmentNotFound, PersonNotFound
from waypost.directory.models import Department, User
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.ids import PathId, path_id
from waypost.kernel.openapi import problems
from waypost.kernel.shapes import Strict
from waypost.sla import working_setting

router = APIRouter(route_class=StrictRoute, prefix="/sla", tags=["Service levels"])
Configurer = Annotated[Actor, permit(Permission.SLA_CONFIGURE)]
Reader = Annotated[Actor, permit(Permission.SLA_READ)]


class WorkingCalendarBody(Strict):
    """The calendar somebody works by; null for none of their own."""

    calendar_id: Annotated[int | None, Field(ge=1, le=2**62, strict=True, examples=[1])]


class WorkingCalendarRef(BaseModel):
    """A calendar by name, with the zone its hours are meant in."""

    id: int
    name: Annotated[str, Field(examples=["Berlin office"])]
    zone: Annotated[str, Field(examples=["Europe/Berlin"])]


class WorkingCalendarRead(BaseModel):
    """By which calendar somebody works: the one named for them, and the one in force where none is."""

    calendar: WorkingCalendarRef | None
    in_force: WorkingCalendarRef
    comes_from: Literal["PERSON", "DEPARTMENT", "COMPANY"]
    allowed_actions: list[Literal["update"]]


async def _person_is_there(request: Request) -> None:
    """403 and 404 before a 422."""
    (await current_actor(request)).require(Permission.SLA_CONFIGURE)
    async with database().read() as session:
        if await session.get(User, path_id(request.path_params.get("user_id"))) is None:
            raise PersonNotFound


async def _department_is_there(request: Request) -> None:
    (await current_actor(request)).require(Permission.SLA_CONFIGURE)
    async with database().read() as session:
        if await session.get(Department, path_id(request.path_params.get("department_id"))) is None:
            raise DepartmentNotFound


@router.get("/people/{user_id}/calendar", response_model=WorkingCalendarRead, responses=problems(PersonNotFound))
async def person_calendar(user_id: PathId, session: ReadSession, actor: Reader) -> Response:
    """By which calendar a person works: their own, their department's, or the company's default."""
    return json_response(await working_setting.of_person(session, actor, user_id))


@router.put("/people/{user_id}/calendar", response_model=WorkingCalendarRead, responses=problems(PersonNotFound))
@guarded(_person_is_there)
async def set_person_calendar(
    user_id: PathId, body: WorkingCalendarBody, session: WriteSession, actor: Configurer
) -> Response:
    """Let a person work by a calendar of their own, or by none. What they are asked from now on is due by it."""
    await working_setting.set_of_person(session, actor, user_id, body.calendar_id)
    return json_response(await working_setting.of_person(session, actor, user_id))


@router.get(
    "/departments/{department_id}/calendar", response_model=WorkingCalendarRead, responses=problems(DepartmentNotFound)
)
async def department_calendar(department_id: PathId, session: ReadSession, actor: Reader) -> Response:
    """By which calendar a department's people work who have none of their own."""
    return json_response(await working_setting.of_department(session, actor, department_id))


@router.put(
    "/departments/{department_id}/calendar", response_model=WorkingCalendarRead, responses=problems(DepartmentNotFound)
)
@guarded(_department_is_there)
async def set_department_calendar(
    department_id: PathId, body: WorkingCalendarBody, session: WriteSession, actor: Configurer
) -> Response:
    """Let a department's people work by a calendar, as far as they have none of their own."""
    await working_setting.set_of_department(session, actor, department_id, body.calendar_id)
    return json_response(await working_setting.of_department(session, actor, department_id))
