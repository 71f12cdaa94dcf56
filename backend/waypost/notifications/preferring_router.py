"""`/notifications/preferences`, `/notification-defaults`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from waypost.access.actor import Actor
from waypost.access.deps import current_actor, permit
from waypost.access.errors import RoleNotFound
from waypost.access.permissions import Permission
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.errors import StaleVersion
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.ids import PathId, path_id
from waypost.kernel.openapi import problems
from waypost.notifications import defaults, preferring
from waypost.notifications.preferring_schemas import (
    CompanyDefaults,
    CompanyUpdate,
    PreferencesRead,
    PreferencesUpdate,
    RoleDefaults,
    RoleUpdate,
)

router = APIRouter(route_class=StrictRoute, tags=["Notifications"])
Reader = Annotated[Actor, permit(Permission.NOTIFICATIONS_READ)]
Administrator = Annotated[Actor, permit(Permission.NOTIFICATIONS_CONFIGURE)]


async def _role_is_there(request: Request) -> None:
    """403 and 404 before a 422."""
    (await current_actor(request)).require(Permission.NOTIFICATIONS_CONFIGURE)
    async with database().read() as session:
        await defaults.check_role(session, path_id(request.path_params.get("role_id")))


@router.get("/notifications/preferences", response_model=PreferencesRead)
async def notification_preferences(session: ReadSession, actor: Reader) -> Response:
    """How the caller is told of what: what can be switched, what cannot, digests and quiet hours."""
    return json_response(await preferring.preferences(session, actor))


@router.put("/notifications/preferences", response_model=PreferencesRead, responses=problems(StaleVersion))
async def update_notification_preferences(body: PreferencesUpdate, session: WriteSession, actor: Reader) -> Response:
    """Choose how one is told. Pairs that are not named stay as they are; an emergency is always told at once."""
    kept = body.model_dump(exclude={"mandatory", "channels"})
    await preferring.set_preferences(session, actor, **kept)
    return json_response(await preferring.preferences(session, actor))


@router.get("/notification-defaults", response_model=CompanyDefaults)
async def notification_defaults(session: ReadSession, _: Administrator) -> Response:
    """How people of this company are told who chose nothing, and what they cannot switch off."""
    return json_response(await defaults.company_defaults(session))


@router.put("/notification-defaults", response_model=CompanyDefaults, responses=problems(StaleVersion))
async def update_notification_defaults(body: CompanyUpdate, session: WriteSession, actor: Administrator) -> Response:
    """Say what is usual and what is mandatory in this company. What people chose themselves stays."""
    await defaults.set_company_defaults(session, actor, **body.model_dump())
    return json_response(await defaults.company_defaults(session))


@router.get("/notification-defaults/{role_id}", response_model=RoleDefaults, responses=problems(RoleNotFound))
async def role_notification_defaults(role_id: PathId, session: ReadSession, _: Administrator) -> Response:
    """What is usual for people of a role, where it differs from the company."""
    return json_response(await defaults.role_defaults(session, role_id))


@router.put(
    "/notification-defaults/{role_id}", response_model=RoleDefaults, responses=problems(RoleNotFound, StaleVersion)
)
@guarded(_role_is_there)
async def update_role_notification_defaults(
    role_id: PathId, body: RoleUpdate, session: WriteSession, actor: Administrator
) -> Response:
    """Say what is usual for people of a role. Of several roles one that wants it is enough."""
    await defaults.set_role_defaults(session, actor, role_id, **body.model_dump())
    return json_response(await defaults.role_defaults(session, role_id))
