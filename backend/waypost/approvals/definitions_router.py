"""`/approval-workflows`: the workflows in force, writing the next version of one, and its history."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.permissions import Permission
from waypost.approvals import definition_queries as queries
from waypost.approvals import drafting, exchanging, publishing
from waypost.approvals.definitions_schemas import (
    ActiveBody,
    CheckBody,
    Checked,
    Comparison,
    DefinitionPage,
    DefinitionRead,
    DefinitionUpdate,
    DefinitionWrite,
    Draft,
    DraftWrite,
    ImportBody,
    Imported,
    PublishBody,
    RestoreBody,
    VersionDocument,
    VersionPage,
    WorkflowFile,
)
from waypost.approvals.errors import (
    BadDefinition,
    DefinitionNotFound,
    DraftInTheWay,
    NoDraft,
    NotPublished,
    SameName,
    VersionNotFound,
)
from waypost.directory.errors import NameTaken
from waypost.kernel.conditions.tree import InvalidCondition
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.errors import StaleVersion
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import PathId, path_id
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit

router = APIRouter(route_class=StrictRoute, prefix="/approval-workflows", tags=["Workflows"])
Reader = Annotated[Actor, permit(Permission.APPROVALS_READ_DEFINITIONS)]
Configurer = Annotated[Actor, permit(Permission.APPROVALS_CONFIGURE)]
Which = Annotated[str, Field(pattern=r"^(draft|0|[1-9][0-9]{0,9})$", examples=["3"])]
VersionNumber = Annotated[int, Path(ge=1, le=2**31 - 1)]
_BAD = problems(DefinitionNotFound, BadDefinition, InvalidCondition, NameTaken)


async def is_there(request: Request) -> None:
    """404 before a 422."""
    definition_id = path_id(request.path_params.get("definition_id"))
    async with database().read() as session:
        await queries.must_be_there(session, definition_id)


@router.get("", response_model=DefinitionPage)
async def workflows(session: ReadSession, _: Reader, limit: Limit = 25, cursor: Cursor = None) -> Response:
    """The workflow definitions, by name."""
    return json_response(await queries.definition_page(session, cursor=cursor, limit=limit))


@router.post(
    "", status_code=201, response_model=DefinitionRead, responses=problems(BadDefinition, InvalidCondition, NameTaken)
)
async def create_workflow(body: DefinitionWrite, session: WriteSession, actor: Configurer, once: OnceOnly) -> Response:
    """Define a workflow, in force at once; or only begin to write one."""

    async def work() -> Response:
        add = publishing.create_definition if body.publish else drafting.begin_draft
        made = await add(session, actor, body.document())
        return json_response(await queries.definition(session, made.id), 201)

    return await once.answer(session, actor.user_id, work)


@router.post("/check", response_model=Checked, responses=problems(DefinitionNotFound))
async def check_workflow(body: CheckBody, session: ReadSession, _: Configurer) -> Response:
    """What is wrong with a workflow, finished or not, before anybody keeps it."""
    return json_response({"problems": await queries.check(session, body.document, body.workflow_id)})


@router.post("/import", response_model=Imported, responses=problems(BadDefinition, SameName, DraftInTheWay))
async def import_workflow(body: ImportBody, session: WriteSession, actor: Configurer, once: OnceOnly) -> Response:
    """What a workflow's file would create or change; and, without `dry_run`, do it."""

    async def work() -> Response:
        return json_response(
            await exchanging.import_file(
                session,
                actor,
                body.file,
                dry_run=body.dry_run,
                publish=body.publish,
                replace_draft=body.replace_draft,
            )
        )

    return await once.answer(session, actor.user_id, work)


@router.get("/{definition_id}", response_model=DefinitionRead, responses=problems(DefinitionNotFound))
async def workflow(definition_id: PathId, session: ReadSession, _: Reader) -> Response:
    """One workflow definition in its current version."""
    return json_response(await queries.definition(session, definition_id))


@router.put("/{definition_id}", response_model=DefinitionRead, responses=_BAD | problems(StaleVersion))
@guarded(is_there)
async def change_workflow(
    definition_id: PathId, body: DefinitionUpdate, session: WriteSession, actor: Configurer
) -> Response:
    """Give a workflow its next version; what runs keeps the one it began with."""
    await publishing.change_definition(
        session, actor, definition_id, version=body.version, document=body.document(), note=body.note
    )
    return json_response(await queries.definition(session, definition_id))


# --- drafts -----------------------------------------------------------------------------------------------------------


@router.get("/{definition_id}/draft", response_model=Draft, responses=problems(DefinitionNotFound))
async def workflow_draft(definition_id: PathId, session: ReadSession, _: Reader) -> Response:
    """What is being written of the next version, and what is wrong with it."""
    return json_response(await queries.draft(session, definition_id))


