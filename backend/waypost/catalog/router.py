"""`/ticket-types`."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.errors import StepUpNeeded
from waypost.access.permissions import Permission
from waypost.catalog import queries, service
from waypost.catalog.errors import BadForm, KeyTaken, TicketTypeNotFound
from waypost.catalog.models import TicketType
from waypost.catalog.schemas import TicketTypeCreate, TicketTypePage, TicketTypeRead, TicketTypeUpdate
from waypost.directory.names import names
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.errors import StaleVersion
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import path_id
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit
from waypost.kernel.shapes import Sought

router = APIRouter(route_class=StrictRoute, prefix="/ticket-types", tags=["Catalogue"])
_KEY = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
Key = Annotated[str, Path(pattern=r"^[A-Z][A-Z0-9_]*$", max_length=64, examples=["IT_HARDWARE"])]
_FIELDS = [
    "id",
    "key",
    "name",
    "description",
    "category",
    "keywords",
    "icon",
    "prefix",
    "form",
    "form_version",
    "has_amount",
    "requires_approval",
    "default_priority",
    "is_active",
    "version",
]


async def read_types(session: ReadSession, rows: list[TicketType]) -> list[dict[str, Any]]:
    """Types as clients read them."""
    teams = await names.teams(session, [t.team_id for t in rows])
    return [{f: getattr(t, f) for f in _FIELDS} | {"team": teams.get(t.team_id)} for t in rows]


async def only_known(request: Request) -> None:
    """404 before a 422: of the type, and of the form's version where the address names one."""
    given = request.path_params
    key, number = str(given.get("type_key") or given.get("key")), given.get("number")
    if not _KEY.fullmatch(key):
        raise TicketTypeNotFound
    async with database().read() as session:
        await queries.check_known(session, key, None if number is None else min(path_id(number), 2**31 - 1))


@router.get("", response_model=TicketTypePage)
async def ticket_types(
    session: ReadSession,
    actor: Annotated[Actor, permit(Permission.CATALOG_READ)],
    is_active: Annotated[bool | None, Query(description="Only active or only inactive ones.")] = None,
    q: Annotated[Sought | None, Query(description="Part of name or key.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """What can be asked for, by name, each with its form. Inactive types are for those who configure them."""
    rows, following = await queries.ticket_type_page(
        session, actor, is_active=is_active, q=q, cursor=cursor, limit=limit
    )
    return json_response({"items": await read_types(session, rows), "next_cursor": following})


@router.post("", status_code=201, response_model=TicketTypeRead, responses=problems(KeyTaken, BadForm))
async def create_ticket_type(
    body: TicketTypeCreate,
    session: WriteSession,
    actor: Annotated[Actor, permit(Permission.CATALOG_CONFIGURE)],
    once: OnceOnly,
) -> Response:
    """Add a ticket type."""

    async def work() -> Response:
        made = await service.create_ticket_type(session, actor, **body.model_dump())
        return json_response((await read_types(session, [made]))[0], 201)

    return await once.answer(session, actor.user_id, work)


@router.get("/{key}", response_model=TicketTypeRead, responses=problems(TicketTypeNotFound))
async def ticket_type(
    key: Key, session: ReadSession, actor: Annotated[Actor, permit(Permission.CATALOG_READ)]
) -> Response:
    """One ticket type."""
    return json_response((await read_types(session, [await queries.ticket_type(session, actor, key)]))[0])


@router.put(
    "/{key}", response_model=TicketTypeRead, responses=problems(TicketTypeNotFound, StepUpNeeded, StaleVersion, BadForm)
)
@guarded(only_known)
async def update_ticket_type(
    key: Key,
    body: TicketTypeUpdate,
    session: WriteSession,
    actor: Annotated[Actor, permit(Permission.CATALOG_CONFIGURE)],
) -> Response:
    """Change a ticket type; tickets made before keep the form they were made with.

    Where a field is no longer sensitive, whoever changes it confirms that it is them; earlier answers stay sealed.
    """
    values = body.model_dump(exclude_unset=True, exclude={"version"})
    changed = await service.update_ticket_type(session, actor, key, version=body.version, **values)
    return json_response((await read_types(session, [changed]))[0])
