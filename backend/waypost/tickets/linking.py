"""Links between tickets: parent and child, duplicate, blocking, related. Each end shows to those who see that end only."""

from __future__ import annotations

from sqlalchemy import BigInteger, delete, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.kernel.clock import now
from waypost.kernel.errors import invalid_field
from waypost.kernel.events import record
from waypost.tickets import events, policy
from waypost.tickets.errors import LinkExists, NoSuchLink, NotYours, TicketNotFound, TooManyLinks, WouldBeCircle
from waypost.tickets.models import Ticket
from waypost.tickets.queries import Found, find_ticket
from waypost.tickets.working_models import TicketLink

# How a ticket stands to the other, in its own words: the kind of link, and whether it is its `from`.
WORDS: dict[str, tuple[str, bool]] = {
    "PARENT_OF": ("PARENT", True),
    "CHILD_OF": ("PARENT", False),
    "DUPLICATE_OF": ("DUPLICATE", True),
    "DUPLICATED_BY": ("DUPLICATE", False),
    "BLOCKS": ("BLOCKS", True),
    "BLOCKED_BY": ("BLOCKS", False),
    "RELATES_TO": ("RELATES", True),
}
OPPOSITE = {
    "PARENT_OF": "CHILD_OF",
    "CHILD_OF": "PARENT_OF",
    "DUPLICATE_OF": "DUPLICATED_BY",
    "DUPLICATED_BY": "DUPLICATE_OF",
    "BLOCKS": "BLOCKED_BY",
    "BLOCKED_BY": "BLOCKS",
    "RELATES_TO": "RELATES_TO",
}
_BINDING = frozenset({"PARENT", "BLOCKS"})  # such a link says something about the other's work
MOST_LINKS = 100
DEEPEST = 20  # generations of parents
_FAMILY_LOCK = 0x57415953  # two halves of one circle must not be made at once


def word_of(kind: str, *, is_from: bool) -> str:
    """How a link reads at one of its ends."""
    return next(w for w, (k, f) in WORDS.items() if k == kind and (f is is_from or k == "RELATES"))


async def both(
    session: AsyncSession, actor: Actor, ticket_id: int, other_id: int, pointer: str, *, lock: bool = True
) -> tuple[Found, Found]:
    """This ticket and another, both locked in the order of their ids, so that two who do this wait and never deadlock.

    Raises `TicketNotFound` for this one, and names `pointer` when the other is not to be seen, or is the same.
    """
    if ticket_id == other_id:
        raise invalid_field(pointer, "must be another ticket")
    found: dict[int, Found] = {}
    for i in sorted((ticket_id, other_id)):
        try:
            found[i] = await find_ticket(session, actor, i, lock=lock)
        except TicketNotFound as missing:
            if i == ticket_id:
                raise
            await find_ticket(session, actor, ticket_id)  # 404 about this one comes first
            raise invalid_field(pointer, "there is no such ticket, or you may not see it") from missing
    return found[ticket_id], found[other_id]


async def link(session: AsyncSession, actor: Actor, ticket_id: int, *, word: str, other_id: int) -> int:
    """Say how this ticket stands to another one may see. What says how the other is worked on is for those who work on both.

    Returns the link's id. Raises `NotYours`, `LinkExists`, `WouldBeCircle`, `TooManyLinks`, or names the other ticket.
    """
    this, other = await both(session, actor, ticket_id, other_id, "/ticket_id")
    if not policy.may_link(actor, this.facts):
        raise NotYours
    if WORDS[word][0] in _BINDING and not policy.may_link(actor, other.facts):
        raise NotYours("The other ticket is another team's: it can be related to or be a duplicate, nothing more.")
    return await make_link(session, actor, word, this.ticket, other.ticket)


