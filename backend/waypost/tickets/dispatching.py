"""Sending requests where the rules say: team and priority when they are sent, a person once they are approved.

Approvers see the team and priority they judge, so both are settled before anybody is asked. Somebody to do the work is
found when there is work to do: who is away or busy then counts, not who was when it was asked for.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals.wording import namer
from waypost.catalog.models import TicketType
from waypost.directory.absences import is_away
from waypost.directory.models import TeamMember, User
from waypost.kernel.clock import now
from waypost.kernel.conditions.tree import describe
from waypost.kernel.events import SYSTEM, Doer, record
from waypost.tickets import events, routing, rules, sealed
from waypost.tickets.models import UNFINISHED, Ticket
from waypost.tickets.moving import give, touch
from waypost.tickets.reviewing import facts_of
from waypost.tickets.routing import Decision, Member, Way
from waypost.tickets.routing_models import TeamRotation, TicketRouting


async def route(session: AsyncSession, ticket: Ticket, kind: TicketType) -> None:
    """Let the rules look at a request that is being sent. Where none speaks, it stays with its type's team."""
    earlier = await session.get(TicketRouting, ticket.id) if ticket.round > 1 else None
    old_team, old_priority = ticket.team_id, ticket.priority
    if earlier is not None:
        _take_back(ticket, earlier, kind)
    before = {"team_id": ticket.team_id, "priority": ticket.priority}
    current, decision = await _decided(session, ticket)
    ticket.team_id = decision.team_id or ticket.team_id
    ticket.priority = decision.priority or ticket.priority
    is_changed = (ticket.team_id, ticket.priority) != (old_team, old_priority)
    if earlier is not None and not decision.fired:
        await session.delete(earlier)
    if not (decision.fired or decision.skipped or is_changed):
        return
    at = touch(ticket)
    await session.flush()
    if decision.fired:
        await _keep(session, ticket, current.version, decision, before, at)
    await record(
        session,
        events.TicketRouted(
            ticket_id=ticket.id,
            ticket_version=ticket.version,
            rules_version=current.version,
            fired=await _in_words(session, decision),
            skipped=[{"rule": s.rule.name, "reason": s.reason} for s in decision.skipped],
            old_team_id=old_team,
            new_team_id=ticket.team_id,
            old_priority=old_priority,
            new_priority=ticket.priority,
        ),
        actor=SYSTEM,
        at=at,
    )


async def _decided(session: AsyncSession, ticket: Ticket) -> tuple[rules.InForce, Decision]:
    current = await rules.in_force(session)
    if not current.rules:
        return current, Decision(None, None, None, None, (), ())
    there = await rules.company(session, current.rules, ticket.team_id)
    return current, routing.decide(
        current.rules, facts_of(ticket, await sealed.opened(session, ticket)), there, team_id=ticket.team_id
    )


async def route_ahead(session: AsyncSession, ticket: Ticket, kind: TicketType) -> None:
    """Give a copy of a ticket, nobody's row, the team and priority it would have were it sent now."""
    earlier = await session.get(TicketRouting, ticket.id) if ticket.round else None
    if earlier is not None:
        _take_back(ticket, earlier, kind)
    _, decision = await _decided(session, ticket)
    ticket.team_id = decision.team_id or ticket.team_id
    ticket.priority = decision.priority or ticket.priority


async def _keep(
    session: AsyncSession, ticket: Ticket, version: int, decision: Decision, before: dict[str, Any], at: datetime
) -> None:
    row = {
        "ticket_id": ticket.id,
        "rules_version": version,
        "fired": [{"key": f.rule.key, "name": f.rule.name, "gave": list(f.gave)} for f in decision.fired],
        "team_id": decision.team_id,
        "priority": decision.priority,
        "way": decision.way,
        "assignee_id": decision.assignee_id,
        "before": before,
        "decided_at": at,
    }
    await session.merge(TicketRouting(**row))
    await session.flush()


def _take_back(ticket: Ticket, earlier: TicketRouting, kind: TicketType) -> None:
    """Forget what the rules set when it was sent before, unless somebody has changed it since."""
    if earlier.team_id is not None and ticket.team_id == earlier.team_id:
        ticket.team_id = kind.team_id
    if earlier.priority is not None and ticket.priority == earlier.priority:
        ticket.priority = earlier.before["priority"]


