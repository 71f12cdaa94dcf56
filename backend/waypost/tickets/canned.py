"""Canned replies: words for what comes up again and again, filled in for one ticket. Picking one sends nothing."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, and_, func, literal, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.directory.models import Team, User
from waypost.directory.names import names
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.errors import FieldError, Forbidden, Invalid, StaleVersion
from waypost.kernel.events import record
from waypost.kernel.paging import after, decode_cursor, encode_cursor
from waypost.tickets import canned_events as events
from waypost.tickets import desk_policy
from waypost.tickets.canned_words import faults, fill
from waypost.tickets.errors import ReplyNotFound
from waypost.tickets.queries import Found, find_ticket
from waypost.tickets.talk_models import CannedReply, CannedUse

MOST_BODY = 20_000  # what a comment holds


def _check(body: str) -> None:
    if wrong := faults(body):
        raise Invalid(errors=tuple(FieldError("/body", sentence) for sentence in wrong))


def _matches(q: str) -> Any:
    pattern = "%" + q.strip().lower().replace("!", "!!").replace("%", "!%").replace("_", "!_") + "%"
    return or_(
        func.lower(CannedReply.title).like(pattern, escape="!"), func.lower(CannedReply.body).like(pattern, escape="!")
    )


# --- reading ----------------------------------------------------------------------------------------------------------


async def reply_list(
    session: AsyncSession, actor: Actor, *, q: str | None, sort: str, cursor: str | None, limit: int
) -> dict[str, Any]:
    """A page of the replies this person may use, by title or (`use`) those they take most often first."""
    uses = func.coalesce(CannedUse.uses, literal(0, BigInteger))
    title = func.lower(CannedReply.title)
    statement = (
        select(CannedReply, uses.label("uses"))
        .outerjoin(CannedUse, and_(CannedUse.reply_id == CannedReply.id, CannedUse.user_id == actor.user_id))
        .where(desk_policy.replies_visible_to(actor))
        .limit(limit + 1)
    )
    if q and q.strip():
        statement = statement.where(_matches(q))
    if sort == "use":
        statement = statement.order_by(uses.desc(), title, CannedReply.id)
        if cursor:
            used, last, last_id = decode_cursor(cursor, "replies by use", int, str, int)
            statement = statement.where(
                after([(uses, used, True), (title, last, False), (CannedReply.id, last_id, False)])
            )
    else:
        statement = statement.order_by(title, CannedReply.id)
        if cursor:
            last, last_id = decode_cursor(cursor, "replies by title", str, int)
            statement = statement.where(after([(title, last, False), (CannedReply.id, last_id, False)]))
    rows = (await session.execute(statement.add_columns(title.label("key")))).all()
    page = rows[:limit]
    following = None
    if len(rows) > limit:
        end = page[-1]
        following = (
            encode_cursor("replies by use", int(end.uses), end.key, end[0].id)
            if sort == "use"
            else encode_cursor("replies by title", end.key, end[0].id)
        )
    teams = await names.teams(session, [r[0].team_id for r in page])
    return {"items": [reply_json(actor, r[0], int(r.uses), teams) for r in page], "next_cursor": following}


async def find_reply(session: AsyncSession, actor: Actor, reply_id: int, *, lock: bool = False) -> CannedReply:
    """A reply this person may use. Raises `ReplyNotFound`."""
    statement = select(CannedReply).where(CannedReply.id == reply_id)
    reply = await session.scalar(statement.with_for_update(key_share=True) if lock else statement)
    if reply is None or not desk_policy.may_read_reply(actor, reply.owner_id, reply.team_id):
        raise ReplyNotFound
    return reply


def check_may_edit(actor: Actor, reply: CannedReply) -> None:
    """Raises `Forbidden` for a team's reply that is not theirs to write."""
    if not desk_policy.may_edit_reply(actor, reply.owner_id, reply.team_id):
        raise Forbidden("A team's canned replies are written by those who manage them.")


async def one_json(session: AsyncSession, actor: Actor, reply: CannedReply) -> dict[str, Any]:
    """One reply as clients read it."""
    uses = await session.scalar(
        select(CannedUse.uses).where(CannedUse.user_id == actor.user_id, CannedUse.reply_id == reply.id)
    )
    return reply_json(actor, reply, uses or 0, await names.teams(session, [reply.team_id]))


def reply_json(actor: Actor, reply: CannedReply, uses: int, teams: dict[int | None, dict[str, Any]]) -> dict[str, Any]:
    """A reply with how often this person took it."""
    may_edit = desk_policy.may_edit_reply(actor, reply.owner_id, reply.team_id)
    return {
        "id": reply.id,
        "title": reply.title,
        "body": reply.body,
        "team": teams.get(reply.team_id),
        "version": reply.version,
        "uses": uses,
        "updated_at": rfc3339(reply.updated_at),
        "allowed_actions": ["edit", "remove"] if may_edit else [],
    }


