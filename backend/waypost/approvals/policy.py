"""Who may see a step, whose it is to decide, and who may end an emergency without being asked.

Configuring workflows and reading their definitions are plain permissions, named by the routes.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import BigInteger, ColumnElement, and_, any_, func, or_
from sqlalchemy.dialects.postgresql import ARRAY

from waypost.access.actor import Actor
from waypost.access.permissions import Permission, Scope
from waypost.approvals.models import ApprovalStep, ApprovalWorkflow
from waypost.approvals.standing import steps_as_deputy
from waypost.approvals.states import ASKED

URGENT = 4  # of a subject's urgency, 1 to 4: it is critical


def may_read(actor: Actor, asked_ids: Collection[int]) -> bool:
    """Whether somebody sees a workflow because they are or were asked; who sees the subject sees it as well."""
    return actor.user_id in asked_ids


def is_urgent(step: ApprovalStep) -> bool:
    """Whether a step is part of an emergency."""
    return step.urgency >= URGENT


def may_break_glass(actor: Actor, workflow: ApprovalWorkflow) -> bool:
    """Whether an emergency is theirs to approve without being asked: as far as `approvals:break_glass` reaches, and
    never what they asked for, wrote or changed."""
    scope = actor.scope(Permission.APPROVALS_BREAK_GLASS)
    if scope is None or actor.user_id in workflow.barred_ids:
        return False
    subject = workflow.subject
    return (
        scope is Scope.ALL
        or (scope >= Scope.LINE and subject.get("requester_id") in actor.report_ids)
        or (scope >= Scope.DEPARTMENT and subject.get("department_id") in actor.department_ids)
    )


def theirs(actor: Actor, at: datetime) -> ColumnElement[bool]:
    """The open steps that are this person's to decide at an instant, as SQL: their own, and as a deputy."""
    as_deputy = func.array(steps_as_deputy(actor.user_id, at).scalar_subquery(), type_=ARRAY(BigInteger))
    is_open = ApprovalStep.status.in_([s.value for s in sorted(ASKED)])
    return and_(is_open, or_(ApprovalStep.approver_id == actor.user_id, ApprovalStep.id == any_(as_deputy)))
