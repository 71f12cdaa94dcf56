"""A team or department is closed: its requests and its canned replies go where its work goes, or it stays."""

from __future__ import annotations

from sqlalchemy import exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.directory.errors import DepartmentInUse, TeamInUse
from waypost.directory.events import DepartmentDeleted, TeamDeleted
from waypost.directory.models import TeamMember
from waypost.kernel.conditions.tree import leaves
from waypost.kernel.events import Doer
from waypost.tickets import lifecycle, rules
from waypost.tickets.models import Ticket
from waypost.tickets.moving import give
from waypost.tickets.routing import Rule
from waypost.tickets.talk_models import CannedReply

MOST_OPEN = 500  # requests given on one by one; more are given on before, many at once


async def on_team_deleted(session: AsyncSession, event: TeamDeleted, actor: Doer) -> None:
    """Give a team's requests and replies on. Raises `TeamInUse`."""
    team_id, to_id = event.team_id, event.moved_to_id
    named = [r.name for r in rules.rules_of(await rules.newest(session)) if r.team_id == team_id]
    if named:
        raise TeamInUse(f"The routing rule “{named[0][:80]}” gives it work: change the rules first.")
    if to_id is None and await session.scalar(select(exists().where(Ticket.team_id == team_id))):
        raise TeamInUse("It has requests: say which team takes them.")
    assignable = [s.value for s in lifecycle.ASSIGNABLE]
    open_ones = select(Ticket).where(Ticket.team_id == team_id, Ticket.status.in_(assignable)).order_by(Ticket.id)
    held = list(await session.scalars(open_ones.limit(MOST_OPEN + 1).with_for_update()))
    if len(held) > MOST_OPEN:
        raise TeamInUse(f"It has more than {MOST_OPEN} open requests: give some of them on first.")
    members = set(await session.scalars(select(TeamMember.user_id).where(TeamMember.team_id == to_id)))
    for ticket in held:
        await give(session, actor, ticket, ticket.assignee_id if ticket.assignee_id in members else None, to_id)
    await session.execute(update(Ticket).where(Ticket.team_id == team_id).values(team_id=to_id))
    if to_id is not None:
        await session.execute(update(CannedReply).where(CannedReply.team_id == team_id).values(team_id=to_id))


async def on_department_deleted(session: AsyncSession, event: DepartmentDeleted, actor: Doer) -> None:
    """Let the requests of a department count as another's. Raises `DepartmentInUse`."""
    department_id = event.department_id
    for rule in rules.rules_of(await rules.newest(session)):
        if _looks_for(rule, department_id):
            raise DepartmentInUse(f"The routing rule “{rule.name[:80]}” looks for it: change the rules first.")
    of_it = Ticket.department_id == department_id
    if event.moved_to_id is None and await session.scalar(select(func.count()).where(of_it)):
        raise DepartmentInUse("Requests were made in it: say which department they count for.")
    await session.execute(update(Ticket).where(of_it).values(department_id=event.moved_to_id))


def _looks_for(rule: Rule, department_id: int) -> bool:
    return any(
        department_id in (leaf.value if isinstance(leaf.value, tuple) else (leaf.value,))
        for leaf in leaves(rule.condition)
        if leaf.field.name == "department_id" or leaf.field.refers_to == "department"
    )
