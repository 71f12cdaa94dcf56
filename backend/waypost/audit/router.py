"""`/audit`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.permissions import Permission
from waypost.audit import checking, keys, queries
from waypost.audit.schemas import AuditKeys, AuditPage, ChainStanding, CheckAsked
from waypost.kernel import hints
from waypost.kernel.db import ReadSession, database
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.ids import Id
from waypost.kernel.paging import Cursor, Limit
from waypost.kernel.shapes import Instant

router = APIRouter(route_class=StrictRoute, prefix="/audit", tags=["Audit"])
_Word = Annotated[str | None, Query(pattern=r"^[a-z_.]{1,64}$")]


@router.get("", response_model=AuditPage)
async def audit_trail(
    session: ReadSession,
    actor: Annotated[Actor, permit(Permission.AUDIT_READ)],
    actor_id: Annotated[Id | None, Query()] = None,
    action: _Word = None,
    family: _Word = None,
    channel: _Word = None,
    object_type: _Word = None,
    object_id: Annotated[Id | None, Query()] = None,
    since: Annotated[Instant | None, Query(alias="from")] = None,
    until: Annotated[Instant | None, Query(alias="to")] = None,
    limit: Limit = 25,
    cursor: Cursor = None,
) -> Response:
    """Everything that was done, newest first. `family` is what stands before the dot of an action."""
    return json_response(
        await queries.audit_trail(
            session,
            actor,
            actor_id=actor_id,
            action=action,
            family=family,
            channel=channel,
            object_type=object_type,
            object_id=object_id,
            since=since,
            until=until,
            cursor=cursor,
            limit=limit,
        )
    )


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
