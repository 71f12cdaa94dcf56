"""What people can be told: each kind of notice, the event people know it as, and how it behaves. Pure.

A kind has the words (`templates/<kind>.j2`); an event is what one chooses channels for: a reminder and a request are
two, the several ways a question is answered are one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Event(StrEnum):
    """What people choose channels for, in the order a screen shows it."""

    APPROVAL_REQUESTED = "approval.requested"
    APPROVAL_REMINDED = "approval.reminded"
    APPROVAL_ESCALATED = "approval.escalated"
    APPROVAL_QUESTION = "approval.question"
    APPROVAL_DECIDED = "approval.decided"
    APPROVAL_REVIEW = "approval.review"
    TICKET_SUBMITTED = "ticket.submitted"
    TICKET_ASSIGNED = "ticket.assigned"
    TICKET_STATUS = "ticket.status"
    SLA_WARNING = "sla.warning"
    SLA_BREACH = "sla.breach"
    TICKET_COMMENTED = "ticket.commented"
    COMMENT_MENTIONED = "comment.mentioned"
    TICKET_WATCHING = "ticket.watching"
    REPORT = "report"
    VIEW_NEWS = "view.news"
    DELEGATION = "delegation"
    ROLE = "role"
    ACCOUNT = "account"
    EMERGENCY = "emergency"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Kind:
    """`because` ends "You get this because …". `gathers`: several about one request, or of an event that is
    about none, within minutes are one message.

    `decides`: it asks for a decision, so it leads to the queue, and is an emergency when the request is one.
    """

    event: Event
    because: str
    gathers: bool = False
    decides: bool = False


_BOTH = "decisions are made on somebody's behalf, and you are one of the two"
KINDS: dict[str, Kind] = {
    "approval.requested": Kind(Event.APPROVAL_REQUESTED, "your approval is asked for", decides=True),
    "approval.requested_for": Kind(Event.APPROVAL_REQUESTED, "you stand in for the one who is asked", decides=True),
    "approval.reminded": Kind(Event.APPROVAL_REMINDED, "your approval is asked for", decides=True),
    "approval.escalated": Kind(Event.APPROVAL_ESCALATED, "your approval was asked for", decides=True),
    "approval.decided_for_you": Kind(Event.APPROVAL_DECIDED, "somebody decided in your place"),
    "approval.info_requested": Kind(Event.APPROVAL_QUESTION, "you made this request"),
    "approval.info_answered": Kind(Event.APPROVAL_QUESTION, "you asked the question"),
    "approval.glass_broken": Kind(Event.APPROVAL_REVIEW, "you were asked to decide it, or look after approvals"),
    "approval.review_reminded": Kind(Event.APPROVAL_REVIEW, "its review waits for you"),
    "approval.review_climbed": Kind(Event.APPROVAL_REVIEW, "you are an administrator"),
    "approval.review_confirmed": Kind(Event.APPROVAL_REVIEW, "you broke the glass"),
    "approval.review_objected": Kind(
        Event.APPROVAL_REVIEW, "you made this request, broke the glass, or are an administrator"
    ),
    "ticket.asked_for_you": Kind(Event.TICKET_SUBMITTED, "it was asked for on your behalf"),
    "ticket.approved": Kind(Event.APPROVAL_DECIDED, "you made this request or work on it"),
    "ticket.rejected": Kind(Event.APPROVAL_DECIDED, "you made this request"),
    "ticket.assigned": Kind(Event.TICKET_ASSIGNED, "it was assigned to you", gathers=True),
    "ticket.completed": Kind(Event.TICKET_STATUS, "you made this request", gathers=True),
    "ticket.reopened": Kind(Event.TICKET_STATUS, "you made this request or work on it", gathers=True),
    "ticket.due_soon": Kind(Event.SLA_WARNING, "you work on it, or lead the team that does"),
    "ticket.overdue": Kind(Event.SLA_BREACH, "you work on it, or lead the team that does"),
    "sla.warned": Kind(Event.SLA_WARNING, "the service level names you, or you work on it", gathers=True),
    "sla.breached": Kind(Event.SLA_BREACH, "the service level names you, or you work on it", gathers=True),
    "ticket.told_by_rule": Kind(Event.TICKET_STATUS, "a rule of your organisation tells you", gathers=True),
    "ticket.merged": Kind(Event.TICKET_STATUS, "you made this request", gathers=True),
    "ticket.opened": Kind(Event.TICKET_STATUS, "you made this request or watch it", gathers=True),
    "ticket.watching": Kind(Event.TICKET_WATCHING, "somebody of its team added you", gathers=True),
    "comment.created": Kind(Event.TICKET_COMMENTED, "you made this request or work on it", gathers=True),
    "comment.mentioned": Kind(Event.COMMENT_MENTIONED, "you are mentioned by name"),
    "view.matched": Kind(Event.VIEW_NEWS, "you asked to be told of what is new in this view", gathers=True),
    "delegation.created": Kind(Event.DELEGATION, _BOTH),
    "delegation.begun": Kind(Event.DELEGATION, _BOTH),
    "delegation.changed": Kind(Event.DELEGATION, _BOTH),
    "delegation.cancelled": Kind(Event.DELEGATION, _BOTH),
    "role.given": Kind(Event.ROLE, "what you may do has changed"),
    "role.taken": Kind(Event.ROLE, "what you may do has changed"),
    "role.ending": Kind(Event.ROLE, "the role is yours for a time, or you gave it"),
    "role.ended": Kind(Event.ROLE, "the role was yours for a time, or you gave it"),
    "role.change_asked": Kind(Event.ROLE, "you may configure roles", gathers=True),
    "role.change_answered": Kind(Event.ROLE, "you asked for it", gathers=True),
    "report.export": Kind(Event.REPORT, "somebody has it sent to you"),
    "report.export_failing": Kind(Event.REPORT, "you have it sent"),
    "report.export_paused": Kind(Event.REPORT, "you have it sent, or it was sent to you"),
    "address.changed": Kind(Event.ACCOUNT, "it is about your own account"),
    **{
        kind: Kind(Event.ACCOUNT, "it is about your own account")
        for kind in (
            "account.password_set",
            "account.factor_added",
            "account.factor_removed",
            "account.codes_made",
            "account.code_used",
            "account.factors_reset",
            "account.token_made",
            "account.provider_linked",
            "account.username_changed",
            "account.new_device",
            "account.session_over",
            "account.invited",
            "account.reset",
            "account.reset_elsewhere",
        )
    },
    "phone.added": Kind(Event.ACCOUNT, "it is about your own account"),
    "phone.codes_void": Kind(Event.ACCOUNT, "it is about your own account"),
    "team.ticket": Kind(Event.TICKET_SUBMITTED, "this channel follows the team"),
    "channel.failed": Kind(Event.SYSTEM, "you look after this installation"),
    "mailbox.failed": Kind(Event.SYSTEM, "you look after this installation"),
    "mail.held_back": Kind(Event.SYSTEM, "you look after this installation"),
    "provider.stopped": Kind(Event.SYSTEM, "you look after identity providers"),
    "directory.stopped": Kind(Event.SYSTEM, "you look after sign-in"),
    "directory.failed": Kind(Event.SYSTEM, "you look after sign-in"),
    "automation.stopped": Kind(Event.SYSTEM, "you look after automation rules"),
    "audit.stream_failed": Kind(Event.SYSTEM, "you look after the audit trail"),
    "answers.damaged": Kind(Event.SYSTEM, "you look after types of requests"),
    "sla.calendar_failed": Kind(Event.SYSTEM, "you look after service levels"),
    "channel.tested": Kind(Event.SYSTEM, "you asked for it"),
}


def event_of(kind: str, *, is_emergency: bool) -> Event:
    """The event people know a kind as; what asks for a decision in an emergency is one."""
    told = KINDS[kind]
    return Event.EMERGENCY if is_emergency and told.decides else told.event


# What a link in them opens is the reader's alone, and opens once: it is not kept when it has gone out.
OPENS_ONCE = frozenset({"account.new_device", "account.invited", "account.reset", "account.provider_linked"})
