"""The head of the requester's department, or of a named one."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals.definition import Approver
from waypost.approvals.subject import Subject
from waypost.directory.queries import department_heads


async def find(session: AsyncSession, asks: Sequence[tuple[Approver, Subject]]) -> list[tuple[list[int], str]]:
    """The active head; a department without one is answered for by the department above."""
    wanted = [rule.department_id or subject.department_id for rule, subject in asks]
    heads = await department_heads(session, wanted)
    return [([heads[d]] if d in heads else [], "head of the department") for d in wanted]
