"""One row of an imported table: what it says, held to the rules of a request typed in, and the ticket made of it."""

from __future__ import annotations

from datetime import tzinfo

from pydantic import ValidationError
from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.catalog.models import TicketType
from waypost.catalog.service import type_to_ask_for
from waypost.directory.models import Department, User
from waypost.kernel.clock import zone_of
from waypost.kernel.errors import Refusal
from waypost.tickets import assigning, desk_policy, mapping, service
from waypost.tickets.import_errors import NotYourType
from waypost.tickets.import_models import ImportedKey, ImportRow
from waypost.tickets.mapping import Named, Plan, Reading
from waypost.tickets.schemas import TicketCreate
from waypost.tickets.sheets import CUSTOM


class Wrong(Exception):
    """What is wrong with a row, by field."""

    def __init__(self, errors: dict[str, str]) -> None:
        self.errors = errors
        super().__init__(str(errors))


class Duplicate(Exception):
    """The row became a ticket before."""

    def __init__(self, ticket_id: int | None) -> None:
        self.ticket_id = ticket_id
        super().__init__(str(ticket_id))


def check_scope(actor: Actor, kind: TicketType) -> None:
    """Raises `Forbidden` or `NotYourType` for who may not import tickets of this type."""
    actor.require(Permission.TICKETS_IMPORT)
    if not desk_policy.may_import(actor, kind.team_id):
        raise NotYourType


async def make_ticket(
    session: AsyncSession, actor: Actor, import_id: int, plan: Plan, row: ImportRow, *, is_rehearsal: bool
) -> int:
    """The ticket of a row. Raises `Wrong`, `Duplicate`, or what the use cases refuse."""
    kind = await type_to_ask_for(session, plan.ticket_type)
    check_scope(actor, kind)
    read = mapping.read_row(plan, kind.form, row.cells, await _zone_of(session, actor))
    await _check_not_known(session, import_id, kind, plan, row, read)
    requester_id = await _person(session, read, "requester", read.requester)
    assignee_id = await _person(session, read, "assignee", read.assignee)
    await _look_up_named(session, read)
    body = _checked(kind.key, read)
    if read.wrong:
        raise Wrong(read.wrong)
    values = body.model_dump(exclude={"draft_id", "requester_id"})
    ticket = await service.create_ticket(session, actor, **values, requester_id=requester_id, is_rehearsal=is_rehearsal)
    if assignee_id is not None:
        await assigning.assign_ticket(session, actor, ticket.id, assignee_id=assignee_id, team_id=None, move_team=False)
    if read.external_key is not None:
        known = await session.scalar(
            pg_insert(ImportedKey)
            .values(ticket_type_id=kind.id, external_key=read.external_key, ticket_id=ticket.id)
            .on_conflict_do_nothing()
            .returning(ImportedKey.ticket_id)
        )
        if known is None:  # somebody brought the same at the same moment
            raise Duplicate(None)
    return ticket.id


async def _zone_of(session: AsyncSession, actor: Actor) -> tzinfo:
    return zone_of(await session.scalar(select(User.timezone).where(User.id == actor.user_id)) or "UTC")


async def _check_not_known(
    session: AsyncSession, import_id: int, kind: TicketType, plan: Plan, row: ImportRow, read: Reading
) -> None:
    if read.external_key is None:
        return
    known = await session.scalar(
        select(ImportedKey.ticket_id).where(
            ImportedKey.ticket_type_id == kind.id, ImportedKey.external_key == read.external_key
        )
    )
    if known is not None:
        raise Duplicate(known)
    column = plan.columns["external_key"] + 1  # arrays of PostgreSQL begin with 1
    earlier = await session.scalar(
        select(func.min(ImportRow.number)).where(
            ImportRow.import_id == import_id,
            ImportRow.number < row.number,
            ImportRow.status.in_(("PENDING", "READY", "WRONG", "FAILED")),
            func.btrim(ImportRow.cells[column]) == read.external_key,
        )
    )
    if earlier is not None:
        read.wrong["external_key"] = f"stands in row {earlier} too"


async def _person(session: AsyncSession, read: Reading, name: str, said: str) -> int | None:
    """Who is meant by an e-mail address or a username."""
    if not said:
        return None
    word = said.lower()
    found = await session.scalar(
        select(User.id).where(or_(func.lower(User.username) == word, func.lower(User.email) == word), User.is_active)
    )
    if found is None:
        read.wrong[name] = "is nobody's e-mail address or username here"
    return found


async def _look_up_named(session: AsyncSession, read: Reading) -> None:
    for key, value in list(read.custom.items()):
        if not isinstance(value, Named):
            continue
        if value.kind == "person":
            found = await _person(session, read, CUSTOM + key, value.words)
        else:
            found = await session.scalar(
                select(Department.id).where(func.lower(Department.name) == value.words.lower()).limit(1)
            )
            if found is None:
                read.wrong[CUSTOM + key] = "is no department here"
        if found is None:
            del read.custom[key]
        else:
            read.custom[key] = found


def _checked(type_key: str, read: Reading) -> TicketCreate:
    """The row as a request typed in would be sent, held to the same rules; what they say is added to `read.wrong`."""
    values = {**read.values, "custom_fields": read.custom, "ticket_type": type_key, "submit": read.submit}
    try:
        return TicketCreate.model_validate(values)
    except ValidationError as invalid:
        for error in invalid.errors():
            message = str(error["msg"]).removeprefix("Value error, ")
            name = str(error["loc"][0])
            match error["type"]:
                case "missing":
                    message = "is needed"
                case "string_too_long" | "too_long" if isinstance(error["input"], str):
                    message = f"must have at most {error['ctx']['max_length']} characters"
            read.wrong.setdefault(name, message[:1].lower() + message[1:])
        raise Wrong(read.wrong) from invalid


def by_field(refused: Refusal) -> dict[str, str]:
    """A refusal's errors by the mapping's words for fields."""
    found: dict[str, str] = {}
    for error in refused.errors:
        found.setdefault(_field_of(error.pointer), error.message)
    return found or {"": refused.detail}


def _field_of(pointer: str) -> str:
    parts = pointer.strip("/").split("/")
    if parts[0] == "custom_fields" and len(parts) > 1:
        return CUSTOM + parts[1].replace("~1", "/").replace("~0", "~")
    return {"requester_id": "requester", "assignee_id": "assignee"}.get(parts[0], parts[0])
