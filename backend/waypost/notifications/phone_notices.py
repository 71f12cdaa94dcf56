"""What people are told about their own phones, where nobody who has only the phone reads it: in the app and by mail."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.kernel.events import Recorded
from waypost.kernel.settings import get_settings
from waypost.notifications.channels.registry import channels_in_use
from waypost.notifications.events import PhoneProved, ReplyCodesVoided
from waypost.notifications.kinds import KINDS
from waypost.notifications.people import people_told
from waypost.notifications.reply_codes import CHANNEL
from waypost.notifications.telling import Notice, tell
from waypost.notifications.texts import note_broken, texts_of

LINK = "/account/notifications"


async def tell_owner(session: AsyncSession, recorded: Recorded, event: PhoneProved | ReplyCodesVoided) -> None:
    """Tell whose phone it is. Doing it twice changes nothing."""
    kind = "phone.added" if isinstance(event, PhoneProved) else "phone.codes_void"
    values = {
        "phone": event.phone,
        "facts": {},
        "link": f"{get_settings().origin}{LINK}",
        "action": "Look at your phones",
        "because": KINDS[kind].because,
    }
    texts = await texts_of(session, [kind])
    notice = Notice(kind, texts.words(kind, values), LINK, f"phone.{event.user_id}", retold=texts.retold(kind, values))
    channels = [c for c in await channels_in_use(session) if c.key != CHANNEL]
    for person in (await people_told(session, [event.user_id])).values():
        await tell(session, recorded, person, notice, channels)
    await note_broken(session, texts)
