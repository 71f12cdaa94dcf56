"""`NotificationService`: what the event log means for people. Runs behind the relay, in its transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.queries import actor_of_user
from waypost.approvals import events as approvals
from waypost.approvals.deputy_events import DelegationEvent
from waypost.approvals.standing import deputies_for
from waypost.directory.models import User
from waypost.directory.names import names
from waypost.kernel.clock import now
from waypost.kernel.events import SYSTEM, Recorded, record
from waypost.kernel.settings import get_settings
from waypost.notifications import deputising, planning
from waypost.notifications.events import NotificationCreated
from waypost.notifications.models import Delivery, Notification
from waypost.notifications.rendering import Rendered, one_line, render
from waypost.tickets import events as tickets
from waypost.tickets import policy
from waypost.tickets.mentions import plain_words
from waypost.tickets.models import Ticket, TicketComment
from waypost.tickets.queries import facts_by_id
from waypost.tickets.watching import watchers_of

_BECAUSE = {
    "approval.requested": "your approval is asked for",
    "approval.requested_for": "you stand in for the one who is asked",
    "approval.decided_for_you": "somebody decided in your place",
    "approval.reminded": "your approval is asked for",
    "approval.escalated": "your approval was asked for",
    "approval.info_requested": "you made this request",
    "approval.info_answered": "you asked the question",
    "approval.glass_broken": "you were asked to decide it, or look after approvals",
    "approval.review_reminded": "its review waits for you",
    "approval.review_climbed": "you are an administrator",
    "approval.review_confirmed": "you broke the glass",
    "approval.review_objected": "you made this request, broke the glass, or are an administrator",
    "ticket.asked_for_you": "it was asked for on your behalf",
    "ticket.approved": "you made this request or work on it",
    "ticket.rejected": "you made this request",
    "ticket.assigned": "it was assigned to you",
    "ticket.completed": "you made this request",
    "ticket.reopened": "you made this request or work on it",
    "ticket.merged": "you made this request",
    "ticket.opened": "you made this request or watch it",
    "ticket.watching": "somebody of its team added you",
    "comment.created": "you made this request or work on it",
    "comment.mentioned": "you are mentioned by name",
}


_DID = {
    "approval.approved": "approved",
    "approval.rejected": "rejected",
    "approval.info_requested": "asked for more information about",
}
_DECIDING = ("approval.requested", "approval.requested_for", "approval.reminded", "approval.escalated")
_REVIEWING = ("approval.glass_broken", "approval.review_reminded", "approval.review_climbed")
_COMMENTED = (tickets.CommentAdded, tickets.CommentEdited)


async def notify(session: AsyncSession, recorded: Recorded) -> None:
    """Keep the notices and mails an event leads to. Doing it twice changes nothing."""
    event: Any = recorded.event
    if isinstance(event, DelegationEvent):
        await deputising.tell(session, recorded, event)
        return
    ticket_id = getattr(event, "ticket_id", None) or getattr(event, "subject_id", None)
    ticket = await session.get(Ticket, ticket_id) if ticket_id else None
    if ticket is None:
        return
    people = planning.People(
        ticket.requester_id,
        ticket.assignee_id,
        ticket.created_by_id,
        tuple(await watchers_of(session, ticket.id)),
        await _deputies(session, event),
    )
    planned = planning.notices(event, people, recorded.actor_id)
    if recorded.channel == tickets.IMPORT:
        planned = planning.quietly(planned)
    if not planned:
        return
    if isinstance(event, _COMMENTED) and await _is_removed(session, event.comment_id):
        return  # taken back before anybody was told
    facts = (await facts_by_id(session, [ticket.id]))[ticket.id]
    values = await _values(session, recorded, ticket)
    for notice in planned:
        reader = await actor_of_user(session, notice.user_id)
        if reader is None or not policy.may_read(reader, facts):
            continue
        if notice.is_internal and not policy.may_see_internal(reader, facts):
            continue
        await _tell(session, recorded, ticket, notice, values)


async def _deputies(session: AsyncSession, event: Any) -> tuple[int, ...]:
    """Who stands in now for those whom an event asks, or gives an answer."""
    if isinstance(event, (approvals.ApprovalRequested, approvals.ApprovalReminded)):
        asked: tuple[int, ...] = (event.approver_id,)
    elif isinstance(event, approvals.InfoAnswered) and not event.lapsed:
        asked = event.asker_ids
    else:
        return ()
    return await deputies_for(session, event.subject_type, event.subject_id, asked, now())


async def _is_removed(session: AsyncSession, comment_id: int) -> bool:
    removed = select(TicketComment.removed_at).where(TicketComment.id == comment_id)
    return await session.scalar(removed) is not None


async def _values(session: AsyncSession, recorded: Recorded, ticket: Ticket) -> dict[str, Any]:
    event: Any = recorded.event
    approver_id = getattr(event, "approver_id", None) or getattr(event, "broken_by_id", None)
    people = await names.people(session, [recorded.actor_id, ticket.requester_id, approver_id])
    requester = people[ticket.requester_id]["name"]
    actor = people[recorded.actor_id]["name"] if recorded.actor_id in people else "Waypost"
    return {
        "ticket": {
            "number": ticket.ticket_number,
            "title": one_line(ticket.title),
            "description": ticket.description[:2000],
            "requester": requester,
        },
        "actor": actor,
        "approver": people[approver_id]["name"] if approver_id in people else "",
        "did": _DID.get(event.type, ""),
        "audience": "an internal note" if getattr(event, "visibility", "") == "INTERNAL" else "a comment",
        "words": await _words(session, recorded),
        "facts": {
            "From": requester,
            "Amount": f"{ticket.amount:,} {ticket.currency}" if ticket.amount is not None else "",
            "Priority": ticket.priority.capitalize(),
            "Due": ticket.due_date.strftime("%-d %B %Y") if ticket.due_date else "",
        },
    }


async def _words(session: AsyncSession, recorded: Recorded) -> str:
    event: Any = recorded.event
    if isinstance(event, _COMMENTED):
        comment = await session.get(TicketComment, event.comment_id)
        if comment is None:
            return ""
        people = await names.people(session, comment.mention_ids)
        return plain_words(comment.body, {str(p["username"]).lower(): str(p["name"]) for p in people.values()})[:4000]
    if getattr(event, "by_rule", False):
        return "by rule"
    return str(getattr(event, "comments", "") or getattr(event, "comment", ""))[:4000]


async def _tell(
    session: AsyncSession, recorded: Recorded, ticket: Ticket, notice: planning.Notice, values: dict[str, Any]
) -> None:
    is_queue = notice.kind in _DECIDING
    path = f"/approvals?ticket={ticket.id}" if is_queue else f"/tickets/{ticket.id}"
    is_review = notice.kind in _REVIEWING
    if is_review:
        path = f"/approvals/reviews#review-{recorded.event.review_id}"  # type: ignore[attr-defined]
    if isinstance(recorded.event, _COMMENTED):
        path += f"#comment-{recorded.event.comment_id}"
    words = render(
        notice.kind,
        values
        | {
            "link": f"{get_settings().origin}{path}",
            "action": "Open the review" if is_review else "Open and decide" if is_queue else "Open the request",
            "because": "you watch this request" if notice.as_watcher else _BECAUSE[notice.kind],
        },
    )
    at = now()
    made = await session.scalar(
        insert(Notification)
        .values(
            user_id=notice.user_id,
            event_id=recorded.id,
            kind=notice.kind,
            title=words.title,
            body=words.body[:1000],
            ticket_id=ticket.id,
            link=path,
            created_at=at,
        )
        .on_conflict_do_nothing(index_elements=["event_id", "user_id"])
        .returning(Notification.id)
    )
    if made is None:
        return
    told = NotificationCreated(user_id=notice.user_id, notification_id=made, kind=notice.kind, ticket_id=ticket.id)
    await record(session, told, actor=SYSTEM, at=at)
    if notice.by_mail:
        await _write_mail(session, recorded, ticket, notice, words)


async def _write_mail(
    session: AsyncSession, recorded: Recorded, ticket: Ticket, notice: planning.Notice, words: Rendered
) -> None:
    address = await session.scalar(select(User.email).where(User.id == notice.user_id, User.is_active))
    if not address:
        return
    domain = get_settings().mail_from.rpartition("@")[2].rstrip("> ") or "waypost"
    thread = f"<ticket.{ticket.id}@{domain}>"
    await session.execute(
        insert(Delivery)
        .values(
            channel="email",
            user_id=notice.user_id,
            event_id=recorded.id,
            kind=notice.kind,
            recipient=address,
            subject=one_line(words.subject),
            plain=words.text,
            html=words.html,
            # RFC 3834: an automatic mail says so, and nobody's absence note answers it. One thread per ticket.
            headers={
                "Auto-Submitted": "auto-generated",
                "X-Auto-Response-Suppress": "All",
                "In-Reply-To": thread,
                "References": thread,
                "X-Waypost-Ticket": ticket.ticket_number,
            },
            message_id=f"<{recorded.id}.{notice.user_id}@{domain}>",
            status="PENDING",
            next_at=now(),
            created_at=now(),
        )
        .on_conflict_do_nothing(index_elements=["event_id", "user_id", "channel"])
    )
