"""What of tickets names a person: routing rules, canned replies, open tickets (`directory/mentions.py`).

Tickets are named to somebody who may see them; the others they are not told of, as everywhere.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.approvals.queries import subjects_open_at
from waypost.directory.mentions import MOST_NAMED, Mention, shortened
from waypost.kernel.conditions.tree import leaves
from waypost.tickets import policy, rules
from waypost.tickets.lifecycle import Status
from waypost.tickets.models import Ticket
from waypost.tickets.talk_models import CannedReply

_OVER = [s.value for s in (Status.DRAFT, Status.REJECTED, Status.CLOSED)]


async def rules_naming_person(session: AsyncSession, actor: Actor, user_id: int) -> list[Mention]:
    """The routing rules in force that give work to this person, or look for them; their `id` is their place."""
    found = []
    for n, rule in enumerate(rules.rules_of(await rules.newest(session)), 1):
        looked_for = any(
            user_id in (leaf.value if isinstance(leaf.value, tuple) else (leaf.value,))
            for leaf in leaves(rule.condition)
            if leaf.field.name == "requester_id" or leaf.field.refers_to == "person"
        )
        if rule.assignee_id == user_id or looked_for:
            found.append(
                Mention("routing_rule", n, rule.name, "assignee" if rule.assignee_id == user_id else "condition")
            )
    return shortened(found, "routing_rule", "assignee", len(found))


async def replies_of_person(session: AsyncSession, actor: Actor, user_id: int) -> list[Mention]:
    """How many canned replies are this person's own; what they say is nobody else's business."""
    count = await session.scalar(select(func.count()).where(CannedReply.owner_id == user_id)) or 0
    return [Mention("canned_reply", None, "", "owner", count)] if count else []


async def tickets_naming_person(session: AsyncSession, actor: Actor, user_id: int) -> list[Mention]:
    """The open tickets that wait for this person's decision, are assigned to them, or are theirs."""
    ways: dict[str, ColumnElement[bool]] = {
        "approver": Ticket.id.in_(subjects_open_at("ticket", user_id)),
        "assignee": Ticket.assignee_id == user_id,
        "requester": Ticket.requester_id == user_id,
    }
    found: list[Mention] = []
    for how, way in ways.items():
        which = (way, Ticket.status.not_in(_OVER), policy.visible_to(actor))
        values = policy.values(actor)
        newest = select(Ticket.id, Ticket.ticket_number, Ticket.title).where(*which).order_by(Ticket.id.desc())
        rows = (await session.execute(newest.limit(MOST_NAMED), values)).all()
        total = await session.scalar(select(func.count()).select_from(Ticket).where(*which), values) or 0
        named = [Mention("ticket", r.id, f"{r.ticket_number} {r.title}", how) for r in rows]
        found += shortened(named, "ticket", how, total)
    return found
