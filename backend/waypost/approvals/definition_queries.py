"""Reading workflow definitions: the list, one, its draft, its versions."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from waypost.approvals import surveying
from waypost.approvals.checking import Problem, warning
from waypost.approvals.comparing import compare
from waypost.approvals.errors import DefinitionNotFound, NoDraft, VersionNotFound
from waypost.approvals.models import ApprovalDefinition, ApprovalDefinitionVersion
from waypost.approvals.naming import called_in
from waypost.directory.names import names
from waypost.kernel.clock import rfc3339
from waypost.kernel.paging import after, decode_cursor, encode_cursor

Json = dict[str, Any]
DRAFT = "draft"


def _definition_json(row: ApprovalDefinition, document: Json | None) -> Json:
    return {
        "id": row.id,
        "version": row.version,
        "is_active": row.is_active,
        "has_draft": row.draft_at is not None,
        "condition": None,
        "stages": [],
        "one_by_one_above": None,
        **(document or {}),
        "name": row.name,
        "updated_at": rfc3339(row.updated_at),
    }


def _definitions() -> Select[ApprovalDefinition, Json | None]:
    return select(ApprovalDefinition, ApprovalDefinitionVersion.document).outerjoin(
        ApprovalDefinitionVersion,
        (ApprovalDefinitionVersion.definition_id == ApprovalDefinition.id)
        & (ApprovalDefinitionVersion.version == ApprovalDefinition.version),
    )


async def definition_page(session: AsyncSession, *, cursor: str | None, limit: int) -> Json:
    """Workflow definitions by name: `{items, next_cursor}`. One that was never published has no stages."""
    statement = _definitions().order_by(ApprovalDefinition.name, ApprovalDefinition.id).limit(limit + 1)
    if cursor:
        name, definition_id = decode_cursor(cursor, "definitions", str, int)
        statement = statement.where(
            after([(ApprovalDefinition.name, name, False), (ApprovalDefinition.id, definition_id, False)])
        )
    rows = (await session.execute(statement)).all()
    end = rows[limit - 1][0] if len(rows) > limit else None
    return {
        "items": [_definition_json(*r) for r in rows[:limit]],
        "next_cursor": encode_cursor("definitions", end.name, end.id) if end else None,
    }


async def definition(session: AsyncSession, definition_id: int) -> Json:
    """One definition as it is in force. Raises `DefinitionNotFound`."""
    row = (await session.execute(_definitions().where(ApprovalDefinition.id == definition_id))).first()
    if row is None:
        raise DefinitionNotFound
    return _definition_json(row[0], row[1])


async def must_be_there(session: AsyncSession, definition_id: int) -> None:
    """Raises `DefinitionNotFound`."""
    if await session.scalar(select(ApprovalDefinition.id).where(ApprovalDefinition.id == definition_id)) is None:
        raise DefinitionNotFound


async def draft(session: AsyncSession, definition_id: int) -> Json:
    """What is being written, with what is wrong with it; where nothing is, what is in force. Raises
    `DefinitionNotFound`."""
    statement = _definitions().where(ApprovalDefinition.id == definition_id)
    found = (await session.execute(statement.options(undefer(ApprovalDefinition.draft)))).first()
    if found is None:
        raise DefinitionNotFound
    row, published = found
    document: Json = (published if row.draft is None else row.draft) or {}
    people = await names.people(session, [row.draft_by_id])
    return {
        "document": document,
        "draft_version": row.draft_version,
        "is_kept": row.draft is not None,
        "based_on": row.version if row.draft_base is None else row.draft_base,
        "saved_at": row.draft_at and rfc3339(row.draft_at),
        "saved_by": people.get(row.draft_by_id),
        "problems": await problems_of(session, document, row),
    }


async def checked(session: AsyncSession, document: Json, row: ApprovalDefinition | None) -> list[Problem]:
    """What is wrong with a document that may become the next version of a workflow, or a workflow of its own."""
    is_off = row is not None and row.version > 0 and not row.is_active
    return (await surveying.check(session, document, own_id=row.id if row else None, is_off=is_off)).problems


async def problems_of(session: AsyncSession, document: Json, row: ApprovalDefinition | None = None) -> list[Json]:
    """The same ready for JSON, and whether somebody published in the meantime."""
    found = await checked(session, document, row)
    if row is not None and row.draft_base is not None and row.draft_base < row.version:
        told = f"Version {row.version} was published after this draft was begun; publishing takes its changes back."
        found = [warning("", "outdated_base", told), *found]
    return [problem_json(p) for p in found]


async def check(session: AsyncSession, document: Json, definition_id: int | None) -> list[Json]:
    """What is wrong with a document that may become the next version of a workflow. Raises `DefinitionNotFound`."""
    row = None if definition_id is None else await session.get(ApprovalDefinition, definition_id)
    if definition_id is not None and row is None:
        raise DefinitionNotFound
    return await problems_of(session, document, row)


def problem_json(problem: Problem) -> Json:
    """A problem, ready for JSON."""
    return {
        "pointer": problem.pointer,
        "level": problem.level.value,
        "code": problem.code,
        "message": problem.message,
    }


async def version_page(session: AsyncSession, definition_id: int, *, cursor: str | None, limit: int) -> Json:
    """The versions of a definition, newest first: `{items, next_cursor}`. Raises `DefinitionNotFound`."""
    await must_be_there(session, definition_id)
    kept = ApprovalDefinitionVersion
    columns = (kept.version, kept.note, kept.restored_from, kept.created_by_id, kept.created_at)
    statement = (
        select(*columns).where(kept.definition_id == definition_id).order_by(kept.version.desc()).limit(limit + 1)
    )
    if cursor:
        (last,) = decode_cursor(cursor, "versions", int)
        statement = statement.where(kept.version < last)
    rows = (await session.execute(statement)).all()
    people = await names.people(session, [r.created_by_id for r in rows[:limit]])
    return {
        "items": [_version_json(r, people) for r in rows[:limit]],
        "next_cursor": encode_cursor("versions", rows[limit - 1].version) if len(rows) > limit else None,
    }


def _version_json(row: Any, people: dict[int | None, Json]) -> Json:
    return {
        "version": row.version,
        "note": row.note,
        "restored_from": row.restored_from,
        "published_by": people.get(row.created_by_id),
        "published_at": rfc3339(row.created_at),
    }


async def one_version(session: AsyncSession, definition_id: int, version: int) -> Json:
    """A version as it was published. Raises `DefinitionNotFound` or `VersionNotFound`."""
    await must_be_there(session, definition_id)
    row = await session.get(ApprovalDefinitionVersion, (definition_id, version))
    if row is None:
        raise VersionNotFound
    people = await names.people(session, [row.created_by_id])
    return {**_version_json(row, people), "document": row.document}


async def comparison(session: AsyncSession, definition_id: int, before: str | None, after: str) -> Json:
    """What differs between two versions, or a version and the draft, in words. `before` is the current one if not said.

    Raises `DefinitionNotFound`, `VersionNotFound` or `NoDraft`.
    """
    _, old = await document_of(session, definition_id, before)
    _, new = await document_of(session, definition_id, after)
    return {"changes": [asdict(change) for change in compare(old, new, await called_in(session, old, new))]}


async def document_of(session: AsyncSession, definition_id: int, which: str | None) -> tuple[ApprovalDefinition, Json]:
    """A workflow with what a version of it says, or its `draft`; without `which`, the version in force.

    Raises `DefinitionNotFound`, `VersionNotFound` or `NoDraft`.
    """
    statement = select(ApprovalDefinition).where(ApprovalDefinition.id == definition_id)
    row = await session.scalar(statement.options(undefer(ApprovalDefinition.draft)))
    if row is None:
        raise DefinitionNotFound
    if which == DRAFT:
        if row.draft is None:
            raise NoDraft
        return row, row.draft
    version = row.version if which is None else min(int(which), 2**31 - 1)
    if version == 0:
        return row, {}  # what was never published said nothing
    kept = await session.get(ApprovalDefinitionVersion, (row.id, version))
    if kept is None:
        raise VersionNotFound
    return row, kept.document