# --- writing ----------------------------------------------------------------------------------------------------------


async def create_reply(
    session: AsyncSession, actor: Actor, *, title: str, body: str, team_id: int | None
) -> CannedReply:
    """Write a reply, one's own or a team's. Raises `Forbidden`, or `Invalid` naming what is wrong."""
    owner_id = actor.user_id if team_id is None else None
    if not desk_policy.may_edit_reply(actor, owner_id, team_id):
        raise Forbidden("A team's canned replies are written by those who manage them.")
    if team_id is not None and await session.scalar(select(Team.id).where(Team.id == team_id)) is None:
        raise Invalid(errors=(FieldError("/team_id", "there is no such team"),))
    _check(body)
    at = now()
    made = CannedReply(
        owner_id=owner_id, team_id=team_id, title=title, body=body, version=1, created_at=at, updated_at=at
    )
    session.add(made)
    await session.flush()
    await record(session, events.CannedReplyCreated(reply_id=made.id, team_id=team_id), actor=actor, at=at)
    return made


async def update_reply(
    session: AsyncSession, actor: Actor, reply_id: int, *, version: int, title: str, body: str
) -> CannedReply:
    """Put a reply in other words. Raises `ReplyNotFound`, `Forbidden`, `Invalid`, `StaleVersion`."""
    reply = await find_reply(session, actor, reply_id, lock=True)
    check_may_edit(actor, reply)
    _check(body)
    if reply.version != version:
        raise StaleVersion(current_version=reply.version)
    if (reply.title, reply.body) == (title, body):
        return reply
    at = now()
    reply.title, reply.body, reply.updated_at = title, body, at
    reply.version += 1
    await session.flush()
    changed = events.CannedReplyUpdated(reply_id=reply.id, team_id=reply.team_id, reply_version=reply.version)
    await record(session, changed, actor=actor, at=at)
    return reply


async def remove_reply(session: AsyncSession, actor: Actor, reply_id: int) -> None:
    """Take a reply away. Raises `ReplyNotFound`, `Forbidden`."""
    reply = await find_reply(session, actor, reply_id, lock=True)
    check_may_edit(actor, reply)
    await session.delete(reply)
    await session.flush()
    await record(session, events.CannedReplyRemoved(reply_id=reply_id, team_id=reply.team_id), actor=actor)


# --- for one ticket ---------------------------------------------------------------------------------------------------


async def values_of(session: AsyncSession, found: Found, me: int | None) -> dict[str, str]:
    """What stands for each blank on this ticket; `me` is whoever speaks."""
    ticket = found.ticket
    ids = {i for i in (ticket.requester_id, ticket.assignee_id, me) if i}
    rows = await session.execute(select(User.id, User.first_name, User.last_name).where(User.id.in_(ids)))
    people = {r.id: (f"{r.first_name} {r.last_name}".strip(), r.first_name) for r in rows}
    teams = await names.teams(session, [ticket.team_id])
    team = str(teams[ticket.team_id]["name"]) if ticket.team_id in teams else "the team"
    values = {
        "team.name": team,
        "ticket.number": ticket.ticket_number,
        "ticket.title": ticket.title,
        "ticket.type": found.type_name,
        "ticket.status": ticket.status.lower().replace("_", " "),
    }
    for word, user_id in (
        ("requester", ticket.requester_id),
        ("assignee", ticket.assignee_id),
        ("me", me),
    ):
        # What nobody is assigned to, the team does.
        values[f"{word}.name"], values[f"{word}.first_name"] = people.get(user_id or 0, (team, team))
    return values


async def preview(session: AsyncSession, actor: Actor, ticket_id: int, body: str) -> str:
    """What a reply would say on a ticket this person sees. Raises `TicketNotFound`, or `Invalid` as saving would."""
    found = await find_ticket(session, actor, ticket_id)
    _check(body)
    return fill(body, await values_of(session, found, actor.user_id))[:MOST_BODY]


async def take_reply(session: AsyncSession, actor: Actor, ticket_id: int, reply_id: int) -> str:
    """A reply's words for this ticket, counted as taken: to be read over and sent by hand."""
    found = await find_ticket(session, actor, ticket_id)
    reply = await find_reply(session, actor, reply_id)
    at = now()
    await session.execute(
        insert(CannedUse)
        .values(user_id=actor.user_id, reply_id=reply.id, uses=1, last_at=at)
        .on_conflict_do_update(
            index_elements=["user_id", "reply_id"],
            set_={"uses": func.least(CannedUse.uses + 1, 1_000_000), "last_at": at},
        )
    )
    return fill(reply.body, await values_of(session, found, actor.user_id))[:MOST_BODY]
