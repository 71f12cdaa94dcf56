"""Sending mails: taken, sent without a transaction open, then marked sent, tried again, or given up.

One sender at a time: while a mail server is slow or away, the other worker processes keep doing everything else. What
a sender takes is put off to its next try in the same moment, so a sender that dies leaves everything to the next one.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from sqlalchemy import select, update

from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.logs import get_logger
from waypost.kernel.relay import wait_before
from waypost.kernel.settings import get_settings
from waypost.notifications.models import Delivery
from waypost.vendors import smtp

log = get_logger(__name__)
BATCH = 20
LONGEST_RUN = 60.0  # seconds after which a run ends, however much there is to send
MAX_ATTEMPTS = 60  # with waits that double up to an hour, two days of a mail server being away
SENDER_LOCK = 0x57415951


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail taken to be sent."""

    id: int
    attempts: int
    recipient: str
    message: EmailMessage


async def send_due(database: Database) -> int:
    """Send the mails that are due, batch by batch; returns how many were tried: none while another process sends."""
    tried, began = 0, time.monotonic()
    async with database.alone(SENDER_LOCK) as is_alone:
        while is_alone and (letters := await _take(database)) is not None:
            has_trouble = False
            mails = [(letter.recipient, letter.message) for letter in letters]
            waiting = iter(letters)
            async for fate in smtp.send(get_settings(), mails):
                # at once: whoever ends this process must not make others send again what has arrived
                await _mark(database, next(waiting), fate)
                has_trouble = has_trouble or isinstance(fate, (smtp.TryLater, smtp.Misconfigured))
            tried += len(letters)
            if has_trouble or time.monotonic() - began > LONGEST_RUN:
                break  # the rest is due at the next timer
    return tried


async def _take(database: Database) -> list[Letter] | None:
    """The next letters, perhaps none of those that were due; None when nothing is due."""
    at = now()
    async with database.transaction() as session:
        rows = (
            await session.scalars(
                select(Delivery)
                .where(Delivery.status == "PENDING", Delivery.next_at <= at)
                .order_by(Delivery.next_at, Delivery.id)
                .limit(BATCH)
                .with_for_update()
            )
        ).all()
        if not rows:
            return None
        for row in rows:
            row.attempts += 1
            row.next_at = at + wait_before(row.attempts)
        letters = []
        for row in rows:
            try:
                letters.append(Letter(row.id, row.attempts, row.recipient, message_of(row)))
            except Exception as error:  # one mail that cannot be written must not hold up the others
                log.exception("mail cannot be written", delivery_id=row.id)
                row.status, row.last_error = "FAILED", f"{type(error).__name__}: {error}"[:500]
        return letters


def message_of(row: Delivery) -> EmailMessage:
    """The mail as it goes out: text and HTML, with a Message-ID that stays the same at every try."""
    message = EmailMessage()
    message["From"] = get_settings().mail_from
    message["To"] = row.recipient
    message["Subject"] = row.subject
    message["Date"] = format_datetime(row.created_at)
    message["Message-ID"] = row.message_id
    for name, value in row.headers.items():
        message[name] = value
    message.set_content(row.plain)
    message.add_alternative(row.html, subtype="html")
    return message


async def _mark(database: Database, letter: Letter, fate: smtp.Fate) -> None:
    at = now()
    values: dict[str, Any]
    if isinstance(fate, smtp.Delivered):
        values = {"status": "SENT", "sent_at": at, "last_error": None}
    elif isinstance(fate, smtp.Rejected) or letter.attempts >= MAX_ATTEMPTS:
        values = {"status": "FAILED", "last_error": fate.why}
        log.error("mail given up", delivery_id=letter.id, why=fate.why)
    else:
        values = {"next_at": at + wait_before(letter.attempts), "last_error": fate.why}
        log.warning("mail postponed", delivery_id=letter.id, attempts=letter.attempts, why=fate.why)
    async with database.transaction() as session:
        await session.execute(update(Delivery).where(Delivery.id == letter.id).values(**values))
