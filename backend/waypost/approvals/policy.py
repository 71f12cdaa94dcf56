"""Who may see a step, and whose it is to decide.

Configuring workflows and reading their definitions are plain permissions, named by the routes.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import BigInteger, ColumnElement, and_, any_, func, or_
from sqlalchemy.dialects.postgresql import ARRAY

from waypost.access.actor import Actor
from waypost.approvals.models import ApprovalStep
from waypost.approvals.standing import steps_as_deputy
from waypost.approvals.states import ASKED


def may_read(actor: Actor, asked_ids: Collection[int]) -> bool:
    """Whether somebody sees a workflow because they are or were asked; who sees the subject sees it as well."""
    return actor.user_id in asked_ids


def theirs(actor: Actor, at: datetime) -> ColumnElement[bool]:
    """The open steps that are this person's to decide at an instant, as SQL: their own, and as a deputy."""
    as_deputy = func.array(steps_as_deputy(actor.user_id, at).scalar_subquery(), type_=ARRAY(BigInteger))
    is_open = ApprovalStep.status.in_([s.value for s in sorted(ASKED)])
    return and_(is_open, or_(ApprovalStep.approver_id == actor.user_id, ApprovalStep.id == any_(as_deputy)))
