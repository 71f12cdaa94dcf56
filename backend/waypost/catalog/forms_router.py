"""`/ticket-types/{key}/form-versions`, a form's rehearsal, and who speaks of a field."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.errors import StepUpNeeded
from waypost.access.permissions import Permission
from waypost.catalog import queries, uses, versions
from waypost.catalog.errors import BadForm, FormVersionNotFound, TicketTypeNotFound
from waypost.catalog.router import Key, only_known, read_types
from waypost.catalog.schemas import (
    FormCheck,
    FormChecked,
    FormCompared,
    FormRestore,
    FormVersionPage,
    TicketTypeRead,
    UsesAnswer,
)
from waypost.kernel.db import ReadSession, WriteSession
from waypost.kernel.errors import StaleVersion
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit

router = APIRouter(route_class=StrictRoute, prefix="/ticket-types", tags=["Catalogue"])
Administrator = Annotated[Actor, permit(Permission.CATALOG_CONFIGURE)]
Number = Annotated[int, Path(ge=1, le=2**31 - 1, examples=[2])]
FieldKey = Annotated[str, Path(max_length=200, pattern=r"^[^\x00]+$", examples=["budget_code"])]


@router.post("/form-check", response_model=FormChecked, responses=problems(BadForm, TicketTypeNotFound))
async def check_form(body: FormCheck, session: ReadSession, actor: Administrator) -> Response:
    """A rehearsal: the form as it would be kept, and what it changes for a type. Nothing is stored."""
    return json_response(await versions.check(session, body.ticket_type, body.form))


@router.get("/{key}/form-versions", response_model=FormVersionPage, responses=problems(TicketTypeNotFound))
async def form_versions(
    key: Key, session: ReadSession, actor: Administrator, limit: Limit = 25, cursor: Cursor = None
) -> Response:
    """Every form the type ever had, newest first: who made it, when, why, and what it changed."""
    return json_response(await versions.version_page(session, key, cursor=cursor, limit=limit))


@router.get(
    "/{key}/form-versions/{number}",
    response_model=FormCompared,
    responses=problems(TicketTypeNotFound, FormVersionNotFound),
)
async def form_version(
    key: Key,
    number: Number,
    session: ReadSession,
    actor: Administrator,
    against: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="Another version; else the current.")] = None,
) -> Response:
    """One version's form, and how it differs from another one."""
    return json_response(await versions.compared(session, key, number, against=against))


@router.post(
    "/{type_key}/form-versions/{number}/restore",  # `key` is the idempotency header's name
    response_model=TicketTypeRead,
    responses=problems(TicketTypeNotFound, FormVersionNotFound, StepUpNeeded, StaleVersion, BadForm),
)
@guarded(only_known)
async def restore_form(
    type_key: Key, number: Number, body: FormRestore, session: WriteSession, actor: Administrator, once: OnceOnly
) -> Response:
    """Make an old form the type's next version."""

    async def work() -> Response:
        changed = await versions.restore(session, actor, type_key, number, version=body.version, note=body.note)
        return json_response((await read_types(session, [changed]))[0])

    return await once.answer(session, actor.user_id, work)


@router.get("/{key}/fields/{field}/uses", response_model=UsesAnswer, responses=problems(TicketTypeNotFound))
async def field_uses(key: Key, field: FieldKey, session: ReadSession, actor: Administrator) -> Response:
    """What speaks of a field of the form: tickets with a value, workflows and rules with a condition."""
    kind = await queries.ticket_type(session, actor, key)
    return json_response({"items": [asdict(u) for u in await uses.uses_of(session, kind, field)], "next_cursor": None})
