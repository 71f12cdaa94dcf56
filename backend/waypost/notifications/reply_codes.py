"""Codes that answer a request by text message: made for one phone and one step, used once, gone after some days."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.queries import actor_of_user
from waypost.approvals import link_reading
from waypost.approvals.link_state import SignIn
from waypost.approvals.models import ApprovalStep, ApprovalWorkflow
from waypost.kernel.clock import now
from waypost.kernel.settings import get_settings
from waypost.notifications.codes import hash_of, key_of, reply_code
from waypost.notifications.sms_models import IncomingSms, ReplyCode
from waypost.notifications.words import Words

CHANNEL = "sms"
LIFE = timedelta(hours=72)
KEPT = timedelta(days=30)  # so long an old code still says what became of it
MOST_TRIED = 5  # codes made again because this phone has had the same


def codes_key() -> bytes:
    """The key of this installation's codes."""
    return key_of(get_settings().signing_secret())


async def invite(session: AsyncSession, user_id: int, phone: str, words: Words) -> Words:
    """The words with a code to answer with, where whoever holds the phone may decide this.

    What one must be signed in for gets none, as it gets no link that decides; of what is confidential nothing is told.
    """
    if not words.decide:
        return words
    step_id, version = int(words.decide["step_id"]), int(words.decide["version"])
    found = (
        await session.execute(
            select(ApprovalStep, ApprovalWorkflow)
            .join(ApprovalWorkflow, ApprovalWorkflow.id == ApprovalStep.workflow_id)
            .where(ApprovalStep.id == step_id)
        )
    ).one()
    why = await sign_in_for(session, user_id, found[1])
    if why is SignIn.CONFIDENTIAL:
        return replace(words, title="Please decide on a confidential request", body="", facts=(), decide=None)
    if why is not None:
        return replace(words, decide=None)
    at, key = now(), codes_key()
    due = found[0].due_at
    ends = min(at + LIFE, due) if due is not None and due > at else at + LIFE
    for _ in range(MOST_TRIED):
        salt = secrets.randbelow(2**31)
        code = reply_code(key, phone, step_id, version, salt)
        made = await session.scalar(
            insert(ReplyCode)
            .values(
                code_hash=hash_of(key, phone, code),
                phone=phone,
                user_id=user_id,
                step_id=step_id,
                seen=version,
                created_at=at,
                expires_at=ends,
            )
            .on_conflict_do_nothing(index_elements=["code_hash"])
            .returning(ReplyCode.id)
        )
        if made is not None:
            return replace(words, decide={**words.decide, "salt": salt})
    return replace(words, decide=None)


async def sign_in_for(session: AsyncSession, user_id: int, workflow: ApprovalWorkflow) -> SignIn | None:
    """Why this person decides it signed in only; None when a code will do. Where links do not decide, codes do not."""
    if get_settings().decision_links == "off":
        return SignIn.POLICY
    reader = await actor_of_user(session, user_id, CHANNEL)
    return await link_reading.why_sign_in(session, reader, workflow)


def code_in(words: Words, phone: str) -> str:
    """The code a message to this phone says; empty when it says none."""
    decide = words.decide or {}
    if "salt" not in decide:
        return ""
    return reply_code(codes_key(), phone, int(decide["step_id"]), int(decide["version"]), int(decide["salt"]))


async def find_code(session: AsyncSession, phone: str, code: str) -> ReplyCode | None:
    """The code this phone was sent, held until the transaction ends; None when it was sent none like it."""
    same = ReplyCode.code_hash == hash_of(codes_key(), phone, code)
    return (await session.scalars(select(ReplyCode).where(same).with_for_update())).one_or_none()


async def void_codes(session: AsyncSession, phone: str) -> None:
    """Take every code back that this phone could still answer with."""
    live = (ReplyCode.phone == phone, ReplyCode.used_at.is_(None), ReplyCode.voided_at.is_(None))
    await session.execute(update(ReplyCode).where(*live).values(voided_at=now()))


async def forget_old_messages(session: AsyncSession) -> None:
    """Remove codes that could not be used for a month, and the ids of messages that came in before that."""
    before = now() - KEPT
    await session.execute(delete(ReplyCode).where(ReplyCode.expires_at < before))
    await session.execute(delete(IncomingSms).where(IncomingSms.received_at < before))