async def _in_words(session: AsyncSession, decision: Decision) -> list[dict[str, Any]]:
    conditions = [f.rule.condition for f in decision.fired]
    call = await namer(session, conditions)
    return [
        {
            "rule": f.rule.name,
            "key": f.rule.key,
            "gave": list(f.gave),
            "way": f.rule.way if "way" in f.gave else None,
            "because": describe(f.rule.condition, call),
        }
        for f in decision.fired
    ]


# --- somebody to do it ------------------------------------------------------------------------------------------------


async def on_approved(session: AsyncSession, event: events.TicketApproved, actor: Doer) -> None:
    """There is work to do now: give it to whom the rules say, or leave it in the team's queue and say why."""
    del actor  # whoever approved, it is the rule that gives it
    decided = await session.get(TicketRouting, event.ticket_id)
    if decided is None or decided.way is None or decided.way == Way.NOBODY:
        return
    ticket = await session.get_one(Ticket, event.ticket_id)
    if ticket.assignee_id is not None:
        return  # somebody has it already
    rule = next((f["name"] for f in decided.fired if "way" in f["gave"]), "")
    if decided.way == Way.PERSON:
        user_id, why = await _named(session, ticket, decided)
    else:
        user_id, why = await from_team(session, ticket.team_id, Way(decided.way))
    if user_id is None:
        left = events.TicketLeftInQueue(ticket_id=ticket.id, team_id=ticket.team_id, rule=rule, reason=why)
        await record(session, left, actor=SYSTEM)
        return
    await give(session, SYSTEM, ticket, user_id, ticket.team_id, how="rule", why=f"by the rule “{rule}”, {why}")


async def _named(session: AsyncSession, ticket: Ticket, decided: TicketRouting) -> tuple[int | None, str]:
    members = {m.user_id: m for m in await team_state(session, ticket.team_id)}
    member = members.get(decided.assignee_id or 0)
    if member is None:
        return None, "the person it names is not an active member of the team any more"
    return (None, "the person it names is away") if member.is_away else (member.user_id, "which names them")


async def from_team(session: AsyncSession, team_id: int | None, way: Way) -> tuple[int | None, str]:
    """Who of a team gets the next ticket, and why; None and why not, when nobody does."""
    if team_id is None:
        return None, "it has no team"
    # The team's row of turns is the lock: two tickets approved at once go to two people.
    turn = insert(TeamRotation).values(team_id=team_id)
    last = await session.scalar(
        turn.on_conflict_do_update(index_elements=["team_id"], set_={"team_id": turn.excluded.team_id}).returning(
            TeamRotation.last_user_id
        )
    )
    members = await team_state(session, team_id)
    chosen = routing.next_in_turn(members, last) if way is Way.ROUND_ROBIN else routing.least_loaded(members)
    if chosen is None:
        return None, "nobody of the team is there now" if members else "the team has no active member"
    if way is Way.ROUND_ROBIN:
        await session.execute(update(TeamRotation).where(TeamRotation.team_id == team_id).values(last_user_id=chosen))
    away = sum(m.is_away for m in members)
    said = "whose turn it was" if way is Way.ROUND_ROBIN else "who had the fewest open tickets"
    return chosen, said + (f"; {away} away" if away else "")


async def next_ahead(session: AsyncSession, team_id: int | None, way: Way) -> int | None:
    """Whom `from_team` would choose now; nobody's turn is taken."""
    members = await team_state(session, team_id)
    if way is Way.LEAST_LOADED:
        return routing.least_loaded(members)
    last = select(TeamRotation.last_user_id).where(TeamRotation.team_id == team_id)
    return routing.next_in_turn(members, await session.scalar(last))


async def team_state(session: AsyncSession, team_id: int | None) -> list[Member]:
    """A team's active members with what decides whose turn it is. One statement."""
    open_now = (
        select(func.count())
        .where(Ticket.assignee_id == TeamMember.user_id, text(f"tickets.{UNFINISHED}"))
        .correlate(TeamMember)
        .scalar_subquery()
    )
    rows = await session.execute(
        select(TeamMember.user_id, is_away(TeamMember.user_id, now()), open_now, TeamMember.last_assigned_at)
        .join(User, User.id == TeamMember.user_id)
        .where(TeamMember.team_id == team_id, User.is_active)
    )
    return [Member(*row) for row in rows]
