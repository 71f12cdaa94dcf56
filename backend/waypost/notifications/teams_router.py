"""`/integrations/teams`: where Microsoft's Bot Connector sends what people do in Teams. Its token is the key."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response

from waypost.access.deps import public
from waypost.kernel.bodies import MalformedBody, check_json, read_body
from waypost.kernel.clock import now
from waypost.kernel.db import database
from waypost.kernel.errors import Unavailable
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.logs import get_logger
from waypost.kernel.settings import get_settings
from waypost.notifications.channels import Config
from waypost.notifications.channels.registry import config_of
from waypost.notifications.errors import NotSigned
from waypost.notifications.models import ChannelSettings
from waypost.notifications.teams_actions import CHANNEL, react
from waypost.vendors.answers import Away
from waypost.vendors.bot_tokens import NotVouched, claims_of, is_for

log = get_logger(__name__)
# Left out of the API's document: it is Microsoft's contract, not ours, and nobody else calls it.
router = APIRouter(
    route_class=StrictRoute, prefix="/integrations/teams", tags=["Notifications"], include_in_schema=False
)


@router.post("/messages")
@public
async def teams_messages(request: Request) -> Response:
    """An activity of the bot's: a press of a button is answered with the card as it is then."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotSigned
    try:
        claims = await claims_of(get_settings().teams_openid_url, token.strip(), now())
    except NotVouched as wrong:
        log.warning("an activity is not the bot connector's", why=str(wrong))
        raise NotSigned from wrong
    except Away as away:
        log.warning("the bot connector's keys cannot be read", why=str(away))
        raise Unavailable(retry_after=5) from away
    body = await read_body(request)
    async with database().read() as session:
        row = await session.get(ChannelSettings, CHANNEL)
        config: Config = config_of(row) if row is not None and row.is_on else {}
    activity = check_json(body)
    if not isinstance(activity, dict):
        raise MalformedBody
    hosts = {urlsplit(get_settings().teams_bot_url).netloc.lower(), *get_settings().teams_service_hosts}
    if not is_for(claims, str(config.get("client_id") or ""), activity.get("serviceUrl"), hosts):
        raise NotSigned
    answer = await react(database(), config, activity)
    return Response() if answer is None else json_response(answer)
