"""Who may see a step, and whose it is to decide.

Configuring workflows and reading their definitions are plain permissions, named by the routes.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement

from waypost.access.actor import Actor
from waypost.approvals.models import ApprovalStep


def may_read(actor: Actor, asked_ids: Collection[int]) -> bool:
    """Whether somebody sees a workflow because they are or were asked; who sees the subject sees it as well."""
    return actor.user_id in asked_ids


def theirs(actor: Actor) -> ColumnElement[bool]:
    """The steps this person is the one to decide, as SQL."""
    return ApprovalStep.approver_id == actor.user_id
