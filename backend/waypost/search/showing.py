"""What of a ticket made it a hit, shown: the title marked, and a piece of the text the words stand in.

Only what the reader may see is looked at, ticket by ticket: internal comments and files for those who read them there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    LargeBinary,
    Select,
    String,
    any_,
    bindparam,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.search import file_texts
from waypost.search.compiling import Sought
from waypost.search.finding import Reach, reach_of, reads_inner, values_of
from waypost.search.highlighting import marked, snippet, spans
from waypost.search.index_models import AttachmentText
from waypost.tickets.models import Attachment, Ticket, TicketComment

MOST_DESCRIPTION = 20_000
MOST_COMMENTS = 50
MOST_COMMENT = 4_000
MOST_FILE = 60_000


_NOT_SEALED: dict[str, ColumnElement[Any]] = {
    "sealed": cast(null(), LargeBinary),
    "object_name": cast(null(), String),
    "key_id": cast(null(), String),
    "wrapped_key": cast(null(), LargeBinary),
}


@dataclass(frozen=True, slots=True)
class _File:
    """What opens a file's text."""

    id: int
    object_name: str
    key_id: str
    wrapped_key: bytes

    @classmethod
    def of(cls, row: Any) -> _File:
        return cls(row.source_id, row.object_name, row.key_id, row.wrapped_key)


@dataclass(slots=True)
class Texts:
    """A ticket's texts: (part, whose, name, text), the most telling first."""

    parts: list[tuple[str, int, str, str]] = field(default_factory=list)


@lru_cache(maxsize=20)
def _statement(reach: Reach) -> Select[*tuple[Any, ...]]:
    """Description, newest comments and files of some tickets, as far as this reader reads them."""
    ids = Ticket.id == any_(bindparam("ids", type_=ARRAY(BigInteger)))
    inner = reads_inner(reach)
    described = select(
        Ticket.id.label("ticket_id"),
        literal("description", String).label("part"),
        Ticket.id.label("source_id"),
        literal("", String).label("name"),
        func.left(Ticket.description, MOST_DESCRIPTION).label("body"),
        *(column.label(name) for name, column in _NOT_SEALED.items()),
    ).where(ids)
    said = (
        select(TicketComment.id, TicketComment.visibility, func.left(TicketComment.body, MOST_COMMENT).label("body"))
        .where(TicketComment.ticket_id == Ticket.id, TicketComment.removed_at.is_(None))
        .order_by(TicketComment.id.desc())
        .limit(MOST_COMMENTS)
        .lateral("said")
    )
    comments = (
        select(
            Ticket.id,
            func.concat(literal("comment:"), said.c.visibility),
            said.c.id,
            literal(""),
            said.c.body,
            *_NOT_SEALED.values(),
        )
        .select_from(Ticket)
        .join(said, literal(True))
        .where(ids, or_(said.c.visibility == "PUBLIC", inner))
    )
    files = (
        select(
            Ticket.id,
            func.concat(literal("file:"), Attachment.visibility),
            Attachment.id,
            Attachment.filename,
            func.left(func.coalesce(AttachmentText.text, ""), MOST_FILE),
            AttachmentText.sealed,
            Attachment.object_name,
            Attachment.key_id,
            Attachment.wrapped_key,
        )
        .select_from(Ticket)
        .join(Attachment, Attachment.ticket_id == Ticket.id)
        .outerjoin(AttachmentText, AttachmentText.attachment_id == Attachment.id)
        .where(ids, Attachment.scan != "INFECTED", or_(Attachment.visibility == "PUBLIC", inner))
    )
    every = union_all(described, comments, files).subquery("texts")
    return select(every)


async def texts_of(session: AsyncSession, actor: Actor, ids: Sequence[int]) -> dict[int, Texts]:
    """What there is to read on these tickets. One statement. The caller knows that they may see them."""
    if not ids:
        return {}
    reach = reach_of(actor)
    found: dict[int, Texts] = {i: Texts() for i in ids}
    for row in await session.execute(_statement(reach), {"ids": list(ids), **values_of(actor, reach)}):
        body = file_texts.read(_File.of(row), row.sealed, row.body)[:MOST_FILE] if row.sealed else row.body
        found[row.ticket_id].parts.append((row.part, row.source_id, row.name, body))
    return found


def shown(ticket: dict[str, Any], texts: Texts, sought: Sought) -> dict[str, Any]:
    """A hit as clients read it."""
    title_at = spans(ticket["title"], sought)
    place, piece = _best(texts, sought)
    if place is None and not title_at:
        place = {"part": "PEOPLE" if _of_people(ticket, sought) else "DESCRIPTION", "id": None, "name": None}
    return {
        "ticket": ticket,
        "title_highlight": marked(ticket["title"], title_at),
        "snippet": piece,
        "found_in": place or {"part": "TITLE", "id": None, "name": None},
    }


def _best(texts: Texts, sought: Sought) -> tuple[dict[str, Any] | None, str]:
    """The text most of the words stand in; the description where none has any."""
    best: tuple[int, int] = (0, 0)
    place: dict[str, Any] | None = None
    piece = next((snippet(body, []) for part, *_, body in texts.parts if part == "description"), "")
    for part, source_id, name, body in texts.parts:
        text = f"{name}\n{body}" if part.startswith("file") else body
        if not (at := spans(text, sought)):
            continue
        different = len({text[s:e].casefold() for s, e in at})
        kind, _, visibility = part.partition(":")
        weight = (different, {"description": 3, "comment": 2, "file": 1}[kind])
        if weight > best:
            best = weight
            named = {"description": "DESCRIPTION", "comment": "COMMENT", "file": "FILE"}[kind]
            inner = f"INTERNAL_{named}" if visibility == "INTERNAL" else named
            place = {"part": inner, "id": source_id if kind != "description" else None, "name": name or None}
            piece = snippet(text, at)
    return place, piece


def _of_people(ticket: dict[str, Any], sought: Sought) -> bool:
    people = [ticket[k] for k in ("requester", "assignee", "team") if ticket.get(k)]
    return any(spans(f"{p.get('name', '')} {p.get('username', '')}", sought) for p in people)
