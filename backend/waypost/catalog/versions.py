"""The versions of a type's form: who changed what and when, and going back to an old one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.catalog.changes import form_changes
from waypost.catalog.errors import FormVersionNotFound, TicketTypeNotFound
from waypost.catalog.forms import check_form
from waypost.catalog.models import FormVersion, TicketType
from waypost.catalog.service import update_ticket_type
from waypost.directory.names import names
from waypost.kernel.clock import rfc3339
from waypost.kernel.paging import decode_cursor, encode_cursor


async def version_page(session: AsyncSession, key: str, *, cursor: str | None, limit: int) -> dict[str, Any]:
    """The form's versions, newest first, each with what it changed. Raises `TicketTypeNotFound`."""
    kind = await _type(session, key)
    statement = (
        select(FormVersion)
        .where(FormVersion.ticket_type_id == kind.id)
        .order_by(FormVersion.version.desc())
        .limit(limit + 1)
    )
    if cursor:
        (last,) = decode_cursor(cursor, "form-versions", int)
        statement = statement.where(FormVersion.version < last)
    rows = list((await session.scalars(statement)).all())
    page = rows[:limit]
    people = await names.people(session, [v.created_by_id for v in page])
    before = dict(zip([v.version for v in page], [*rows[1:], None][: len(page)], strict=True))
    items = [_json(v, before[v.version], kind, people) for v in page]
    following = encode_cursor("form-versions", page[-1].version) if len(rows) > limit else None
    return {"items": items, "next_cursor": following}


def _json(
    row: FormVersion, before: FormVersion | None, kind: TicketType, people: dict[int | None, dict[str, Any]]
) -> dict[str, Any]:
    return {
        "version": row.version,
        "created_at": rfc3339(row.created_at),
        "created_by": people.get(row.created_by_id),
        "note": row.note,
        "restored_from": row.restored_from,
        "is_current": row.version == kind.form_version,
        "changes": [] if before is None else form_changes(before.form, row.form),
    }


async def compared(session: AsyncSession, key: str, version: int, *, against: int | None) -> dict[str, Any]:
    """A version's form, and how it differs from another one (the current one when none is named).

    `changes` lead from the other one to this. Raises `TicketTypeNotFound` or `FormVersionNotFound`.
    """
    kind = await _type(session, key)
    row = await _version(session, kind, version)
    other = await _version(session, kind, against or kind.form_version)
    return {
        "version": row.version,
        "form": row.form,
        "against": other.version,
        "changes": form_changes(other.form, row.form),
    }


async def restore(
    session: AsyncSession, actor: Actor, key: str, form_version: int, *, version: int, note: str
) -> TicketType:
    """Make an old form the next version.

    Raises `TicketTypeNotFound`, `FormVersionNotFound`, `StaleVersion`, `BadForm`, `StepUpNeeded`.
    """
    actor.require(Permission.CATALOG_CONFIGURE)
    kind = await _type(session, key)
    row = await _version(session, kind, form_version)
    return await update_ticket_type(
        session, actor, key, version=version, note=note, restored_from=form_version, form=row.form
    )


async def check(session: AsyncSession, key: str | None, form: dict[str, Any]) -> dict[str, Any]:
    """The form as it would be kept, and what that changes for a type; nothing is stored. Raises `BadForm`."""
    kept = check_form(form, pointer="/form")
    current = (await _type(session, key)).form if key else {}
    return {"form": kept, "changes": form_changes(current, kept)}


async def _type(session: AsyncSession, key: str) -> TicketType:
    found = await session.scalar(select(TicketType).where(TicketType.key == key))
    if found is None:
        raise TicketTypeNotFound
    return found


async def _version(session: AsyncSession, kind: TicketType, version: int) -> FormVersion:
    found = await session.get(FormVersion, (kind.id, version))
    if found is None:
        raise FormVersionNotFound
    return found
