"""`/permissions`, `/roles`, `/role-changes`, `/role-rules`, `/users/{id}/roles`."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from waypost.access import grants, role_changes, role_queries
from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.errors import AnotherMust, LastAdministrator, RoleNotFound, StepUpNeeded
from waypost.access.models import Role
from waypost.access.permissions import Permission
from waypost.access.role_errors import (
    ChangeNotFound,
    ChangeOutdated,
    ChangeWaits,
    GivenByProvider,
    GrantNotFound,
    KeyTaken,
    NobodyToConfirm,
    RoleInUse,
    RoleIsSystem,
)
from waypost.access.role_schemas import (
    GrantCreate,
    GrantDone,
    GrantPage,
    Permissions,
    RoleChangePage,
    RoleChangeRead,
    RoleCreate,
    RoleDone,
    RoleMade,
    RolePage,
    RoleRead,
    RoleRulesRead,
    RoleRulesSet,
    RoleWanted,
    UserRoles,
)
from waypost.directory.errors import PersonNotFound
from waypost.directory.models import User
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.errors import StaleVersion
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import Id, PathId, path_id
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit

router = APIRouter(route_class=StrictRoute, tags=["Roles"])
Reader = Annotated[Actor, permit(Permission.ROLES_READ)]
Configurer = Annotated[Actor, permit(Permission.ROLES_CONFIGURE)]
ASKING = (StepUpNeeded, ChangeWaits, NobodyToConfirm)


async def _role_is_there(request: Request) -> None:
    """404 before a 422."""
    role_id = path_id(request.path_params.get("role_id"))
    async with database().read() as session:
        await grants.find_role(session, role_id)


def _etag(role: Role) -> dict[str, str]:
    return {"ETag": f'"{role.version}"'}


@router.get("/permissions", response_model=Permissions)
async def permissions(_: Reader) -> Response:
    """Every permission there is, with the scopes that make a difference for it."""
    return json_response(role_queries.permission_list())


@router.get("/roles", response_model=RolePage)
async def roles(session: ReadSession, actor: Reader, limit: Limit = 25, cursor: Cursor = None) -> Response:
    """Roles with the permissions they grant, and how many people have them."""
    return json_response(await role_queries.role_page(session, actor, cursor=cursor, limit=limit))


@router.post("/roles", status_code=201, response_model=RoleMade, responses=problems(KeyTaken, *ASKING))
async def create_role(body: RoleCreate, session: WriteSession, actor: Configurer, once: OnceOnly) -> Response:
    """Add a role. Where giving power takes two, it grants nothing until another administrator confirms it."""

    async def work() -> Response:
        done = await role_changes.add_role(session, actor, key=body.key, wanted=body.wanted(), reason=body.reason)
        assert done.role is not None
        role = await role_queries.role_json(session, actor, done.role)
        change = await _change(session, actor, done)
        return json_response({**role, "change": change}, 201, _etag(done.role))

    return await once.answer(session, actor.user_id, work)


@router.get("/roles/{role_id}", response_model=RoleRead, responses=problems(RoleNotFound))
async def role(role_id: PathId, session: ReadSession, actor: Reader) -> Response:
    """One role."""
    found = await grants.find_role(session, role_id)
    return json_response(await role_queries.role_json(session, actor, found), headers=_etag(found))


@router.put(
    "/roles/{role_id}", response_model=RoleDone, responses=problems(RoleNotFound, StaleVersion, KeyTaken, *ASKING)
)
@guarded(_role_is_there)
async def update_role(role_id: PathId, body: RoleWanted, session: WriteSession, actor: Configurer) -> Response:
    """Change what a role grants. Where that takes two, it waits for another administrator: `change` says so."""
    done = await role_changes.change_role(
        session, actor, role_id, version=body.version, wanted=body.wanted(), reason=body.reason
    )
    return await _role_done(session, actor, done)


@router.delete(
    "/roles/{role_id}",
    response_model=RoleDone,
    responses=problems(RoleNotFound, RoleIsSystem, RoleInUse, *ASKING),
)
@guarded(_role_is_there)
async def remove_role(
    role_id: PathId,
    session: WriteSession,
    actor: Configurer,
    move_to: Annotated[Id | None, Query(description="The role its people get instead.", examples=[None])] = None,
    reason: Annotated[
        str, Query(max_length=500, pattern=r"^[^\x00]*$", description="Why.", examples=["Not used"])
    ] = "",
) -> Response:
    """Remove a role that is not the system's; its people get another one, or none."""
    done = await role_changes.remove_role(session, actor, role_id, move_to_id=move_to, reason=reason)
    return await _role_done(session, actor, done)


async def _role_done(session: WriteSession, actor: Actor, done: role_changes.Done) -> Response:
    found = await role_queries.role_json(session, actor, done.role) if done.role else None
    change = await _change(session, actor, done)
    return json_response({"role": found, "change": change}, headers=_etag(done.role) if done.role else None)


