"""`/auth/sessions`, one's own; `/session-rules` and `/roles/{id}/session-times`, how long they last."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from waypost.access import grants, own_sessions, queries, role_queries, session_rules
from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.errors import RoleNotFound, SessionNotFound, StepUpNeeded
from waypost.access.permissions import Permission
from waypost.access.role_schemas import RoleRead
from waypost.access.session_schemas import Ended, RoleTimes, SessionPage, SessionRulesRead, SessionRulesSet
from waypost.kernel.clock import rfc3339
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.errors import StaleVersion
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.ids import PathId, path_id
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit

router = APIRouter(route_class=StrictRoute)
Oneself = Annotated[Actor, permit(Permission.SESSIONS_OWN)]
Reader = Annotated[Actor, permit(Permission.ROLES_READ)]
Administrator = Annotated[Actor, permit(Permission.ROLES_CONFIGURE)]


@router.get("/auth/sessions", tags=["Sign-in"], response_model=SessionPage)
async def sessions(session: ReadSession, actor: Oneself, limit: Limit = 25, cursor: Cursor = None) -> Response:
    """One's live sessions, newest first."""
    rows, following = await queries.session_page(session, actor.user_id, cursor=cursor, limit=limit)
    return json_response({"items": [session_json(r, actor) for r in rows], "next_cursor": following})


def session_json(row: queries.OpenSession, actor: Actor) -> dict[str, object]:
    """A sign-in as its person and administrators see it."""
    login = row.login
    return {
        "id": login.id,
        "method": login.method,
        "provider": row.provider,
        "created_at": rfc3339(login.created_at),
        "last_seen_at": rfc3339(login.last_seen_at),
        "ends_at": rfc3339(row.ends_at),
        "ip_address": login.ip_address,
        "user_agent": login.user_agent,
        "is_current": login.id == actor.session_id,
    }


@router.delete(
    "/auth/sessions/{session_id}", tags=["Sign-in"], status_code=204, responses=problems(SessionNotFound, StepUpNeeded)
)
async def revoke_session(session_id: PathId, session: WriteSession, actor: Oneself) -> Response:
    """End one of one's own sessions; another than this one after confirming that it is oneself."""
    await own_sessions.end_one(session, actor, session_id)
    return Response(status_code=204)


@router.post("/auth/sessions/end-others", tags=["Sign-in"], response_model=Ended, responses=problems(StepUpNeeded))
async def end_other_sessions(session: WriteSession, actor: Oneself) -> Response:
    """End all of one's own sessions but this one, after confirming that it is oneself."""
    return json_response({"ended": await own_sessions.end_others(session, actor)})


@router.get("/session-rules", tags=["Administration"], response_model=SessionRulesRead)
async def read_session_rules(session: ReadSession, _: Reader) -> Response:
    """How long sign-ins last, and how many of one person there may be at once."""
    return json_response(await session_rules.rules_json(session))


@router.put(
    "/session-rules",
    tags=["Administration"],
    response_model=SessionRulesRead,
    responses=problems(StepUpNeeded, StaleVersion),
)
async def set_session_rules(body: SessionRulesSet, session: WriteSession, actor: Administrator) -> Response:
    """Say how long sign-ins last. It holds at once for those that are open, too."""
    return json_response(await session_rules.set_rules(session, actor, **body.model_dump()))


async def _role_is_there(request: Request) -> None:
    """404 before a 422."""
    async with database().read() as session:
        await grants.find_role(session, path_id(request.path_params.get("role_id")))


@router.put(
    "/roles/{role_id}/session-times",
    tags=["Administration"],
    response_model=RoleRead,
    responses=problems(StepUpNeeded, RoleNotFound, StaleVersion),
)
@guarded(_role_is_there)
async def set_role_session_times(
    role_id: PathId, body: RoleTimes, session: WriteSession, actor: Administrator
) -> Response:
    """Let sign-ins of a role's people end sooner than the house's. Of several roles the strictest counts."""
    role = await session_rules.set_role_times(session, actor, role_id, **body.model_dump())
    return json_response(await role_queries.role_json(session, actor, role))
