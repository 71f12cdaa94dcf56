"""`/departments/{id}` and `/teams/{id}`: renamed, moved, given another head, and closed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.directory_router import departments_json, teams_json
from waypost.access.directory_schemas import DepartmentRead, DepartmentUpdate, TeamRead, TeamUpdate
from waypost.access.permissions import Permission
from waypost.directory import organising, queries
from waypost.directory.errors import (
    DepartmentCircle,
    DepartmentInUse,
    DepartmentNotFound,
    TeamInUse,
    TeamNotFound,
)
from waypost.directory.models import Department
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.errors import StaleVersion, VersionRequired
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.ids import Id, PathId, path_id
from waypost.kernel.openapi import problems
from waypost.kernel.versions import IfMatch, etag, version_of

router = APIRouter(route_class=StrictRoute, tags=["Administration"])
Configurer = Annotated[Actor, permit(Permission.DIRECTORY_CONFIGURE)]
To = Annotated[Id | None, Query(description="Where goes what was in it, or was its work.", examples=[2])]


async def _the_department(session: ReadSession, department_id: int) -> Department:
    row = await session.get(Department, department_id)
    if row is None:
        raise DepartmentNotFound
    return row


async def _department_is_there(request: Request) -> None:
    async with database().read() as session:
        await _the_department(session, path_id(request.path_params.get("department_id")))


async def _team_is_there(request: Request) -> None:
    async with database().read() as session:
        await queries.one_team(session, path_id(request.path_params.get("team_id")))


@router.patch(
    "/departments/{department_id}",
    response_model=DepartmentRead,
    responses=problems(DepartmentNotFound, DepartmentCircle, StaleVersion, VersionRequired),
)
@guarded(_department_is_there)
async def update_department(
    department_id: PathId, body: DepartmentUpdate, session: WriteSession, actor: Configurer, if_match: IfMatch = None
) -> Response:
    """Rename a department, put it elsewhere in the tree, or say who heads it, of the version one read."""
    await _the_department(session, department_id)
    version = version_of(department_id, body.version, if_match)
    values = body.model_dump(exclude_unset=True, exclude={"version"})
    row = await organising.edit_department(session, actor, department_id, version=version, values=values)
    return json_response((await departments_json(session, [row]))[0], headers=etag(row.id, row.version))


@router.delete(
    "/departments/{department_id}",
    status_code=204,
    responses=problems(DepartmentNotFound, DepartmentInUse, DepartmentCircle),
)
@guarded(_department_is_there)
async def delete_department(department_id: PathId, session: WriteSession, actor: Configurer, to: To = None) -> Response:
    """Close a department. Its people, the departments below it and its requests go to `to`; without it, it must have none."""
    await organising.delete_department(session, actor, department_id, to_id=to)
    return Response(status_code=204)


@router.patch(
    "/teams/{team_id}", response_model=TeamRead, responses=problems(TeamNotFound, StaleVersion, VersionRequired)
)
@guarded(_team_is_there)
async def update_team(
    team_id: PathId, body: TeamUpdate, session: WriteSession, actor: Configurer, if_match: IfMatch = None
) -> Response:
    """Rename a team or describe it anew, of the version one read."""
    await queries.one_team(session, team_id)
    version = version_of(team_id, body.version, if_match)
    values = body.model_dump(exclude_unset=True, exclude={"version"})
    row = await organising.edit_team(session, actor, team_id, version=version, values=values)
    found = await queries.one_team(session, team_id)
    return json_response((await teams_json(session, [found]))[0], headers=etag(row.id, row.version))


@router.delete("/teams/{team_id}", status_code=204, responses=problems(TeamNotFound, TeamInUse))
@guarded(_team_is_there)
async def delete_team(team_id: PathId, session: WriteSession, actor: Configurer, to: To = None) -> Response:
    """Close a team. Its requests, and what gives it work, go to the team `to`; without it, it must have none."""
    await organising.delete_team(session, actor, team_id, to_id=to)
    return Response(status_code=204)
