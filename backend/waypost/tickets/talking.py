"""Comments: saying something, saying it better for a while, taking it back; and whom a comment calls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.queries import actors_of_users
from waypost.directory.models import User
from waypost.directory.names import names
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.errors import Forbidden, StaleVersion
from waypost.kernel.events import Doer, EventRow, record
from waypost.kernel.paging import decode_cursor, encode_cursor
from waypost.kernel.settings import get_settings
from waypost.tickets import events, lifecycle, policy
from waypost.tickets.errors import (
    CannotMention,
    CommentIsRemoved,
    CommentNotFound,
    EditWindowOver,
    NewerReply,
    NotYours,
)
from waypost.tickets.mentions import MOST, mentioned
from waypost.tickets.models import Ticket, TicketComment
from waypost.tickets.queries import Found, facts_of, find_ticket
from waypost.tickets.talk_models import CommentVersion

MOST_NEWER = 20  # newer replies named in a warning


def edit_window() -> timedelta:
    """How long an author may change or remove a comment."""
    return timedelta(minutes=get_settings().comment_edit_minutes)


# --- saying something -------------------------------------------------------------------------------------------------


def check_may_say(actor: Actor, found: Found, visibility: str) -> None:
    """Raises `Forbidden`, `NotYours` or `TicketIsClosed` when this person cannot say anything to this audience."""
    if visibility == "INTERNAL":
        if not policy.may_comment_internally(actor, found.facts):
            raise Forbidden("Internal comments are for the team that works on this ticket.")
    elif not policy.may_comment(actor, found.facts):
        raise NotYours
    lifecycle.check_takes_more(found.facts.status, "A closed ticket takes no more comments.")


async def add_comment(
    session: AsyncSession,
    actor: Actor,
    ticket_id: int,
    *,
    body: str,
    visibility: str,
    after: int | None = None,
    version: int | None = None,
) -> TicketComment:
    """Say something, to all on the ticket or (`INTERNAL`) to the team.

    `after` is the last comment its author has seen (0: none): a later one by somebody else is a `NewerReply`, and so is one
    that a merge brought after the `version` of the ticket they have seen. Raises also
    `Forbidden`, `NotYours`, `TicketIsClosed`, or `CannotMention`.
    """
    found = await find_ticket(session, actor, ticket_id, lock=True)
    check_may_say(actor, found, visibility)
    mention_ids = await people_called(session, found, body, visibility)
    if after is not None:
        await _check_nothing_newer(session, actor, found, after, version)
    return await keep_comment(session, actor, found.ticket, body, visibility, mention_ids)


async def _check_nothing_newer(
    session: AsyncSession, actor: Actor, found: Found, after: int, version: int | None
) -> None:
    is_newer = TicketComment.id > after
    if version is not None and version < found.ticket.version:
        # what came by a merge was said before, so its ids are lower
        arrived = await session.scalars(
            select(EventRow.data["comment_ids"]).where(
                EventRow.object_type == "ticket",
                EventRow.object_id == found.ticket.id,
                EventRow.type == events.TicketAbsorbed.type,
                EventRow.data["ticket_version"].as_integer() > version,
            )
        )
        is_newer = or_(is_newer, TicketComment.id.in_([i for ids in arrived for i in ids or ()]))
    newer = (
        select(TicketComment.id)
        .where(
            TicketComment.ticket_id == found.ticket.id,
            is_newer,
            TicketComment.author_id.is_distinct_from(actor.user_id),
            TicketComment.removed_at.is_(None),
        )
        .order_by(TicketComment.id)
        .limit(MOST_NEWER)
    )
    if not policy.may_see_internal(actor, found.facts):
        newer = newer.where(TicketComment.visibility == "PUBLIC")
    if ids := list((await session.scalars(newer)).all()):
        raise NewerReply(comment_ids=ids)


async def keep_comment(
    session: AsyncSession,
    actor: Doer,
    ticket: Ticket,
    body: str,
    visibility: str,
    mention_ids: list[int],
    *,
    by_rule: str | None = None,
) -> TicketComment:
    """Write a comment that was found to be in order, and record it. The ticket is locked."""
    at = now()
    comment = TicketComment(
        ticket_id=ticket.id,
        author_id=actor.person_id,
        by_rule=by_rule,
        body=body,
        visibility=visibility,
        version=1,
        mention_ids=mention_ids,
        channel=None if actor.channel in ("web", "system") else actor.channel,
        created_at=at,
    )
    session.add(comment)
    # A comment is no edit: it leaves `version` alone, so it makes nobody's edit stale.
    if visibility == "INTERNAL":
        ticket.internal_comment_count += 1
    else:
        ticket.comment_count += 1
        ticket.updated_at = at
    await session.flush()
    facts = facts_of(ticket, frozenset(), frozenset())
    said = events.CommentAdded(
        ticket_id=ticket.id,
        comment_id=comment.id,
        visibility=visibility,
        mentioned_ids=tuple(mention_ids),
        speaks_for=policy.speaks_for(actor, facts) if isinstance(actor, Actor) else "",
    )
    await record(session, said, actor=actor, at=at)
    return comment


async def people_called(
    session: AsyncSession, found: Found, body: str, visibility: str, *, strict: bool = True
) -> list[int]:
    """The people a text mentions, in its order. A name nobody has is just text.

    Raises `CannotMention` for somebody who would not see the comment; not `strict`, they are passed over.
    """
    wanted = mentioned(body)
    if not wanted:
        return []
    named = func.lower(User.username)
    rows = await session.execute(
        select(User.id, named).where(named.in_({n for readings in wanted for n in readings}), User.is_active)
    )
    known = {name: user_id for user_id, name in rows}
    ids = list(dict.fromkeys(next((known[n] for n in readings if n in known), 0) for readings in wanted))
    ids = [i for i in ids if i]
    if len(ids) > MOST:
        if strict:
            raise CannotMention(f"A comment mentions at most {MOST} people.")
        ids = ids[:MOST]
    readers = await actors_of_users(session, ids)
    sees = policy.may_see_internal if visibility == "INTERNAL" else policy.may_read
    blind = [i for i in ids if i not in readers or not sees(readers[i], found.facts)]
    if blind and strict:
        people = await names.people(session, blind)
        who = ", ".join(str(people[i]["name"]) for i in blind if i in people)
        raise CannotMention(
            f"{who} cannot see internal comments here: leave out the mention."
            if visibility == "INTERNAL"
            else f"{who} cannot see this ticket: leave out the mention."
        )
    return [i for i in ids if i not in blind]


# --- what was said ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FoundComment:
    """A comment with its ticket."""

    comment: TicketComment
    found: Found


async def find_comment(
    session: AsyncSession, actor: Actor, ticket_id: int, comment_id: int, *, lock: bool = False
) -> FoundComment:
    """A comment this person may see. Raises `TicketNotFound` or `CommentNotFound`."""
    found = await find_ticket(session, actor, ticket_id, lock=lock)
    statement = select(TicketComment).where(TicketComment.id == comment_id, TicketComment.ticket_id == ticket_id)
    if not policy.may_see_internal(actor, found.facts):
        statement = statement.where(TicketComment.visibility == "PUBLIC")
    comment = await session.scalar(statement)
    if comment is None:
        raise CommentNotFound
    return FoundComment(comment, found)


def check_is_mine(actor: Actor, said: FoundComment) -> None:
    """Raises `NotYours` for everybody but a comment's author, as long as they may still write one like it."""
    if not policy.may_change_comment(actor, said.found.facts, said.comment.author_id, said.comment.visibility):
        raise NotYours("Only who wrote a comment changes it.")


