"""What administrators are told about the installation itself."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.models import RolePermission, UserRole
from waypost.access.permissions import Permission
from waypost.kernel.events import Recorded
from waypost.kernel.settings import get_settings
from waypost.notifications.channels.registry import channels_in_use
from waypost.notifications.events import ChannelFailed
from waypost.notifications.kinds import KINDS
from waypost.notifications.people import people_told
from waypost.notifications.telling import Notice, tell
from waypost.notifications.texts import note_broken, texts_of

MOST_TOLD = 100
LINK = "/settings/deliveries"


async def tell_administrators(session: AsyncSession, recorded: Recorded, event: ChannelFailed) -> None:
    """That nothing goes out by a channel; by every other one. Doing it twice changes nothing."""
    ids = await session.scalars(
        select(UserRole.user_id)
        .join(RolePermission, RolePermission.role_id == UserRole.role_id)
        .where(RolePermission.permission == Permission.NOTIFICATIONS_CONFIGURE.value)
        .distinct()
        .order_by(UserRole.user_id)
        .limit(MOST_TOLD)
    )
    values = {
        "channel": event.channel,
        "why": event.why,
        "facts": {},
        "link": f"{get_settings().origin}{LINK}",
        "action": "Look at what could not be sent",
        "because": KINDS["channel.failed"].because,
    }
    kind = "channel.failed"
    texts = await texts_of(session, [kind])
    words, retold = texts.words(kind, values), texts.retold(kind, values)
    notice = Notice(kind, words, LINK, f"channel.{event.channel}", retold=retold)
    channels = [c for c in await channels_in_use(session) if c.key != event.channel]
    for person in (await people_told(session, list(ids))).values():
        await tell(session, recorded, person, notice, channels)
    await note_broken(session, texts)
