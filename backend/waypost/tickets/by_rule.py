"""What an automation rule does to a ticket: the use cases of people, for a doer who is nobody.

A rule stands where the team that works on the ticket stands: the lifecycle, the form and the approvers bind it as they
bind them. Who may give a rule what is asked when it is saved, not here. The ticket is locked by `hold`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.kernel.clock import now
from waypost.kernel.events import Doer, record
from waypost.tickets import assigning, dispatching, events, lifecycle, reviewing, service, talking, watching
from waypost.tickets.errors import NobodyFound, TicketNotFound
from waypost.tickets.lifecycle import Part, Priority, Status
from waypost.tickets.models import Ticket
from waypost.tickets.moving import apply_step
from waypost.tickets.queries import Found, any_ticket
from waypost.tickets.routing import Way

ABOVE = {Priority.LOW: Priority.MEDIUM, Priority.MEDIUM: Priority.HIGH, Priority.HIGH: Priority.CRITICAL}


async def hold(session: AsyncSession, ticket_id: int) -> Found | None:
    """The ticket as it is now, locked; None when it is gone, or a draft again: of that a rule knows nothing."""
    locked = (
        select(Ticket)
        .where(Ticket.id == ticket_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if await session.scalar(locked) is None:
        return None
    try:
        found = await any_ticket(session, ticket_id)
    except TicketNotFound:
        return None
    return None if found.facts.status is Status.DRAFT else found


def _parts(found: Found) -> frozenset[Part]:
    return frozenset({Part.FULFILLER} if found.facts.approver_ids else {Part.FULFILLER, Part.KEEPER})


async def assign(
    session: AsyncSession, doer: Doer, found: Found, *, to: str, user_id: int | None, team_id: int | None, why: str
) -> None:
    """Give it to a person, a team, whose turn it is, or nobody. Raises `NobodyFound`, `NotInTeam`, `TicketIsClosed`."""
    place = await place_for(session, found.ticket, to=to, user_id=user_id, team_id=team_id)
    if place is not None:
        assignee, team, because = place
        why = f"{why}, {because}" if because else why
        await assigning.place(session, doer, found, assignee, team, how="rule", why=why)


async def place_for(
    session: AsyncSession,
    ticket: Ticket,
    *,
    to: str,
    user_id: int | None,
    team_id: int | None,
    takes_turn: bool = True,
) -> tuple[int | None, int | None, str] | None:
    """To whom and which team it goes, and why them; None when it stays. Without `takes_turn` it is only foretold.

    Raises `NobodyFound`.
    """
    team = team_id or ticket.team_id
    if to == "PERSON":
        return user_id, team, ""
    if to in (Way.ROUND_ROBIN, Way.LEAST_LOADED):
        if takes_turn:
            assignee, because = await dispatching.from_team(session, team, Way(to))
        else:
            assignee, because = await dispatching.next_ahead(session, team, Way(to)), "it has nobody there now"
        if assignee is None:
            raise NobodyFound(f"Nobody was found: {because}.")
        return assignee, team, because
    # what is the team's already stays with whoever has it
    return None if to == "TEAM" and team == ticket.team_id else (None, team, "")


async def change(session: AsyncSession, doer: Doer, found: Found, values: dict[str, Any]) -> None:
    """Change fields as the team may; a form's answers only while approvers can still be asked about them."""
    parts = _parts(found)
    if "custom_fields" in values and found.facts.status in lifecycle.IN_REVIEW:
        parts |= {Part.REQUESTER}
    lifecycle.check_edit(found.facts.status, parts, values)
    await service.change(session, doer, found, values)


async def move(session: AsyncSession, doer: Doer, found: Found, to: Status) -> None:
    """Take a transition the team may take. Raises what `lifecycle.decide` raises."""
    facts = lifecycle.Facts(found.facts.status, found.ticket.completed_at)
    edge = lifecycle.decide(facts, to, _parts(found), now(), reopen_within=service.reopen_window())
    await apply_step(session, doer, found.ticket, edge.step, to)


async def start_approval(session: AsyncSession, doer: Doer, found: Found, workflow_id: int, *, why: str) -> None:
    """Have it judged by this workflow. Raises what `reviewing.start_named` raises."""
    await reviewing.start_named(session, doer, found, workflow_id, why)


async def comment(session: AsyncSession, doer: Doer, found: Found, *, body: str, visibility: str, rule: str) -> None:
    """Say something in the rule's name; whom it mentions and could not read it is passed over. Raises `TicketIsClosed`."""
    lifecycle.check_takes_more(found.facts.status, "A closed ticket takes no more comments.")
    called = await talking.people_called(session, found, body, visibility, strict=False)
    await talking.keep_comment(session, doer, found.ticket, body, visibility, called, by_rule=rule)


async def tell(
    session: AsyncSession, doer: Doer, found: Found, *, people: Collection[int], message: str, rule: str
) -> None:
    """Have people told something about it, as far as each of them sees it."""
    told = tuple(dict.fromkeys(people))
    if told:
        said = events.TicketToldByRule(ticket_id=found.ticket.id, rule=rule, told_ids=told, message=message)
        await record(session, said, actor=doer)


async def let_in(session: AsyncSession, doer: Doer, found: Found, user_id: int) -> None:
    """Let somebody see it and be told of it from now on. Raises `TooManyWatchers`."""
    await watching.add_watcher(session, doer, found, user_id, gives_sight=True)