async def _change(session: WriteSession, actor: Actor, done: role_changes.Done) -> role_queries.Json | None:
    return (await role_queries.changes_json(session, actor, [done.change]))[0] if done.change else None


# --- who has them -----------------------------------------------------------------------------------------------------


@router.get("/roles/{role_id}/people", response_model=GrantPage, responses=problems(RoleNotFound))
async def role_people(
    role_id: PathId, session: ReadSession, actor: Reader, limit: Limit = 25, cursor: Cursor = None
) -> Response:
    """Those who have a role now, by name, with who gave it and until when."""
    found = await grants.find_role(session, role_id)
    return json_response(await role_queries.people_page(session, actor, found, cursor=cursor, limit=limit))


@router.post(
    "/roles/{role_id}/people",
    status_code=201,
    response_model=GrantDone,
    responses=problems(RoleNotFound, LastAdministrator, *ASKING),
)
@guarded(_role_is_there)
async def give_role(
    role_id: PathId, body: GrantCreate, session: WriteSession, actor: Configurer, once: OnceOnly
) -> Response:
    """Give somebody a role, for good or for a time. One that gives power waits for another administrator where that
    takes two."""

    async def work() -> Response:
        done = await role_changes.give_role(session, actor, role_id, **body.model_dump())
        assert done.role is not None
        change = await _change(session, actor, done)
        given = None if change else await role_queries.one_grant(session, actor, done.role, body.user_id)
        return json_response({"grant": given, "change": change}, 201)

    return await once.answer(session, actor.user_id, work)


@router.delete(
    "/roles/{role_id}/people/{user_id}",
    status_code=204,
    responses=problems(RoleNotFound, GrantNotFound, GivenByProvider, LastAdministrator),
)
async def take_role(role_id: PathId, user_id: PathId, session: WriteSession, actor: Configurer) -> Response:
    """Take a role from somebody, at once."""
    await grants.take(session, actor, role_id, user_id)
    return Response(status_code=204)


@router.get("/users/{user_id}/roles", response_model=UserRoles, responses=problems(PersonNotFound))
async def user_roles(user_id: PathId, session: ReadSession, actor: Reader) -> Response:
    """The roles somebody has now, each with who gave it and until when, and those that wait to be confirmed."""
    user = await session.get(User, user_id)
    if user is None:
        raise PersonNotFound
    return json_response(await role_queries.grants_of(session, actor, user))


# --- what takes two ---------------------------------------------------------------------------------------------------


@router.get("/role-rules", response_model=RoleRulesRead)
async def role_rules(session: ReadSession, actor: Reader) -> Response:
    """Whether changes that give power take two administrators."""
    return json_response(await role_queries.rules_json(session, actor))


@router.put("/role-rules", response_model=RoleRulesRead, responses=problems(StaleVersion, *ASKING))
async def set_role_rules(body: RoleRulesSet, session: WriteSession, actor: Configurer) -> Response:
    """Let changes that give power take two administrators. That they do not any more takes two itself."""
    await role_changes.set_rule(session, actor, is_needed=body.needs_two, version=body.version, reason=body.reason)
    return json_response(await role_queries.rules_json(session, actor))


@router.get("/role-changes", response_model=RoleChangePage)
async def role_change_list(
    session: ReadSession,
    actor: Reader,
    state: Annotated[Literal["open", "settled"], Query(description="Those that wait, or those that do not.")] = "open",
    limit: Limit = 25,
    cursor: Cursor = None,
) -> Response:
    """Changes one administrator asked for and another confirms, newest first."""
    page = await role_queries.change_page(session, actor, is_open=state == "open", cursor=cursor, limit=limit)
    return json_response(page)


@router.get("/role-changes/{change_id}", response_model=RoleChangeRead, responses=problems(ChangeNotFound))
async def role_change(change_id: PathId, session: ReadSession, actor: Reader) -> Response:
    """One change, with what was and what is wanted."""
    found = await role_queries.find_change(session, change_id)
    return json_response((await role_queries.changes_json(session, actor, [found]))[0])


@router.post(
    "/role-changes/{change_id}/confirm",
    response_model=RoleChangeRead,
    responses=problems(ChangeNotFound, AnotherMust, StepUpNeeded, ChangeOutdated, LastAdministrator, RoleInUse),
)
async def confirm_role_change(change_id: PathId, session: WriteSession, actor: Configurer) -> Response:
    """Put a change into force, as another administrator than the one who asked."""
    done = await role_changes.confirm(session, actor, change_id)
    return json_response((await role_queries.changes_json(session, actor, [done]))[0])


@router.post("/role-changes/{change_id}/refuse", response_model=RoleChangeRead, responses=problems(ChangeNotFound))
async def refuse_role_change(change_id: PathId, session: WriteSession, actor: Configurer) -> Response:
    """Let a change be; whoever asked for it can do so as well."""
    done = await role_changes.refuse(session, actor, change_id)
    return json_response((await role_queries.changes_json(session, actor, [done]))[0])
