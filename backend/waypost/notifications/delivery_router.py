"""`/notification-channels`, `/notification-deliveries`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from waypost.access.actor import Actor
from waypost.access.deps import current_actor, permit
from waypost.access.permissions import Permission
from waypost.kernel.db import ReadSession, WriteSession
from waypost.kernel.errors import StaleVersion
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import Id, PathId
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit
from waypost.kernel.shapes import Instant, Sought
from waypost.notifications import channel_settings, delivery_log
from waypost.notifications.delivery_log import Filters
from waypost.notifications.delivery_schemas import (
    AgainAsk,
    AgainDone,
    ChannelList,
    ChannelRead,
    ChannelUpdate,
    DeliveryPage,
    DeliveryRead,
    Status,
    Words,
)
from waypost.notifications.errors import ChannelNotFound, DeliveryNotFound, NotFailed, NotReached, NotSetUp
from waypost.notifications.templating_schemas import Sent

router = APIRouter(route_class=StrictRoute, tags=["Notification channels"])
Administrator = Annotated[Actor, permit(Permission.NOTIFICATIONS_CONFIGURE)]
LogReader = Annotated[Actor, permit(Permission.NOTIFICATIONS_READ_DELIVERIES)]
Asked = Annotated[Words | None, Query()]


async def _channel_is_there(request: Request) -> None:
    """403 and 404 before a 422."""
    (await current_actor(request)).require(Permission.NOTIFICATIONS_CONFIGURE)
    channel_settings.find_channel(str(request.path_params.get("key")))


@router.get("/notification-channels", response_model=ChannelList)
async def notification_channels(session: ReadSession, _: Administrator) -> Response:
    """The ways of telling people: how each is set up, and how it goes. Secrets are never told."""
    return json_response(await channel_settings.channel_list(session))


@router.get("/notification-channels/{key}", response_model=ChannelRead, responses=problems(ChannelNotFound))
async def notification_channel(key: str, session: ReadSession, _: Administrator) -> Response:
    """One way of telling people."""
    return json_response(await channel_settings.one_channel(session, key))


@router.put(
    "/notification-channels/{key}", response_model=ChannelRead, responses=problems(ChannelNotFound, StaleVersion)
)
@guarded(_channel_is_there)
async def update_notification_channel(
    key: str, body: ChannelUpdate, session: WriteSession, actor: Administrator
) -> Response:
    """Set a channel up, and switch it on or off. What waits is tried again at once."""
    await channel_settings.set_up_channel(session, actor, key, **body.model_dump())
    return json_response(await channel_settings.one_channel(session, key))


@router.post(
    "/notification-channels/{key}/test",
    status_code=202,
    response_model=Sent,
    responses=problems(ChannelNotFound, NotReached, NotSetUp),
)
async def try_notification_channel(key: str, session: WriteSession, actor: Administrator, once: OnceOnly) -> Response:
    """Send oneself a message by a channel, also while it is off. The log says what became of it."""

    async def work() -> Response:
        return json_response(await channel_settings.try_channel(session, actor, key), 202)

    return await once.answer(session, actor.user_id, work)


@router.get("/notification-deliveries", response_model=DeliveryPage)
async def notification_deliveries(
    session: ReadSession,
    _: LogReader,
    status: Status | None = None,
    channel: Asked = None,
    kind: Asked = None,
    user_id: Annotated[Id | None, Query(description="Whom it was for.")] = None,
    ticket: Annotated[Words | None, Query(description="A request's number or id.")] = None,
    q: Annotated[Sought | None, Query(description="Words of the subject or the recipient.")] = None,
    since: Annotated[Instant | None, Query()] = None,
    until: Annotated[Instant | None, Query()] = None,
    limit: Limit = 25,
    cursor: Cursor = None,
) -> Response:
    """What was sent and what waits, newest first, with what went wrong."""
    filters = Filters(status, channel, kind, user_id, ticket, q, since, until)
    return json_response(await delivery_log.delivery_page(session, filters, cursor=cursor, limit=limit))


@router.post("/notification-deliveries/send-again", response_model=AgainDone)
async def send_deliveries_again(
    body: AgainAsk, session: WriteSession, actor: Administrator, once: OnceOnly
) -> Response:
    """Try everything once more that was given up and matches, at most 5,000 at once."""

    async def work() -> Response:
        count = await delivery_log.send_all_again(session, actor, Filters(**body.model_dump()))
        return json_response({"count": count})

    return await once.answer(session, actor.user_id, work)


@router.get("/notification-deliveries/{delivery_id}", response_model=DeliveryRead, responses=problems(DeliveryNotFound))
async def notification_delivery(delivery_id: PathId, session: ReadSession, _: LogReader) -> Response:
    """One message, and what became of it."""
    return json_response(await delivery_log.one_delivery(session, delivery_id))


@router.post(
    "/notification-deliveries/{delivery_id}/send-again",
    response_model=DeliveryRead,
    responses=problems(DeliveryNotFound, NotFailed),
)
async def send_delivery_again(delivery_id: PathId, session: WriteSession, actor: Administrator) -> Response:
    """Try a message once more that was given up."""
    await delivery_log.send_again(session, actor, delivery_id)
    return json_response(await delivery_log.one_delivery(session, delivery_id))
