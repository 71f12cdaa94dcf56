"""`/audit`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.responses import StreamingResponse

from waypost.access.actor import Actor
from waypost.access.deps import costly, costly_when, permit
from waypost.access.errors import StepUpNeeded
from waypost.access.permissions import Permission
from waypost.audit import checking, exporting, keys, queries
from waypost.audit.schemas import AuditCount, AuditKeys, AuditPage, ChainStanding, CheckAsked
from waypost.audit.searching import SHORTEST, Sought
from waypost.kernel import hints
from waypost.kernel.clock import now
from waypost.kernel.db import ReadSession, database
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.ids import Id
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit
from waypost.kernel.shapes import Instant

router = APIRouter(route_class=StrictRoute, prefix="/audit", tags=["Audit"])
Auditor = Annotated[Actor, permit(Permission.AUDIT_READ)]
_WORD, _NO_CONTROLS = r"^[a-z_.]{1,64}$", r"^[^\x00-\x1f\x7f]+$"
_Word = Annotated[str | None, Query(pattern=_WORD)]
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file. `X-Export-Rows` says how many entries are in it, `X-Export-Cut: true` that there are more.",
        "content": {
            "text/csv": {"example": "id,at,action\r\n1001,2026-11-26T09:30:00Z,ticket.submitted\r\n"},
            "application/x-ndjson": {"example": '{"id":1001,"action":"ticket.submitted"}\n'},
        },
    }
}


def sought(
    actor_id: Annotated[Id | None, Query()] = None,
    action: _Word = None,
    family: Annotated[str | None, Query(pattern=_WORD, description="What stands before the dot of an action.")] = None,
    channel: _Word = None,
    object_type: _Word = None,
    object_id: Annotated[Id | None, Query()] = None,
    ticket: Annotated[
        str | None,
        Query(min_length=1, max_length=40, pattern=_NO_CONTROLS, description="A request's number or id."),
    ] = None,
    q: Annotated[
        str | None,
        Query(
            min_length=SHORTEST,
            max_length=200,
            pattern=_NO_CONTROLS,
            description="Words in what an entry says, in the name of who did it or whom it is about, or in the number "
            "or title of its request.",
        ),
    ] = None,
    address: Annotated[
        str | None,
        Query(min_length=3, max_length=45, pattern=r"^[0-9a-fA-F.:]+$", description="The beginning of an IP address."),
    ] = None,
    since: Annotated[Instant | None, Query(alias="from")] = None,
    until: Annotated[Instant | None, Query(alias="to")] = None,
) -> Sought:
    """What is looked for in the trail."""
    return Sought(actor_id, action, family, channel, object_type, object_id, ticket, q, address, since, until)


Asked = Annotated[Sought, Depends(sought)]


def _has_words(request: Request) -> bool:
    return any(request.query_params.get(name) for name in ("q", "address"))


@router.get("", response_model=AuditPage)
@costly_when(_has_words)
async def audit_trail(
    session: ReadSession,
    actor: Auditor,
    asked: Asked,
    limit: Limit = 25,
    cursor: Cursor = None,
) -> Response:
    """Everything that was done, newest first."""
    return json_response(await queries.audit_trail(session, actor, asked, cursor=cursor, limit=limit))


@router.get("/count", response_model=AuditCount)
@costly_when(_has_words)
async def audit_count(session: ReadSession, actor: Auditor, asked: Asked) -> Response:
    """How many entries fit, counted to ten thousand."""
    return json_response(await queries.audit_count(session, actor, asked))


@router.get(
    "/download", response_class=Response, responses=_FILE | problems(StepUpNeeded, exporting.TooManyAuditExports)
)
@costly
async def export_audit(
    request: Request,
    actor: Auditor,
    asked: Asked,
    format: Annotated[
        Literal["csv", "ndjson"], Query(description="For spreadsheets, or a JSON object a line.")
    ] = "csv",
) -> Response:
    """What was found as a file, newest first. Needs a step-up; that it was taken stands in the trail, with its hash."""

    async def is_waited_for() -> bool:
        return not await request.is_disconnected()

    try:
        made = await exporting.export(database(), actor, asked, format, is_waited_for=is_waited_for)
    except exporting.Abandoned:
        return Response(status_code=499)  # nobody reads it; the log of requests knows the number
    headers = {
        "Content-Type": exporting.KINDS[format],
        "Content-Length": str(made.size),
        "Content-Disposition": f'attachment; filename="audit-{now():%Y-%m-%d}.{format}"',
        "Cache-Control": "no-store",
        "X-Export-Rows": str(made.rows),
        "X-Export-Cut": str(made.is_cut).lower(),
    }
    return StreamingResponse(made.pieces(), 200, headers)


@router.get("/verify", response_model=ChainStanding)
async def audit_standing(session: ReadSession, actor: Annotated[Actor, permit(Permission.AUDIT_READ)]) -> Response:
    """Whether the log is the one that was sealed: the last whole check, and a look at the chain's end now."""
    return json_response(await checking.standing(session, actor))


@router.post("/verify", status_code=202, response_model=CheckAsked)
async def check_audit(actor: Annotated[Actor, permit(Permission.AUDIT_READ)]) -> Response:
    """Have the whole chain checked now; `GET` tells how far it is, and what it found."""
    async with database().transaction() as session:
        await checking.ask_for_check(session, actor)
    await hints.ask(checking.TASK)
    return json_response({"is_waiting": True}, status=202)


@router.get("/keys", response_model=AuditKeys)
async def audit_keys(actor: Annotated[Actor, permit(Permission.AUDIT_READ)]) -> Response:
    """The public keys that checkpoints were signed with, to check them anywhere."""
    kept = keys.signing_keys()
    items = [
        {
            "key_id": k,
            "algorithm": "Ed25519",
            "public_key": p.hex(),
            "made_at": kept.made_at[k],
            "is_current": k == kept.current,
        }
        for k, p in kept.public.items()
    ]
    return json_response({"items": items})
