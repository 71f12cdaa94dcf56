"""`/contact-points`, and the key browsers subscribe with."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.permissions import Permission
from waypost.kernel.db import ReadSession, WriteSession
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import PathId
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit
from waypost.notifications import reaching, subscribing
from waypost.notifications.errors import ContactPointNotFound, NotReached, PushIsOff, TooManyBrowsers
from waypost.notifications.reaching_schemas import BrowserCreate, ContactPointPage, ContactPointRead, PushKey
from waypost.notifications.subscribing import Subscription
from waypost.notifications.templating_schemas import Sent

router = APIRouter(route_class=StrictRoute, tags=["Notifications"])
Reader = Annotated[Actor, permit(Permission.NOTIFICATIONS_READ)]


@router.get("/contact-points", response_model=ContactPointPage)
async def contact_points(session: ReadSession, actor: Reader, limit: Limit = 25, cursor: Cursor = None) -> Response:
    """Where the caller is reached besides by mail: accounts of the company's chat, phones, browsers."""
    return json_response(await reaching.point_page(session, actor, cursor=cursor, limit=limit))


@router.post(
    "/contact-points",
    status_code=201,
    response_model=ContactPointRead,
    responses=problems(PushIsOff, TooManyBrowsers),
)
async def add_contact_point(body: BrowserCreate, session: WriteSession, actor: Reader, once: OnceOnly) -> Response:
    """Tell the caller in this browser from now on, until they sign out of it; whoever was told there is not any more."""

    async def work() -> Response:
        keys = body.subscription.keys
        given = Subscription(body.subscription.endpoint, keys.p256dh, keys.auth)
        made = await subscribing.subscribe(session, actor, given, label=body.label)
        return json_response(reaching.point_json(made), 201)

    return await once.answer(session, actor.user_id, work)


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
