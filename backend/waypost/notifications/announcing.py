"""What comes to a team, told where the whole team is: in its channel of the company's chat.

Who is there is not for us to say, so nothing confidential is told, and nothing of what is written internally.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.directory.models import Team
from waypost.directory.names import names
from waypost.kernel.clock import now
from waypost.kernel.events import Recorded
from waypost.kernel.settings import get_settings
from waypost.notifications.channels.registry import announcing_channels
from waypost.notifications.kinds import KINDS
from waypost.notifications.models import Delivery
from waypost.notifications.rendering import one_line
from waypost.notifications.texts import note_broken, texts_of
from waypost.tickets import events as tickets
from waypost.tickets.models import Ticket

KIND = "team.ticket"
LONGEST = 600  # of a description: a channel is a place to notice, not to read


async def announce(session: AsyncSession, recorded: Recorded) -> None:
    """Tell a team's places of a request that came to it. Doing it twice changes nothing."""
    event = recorded.event
    if recorded.channel == tickets.IMPORT:
        return
    if isinstance(event, tickets.TicketAssigned):
        team_id = event.new_team_id if event.new_team_id != event.old_team_id else None
        ticket = await session.get(Ticket, event.ticket_id) if team_id else None
    elif isinstance(event, tickets.TicketSubmitted):
        ticket = await session.get(Ticket, event.ticket_id)
        team_id = ticket.team_id if ticket else None
    else:
        return
    if ticket is None or team_id is None or ticket.is_confidential:
        return
    places = await announcing_channels(session)
    team = await session.scalar(select(Team.name).where(Team.id == team_id)) if places else None
    places = [place for place in places if team and place[1].has_room(place[2], team)]
    if not places or team is None:
        return
    people = await names.people(session, [ticket.requester_id, ticket.assignee_id])
    at = now()
    values = {
        "team": team,
        "ticket": {
            "id": ticket.id,
            "number": ticket.ticket_number,
            "title": one_line(ticket.title),
            "description": ticket.description[:LONGEST],
            "requester": people[ticket.requester_id]["name"],
        },
        "assignee": people[ticket.assignee_id]["name"] if ticket.assignee_id in people else "",
        "facts": {"Priority": ticket.priority.capitalize()},
        "link": f"{get_settings().origin}/tickets/{ticket.id}",
        "action": "Open the request",
        "because": KINDS[KIND].because,
    }
    texts = await texts_of(session, [KIND])
    for key, _, _ in places:
        words = texts.words(KIND, values, key)
        row = insert(Delivery).values(
            channel=key,
            user_id=None,
            event_id=recorded.id,
            kind=KIND,
            recipient=team,
            subject=one_line(words.subject),
            words=words.kept(),
            headers={},
            message_id=f"<{recorded.id}.team{team_id}@{get_settings().mail_domain}>",
            is_urgent=ticket.priority == "CRITICAL",
            status="PENDING",
            next_at=at,
            created_at=at,
        )
        await session.execute(
            row.on_conflict_do_nothing(index_elements=["event_id", "channel", "user_id", "recipient"])
        )
    await note_broken(session, texts)
