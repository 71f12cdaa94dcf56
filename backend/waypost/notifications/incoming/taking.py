"""What becomes of a mail: a request, a comment, an answer to a question, a note at a mail of ours, or nothing.

Whoever wrote it does by mail what they may do on the web, through the same services. Everything it leads to, and that it
is settled, is one transaction; files are stored before it. So a mail is done once, whatever ends this process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.queries import actor_of_user
from waypost.catalog.models import TicketType
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.errors import Invalid, Kind, Refusal
from waypost.kernel.events import EventRow
from waypost.kernel.logs import get_logger
from waypost.notifications.incoming import answering, finding, returned, wording
from waypost.notifications.incoming.finding import Match
from waypost.notifications.incoming.matching import reply_address
from waypost.notifications.incoming.models import IncomingMail, Mailbox
from waypost.notifications.incoming.originals import read_original
from waypost.notifications.incoming.reading import Arrived, File, Unreadable, read
from waypost.notifications.incoming.weighing import Intent, Outcome, decide
from waypost.notifications.incoming.wording import Written
from waypost.tickets import events as ticket_events
from waypost.tickets import handing_in, lifecycle, linking, policy, service, talking
from waypost.tickets.errors import AttachmentTooLarge, TicketNotFound
from waypost.tickets.handing_in import Stored
from waypost.tickets.lifecycle import Part, Status
from waypost.tickets.models import Ticket, TicketComment
from waypost.tickets.queries import Found, find_ticket

log = get_logger(__name__)
CHANNEL = "email"
MOST_REOPENED = 3  # times within an hour a request is re-opened by mail
UNSEEN = "There is no such request, or you may not see it."
UNKNOWN = "Nobody here is known by the address you wrote from. Please write from your address at work, or sign in."


async def take(database: Database, mail_id: int) -> Outcome | None:
    """Decide about a mail that waits, and do it. None when it is settled already.

    Raises what a fault raises (the store away, the database away): then nothing was done, and it waits on.
    """
    async with database.read() as session:
        row = await session.get(IncomingMail, mail_id)
        if row is None or row.outcome != "PENDING":
            return None
        box = await session.get(Mailbox, row.mailbox_id) if row.mailbox_id else None
    if not row.is_whole:
        return await _settle(
            database, mail_id, Outcome("QUARANTINED", "only its headers were fetched: it is too large")
        )
    if box is None:
        return await _settle(database, mail_id, Outcome("QUARANTINED", "the mailbox it came by is no more"))
    mail = await asyncio.to_thread(read, await read_original(row))
    if isinstance(mail, Unreadable):
        return await _settle(database, mail_id, Outcome("QUARANTINED", mail.why))
    async with database.read() as session:
        decided = await decide(session, box, mail)
    if isinstance(decided, Outcome) and decided.word != "BOUNCE":
        return await _settle(database, mail_id, decided, mail=mail, box=box)
    if isinstance(decided, Outcome):
        return await _settle(database, mail_id, decided, bounced=mail)
    stored, left_out = await store_files(mail)
    kept: list[Stored] = []
    # What breaks here leaves its files to the housekeeping: whether it was committed may not be known.
    outcome = await _act(database, mail_id, row.message_id, box, mail, decided, stored, left_out, kept)
    await handing_in.drop_files([file for file in stored if file not in kept])
    return outcome


async def store_files(mail: Arrived) -> tuple[list[Stored], list[str]]:
    """Its files in the store, and what is not kept, for people. Raises `StoreFailed`; then none is left there."""
    stored: list[Stored] = []
    left_out = list(mail.left_out)
    try:
        for file in mail.files:
            try:
                stored.append(await handing_in.store_file(file.name, file.data))
            except AttachmentTooLarge as refusal:
                left_out.append(f"{_named(file)}: {refusal.detail[:1].lower()}{refusal.detail[1:].rstrip('.')}")
    except BaseException:
        await handing_in.drop_files(stored)
        raise
    return stored, left_out


def _named(file: File) -> str:
    return file.name[:100]


# --- doing it ---------------------------------------------------------------------------------------------------------


async def _act(
    database: Database,
    mail_id: int,
    message_id: str | None,
    box: Mailbox,
    mail: Arrived,
    intent: Intent,
    stored: Sequence[Stored],
    left_out: Sequence[str],
    kept: list[Stored],
) -> Outcome | None:
    """One transaction: whatever it leads to, and that it is settled. What was `kept` of its files is known afterwards."""
    done: list[Stored] = []
    async with database.transaction() as session:
        row = await _locked(session, mail_id, message_id)
        if row is None:
            return None
        outcome = await _taken_before(session, row, mail)
        if outcome is None:
            actor = await actor_of_user(session, intent.user_id, CHANNEL)
            try:
                async with session.begin_nested():
                    outcome = await _do(session, actor, row, box, mail, intent, stored, left_out, done)
            except Refusal as refusal:
                done.clear()
                outcome = await _refuse(session, row, mail, intent, refusal)
        _write(row, replace(outcome, user_id=outcome.user_id or intent.user_id))
        if outcome.word in finding.TAKEN and not intent.is_stranger and actor is not None:
            await returned.note_works(session, actor, intent.user_id)
    kept += done
    return outcome


async def _locked(session: AsyncSession, mail_id: int, message_id: str | None) -> IncomingMail | None:
    """The mail's row, when it still waits. The same mail that came by another mailbox waits for this one to be done."""
    if message_id:
        await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(message_id, 0))))
    row = await session.get(IncomingMail, mail_id, with_for_update=True, populate_existing=True)
    return row if row is not None and row.outcome == "PENDING" else None


