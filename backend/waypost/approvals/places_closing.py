"""A team or department is closed: not while an approval would lose its approvers, or its condition its meaning."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals.definition import FIELDS
from waypost.approvals.mentions import Mentioned, mentioned
from waypost.approvals.models import ApprovalDefinition, ApprovalDefinitionVersion
from waypost.catalog.models import TicketType
from waypost.directory.errors import DepartmentInUse, TeamInUse
from waypost.directory.events import DepartmentDeleted, TeamDeleted
from waypost.kernel.conditions.fields import Field, form_fields
from waypost.kernel.events import Doer


async def on_team_deleted(session: AsyncSession, event: TeamDeleted, actor: Doer) -> None:
    """Raises `TeamInUse` while an active workflow names the team."""
    for name, found in await _in_force(session):
        if event.team_id in found.teams:
            raise TeamInUse(f"The workflow “{name[:80]}” asks it: change the workflow first.")


async def on_department_deleted(session: AsyncSession, event: DepartmentDeleted, actor: Doer) -> None:
    """Raises `DepartmentInUse` while an active workflow names the department."""
    for name, found in await _in_force(session):
        if event.department_id in found.departments:
            raise DepartmentInUse(f"The workflow “{name[:80]}” names it: change the workflow first.")


async def _in_force(session: AsyncSession) -> list[tuple[str, Mentioned]]:
    known: dict[str, Field] = {}
    for form in await session.scalars(select(TicketType.form)):
        known |= form_fields(form)
    fields = known | FIELDS
    version = ApprovalDefinitionVersion
    rows = await session.execute(
        select(ApprovalDefinition.name, version.document)
        .join(
            version, (version.definition_id == ApprovalDefinition.id) & (version.version == ApprovalDefinition.version)
        )
        .where(ApprovalDefinition.is_active)
        .order_by(ApprovalDefinition.name)
    )
    return [(name, mentioned(document, fields)) for name, document in rows]
