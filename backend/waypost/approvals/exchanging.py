"""Exporting workflows as files, and importing them: looked at first, then kept as a draft or published."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals import called, drafting, exchange, publishing, surveying
from waypost.approvals import definition_queries as queries
from waypost.approvals.checking import Level, Problem
from waypost.approvals.comparing import compare
from waypost.approvals.errors import BadDefinition, DraftInTheWay, VersionNotFound
from waypost.approvals.measuring import check_size
from waypost.approvals.mentions import MOST, Called, mentioned
from waypost.approvals.models import ApprovalDefinition
from waypost.approvals.naming import called_in
from waypost.directory.models import Department, Team, User
from waypost.directory.names import names
from waypost.kernel.errors import FieldError, invalid_field
from waypost.kernel.events import Doer

NOTE = "Imported from a file"
FILE, WORKFLOW = "/file", "/file/workflow"
Json = dict[str, Any]


async def export(session: AsyncSession, definition_id: int, which: str | None) -> tuple[str, Json]:
    """The name of a workflow and its file. Raises `DefinitionNotFound`, `VersionNotFound` or `NoDraft`."""
    row, document = await queries.document_of(session, definition_id, which)
    if not document and which != queries.DRAFT:
        raise VersionNotFound  # of what was never published
    fields = (await surveying.forms(session)).fields
    named = mentioned(document, fields)
    people, teams, departments = await names.all(
        session, people=named.people, teams=named.teams, departments=named.departments
    )
    called = Called(
        people={i: ref["username"] for i, ref in people.items() if i is not None},
        teams={i: ref["name"] for i, ref in teams.items() if i is not None},
        departments={i: ref["name"] for i, ref in departments.items() if i is not None},
        fields=fields,
    )
    return row.name, exchange.to_file(document, called)


async def import_file(
    session: AsyncSession, actor: Doer, file: Json, *, dry_run: bool, publish: bool, replace_draft: bool
) -> Json:
    """What a file would create or change, with what is wrong with it; without `dry_run` it is kept as a draft, or
    published. A workflow of the same name is changed.

    Raises `BadDefinition` for what is no workflow's file, and for every mistake when it is to be kept; `SameName`,
    `DraftInTheWay`.
    """
    faults = exchange.header_faults(file)
    if faults:
        raise _refusal(faults, FILE)
    check_size(file["workflow"], FILE)
    fields = (await surveying.forms(session)).fields
    said = exchange.names_in(file["workflow"], fields)
    if sum(map(len, said.values())) > MOST:
        raise invalid_field(WORKFLOW, f"must not name more than {MOST} people, teams and departments")
    if not dry_run:
        await called.one_at_a_time(session)
    ids = await _ids(session, said)
    document, faults = exchange.from_file(file["workflow"], ids, fields)
    row = await _of_this_name(session, document.get("name"), lock=not dry_run)
    if not faults:
        faults = [
            replace(p, pointer=exchange.place_in_file(p.pointer)) for p in await queries.checked(session, document, row)
        ]
    errors = [p for p in faults if p.level is Level.ERROR]
    before = {} if row is None else (await queries.document_of(session, row.id, None))[1]
    changes = [] if errors else compare(before, document, await called_in(session, before, document))
    has_draft = row is not None and row.draft_at is not None
    if not dry_run:
        if errors:
            raise _refusal(errors, WORKFLOW)
        if changes:
            if has_draft and not replace_draft and not publish:
                raise DraftInTheWay
            row = await _keep(session, actor, row, document, publish=publish)
    return {
        "action": "none" if errors or not changes else "create" if not before else "change",
        "is_kept": not dry_run and bool(changes),
        "workflow_id": row.id if row else None,
        "name": document.get("name") if isinstance(document.get("name"), str) else None,
        "has_draft": has_draft,
        "changes": [asdict(c) | {"pointer": f"{WORKFLOW}{c.pointer}"} for c in changes],
        "problems": [queries.problem_json(p) | {"pointer": f"{WORKFLOW}{p.pointer}"} for p in faults],
    }


async def _keep(
    session: AsyncSession, actor: Doer, row: ApprovalDefinition | None, document: Json, *, publish: bool
) -> ApprovalDefinition:
    if row is None:
        add = publishing.create_definition if publish else drafting.begin_draft
        return await add(session, actor, document)
    if publish:
        return await publishing.change_definition(
            session, actor, row.id, version=row.version, document=document, note=NOTE
        )
    await drafting.keep_draft(session, actor, row.id, document=document, draft_version=row.draft_version)
    return row


async def _of_this_name(session: AsyncSession, name: object, *, lock: bool) -> ApprovalDefinition | None:
    """The workflow a file stands for, locked when it is to be changed. Raises `SameName` when several could be meant."""
    if not isinstance(name, str):
        return None
    definition_id = await called.meant_by(session, name, f"{WORKFLOW}/name")
    if definition_id is None:
        return None
    return await (publishing.locked(session, definition_id) if lock else session.get(ApprovalDefinition, definition_id))


async def _ids(session: AsyncSession, said: dict[str, set[str]]) -> exchange.Ids:
    async def read(key: Any, id_: Any, wanted: set[str]) -> dict[str, int]:
        rows = await session.execute(select(key, id_).where(key.in_(wanted))) if wanted else ()
        return {row[0]: row[1] for row in rows}

    return exchange.Ids(
        person=await read(func.lower(User.username), User.id, {n.lower() for n in said["person"]}),
        team=await read(Team.name, Team.id, said["team"]),
        department=await read(Department.name, Department.id, said["department"]),
    )


def _refusal(faults: list[Problem], place: str) -> BadDefinition:
    errors = tuple(FieldError(f"{place}{p.pointer}", p.message) for p in faults)
    return BadDefinition("This file cannot be imported as it is.", errors=errors)
