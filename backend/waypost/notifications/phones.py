"""One's own phones: named, proved with a code that is sent there, and then used.

An answer never tells whether somebody else has the same number: two who share a phone both prove it.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import step_up
from waypost.access.actor import Actor
from waypost.directory.models import User
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.errors import FieldError, Refusal, invalid_field
from waypost.kernel.events import record
from waypost.kernel.sealed_numbers import same_digest
from waypost.kernel.settings import get_settings
from waypost.notifications.channels.registry import channels_in_use
from waypost.notifications.codes import hash_of, proof_code
from waypost.notifications.errors import (
    CodeExpired,
    CodeSpent,
    ContactPointNotFound,
    NoCode,
    NoTextMessages,
    PhoneKnown,
    TooManyCodes,
    TooManyPhones,
    WrongCode,
)
from waypost.notifications.events import PhoneAsked, PhoneProved
from waypost.notifications.models import ContactPoint, Delivery
from waypost.notifications.numbers import hidden, number_of
from waypost.notifications.reaching import point_json
from waypost.notifications.reply_codes import CHANNEL, codes_key
from waypost.notifications.words import Words

KIND = "phone.code"
MOST_PHONES = 2
LIFE = timedelta(minutes=10)
MOST_TRIES = 5
MOST_BY_ONE = 5  # codes one person asks for within the hour
MOST_TO_ONE = 5  # codes one number gets within the day, whoever asks
UNPROVED = timedelta(days=7)  # after which it is forgotten


async def add_phone(session: AsyncSession, actor: Actor, written: str, label: str) -> dict[str, Any]:
    """Say that a phone is one's own: a code is sent to it, a new one each time. Two answers at once are one after the other.

    A phone decides requests, so it is named by who has just shown that it is them (ASVS 5.0, 7.5.1).
    Raises `NoTextMessages`, `Invalid`, `StepUpNeeded`, `PhoneKnown`, `TooManyPhones` or `TooManyCodes`.
    """
    if CHANNEL not in {c.key for c in await channels_in_use(session)}:
        raise NoTextMessages
    number = number_of(written)
    if number is None:
        raise invalid_field("/address", "must be a number with its country, such as +4915112345678")
    await step_up.require(session, actor)
    await session.execute(select(User.id).where(User.id == actor.user_id).with_for_update(key_share=True))
    own = select(ContactPoint).where(ContactPoint.user_id == actor.user_id, ContactPoint.channel == CHANNEL)
    mine = {row.address: row for row in await session.scalars(own.with_for_update())}
    row = mine.get(number)
    if row is not None and row.verified_at is not None and row.stopped_at is None:
        raise PhoneKnown
    if row is None and len(mine) >= MOST_PHONES:
        raise TooManyPhones
    await _check_pace(session, actor.user_id, number)
    at = now()
    if row is None:
        row = ContactPoint(
            user_id=actor.user_id, channel=CHANNEL, address=number, label=label, details={}, created_at=at
        )
        session.add(row)
        await session.flush()
    elif label:
        row.label = label
    await _send_code(session, actor, row)
    return point_json(row)


async def _check_pace(session: AsyncSession, user_id: int, number: str) -> None:
    at = now()
    asked = select(
        func.count().filter(Delivery.user_id == user_id, Delivery.created_at > at - timedelta(hours=1)),
        func.count().filter(Delivery.recipient == number),
    ).where(Delivery.kind == KIND, Delivery.created_at > at - timedelta(days=1))
    by_one, to_one = (await session.execute(asked)).one()
    if by_one >= MOST_BY_ONE or to_one >= MOST_TO_ONE:
        raise TooManyCodes(retry_after=3600)


async def _send_code(session: AsyncSession, actor: Actor, row: ContactPoint) -> None:
    at, salt = now(), secrets.randbelow(2**31)
    until = at + LIFE
    code = proof_code(codes_key(), row.id, salt)
    row.details = {
        "hash": hash_of(codes_key(), str(row.id), code).hex(),
        "until": int(until.timestamp()),
        "tries": 0,
    }
    await session.flush()
    event_id = await record(session, PhoneAsked(user_id=actor.user_id, point_id=row.id), actor=actor, at=at)
    words = Words("A code for your phone", "", code={"point_id": row.id, "salt": salt, "until": row.details["until"]})
    await session.execute(insert(Delivery).values(**text_delivery(event_id, actor.user_id, row.address, KIND, words)))


def text_delivery(event_id: int, user_id: int, number: str, kind: str, words: Words) -> dict[str, Any]:
    """A message to a phone, as a row of the log, due at once."""
    at = now()
    return {
        "channel": CHANNEL,
        "user_id": user_id,
        "event_id": event_id,
        "kind": kind,
        "recipient": number,
        "subject": words.title[:200],
        "words": words.kept(),
        "headers": {},
        "message_id": f"<{event_id}.{user_id}@{get_settings().mail_domain}>",
        "status": "PENDING",
        "next_at": at,
        "created_at": at,
    }


async def prove(database: Database, actor: Actor, point_id: int, code: str) -> dict[str, Any]:
    """Prove that a phone is one's own. A wrong code counts, also when many are tried at once.

    Raises `ContactPointNotFound`, `NoCode`, `CodeExpired`, `CodeSpent` or `WrongCode`.
    """
    async with database.transaction() as session:  # the count is kept also when it is refused
        done = await _tried(session, actor, point_id, code)
    if isinstance(done, Refusal):
        raise done
    return done


async def _tried(session: AsyncSession, actor: Actor, point_id: int, code: str) -> dict[str, Any] | Refusal:
    key = (ContactPoint.id == point_id, ContactPoint.user_id == actor.user_id)
    row = (await session.scalars(select(ContactPoint).where(*key).with_for_update())).one_or_none()
    if row is None:
        return ContactPointNotFound()
    details, at = row.details, now()
    if "hash" not in details:
        return point_json(row) if row.verified_at is not None and row.stopped_at is None else NoCode()
    if details["tries"] >= MOST_TRIES:
        return CodeSpent()
    if at.timestamp() >= details["until"]:
        return CodeExpired()
    given = hash_of(codes_key(), str(row.id), code).hex()
    if not hmac.compare_digest(given, details["hash"]):
        row.details = {**details, "tries": details["tries"] + 1}
        await session.flush()
        left = MOST_TRIES - row.details["tries"]
        if not left:
            return CodeSpent()
        return WrongCode(errors=(FieldError("/code", "is not the code we sent"),), tries_left=left)
    row.details, row.verified_at, row.stopped_at = {}, at, None
    await session.flush()
    proved = PhoneProved(user_id=actor.user_id, point_id=row.id, phone=hidden(row.address))
    await record(session, proved, actor=actor, at=at)
    return point_json(row)


async def forget_unproved(session: AsyncSession) -> None:
    """Remove phones that nobody proved within a week."""
    stale = (
        ContactPoint.channel == CHANNEL,
        ContactPoint.verified_at.is_(None),
        ContactPoint.created_at < now() - UNPROVED,
    )
    await session.execute(delete(ContactPoint).where(*stale))


async def points_of(session: AsyncSession, number: str) -> list[ContactPoint]:
    """Whose a phone is: the proofs of it by people who work here, held until the transaction ends."""
    found = await session.scalars(
        select(ContactPoint)
        .join(User, User.id == ContactPoint.user_id)
        .where(
            ContactPoint.channel == CHANNEL,
            same_digest(ContactPoint.address, number),
            ContactPoint.address == number,
            ContactPoint.verified_at.is_not(None),
            User.is_active,
        )
        .order_by(ContactPoint.id)
        .with_for_update(of=ContactPoint)
    )
    return list(found)
