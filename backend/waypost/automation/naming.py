"""What the people, teams, roles and workflows in rules' actions are called."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.models import Role
from waypost.approvals.named import names_of
from waypost.automation.rules import Action, Caller, Do
from waypost.directory.names import names


async def caller(session: AsyncSession, actions: Sequence[Action]) -> Caller:
    """For `rules.said`; a few look-ups at most, whatever the number of actions."""
    told = [to for a in actions if a.do is Do.NOTIFY for to in a.values["to"]]
    people = [a.values.get("user_id") for a in actions] + [to.get("id") for to in told if to["kind"] == "PERSON"]
    teams = [a.values.get("team_id") for a in actions]
    roles = [to.get("id") for to in told if to["kind"] == "ROLE"]
    of_people, of_teams = await names.people(session, people), await names.teams(session, teams)
    of_roles = {}
    if roles:
        rows = await session.execute(select(Role.id, Role.name).where(Role.id.in_(r for r in roles if r)))
        of_roles = {row.id: row.name for row in rows}

    workflows = [a.values["workflow_id"] for a in actions if a.do is Do.START_APPROVAL]
    of_workflows = await names_of(session, workflows) if workflows else {}

    def call(kind: str, known: int | None) -> str:
        if kind == "workflow":
            return f"“{of_workflows.get(known or 0, f'#{known}')}”"
        if kind == "role":
            return f"those with the role {of_roles.get(known or 0, f'#{known}')}"
        found = (of_people if kind == "person" else of_teams).get(known)
        return str(found["name"]) if found else f"#{known}"

    return call
