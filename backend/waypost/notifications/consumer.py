"""`NotificationService`: what the event log means for people. Runs behind the relay, in its transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.queries import actors_of_users
from waypost.approvals import events as approvals
from waypost.approvals import links
from waypost.approvals.deputy_events import DelegationEvent
from waypost.approvals.models import ApprovalStep, ApprovalWorkflow
from waypost.approvals.standing import deputies_for
from waypost.approvals.states import ASKED
from waypost.directory.events import UserEmailChanged
from waypost.directory.names import names
from waypost.kernel.clock import now
from waypost.kernel.events import Recorded
from waypost.kernel.notices import NoticeAsked
from waypost.kernel.settings import get_settings
from waypost.notifications import (
    address_notices,
    alarms,
    asked_notices,
    clock_notices,
    deputising,
    phone_notices,
    planning,
    role_notices,
    security_notices,
    settling,
    view_notices,
)
from waypost.notifications.channels.registry import channels_in_use
from waypost.notifications.events import PhoneProved, ReplyCodesVoided
from waypost.notifications.incoming import answerable
from waypost.notifications.kinds import KINDS
from waypost.notifications.people import people_told
from waypost.notifications.telling import Notice, tell
from waypost.notifications.texts import Texts, note_broken, texts_of
from waypost.notifications.values import about_ticket
from waypost.tickets import events as tickets
from waypost.tickets import policy
from waypost.tickets.canned import values_of
from waypost.tickets.canned_words import fill
from waypost.tickets.mentions import plain_words
from waypost.tickets.models import Ticket, TicketComment
from waypost.tickets.queries import any_ticket, facts_by_id
from waypost.tickets.views_matched import ViewMatched
from waypost.tickets.watching import watchers_of

_DID = {
    "approval.approved": "approved",
    "approval.rejected": "rejected",
    "approval.info_requested": "asked for more information about",
    "approval.escalated": "sent further up",
    "approval.approver_added": "had one more person decide on",
}
_REVIEWING = ("approval.glass_broken", "approval.review_reminded", "approval.review_climbed")
_COMMENTED = (tickets.CommentAdded, tickets.CommentEdited)


async def notify(session: AsyncSession, recorded: Recorded) -> None:
    """Keep the notices and mails an event leads to. Doing it twice changes nothing."""
    event: Any = recorded.event
    if isinstance(event, DelegationEvent):
        await deputising.tell_both(session, recorded, event)
        return
    if isinstance(event, alarms.Alarm):
        await alarms.tell_administrators(session, recorded, event)
        return
    if isinstance(event, (PhoneProved, ReplyCodesVoided)):
        await phone_notices.tell_owner(session, recorded, event)
        return
    if isinstance(event, NoticeAsked):
        await asked_notices.tell_person(session, recorded, event)
        return
    if isinstance(event, security_notices.SecurityEvent):
        await security_notices.tell_person(session, recorded, event)
        return
    if isinstance(event, role_notices.RoleEvent):
        await role_notices.tell_about_role(session, recorded, event)
        return
    if isinstance(event, ViewMatched):
        await view_notices.tell_owner(session, recorded, event)
        return
    if isinstance(event, UserEmailChanged):
        await address_notices.tell_both_addresses(session, recorded, event)
        return
    ticket_id = getattr(event, "ticket_id", None) or getattr(event, "subject_id", None)
    ticket = await session.get(Ticket, ticket_id) if ticket_id else None
    if ticket is None:
        return
    if isinstance(event, approvals.ApprovalEvent):
        await settling.settle(session, recorded, ticket.id)
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
    ids = [notice.user_id for notice in planned]
    readers = await actors_of_users(session, ids)
    told = await people_told(session, ids)
    values = await _values(session, recorded, ticket)
    channels = await channels_in_use(session)
    texts = await texts_of(session, {notice.kind for notice in planned})
    mailbox = await answerable.mailbox_for(session, ticket)
    for notice in planned:
        reader, person = readers.get(notice.user_id), told.get(notice.user_id)
        if reader is None or person is None or not policy.may_read(reader, facts):
            continue
        if notice.is_internal and not policy.may_see_internal(reader, facts):
            continue
        decide_link = await _decide_link(session, event, notice)
        mine = values | {"decide_link": decide_link, "sla": clock_notices.about_target(event, person.zone)}
        await tell(session, recorded, person, _notice(recorded, ticket, notice, mine, texts, mailbox), channels)
    await note_broken(session, texts)


async def _decide_link(session: AsyncSession, event: Any, notice: planning.Notice) -> str:
    """The address at which who is told decides this one step; none where nothing is to be decided, or links are off."""
    step_id = getattr(event, "step_id", None)
    if not (KINDS[notice.kind].decides and notice.by_mail and step_id):
        return ""
    token = await links.issue(session, step_id, notice.user_id)
    return links.address(token) if token else ""


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
        **about_ticket(ticket, requester),
        "actor": actor,
        "approver": people[approver_id]["name"] if approver_id in people else "",
        "did": _DID.get(event.type, ""),
        "audience": "an internal note" if getattr(event, "visibility", "") == "INTERNAL" else "a comment",
        "words": await _words(session, recorded),
        "decide": await _decide(session, event),
    }


async def _decide(session: AsyncSession, event: Any) -> dict[str, int] | None:
    """The step an event asks to decide, while it is asked for, with the version of the request that is told."""
    step_id = getattr(event, "step_id", None)
    if step_id is None:
        return None
    version = await session.scalar(
        select(ApprovalWorkflow.subject_version)
        .join(ApprovalStep, ApprovalStep.workflow_id == ApprovalWorkflow.id)
        .where(ApprovalStep.id == step_id, ApprovalStep.status.in_([s.value for s in ASKED]))
    )
    return None if version is None else {"step_id": step_id, "version": version}


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
    if isinstance(event, tickets.TicketToldByRule):
        return fill(event.message, await values_of(session, await any_ticket(session, event.ticket_id), None))[:4000]
    said = getattr(event, "comments", "") or getattr(event, "comment", "") or getattr(event, "message", "")
    return str(said)[:4000]


def _notice(
    recorded: Recorded,
    ticket: Ticket,
    planned: planning.Notice,
    values: dict[str, Any],
    texts: Texts,
    mailbox: str | None,
) -> Notice:
    kind = KINDS[planned.kind]
    path = f"/approvals?ticket={ticket.id}" if kind.decides else f"/tickets/{ticket.id}"
    action = "Open and decide" if kind.decides else "Open the request"
    if planned.kind in _REVIEWING:
        path, action = f"/approvals/reviews#review-{recorded.event.review_id}", "Open the review"  # type: ignore[attr-defined]
    if isinstance(recorded.event, _COMMENTED):
        path += f"#comment-{recorded.event.comment_id}"
    told = values | {
        "link": f"{get_settings().origin}{path}",
        "action": "Open in Waypost" if values["decide_link"] else action,
        "because": "you watch this request" if planned.as_watcher else kind.because,
        "decide": values["decide"] if kind.decides else None,
    }
    return Notice(
        planned.kind,
        texts.words(planned.kind, told),
        path,
        thread=f"ticket.{ticket.id}",
        is_emergency=ticket.priority == "CRITICAL",
        in_app_only=not planned.by_mail,
        is_internal=planned.is_internal,
        step_id=getattr(recorded.event, "step_id", None) if kind.decides else None,
        headers={
            "X-Waypost-Ticket": ticket.ticket_number,
            **answerable.reply_to(mailbox, ticket.id, planned.user_id, is_internal=planned.is_internal),
        },
        retold=texts.retold(planned.kind, told),
    )
