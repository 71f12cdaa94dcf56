"""`/contact-points`, and the key browsers subscribe with."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from waypost.access.actor import Actor
from waypost.access.deps import current_actor, permit
from waypost.access.errors import StepUpNeeded
from waypost.access.permissions import Permission
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import PathId, path_id
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit
from waypost.notifications import phones, reaching, subscribing
from waypost.notifications.errors import (
    CodeExpired,
    CodeSpent,
    ContactPointNotFound,
    NoCode,
    NoTextMessages,
    NotReached,
    PhoneKnown,
    PushIsOff,
    TooManyBrowsers,
    TooManyCodes,
    TooManyPhones,
    WrongCode,
)
from waypost.notifications.reaching_schemas import (
    ContactPointCreate,
    ContactPointPage,
    ContactPointRead,
    PhoneAdd,
    PhoneProof,
    PushKey,
)
from waypost.notifications.subscribing import Subscription
from waypost.notifications.templating_schemas import Sent

router = APIRouter(route_class=StrictRoute, tags=["Notifications"])
Reader = Annotated[Actor, permit(Permission.NOTIFICATIONS_READ)]


async def _is_theirs(request: Request) -> None:
    """403 and 404 before a 422."""
    actor = await current_actor(request)
    actor.require(Permission.NOTIFICATIONS_READ)
    async with database().read() as session:
        await reaching.find_point(session, actor, path_id(request.path_params.get("point_id")))


@router.get("/contact-points", response_model=ContactPointPage)
async def contact_points(session: ReadSession, actor: Reader, limit: Limit = 25, cursor: Cursor = None) -> Response:
    """Where the caller is reached besides by mail: accounts of the company's chat, phones, browsers."""
    return json_response(await reaching.point_page(session, actor, cursor=cursor, limit=limit))


@router.post(
    "/contact-points",
    status_code=201,
    response_model=ContactPointRead,
    responses=problems(
        PushIsOff, TooManyBrowsers, NoTextMessages, StepUpNeeded, PhoneKnown, TooManyPhones, TooManyCodes
    ),
)
async def add_contact_point(body: ContactPointCreate, session: WriteSession, actor: Reader, once: OnceOnly) -> Response:
    """Tell the caller in this browser from now on, until they sign out of it; whoever was told there is not any more.

    Or name a phone of the caller's own: a code goes to it. The same one again: a new code, and the old one is over.
    """

    async def work() -> Response:
        if isinstance(body, PhoneAdd):
            return json_response(await phones.add_phone(session, actor, body.address, body.label), 201)
        keys = body.subscription.keys
        given = Subscription(body.subscription.endpoint, keys.p256dh, keys.auth)
        made = await subscribing.subscribe(session, actor, given, label=body.label)
        return json_response(reaching.point_json(made), 201)

    return await once.answer(session, actor.user_id, work)


@router.post(
    "/contact-points/{point_id}/verify",
    response_model=ContactPointRead,
    responses=problems(ContactPointNotFound, NoCode, CodeExpired, CodeSpent, WrongCode),
)
@guarded(_is_theirs)
async def verify_contact_point(point_id: PathId, body: PhoneProof, actor: Reader) -> Response:
    """Prove that a phone is one's own. A code is good for ten minutes and five tries."""
    return json_response(await phones.prove(database(), actor, point_id, body.code))


@router.post(
    "/contact-points/{point_id}/test",
    status_code=202,
    response_model=Sent,
    responses=problems(ContactPointNotFound, NotReached),
)
async def try_contact_point(point_id: PathId, session: WriteSession, actor: Reader, once: OnceOnly) -> Response:
    """Send the caller a message to this address."""

    async def work() -> Response:
        return json_response(await reaching.try_point(session, actor, point_id), 202)

    return await once.answer(session, actor.user_id, work)


@router.get("/push/key", response_model=PushKey, responses=problems(PushIsOff))
async def push_key(session: WriteSession, actor: Reader) -> Response:
    """The key browsers subscribe with; made when it is first asked for."""
    return json_response({"public_key": await subscribing.public_key(session)})


@router.delete("/contact-points/{point_id}", status_code=204, responses=problems(ContactPointNotFound))
async def remove_contact_point(point_id: PathId, session: WriteSession, actor: Reader) -> Response:
    """Take an address away: nothing goes there any more."""
    await reaching.remove_point(session, actor, point_id)
    return Response(status_code=204)
