"""Push: a line of words in each browser in which somebody asked for it, also while it is closed."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any, ClassVar

import httpx2

from waypost.kernel.clock import now
from waypost.kernel.db import database
from waypost.kernel.logs import get_logger
from waypost.kernel.outgoing import NotAllowed, guarded
from waypost.kernel.settings import get_settings
from waypost.kernel.settings_form import Field
from waypost.notifications.browsers import KEY, PUSH, Reached, browsers_of, is_service
from waypost.notifications.channels import Config, Message
from waypost.notifications.people import Person
from waypost.notifications.shortening import cut
from waypost.vendors import web_push
from waypost.vendors.answers import BUSY, Answer, Away, client, retry_after
from waypost.vendors.fates import Delivered, Fate, Misconfigured, Rejected, TryLater

log = get_logger(__name__)
MOST_BYTES = 3000  # of words; services take 4096 bytes, sealed
LIFE = timedelta(days=3)  # how long a service keeps it for a browser that is closed
URGENT_LIFE = timedelta(hours=12)
AWAY = timedelta(seconds=30)
_OF_US = re.compile(r"vapid|jwt|authorization|unauthori[sz]ed|public ?key", re.IGNORECASE)

_busy: dict[str, float] = {}  # push service → when it may be asked again: one that is away holds up no other


class Push:
    """Messages by the push services of the browsers' makers, who cannot read them."""

    key: ClassVar[str] = PUSH
    fields: ClassVar[tuple[Field, ...]] = ()
    pace: ClassVar[float] = 0.0

    def is_available(self) -> bool:
        """Unless no push service is named."""
        return bool(get_settings().push_services)

    def recipients(self, person: Person) -> Sequence[str]:
        """Every browser of theirs."""
        return person.points.get(PUSH, ()) if self.is_available() else ()

    async def send(self, config: Config, messages: Sequence[Message]) -> AsyncGenerator[Fate]:
        """One after the other; what a service that is away or busy should get, waits without being tried."""
        people = [m.user_id for m in messages if m.user_id is not None]
        known = await browsers_of(database(), people, [m.recipient for m in messages])
        async with client(transport=guarded()) as http:
            for message in messages:
                try:
                    yield await _tell(http, config, message, known.get((message.user_id or 0, message.recipient)))
                except Exception as error:
                    log.exception("message cannot be written", message_id=message.id)
                    yield Rejected(f"{type(error).__name__}: {error}"[:500])


async def _tell(http: httpx2.AsyncClient, config: Config, message: Message, reached: Reached | None) -> Fate:
    private = str(config.get(KEY) or "")
    if reached is None:
        return Rejected("this browser is not subscribed by them any more")
    if not private or web_push.public_key(private) != reached.key:
        return Rejected("this browser subscribed with an earlier key of this installation", is_gone=True)
    host = web_push.host_of(reached.browser.endpoint)
    if not is_service(host):
        return Rejected(f"{host} is not a push service this installation uses", is_gone=True)
    wait = _busy.get(host, 0.0) - time.monotonic()
    if wait > 0:
        return TryLater(f"{host} is away or busy", after=timedelta(seconds=wait))
    return await _bring(http, private, message, reached, host)


async def _bring(http: httpx2.AsyncClient, private: str, message: Message, reached: Reached, host: str) -> Fate:
    at = now()
    how: dict[str, Any] = {
        "authorization": web_push.signed(reached.browser.endpoint, private, contact(), at),
        "life": URGENT_LIFE if message.is_urgent else LIFE,
        "urgency": "high" if message.is_urgent else "normal",
        "topic": topic_of(message),
    }
    try:
        answer = await web_push.push(http, reached.browser, payload(message, reached.unread), **how)
        if answer.status == 413:
            answer = await web_push.push(http, reached.browser, payload(message, reached.unread, short=True), **how)
    except Away as away:
        if isinstance(away.__cause__, NotAllowed):
            return Rejected(f"{host} is not called: its address is not allowed", is_gone=True)
        _rest(host, AWAY)
        return TryLater(f"{host} cannot be reached: {away}"[:500])
    return _fate(answer, at, host, has_worked=reached.has_worked)


def _fate(answer: Answer, at: datetime, host: str, *, has_worked: bool) -> Fate:
    """What an answer means. Who never was reached and is refused, subscribed with something else than our key."""
    status, why = answer.status, f"{host} answers {answer.status}"
    if 200 <= status < 300:
        return Delivered()
    if status in (404, 410):
        return Rejected(f"{why}: the browser is not subscribed any more", is_gone=True)
    if status in (408, 429) or status >= 500:
        after = retry_after(answer, at)
        _rest(host, min(after or (BUSY if status == 429 else AWAY), timedelta(minutes=5)))
        return TryLater(why, after=after or (BUSY if status == 429 else None))
    said = answer.body[:200].decode(errors="replace")
    if status in (401, 403) or (status == 400 and _OF_US.search(said)):
        return Misconfigured(f"{why}: {said}") if has_worked else Rejected(f"{why}: {said}", is_gone=True)
    return Rejected(f"{why}: {said}")


def _rest(host: str, pause: timedelta) -> None:
    _busy[host] = time.monotonic() + pause.total_seconds()


def contact() -> str:
    """Whom a push service writes to when something is wrong with us: it asks for an address."""
    return f"mailto:{parseaddr(get_settings().mail_from)[1]}"


def topic_of(message: Message) -> str:
    """What a message is about: a later one about the same thing takes the place of one not brought yet."""
    return hashlib.sha256(tag_of(message).encode()).hexdigest()[:32]


def tag_of(message: Message) -> str:
    """The same for messages of which only the last matters: about one decision, or else about one request."""
    first = message.notices[0]
    if len(message.notices) > 1 and not (message.bundle or "").startswith("ticket:"):
        return "summary"
    if first.decide:
        return f"step-{first.decide.get('step_id') or first.decide.get('id') or first.ticket_id}"
    return f"ticket-{first.ticket_id}" if first.ticket_id else f"message-{message.id}"


def payload(message: Message, unread: int, *, short: bool = False) -> bytes:
    """What the browser shows: no more than a mail's subject says, and where it leads."""
    is_one = len(message.notices) == 1
    first, origin = message.notices[0], get_settings().origin
    link = first.link if is_one or (message.bundle or "").startswith("ticket:") else ""
    body = first.number if is_one else "\n".join(n.subject for n in message.notices[:3])
    value: dict[str, Any] = {
        "title": cut(first.title if is_one else message.subject, 60 if short else 150),
        "body": "" if short else cut(body, 300),
        "path": link.removeprefix(origin) if link.startswith(f"{origin}/") and len(link) < 500 else "/",
        "tag": tag_of(message),
        "unread": unread,
        "urgent": message.is_urgent,
    }
    made = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return made if len(made) <= MOST_BYTES or short else payload(message, unread, short=True)