async def _taken_before(session: AsyncSession, row: IncomingMail, mail: Arrived) -> Outcome | None:
    """The same mail by another mailbox, or sent twice. One that only bears a known Message-ID is another mail."""
    if row.message_id is None:
        return None
    same = (
        select(IncomingMail)
        .where(
            IncomingMail.message_id == row.message_id,
            IncomingMail.id != row.id,
            IncomingMail.from_address == row.from_address,
            IncomingMail.outcome.in_(("TICKET", "COMMENT", "REFUSED")),
        )
        .order_by(IncomingMail.id)
        .limit(5)
    )
    for earlier in await session.scalars(same):
        before = await asyncio.to_thread(read, await read_original(earlier))
        if isinstance(before, Arrived) and before.fingerprint == mail.fingerprint:
            return Outcome(
                "IGNORED", f"it was taken before (mail {earlier.id})", earlier.ticket_id, user_id=row.user_id
            )
    return None


async def _do(
    session: AsyncSession,
    actor: Actor | None,
    row: IncomingMail,
    box: Mailbox,
    mail: Arrived,
    intent: Intent,
    stored: Sequence[Stored],
    left_out: Sequence[str],
    done: list[Stored],
) -> Outcome:
    if actor is None:
        return Outcome("QUARANTINED", "who it would be taken for is not active any more")
    if intent.match is None:
        return await _begin(session, actor, row, box, mail, intent, stored, left_out, done)
    found = await find_ticket(session, actor, intent.match.ticket_id, lock=True)
    visibility = _visibility(actor, found, box, intent.match)
    if not lifecycle.takes_more(found.facts.status) and visibility == "PUBLIC":
        made = await _begin(session, actor, row, box, mail, intent, stored, left_out, done)
        fresh = await session.get_one(Ticket, made.ticket_id)
        if policy.may_comment(actor, found.facts):
            await linking.make_link(session, actor, "RELATES_TO", found.ticket, fresh)
        return replace(made, reason=f"{found.ticket.ticket_number} is closed: it is a new request, linked to it")
    talking.check_may_say(actor, found, visibility)
    files, late = await _fitting(session, found.ticket.id, mail, stored)
    written = wording.reply(mail, [*left_out, *late], has_files=bool(files), is_stranger=intent.is_stranger)
    comment_id = await _say(session, actor, found, written, visibility)
    await handing_in.keep_files(session, actor, found.ticket.id, files, visibility=visibility)
    done += files
    return Outcome("COMMENT", None, found.ticket.id, comment_id)


def _visibility(actor: Actor, found: Found, box: Mailbox, match: Match) -> str:
    """Who reads it: the team alone when it answers what the team alone reads, or where that is the mailbox's rule."""
    is_agent = policy.may_comment_internally(actor, found.facts) and found.facts.requester_id != actor.user_id
    return "INTERNAL" if match.is_internal or (box.agents_reply == "INTERNAL" and is_agent) else "PUBLIC"


async def _say(session: AsyncSession, actor: Actor, found: Found, written: Written, visibility: str) -> int | None:
    """The reply as a comment; by the requester it answers an open question, or re-opens what was thought complete."""
    ticket, parts = found.ticket, policy.parts_of(actor, found.facts)
    asks_again = visibility == "PUBLIC" and Part.REQUESTER in parts and found.facts.requester_id == actor.user_id
    facts = lifecycle.Facts(found.facts.status, ticket.completed_at)
    ways = lifecycle.possible(facts, parts, now(), reopen_within=service.reopen_window()) if asks_again else []
    steps = {edge.step for edge in ways}
    if lifecycle.Step.ANSWER in steps:
        await service.change_status(session, actor, ticket.id, to=Status.IN_REVIEW, comment=written.body)
        return None
    if lifecycle.Step.REOPEN in steps and not written.is_thanks and await _may_reopen(session, ticket.id):
        await service.change_status(session, actor, ticket.id, to=Status.IN_PROGRESS, comment=written.body)
        newest = select(func.max(TicketComment.id)).where(
            TicketComment.ticket_id == ticket.id, TicketComment.author_id == actor.user_id
        )
        return await session.scalar(newest)
    called = await talking.people_called(session, found, written.body, visibility, strict=False)
    comment = await talking.keep_comment(session, actor, ticket, written.body, visibility, called)
    return comment.id


