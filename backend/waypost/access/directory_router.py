"""`/users`, `/people`, `/departments`, `/teams`.

They stand here and not in `directory`, because that room lies below permissions and a new person needs roles and a
password.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import service as access
from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.directory_schemas import (
    DepartmentCreate,
    DepartmentPage,
    DepartmentRead,
    PersonPage,
    TeamCreate,
    TeamMemberSet,
    TeamPage,
    TeamRead,
    UserCreate,
    UserRead,
)
from waypost.access.errors import WeakPassword
from waypost.access.people_list import as_json
from waypost.access.permissions import Permission
from waypost.directory import membership, queries, service
from waypost.directory.errors import NameTaken, NotAMember, TeamNotFound
from waypost.directory.models import Department
from waypost.directory.names import names
from waypost.directory.organising import people_counts
from waypost.kernel.clock import rfc3339
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import Id, PathId, path_id
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit
from waypost.kernel.shapes import Sought

router = APIRouter(route_class=StrictRoute)
Wanted = Annotated[Sought | None, Query(description="Part of a name or address.", examples=["jane"])]


@router.post(
    "/users",
    tags=["Administration"],
    status_code=201,
    response_model=UserRead,
    responses=problems(NameTaken, WeakPassword),
)
async def create_user(
    body: UserCreate,
    session: WriteSession,
    actor: Annotated[Actor, permit(Permission.DIRECTORY_CONFIGURE)],
    once: OnceOnly,
) -> Response:
    """Add a person, with roles and perhaps a first password."""

    async def work() -> Response:
        user = await service.create_user(session, actor, **body.model_dump(exclude={"roles", "password"}))
        await access.grant_roles(session, actor, user.id, body.roles, pointer="/roles")
        if body.password is not None:
            await access.set_password(session, actor, user, body.password, pointer="/password")
        return json_response((await as_json(session, [user]))[0], 201)

    return await once.answer(session, actor.user_id, work)


@router.get("/people", tags=["Directory"], response_model=PersonPage)
async def people(
    session: ReadSession,
    _: Annotated[Actor, permit(Permission.DIRECTORY_LOOK_UP)],
    q: Wanted = None,
    id: Annotated[
        list[Id], Query(max_length=100, description="These people only, whether active or not.", examples=[[3]])
    ] = [],  # noqa: B006
    limit: Limit = 25,
    cursor: Cursor = None,
) -> Response:
    """Active people by name: for pickers. With `id`, the names of people one knows by number."""
    rows, following = await queries.people_page(session, q=q, ids=id, cursor=cursor, limit=limit, only_active=not id)
    departments = await names.departments(session, [u.department_id for u, _ in rows])
    items = [
        {
            "id": u.id,
            "username": u.username,
            "name": u.name,
            "department": departments.get(u.department_id),
            "is_active": u.is_active,
            "away_until": until and rfc3339(until),
        }
        for u, until in rows
    ]
    return json_response({"items": items, "next_cursor": following})


@router.get("/departments", tags=["Directory"], response_model=DepartmentPage)
async def departments(
    session: ReadSession,
    _: Annotated[Actor, permit(Permission.DIRECTORY_LOOK_UP)],
    limit: Limit = 25,
    cursor: Cursor = None,
) -> Response:
    """Departments by name with their place in the tree and their heads."""
    rows, following = await queries.department_page(session, cursor=cursor, limit=limit)
    items = await departments_json(session, rows)
    return json_response({"items": items, "next_cursor": following})


async def departments_json(session: AsyncSession, rows: Sequence[Department]) -> list[dict[str, Any]]:
    """Departments with their place, their heads and how many are in them."""
    parents = await names.departments(session, [d.parent_id for d in rows])
    heads = await names.people(session, [d.head_id for d in rows])
    counts = await people_counts(session, [d.id for d in rows])
    return [
        {
            "id": d.id,
            "name": d.name,
            "parent": parents.get(d.parent_id),
            "head": heads.get(d.head_id),
            "people_count": counts.get(d.id, 0),
            "version": d.version,
        }
        for d in rows
    ]


@router.post("/departments", tags=["Administration"], status_code=201, response_model=DepartmentRead)
async def create_department(
    body: DepartmentCreate,
    session: WriteSession,
    actor: Annotated[Actor, permit(Permission.DIRECTORY_CONFIGURE)],
    once: OnceOnly,
) -> Response:
    """Add a department."""

    async def work() -> Response:
        made = await service.create_department(
            session, actor, name=body.name, parent_id=body.parent_id, head_id=body.head_id
        )
        return json_response((await departments_json(session, [made]))[0], 201)

    return await once.answer(session, actor.user_id, work)


@router.get("/teams", tags=["Directory"], response_model=TeamPage)
async def teams(
    session: ReadSession,
    _: Annotated[Actor, permit(Permission.DIRECTORY_LOOK_UP)],
    limit: Limit = 25,
    cursor: Cursor = None,
) -> Response:
    """Teams by name with their members."""
    rows, following = await queries.team_page(session, cursor=cursor, limit=limit)
    return json_response({"items": await teams_json(session, rows), "next_cursor": following})


async def teams_json(session: AsyncSession, rows: Sequence[queries.TeamRow]) -> list[dict[str, Any]]:
    """Teams with their members and who leads them."""
    members = await names.people(session, [i for row in rows for i in row.member_ids])
    return [
        {
            "id": row.team.id,
            "name": row.team.name,
            "description": row.team.description,
            "members": [members[i] for i in row.member_ids if i in members],
            "lead_ids": row.lead_ids,
            "version": row.team.version,
        }
        for row in rows
    ]


async def _team_is_there(request: Request) -> None:
    """404 before a 422."""
    team_id = path_id(request.path_params.get("team_id"))
    async with database().read() as session:
        await queries.one_team(session, team_id)


@router.get("/teams/{team_id}", tags=["Directory"], response_model=TeamRead, responses=problems(TeamNotFound))
async def team(
    team_id: PathId, session: ReadSession, _: Annotated[Actor, permit(Permission.DIRECTORY_LOOK_UP)]
) -> Response:
    """One team with its members."""
    return json_response((await teams_json(session, [await queries.one_team(session, team_id)]))[0])


@router.put(
    "/teams/{team_id}/members/{user_id}",
    tags=["Administration"],
    response_model=TeamRead,
    responses=problems(TeamNotFound),
)
@guarded(_team_is_there)
async def set_team_member(
    team_id: PathId,
    user_id: PathId,
    body: TeamMemberSet,
    session: WriteSession,
    actor: Annotated[Actor, permit(Permission.DIRECTORY_CONFIGURE)],
) -> Response:
    """Take somebody into a team, or say whether they lead it."""
    await membership.set_member(session, actor, team_id, user_id, is_lead=body.is_lead)
    return json_response((await teams_json(session, [await queries.one_team(session, team_id)]))[0])


@router.delete(
    "/teams/{team_id}/members/{user_id}",
    tags=["Administration"],
    response_model=TeamRead,
    responses=problems(TeamNotFound, NotAMember),
)
async def remove_team_member(
    team_id: PathId,
    user_id: PathId,
    session: WriteSession,
    actor: Annotated[Actor, permit(Permission.DIRECTORY_CONFIGURE)],
) -> Response:
    """Take somebody out of a team. What is assigned to them stays theirs until somebody gives it on."""
    await membership.remove_member(session, actor, team_id, user_id)
    return json_response((await teams_json(session, [await queries.one_team(session, team_id)]))[0])


@router.post("/teams", tags=["Administration"], status_code=201, response_model=TeamRead)
async def create_team(
    body: TeamCreate,
    session: WriteSession,
    actor: Annotated[Actor, permit(Permission.DIRECTORY_CONFIGURE)],
    once: OnceOnly,
) -> Response:
    """Add a team."""

    async def work() -> Response:
        made = await service.create_team(
            session, actor, name=body.name, description=body.description, member_ids=body.member_ids
        )
        members = await names.people(session, body.member_ids)
        return json_response(
            {
                "id": made.id,
                "name": made.name,
                "description": made.description,
                "members": [members[i] for i in sorted(set(body.member_ids))],
                "lead_ids": [],
                "version": made.version,
            },
            201,
        )

    return await once.answer(session, actor.user_id, work)
