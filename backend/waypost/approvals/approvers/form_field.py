"""The person a form field names."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals.definition import Approver
from waypost.approvals.subject import Subject
from waypost.directory.queries import people_by_login
from waypost.kernel.ids import MAX_ID


async def find(session: AsyncSession, asks: Sequence[tuple[Approver, Subject]]) -> list[tuple[list[int], str]]:
    """By id, username or e-mail address; an empty field or an unknown person finds nobody."""
    named = [subject.custom_fields.get(str(rule.target)) for rule, subject in asks]
    known = await people_by_login(session, [v for v in named if isinstance(v, str)])
    return [(_ids(v, known), f"named in the field {rule.target}") for v, (rule, _) in zip(named, asks, strict=True)]


def _ids(value: object, known: dict[str, int]) -> list[int]:
    if isinstance(value, str):
        return [known[name]] if (name := value.strip().lower()) in known else []
    # a form that is still written may hold any number
    return [value] if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MAX_ID else []
