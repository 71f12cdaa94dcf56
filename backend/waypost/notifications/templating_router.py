"""`/notification-templates`, `/notification-previews`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from redis.asyncio import Redis
from redis.exceptions import RedisError

from waypost.access.actor import Actor
from waypost.access.deps import costly, current_actor, permit, public
from waypost.access.permissions import Permission
from waypost.kernel.db import ReadSession, WriteSession
from waypost.kernel.errors import StaleVersion
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import random_token
from waypost.kernel.logs import get_logger
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit
from waypost.notifications import previewing, templating
from waypost.notifications.errors import NotReached, PreviewGone, TemplateNotFound
from waypost.notifications.preferring_schemas import Language
from waypost.notifications.templating import which_of
from waypost.notifications.templating_schemas import (
    Sent,
    Shown,
    TemplateList,
    TemplateRead,
    TemplateUpdate,
    TemplateVersions,
    TrialAsk,
    Way,
)
from waypost.tickets.errors import TicketNotFound

log = get_logger(__name__)
router = APIRouter(route_class=StrictRoute, tags=["Notification templates"])
Administrator = Annotated[Actor, permit(Permission.NOTIFICATIONS_CONFIGURE)]
Key = Annotated[str, Path(max_length=64, examples=["comment.created"])]
ForChannel = Annotated[Way, Query(description="`all`: for every channel that has no words of its own.")]
InLanguage = Annotated[Language, Query(description="What is not written in a language is told in English.")]
_MAIL: dict[int | str, dict[str, Any]] = {
    200: {"description": "The mail.", "content": {"text/html": {"example": "<!doctype html>"}}}
}
PREVIEW = "waypost:preview:"
PREVIEW_SECONDS = 600
# A mail brings its styles with it, and may show images. Nothing of it runs, and it leads nowhere.
PREVIEW_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox"
)


async def _is_there(request: Request) -> None:
    """403 and 404 before a 422."""
    (await current_actor(request)).require(Permission.NOTIFICATIONS_CONFIGURE)
    templating.check_key(str(request.path_params.get("key")))


@router.get("/notification-templates", response_model=TemplateList)
async def notification_templates(session: ReadSession, _: Administrator) -> Response:
    """Every kind of notice, and which of its words are an administrator's."""
    return json_response(await templating.template_list(session))


@router.get("/notification-templates/{key}", response_model=TemplateRead, responses=problems(TemplateNotFound))
async def notification_template(
    key: Key, session: ReadSession, _: Administrator, channel: ForChannel = "all", language: InLanguage = "en"
) -> Response:
    """The words of one kind of notice, and the values they can name."""
    return json_response(await templating.one_template(session, which_of(key, channel, language)))


@router.put(
    "/notification-templates/{key}", response_model=TemplateRead, responses=problems(TemplateNotFound, StaleVersion)
)
@guarded(_is_there)
async def update_notification_template(
    key: Key,
    body: TemplateUpdate,
    session: WriteSession,
    actor: Administrator,
    channel: ForChannel = "all",
    language: InLanguage = "en",
) -> Response:
    """Put a notice in other words. What cannot be filled in is refused, with its line."""
    which = which_of(key, channel, language)
    await templating.save_template(session, actor, which, version=body.version, subject=body.subject, body=body.body)
    return json_response(await templating.one_template(session, which))


@router.delete(
    "/notification-templates/{key}", response_model=TemplateRead, responses=problems(TemplateNotFound, StaleVersion)
)
@guarded(_is_there)
async def reset_notification_template(
    key: Key,
    version: Annotated[int, Query(ge=0, le=2**31 - 1, description="The version you read.", examples=[1])],
    session: WriteSession,
    actor: Administrator,
    channel: ForChannel = "all",
    language: InLanguage = "en",
) -> Response:
    """Back to the built-in words; what was written stays among the versions."""
    which = which_of(key, channel, language)
    await templating.reset_template(session, actor, which, version=version)
    return json_response(await templating.one_template(session, which))


@router.get(
    "/notification-templates/{key}/versions", response_model=TemplateVersions, responses=problems(TemplateNotFound)
)
async def notification_template_versions(
    key: Key,
    session: ReadSession,
    _: Administrator,
    channel: ForChannel = "all",
    language: InLanguage = "en",
    limit: Limit = 25,
    cursor: Cursor = None,
) -> Response:
    """What the words were, and who wrote them, newest first."""
    which = which_of(key, channel, language)
    return json_response(await templating.version_page(session, which, cursor=cursor, limit=limit))


@router.post(
    "/notification-templates/{key}/preview",
    response_model=Shown,
    responses=problems(TemplateNotFound, TicketNotFound),
)
@guarded(_is_there)
@costly
async def preview_notification_template(
    key: Key,
    body: TrialAsk,
    request: Request,
    session: ReadSession,
    actor: Administrator,
    channel: ForChannel = "all",
    language: InLanguage = "en",
) -> Response:
    """What the words would say, on a request the caller may see or an example. Nothing is kept or sent."""
    which = which_of(key, channel, language)
    words = await previewing.words_of_template(session, actor, which, **body.model_dump())
    answer = await previewing.shown(session, words)
    return json_response({**answer, "html_url": await _keep_html(request.app.state.valkey, answer.pop("html"))})


@router.post(
    "/notification-templates/{key}/test",
    status_code=202,
    response_model=Sent,
    responses=problems(TemplateNotFound, TicketNotFound, NotReached),
)
@guarded(_is_there)
@costly
async def try_notification_template(
    key: Key,
    body: TrialAsk,
    session: WriteSession,
    actor: Administrator,
    once: OnceOnly,
    channel: ForChannel = "all",
    language: InLanguage = "en",
) -> Response:
    """Send the words to oneself, by their channel (mail, for those of every channel)."""

    async def work() -> Response:
        which = which_of(key, channel, language)
        return json_response(await previewing.send_test(session, actor, which, **body.model_dump()), 202)

    return await once.answer(session, actor.user_id, work)


@router.get(
    "/notification-previews/{token}",
    response_class=Response,
    responses=_MAIL | problems(PreviewGone),
)
@public
async def notification_preview(
    token: Annotated[str, Path(max_length=64, pattern=r"^[A-Za-z0-9_-]+$", examples=["x"])], request: Request
) -> Response:
    """A previewed mail, for some minutes, to whoever holds its address; made to stand in a frame."""
    valkey: Redis = request.app.state.valkey
    try:
        html = await valkey.get(f"{PREVIEW}{token}")
    except (RedisError, OSError) as away:
        raise PreviewGone from away
    if html is None:
        raise PreviewGone
    content = html if isinstance(html, bytes) else str(html).encode()
    return Response(content, media_type="text/html", headers={"Content-Security-Policy": PREVIEW_POLICY})


async def _keep_html(valkey: Redis, html: str) -> str | None:
    """Its address. A frame cannot send a token, so the address is the secret, and gone after some minutes."""
    token = random_token()
    try:
        await valkey.set(f"{PREVIEW}{token}", html.encode(), ex=PREVIEW_SECONDS)
    except (RedisError, OSError) as away:
        log.warning("preview cannot be kept", error=type(away).__name__)
        return None
    return f"/api/v1/notification-previews/{token}"
