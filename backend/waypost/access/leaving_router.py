"""`/users/{id}`, `/users/{id}/active`, `/users/{id}/mentions`: when somebody leaves."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from waypost.access import leaving, people_editing
from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.directory_schemas import UserRead
from waypost.access.errors import LastAdministrator
from waypost.access.grants import is_last_administrator
from waypost.access.leaving_schemas import ActiveSet, MentionList
from waypost.access.people_list import as_json
from waypost.access.permissions import Permission
from waypost.directory.errors import PersonNotFound
from waypost.directory.mentions import mentions_of
from waypost.directory.models import User
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.errors import Conflict
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.ids import PathId, path_id
from waypost.kernel.openapi import problems
from waypost.kernel.versions import etag

router = APIRouter(route_class=StrictRoute, prefix="/users", tags=["Administration"])
Configurer = Annotated[Actor, permit(Permission.DIRECTORY_CONFIGURE)]


async def _person(session: ReadSession, user_id: int) -> User:
    user = await session.get(User, user_id)
    if user is None:
        raise PersonNotFound
    return user


async def _is_there(request: Request) -> None:
    """404 before a 422."""
    async with database().read() as session:
        await _person(session, path_id(request.path_params.get("user_id")))


@router.get("/{user_id}", response_model=UserRead, responses=problems(PersonNotFound))
async def user(
    user_id: PathId, session: ReadSession, _: Annotated[Actor, permit(Permission.DIRECTORY_READ)]
) -> Response:
    """One person, active or not. The `ETag` names the version."""
    person = await _person(session, user_id)
    return json_response((await as_json(session, [person]))[0], headers=etag(user_id, person.version))


@router.put(
    "/{user_id}/active", response_model=UserRead, responses=problems(PersonNotFound, LastAdministrator, Conflict)
)
@guarded(_is_there)
async def set_active(user_id: PathId, body: ActiveSet, session: WriteSession, actor: Configurer) -> Response:
    """Deactivate somebody who leaves, or let them in again.

    Who leaves is signed out; what waits for their decision goes to the next in line, and their delegations end: all of
    it, or nothing.
    """
    if body.is_active:
        await people_editing.check_may_as_much(session, actor, user_id)
    person = await leaving.set_active(session, actor, user_id, is_active=body.is_active)
    return json_response((await as_json(session, [person]))[0])


@router.get("/{user_id}/mentions", response_model=MentionList, responses=problems(PersonNotFound))
async def user_mentions(user_id: PathId, session: ReadSession, actor: Configurer) -> Response:
    """Everything that names a person: what to look at before they leave. Of tickets only those the reader may see."""
    person = await _person(session, user_id)
    found = await mentions_of(session, actor, user_id)
    return json_response(
        {
            "user": (await as_json(session, [person]))[0],
            "is_last_administrator": await is_last_administrator(session, user_id),
            "items": [{"kind": m.kind, "id": m.id, "name": m.name, "how": m.how, "count": m.count} for m in found],
        }
    )
