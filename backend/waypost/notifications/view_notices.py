"""What is new in a view somebody wants to hear of: told to them alone, as far as they see it when they are told."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.queries import actors_of_users
from waypost.kernel.events import Recorded
from waypost.kernel.settings import get_settings
from waypost.notifications.channels.registry import channels_in_use
from waypost.notifications.kinds import KINDS
from waypost.notifications.people import people_told
from waypost.notifications.rendering import one_line
from waypost.notifications.telling import Notice, tell
from waypost.notifications.texts import note_broken, texts_of
from waypost.tickets.listing import tickets_by_id
from waypost.tickets.views_matched import ViewMatched, name_of_view

KIND = "view.matched"


async def tell_owner(session: AsyncSession, recorded: Recorded, event: ViewMatched) -> None:
    """Tell who asked for it. Doing it twice changes nothing."""
    reader = (await actors_of_users(session, [event.user_id])).get(event.user_id)
    person = (await people_told(session, [event.user_id])).get(event.user_id)
    name = await name_of_view(session, event.view_id)
    if reader is None or person is None or name is None:
        return
    seen = await tickets_by_id(session, reader, event.ticket_ids)
    tickets = [seen[i] for i in event.ticket_ids if i in seen]
    if not tickets:
        return
    one = tickets[0] if event.count == 1 else None
    path = f"/tickets/{one['id']}" if one else f"/tickets?view={event.view_id}"
    values: dict[str, Any] = {
        "view": one_line(name),
        "count": str(event.count),
        "listed": "\n".join(f"{t['ticket_number']} · {one_line(t['title'])}" for t in tickets),
        "more": str(event.count - len(event.ticket_ids)) if event.count > len(event.ticket_ids) else "",
        "ticket": {"id": one["id"], "number": one["ticket_number"], "title": one_line(one["title"])} if one else {},
        "ticket_ids": [t["id"] for t in tickets],
        "facts": {},
        "link": f"{get_settings().origin}{path}",
        "action": "Open the request" if one else "Open the view",
        "because": KINDS[KIND].because,
    }
    texts = await texts_of(session, [KIND])
    words, retold = texts.words(KIND, values), texts.retold(KIND, values)
    notice = Notice(KIND, words, path, f"view.{event.view_id}.{event.user_id}", retold=retold)
    await tell(session, recorded, person, notice, await channels_in_use(session))
    await note_broken(session, texts)
