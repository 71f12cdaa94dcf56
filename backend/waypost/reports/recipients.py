"""Who gets an export: people by name, and whoever is in a team or has a role in the moment it is sent."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.models import Role, UserRole, held
from waypost.access.permissions import Permission
from waypost.access.queries import actors_of_users
from waypost.directory.models import Team, TeamMember
from waypost.kernel.errors import FieldError
from waypost.reports import policy
from waypost.reports.export_errors import MOST_IN_GROUPS
from waypost.reports.saved_models import SavedReport
from waypost.reports.schedule_models import ExportSchedule


def may_get(actor: Actor, report: SavedReport) -> bool:
    """Whether somebody may be sent a report."""
    return actor.may(Permission.REPORTS_READ) and policy.may_see(actor, report)


async def people_of(session: AsyncSession, schedule: ExportSchedule, report: SavedReport) -> list[int]:
    """Whom a schedule is for now, each once: who is named, then who is in its teams and roles and may get the report."""
    return list(
        dict.fromkeys([*schedule.person_ids, *await in_groups(session, report, schedule.team_ids, schedule.roles)])
    )


async def in_groups(
    session: AsyncSession, report: SavedReport, team_ids: Collection[int], roles: Collection[str]
) -> list[int]:
    """Who is in these teams or has one of these roles now, works here and may get the report, by number."""
    if not team_ids and not roles:
        return []
    members = select(TeamMember.user_id).where(TeamMember.team_id.in_(team_ids))
    holders = select(UserRole.user_id).join(Role, Role.id == UserRole.role_id).where(Role.key.in_(roles), held())
    ids = set(await session.scalars(members.union(holders)))
    actors = await actors_of_users(session, ids)
    return sorted(i for i, actor in actors.items() if may_get(actor, report))


async def group_faults(
    session: AsyncSession, actor: Actor, report: SavedReport, kept: dict[str, Any], values: dict[str, Any]
) -> list[FieldError]:
    """What is wrong with the teams and roles named; `kept` are those named before, which stay whoever changes the rest.

    A team or role gets a report that is shared with it: a team from its members, all of it from the report's owner and
    administrators of views.
    """
    team_ids, roles = values["team_ids"], values["roles"]
    teams = set(await session.scalars(select(Team.id).where(Team.id.in_(team_ids)))) if team_ids else set()
    owns = policy.may_change(actor, report)
    wrong = []
    for n, team in enumerate(team_ids):
        if team not in teams:
            wrong.append(FieldError(f"/team_ids/{n}", "there is no such team"))
        elif team not in report.team_ids:
            wrong.append(FieldError(f"/team_ids/{n}", "may not read this report: it is not shared with them"))
        elif team not in kept["team_ids"] and not owns and not policy.may_share_with_team(actor, team):
            wrong.append(FieldError(f"/team_ids/{n}", "is not a team of yours"))
    for n, role in enumerate(roles):
        if role not in report.roles:
            wrong.append(FieldError(f"/roles/{n}", "may not read this report: it is not shared with them"))
        elif role not in kept["roles"] and not owns and not policy.may_share_with_role(actor):
            wrong.append(FieldError(f"/roles/{n}", "is sent to by the report's owner and administrators only"))
    if not wrong and len(await in_groups(session, report, team_ids, roles)) > MOST_IN_GROUPS:
        wrong.append(FieldError("/roles" if roles else "/team_ids", f"is more than {MOST_IN_GROUPS} people"))
    return wrong
