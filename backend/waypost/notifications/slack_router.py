"""`/integrations/slack`: where Slack sends what people do there. Nobody is signed in; Slack's signature is the key."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from starlette.background import BackgroundTask

from waypost.access.deps import public
from waypost.kernel.bodies import MalformedBody, check_json, read_body
from waypost.kernel.clock import now
from waypost.kernel.db import database
from waypost.kernel.http import StrictRoute, json_response
from waypost.notifications.channels import Config
from waypost.notifications.channels.registry import config_of
from waypost.notifications.errors import NotSigned
from waypost.notifications.models import ChannelSettings
from waypost.notifications.slack_actions import CHANNEL, react
from waypost.vendors import slack

# Left out of the API's document: it is Slack's contract, not ours, and nobody else calls it.
router = APIRouter(
    route_class=StrictRoute, prefix="/integrations/slack", tags=["Notifications"], include_in_schema=False
)


@router.post("/interactions")
@public
async def slack_interactions(request: Request) -> Response:
    """A press of a button, or a form that was sent."""
    body, config = await _signed(request)
    form = parse_qs(body.decode("utf-8", "replace"), max_num_fields=20)
    payload = _object((form.get("payload") or [""])[0].encode())
    reply = await react(database(), config, payload)
    after = BackgroundTask(reply.after) if reply.after else None
    if reply.body is None:
        return Response(background=after)
    answer = json_response(reply.body)
    answer.background = after
    return answer


@router.post("/events")
@public
async def slack_events(request: Request) -> Response:
    """Slack asks once whether this address is ours; of everything else nothing is wanted."""
    body, _ = await _signed(request)
    event = _object(body)
    if event.get("type") == "url_verification":
        return json_response({"challenge": str(event.get("challenge") or "")[:1000]})
    return Response()


async def _signed(request: Request) -> tuple[bytes, Config]:
    """The body as Slack signed it, and the channel's settings. Raises `NotSigned`."""
    timestamp = request.headers.get("x-slack-request-timestamp", "")
    signature = request.headers.get("x-slack-signature", "")
    if not signature.startswith("v0=") or not slack.is_recent(timestamp, now()):
        raise NotSigned  # nothing is read for it
    body = await read_body(request)
    async with database().read() as session:
        row = await session.get(ChannelSettings, CHANNEL)
        config: Config = config_of(row) if row is not None and row.is_on else {}
    if not slack.is_signed(str(config.get("signing_secret") or ""), timestamp, signature, body, now()):
        raise NotSigned
    return body, config


def _object(body: bytes) -> dict[str, Any]:
    value = check_json(body)
    if not isinstance(value, dict):
        raise MalformedBody
    return value