async def _may_reopen(session: AsyncSession, ticket_id: int) -> bool:
    """Not again and again: two who answer each other by mail must not keep a request open for ever."""
    of_late = select(func.count()).where(
        EventRow.object_type == "ticket",
        EventRow.object_id == ticket_id,
        EventRow.type == ticket_events.TicketReopened.type,
        EventRow.channel == CHANNEL,
        EventRow.at > now() - timedelta(hours=1),
    )
    return (await session.scalar(of_late) or 0) < MOST_REOPENED


async def _fitting(
    session: AsyncSession, ticket_id: int, mail: Arrived, stored: Sequence[Stored]
) -> tuple[list[Stored], list[str]]:
    """The files a request still takes, and the names of others. A picture that is there already is the same signature."""
    inline = {file.name for file in mail.files if file.is_inline}
    known = await handing_in.hashes_of(session, ticket_id, [s.taken.digest.hexdigest() for s in stored])
    new = [s for s in stored if not (s.filename in inline and s.taken.digest.hexdigest() in known)]
    room = await handing_in.room_for(session, ticket_id)
    late = [f"{len(new) - room} files: a request holds no more"] if len(new) > room else []
    return new[:room], late


async def _begin(
    session: AsyncSession,
    actor: Actor,
    row: IncomingMail,
    box: Mailbox,
    mail: Arrived,
    intent: Intent,
    stored: Sequence[Stored],
    left_out: Sequence[str],
    done: list[Stored],
) -> Outcome:
    """A new request of the mailbox's type: submitted where a mail says enough, else a draft its writer completes."""
    kind = await session.get(TicketType, box.ticket_type_id)
    if kind is None or not kind.is_active:
        return Outcome("QUARANTINED", "the kind of request of its mailbox cannot be asked for any more")
    written = wording.request(mail, left_out, is_stranger=intent.is_stranger)
    try:
        async with session.begin_nested():
            ticket = await _create(session, actor, kind.key, box, written, submit=True)
        is_draft = False
    except Invalid:
        ticket = await _create(session, actor, kind.key, box, written, submit=False)
        is_draft = True
    await handing_in.keep_files(session, actor, ticket.id, stored, visibility="PUBLIC")
    done += stored
    kind_of_answer = answering.TO_COMPLETE if is_draft else answering.TAKEN
    words = (answering.to_complete if is_draft else answering.taken)(ticket)
    if not intent.is_stranger:
        code = reply_address(box.address, ticket.id, actor.user_id, finding.reply_key())
        await answering.answer(session, row.id, mail, mail.sender, actor.user_id, kind_of_answer, words, reply_to=code)
    reason = "a draft: the form asks for more than a mail says" if is_draft else None
    return Outcome("TICKET", reason, ticket.id)


async def _create(
    session: AsyncSession, actor: Actor, ticket_type: str, box: Mailbox, written: Written, *, submit: bool
) -> Ticket:
    return await service.create_ticket(
        session,
        actor,
        title=written.title,
        description=written.body,
        ticket_type=ticket_type,
        priority=None,
        due_date=None,
        custom_fields={},
        amount=None,
        currency=None,
        submit=submit,
        team_id=box.team_id,
    )


# --- not doing it -----------------------------------------------------------------------------------------------------


async def _refuse(session: AsyncSession, row: IncomingMail, mail: Arrived, intent: Intent, refusal: Refusal) -> Outcome:
    """Say no as the web would. A request its writer may not see is, in what they are told, one that does not exist."""
    why = UNSEEN if isinstance(refusal, TicketNotFound) or refusal.kind is Kind.NOT_FOUND else refusal.detail
    words = answering.refused(mail.subject, why)
    if not intent.is_stranger:
        await answering.answer(session, row.id, mail, mail.sender, intent.user_id, answering.REFUSED, words)
    return Outcome("REFUSED", f"{refusal.code}: {refusal.detail}"[:500])


async def _settle(
    database: Database,
    mail_id: int,
    outcome: Outcome,
    *,
    mail: Arrived | None = None,
    box: Mailbox | None = None,
    bounced: Arrived | None = None,
) -> Outcome | None:
    """Write down what needs no request. Strangers are refused in words where that is the mailbox's rule."""
    async with database.transaction() as session:
        row = await _locked(session, mail_id, None)
        if row is None:
            return None
        if bounced is not None:
            ticket_id, said = await returned.note_returned(session, mail_id, bounced)
            outcome = replace(outcome, reason=said, ticket_id=ticket_id)
        if outcome.word == "REFUSED" and mail is not None:
            words = answering.refused(mail.subject, UNKNOWN)
            await answering.answer(session, mail_id, mail, mail.sender, None, answering.REFUSED, words)
        _write(row, outcome)
    return outcome


def _write(row: IncomingMail, outcome: Outcome) -> None:
    row.outcome, row.reason = outcome.word, outcome.reason
    row.ticket_id, row.comment_id, row.user_id = outcome.ticket_id, outcome.comment_id, outcome.user_id
    row.settled_at = now()
