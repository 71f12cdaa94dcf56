"""What happens to a standing delegation, told to both people it is between, in the app and by mail.

Both are told whoever did it, the one who did it too: that somebody decides in one's name is nothing to overlook, also
when it was done from a screen one had left open.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals import deputy_events as deputies
from waypost.approvals.deputy_models import ApprovalDelegation
from waypost.approvals.deputy_queries import words_of
from waypost.directory.names import names
from waypost.kernel.events import Recorded
from waypost.kernel.settings import get_settings
from waypost.notifications.channels.registry import channels_in_use
from waypost.notifications.kinds import KINDS
from waypost.notifications.people import people_told
from waypost.notifications.telling import Notice, tell
from waypost.notifications.texts import note_broken, texts_of

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


async def tell_both(session: AsyncSession, recorded: Recorded, event: deputies.DelegationEvent) -> None:
    """Keep the notices and mails; doing it twice changes nothing."""
    people = await names.people(session, [event.delegator_id, event.delegate_id, recorded.actor_id])
    if event.delegator_id not in people or event.delegate_id not in people:
        return
    row = await session.get(ApprovalDelegation, event.delegation_id)
    covers = words_of(row) if row is not None else ""
    told = await people_told(session, (event.delegator_id, event.delegate_id))
    channels = await channels_in_use(session)
    texts = await texts_of(session, [event.type])
    for user_id, person in told.items():
        zone = person.zone
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
            "because": KINDS[event.type].because,
        }
        notice = Notice(
            event.type,
            texts.words(event.type, values),
            LINK,
            f"delegation.{event.object_id}",
            retold=texts.retold(event.type, values),
        )
        await tell(session, recorded, person, notice, channels)
    await note_broken(session, texts)


def _when(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%A, %-d %B %Y, %H:%M %Z")


def _waiting(count: int) -> str:
    if not count:
        return "Nothing waits at the moment."
    return "One decision waits already." if count == 1 else f"{count} decisions wait already."
