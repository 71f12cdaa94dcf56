"""The log of what came in: found by whatever one knows, looked at safely, and what waits in quarantine dealt with by hand.

What became a request is read there, by those who may: its words are not shown here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.directory.names import names
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.crypto import Damaged
from waypost.kernel.events import record
from waypost.kernel.logs import get_logger
from waypost.kernel.paging import decode_cursor, encode_cursor
from waypost.notifications.incoming.errors import MailboxGone, MailNotFound, MailNotWhole, NotQuarantined
from waypost.notifications.incoming.events import MailsDiscarded, MailTakenAnew
from waypost.notifications.incoming.models import IncomingMail, Mailbox
from waypost.notifications.incoming.originals import read_original
from waypost.notifications.incoming.reading import Unreadable, read
from waypost.notifications.incoming.wording import without_secrets
from waypost.tickets.models import Ticket
from waypost.vendors.object_store import StoreFailed

log = get_logger(__name__)
MOST_TEXT = 20_000  # characters that are shown
MOST_HEADERS, MOST_HEADER = 100, 2000
MOST_FILES = 100


@dataclass(frozen=True, slots=True)
class Filters:
    """What to look for. `q` are words of the subject or the sender; `ticket` is a request's number or id."""

    outcome: str | None = None
    mailbox_id: int | None = None
    ticket: str | None = None
    q: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def mail_page(session: AsyncSession, filters: Filters, *, cursor: str | None, limit: int) -> dict[str, Any]:
    """A page of the log, newest first."""
    statement = _matching(select(IncomingMail), filters).order_by(IncomingMail.id.desc()).limit(limit + 1)
    if cursor:
        (last,) = decode_cursor(cursor, "arrivals", int)
        statement = statement.where(IncomingMail.id < last)
    rows = list(await session.scalars(statement))
    page = rows[:limit]
    following = encode_cursor("arrivals", page[-1].id) if len(rows) > limit else None
    return {"items": await _json(session, page), "next_cursor": following}


async def one_mail(session: AsyncSession, mail_id: int) -> dict[str, Any]:
    """One mail, and what became of it. Raises `MailNotFound`."""
    return (await _json(session, [await _found(session, mail_id)]))[0]


async def look_at(session: AsyncSession, mail_id: int) -> dict[str, Any]:
    """One mail with its headers and words as text. Raises `MailNotFound`."""
    row = await _found(session, mail_id)
    (shown,) = await _json(session, [row])
    inside = await _inside(row) if row.ticket_id is None and row.raw_name is not None else None
    return shown | (inside or {"headers": None, "text": None, "files": None})


async def check_mail(session: AsyncSession, mail_id: int) -> None:
    """Raises `MailNotFound`."""
    if await session.scalar(select(IncomingMail.id).where(IncomingMail.id == mail_id)) is None:
        raise MailNotFound


