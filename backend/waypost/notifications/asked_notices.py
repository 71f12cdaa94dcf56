"""What a room asks that one person be told (`kernel/notices.py`), by every channel they chose."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.kernel.events import Recorded
from waypost.kernel.notices import NoticeAsked
from waypost.kernel.settings import get_settings
from waypost.notifications.channels.registry import channels_in_use
from waypost.notifications.kinds import KINDS
from waypost.notifications.people import people_told
from waypost.notifications.telling import Notice, tell
from waypost.notifications.texts import note_broken, texts_of
from waypost.notifications.words import Words


async def tell_person(session: AsyncSession, recorded: Recorded, event: NoticeAsked) -> None:
    """Tell whom it names, if they still work here. Doing it twice changes nothing."""
    person = (await people_told(session, [event.user_id])).get(event.user_id)
    if person is None:
        return
    values = {
        **event.values,
        "facts": dict(event.facts),
        "link": f"{get_settings().origin}{event.link}",
        "action": event.action,
        "because": KINDS[event.kind].because,
    }
    texts = await texts_of(session, [event.kind])
    retold = texts.retold(event.kind, values)

    def with_files(channel: str, language: str) -> Words:
        told = retold(channel, language) if retold else texts.words(event.kind, values)
        return replace(told, enclosed=event.enclosed or None)

    words = replace(texts.words(event.kind, values), enclosed=event.enclosed or None)
    notice = Notice(event.kind, words, event.link, event.topic, retold=with_files)
    await tell(session, recorded, person, notice, await channels_in_use(session))
    await note_broken(session, texts)
