"""That a person is reached at another address from now on: told at the new one and, whatever they chose, at the old."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.directory.events import UserEmailChanged
from waypost.directory.names import names
from waypost.kernel.events import Recorded
from waypost.kernel.settings import get_settings
from waypost.notifications.channels.registry import CHANNELS, channels_in_use
from waypost.notifications.choices import EMAIL
from waypost.notifications.kinds import KINDS
from waypost.notifications.people import people_told
from waypost.notifications.telling import Notice, deliver, tell
from waypost.notifications.texts import note_broken, texts_of

KIND, LINK = "address.changed", "/account/security"


async def tell_both_addresses(session: AsyncSession, recorded: Recorded, event: UserEmailChanged) -> None:
    """Tell it in the app and by mail to both addresses. Doing it twice changes nothing."""
    person = (await people_told(session, [event.user_id])).get(event.user_id)
    if person is None:
        return
    actor = (await names.people(session, [recorded.actor_id])).get(recorded.actor_id)
    values: dict[str, Any] = {
        "address": event.email,
        "address_before": event.email_before,
        "actor": actor["name"] if actor else "Waypost",
        "facts": {},
        "link": f"{get_settings().origin}{LINK}",
        "action": "Look at your account",
        "because": KINDS[KIND].because,
    }
    texts = await texts_of(session, [KIND])
    topic = f"address.{event.user_id}.{recorded.id}"
    notice = Notice(KIND, texts.words(KIND, values), LINK, topic, retold=texts.retold(KIND, values))
    channels = await channels_in_use(session)
    await tell(session, recorded, person, notice, [c for c in channels if c.key != EMAIL])
    if any(c.key == EMAIL for c in channels):
        for address in (event.email, event.email_before):
            await deliver(session, recorded, replace(person, email=address), notice, CHANNELS[EMAIL], address)
    await note_broken(session, texts)
