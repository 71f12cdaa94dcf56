"""The workflows that ask a role: asked before the role is removed."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals.definition import ApproverKind
from waypost.approvals.definitions import in_force
from waypost.approvals.mentions import rules_in
from waypost.approvals.models import ApprovalDefinition


async def workflows_naming_role(session: AsyncSession, role_key: str) -> list[str]:
    """The workflows in force that find approvers by this role, then the drafts, in words."""
    found = []
    for workflow in sorted(await in_force(session), key=lambda w: w.definition.name):
        rules = [a for s in workflow.definition.stages for a in (*s.approvers, *s.fallback, s.escalation.to)]
        if any(a.kind is ApproverKind.ROLE and a.target == role_key for a in rules):
            found.append(f"the workflow “{workflow.definition.name}”")
    drafts = select(ApprovalDefinition.name, ApprovalDefinition.draft).where(ApprovalDefinition.draft.is_not(None))
    for name, draft in await session.execute(drafts.order_by(ApprovalDefinition.name)):
        if any(rule.get("role") == role_key for _, rule in rules_in(draft)):
            found.append(f"the draft of the workflow “{name}”")
    return found
