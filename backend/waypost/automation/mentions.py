"""The rules that name a person, a team, a role or a form's field, for whoever takes one of these away."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.models import Role
from waypost.automation.rules import Do, Rule
from waypost.automation.running import every_rule
from waypost.catalog.models import TicketType
from waypost.catalog.uses import Use
from waypost.directory.errors import DepartmentInUse, TeamInUse
from waypost.directory.events import DepartmentDeleted, TeamDeleted
from waypost.directory.mentions import Mention, shortened
from waypost.kernel.conditions.fields import CUSTOM
from waypost.kernel.conditions.tree import leaves
from waypost.kernel.events import Doer

KIND = "automation_rule"


async def rules_naming_person(session: AsyncSession, actor: Any, user_id: int) -> list[Mention]:
    """The rules that give work to this person, tell them, or look for them."""
    found = []
    for rule in await every_rule(session):
        if any(a.do is Do.ASSIGN and a.values.get("user_id") == user_id for a in rule.actions):
            found.append(Mention(KIND, rule.id, rule.name, "assignee"))
        elif _tells(rule, "PERSON", user_id):
            found.append(Mention(KIND, rule.id, rule.name, "told"))
        elif _looks_for(rule, user_id, "person"):
            found.append(Mention(KIND, rule.id, rule.name, "condition"))
    return shortened(found, KIND, "assignee", len(found))


async def rules_naming_field(session: AsyncSession, kind: TicketType, key: str) -> list[Use]:
    """The rules that look at a form's field, follow it, count from it or fill it in."""
    name = f"{CUSTOM}{key}"
    return [
        Use(KIND, rule.id, rule.name)
        for rule in await every_rule(session)
        if any(leaf.field.name == name for leaf in leaves(rule.condition))
        or name in rule.trigger.fields
        or rule.trigger.date_field == name
        or any(a.do is Do.SET_FIELD and a.values["field"] == name for a in rule.actions)
    ]


async def rules_naming_role(session: AsyncSession, role_key: str) -> list[str]:
    """The rules that tell those with a role, in words."""
    role_id = await session.scalar(select(Role.id).where(Role.key == role_key))
    if role_id is None:
        return []
    return [f"the rule “{rule.name}”" for rule in await every_rule(session) if _tells(rule, "ROLE", role_id)]


async def on_team_deleted(session: AsyncSession, event: TeamDeleted, actor: Doer) -> None:
    """A team is closed. Raises `TeamInUse` when a rule gives it work, or looks for it."""
    for rule in await every_rule(session):
        if any(a.values.get("team_id") == event.team_id for a in rule.actions):
            raise TeamInUse(f"The automation rule “{rule.name[:80]}” gives it work: change the rule first.")
        if _looks_for(rule, event.team_id, "team"):
            raise TeamInUse(f"The automation rule “{rule.name[:80]}” looks for it: change the rule first.")


async def on_department_deleted(session: AsyncSession, event: DepartmentDeleted, actor: Doer) -> None:
    """A department is closed. Raises `DepartmentInUse` when a rule looks for it."""
    for rule in await every_rule(session):
        if _looks_for(rule, event.department_id, "department"):
            raise DepartmentInUse(f"The automation rule “{rule.name[:80]}” looks for it: change the rule first.")


_PLAIN = {"requester_id": "person", "assignee_id": "person", "team_id": "team", "department_id": "department"}


def _tells(rule: Rule, kind: str, known: int) -> bool:
    told = [to for a in rule.actions if a.do is Do.NOTIFY for to in a.values["to"]]
    return any(to["kind"] == kind and to.get("id") == known for to in told)


def _looks_for(rule: Rule, known: int, refers_to: str) -> bool:
    return any(
        known in (leaf.value if isinstance(leaf.value, tuple) else (leaf.value,))
        for leaf in leaves(rule.condition)
        if refers_to in (leaf.field.refers_to, _PLAIN.get(leaf.field.name))
    )
