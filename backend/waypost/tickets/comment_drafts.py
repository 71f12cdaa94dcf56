"""What somebody is writing about a ticket, kept for them alone: it goes on where they stopped, on any device."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.kernel.clock import now, rfc3339
from waypost.tickets import policy
from waypost.tickets.errors import NotYours
from waypost.tickets.queries import Found, find_ticket
from waypost.tickets.talk_models import CommentDraft

KEPT = timedelta(days=180)


def _may_write(actor: Actor, found: Found, visibility: str) -> bool:
    may = policy.may_comment_internally if visibility == "INTERNAL" else policy.may_comment
    return may(actor, found.facts)


async def draft_list(session: AsyncSession, actor: Actor, ticket_id: int) -> list[dict[str, Any]]:
    """One's own drafts for a ticket: at most one for each audience one may still write to."""
    found = await find_ticket(session, actor, ticket_id)
    rows = await session.scalars(
        select(CommentDraft)
        .where(CommentDraft.user_id == actor.user_id, CommentDraft.ticket_id == ticket_id)
        .order_by(CommentDraft.visibility)
    )
    return [draft_json(d) for d in rows if _may_write(actor, found, d.visibility)]


async def keep_draft(
    session: AsyncSession, actor: Actor, ticket_id: int, *, visibility: str, body: str
) -> CommentDraft:
    """Keep what is being written; the last writing wins. Raises `NotYours` for an audience one may not write to."""
    found = await find_ticket(session, actor, ticket_id)
    if not _may_write(actor, found, visibility):
        raise NotYours
    at = now()
    row = {"user_id": actor.user_id, "ticket_id": ticket_id, "visibility": visibility, "body": body, "updated_at": at}
    await session.execute(
        insert(CommentDraft)
        .values(row)
        .on_conflict_do_update(
            index_elements=["user_id", "ticket_id", "visibility"], set_={"body": body, "updated_at": at}
        )
    )
    return CommentDraft(**row)


async def drop_draft(session: AsyncSession, actor: Actor, ticket_id: int, *, visibility: str) -> None:
    """Forget a draft of one's own, also when there is none."""
    await find_ticket(session, actor, ticket_id)
    await session.execute(
        delete(CommentDraft).where(
            CommentDraft.user_id == actor.user_id,
            CommentDraft.ticket_id == ticket_id,
            CommentDraft.visibility == visibility,
        )
    )


async def forget_old_comment_drafts(session: AsyncSession) -> None:
    """Remove drafts nobody went on with for half a year."""
    await session.execute(delete(CommentDraft).where(CommentDraft.updated_at < now() - KEPT))


def draft_json(draft: CommentDraft) -> dict[str, Any]:
    """A draft as clients read it."""
    return {"visibility": draft.visibility, "body": draft.body, "updated_at": rfc3339(draft.updated_at)}
