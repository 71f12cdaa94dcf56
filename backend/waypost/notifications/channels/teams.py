"""Microsoft Teams: a bot's message with buttons, or a nudge in the activity feed, for people; a Workflows webhook for
the channel of a team."""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator, Sequence
from typing import Any, ClassVar
from urllib.parse import quote

import httpx2

from waypost.kernel.clock import now
from waypost.kernel.logs import get_logger
from waypost.kernel.outgoing import guarded
from waypost.kernel.settings import get_settings
from waypost.kernel.settings_form import Field
from waypost.notifications.channels import Config, Message
from waypost.notifications.people import Person
from waypost.notifications.rooms import room_of
from waypost.notifications.shortening import cut
from waypost.notifications.teams_cards import Card, attachment, message_card, summary_card
from waypost.vendors.answers import Away, ask, client, fate_of
from waypost.vendors.fates import Delivered, Fate, Misconfigured, Rejected, TryLater
from waypost.vendors.microsoft import BOT, GRAPH, App, MicrosoftError, call

log = get_logger(__name__)
MOST_REF = 254  # characters kept of what Teams calls a message
MOST_KNOWN = 20_000
PREVIEW = 150

_talks: dict[tuple[App, str], str] = {}  # (app, person) → their conversation with the bot, which stays the same


class Teams:
    """Messages by an app of the company's own tenant."""

    key: ClassVar[str] = "teams"
    fields: ClassVar[tuple[Field, ...]] = (
        Field("people", "How people are told", "choice", "The bot's messages have buttons to decide.", False,
              ("bot", "activity feed")),
        Field("tenant", "Directory (tenant) id", "text", "Of the app's registration in Entra.", False),
        Field("client_id", "Application (client) id", "text", "Of the same registration; the bot has it too.", False),
        Field("client_secret", "Client secret", "secret", "The value, not its id. It ends: note when.", False),
        Field("app_id", "Teams app id", "text", "The id in the app's manifest; for the activity feed only.", False),
        Field(
            "rooms",
            "Channels of teams",
            "secret",
            "A team's name and the whole address of its Workflows webhook, as in: IT Support = https://…; HR = https://…. "
            "A * stands for every other team.",
            False,
        ),
    )  # fmt: skip
    changes_messages: ClassVar[bool] = True
    pace: ClassVar[float] = 0.25  # four a second is what a channel takes

    def recipients(self, person: Person) -> Sequence[str]:
        """Their account, or the address by which it is looked for, unless that was in vain of late."""
        known = person.points.get(self.key)
        if known:
            return known[:1]
        return (person.email,) if person.email and self.key not in person.unknown else ()

    def reaches_people(self, config: Config) -> bool:
        """With an app of the company's it does; webhooks alone are for teams' channels."""
        return app_of(config) is not None

    def has_room(self, config: Config, team: str) -> bool:
        """Whether a team has a webhook there."""
        return room_of(str(config.get("rooms") or ""), team) is not None

    async def send(self, config: Config, messages: Sequence[Message]) -> AsyncGenerator[Fate]:
        """One after the other, each with what became of it."""
        async with client() as http, client(transport=guarded()) as outside:
            for message in messages:
                try:
                    if message.user_id is None:
                        yield await _announce(outside, config, message)
                    else:
                        yield await _tell(http, config, message)
                except MicrosoftError as error:
                    yield error.fate
                except Exception as error:
                    log.exception("message cannot be written", message_id=message.id)
                    yield Rejected(f"{type(error).__name__}: {error}"[:500])


def app_of(config: Config) -> App | None:
    """Who we are at Microsoft; None while that is not set up."""
    settings = get_settings()
    tenant, client_id, secret = (str(config.get(k) or "").strip() for k in ("tenant", "client_id", "client_secret"))
    if not (tenant and client_id and secret):
        return None
    return App(settings.microsoft_login_url, settings.graph_url, settings.teams_bot_url, tenant, client_id, secret)


async def _announce(http: httpx2.AsyncClient, config: Config, message: Message) -> Fate:
    """Into a team's channel. The address is a secret: it stands in no log and no answer."""
    room = room_of(str(config.get("rooms") or ""), message.recipient)
    if room is None:
        return Rejected(f"{message.recipient} has no channel in Teams any more")
    what = f"the webhook of {message.recipient}"
    try:
        answer = await ask(http, "POST", room, json={"type": "message", "attachments": [attachment(_card(message))]})
    except Away as away:
        inner = away.__cause__
        if type(inner).__name__ in ("NotAllowed", "InvalidURL", "UnsupportedProtocol"):
            return Rejected(f"{what} is not called: its address is not allowed")
        return TryLater(f"{what} cannot be reached: {type(inner).__name__ if inner else away}")
    fate = fate_of(answer, now(), what)
    if isinstance(fate, TryLater):
        return TryLater(fate.why, fate.after)  # one team's webhook is not all of Teams
    return Rejected(fate.why) if fate is not None else Delivered()


