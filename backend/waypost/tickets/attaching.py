"""`AttachmentService`: files of tickets, taken in and given out as streams, sealed where they lie.

No session is open while bytes move. What could not be stored whole leaves nothing: an object without a row is removed
by `keeping.forget_orphans`.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fastapi import Response
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.errors import SessionEnded
from waypost.access.queries import actor_of_session
from waypost.approvals.queries import last_answer_at
from waypost.catalog.answers import answer_files
from waypost.directory.names import names
from waypost.kernel import crypto
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.db import Database
from waypost.kernel.errors import Forbidden, Unavailable
from waypost.kernel.events import record
from waypost.kernel.filenames import safe_name
from waypost.kernel.http import json_response
from waypost.kernel.idempotency import Once
from waypost.kernel.logs import get_logger
from waypost.kernel.settings import get_settings
from waypost.kernel.uploads import Upload
from waypost.tickets import endings, events, files, lifecycle, policy
from waypost.tickets.errors import (
    AttachmentInfected,
    AttachmentIsAnswer,
    AttachmentNotFound,
    AttachmentNotReady,
    AttachmentTooLarge,
    AttachmentWasJudged,
    FileContradictsEnding,
    NothingToScan,
    NotYours,
    TicketNotFound,
    TooManyAttachments,
)
from waypost.tickets.models import Attachment
from waypost.tickets.queries import Found, find_ticket
from waypost.vendors.object_store import ObjectStore, StoreFailed, object_store

log = get_logger(__name__)
MOST_PER_TICKET = 100
LINK_LIFE = timedelta(minutes=5)


def store() -> ObjectStore:
    """Where this installation keeps files."""
    return object_store(get_settings())


@dataclass(slots=True)
class Taken:
    """What is learnt of a file while it passes."""

    size: int = 0
    head: bytes = b""
    digest: Any = None


# --- taking in --------------------------------------------------------------------------------------------------------


def _check_may_add(actor: Actor, found: Found, visibility: str) -> None:
    if visibility == "INTERNAL":
        if not policy.may_comment_internally(actor, found.facts):
            raise Forbidden("Internal files are for the team that works on this ticket.")
    elif not policy.may_comment(actor, found.facts):
        raise NotYours
    lifecycle.check_takes_more(found.facts.status, "A closed ticket takes no more files.")


async def check_may_add(session: AsyncSession, actor: Actor, ticket_id: int) -> None:
    """Raises what adding any file would be refused with, before a byte of it is read."""
    found = await find_ticket(session, actor, ticket_id)
    if not policy.may_say_anything(actor, found.facts):
        raise NotYours
    lifecycle.check_takes_more(found.facts.status, "A closed ticket takes no more files.")
    await _check_room(session, ticket_id)


async def _check_room(session: AsyncSession, ticket_id: int) -> None:
    count = await session.scalar(select(func.count()).where(Attachment.ticket_id == ticket_id)) or 0
    if count >= MOST_PER_TICKET:
        raise TooManyAttachments(f"A ticket has at most {MOST_PER_TICKET} files.")


def too_large(most: int) -> AttachmentTooLarge:
    """The refusal of a file of more than so many bytes."""
    return AttachmentTooLarge(f"A file holds at most {most / 2**20:.3g} MB.", limit=most)


async def add_attachment(
    database: Database, actor: Actor, ticket_id: int, upload: Upload, *, visibility: str, once: Once
) -> Response:
    """Take a file in: sealed on its way to the store, and only then a row and an event; once for one key.

    Raises `TicketNotFound`, `NotYours`, `Forbidden`, `TicketIsClosed`, `TooManyAttachments`, `AttachmentTooLarge`,
    `BadUpload`, `FileContradictsEnding`, or `Unavailable` when the store fails; nothing is kept then.
    """
    async with database.read() as session:
        _check_may_add(actor, await find_ticket(session, actor, ticket_id), visibility)
    name, key = secrets.token_hex(20), crypto.new_key()
    taken = Taken(digest=hashlib.sha256())
    place = store()
    try:
        await place.put(name, crypto.seal(key, watched(upload.data, taken, get_settings().attachment_max_bytes)))
        if fault := endings.judge(safe_name(upload.filename), taken.head).fault:
            raise FileContradictsEnding(fault)
        wrapped = crypto.keyring().wrap(key, name.encode())
        async with database.transaction() as session:

            async def work() -> Response:
                found = await find_ticket(session, actor, ticket_id, lock=True)
                _check_may_add(actor, found, visibility)
                await _check_room(session, ticket_id)
                row = await keep_row(session, actor, upload.filename, name, wrapped, taken, ticket_id, visibility)
                people = await names.people(session, [row.uploaded_by_id])
                return json_response(attachment_json(row, people, actor, found), 201)

            content = f"{taken.digest.hexdigest()} {visibility} {upload.filename}".encode()
            answer = await once.answer(session, actor.user_id, work, content=content)
    except StoreFailed as failed:
        log.exception("object store failed")
        raise Unavailable("Files cannot be stored at the moment. Please try again shortly.", retry_after=30) from failed
    except BaseException:
        await drop(place, name)
        raise
    if "idempotency-replayed" in answer.headers:  # the file is kept already
        await drop(place, name)
    return answer


async def watched(data: AsyncIterator[bytes], taken: Taken, most: int) -> AsyncIterator[bytes]:
    """The bytes as they pass, looked at; raises `AttachmentTooLarge` with the first that is too much."""
    async for piece in data:
        taken.size += len(piece)
        if taken.size > most:
            raise too_large(most)
        if len(taken.head) < files.HEAD:
            taken.head += piece[: files.HEAD - len(taken.head)]
        taken.digest.update(piece)
        yield piece


async def keep_row(
    session: AsyncSession,
    actor: Actor,
    filename: str,
    name: str,
    wrapped: crypto.WrappedKey,
    taken: Taken,
    ticket_id: int,
    visibility: str,
) -> Attachment:
    """Write down a file that lies in the store, and record it. The caller has asked whether it may be added.

    Its name ends as its content does, wherever it came from.
    """
    at = now()
    is_scanned = get_settings().clamd_url is not None
    row = Attachment(
        ticket_id=ticket_id,
        uploaded_by_id=actor.user_id,
        filename=endings.judge(safe_name(filename), taken.head).name,
        content_type=files.content_type(taken.head),
        size=taken.size,
        sha256=taken.digest.hexdigest(),
        visibility=visibility,
        scan="PENDING" if is_scanned else "NONE",
        scan_attempts=0,
        scan_at=at if is_scanned else None,
        object_name=name,
        key_id=wrapped.key_id,
        wrapped_key=wrapped.value,
        created_at=at,
    )
    session.add(row)
    await session.flush()
    await record(
        session,
        events.AttachmentAdded(
            ticket_id=ticket_id,
            attachment_id=row.id,
            filename=row.filename,
            size=row.size,
            visibility=visibility,
            sha256=row.sha256,
        ),
        actor=actor,
        at=at,
    )
    return row


async def remove_attachment(database: Database, actor: Actor, attachment_id: int) -> None:
    """Take away a file one added oneself. Raises `AttachmentNotFound`, `NotYours`, `TicketIsClosed`, `AttachmentIsAnswer` or
    `AttachmentWasJudged`: what approvers judge does not go from under them.
    """
    async with database.transaction() as session:
        row, found = await _find(session, actor, attachment_id, lock=True)
        if not policy.may_remove_file(actor, found.facts, row.uploaded_by_id, row.visibility):
            if row.uploaded_by_id == actor.user_id:
                _check_may_add(actor, found, row.visibility)  # says why not
            raise NotYours("Only who added a file takes it away.")
        if row.id in answer_files(found.form, found.ticket.custom_fields):
            raise AttachmentIsAnswer
        if _was_judged(row, await judged_until(session, row.ticket_id)):
            raise AttachmentWasJudged
        name = row.object_name
        await record(
            session,
            events.AttachmentRemoved(
                ticket_id=row.ticket_id, attachment_id=row.id, filename=row.filename, visibility=row.visibility
            ),
            actor=actor,
        )
        await session.delete(row)
        await session.flush()
    await drop(store(), name)


async def ask_for_scan(database: Database, actor: Actor, attachment_id: int) -> Attachment:
    """Let the virus scanner look once more at a file it could not judge.

    A file is FAILED only when all its tries were used up, so this cannot be asked again and again. Raises
    `AttachmentNotFound`, `NotYours` or `NothingToScan`.
    """
    async with database.transaction() as session:
        row, found = await _find(session, actor, attachment_id, lock=True)
        if not policy.may_ask_for_scan(actor, found.facts, row.uploaded_by_id):
            raise NotYours("Whoever added a file asks for this, or the team.")
        if row.scan != "FAILED":
            raise NothingToScan
        row.scan, row.scan_attempts, row.scan_at = "PENDING", 0, now()
        await session.flush()
        asked = events.ScanAsked(
            ticket_id=row.ticket_id, attachment_id=row.id, filename=row.filename, visibility=row.visibility
        )
        await record(session, asked, actor=actor)
        return row


async def drop(place: ObjectStore, name: str) -> None:
    """Remove an object no row names; one that cannot be removed now is found by the housekeeping later."""
    try:
        await place.delete(name)
    except StoreFailed:
        log.warning("object left behind", object_name=name)  # keeping.forget_orphans finds it


# --- giving out -------------------------------------------------------------------------------------------------------


async def _find(
    session: AsyncSession, actor: Actor, attachment_id: int, *, lock: bool = False
) -> tuple[Attachment, Found]:
    row = await session.get(Attachment, attachment_id)
    if row is None:
        raise AttachmentNotFound
    ticket_id = row.ticket_id
    try:
        found = await find_ticket(session, actor, ticket_id, lock=lock)
    except TicketNotFound as hidden:
        raise AttachmentNotFound from hidden
    if lock:  # while the ticket was waited for, the file may have gone, or moved with a merge
        row = await session.get(Attachment, attachment_id, with_for_update=True, populate_existing=True)
        if row is None:
            raise AttachmentNotFound
        if row.ticket_id != ticket_id:
            return await _find(session, actor, attachment_id, lock=True)
    if row.visibility == "INTERNAL" and not policy.may_see_internal(actor, found.facts):
        raise AttachmentNotFound
    return row, found


async def find_attachment(session: AsyncSession, actor: Actor, attachment_id: int) -> Attachment:
    """A file this person may open now. Raises `AttachmentNotFound`, `AttachmentNotReady` or `AttachmentInfected`."""
    row, _ = await _find(session, actor, attachment_id)
    if row.scan == "INFECTED":
        raise AttachmentInfected
    if row.scan in ("PENDING", "FAILED") and row.uploaded_by_id != actor.user_id:
        raise AttachmentNotReady
    return row


async def contents(row: Attachment, *, start: int, length: int) -> AsyncIterator[bytes]:
    """The bytes of a file, or a part of them. Raises `Unavailable` before the first byte when they cannot be had."""
    key = crypto.keyring().unwrap(crypto.WrappedKey(row.key_id, row.wrapped_key), row.object_name.encode())
    _, offset, sealed = crypto.place_of(start, length, row.size)
    plain = crypto.open_part(
        key, store().get(row.object_name, offset, sealed), start=start, length=length, size=row.size
    )
    try:
        first = await anext(plain, b"")
    except StoreFailed as failed:
        log.exception("object cannot be read", attachment_id=row.id)
        raise Unavailable("This file cannot be read at the moment.", retry_after=30) from failed

    async def rest() -> AsyncIterator[bytes]:
        yield first
        async for piece in plain:
            yield piece

    return rest()


async def attachment_list(session: AsyncSession, actor: Actor, ticket_id: int) -> list[dict[str, Any]]:
    """The files of a ticket, oldest first; internal ones only for those who may read them. At most 100."""
    found = await find_ticket(session, actor, ticket_id)
    statement = select(Attachment).where(Attachment.ticket_id == ticket_id).order_by(Attachment.id)
    if not policy.may_see_internal(actor, found.facts):
        statement = statement.where(Attachment.visibility == "PUBLIC")
    rows = (await session.scalars(statement.limit(MOST_PER_TICKET))).all()
    people = await names.people(session, [r.uploaded_by_id for r in rows])
    until = await judged_until(session, ticket_id)
    return [attachment_json(r, people, actor, found, until) for r in rows]


async def judged_until(session: AsyncSession, ticket_id: int) -> datetime | None:
    """When somebody last decided about a ticket."""
    return await last_answer_at(session, "ticket", ticket_id)


def _was_judged(row: Attachment, until: datetime | None) -> bool:
    """Whether it was there for approvers to read when one of them decided."""
    return row.visibility == "PUBLIC" and until is not None and row.created_at <= until


def attachment_json(
    row: Attachment,
    people: dict[int | None, dict[str, Any]],
    actor: Actor,
    found: Found,
    until: datetime | None = None,
) -> dict[str, Any]:
    """One file as clients read it; `until` is when somebody last decided about its ticket."""
    is_kept = row.id in answer_files(found.form, found.ticket.custom_fields) or _was_judged(row, until)
    may_remove = not is_kept and policy.may_remove_file(actor, found.facts, row.uploaded_by_id, row.visibility)
    may_scan = row.scan == "FAILED" and policy.may_ask_for_scan(actor, found.facts, row.uploaded_by_id)
    return {
        "id": row.id,
        "ticket_id": row.ticket_id,
        "filename": row.filename,
        "size": row.size,
        "sha256": row.sha256,
        "content_type": row.content_type,
        "visibility": row.visibility,
        "scan": row.scan,
        "can_preview": row.content_type in files.SHOWN and row.scan in ("NONE", "CLEAN"),
        "uploaded_by": people.get(row.uploaded_by_id),
        "created_at": rfc3339(row.created_at),
        "allowed_actions": [*(["delete"] if may_remove else []), *(["scan"] if may_scan else [])],
    }


# --- links a browser can follow by itself -----------------------------------------------------------------------------


def _signature(payload: str) -> bytes:
    secret = hmac.digest(get_settings().signing_secret(), b"attachment links", "sha256")
    return hmac.digest(secret, payload.encode(), "sha256")[:20]


def make_link(actor: Actor, row: Attachment) -> tuple[str, datetime]:
    """The path of a link with which this person's browser loads the file by itself, for five minutes of this session."""
    until = now() + LINK_LIFE
    payload = f"{row.id}.{actor.user_id}.{actor.session_id or 0}.{int(until.timestamp())}"
    signed = urlsafe_b64encode(_signature(payload)).rstrip(b"=").decode()
    return f"/api/v1/files/{payload}.{signed}", until


async def follow_link(session: AsyncSession, token: str) -> Attachment:
    """The file of a link. Session and permission are asked anew. Raises `AttachmentNotFound` for every other token."""
    payload, _, signed = token.rpartition(".")
    try:
        given = urlsafe_b64decode(signed + "=" * (-len(signed) % 4))
        attachment_id, user_id, session_id, until = (int(part) for part in payload.split("."))
    except ValueError as wrong:
        raise AttachmentNotFound from wrong
    if not hmac.compare_digest(given, _signature(payload)):
        raise AttachmentNotFound
    if until < now().timestamp():
        raise AttachmentNotFound("This link has run out. Please open the file from its ticket again.")
    actor = await actor_of_session(session, user_id=user_id, session_id=session_id)
    if actor is None:
        raise SessionEnded
    return await find_attachment(session, actor, attachment_id)
