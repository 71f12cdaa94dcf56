"""Links in mails that open one decision: written for one person and one step, used once, gone after some days.

Opening a link changes nothing, so that no scanner of mails decides anything; only `decide` does, and it is the same use
case people have, with the same checks. What is kept of a link is its SHA-256: the link itself stands in the mail alone.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.tokens import hash_token
from waypost.approvals import link_reading, service
from waypost.approvals.events import BY_LINK
from waypost.approvals.link_errors import LinkClosed, LinkExpired, LinkUsed, NotYourLink, SignInFirst
from waypost.approvals.link_models import DecisionLink
from waypost.approvals.link_state import LinkState
from waypost.approvals.models import ApprovalStep, ApprovalWorkflow
from waypost.approvals.signing import Signature
from waypost.approvals.states import ASKED, Verb, WorkflowStatus
from waypost.approvals.subject import room_of
from waypost.kernel.clock import now
from waypost.kernel.settings import get_settings

KEPT = timedelta(days=30)  # so long an old link still says what became of it


async def issue(session: AsyncSession, step_id: int, user_id: int) -> str | None:
    """A link's token for somebody who is asked about a step now, or stands in for them.

    None when links are switched off, or nothing waits there any more. Whether it may be decided is asked when it is used.
    """
    settings = get_settings()
    if settings.decision_links == "off":
        return None
    seen = await session.scalar(
        select(ApprovalWorkflow.subject_version)
        .join(ApprovalStep, ApprovalStep.workflow_id == ApprovalWorkflow.id)
        .where(
            ApprovalStep.id == step_id,
            ApprovalStep.status.in_([s.value for s in sorted(ASKED)]),
            ApprovalWorkflow.status == WorkflowStatus.RUNNING.value,
        )
    )
    if seen is None:
        return None
    token, at = f"wpd_{secrets.token_hex(32)}", now()
    session.add(
        DecisionLink(
            token_hash=hash_token(token),
            step_id=step_id,
            user_id=user_id,
            seen=seen,
            created_at=at,
            expires_at=at + timedelta(hours=settings.decision_link_hours),
        )
    )
    await session.flush()
    return token


def address(token: str) -> str:
    """Where a link leads. Letters and digits only, so that no mail program cuts an end off."""
    return f"{get_settings().origin}/decide/{token}"


async def decide(
    session: AsyncSession,
    token: str,
    actor: Actor | None,
    verb: Verb,
    *,
    comments: str,
    version: int,
    signature: Signature = None,
) -> None:
    """Decide with a link, as its person; `actor` is whoever is signed in where it was opened.

    The link is taken first, in one statement: of many at once one goes on, the others wait for it and learn that it was
    used; when the decision is refused it is given back. `version` is the wording the page showed, so a request that was
    changed since the mail is decided only by who has read the change.

    Raises `LinkNotFound` (404), `NotYourLink` (403), `LinkUsed`, `LinkExpired` or `LinkClosed` (409), `SignInFirst` (401),
    then what `service.decide` raises.
    """
    await check(session, token, actor)
    taken = await session.scalar(
        update(DecisionLink)
        .where(DecisionLink.token_hash == hash_token(token), DecisionLink.used_at.is_(None))
        .values(used_at=now(), verb=verb.value)
        .returning(DecisionLink.step_id)
    )
    link = await link_reading.find(session, token)
    if taken is None:
        raise LinkUsed
    await _hold(
        session, taken
    )  # what is judged now is what is decided: nobody makes it large or confidential meanwhile
    found = await link_reading.judge(session, link, actor, is_used=False)
    match found.state:
        case LinkState.DECIDED if link.user_id == found.step.decided_by_id:
            raise LinkClosed("You have decided this already.")
        case LinkState.DECIDED:
            raise LinkClosed("Somebody else has decided this already.")
        case LinkState.CLOSED:
            raise LinkClosed
        case LinkState.EXPIRED:
            raise LinkExpired
        case LinkState.SIGN_IN:
            raise SignInFirst
    assert found.reader is not None
    person = replace(found.reader, channel=BY_LINK)
    await service.decide(session, person, link.step_id, verb, comments=comments, version=version, signature=signature)


async def _hold(session: AsyncSession, step_id: int) -> None:
    key = select(ApprovalStep.subject_type, ApprovalStep.subject_id).where(ApprovalStep.id == step_id)
    subject_type, subject_id = (await session.execute(key)).one()
    await room_of(subject_type).lock(session, subject_id)


async def check(session: AsyncSession, token: str, actor: Actor | None) -> None:
    """Raises `LinkNotFound` or `NotYourLink`, before anything else of a request is looked at."""
    link = await link_reading.find(session, token)
    if actor is not None and actor.user_id != link.user_id:
        raise NotYourLink


async def forget_old_links(session: AsyncSession) -> None:
    """Remove links that could not be used for a month."""
    await session.execute(delete(DecisionLink).where(DecisionLink.expires_at < now() - KEPT))
