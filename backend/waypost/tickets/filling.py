"""A ticket's form, filled in: defaults, what its conditions show, and that what it names is there.

`catalog.forms` judges the values by themselves; here stands what needs the ticket or the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.catalog.answers import ids_in
from waypost.catalog.errors import FormNotFilled
from waypost.catalog.forms import check_fields, hidden_keys
from waypost.catalog.kinds import FieldKind
from waypost.catalog.showing import FACTS
from waypost.directory.models import Department, User
from waypost.kernel.errors import FieldError
from waypost.tickets.lifecycle import IN_REVIEW, Status
from waypost.tickets.models import Attachment, Ticket

Values = Mapping[str, Any]


def facts_of(ticket: Ticket, changes: Values | None = None) -> dict[str, Any]:
    """What a form's conditions may ask of a ticket, as it is or as it would be with `changes`."""
    facts = {name: getattr(ticket, name) for name in FACTS}
    return facts | {name: value for name, value in (changes or {}).items() if name in facts}


async def check_filled(
    session: AsyncSession,
    form: dict[str, Any],
    fields: dict[str, Any],
    *,
    facts: Values,
    is_draft: bool,
    ticket_id: int | None,
    before: Values | None = None,
) -> None:
    """Refuse fields that do not fit the form, or that name people, departments or files that are not there.

    What stood there `before` may stay: a person who has left since is no fault of who edits now. Raises `FormNotFilled`.
    """
    check_fields(form, fields, facts=facts, is_draft=is_draft)
    new = {key: value for key, value in fields.items() if before is None or before.get(key) != value}
    wrong: list[FieldError] = []
    people = ids_in(form, new, FieldKind.PERSON)
    if people:
        active = set(await session.scalars(select(User.id).where(User.id.in_(_all(people)), User.is_active)))
        wrong += _missing(people, active, "is nobody who works here")
    departments = ids_in(form, new, FieldKind.DEPARTMENT)
    if departments:
        known = set(await session.scalars(select(Department.id).where(Department.id.in_(_all(departments)))))
        wrong += _missing(departments, known, "is no department")
    files = ids_in(form, new, FieldKind.FILE)
    if _all(files):
        own = select(Attachment.id).where(Attachment.ticket_id == ticket_id, Attachment.visibility == "PUBLIC")
        found = set(await session.scalars(own.where(Attachment.id.in_(_all(files))))) if ticket_id else set()
        wrong += _missing(files, found, "holds a file that is not among the request's")
    if wrong:
        raise FormNotFilled(errors=tuple(wrong))


def _all(by_key: Mapping[str, list[int]]) -> list[int]:
    return [i for ids in by_key.values() for i in ids]


def _missing(by_key: Mapping[str, list[int]], there: set[int], message: str) -> Iterable[FieldError]:
    return [FieldError(f"/custom_fields/{key}", message) for key, ids in by_key.items() if not set(ids) <= there]


async def fit(
    session: AsyncSession, ticket: Ticket, form: dict[str, Any], changes: dict[str, Any], before: dict[str, Any]
) -> None:
    """Make a change fit the form, before it is done.

    Given fields are checked as the ticket would be. When something else of the ticket changes what the form asks for
    while it is written or judged, values that are asked for no more go, and new questions must have been answered.
    `before` are the fields as they read now (`sealed.opened`).
    """
    status = Status(ticket.status)
    is_draft = status is Status.DRAFT
    facts = facts_of(ticket, changes)
    if "custom_fields" in changes:
        fields = changes["custom_fields"]
    elif is_draft or status in IN_REVIEW:
        gone = hidden_keys(form, before, facts)
        if gone == hidden_keys(form, before, facts_of(ticket)):
            return
        fields = {key: value for key, value in before.items() if key not in gone}
        if fields != before:
            changes["custom_fields"] = fields
    else:
        return
    await check_filled(session, form, fields, facts=facts, is_draft=is_draft, ticket_id=ticket.id, before=before)
