"""The delivery log: what went out to whom by which channel, what went wrong, and sending it again.

It never shows what a message said: a link to decide by is its reader's alone.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, String, cast, func, or_, select, type_coerce, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.directory.names import names
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.events import record
from waypost.kernel.paging import decode_cursor, encode_cursor
from waypost.notifications.errors import DeliveryNotFound, NotFailed
from waypost.notifications.events import DeliveriesSentAgain
from waypost.notifications.incoming.returned import try_again
from waypost.notifications.models import Delivery
from waypost.notifications.numbers import hidden, number_of
from waypost.tickets.models import Ticket

MOST_AGAIN = 5000  # at once; what is left is asked for again
# Others may hold what is the reader's alone, such as an address that answers in their name.
SHOWN = frozenset({"Auto-Submitted", "In-Reply-To", "References", "X-Auto-Response-Suppress", "X-Waypost-Ticket"})
MOST_NAMED = 100  # ids in one event


@dataclass(frozen=True, slots=True)
class Filters:
    """What to look for. `q` are words of the subject, the recipient or the error; `ticket` is a request's number or id."""

    status: str | None = None
    channel: str | None = None
    kind: str | None = None
    user_id: int | None = None
    ticket: str | None = None
    q: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def delivery_page(session: AsyncSession, filters: Filters, *, cursor: str | None, limit: int) -> dict[str, Any]:
    """A page of the log, newest first."""
    statement = _matching(select(Delivery), filters).order_by(Delivery.id.desc()).limit(limit + 1)
    if cursor:
        (last,) = decode_cursor(cursor, "deliveries", int)
        statement = statement.where(Delivery.id < last)
    rows = list(await session.scalars(statement))
    page = rows[:limit]
    people = await names.people(session, [d.user_id for d in page])
    following = encode_cursor("deliveries", page[-1].id) if len(rows) > limit else None
    return {"items": [_json(d, people.get(d.user_id)) for d in page], "next_cursor": following}


async def one_delivery(session: AsyncSession, delivery_id: int) -> dict[str, Any]:
    """One message and what became of it. Raises `DeliveryNotFound`."""
    row = await session.get(Delivery, delivery_id, populate_existing=True)
    if row is None:
        raise DeliveryNotFound
    return _json(row, (await names.people(session, [row.user_id])).get(row.user_id))


async def check_delivery(session: AsyncSession, delivery_id: int) -> None:
    """Raises `DeliveryNotFound`."""
    if await session.scalar(select(Delivery.id).where(Delivery.id == delivery_id)) is None:
        raise DeliveryNotFound


async def send_again(session: AsyncSession, actor: Actor, delivery_id: int) -> None:
    """Try a message once more that was given up. Raises `DeliveryNotFound`, `NotFailed`."""
    row = await session.get(Delivery, delivery_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise DeliveryNotFound
    if row.status != "FAILED":
        raise NotFailed
    await _again(session, actor, [row.id], {})


async def send_all_again(session: AsyncSession, actor: Actor, filters: Filters) -> int:
    """Try again what was given up of what matches, at most `MOST_AGAIN`; returns how many."""
    only = Filters(**{**asdict(filters), "status": "FAILED"})
    ids = list(
        await session.scalars(
            _matching(select(Delivery.id), only)
            .order_by(Delivery.id)
            .limit(MOST_AGAIN)
            .with_for_update(skip_locked=True)
        )
    )
    if ids:
        said = {k: str(v)[:200] for k, v in asdict(filters).items() if v is not None and k != "status"}
        if (number := number_of(said.get("q", ""))) is not None:
            said["q"] = hidden(number)
        await _again(session, actor, ids, said)
    return len(ids)


async def _again(session: AsyncSession, actor: Actor, ids: list[int], filters: dict[str, str]) -> None:
    """Due now, each by itself, with all its tries before it; its Message-ID stays, so what did arrive shows once."""
    at = now()
    await session.execute(
        update(Delivery)
        .where(Delivery.id.in_(ids))
        .values(status="PENDING", attempts=0, next_at=at, bundle=None, receipt=None, receipt_at=None)
        .execution_options(synchronize_session=False)
    )
    await try_again(session, ids)
    again = DeliveriesSentAgain(delivery_ids=ids[:MOST_NAMED], count=len(ids), filters=filters)
    await record(session, again, actor=actor, at=at)


def _matching(statement: Select[Any], filters: Filters) -> Select[Any]:
    same = {Delivery.status: filters.status, Delivery.channel: filters.channel, Delivery.kind: filters.kind}
    for column, value in same.items():
        if value is not None:
            statement = statement.where(column == value)
    if filters.user_id is not None:
        statement = statement.where(Delivery.user_id == filters.user_id)
    if filters.ticket:
        asked: Any = filters.ticket.strip()
        if not (asked.isascii() and asked.isdigit()):
            numbered = select(cast(Ticket.id, String)).where(Ticket.ticket_number == asked.upper())
            asked = numbered.scalar_subquery()
        statement = statement.where(Delivery.words["ticket_id"].astext == asked)
    if filters.q and filters.q.strip():
        words = filters.q.strip().replace("!", "!!").replace("%", "!%").replace("_", "!_")
        found = searched().like(func.waypost_fold(f"%{words}%"), escape="!")
        number = number_of(filters.q)  # a phone is sealed: it is found whole, not by a part of it
        statement = statement.where(found if number is None else or_(found, Delivery.recipient == number))
    if filters.since is not None:
        statement = statement.where(Delivery.created_at >= filters.since)
    if filters.until is not None:
        statement = statement.where(Delivery.created_at < filters.until)
    return statement


def searched() -> Any:
    """What words are looked for in, as its index has it."""
    return func.waypost_fold(Delivery.subject + " " + type_coerce(Delivery.recipient, String))


def _json(row: Delivery, person: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "channel": row.channel,
        "kind": row.kind,
        "person": person,
        "recipient": row.recipient,
        "subject": row.subject,
        "ticket": _ticket(row.words),
        "headers": {"Message-ID": row.message_id, **{k: v for k, v in row.headers.items() if k in SHOWN}},
        "status": row.status,
        "is_urgent": row.is_urgent,
        "attempts": row.attempts,
        "next_at": rfc3339(row.next_at),
        "sent_at": row.sent_at and rfc3339(row.sent_at),
        "last_error": row.last_error,
        "segments": row.segments,
        "receipt": row.receipt,
        "receipt_at": row.receipt_at and rfc3339(row.receipt_at),
        "created_at": rfc3339(row.created_at),
        "allowed_actions": ["send_again"] if row.status == "FAILED" else [],
    }


def _ticket(words: dict[str, Any]) -> dict[str, Any] | None:
    if words.get("ticket_id") is None or not words.get("number"):
        return None
    return {"id": words["ticket_id"], "ticket_number": words["number"]}
