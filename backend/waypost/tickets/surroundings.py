"""What stands beside a ticket on its page: watchers, checklist, links. One request, three statements at most."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, false, func, literal_column, or_, select, true
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.directory.names import names
from waypost.kernel.clock import rfc3339
from waypost.tickets import linking, policy, watching
from waypost.tickets.models import Ticket
from waypost.tickets.queries import Found, find_ticket
from waypost.tickets.working_models import ChecklistItem, TicketLink, TicketWatcher

_NONE: ColumnElement[Any] = literal_column("'[]'::jsonb")
People = dict[int | None, dict[str, Any]]


def _all_of(table: Any, order: Any, *columns: Any, where: Any) -> Any:
    row = func.jsonb_build_array(*columns)
    return select(func.coalesce(func.jsonb_agg(aggregate_order_by(row, order)), _NONE)).where(where).scalar_subquery()


async def surroundings(session: AsyncSession, actor: Actor, ticket_id: int) -> dict[str, Any]:
    """Everything beside one ticket that this person may see.

    Of a link whose other end they may not see, nothing; but those who may take it away see that there is one.
    """
    found = await find_ticket(session, actor, ticket_id)
    w, c, n = TicketWatcher, ChecklistItem, TicketLink
    is_from = n.from_id == ticket_id
    other = case((is_from, n.to_id), else_=n.from_id)
    is_seen = policy.visible_to(actor)
    may_remove = policy.may_link(actor, found.facts)
    links = (
        select(
            func.coalesce(
                func.jsonb_agg(
                    aggregate_order_by(
                        func.jsonb_build_array(
                            n.id, n.kind, is_from, is_seen, Ticket.id, Ticket.ticket_number, Ticket.title, Ticket.status
                        ),
                        n.id,
                    )
                ),
                _NONE,
            )
        )
        .join(Ticket, Ticket.id == other)
        .where(or_(is_from, n.to_id == ticket_id), or_(is_seen, true() if may_remove else false()))
        .scalar_subquery()
    )
    row = (
        await session.execute(
            select(
                _all_of(w, w.created_at, w.user_id, w.gives_sight, w.created_at, where=w.ticket_id == ticket_id),
                _all_of(
                    c, c.position, c.id, c.text, c.is_done, c.done_by_id, c.done_at, where=c.ticket_id == ticket_id
                ),
                links,
            ),
            policy.values(actor),
        )
    ).one()
    watchers, items, linked = row
    people = await names.people(session, [x[0] for x in watchers] + [x[3] for x in items])
    return {
        "watchers": [
            {"person": people[user], "gives_sight": sight, "since": _instant(at)}
            for user, sight, at in watchers
            if user in people
        ],
        "is_watching": any(user == actor.user_id for user, *_ in watchers),
        "checklist": [_item(x, people) for x in items],
        "links": [
            {
                "id": link_id,
                "word": linking.word_of(kind, is_from=starts),
                "ticket": {"id": other_id, "ticket_number": number, "title": title, "status": status} if seen else None,
                "is_merge": kind == "DUPLICATE" and starts and other_id == found.ticket.merged_into_id,
            }
            for link_id, kind, starts, seen, other_id, number, title, status in linked
        ],
        "is_merged": found.ticket.merged_into_id is not None,
        "allowed_actions": allowed_actions(actor, found),
    }


def allowed_actions(actor: Actor, found: Found) -> list[str]:
    """What this person may do beside the ticket."""
    rules = {
        "watch": watching.may_watch,
        "choose_watchers": watching.may_choose_watchers,
        "write_checklist": policy.may_write_checklist,
        "link": policy.may_link,
        "merge": policy.may_merge,
        "split": policy.may_split,
    }
    return [word for word, may in rules.items() if may(actor, found.facts)]


def item_json(item: ChecklistItem, people: People) -> dict[str, Any]:
    """An item of the checklist as clients read it."""
    done_at = item.done_at and item.done_at.isoformat()
    return _item([item.id, item.text, item.is_done, item.done_by_id, done_at], people)


def _item(x: list[Any], people: People) -> dict[str, Any]:
    item_id, text, is_done, by, at = x
    return {"id": item_id, "text": text, "is_done": is_done, "done_by": people.get(by), "done_at": at and _instant(at)}


def _instant(text: str) -> str:
    return rfc3339(datetime.fromisoformat(text))
