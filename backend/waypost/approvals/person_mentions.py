"""What of approvals names a person: workflows, standing delegations, and what waits for them (`directory/mentions.py`)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals.definition import FIELDS, Approver, Definition
from waypost.approvals.definitions import in_force
from waypost.approvals.deputy_models import ApprovalDelegation
from waypost.approvals.mentions import mentioned
from waypost.approvals.models import ApprovalDefinition
from waypost.catalog.models import TicketType
from waypost.directory.mentions import MOST_NAMED, Mention, shortened
from waypost.directory.names import names
from waypost.kernel.clock import now
from waypost.kernel.conditions.fields import Field, Kind, form_fields
from waypost.kernel.conditions.tree import leaves


async def workflows_naming_person(session: AsyncSession, actor: Any, user_id: int) -> list[Mention]:
    """The active workflows that ask this person by name, or look at whether they are the requester; then the drafts."""
    by_name = sorted(await in_force(session), key=lambda w: (w.definition.name, w.definition_id or 0))
    ways: dict[str, list[Mention]] = {}
    for workflow in by_name:
        if how := _how(workflow.definition, user_id):
            name = workflow.definition.name
            ways.setdefault(how, []).append(Mention("approval_workflow", workflow.definition_id, name, how))
    drafts = select(ApprovalDefinition.id, ApprovalDefinition.name, ApprovalDefinition.draft)
    written = (await session.execute(drafts.where(ApprovalDefinition.draft.is_not(None)))).all()
    fields = await _fields(session) if written else {}
    for definition_id, name, draft in sorted(written, key=lambda row: (row.name, row.id)):
        if user_id in mentioned(draft, fields).people:
            ways.setdefault("draft", []).append(Mention("approval_workflow", definition_id, name, "draft"))
    return [m for how, found in ways.items() for m in shortened(found, "approval_workflow", how, len(found))]


async def _fields(session: AsyncSession) -> dict[str, Field]:
    known: dict[str, Field] = {}
    for form in await session.scalars(select(TicketType.form)):
        known |= form_fields(form)
    return known | FIELDS


def _how(definition: Definition, user_id: int) -> str | None:
    """What somebody is to a workflow; None when it does not name them."""

    def names_them(approver: Approver) -> bool:
        return user_id in approver.named

    if any(names_them(a) for s in definition.stages for a in s.approvers):
        return "approver"
    if any(names_them(a) for s in definition.stages for a in s.fallback):
        return "fallback"
    if any(names_them(s.escalation.to) for s in definition.stages):
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
    theirs = or_(ApprovalDelegation.delegator_id == user_id, ApprovalDelegation.delegate_id == user_id)
    live = (theirs, ApprovalDelegation.cancelled_at.is_(None), ApprovalDelegation.ends_at > now())
    newest = select(ApprovalDelegation).where(*live).order_by(ApprovalDelegation.starts_at, ApprovalDelegation.id)
    rows = list(await session.scalars(newest.limit(MOST_NAMED)))
    people = await names.people(session, [i for r in rows for i in (r.delegator_id, r.delegate_id)])

    def mention(row: ApprovalDelegation) -> Mention:
        is_delegator = row.delegator_id == user_id
        other = people.get(row.delegate_id if is_delegator else row.delegator_id)
        return Mention(
            "delegation", row.id, other["name"] if other else "", "delegator" if is_delegator else "delegate"
        )

    found = [mention(r) for r in rows]
    if len(found) == MOST_NAMED:
        total = await session.scalar(select(func.count()).select_from(ApprovalDelegation).where(*live)) or 0
        found = shortened(found, "delegation", "delegate", total)
    return found
