"""The person a form field names."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals.definition import Approver
from waypost.approvals.subject import Subject
from waypost.directory.models import User
from waypost.directory.queries import by_login


async def find(session: AsyncSession, rule: Approver, subject: Subject) -> tuple[list[int], str]:
    """By id, username or e-mail address; an empty field or an unknown person finds nobody."""
    why = f"named in the field {rule.target}"
    value = subject.custom_fields.get(str(rule.target))
    if isinstance(value, int) and not isinstance(value, bool):
        return [value], why
    if isinstance(value, str) and value.strip():
        found = await session.scalar(select(User.id).where(by_login(value.strip())))
        return [] if found is None else [found], why
    return [], why
