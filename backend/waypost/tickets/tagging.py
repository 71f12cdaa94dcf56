"""Tags: short words people give tickets to find them again. One way of writing each; offered as far as one may see."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import BigInteger, Text, bindparam, cast, collate, delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.kernel.errors import FieldError, Invalid
from waypost.tickets import policy
from waypost.tickets.models import Ticket
from waypost.tickets.working_models import TicketTag

LONGEST = 40
MOST = 20
LOOKED_AT = 100  # different tags behind what was typed
LOOKED_BACK = 200  # the newest tickets with a tag, among which one must be the asker's to see


def normal(given: str) -> str:
    """A tag as it is kept: composed, lower-case, single blanks. Raises `ValueError` when nothing, or too much, is left."""
    words = " ".join(unicodedata.normalize("NFC", unicodedata.normalize("NFC", given).lower()).split())
    if any(unicodedata.category(c)[0] == "C" for c in words):
        raise ValueError("must not contain control characters")
    if "," in words:
        raise ValueError("must not contain a comma")
    if not any(unicodedata.category(c)[0] not in "ZM" for c in words):
        raise ValueError("must not be empty")
    if len(words) > LONGEST:
        raise ValueError(f"must have at most {LONGEST} characters")
    return words


def checked(given: Iterable[str], pointer: str = "/tags") -> list[str]:
    """Tags as they are kept, each once, in their order. Raises `Invalid`, naming the wrong one."""
    found: dict[str, None] = {}
    for n, tag in enumerate(given):
        try:
            found[normal(tag)] = None
        except ValueError as wrong:
            raise Invalid(f"{tag[:50]!r} {wrong}", errors=(FieldError(f"{pointer}/{n}", str(wrong)),)) from wrong
    if len(found) > MOST:
        raise Invalid(errors=(FieldError(pointer, f"must be at most {MOST} tags"),))
    return list(found)


async def keep(session: AsyncSession, ticket_id: int, tags: Sequence[str]) -> None:
    """Let the type-ahead know the tags of a ticket as they are now. The caller holds the ticket's lock."""
    await session.execute(delete(TicketTag).where(TicketTag.ticket_id == ticket_id, TicketTag.tag.not_in(tags)))
    if tags:
        rows = [{"tag": t, "ticket_id": ticket_id} for t in tags]
        await session.execute(insert(TicketTag).values(rows).on_conflict_do_nothing())


async def known(session: AsyncSession, actor: Actor, *, beginning: str, limit: int) -> list[str]:
    """Tags with this beginning, in order, that stand on a ticket this person may see.

    Steps from one tag to the next in the index, however often each is used; the newest tickets of each are looked at.
    """
    start = unicodedata.normalize("NFC", beginning).lower().lstrip()
    wanted = bindparam("beginning", start, type_=Text)

    def is_next(tag: Any) -> Any:
        return func.starts_with(tag, wanted)

    first = select(cast(TicketTag.tag, Text).label("tag"), literal(1).label("n")).where(
        TicketTag.tag >= collate(wanted, "C")
    )
    steps = first.order_by(TicketTag.tag).limit(1).cte("steps", recursive=True)
    following = (
        select(cast(func.min(TicketTag.tag), Text))
        .where(TicketTag.tag > steps.c.tag)
        .correlate(steps)
        .scalar_subquery()
    )
    steps = steps.union_all(select(following, steps.c.n + 1).where(is_next(steps.c.tag), steps.c.n < LOOKED_AT))
    newest = (
        select(TicketTag.ticket_id)
        .where(TicketTag.tag == steps.c.tag)
        .order_by(TicketTag.ticket_id.desc())
        .limit(bindparam("back", LOOKED_BACK, type_=BigInteger))
        .correlate(steps)
        .subquery()
        .lateral()
    )
    seen = select(Ticket.id).join(newest, newest.c.ticket_id == Ticket.id).where(policy.visible_to(actor)).exists()
    statement = select(steps.c.tag).where(is_next(steps.c.tag), seen).order_by(steps.c.tag).limit(limit)
    return list(await session.scalars(statement, policy.values(actor)))