async def quarantined(session: AsyncSession, mail_id: int) -> IncomingMail:
    """A mail in quarantine, locked. Raises `MailNotFound`, `NotQuarantined`."""
    row = await session.get(IncomingMail, mail_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise MailNotFound
    if row.outcome != "QUARANTINED":
        raise NotQuarantined
    return row


async def take_anew(session: AsyncSession, actor: Actor, mail_id: int) -> None:
    """Let it be decided about once more, as if it had just come.

    Raises `MailNotFound`, `NotQuarantined`, `MailNotWhole`, `MailboxGone`.
    """
    row = await quarantined(session, mail_id)
    if not row.is_whole:
        raise MailNotWhole
    if row.mailbox_id is None:
        raise MailboxGone
    at = now()
    row.outcome, row.reason, row.settled_at, row.attempts, row.next_at = "PENDING", None, None, 0, at
    await session.flush()
    await record(session, MailTakenAnew(mail_id=row.id), actor=actor, at=at)


async def discard(session: AsyncSession, actor: Actor, ids: Sequence[int]) -> int:
    """Discard those of these mails that are in quarantine; returns how many were."""
    wanted = select(IncomingMail).where(IncomingMail.id.in_(ids), IncomingMail.outcome == "QUARANTINED")
    rows = list(await session.scalars(wanted.order_by(IncomingMail.id).with_for_update()))
    at = now()
    for row in rows:
        row.outcome, row.settled_at = "DISCARDED", at
    await session.flush()
    if rows:
        told = MailsDiscarded(mail_ids=[row.id for row in rows], count=len(rows))
        await record(session, told, actor=actor, at=at)
    return len(rows)


async def discard_one(session: AsyncSession, actor: Actor, mail_id: int) -> None:
    """Discard a mail. Raises `MailNotFound`, `NotQuarantined`."""
    await quarantined(session, mail_id)
    await discard(session, actor, [mail_id])


async def _found(session: AsyncSession, mail_id: int) -> IncomingMail:
    row = await session.get(IncomingMail, mail_id, populate_existing=True)
    if row is None:
        raise MailNotFound
    return row


async def _inside(row: IncomingMail) -> dict[str, Any] | None:
    """Its headers, words and files' names; what cannot be read as a mail is shown as the text it is."""
    try:
        raw = await read_original(row)
        mail = await asyncio.to_thread(read, raw)
    except (StoreFailed, Damaged):
        log.exception("mail cannot be opened", mail_id=row.id)
        return None
    if isinstance(mail, Unreadable):
        return {"headers": [], "text": _shown(raw[: MOST_TEXT * 2].decode("utf-8", "replace")), "files": []}
    headers = [{"name": name[:200], "value": _shown(value)[:MOST_HEADER]} for name, value in mail.headers]
    files = [{"name": f.name, "content_type": f.content_type, "size": len(f.data)} for f in mail.files]
    return {"headers": headers[:MOST_HEADERS], "text": _shown(mail.text), "files": files[:MOST_FILES]}


def _shown(text: str) -> str:
    """Text that shows what it is: cut to a length, without what moves or hides it, and without its reader's own links."""
    kept = without_secrets(text)[:MOST_TEXT].encode("utf-8", "replace").decode()
    return "".join(c if c.isprintable() or c in "\n\t" else " " if c.isspace() else "\ufffd" for c in kept)


def _matching(statement: Select[Any], filters: Filters) -> Select[Any]:
    if filters.outcome is not None:
        statement = statement.where(IncomingMail.outcome == filters.outcome)
    if filters.mailbox_id is not None:
        statement = statement.where(IncomingMail.mailbox_id == filters.mailbox_id)
    if filters.ticket:
        asked: Any = filters.ticket.strip()
        if asked.isascii() and asked.isdigit() and len(asked) < 19:
            asked = int(asked)
        else:
            asked = select(Ticket.id).where(Ticket.ticket_number == asked.upper()).scalar_subquery()
        statement = statement.where(IncomingMail.ticket_id == asked)
    if filters.q and filters.q.strip():
        words = filters.q.strip().replace("!", "!!").replace("%", "!%").replace("_", "!_")
        searched = func.waypost_fold(IncomingMail.subject + " " + IncomingMail.from_address)
        statement = statement.where(searched.like(func.waypost_fold(f"%{words}%"), escape="!"))
    if filters.since is not None:
        statement = statement.where(IncomingMail.created_at >= filters.since)
    if filters.until is not None:
        statement = statement.where(IncomingMail.created_at < filters.until)
    return statement


async def _json(session: AsyncSession, rows: Sequence[IncomingMail]) -> list[dict[str, Any]]:
    if not rows:
        return []
    boxes = {b.id: b.name for b in await session.execute(select(Mailbox.id, Mailbox.name))}
    ticket_ids = {r.ticket_id for r in rows if r.ticket_id is not None}
    numbers = {}
    if ticket_ids:
        numbered = select(Ticket.id, Ticket.ticket_number).where(Ticket.id.in_(ticket_ids))
        numbers = {t.id: t.ticket_number for t in await session.execute(numbered)}
    people = await names.people(session, [r.user_id for r in rows])
    return [
        {
            "id": r.id,
            "mailbox": boxes.get(r.mailbox_id),
            "from_address": r.from_address,
            "subject": r.subject,
            "message_id": r.message_id,
            "received_at": rfc3339(r.received_at),
            "size": r.size,
            "is_whole": r.is_whole,
            "outcome": r.outcome,
            "reason": r.reason,
            "ticket": {"id": r.ticket_id, "ticket_number": numbers[r.ticket_id]} if r.ticket_id in numbers else None,
            "person": people.get(r.user_id),
            "attempts": r.attempts,
            "created_at": rfc3339(r.created_at),
            "settled_at": r.settled_at and rfc3339(r.settled_at),
            "allowed_actions": _actions(r),
        }
        for r in rows
    ]


def _actions(row: IncomingMail) -> list[str]:
    if row.outcome != "QUARANTINED":
        return []
    can_take = row.is_whole and row.mailbox_id is not None
    return [*(["take_anew"] if can_take else []), *(["put_on_ticket"] if row.is_whole else []), "discard"]
