"""Taking a mail in: it lies in the store and has its row before it leaves its folder, and no mail has two."""

from __future__ import annotations

import email.header
import email.utils
import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.parser import BytesHeaderParser

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.events import SYSTEM, EventRow, record
from waypost.kernel.logs import get_logger
from waypost.notifications.incoming.events import MailHeldBack
from waypost.notifications.incoming.models import IncomingMail, Mailbox
from waypost.notifications.incoming.originals import Original, drop_original, keep_original

log = get_logger(__name__)
MOST_HEADERS = 256 * 1024
ALARM_EVERY = timedelta(hours=1)  # at most so often administrators are told that mails are held back


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the log shows of a mail, read without trusting a byte of it."""

    message_id: str | None
    from_address: str
    subject: str


@dataclass(frozen=True, slots=True)
class Came:
    """A mail as it was found. `raw` is None when it could not be fetched at all; `held_back` says why it is not taken."""

    uid: int
    raw: bytes | None
    size: int
    received_at: datetime | None
    is_whole: bool = True
    held_back: str | None = None


def envelope_of(raw: bytes) -> Envelope:
    """Who a mail says it is from, and what about; empty where it cannot be read."""
    try:
        end = raw.find(b"\n\r\n") if b"\n\r\n" in raw[:MOST_HEADERS] else raw.find(b"\n\n")
        head = raw[: min(end if end >= 0 else MOST_HEADERS, MOST_HEADERS)]
        headers = BytesHeaderParser().parsebytes(head + b"\n\n")
        message_id = _clean(str(headers.get("Message-ID", "")), 998).replace(" ", "")
        _, address = email.utils.parseaddr(_clean(str(headers.get("From", "")), 2000))
        return Envelope(message_id or None, _clean(address, 254).lower(), _clean(_decoded(headers.get("Subject")), 500))
    except Exception:  # whatever somebody thought up: what is shown of a mail must not keep it from being taken
        log.warning("envelope cannot be read", exc_info=True)
        return Envelope(None, "", "")


def _decoded(written: object) -> str:
    if written is None:
        return ""
    parts = email.header.decode_header(str(written).replace("\r", "").replace("\n", ""))
    words = []
    for part, charset in parts:
        if isinstance(part, str):
            words.append(part)
            continue
        try:
            words.append(part.decode(charset or "utf-8", "replace"))
        except LookupError:
            words.append(part.decode("latin-1"))
    return "".join(words)


def _clean(text: str, most: int) -> str:
    plain = text.encode("utf-8", "replace").decode()  # without halves of characters
    return " ".join("".join(c if c.isprintable() else " " for c in plain).split())[:most]


async def known_uids(database: Database, mailbox_id: int, uidvalidity: int, uids: Collection[int]) -> dict[int, bool]:
    """Which of these were taken before (and only have to leave the folder), each with whether it was whole."""
    if not uids:
        return {}
    wanted = select(IncomingMail.uid, IncomingMail.is_whole).where(
        IncomingMail.mailbox_id == mailbox_id, IncomingMail.uidvalidity == uidvalidity, IncomingMail.uid.in_(uids)
    )
    async with database.read() as session:
        return {row.uid: row.is_whole for row in await session.execute(wanted)}


async def take_in(database: Database, box: Mailbox, uidvalidity: int, came: Came) -> int | None:
    """Store a mail, PENDING or held back; its id, or None when it is here already. Raises `StoreFailed`.

    A mail that this mailbox brought before under another number (its folder was renumbered, or somebody moved it back)
    is the same to the last byte, so it is known by its hash.
    """
    raw = came.raw if came.raw is not None else f"{box.id}:{uidvalidity}:{came.uid}".encode()
    content_hash = hashlib.sha256(raw).hexdigest()
    async with database.read() as session:
        same = IncomingMail.content_hash == content_hash, IncomingMail.mailbox_id == box.id
        if await session.scalar(select(IncomingMail.id).where(*same).limit(1)) is not None:
            return None
    original = await keep_original(raw) if came.raw is not None else None
    taken = None
    try:
        async with database.transaction() as session:
            taken = await _insert(session, box, uidvalidity, came, envelope_of(came.raw or b""), original, content_hash)
            await session.execute(
                update(Mailbox)
                .where(Mailbox.id == box.id, Mailbox.uidvalidity == uidvalidity)
                .values(last_uid=func.greatest(Mailbox.last_uid, came.uid))
            )
            if taken is not None and came.held_back:
                await hold_back(session, taken, box.name, came.held_back)
    finally:
        if taken is None and original is not None:
            await drop_original(original.name)
    return taken


async def _insert(
    session: AsyncSession,
    box: Mailbox,
    uidvalidity: int,
    came: Came,
    envelope: Envelope,
    original: Original | None,
    content_hash: str,
) -> int | None:
    at = now()
    kept = {}
    if original is not None:
        kept = {
            "raw_name": original.name,
            "raw_size": original.size,
            "raw_key_id": original.key_id,
            "raw_key": original.key,
        }
    held = {"outcome": "QUARANTINED", "reason": came.held_back, "settled_at": at} if came.held_back else {}
    made: int | None = await session.scalar(
        insert(IncomingMail)
        .values(
            mailbox_id=box.id,
            uidvalidity=uidvalidity,
            uid=came.uid,
            message_id=envelope.message_id,
            content_hash=content_hash,
            from_address=envelope.from_address,
            subject=envelope.subject,
            received_at=came.received_at or at,
            size=came.size,
            is_whole=came.is_whole,
            next_at=at,
            created_at=at,
            **kept,
            **held,
        )
        .on_conflict_do_nothing(index_elements=["mailbox_id", "uidvalidity", "uid"])
        .returning(IncomingMail.id)
    )
    return made


async def hold_back(session: AsyncSession, mail_id: int, mailbox: str, why: str) -> None:
    """Write down that a mail was held back; administrators are told, of many within the hour once."""
    at = now()
    told = select(EventRow.id).where(
        EventRow.type == MailHeldBack.type,
        EventRow.at > at - ALARM_EVERY,
        EventRow.data["is_alarm"].as_boolean(),
    )
    is_alarm = await session.scalar(told.limit(1)) is None
    held = MailHeldBack(mail_id=mail_id, mailbox=mailbox, why=why[:500], is_alarm=is_alarm)
    await record(session, held, actor=SYSTEM, at=at)
