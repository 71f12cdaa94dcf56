"""Which approvals ask for a fresh proof of who approves: what is worth much, and emergencies, as the operator set it.

Refusing needs none, and neither does asking back or sending it up the line: a stolen screen can stop a request, not let
one through, nor choose who does.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import step_up
from waypost.access.actor import Actor
from waypost.access.factors import PASSKEY
from waypost.approvals.models import ApprovalWorkflow
from waypost.approvals.states import Verb
from waypost.kernel.settings import Settings, get_settings

# What lets a request through, or chooses who may.
ASKING = frozenset({Verb.APPROVE, Verb.DELEGATE, Verb.ADD_APPROVER})
CRITICAL = "CRITICAL"
REHEARSAL = "demo"  # the channel of the demo company's past: it is told, nobody decides it


def is_demanded(row: ApprovalWorkflow) -> bool:
    """Whether approving what this workflow judges asks for it."""
    return demands(get_settings(), row.subject, row.facts)


def demands(settings: Settings, subject: dict[str, Any], facts: dict[str, Any] | None) -> bool:
    """The same of plain values. An amount whose worth was not kept is judged like the largest of all."""
    if settings.step_up_emergencies and subject.get("priority") == CRITICAL:
        return True
    if settings.step_up_above is None or subject.get("amount") is None:
        return False
    worth = (facts or {}).get("v", {}).get("amount")
    return worth is None or Decimal(str(worth)) > settings.step_up_above


async def require(session: AsyncSession, actor: Actor, row: ApprovalWorkflow) -> str | None:
    """With what they showed within the last minutes that it is them; None when it is not asked for.

    A passkey counts for what it signed: one used for something else, as to sign in, does not stand for this decision.
    Raises `StepUpNeeded`.
    """
    if not is_demanded(row) or actor.channel == REHEARSAL:
        return None
    by = await step_up.proven_by(session, actor)
    if PASSKEY in by.split("+"):
        await step_up.refuse(session, actor)
    return by
