"""Slack: a direct message to each person, found by e-mail once, and messages into the channels of teams."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

import httpx2

from waypost.kernel.logs import get_logger
from waypost.kernel.settings import get_settings
from waypost.kernel.settings_form import Field
from waypost.notifications.channels import Config, Message
from waypost.notifications.people import Person
from waypost.notifications.rooms import room_of
from waypost.notifications.slack_blocks import message_of, summary_of
from waypost.vendors.answers import client
from waypost.vendors.fates import Delivered, Fate, Misconfigured, Rejected, TryLater
from waypost.vendors.slack import SlackError, Workspace, call

log = get_logger(__name__)
MOST_KNOWN = 20_000
PAGE, MOST_PAGES = 200, 20  # of a conversation that is read back
CLOCKS_DIFFER = timedelta(minutes=5)
OURS = "waypost_message"  # the metadata by which a message of ours is known again

_accounts: dict[tuple[int, str], str] = {}  # (token, address) → whose account it is, looked for once
_talks: dict[tuple[int, str], str] = {}  # (token, person) → their conversation with us, which stays the same


class Slack:
    """Messages by an app of the company's own Slack workspace."""

    key: ClassVar[str] = "slack"
    fields: ClassVar[tuple[Field, ...]] = (
        Field("token", "Bot token", "secret", "Begins with xoxb-. Under “OAuth & Permissions” of the app."),
        Field(
            "signing_secret",
            "Signing secret",
            "secret",
            "Under “Basic Information”. With it we know that a press of a button comes from Slack.",
        ),
        Field(
            "rooms",
            "Channels of teams",
            "text",
            "A team's name and the id of its Slack channel, as in: IT Support = C012AB3CD; HR Services = C045EF6GH. "
            "Invite the app to each. A * stands for every other team.",
            required=False,
        ),
    )
    changes_messages: ClassVar[bool] = True
    pace: ClassVar[float] = 0.2  # a workspace takes a few hundred messages a minute

    def recipients(self, person: Person) -> Sequence[str]:
        """Their account, or the address by which it is looked for, unless that was in vain of late."""
        known = person.points.get(self.key)
        if known:
            return known[:1]
        return (person.email,) if person.email and self.key not in person.unknown else ()

    def reaches_people(self, config: Config) -> bool:
        """With its token it does."""
        return bool(config.get("token"))

    def has_room(self, config: Config, team: str) -> bool:
        """Whether a team has a channel there."""
        return room_of(str(config.get("rooms") or ""), team) is not None

    async def send(self, config: Config, messages: Sequence[Message]) -> AsyncGenerator[Fate]:
        """One after the other, each with what became of it."""
        token = str(config.get("token") or "")
        earlier = _Earlier(min((m.since for m in messages if m.attempt > 1 and m.since), default=None))
        async with client() as http:
            for message in messages:
                if not token:
                    yield Misconfigured("the bot token is missing")
                    continue
                try:
                    workspace = Workspace(get_settings().slack_api_url, token)
                    yield await _send(http, workspace, config, message, earlier)
                except SlackError as error:
                    if isinstance(error.fate, Rejected):  # looked for anew the next time
                        _accounts.pop((hash(token), message.recipient), None)
                    yield error.fate
                except Exception as error:
                    log.exception("message cannot be written", message_id=message.id)
                    yield Rejected(f"{type(error).__name__}: {error}"[:500])


