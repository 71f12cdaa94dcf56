"""Messages that asked for a decision say what became of it, wherever it was taken.

A chat's message stays in front of its reader: once its step is decided, handed on or not needed any more, it loses its
buttons. What has been sent gets a delivery of its own that replaces it (`SETTLED`); what waits to be sent goes out without
buttons; what is on its way at this moment is caught up with when it has arrived. A text message cannot be changed once it
is sent; one that waits goes out without a code.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals.models import ApprovalStep
from waypost.approvals.states import ASKED, StepStatus
from waypost.directory.names import names
from waypost.kernel.clock import now
from waypost.kernel.events import Recorded
from waypost.kernel.settings import get_settings
from waypost.notifications.channels.registry import changing_channels, inviting_channels
from waypost.notifications.models import Delivery

SETTLED = "approval.settled"
SETTLED_BY = "settled_by"
_OPEN = [status.value for status in ASKED]
_SAID = {
    StepStatus.APPROVED: "Approved by {by}",
    StepStatus.REJECTED: "Rejected by {by}",
    StepStatus.DELEGATED: "Handed on by {by}",
    StepStatus.ESCALATED: "Sent further up by {by}",
    StepStatus.REROUTED: "Somebody else was asked",
    StepStatus.CANCELLED: "Not to be decided any more: it was withdrawn, or changed and asked anew",
    StepStatus.NOT_NEEDED: "Not needed any more: others have decided",
}


def outcome_of(status: StepStatus, by: str, behalf_of: str = "") -> str:
    """What became of a step, in words. Pure."""
    said = _SAID.get(status, "Not to be decided any more").format(by=by or "somebody")
    return f"{said} on behalf of {behalf_of}" if behalf_of and "{by}" in _SAID.get(status, "") else said


async def settle(session: AsyncSession, recorded: Recorded, ticket_id: int) -> None:
    """Settle what asked for a decision on a ticket that is not asked for any more. Doing it twice changes nothing."""
    sent = Delivery.channel.in_(changing_channels())
    waiting = and_(Delivery.channel.in_(inviting_channels()), Delivery.status == "PENDING")
    found = await session.execute(
        select(Delivery, ApprovalStep)
        .join(ApprovalStep, ApprovalStep.id == Delivery.step_id)
        .where(
            ApprovalStep.subject_type == "ticket",
            ApprovalStep.subject_id == ticket_id,
            ApprovalStep.status.not_in(_OPEN),
            or_(sent, waiting),
            Delivery.words.has_key("decide"),
        )
        .order_by(Delivery.id)
        .with_for_update(of=Delivery)
    )
    rows = [(delivery, step) for delivery, step in found]
    people = await names.people(session, [i for _, s in rows for i in (s.decided_by_id, s.on_behalf_of_id)])
    for delivery, step in rows:
        by, behalf = (str(people[i]["name"]) if i in people else "" for i in (step.decided_by_id, step.on_behalf_of_id))
        outcome = outcome_of(StepStatus(step.status), by, behalf)
        delivery.words = {k: v for k, v in delivery.words.items() if k not in ("decide", "decide_link")} | {
            "outcome": outcome
        }
        if delivery.status == "SENT":
            await _replace(session, delivery, recorded.id, now())
        else:
            delivery.headers = {SETTLED_BY: recorded.id}
    await session.flush()


async def catch_up(session: AsyncSession, ids: Collection[int], at: datetime) -> None:
    """What was settled while it was on its way is replaced now that it has arrived."""
    arrived = await session.scalars(
        select(Delivery).where(
            Delivery.id.in_(ids),
            Delivery.channel.in_(changing_channels()),
            Delivery.status == "SENT",
            Delivery.kind != SETTLED,
            Delivery.headers.has_key(SETTLED_BY),
        )
    )
    for delivery in arrived:
        await _replace(session, delivery, int(delivery.headers[SETTLED_BY]), at)


async def _replace(session: AsyncSession, delivery: Delivery, event_id: int, at: datetime) -> None:
    if not delivery.provider_ref:
        return
    domain = get_settings().mail_domain
    values: dict[str, Any] = {
        "channel": delivery.channel,
        "user_id": delivery.user_id,
        "event_id": event_id,
        "kind": SETTLED,
        "recipient": delivery.provider_ref,  # one event may settle several messages of one person
        "subject": delivery.subject,
        "words": delivery.words,
        "headers": {},
        "message_id": f"<settled.{delivery.id}@{domain}>",
        "provider_ref": delivery.provider_ref,
        "status": "PENDING",
        "next_at": at,
        "created_at": at,
    }
    await session.execute(insert(Delivery).values(**values))
