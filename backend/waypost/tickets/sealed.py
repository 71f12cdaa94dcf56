"""Answers to sensitive fields: sealed as they are written, opened for a judgement in memory or for who may read them.

Everything else of a ticket holds their marks only (`catalog.sensitive`), so whatever copies a ticket's fields copies no answer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.catalog.answers import answers
from waypost.catalog.errors import FormNotFilled
from waypost.catalog.sensitive import mark, mark_of
from waypost.kernel.clock import now
from waypost.kernel.crypto import Damaged, WrappedKey, keyring
from waypost.kernel.errors import FieldError, escape_pointer
from waypost.kernel.events import record
from waypost.kernel.logs import get_logger
from waypost.tickets import events, policy
from waypost.tickets.errors import AnswerDamaged, NotYours
from waypost.tickets.models import Ticket
from waypost.tickets.queries import find_ticket
from waypost.tickets.sealed_models import SealedAnswer

log = get_logger(__name__)
Fields = Mapping[str, Any]


def marks_in(fields: Fields) -> dict[str, UUID]:
    """The sealed answers these fields stand for, by key."""
    return {key: found for key, value in fields.items() if (found := mark_of(value)) is not None}


def seal(ticket_id: int, key: str, value: Any) -> SealedAnswer:
    """An answer as it is kept; nothing is written yet."""
    made = SealedAnswer(id=uuid4(), ticket_id=ticket_id, field_key=key, created_at=now())
    wrapped = keyring().wrap(msgspec.json.encode(value), made.about)
    made.key_id, made.value = wrapped.key_id, wrapped.value
    return made


def open_answer(row: SealedAnswer) -> Any:
    """The answer again. Raises `Damaged`."""
    return msgspec.json.decode(keyring().unwrap(WrappedKey(row.key_id, row.value), row.about))


async def opened(session: AsyncSession, ticket: Ticket) -> dict[str, Any]:
    """A ticket's fields with their answers in the place of marks. At most one statement; none without a mark.

    Applies no permission, and nothing of it may be written or told. Raises `AnswerDamaged` when an answer is not there, or
    not the one that was written for this field of this ticket.
    """
    fields, damaged = await opened_as_far(session, ticket)
    if damaged:
        log.error("sealed answers do not open", ticket_id=ticket.id, fields=sorted(damaged))
        places = (FieldError(f"/custom_fields/{escape_pointer(key)}", "cannot be opened") for key in sorted(damaged))
        raise AnswerDamaged(errors=tuple(places))
    return fields


async def opened_as_far(session: AsyncSession, ticket: Ticket) -> tuple[dict[str, Any], set[str]]:
    """The same, where an answer that does not open keeps its mark; the keys of those beside it."""
    marks = marks_in(ticket.custom_fields)
    if not marks:
        return dict(ticket.custom_fields), set()
    rows = await session.scalars(
        select(SealedAnswer).where(SealedAnswer.ticket_id == ticket.id, SealedAnswer.id.in_(marks.values()))
    )
    found = {row.id: row for row in rows}
    fields, damaged = dict(ticket.custom_fields), set[str]()
    for key, answer in marks.items():
        row = found.get(answer)
        try:
            if row is None or row.field_key != key:
                raise Damaged(f"the answer {answer} is not that of {key!r} of ticket {ticket.id}")
            fields[key] = open_answer(row)
        except Damaged:
            damaged.add(key)
    return fields, damaged


def without_given_marks(given: Fields) -> dict[str, Any]:
    """Fields of a request that is new, in which no mark can stand for anything. Raises `FormNotFilled` for each."""
    return filled_in(given, {}, {})


def filled_in(given: Fields, kept: Fields, plain: Fields) -> dict[str, Any]:
    """Fields as they were sent, with the answers of now where a mark was sent back. Raises `FormNotFilled` for any other."""
    wrong = [
        FieldError(f"/custom_fields/{escape_pointer(key)}", "is hidden: leave it as it was read, or answer it anew")
        for key, answer in marks_in(given).items()
        if mark_of(kept.get(key)) != answer
    ]
    if wrong:
        raise FormNotFilled(errors=tuple(wrong))
    return {key: value if mark_of(value) is None else plain[key] for key, value in given.items()}


async def keep(
    session: AsyncSession,
    ticket_id: int,
    keys: Collection[str],
    fields: Fields,
    *,
    kept: Fields | None = None,
    plain: Fields | None = None,
) -> dict[str, Any]:
    """Seal the answers to these keys; returns the fields as a ticket keeps them.

    `kept` and `plain` are the ticket's fields before, as they are kept and as they read: an answer that says the same stays
    as it is sealed, also to a field that is sensitive no longer, and the others are removed.
    """
    before, said = marks_in(kept or {}), plain or {}
    after: dict[str, Any] = {}
    for key, value in fields.items():
        if key in before and said.get(key) == value:
            after[key] = mark(before.pop(key))
        elif key not in keys:
            after[key] = value
        else:
            made = seal(ticket_id, key, value)
            session.add(made)
            after[key] = mark(made.id)
    if before:
        gone = delete(SealedAnswer).where(SealedAnswer.ticket_id == ticket_id, SealedAnswer.id.in_(before.values()))
        await session.execute(gone)
    await session.flush()
    return after


async def reveal(session: AsyncSession, actor: Actor, ticket_id: int) -> list[dict[str, Any]]:
    """A ticket's sensitive answers in the clear, in the form's order, for who may read them; that they did is recorded.

    The requester reads their own words: nothing is recorded of that. Raises `TicketNotFound`, `NotYours`.
    """
    found = await find_ticket(session, actor, ticket_id)
    if not policy.may_reveal(actor, found.facts):
        raise NotYours("Sensitive answers are for the requester, for who works on it and for who decides it.")
    marks = marks_in(found.ticket.custom_fields)
    fields = await opened(session, found.ticket)
    if marks and found.ticket.requester_id != actor.user_id:
        read = events.SensitiveAnswersRead(ticket_id=ticket_id, fields=sorted(marks), session_id=actor.session_id)
        await record(session, read, actor=actor)
    return [answer for answer in answers(found.form, fields) if answer["key"] in marks]