class _Earlier:
    """What of ours stands in a conversation already: tries whose answer we did not live to read.

    Read once for all messages of a batch, back to when the oldest of them was made: others may stand above it by now.
    Without the right to read it (`im:history`, `channels:history`) nothing is known.
    """

    def __init__(self, since: datetime | None) -> None:
        self._since = since
        self._places: dict[str, dict[str, str]] = {}  # conversation → our message's id → where it stands

    async def place_of(
        self, http: httpx2.AsyncClient, workspace: Workspace, channel: str, message_id: str
    ) -> str | None:
        """Where a message of this id stands, if it does. Raises `SlackError` when Slack is away."""
        if channel not in self._places:
            try:
                self._places[channel] = await self._read(http, workspace, channel)
            except SlackError as error:
                if isinstance(error.fate, TryLater):
                    raise
                log.info("earlier messages cannot be looked at", why=error.code or error.fate.why)
                self._places[channel] = {}
        return self._places[channel].get(message_id)

    async def _read(self, http: httpx2.AsyncClient, workspace: Workspace, channel: str) -> dict[str, str]:
        found: dict[str, str] = {}
        asked: dict[str, Any] = {"channel": channel, "limit": PAGE, "include_all_metadata": True}
        if self._since is not None:
            asked["oldest"] = f"{(self._since - CLOCKS_DIFFER).timestamp():.6f}"
        for _ in range(MOST_PAGES):
            page = await call(http, workspace, "conversations.history", asked)
            for posted in page.get("messages") or ():
                metadata = posted.get("metadata") or {}
                name = (metadata.get("event_payload") or {}).get("id")
                if metadata.get("event_type") == OURS and name and posted.get("ts"):
                    found[str(name)] = str(posted["ts"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
            asked["cursor"] = cursor
        return found


async def _send(
    http: httpx2.AsyncClient, workspace: Workspace, config: Config, message: Message, earlier: _Earlier
) -> Fate:
    text, blocks = _written(message)
    if message.ref:
        where, _, when = message.ref.partition(":")
        await call(http, workspace, "chat.update", {"channel": where, "ts": when, "text": text, "blocks": blocks})
        return Delivered(message.ref)
    person = ""
    room = room_of(str(config.get("rooms") or ""), message.recipient) if message.user_id is None else None
    if room is not None:
        channel = room
    elif message.user_id is None:
        return Rejected(f"{message.recipient} has no channel in Slack any more")
    else:
        person = await _account(http, workspace, message.recipient)
        channel = await _talk(http, workspace, person)
    ts = await earlier.place_of(http, workspace, channel, message.id) if message.attempt > 1 else None
    if ts is None:
        posted = await call(
            http,
            workspace,
            "chat.postMessage",
            {
                "channel": channel,
                "text": text,
                "blocks": blocks,
                "metadata": {"event_type": OURS, "event_payload": {"id": message.id}},
                "unfurl_links": False,
                "unfurl_media": False,
            },
        )
        channel, ts = str(posted.get("channel") or channel), str(posted.get("ts") or "")
    # several notices in one message: it is not changed when one of them is settled, and has no buttons
    is_one = len(message.notices) == 1 and ts
    return Delivered(f"{channel}:{ts}" if is_one else "", address=person)


def _written(message: Message) -> tuple[str, list[dict[str, Any]]]:
    if len(message.notices) == 1:
        return message_of(message.notices[0], is_urgent=message.is_urgent)
    return summary_of(message.subject, message.notices)


async def _account(http: httpx2.AsyncClient, workspace: Workspace, recipient: str) -> str:
    """The Slack id of somebody known by it, or by e-mail. Raises `SlackError`."""
    if "@" not in recipient:
        return recipient
    if known := _accounts.get((hash(workspace.token), recipient)):
        return known
    found = await call(http, workspace, "users.lookupByEmail", {"email": recipient})
    user: dict[str, Any] = found.get("user") or {}
    if not user.get("id") or user.get("deleted") or user.get("is_bot"):
        raise SlackError(Rejected("nobody who works in this workspace has this address", is_gone=True))
    if len(_accounts) >= MOST_KNOWN:
        _accounts.clear()
    _accounts[hash(workspace.token), recipient] = str(user["id"])
    return str(user["id"])


async def _talk(http: httpx2.AsyncClient, workspace: Workspace, person: str) -> str:
    """The conversation with somebody. Raises `SlackError`."""
    key = (hash(workspace.token), person)
    if key not in _talks:
        opened = await call(http, workspace, "conversations.open", {"users": person})
        channel = str((opened.get("channel") or {}).get("id") or "")
        if not channel:
            raise SlackError(TryLater("Slack opened no conversation"))
        if len(_talks) >= MOST_KNOWN:
            _talks.clear()
        _talks[key] = channel
    return _talks[key]
