"""What happens to a standing delegation, told to both people it is between, in the app and by mail.

Both are told whoever did it, the one who did it too: that somebody decides in one's name is nothing to overlook, also
when it was done from a screen one had left open.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals import deputy_events as deputies
from waypost.approvals.deputy_models import ApprovalDelegation
from waypost.approvals.deputy_queries import words_of
from waypost.directory.models import User
from waypost.directory.names import names
from waypost.kernel.clock import now
from waypost.kernel.events import SYSTEM, Recorded, record
from waypost.kernel.settings import get_settings
from waypost.notifications.events import NotificationCreated
from waypost.notifications.models import Delivery, Notification
from waypost.notifications.rendering import Rendered, one_line, render

_WHY = {
    "ended": "it was ended",
    "changed": "somebody else stands in",
    "back": "the absence it was made with is over",
    "left": "one of you does not work here any more",
}
_PARTS = {
    "delegate_id": "who decides",
    "starts_at": "the beginning",
    "ends_at": "the end",
    "reason": "the reason",
    "condition": "what it covers",
    "amount_up_to": "up to which amount",
    "include_waiting": "whether what waits already is covered",
}
LINK = "/approvals/away"


async def tell(session: AsyncSession, recorded: Recorded, event: deputies.DelegationEvent) -> None:
    """Keep the notices and mails; doing it twice changes nothing."""
    people = await names.people(session, [event.delegator_id, event.delegate_id, recorded.actor_id])
    if event.delegator_id not in people or event.delegate_id not in people:
        return
    row = await session.get(ApprovalDelegation, event.delegation_id)
    covers = words_of(row) if row is not None else ""
    for user_id in (event.delegator_id, event.delegate_id):
        user = await session.scalar(select(User).where(User.id == user_id, User.is_active))
        if user is None:
            continue
        zone = _zone(user.timezone)
        values = {
            "delegator": people[event.delegator_id]["name"],
            "delegate": people[event.delegate_id]["name"],
            "is_delegate": user_id == event.delegate_id,
            "actor": people[recorded.actor_id]["name"] if recorded.actor_id in people else "Waypost",
            "made_by": people[recorded.actor_id]["name"] if event.for_id and recorded.actor_id in people else "",
            "starts": _when(event.starts_at, zone),
            "ends": _when(event.ends_at, zone),
            "has_begun": getattr(event, "has_begun", True),
            "waiting": _waiting(getattr(event, "waiting", 0)),
            "changed": ", ".join(_PARTS[c] for c in getattr(event, "changed", ())),
            "why": _WHY.get(getattr(event, "why", ""), ""),
            "facts": {
                "From": _when(event.starts_at, zone),
                "Until": _when(event.ends_at, zone),
                "Covers": covers or "everything",
            },
            "link": f"{get_settings().origin}{LINK}",
            "action": "See who stands in for whom",
            "because": "decisions are made on somebody's behalf, and you are one of the two",
        }
        await _keep(session, recorded, user, render(event.type, values))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _when(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%A, %-d %B %Y, %H:%M %Z")


def _waiting(count: int) -> str:
    if not count:
        return "Nothing waits at the moment."
    return "One decision waits already." if count == 1 else f"{count} decisions wait already."


async def _keep(session: AsyncSession, recorded: Recorded, user: User, words: Rendered) -> None:
    at = now()
    kind = recorded.event.type
    values: dict[str, Any] = {"user_id": user.id, "event_id": recorded.id, "kind": kind, "created_at": at}
    made = await session.scalar(
        insert(Notification)
        .values(**values, title=words.title, body=words.body[:1000], ticket_id=None, link=LINK)
        .on_conflict_do_nothing(index_elements=["event_id", "user_id"])
        .returning(Notification.id)
    )
    if made is None:
        return
    told = NotificationCreated(user_id=user.id, notification_id=made, kind=kind, ticket_id=None)
    await record(session, told, actor=SYSTEM, at=at)
    domain = get_settings().mail_from.rpartition("@")[2].rstrip("> ") or "waypost"
    thread = f"<delegation.{recorded.event.object_id}@{domain}>"
    await session.execute(
        insert(Delivery)
        .values(
            **values,
            channel="email",
            recipient=user.email,
            subject=one_line(words.subject),
            plain=words.text,
            html=words.html,
            headers={
                "Auto-Submitted": "auto-generated",
                "X-Auto-Response-Suppress": "All",
                "In-Reply-To": thread,
                "References": thread,
            },
            message_id=f"<{recorded.id}.{user.id}@{domain}>",
            status="PENDING",
            next_at=at,
        )
        .on_conflict_do_nothing(index_elements=["event_id", "user_id", "channel"])
    )
