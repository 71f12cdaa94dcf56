"""`/users` as a list and a file, and what an administrator does for one account."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.responses import StreamingResponse

from waypost.access import people_editing, people_list, queries
from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.directory_schemas import UserPage, UserRead
from waypost.access.errors import HasPassword, MayMore, SessionNotFound, StepUpNeeded, TooManyExports
from waypost.access.people_list import Look, PeopleFilters
from waypost.access.people_schemas import (
    HistoryPage,
    PasswordLink,
    SessionsEnded,
    UserSecurity,
    UserSessionPage,
    UserUpdate,
)
from waypost.access.permissions import Permission
from waypost.access.session_router import session_json
from waypost.directory.errors import ManagerCircle, NameTaken, PersonNotFound, WasErased
from waypost.directory.names import names
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.errors import StaleVersion, VersionRequired
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.ids import Id, PathId, path_id
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit
from waypost.kernel.shapes import Sought
from waypost.kernel.versions import IfMatch, etag, version_of

router = APIRouter(route_class=StrictRoute, prefix="/users", tags=["Administration"])
Configurer = Annotated[Actor, permit(Permission.DIRECTORY_CONFIGURE)]
Keeper = Annotated[Actor, permit(Permission.SESSIONS_MANAGE)]
Reader = Annotated[Actor, permit(Permission.DIRECTORY_READ)]


def _filters(
    q: Annotated[Sought | None, Query(description="Part of a name or address.", examples=["jane"])] = None,
    is_active: Annotated[bool | None, Query(description="Only who works here, or who left.", examples=[True])] = None,
    department_id: Annotated[Id | None, Query(examples=[2])] = None,
    manager_id: Annotated[Id | None, Query(description="Who reports to this person.", examples=[3])] = None,
    team_id: Annotated[Id | None, Query(examples=[1])] = None,
    role: Annotated[str | None, Query(max_length=64, pattern=r"^[^\x00]*$", examples=["agent"])] = None,
    look: Annotated[
        Look | None,
        Query(description="Whose sign-in is worth a look. Stale: not seen for 90 days.", examples=["STALE"]),
    ] = None,
) -> PeopleFilters:
    return PeopleFilters(q, is_active, department_id, manager_id, team_id, role, look)


Filters = Annotated[PeopleFilters, Depends(_filters)]
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file. `X-Export-Rows` says how many people are in it, `X-Export-Cut: true` that there are more.",
        "content": {"text/csv": {"example": "Username,E-mail\r\njdoe,jane.doe@example.com\r\n"}},
    }
}


@router.get("", response_model=UserPage)
async def users(
    session: ReadSession, _: Reader, filters: Filters, limit: Limit = 25, cursor: Cursor = None
) -> Response:
    """People by name, inactive ones too."""
    rows, following = await people_list.user_page(session, filters, cursor=cursor, limit=limit)
    return json_response({"items": await people_list.as_json(session, rows), "next_cursor": following})


@router.get("/export", response_class=Response, responses=_FILE | problems(TooManyExports))
async def export_users(actor: Reader, filters: Filters) -> Response:
    """The list as a CSV file, 50,000 people at most. Times are in UTC."""
    made = await people_list.export_users(database(), actor, filters)
    headers = {
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Length": str(made.size),
        "Content-Disposition": f'attachment; filename="people-{now():%Y-%m-%d}.csv"',
        "Cache-Control": "no-store",
        "X-Export-Rows": str(made.rows),
        "X-Export-Cut": str(made.is_cut).lower(),
    }
    return StreamingResponse(made.pieces(), 200, headers)


async def _is_there(request: Request) -> None:
    """404 before a 422."""
    async with database().read() as session:
        await people_editing.one_user(session, path_id(request.path_params.get("user_id")))


@router.patch(
    "/{user_id}",
    response_model=UserRead,
    responses=problems(
        PersonNotFound, MayMore, StepUpNeeded, NameTaken, ManagerCircle, WasErased, StaleVersion, VersionRequired
    ),
)
@guarded(_is_there)
async def update_user(
    user_id: PathId, body: UserUpdate, session: WriteSession, actor: Configurer, if_match: IfMatch = None
) -> Response:
    """Change what is known of somebody, of the version one read. At another address, the old one is told too."""
    await people_editing.one_user(session, user_id)
    version = version_of(user_id, body.version, if_match)
    values = body.model_dump(exclude_unset=True, exclude={"version"})
    user = await people_editing.edit_user(session, actor, user_id, version=version, values=values)
    return json_response((await people_list.as_json(session, [user]))[0], headers=etag(user_id, user.version))


@router.get("/{user_id}/security", response_model=UserSecurity, responses=problems(PersonNotFound))
async def user_security(user_id: PathId, session: ReadSession, _: Keeper) -> Response:
    """How somebody signs in: when last, whether a password is set, and which second factors."""
    return json_response(await people_editing.security_of(session, user_id))


@router.get("/{user_id}/sessions", response_model=UserSessionPage, responses=problems(PersonNotFound))
async def user_sessions(
    user_id: PathId, session: ReadSession, actor: Keeper, limit: Limit = 25, cursor: Cursor = None
) -> Response:
    """Somebody's live sessions, newest first."""
    await people_editing.one_user(session, user_id)
    rows, following = await queries.session_page(session, user_id, cursor=cursor, limit=limit)
    return json_response({"items": [session_json(r, actor) for r in rows], "next_cursor": following})


@router.delete("/{user_id}/sessions", response_model=SessionsEnded, responses=problems(PersonNotFound))
async def end_user_sessions(user_id: PathId, session: WriteSession, actor: Keeper) -> Response:
    """Sign somebody out everywhere."""
    return json_response({"ended": await people_editing.end_sessions(session, actor, user_id)})


@router.delete("/{user_id}/sessions/{session_id}", status_code=204, responses=problems(PersonNotFound, SessionNotFound))
async def end_user_session(user_id: PathId, session_id: PathId, session: WriteSession, actor: Keeper) -> Response:
    """Sign somebody out on one device."""
    await people_editing.end_one_session(session, actor, user_id, session_id)
    return Response(status_code=204)


@router.post(
    "/{user_id}/password-link",
    status_code=201,
    response_model=PasswordLink,
    responses=problems(PersonNotFound, HasPassword, MayMore, StepUpNeeded),
)
async def make_password_link(user_id: PathId, session: WriteSession, actor: Configurer) -> Response:
    """A link with which somebody who has no password yet sets it; it works once, for 24 hours. Earlier ones end."""
    link, until = await people_editing.make_first_password_link(session, actor, user_id)
    return json_response({"link": link, "expires_at": rfc3339(until)}, 201)


@router.get("/{user_id}/history", response_model=HistoryPage, responses=problems(PersonNotFound))
async def user_history(
    user_id: PathId, session: ReadSession, _: Configurer, limit: Limit = 25, cursor: Cursor = None
) -> Response:
    """What happened to somebody's account, newest first, with before and after."""
    rows, following = await people_editing.history_of(session, user_id, cursor=cursor, limit=limit)
    people = await names.people(session, [r.actor_id for r in rows])
    items = [
        {
            "id": r.id,
            "type": r.type,
            "at": rfc3339(r.at),
            "actor": people.get(r.actor_id),
            "channel": r.channel,
            "data": {k: v for k, v in r.data.items() if k != "user_id"},
        }
        for r in rows
    ]
    return json_response({"items": items, "next_cursor": following})
