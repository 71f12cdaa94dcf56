"""What a service level does when time runs short or is over: whom it tells, and what it changes, once, in the transaction
that says so.

Where the policy says nothing of the occasion, the assignee is told, or the team's leads while nobody is assigned; the leads
hear of every breach. What cannot be done is left out, and said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.directory.membership import leads_of
from waypost.directory.models import Team, User
from waypost.kernel.events import SYSTEM, record
from waypost.sla import clocks
from waypost.sla.clock_events import SlaEscalated
from waypost.sla.clock_models import SlaClock
from waypost.sla.firing import Due
from waypost.sla.marking import Metric
from waypost.sla.measuring import BREACH
from waypost.sla.policies import TELLS, Action, Do
from waypost.tickets import events, lifecycle
from waypost.tickets.lifecycle import Priority, Status
from waypost.tickets.models import Ticket
from waypost.tickets.moving import give, touch

WORDS = {
    Metric.FIRST_RESPONSE: "first response",
    Metric.NEXT_UPDATE: "next update",
    Metric.RESOLUTION: "resolution",
    Metric.OWN_TIME: "the team's own time",
}
_DECIDED = frozenset({Status.APPROVED, Status.IN_PROGRESS})
_RANKS = tuple(Priority)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done about one moment: who is told, and what is changed."""

    told_ids: tuple[int, ...]
    actions: tuple[Action, ...]


async def plans(session: AsyncSession, told: Sequence[tuple[Ticket, SlaClock, Due]]) -> list[Plan]:
    """What is done about each of these moments, as the version of the policy says that the clock goes by."""
    if not told:
        return []
    pins = {_pin(clock) for _, clock, _ in told}
    deals = await clocks.agreed(session, pins)
    leads = await leads_of(session, {ticket.team_id for ticket, _, _ in told if ticket.team_id is not None})
    assignees = {ticket.assignee_id for ticket, _, _ in told if ticket.assignee_id is not None}
    managers: dict[int, int | None] = {}
    if assignees:
        rows = await session.execute(select(User.id, User.manager_id).where(User.id.in_(assignees)))
        managers = {row.id: row.manager_id for row in rows}
    found = []
    for ticket, clock, due in told:
        deal = deals.get(_pin(clock))
        percent = None if due.percent == BREACH else due.percent
        metric = Metric(clock.metric)
        actions = [a for a in deal.policy.actions if a.is_for(metric, percent)] if deal is not None else []
        own = [ticket.assignee_id] if ticket.assignee_id is not None else []
        of_team = leads.get(ticket.team_id or 0, [])
        ids: list[int | None] = []
        for action in actions:
            match action.do:
                case Do.TELL_ASSIGNEE:
                    ids += own
                case Do.TELL_LEADS:
                    ids += of_team
                case Do.TELL_PERSON:
                    ids.append(action.user_id)
                case Do.TELL_MANAGER:
                    ids += [managers.get(user_id) for user_id in own]
        if not actions:
            ids += [*own, *of_team] if percent is None or not own else own
        changes = tuple(a for a in actions if a.do not in TELLS)
        found.append(Plan(tuple(dict.fromkeys(i for i in ids if i is not None)), changes))
    return found


def _pin(clock: SlaClock) -> clocks.Pin:
    return clock.policy_id, clock.policy_version, clock.calendar_id, clock.calendar_version


async def carry_out(
    session: AsyncSession, ticket: Ticket, metric: str, percent: int, plan: Plan, *, visibility: str
) -> None:
    """Change what the policy wants changed. The ticket is locked."""
    done, left_out = [], []
    for action in plan.actions:
        what, why_not = await _change(session, ticket, action, WORDS[Metric(metric)], percent)
        if why_not:
            left_out.append(f"{what}, because {why_not}")
        else:
            done.append(what)
    if done or left_out:
        escalated = SlaEscalated(
            ticket_id=ticket.id,
            metric=metric,
            percent=percent,
            done=done,
            left_out=left_out,
            visibility=visibility,
        )
        await record(session, escalated, actor=SYSTEM)


async def _change(
    session: AsyncSession, ticket: Ticket, action: Action, target: str, percent: int
) -> tuple[str, str | None]:
    """One change: in words, and why it could not be, when it could not."""
    if action.do is Do.RAISE_PRIORITY:
        return await _raise_priority(session, ticket)
    name = await session.scalar(select(Team.name).where(Team.id == action.team_id))
    what = f"handed it to {name or 'another team'}"
    if name is None:
        return what, "the team is not there any more"
    if Status(ticket.status) not in lifecycle.ASSIGNABLE or Status(ticket.status) is Status.COMPLETED:
        return what, "nobody works on it any more"
    if ticket.team_id == action.team_id:
        return what, "it is there already"
    why = (
        f"because the time for {target} is over"
        if percent == BREACH
        else f"because {percent}% of the time for {target} are over"
    )
    await give(session, SYSTEM, ticket, None, action.team_id, how="rule", why=why)
    return what, None


async def _raise_priority(session: AsyncSession, ticket: Ticket) -> tuple[str, str | None]:
    what = "raised its priority"
    if Status(ticket.status) not in _DECIDED:
        return what, "its approvers judge it with the one it has, or nobody works on it any more"
    old = Priority(ticket.priority)
    if old is _RANKS[-1]:
        return what, "it is the highest already"
    ticket.priority = _RANKS[_RANKS.index(old) + 1].value
    at = touch(ticket)
    await session.flush()
    updated = events.TicketUpdated(
        ticket_id=ticket.id, ticket_version=ticket.version, changes={"priority": [old.value, ticket.priority]}
    )
    await record(session, updated, actor=SYSTEM, at=at)
    return what, None
