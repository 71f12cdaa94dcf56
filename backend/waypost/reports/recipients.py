"""Who gets an export: people by name, and whoever is in a team or has a role in the moment it is sent."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.models import Role, UserRole, held
from waypost.access.queries import actors_of_users
from waypost.directory.models import Team, TeamMember
from waypost.kernel.errors import FieldError
from waypost.reports import export_policy, policy
from waypost.reports.export_errors import MOST_IN_GROUPS
from waypost.reports.schedule_models import ExportSchedule
from waypost.reports.sources import BoardSource, Source


async def people_of(session: AsyncSession, schedule: ExportSchedule, source: Source) -> list[int]:
    """Whom a schedule is for now, each once: who is named, then who is in its teams and roles and may get the report."""
    return list(
        dict.fromkeys([*schedule.person_ids, *await in_groups(session, source, schedule.team_ids, schedule.roles)])
    )


async def in_groups(
    session: AsyncSession, source: Source, team_ids: Collection[int], roles: Collection[str]
) -> list[int]:
    """Who is in these teams or has one of these roles now, works here and may get the report, by number."""
    if not team_ids and not roles:
        return []
    members = select(TeamMember.user_id).where(TeamMember.team_id.in_(team_ids))
    holders = select(UserRole.user_id).join(Role, Role.id == UserRole.role_id).where(Role.key.in_(roles), held())
    ids = set(await session.scalars(members.union(holders)))
    actors = await actors_of_users(session, ids)
    return sorted(i for i, actor in actors.items() if export_policy.may_get(actor, source))


async def group_faults(
    session: AsyncSession, actor: Actor, source: Source, kept: dict[str, Any], values: dict[str, Any]
) -> list[FieldError]:
    """What is wrong with the teams and roles named; `kept` are those named before, which stay whoever changes the rest.

    A team or role gets a report that is shared with it: a team from its members, all of it from the report's owner and
    administrators of views. A dashboard is of each reader's own: a team gets it from its members, a role from administrators.
    """
    team_ids, roles = values["team_ids"], values["roles"]
    teams = set(await session.scalars(select(Team.id).where(Team.id.in_(team_ids)))) if team_ids else set()
    owns = not isinstance(source, BoardSource) and policy.may_change(actor, source)
    shared = (team_ids, roles) if isinstance(source, BoardSource) else (source.team_ids, source.roles)
    wrong = []
    for n, team in enumerate(team_ids):
        if team not in teams:
            wrong.append(FieldError(f"/team_ids/{n}", "there is no such team"))
        elif team not in shared[0]:
            wrong.append(FieldError(f"/team_ids/{n}", "may not read this report: it is not shared with them"))
        elif team not in kept["team_ids"] and not owns and not policy.may_share_with_team(actor, team):
            wrong.append(FieldError(f"/team_ids/{n}", "is not a team of yours"))
    for n, role in enumerate(roles):
        if role not in shared[1]:
            wrong.append(FieldError(f"/roles/{n}", "may not read this report: it is not shared with them"))
        elif role not in kept["roles"] and not owns and not policy.may_share_with_role(actor):
            wrong.append(FieldError(f"/roles/{n}", "is sent to by the report's owner and administrators only"))
    if not wrong and len(await in_groups(session, source, team_ids, roles)) > MOST_IN_GROUPS:
        wrong.append(FieldError("/roles" if roles else "/team_ids", f"is more than {MOST_IN_GROUPS} people"))
    return wrong
