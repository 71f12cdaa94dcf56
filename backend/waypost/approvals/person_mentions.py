"""What of approvals names a person: workflows, standing delegations, and what waits for them (`directory/mentions.py`)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals.definition import FIELDS, Approver, ApproverKind, Definition
from waypost.approvals.definitions import parsed
from waypost.approvals.deputy_models import ApprovalDelegation
from waypost.approvals.mentions import mentioned
from waypost.approvals.models import ApprovalDefinition, ApprovalDefinitionVersion
from waypost.catalog.models import TicketType
from waypost.directory.mentions import MOST_NAMED, Mention
from waypost.directory.names import names
from waypost.kernel.clock import now
from waypost.kernel.conditions.fields import Field, Kind, form_fields
from waypost.kernel.conditions.tree import leaves


async def workflows_naming_person(session: AsyncSession, actor: Any, user_id: int) -> list[Mention]:
    """The active workflows that ask this person by name, or look at whether they are the requester."""
    current = (
        select(ApprovalDefinitionVersion)
        .join(ApprovalDefinition, ApprovalDefinition.id == ApprovalDefinitionVersion.definition_id)
        .where(ApprovalDefinition.is_active, ApprovalDefinitionVersion.version == ApprovalDefinition.version)
        .order_by(ApprovalDefinition.name, ApprovalDefinition.id)
    )
    found = []
    for row in await session.scalars(current):
        definition = parsed(row)
        if how := _how(definition, user_id):
            found.append(Mention("approval_workflow", row.definition_id, definition.name, how))
    drafts = select(ApprovalDefinition.id, ApprovalDefinition.name, ApprovalDefinition.draft)
    written = (await session.execute(drafts.where(ApprovalDefinition.draft.is_not(None)))).all()
    fields = await _fields(session) if written else {}
    found += [
        Mention("approval_workflow", definition_id, name, "draft")
        for definition_id, name, draft in sorted(written, key=lambda row: (row.name, row.id))
        if user_id in mentioned(draft, fields).people
    ]
    return found


async def _fields(session: AsyncSession) -> dict[str, Field]:
    known: dict[str, Field] = {}
    for form in await session.scalars(select(TicketType.form)):
        known |= form_fields(form)
    return known | FIELDS


def _how(definition: Definition, user_id: int) -> str | None:
    """What somebody is to a workflow; None when it does not name them."""

    def names_them(approver: Approver) -> bool:
        return approver.kind is ApproverKind.USER and approver.target == user_id

    if any(names_them(a) for s in definition.stages for a in s.approvers):
        return "approver"
    if any(names_them(a) for s in definition.stages for a in s.fallback):
        return "fallback"
    if any(s.escalation is not None and names_them(s.escalation.to) for s in definition.stages):
        return "escalation"
    for condition in (definition.condition, *(s.condition for s in definition.stages)):
        for leaf in leaves(condition):
            values = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
            is_person = leaf.field.name == "requester_id" or leaf.field.refers_to == "person"
            if leaf.field.kind is Kind.ID and is_person and user_id in values:
                return "condition"
    return None


async def delegations_naming_person(session: AsyncSession, actor: Any, user_id: int) -> list[Mention]:
    """The standing delegations of and to this person that are not over; they end when the person leaves."""
    rows = list(
        await session.scalars(
            select(ApprovalDelegation)
            .where(
                or_(ApprovalDelegation.delegator_id == user_id, ApprovalDelegation.delegate_id == user_id),
                ApprovalDelegation.cancelled_at.is_(None),
                ApprovalDelegation.ends_at > now(),
            )
            .order_by(ApprovalDelegation.starts_at, ApprovalDelegation.id)
            .limit(MOST_NAMED)
        )
    )
    people = await names.people(session, [i for r in rows for i in (r.delegator_id, r.delegate_id)])

    def mention(row: ApprovalDelegation) -> Mention:
        is_delegator = row.delegator_id == user_id
        other = people.get(row.delegate_id if is_delegator else row.delegator_id)
        return Mention(
            "delegation", row.id, other["name"] if other else "", "delegator" if is_delegator else "delegate"
        )

    return [mention(r) for r in rows]
