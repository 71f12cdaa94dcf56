"""Sealing what was answered before a field became sensitive. What is sealed stays so, also when the field is no longer.

The worker goes through a type's tickets in batches, each in a transaction of its own, and notes how far it came: one that
dies leaves the rest to the next. Whoever began to write before the form was changed may still write as it was, so the last
pass is one that began after all of them had ended.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import msgspec
from sqlalchemy import BigInteger, Text, cast, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.permissions import Permission
from waypost.approvals.masking import mask
from waypost.catalog.answers import title_of
from waypost.catalog.events import TicketTypeUpdated
from waypost.catalog.models import FormVersion, TicketType
from waypost.catalog.sensitive import ERASED, mark, mark_of
from waypost.kernel.alarms import AlarmRaised
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.events import SYSTEM, Doer, EventRow, record
from waypost.kernel.logs import get_logger
from waypost.tickets import events, sealed
from waypost.tickets.drafts import put
from waypost.tickets.import_hiding import hide_answers
from waypost.tickets.models import RequestDraft, Ticket
from waypost.tickets.sealed_models import AnswerSealing

log = get_logger(__name__)
TASK = "tickets.seal_answers"
ALARM = "answers.damaged"
MOST_NAMED = 10  # in an alarm
ONLY_ONE = 0x57415341
TURN = 5.0  # seconds a worker process gives to it at a time
BATCH = 50  # tickets of a transaction: their rows are held until it ends
SUBJECT = "ticket"
_SINCE = cast(cast(func.pg_current_xact_id(), Text), BigInteger)
_OLDEST = cast(cast(func.pg_snapshot_xmin(func.pg_current_snapshot()), Text), BigInteger)


async def on_type_updated(session: AsyncSession, event: TicketTypeUpdated, actor: Doer) -> None:
    """Let the worker seal what was answered so far, when that is what the form says now."""
    before, after = event.changes.get("sealed_keys", ((), ()))
    if set(after) <= set(before):
        return
    since, at = await session.scalar(select(_SINCE)), now()
    begun = {"since": since, "is_last_pass": False, "last_ticket_id": 0, "changed": 0, "asked_at": at}
    await session.execute(
        insert(AnswerSealing)
        .values(ticket_type_id=event.ticket_type_id, **begun, finished_at=None)
        .on_conflict_do_update(index_elements=["ticket_type_id"], set_={**begun, "finished_at": None})
    )


async def run_due(database: Database, *, seconds: float = TURN) -> int:
    """Go on with what is not finished; one process does at a time. Returns how many tickets and drafts were changed."""
    changed, until = 0, time.monotonic() + seconds
    failed: Exception | None = None
    async with database.alone(ONLY_ONE) as is_alone:
        async with database.read() as session:
            due = select(AnswerSealing.ticket_type_id).where(AnswerSealing.finished_at.is_(None))
            kinds = list(await session.scalars(due.order_by(AnswerSealing.ticket_type_id))) if is_alone else []
        for kind_id in kinds:
            passed = 0
            try:
                while time.monotonic() < until and passed < 2:
                    async with database.transaction() as session:
                        step = await _batch(session, kind_id)
                    if step is None:
                        break
                    changed += step[0]
                    passed += step[1]  # whoever still writes as the form was is waited for: the next turn looks again
            except Exception as defect:  # one type's trouble keeps no other from its turn
                log.exception("sealing answers failed", ticket_type_id=kind_id)
                failed = failed or defect
    if failed is not None:
        raise failed
    return changed


async def _batch(session: AsyncSession, kind_id: int) -> tuple[int, bool] | None:
    """A type's next batch: how many tickets it changed, and whether it was a pass's last. None when nothing is to be done."""
    due = select(AnswerSealing).where(AnswerSealing.ticket_type_id == kind_id, AnswerSealing.finished_at.is_(None))
    job = await session.scalar(due.with_for_update())
    if job is None:
        return None
    kind = await session.get_one(TicketType, job.ticket_type_id)
    changed, damaged = 0, list[str]()
    if job.last_ticket_id == 0:
        oldest = await session.scalar(select(_OLDEST)) or 0
        job.is_last_pass = oldest > job.since
        changed += await _drafts(session, kind)
        await hide_answers(session, kind.key, kind.sealed_keys)
    tickets = list(
        await session.scalars(
            select(Ticket)
            .where(Ticket.ticket_type_id == kind.id, Ticket.id > job.last_ticket_id)
            .order_by(Ticket.id)
            .limit(BATCH)
            .with_for_update(key_share=True)
        )
    )
    changed += await _seal(session, kind, tickets, damaged)
    job.changed += changed
    if damaged and job.is_last_pass:
        await _raise_alarm(session, kind, damaged)
    is_end = len(tickets) < BATCH
    job.last_ticket_id = 0 if is_end else tickets[-1].id
    if is_end and job.is_last_pass:
        job.finished_at = now()
    await session.flush()
    return changed, is_end


async def _raise_alarm(session: AsyncSession, kind: TicketType, damaged: list[str]) -> None:
    told = AlarmRaised(
        kind=ALARM,
        topic=f"answers.{kind.id}",
        link=f"/settings/ticket-types/{kind.key}",
        needs=Permission.CATALOG_CONFIGURE.value,
        values={
            "type": kind.name,
            "which": ", ".join(damaged[:MOST_NAMED]) + (" and more" if len(damaged) > MOST_NAMED else ""),
            "action": "Look at the type",
        },
    )
    await record(session, told, actor=SYSTEM)


async def _drafts(session: AsyncSession, kind: TicketType) -> int:
    """Drafts of this type, all of them: nobody has more than a few. What is sealed is not touched."""
    if not kind.sealed_keys:
        return 0
    found = list(
        await session.scalars(
            select(RequestDraft)
            .where(RequestDraft.ticket_type == kind.key, RequestDraft.sealed.is_(None))
            .order_by(RequestDraft.owner_id, RequestDraft.id)
            .with_for_update()
        )
    )
    for draft in found:
        put(draft, draft.content, is_sealed=True)
    return len(found)


async def _seal(session: AsyncSession, kind: TicketType, tickets: list[Ticket], damaged: list[str]) -> int:
    """Keep these tickets' answers, and all copies of them, as the type's form says. What does not open is noted, and stays."""
    keys = set(kind.sealed_keys)
    marks: dict[tuple[int, str, bytes], dict[str, str]] = {}
    told: dict[int, set[str]] = {}
    for ticket in tickets:
        there = sealed.marks_in(ticket.custom_fields)
        to_seal = {key for key in keys if key in ticket.custom_fields and key not in there}
        if not to_seal:
            continue
        plain, closed_for_good = await sealed.opened_as_far(session, ticket)
        if closed_for_good:
            log.error("sealed answers do not open", ticket_id=ticket.id, fields=sorted(closed_for_good))
            damaged.append(ticket.ticket_number)
        stays = {key: plain.pop(key) for key in closed_for_good}
        kept = {key: value for key, value in ticket.custom_fields.items() if key not in closed_for_good}
        ticket.custom_fields = stays | await sealed.keep(session, ticket.id, keys, plain, kept=kept, plain=plain)
        told[ticket.id] = to_seal
        for key in to_seal:
            marks[ticket.id, key, msgspec.json.encode(plain[key])] = ticket.custom_fields[key]

    def mark_for(ticket_id: int, key: str, answer: Any) -> Mapping[str, str]:
        # An answer of before has a mark that opens nothing: one sees that it was another, and it is gone.
        return marks.setdefault((ticket_id, key, msgspec.json.encode(answer)), mark(uuid4()))

    titles: list[str] = []
    if keys and tickets:
        ids = [ticket.id for ticket in tickets]
        titles = await _titles(session, kind, keys)
        copied = await mask(session, SUBJECT, ids, keys, titles, mark_for) | await _told_of(session, ids, keys)
        for ticket_id in copied:
            told.setdefault(ticket_id, set()).update(keys)
    await session.flush()
    for ticket_id, closed in sorted(told.items()):
        event = events.SensitiveAnswersSealed(ticket_id=ticket_id, sealed=sorted(closed), opened=[], titles=titles)
        await record(session, event, actor=SYSTEM)
    return len(told)


async def _told_of(session: AsyncSession, ticket_ids: list[int], keys: set[str]) -> set[int]:
    """The tickets of whose history an answer to these fields is still to be read."""
    rows = await session.execute(
        select(EventRow.object_id, EventRow.data["changes"]["custom_fields"].label("pair")).where(
            EventRow.object_type == SUBJECT,
            EventRow.object_id.in_(ticket_ids),
            EventRow.type == events.TicketUpdated.type,
            EventRow.data["changes"].has_key("custom_fields"),
        )
    )
    return {
        int(row.object_id)
        for row in rows
        if any(
            key in fields and mark_of(fields[key]) is None and _is_told(fields[key])
            for fields in row.pair or ()
            if isinstance(fields, Mapping)
            for key in keys
        )
    }


def _is_told(value: Any) -> bool:
    """Whether something of a value was not erased yet (`audit.erasing`)."""
    if isinstance(value, Mapping) and value:
        return any(_is_told(part) for part in value.values())
    if isinstance(value, list) and value:
        return any(_is_told(part) for part in value)
    return bool(value != ERASED)


async def _titles(session: AsyncSession, kind: TicketType, keys: set[str]) -> list[str]:
    """What these fields were ever called."""
    forms = await session.scalars(select(FormVersion.form).where(FormVersion.ticket_type_id == kind.id))
    found = {
        title_of(key, schema)
        for form in forms
        for key, schema in (form.get("properties") or {}).items()
        if key in keys and isinstance(schema, Mapping)
    }
    return sorted(found)