async def make_link(session: AsyncSession, actor: Actor, word: str, this: Ticket, other: Ticket) -> int:
    """Write a link and record it on both ends. The caller holds both locks, and has asked whether they may."""
    kind, is_from = WORDS[word]
    start, end = (this, other) if is_from else (other, this)
    if kind == "RELATES" and start.id > end.id:
        start, end = end, start
    for ticket in (start, end):
        ends = (TicketLink.from_id == ticket.id) | (TicketLink.to_id == ticket.id)
        count = await session.scalar(select(func.count()).select_from(TicketLink).where(ends)) or 0
        if count >= MOST_LINKS:
            raise TooManyLinks(f"A ticket has at most {MOST_LINKS} links.")
    same = select(TicketLink.id).where(
        TicketLink.kind == kind, TicketLink.from_id == start.id, TicketLink.to_id == end.id
    )
    if await session.scalar(same) is not None:
        raise LinkExists
    if kind == "PARENT":
        await _check_family(session, parent_id=start.id, child_id=end.id)
    at = now()
    row = TicketLink(kind=kind, from_id=start.id, to_id=end.id, created_by_id=actor.user_id, created_at=at)
    session.add(row)
    await session.flush()
    for ticket, far, said in ((this, other, word), (other, this, OPPOSITE[word])):
        await record(
            session,
            events.TicketLinked(ticket_id=ticket.id, other_ticket_id=far.id, link_id=row.id, word=said),
            actor=actor,
            at=at,
        )
    return row.id


async def _check_family(session: AsyncSession, *, parent_id: int, child_id: int) -> None:
    await session.execute(select(func.pg_advisory_xact_lock(_FAMILY_LOCK)))
    if await session.scalar(select(TicketLink.id).where(TicketLink.kind == "PARENT", TicketLink.to_id == child_id)):
        raise LinkExists("This ticket has a parent already.")
    line = select(literal(parent_id, BigInteger).label("id"), literal(1).label("level")).cte("line", recursive=True)
    above = select(TicketLink.from_id, line.c.level + 1).where(
        TicketLink.kind == "PARENT", TicketLink.to_id == line.c.id, line.c.level <= DEEPEST
    )
    line = line.union_all(above)
    ids = (await session.scalars(select(line.c.id))).all()
    if child_id in ids:
        raise WouldBeCircle
    if len(ids) > DEEPEST:
        raise WouldBeCircle(f"Tickets are nested at most {DEEPEST} deep.")


async def unlink(session: AsyncSession, actor: Actor, ticket_id: int, link_id: int) -> None:
    """Take a link away, seen from this ticket. One whose other end they do not see is there for this one's team only.

    Raises `NoSuchLink`, `NotYours`.
    """
    row = await session.get(TicketLink, link_id)
    if row is None or ticket_id not in (row.from_id, row.to_id):
        await find_ticket(session, actor, ticket_id)
        raise NoSuchLink
    other_id = row.to_id if row.from_id == ticket_id else row.from_id
    in_order = select(Ticket.id).where(Ticket.id.in_((ticket_id, other_id))).order_by(Ticket.id)
    await session.execute(in_order.with_for_update(key_share=True))
    found = await find_ticket(session, actor, ticket_id)
    if not policy.may_link(actor, found.facts):
        raise NotYours if await seen_numbers(session, actor, [other_id]) else NoSuchLink
    if row.kind == "DUPLICATE" and found.ticket.merged_into_id == other_id:
        raise NoSuchLink("What was merged stays linked.")
    gone = delete(TicketLink).where(TicketLink.id == link_id).returning(TicketLink.id)
    if (await session.execute(gone)).first() is None:
        raise NoSuchLink
    word = word_of(row.kind, is_from=row.from_id == ticket_id)
    for near, far, said in ((ticket_id, other_id, word), (other_id, ticket_id, OPPOSITE[word])):
        await record(
            session,
            events.TicketUnlinked(ticket_id=near, other_ticket_id=far, link_id=link_id, word=said),
            actor=actor,
        )


async def seen_numbers(session: AsyncSession, actor: Actor, ticket_ids: list[int]) -> dict[int, str]:
    """The numbers of those tickets among these that a person may see, by id."""
    if not ticket_ids:
        return {}
    statement = select(Ticket.id, Ticket.ticket_number).where(Ticket.id.in_(ticket_ids), policy.visible_to(actor))
    return {r.id: r.ticket_number for r in await session.execute(statement, policy.values(actor))}
