"""Requests still being written: kept for their owner alone, from one device to the next, until they become tickets.

Nothing is recorded: a draft is nobody's business but its owner's, and the event log is read by others.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.catalog.models import TicketType
from waypost.catalog.service import type_to_ask_for
from waypost.directory.models import User
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.crypto import Damaged, WrappedKey, keyring
from waypost.kernel.errors import StaleVersion
from waypost.kernel.logs import get_logger
from waypost.kernel.paging import BadCursor, after, decode_cursor, encode_cursor
from waypost.tickets.errors import DraftDamaged, DraftExists, DraftNotFound, DraftTooLarge, TooManyDrafts
from waypost.tickets.models import RequestDraft

log = get_logger(__name__)
MOST = 50  # for one person
MOST_BYTES = 256 * 1024
LIFE = timedelta(days=90)  # since it was changed last
TITLE = 200


async def keep_draft(
    session: AsyncSession, actor: Actor, *, draft_id: UUID, ticket_type: str, content: dict[str, Any]
) -> RequestDraft:
    """Keep a new draft. Raises `UnknownTicketType`, `DraftTooLarge`, `TooManyDrafts`, `DraftExists`."""
    actor.require(Permission.TICKETS_CREATE)
    _check_size(content)
    kind = await type_to_ask_for(session, ticket_type)
    # One after the other for one person, or two at once could both be the last one that is free.
    await session.execute(select(User.id).where(User.id == actor.user_id).with_for_update(key_share=True))
    mine = (await session.scalars(select(RequestDraft.id).where(RequestDraft.owner_id == actor.user_id))).all()
    if draft_id in mine:
        raise DraftExists
    if len(mine) >= MOST:
        raise TooManyDrafts
    at = now()
    made = RequestDraft(
        owner_id=actor.user_id,
        id=draft_id,
        ticket_type=kind.key,
        version=1,
        created_at=at,
        updated_at=at,
    )
    put(made, content, is_sealed=bool(kind.sealed_keys))
    session.add(made)
    await session.flush()
    return made


async def change_draft(
    session: AsyncSession, actor: Actor, draft_id: UUID, *, version: int, content: dict[str, Any]
) -> RequestDraft:
    """Keep what it says now, over the version one read. Raises `DraftNotFound`, `DraftTooLarge`, `StaleVersion`."""
    found = await find_draft(session, actor, draft_id, lock=True)
    _check_size(content)
    if found.version != version:
        raise StaleVersion(current_version=found.version)
    if not _says(found, content):
        keys = await session.scalar(select(TicketType.sealed_keys).where(TicketType.key == found.ticket_type))
        put(found, content, is_sealed=bool(keys))
        found.version += 1
        found.updated_at = now()
        await session.flush()
    return found


def put(draft: RequestDraft, content: dict[str, Any], *, is_sealed: bool) -> None:
    """Write what a draft says: all of it sealed but the title its owner finds it by, or in the open."""
    if not is_sealed:
        draft.content, draft.sealed, draft.key_id = content, None, None
        return
    title = content.get("title")
    draft.content = {"title": title} if isinstance(title, str) else {}
    wrapped = keyring().wrap(msgspec.json.encode(content), draft.about)
    draft.sealed, draft.key_id = wrapped.value, wrapped.key_id


def _says(draft: RequestDraft, content: dict[str, Any]) -> bool:
    try:
        return content_of(draft) == content
    except Damaged:
        return False  # what cannot be read any more is written anew


def content_of(draft: RequestDraft) -> dict[str, Any]:
    """What a draft says. Raises `DraftDamaged`."""
    if draft.sealed is None or draft.key_id is None:
        return draft.content
    try:
        plain = keyring().unwrap(WrappedKey(draft.key_id, draft.sealed), draft.about)
    except Damaged as damaged:
        log.exception("a draft does not open", draft_id=str(draft.id), owner_id=draft.owner_id)
        raise DraftDamaged from damaged
    content: dict[str, Any] = msgspec.json.decode(plain)
    return content


async def discard_draft(session: AsyncSession, actor: Actor, draft_id: UUID) -> None:
    """Remove a draft of one's own. One that is not there is gone already."""
    await session.execute(
        delete(RequestDraft).where(RequestDraft.owner_id == actor.user_id, RequestDraft.id == draft_id)
    )


async def forget_old_drafts(session: AsyncSession) -> None:
    """Remove drafts nobody wrote at for three months."""
    await session.execute(delete(RequestDraft).where(RequestDraft.updated_at < now() - LIFE))


def _check_size(content: dict[str, Any]) -> None:
    if len(msgspec.json.encode(content)) > MOST_BYTES:
        raise DraftTooLarge(f"A draft holds at most {MOST_BYTES // 1024} KiB.")


# --- reading ----------------------------------------------------------------------------------------------------------


async def find_draft(session: AsyncSession, actor: Actor, draft_id: UUID, *, lock: bool = False) -> RequestDraft:
    """A draft of one's own. Raises `DraftNotFound`; another's is not there."""
    statement = select(RequestDraft).where(RequestDraft.owner_id == actor.user_id, RequestDraft.id == draft_id)
    found = await session.scalar(statement.with_for_update() if lock else statement)
    if found is None:
        raise DraftNotFound
    return found


async def draft_page(session: AsyncSession, actor: Actor, *, cursor: str | None, limit: int) -> dict[str, Any]:
    """One's own drafts without what they say, the one changed last first: `{items, next_cursor}`."""
    title = func.left(RequestDraft.content["title"].astext, TITLE)
    statement = (
        select(
            RequestDraft.id,
            RequestDraft.ticket_type,
            TicketType.name.label("type_name"),
            title.label("title"),
            RequestDraft.version,
            RequestDraft.created_at,
            RequestDraft.updated_at,
        )
        .join(TicketType, TicketType.key == RequestDraft.ticket_type, isouter=True)
        .where(RequestDraft.owner_id == actor.user_id)
        .order_by(RequestDraft.updated_at.desc(), RequestDraft.id.desc())
        .limit(limit + 1)
    )
    if cursor:
        at, last = decode_cursor(cursor, "drafts", datetime, str)
        statement = statement.where(after([(RequestDraft.updated_at, at, True), (RequestDraft.id, _uuid(last), True)]))
    rows = (await session.execute(statement)).all()
    page = rows[:limit]
    following = encode_cursor("drafts", page[-1].updated_at, str(page[-1].id)) if len(rows) > limit else None
    items = [
        {
            "id": str(r.id),
            "ticket_type": r.ticket_type,
            "ticket_type_name": r.type_name or r.ticket_type,
            "title": r.title or "",
            "version": r.version,
            "created_at": rfc3339(r.created_at),
            "updated_at": rfc3339(r.updated_at),
        }
        for r in page
    ]
    return {"items": items, "next_cursor": following}


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as wrong:
        raise BadCursor from wrong


def draft_json(draft: RequestDraft) -> dict[str, Any]:
    """A draft as its owner reads it."""
    return {
        "id": str(draft.id),
        "ticket_type": draft.ticket_type,
        "content": content_of(draft),
        "version": draft.version,
        "created_at": rfc3339(draft.created_at),
        "updated_at": rfc3339(draft.updated_at),
    }
