"""Keeping what one person is told of one event: the notice in the app, and a delivery for each channel they want."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.kernel.clock import now
from waypost.kernel.events import SYSTEM, Recorded, record
from waypost.kernel.settings import get_settings
from waypost.notifications.channels import Channel, Inviting
from waypost.notifications.choices import EMAIL, GATHERED, IN_APP, LONGEST_GATHERING, Plan, plan
from waypost.notifications.events import NotificationCreated
from waypost.notifications.kinds import KINDS, Event, event_of
from waypost.notifications.models import Delivery, Notification
from waypost.notifications.people import Person
from waypost.notifications.rendering import one_line
from waypost.notifications.still_theirs import INTERNAL
from waypost.notifications.words import Words

RETURNED = (
    "Not sent: mails to this address come back. It is tried again once sent again by hand, or once they write from it."
)


@dataclass(frozen=True, slots=True)
class Notice:
    """What to tell. `path` is where it leads in the app; `thread` holds a conversation's mails together.

    `retold` gives the words of a channel and a language, where those differ from `words`. `is_internal`: the team's words.
    """

    kind: str
    words: Words
    path: str
    thread: str
    is_emergency: bool = False
    in_app_only: bool = False
    by_mail_only: bool = False
    step_id: int | None = None
    is_internal: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    retold: Callable[[str, str], Words] | None = None

    def told(self, channel: str, language: str) -> Words:
        """The words as this channel and language have them."""
        return self.words if self.retold is None else self.retold(channel, language)


async def tell(
    session: AsyncSession, recorded: Recorded, person: Person, notice: Notice, channels: Sequence[Channel]
) -> None:
    """Keep it, by every channel the person wants of `channels` and is reached by. Doing it twice changes nothing."""
    event = event_of(notice.kind, is_emergency=notice.is_emergency)
    if person.wishes.wants(event, IN_APP) and not notice.by_mail_only:
        await _in_app(session, recorded, person, notice)
    if notice.in_app_only:
        return
    for channel in channels:
        if person.wishes.wants(event, channel.key):
            for recipient in channel.recipients(person):
                await deliver(session, recorded, person, notice, channel, recipient)


async def _in_app(session: AsyncSession, recorded: Recorded, person: Person, notice: Notice) -> None:
    at = now()
    words = notice.told(IN_APP, person.locale)
    made = await session.scalar(
        insert(Notification)
        .values(
            user_id=person.id,
            event_id=recorded.id,
            kind=notice.kind,
            title=words.title,
            body=words.body[:1000],
            ticket_id=notice.words.ticket_id,
            link=notice.path,
            created_at=at,
        )
        .on_conflict_do_nothing(index_elements=["event_id", "user_id"])
        .returning(Notification.id)
    )
    if made is not None:
        told = NotificationCreated(
            user_id=person.id, notification_id=made, kind=notice.kind, ticket_id=notice.words.ticket_id
        )
        await record(session, told, actor=SYSTEM, at=at)


async def deliver(
    session: AsyncSession, recorded: Recorded, person: Person, notice: Notice, by: Channel, recipient: str
) -> None:
    """Keep a message by one channel to one address, whether the person chose it or not. Twice changes nothing."""
    at, channel = now(), by.key
    event = event_of(notice.kind, is_emergency=notice.is_emergency)
    words = notice.told(channel, person.locale)
    if isinstance(by, Inviting):
        words = await by.invite(session, person.id, recipient, words)
    seconds = get_settings().notify_gather_seconds
    gathering = timedelta(seconds=seconds) if seconds and KINDS[notice.kind].gathers else None
    planned = plan(person.wishes, event, channel, at, ticket_id=notice.words.ticket_id, gathering=gathering)
    domain = get_settings().mail_domain
    is_returned = channel == EMAIL and person.is_returned
    made = await session.scalar(
        insert(Delivery)
        .values(
            channel=channel,
            user_id=person.id,
            event_id=recorded.id,
            kind=notice.kind,
            recipient=recipient,
            subject=one_line(words.subject),
            words=words.kept() | ({INTERNAL: True} if notice.is_internal else {}),
            headers=_headers(notice, domain) if channel == EMAIL else {},
            message_id=f"<{recorded.id}.{person.id}@{domain}>",
            bundle=planned.bundle,
            is_urgent=event is Event.EMERGENCY,
            step_id=notice.step_id,
            status="FAILED" if is_returned else "PENDING",
            last_error=RETURNED if is_returned else None,
            next_at=planned.at,
            created_at=at,
        )
        .on_conflict_do_nothing(index_elements=["event_id", "channel", "user_id", "recipient"])
        .returning(Delivery.id)
    )
    if made is not None and planned.bundle is not None:
        await _wait_together(session, person, channel, planned)


async def _wait_together(session: AsyncSession, person: Person, channel: str, planned: Plan) -> None:
    """What waits to go out as one goes out together: after the last, but not long after the first."""
    same = (
        Delivery.user_id == person.id,
        Delivery.channel == channel,
        Delivery.bundle == planned.bundle,
        Delivery.status == "PENDING",
    )
    first = select(func.min(Delivery.created_at) + LONGEST_GATHERING).where(*same).scalar_subquery()
    goes = func.least(planned.at, first) if (planned.bundle or "").startswith(GATHERED) else planned.at
    await session.execute(update(Delivery).where(*same).values(next_at=goes))


def _headers(notice: Notice, domain: str) -> dict[str, str]:
    thread = f"<{notice.thread}@{domain}>"
    return {
        # RFC 3834: an automatic mail says so, and nobody's absence note answers it.
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "In-Reply-To": thread,
        "References": thread,
        **notice.headers,
    }