@router.put(
    "/{definition_id}/draft", response_model=Draft, responses=problems(DefinitionNotFound, BadDefinition, StaleVersion)
)
@guarded(is_there)
async def keep_workflow_draft(
    definition_id: PathId, body: DraftWrite, session: WriteSession, actor: Configurer
) -> Response:
    """Keep what was written, finished or not."""
    await drafting.keep_draft(session, actor, definition_id, document=body.document, draft_version=body.draft_version)
    return json_response(await queries.draft(session, definition_id))


@router.delete("/{definition_id}/draft", status_code=204, responses=problems(DefinitionNotFound, NoDraft, StaleVersion))
@guarded(is_there)
async def discard_workflow_draft(
    definition_id: PathId,
    session: WriteSession,
    actor: Configurer,
    draft_version: Annotated[int | None, Query(ge=0, le=2**31 - 1, description="The draft's version you read.")] = None,
) -> Response:
    """Throw away what was written. A workflow that was never published is gone with it."""
    await drafting.discard_draft(session, actor, definition_id, draft_version=draft_version)
    return Response(status_code=204)


@router.post(
    "/{definition_id}/publish", response_model=DefinitionRead, responses=_BAD | problems(NoDraft, StaleVersion)
)
@guarded(is_there)
async def publish_workflow(
    definition_id: PathId, body: PublishBody, session: WriteSession, actor: Configurer, once: OnceOnly
) -> Response:
    """Make the draft the next version; what runs keeps the one it began with."""

    async def work() -> Response:
        await publishing.publish_draft(session, actor, definition_id, draft_version=body.draft_version, note=body.note)
        return json_response(await queries.definition(session, definition_id))

    return await once.answer(session, actor.user_id, work)


# --- versions ---------------------------------------------------------------------------------------------------------


@router.put(
    "/{definition_id}/active",
    response_model=DefinitionRead,
    responses=problems(DefinitionNotFound, NotPublished, StaleVersion, NameTaken),
)
@guarded(is_there)
async def activate_workflow(
    definition_id: PathId, body: ActiveBody, session: WriteSession, actor: Configurer
) -> Response:
    """Let new requests be judged by it, or not any more; what runs goes on."""
    await publishing.set_active(session, actor, definition_id, is_active=body.is_active, version=body.version)
    return json_response(await queries.definition(session, definition_id))


@router.get("/{definition_id}/versions", response_model=VersionPage, responses=problems(DefinitionNotFound))
async def workflow_versions(
    definition_id: PathId, session: ReadSession, _: Reader, limit: Limit = 25, cursor: Cursor = None
) -> Response:
    """Who published what and why, newest first."""
    return json_response(await queries.version_page(session, definition_id, cursor=cursor, limit=limit))


@router.get(
    "/{definition_id}/versions/{version}",
    response_model=VersionDocument,
    responses=problems(DefinitionNotFound, VersionNotFound),
)
async def workflow_version(definition_id: PathId, version: VersionNumber, session: ReadSession, _: Reader) -> Response:
    """A version as it was published."""
    return json_response(await queries.one_version(session, definition_id, version))


@router.get(
    "/{definition_id}/compare",
    response_model=Comparison,
    responses=problems(DefinitionNotFound, VersionNotFound, NoDraft),
)
async def compare_workflow(
    definition_id: PathId,
    session: ReadSession,
    _: Reader,
    before: Annotated[Which | None, Query(alias="from", description="Without it, the version in force.")] = None,
    after: Annotated[Which, Query(alias="to", description="A version, or the draft.")] = queries.DRAFT,
) -> Response:
    """What differs between two versions, or a version and the draft, in words."""
    return json_response(await queries.comparison(session, definition_id, before, after))


@router.get(
    "/{definition_id}/export",
    response_model=WorkflowFile,
    responses=problems(DefinitionNotFound, VersionNotFound, NoDraft),
)
async def export_workflow(
    definition_id: PathId,
    session: ReadSession,
    _: Reader,
    which: Annotated[
        Which | None, Query(alias="version", description="A version, or the draft; without it, the one in force.")
    ] = None,
) -> Response:
    """A workflow as a file, with names instead of ids."""
    name, file = await exchanging.export(session, definition_id, which)
    ascii_name = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower() or "workflow"
    headers = {"Content-Disposition": f'attachment; filename="{ascii_name}.json"'}
    return Response(msgspec.json.format(msgspec.json.encode(file)), headers=headers, media_type="application/json")


@router.post("/{definition_id}/restore", response_model=DefinitionRead, responses=_BAD | problems(VersionNotFound))
@guarded(is_there)
async def restore_workflow(
    definition_id: PathId, body: RestoreBody, session: WriteSession, actor: Configurer, once: OnceOnly
) -> Response:
    """Publish what an earlier version said as the next one."""

    async def work() -> Response:
        await publishing.restore_version(session, actor, definition_id, version=body.version, note=body.note)
        return json_response(await queries.definition(session, definition_id))

    return await once.answer(session, actor.user_id, work)
