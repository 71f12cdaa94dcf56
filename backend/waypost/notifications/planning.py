"""Who is told of an event, as what, and whether by mail too. Pure.

Nobody is told of their own action (but of what they are asked by it); internal comments are told to those who work on
the ticket only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from waypost.approvals import events as approvals
from waypost.approvals import review_events as glass
from waypost.kernel.events import Event
from waypost.sla import clock_events as clocks
from waypost.tickets import events as tickets


@dataclass(frozen=True, slots=True)
class People:
    """Who has a part in a ticket."""

    requester_id: int
    assignee_id: int | None
    created_by_id: int | None = None
    watcher_ids: tuple[int, ...] = ()
    deputy_ids: tuple[int, ...] = ()  # of the one the event asks


@dataclass(frozen=True, slots=True)
class Notice:
    """One person to be told. `kind` names the template; `is_internal` needs the right to read internal words."""

    user_id: int
    kind: str
    by_mail: bool
    is_internal: bool = False
    as_watcher: bool = False


# Who answers one stage may be asked in the next.
_ASKS = frozenset({"approval.requested", "approval.requested_for"})

# What is told to a requester about the request itself.
_FOLLOWED = frozenset(
    {
        "approval.info_requested",
        "ticket.approved",
        "ticket.rejected",
        "ticket.completed",
        "ticket.reopened",
        "comment.created",
    }
)


def notices(event: Event, people: People, actor_id: int | None) -> list[Notice]:
    """The notices an event leads to, each person once, without the one who did it."""
    found: dict[int, Notice] = {}
    for notice in [*_wanted(event, people), *_for_watchers(event, people)]:
        if notice.user_id != actor_id or notice.kind in _ASKS:
            found.setdefault(notice.user_id, notice)
        # who asked for somebody else goes on hearing of it with them
        asker = people.created_by_id
        follows = notice.kind in _FOLLOWED and not notice.is_internal and notice.user_id == people.requester_id
        if follows and asker is not None and asker not in (people.requester_id, actor_id):
            found.setdefault(asker, replace(notice, user_id=asker))
    return list(found.values())


def quietly(planned: list[Notice]) -> list[Notice]:
    """Of what comes in by the hundred (an import): whoever must decide finds it in their notices, and nobody gets a mail."""
    return [replace(n, by_mail=False) for n in planned if n.kind in ("approval.requested", "ticket.assigned")]


_ASKER = -1  # stands for the requester


def _for_watchers(event: Event, people: People) -> list[Notice]:
    """Watchers are told what the requester is told, but for the approvers' question, which the requester must answer."""
    if isinstance(event, approvals.InfoRequested):
        return []
    as_requester = [n for n in _wanted(event, People(_ASKER, None)) if n.user_id == _ASKER]
    return [Notice(i, n.kind, n.by_mail, as_watcher=True) for n in as_requester for i in people.watcher_ids]


def _wanted(event: Event, people: People) -> list[Notice]:
    requester, assignee = people.requester_id, people.assignee_id
    match event:
        case approvals.ApprovalRequested():
            for_others = [Notice(i, "approval.requested_for", by_mail=True) for i in people.deputy_ids]
            return [Notice(event.approver_id, "approval.requested", by_mail=True), *for_others]
        case approvals.ApprovalReminded():
            for_others = [Notice(i, "approval.requested_for", by_mail=True) for i in people.deputy_ids]
            return [Notice(event.approver_id, "approval.reminded", by_mail=True), *for_others]
        case approvals.ApprovalEscalated() if event.by_time:  # the one who was late; who is asked now is told by that
            return [] if event.again else [Notice(event.approver_id, "approval.escalated", by_mail=True)]
        case approvals.InfoRequested():
            return [Notice(requester, "approval.info_requested", by_mail=True), *_done_for(event)]
        case (
            approvals.ApprovalApproved()
            | approvals.ApprovalRejected()
            | approvals.ApprovalEscalated()
            | approvals.ApproverAdded()
        ):
            return _done_for(event)
        case approvals.InfoAnswered():
            if event.lapsed:
                return []
            return [Notice(i, "approval.info_answered", by_mail=True) for i in (*event.asker_ids, *people.deputy_ids)]
        case glass.GlassBroken():
            return [Notice(i, "approval.glass_broken", by_mail=True) for i in event.reviewer_ids]
        case glass.ReviewReminded():  # and what climbed
            return [Notice(i, event.type, by_mail=True) for i in event.reviewer_ids]
        case glass.ReviewConfirmed():
            return [Notice(event.broken_by_id, "approval.review_confirmed", by_mail=True)]
        case glass.ReviewObjected():
            return [Notice(i, "approval.review_objected", by_mail=True) for i in event.told_ids]
        case tickets.TicketSubmitted():  # of one's own nobody is told; this is what somebody else asked for one
            return [Notice(requester, "ticket.asked_for_you", by_mail=True)]
        case tickets.TicketApproved():
            to_team = [Notice(assignee, "ticket.approved", by_mail=False)] if assignee else []
            return [Notice(requester, "ticket.approved", by_mail=not event.by_rule), *to_team]
        case tickets.TicketRejected():
            return [Notice(requester, "ticket.rejected", by_mail=True)]
        case tickets.TicketAssigned():
            new = event.new_assignee_id
            return [Notice(new, "ticket.assigned", by_mail=True)] if new and new != event.old_assignee_id else []
        case tickets.TicketCompleted():
            return [Notice(requester, "ticket.completed", by_mail=True)]
        case tickets.TicketDueSoon() | tickets.TicketOverdue():
            return [Notice(i, event.type, by_mail=True) for i in event.told_ids]
        case clocks.SlaWarned() | clocks.SlaBreached():
            is_internal = event.visibility == "INTERNAL"
            return [Notice(i, event.type, by_mail=True, is_internal=is_internal) for i in event.told_ids]
        case tickets.TicketToldByRule():
            return [Notice(i, "ticket.told_by_rule", by_mail=True) for i in event.told_ids]
        case tickets.TicketUpdated() if event.changes.get("is_confidential") == [True, False]:
            return [Notice(requester, "ticket.opened", by_mail=True)]
        case tickets.TicketMerged():
            return [Notice(requester, "ticket.merged", by_mail=True)]
        case tickets.TicketReopened():
            return [Notice(i, "ticket.reopened", by_mail=True) for i in (assignee, requester) if i]
        case tickets.CommentEdited():
            return _called(event)
        case tickets.WatcherAdded():
            return [Notice(event.user_id, "ticket.watching", by_mail=True)] if event.gives_sight else []
        case tickets.CommentAdded():
            if event.visibility == "INTERNAL":
                told = [Notice(assignee, "comment.created", by_mail=False, is_internal=True)] if assignee else []
                return [*_called(event), *told]
            return [*_called(event), *(Notice(i, "comment.created", by_mail=True) for i in (requester, assignee) if i)]
    return []


def _done_for(event: approvals.StepDecided | approvals.ApprovalEscalated | approvals.ApproverAdded) -> list[Notice]:
    """The approver, of what a deputy did for them."""
    if event.for_id != event.approver_id:
        return []
    return [Notice(event.approver_id, "approval.decided_for_you", by_mail=True)]


def _called(event: tickets.CommentAdded | tickets.CommentEdited) -> list[Notice]:
    """Those a comment mentions by name."""
    is_internal = event.visibility == "INTERNAL"
    return [Notice(i, "comment.mentioned", by_mail=True, is_internal=is_internal) for i in event.mentioned_ids]