async def _tell(http: httpx2.AsyncClient, config: Config, message: Message) -> Fate:
    app = app_of(config)
    if app is None:
        return Misconfigured("the app's tenant, id or secret is missing")
    if message.ref:
        talk, _, activity = message.ref.rpartition(";")
        path = f"v3/conversations/{quote(talk, safe='')}/activities/{quote(activity, safe='')}"
        await call(http, app, BOT, "PUT", path, _activity(message) | {"id": activity})
        return Delivered(message.ref)
    person = await _account(http, app, message.recipient)
    if config.get("people") == "activity feed":
        await call(
            http, app, GRAPH, "POST", f"users/{person}/teamwork/sendActivityNotification", _nudge(config, message)
        )
        return Delivered(address=person)
    talk = await _talk(http, app, person)
    sent = await call(http, app, BOT, "POST", f"v3/conversations/{quote(talk, safe='')}/activities", _activity(message))
    ref = f"{talk};{sent.get('id') or ''}"
    is_one = len(message.notices) == 1 and sent.get("id") and len(ref) <= MOST_REF
    return Delivered(ref if is_one else "", address=person)


async def _account(http: httpx2.AsyncClient, app: App, recipient: str) -> str:
    """The object id of somebody known by it, or by address. Raises `MicrosoftError`."""
    if "@" not in recipient:
        return quote(recipient, safe="")
    found = await call(http, app, GRAPH, "GET", f"users/{quote(recipient, safe='@')}?$select=id,accountEnabled")
    if not found.get("id") or found.get("accountEnabled") is False:
        raise MicrosoftError(Rejected("nobody who works in this tenant has this address", is_gone=True))
    return quote(str(found["id"]), safe="")


async def _talk(http: httpx2.AsyncClient, app: App, person: str) -> str:
    """The bot's conversation with somebody. Raises `MicrosoftError`."""
    key = (app, person)
    if key not in _talks:
        asked = {
            "bot": {"id": f"28:{app.client_id}"},
            "members": [{"id": person}],
            "channelData": {"tenant": {"id": app.tenant}},
            "tenantId": app.tenant,
            "isGroup": False,
        }
        opened = await call(http, app, BOT, "POST", "v3/conversations", asked)
        if not opened.get("id"):
            raise MicrosoftError(TryLater("Teams opened no conversation"))
        if len(_talks) >= MOST_KNOWN:
            _talks.clear()
        _talks[key] = str(opened["id"])
    return _talks[key]


def _card(message: Message) -> Card:
    if len(message.notices) == 1:
        can_act = message.user_id is not None
        return message_card(message.notices[0], is_urgent=message.is_urgent, can_act=can_act)
    return summary_card(message.subject, message.notices, f"{get_settings().origin}/")


def _activity(message: Message) -> dict[str, Any]:
    words = message.notices[0]
    said = words.outcome or words.body.split("\n", 1)[0]
    # what a notice outside the window, and a screen reader, says of it
    summary = cut(f"{message.subject}: {said}" if len(message.notices) == 1 else message.subject, 300)
    return {"type": "message", "summary": summary, "attachments": [attachment(_card(message))]}


def _nudge(config: Config, message: Message) -> dict[str, Any]:
    """One line in the activity feed. The same message sent again takes the first one's place (`chainId`)."""
    words = message.notices[0]
    link = words.link if len(message.notices) == 1 and words.link else f"{get_settings().origin}/"
    app_id = quote(str(config.get("app_id") or config.get("client_id") or ""), safe="")
    return {
        "topic": {
            "source": "text",
            "value": cut(message.subject, 120),
            "webUrl": f"https://teams.microsoft.com/l/entity/{app_id}/waypost?webUrl={quote(link, safe='')}",
        },
        "activityType": "approvalRequired" if words.decide else "waypostNotice",
        "previewText": {"content": cut(words.body.split("\n", 1)[0] or words.title, PREVIEW)},
        "templateParameters": [{"name": "title", "value": cut(message.subject, 120)}],
        "chainId": zlib.crc32(message.id.encode()),
    }
