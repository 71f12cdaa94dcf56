"""The proof of each rung of an approval: who was told what, by which channel, when it went out, arrived and was seen.

It is put together from what is written anyway: the event log says who was asked, reminded or passed over, the notices
and the delivery log say how that reached them. It stands here because this room knows both sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.approvals import events as approvals
from waypost.approvals.models import ApprovalStep
from waypost.directory.names import Refs, names
from waypost.kernel.clock import rfc3339
from waypost.kernel.events import EventRow
from waypost.notifications.models import Delivery, Notification
from waypost.tickets import policy
from waypost.tickets.queries import find_ticket

MOST = 500  # events of one ticket's approvals, the latest
APP = "app"
_WHAT = {
    approvals.ApprovalRequested.type: "ASKED",
    approvals.ApprovalReminded.type: "REMINDED",
    approvals.ApprovalEscalated.type: "LATE",
}


async def approval_proof(session: AsyncSession, actor: Actor, ticket_id: int) -> dict[str, Any]:
    """Every step that was asked, in order, with each call to it. Addresses only for those who read internal words.

    Raises `TicketNotFound`.
    """
    found = await find_ticket(session, actor, ticket_id)
    shows_addresses = policy.may_see_internal(actor, found.facts)
    events = await _events(session, ticket_id)
    calls = [e for e in events if e.type in _WHAT and (e.type != approvals.ApprovalEscalated.type or e.data["by_time"])]
    told = await _told(session, [e.id for e in calls])
    steps = {s.id: s for s in await _steps(session, ticket_id)}
    seen_by = {e.data["step_id"]: e.actor_id for e in reversed(events) if e.type == approvals.ApprovalSeen.type}
    people = await names.people(
        session,
        [i for s in steps.values() for i in (s.approver_id, s.on_behalf_of_id, s.decided_by_id)]
        + [*seen_by.values(), *(row["user_id"] for rows in told.values() for row in rows)],
    )
    rungs: dict[int, dict[str, Any]] = {}
    for event in calls:
        step = steps.get(event.data["step_id"])
        if step is None:
            continue
        if step.id not in rungs:
            rungs[step.id] = _rung(step, event.data["stage_name"], people, people.get(seen_by.get(step.id)))
        rungs[step.id]["calls"].append(
            {
                "what": _WHAT[event.type],
                "at": rfc3339(event.at),
                "told": [_told_json(row, people, shows_addresses) for row in told.get(event.id, ())],
            }
        )
    return {"items": list(rungs.values()), "shows_addresses": shows_addresses}


async def _events(session: AsyncSession, ticket_id: int) -> list[Any]:
    """What was asked about a ticket, and who saw it; oldest first."""
    wanted = (
        select(EventRow.id, EventRow.type, EventRow.data, EventRow.actor_id, EventRow.at)
        .where(
            EventRow.object_type == "ticket",
            EventRow.object_id == ticket_id,
            EventRow.type.in_([*_WHAT, approvals.ApprovalSeen.type]),
        )
        .order_by(EventRow.id.desc())
        .limit(MOST)
    )
    return list((await session.execute(wanted)).all())[::-1]


async def _steps(session: AsyncSession, ticket_id: int) -> Sequence[ApprovalStep]:
    wanted = select(ApprovalStep).where(ApprovalStep.subject_type == "ticket", ApprovalStep.subject_id == ticket_id)
    return (await session.scalars(wanted.order_by(ApprovalStep.id.desc()).limit(MOST))).all()


async def _told(session: AsyncSession, event_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """How each event reached people, by event: its notices in the app, then what went out of the house."""
    found: dict[int, list[dict[str, Any]]] = {}
    if not event_ids:
        return found
    notices = await session.execute(
        select(Notification.event_id, Notification.user_id, Notification.created_at, Notification.read_at)
        .where(Notification.event_id.in_(event_ids))
        .order_by(Notification.event_id, Notification.id)
    )
    for event_id, user_id, created_at, read_at in notices:
        row = {"user_id": user_id, "channel": APP, "address": None, "status": "SENT"}
        found.setdefault(event_id, []).append(
            row | {"sent_at": created_at, "delivered_at": created_at, "seen_at": read_at}
        )
    sent = await session.execute(
        select(
            Delivery.event_id,
            Delivery.user_id,
            Delivery.channel,
            Delivery.recipient,
            Delivery.status,
            Delivery.created_at,
            Delivery.sent_at,
        )
        .where(Delivery.event_id.in_(event_ids), Delivery.user_id.is_not(None))
        .order_by(Delivery.event_id, Delivery.id)
    )
    for event_id, told_id, channel, recipient, status, created_at, sent_at in sent:
        row = {"user_id": told_id, "channel": channel, "address": recipient, "status": status}
        found.setdefault(event_id, []).append(row | {"sent_at": created_at, "delivered_at": sent_at, "seen_at": None})
    return found


def _rung(step: ApprovalStep, stage_name: str, people: Refs, seen_by: Any) -> dict[str, Any]:
    return {
        "workflow_id": step.workflow_id,
        "step_id": step.id,
        "stage_name": stage_name,
        "rung": step.climbs,
        "person": people.get(step.approver_id),
        "on_behalf_of": people.get(step.on_behalf_of_id),
        "why": step.reason,
        "asked_at": step.requested_at and rfc3339(step.requested_at),
        "seen_at": step.seen_at and rfc3339(step.seen_at),
        "seen_by": seen_by,
        "status": step.status,
        "answered_at": step.decided_at and rfc3339(step.decided_at),
        "answered_by": people.get(step.decided_by_id),
        "calls": [],
    }


def _told_json(row: dict[str, Any], people: Refs, shows_addresses: bool) -> dict[str, Any]:
    return {
        "person": people.get(row["user_id"]),
        "channel": row["channel"],
        "address": row["address"] if shows_addresses else None,
        "status": row["status"],
        **{key: row[key] and rfc3339(row[key]) for key in ("sent_at", "delivered_at", "seen_at")},
    }