def _check_in_time(said: FoundComment, at: datetime) -> None:
    if said.comment.removed_at is not None:
        raise CommentIsRemoved
    lifecycle.check_takes_more(said.found.facts.status, "On a closed ticket comments stay as they are.")
    if at >= said.comment.created_at + edit_window():
        minutes = get_settings().comment_edit_minutes
        raise EditWindowOver(f"A comment can be changed for {minutes} minutes only. Please write another one.")


async def edit_comment(
    session: AsyncSession, actor: Actor, ticket_id: int, comment_id: int, *, body: str, version: int
) -> FoundComment:
    """Put a comment of one's own in other words; the earlier ones are kept. Its audience stays as it is.

    Raises `CommentNotFound`, `NotYours`, `CannotMention`, `CommentIsRemoved`, `TicketIsClosed`, `EditWindowOver`,
    `StaleVersion`.
    """
    said = await find_comment(session, actor, ticket_id, comment_id, lock=True)
    check_is_mine(actor, said)
    comment, at = said.comment, now()
    mention_ids = await people_called(session, said.found, body, comment.visibility)
    _check_in_time(said, at)
    if version != comment.version:
        raise StaleVersion
    if body == comment.body:
        return said
    written_at = comment.edited_at or comment.created_at
    session.add(
        CommentVersion(comment_id=comment.id, version=comment.version, body=comment.body, written_at=written_at)
    )
    called = tuple(i for i in mention_ids if i not in comment.mention_ids)
    comment.body, comment.mention_ids, comment.edited_at = body, mention_ids, at
    comment.version += 1
    await session.flush()
    edited = events.CommentEdited(
        ticket_id=ticket_id,
        comment_id=comment.id,
        comment_version=comment.version,
        visibility=comment.visibility,
        mentioned_ids=called,
    )
    await record(session, edited, actor=actor, at=at)
    return said


async def remove_comment(session: AsyncSession, actor: Actor, ticket_id: int, comment_id: int) -> None:
    """Take a comment of one's own back: its place remains, its words are kept for audits only.

    Raises `CommentNotFound`, `NotYours`, `CommentIsRemoved`, `TicketIsClosed`, `EditWindowOver`.
    """
    said = await find_comment(session, actor, ticket_id, comment_id, lock=True)
    check_is_mine(actor, said)
    comment, ticket, at = said.comment, said.found.ticket, now()
    _check_in_time(said, at)
    written_at = comment.edited_at or comment.created_at
    session.add(
        CommentVersion(comment_id=comment.id, version=comment.version, body=comment.body, written_at=written_at)
    )
    comment.body, comment.mention_ids, comment.removed_at = "", [], at
    comment.version += 1
    if comment.visibility == "INTERNAL":
        ticket.internal_comment_count -= 1
    else:
        ticket.comment_count -= 1
    await session.flush()
    removed = events.CommentRemoved(ticket_id=ticket_id, comment_id=comment.id, visibility=comment.visibility)
    await record(session, removed, actor=actor, at=at)


async def comment_versions(session: AsyncSession, actor: Actor, ticket_id: int, comment_id: int) -> dict[str, Any]:
    """Every text a comment had, oldest first, at most 100. Of a removed one only audits read them."""
    said = await find_comment(session, actor, ticket_id, comment_id)
    comment = said.comment
    if not policy.may_read_versions(actor, is_removed=comment.removed_at is not None):
        raise NotYours("What was removed is read for audits only.")
    earlier = await session.scalars(
        select(CommentVersion)
        .where(CommentVersion.comment_id == comment_id)
        .order_by(CommentVersion.version)
        .limit(policy.MOST_VERSIONS)
    )
    items = [{"version": v.version, "body": v.body, "written_at": rfc3339(v.written_at)} for v in earlier]
    if comment.removed_at is None:
        written_at = comment.edited_at or comment.created_at
        items.append({"version": comment.version, "body": comment.body, "written_at": rfc3339(written_at)})
    return {"items": items, "next_cursor": None}


async def comment_list(
    session: AsyncSession, actor: Actor, ticket_id: int, *, cursor: str | None, limit: int
) -> dict[str, Any]:
    """What was said about a ticket, oldest first; internal words only for those who may read them."""
    found = await find_ticket(session, actor, ticket_id)
    statement = (
        select(TicketComment).where(TicketComment.ticket_id == ticket_id).order_by(TicketComment.id).limit(limit + 1)
    )
    if not policy.may_see_internal(actor, found.facts):
        statement = statement.where(TicketComment.visibility == "PUBLIC")
    if cursor:
        (last,) = decode_cursor(cursor, "comments", int)
        statement = statement.where(TicketComment.id > last)
    rows = list((await session.scalars(statement)).all())
    page = rows[:limit]
    following = encode_cursor("comments", page[-1].id) if len(rows) > limit else None
    return {"items": await comments_json(session, actor, found, page), "next_cursor": following}


# --- as clients read it -----------------------------------------------------------------------------------------------


async def comments_json(
    session: AsyncSession, actor: Actor, found: Found, comments: list[TicketComment]
) -> list[dict[str, Any]]:
    """Comments as clients read them, with what this person may still do with each."""
    people = await names.people(session, [i for c in comments for i in (c.author_id, *c.mention_ids)])
    at, window = now(), edit_window()
    return [_json(actor, found, c, people, at, window) for c in comments]


def _json(
    actor: Actor,
    found: Found,
    comment: TicketComment,
    people: dict[int | None, dict[str, Any]],
    at: datetime,
    window: timedelta,
) -> dict[str, Any]:
    until = comment.created_at + window
    may_change = (
        comment.removed_at is None
        and lifecycle.takes_more(found.facts.status)
        and at < until
        and policy.may_change_comment(actor, found.facts, comment.author_id, comment.visibility)
    )
    return {
        "id": comment.id,
        "author": people.get(comment.author_id),
        "by_rule": comment.by_rule,
        "body": comment.body,
        "visibility": comment.visibility,
        "channel": comment.channel,
        "version": comment.version,
        "mentions": [people[i] for i in comment.mention_ids if i in people],
        "created_at": rfc3339(comment.created_at),
        "edited_at": comment.edited_at and rfc3339(comment.edited_at),
        "removed_at": comment.removed_at and rfc3339(comment.removed_at),
        "editable_until": rfc3339(until) if may_change else None,
        "allowed_actions": ["edit", "remove"] if may_change else [],
    }
