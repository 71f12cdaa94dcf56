"""What a screen is told of an event: only what this person may see, and only ids, never texts."""

from __future__ import annotations

from typing import Any

from waypost.access.actor import Actor
from waypost.kernel.clock import rfc3339
from waypost.live.follower import Happened
from waypost.tickets import policy


def shown(
    actor: Actor, happened: Happened, tickets: dict[int, policy.TicketFacts]
) -> tuple[str, dict[str, Any]] | None:
    """The name and data of the live event, or None when it is not for this person. `tickets` are the facts of now."""
    data = happened.data
    if happened.type in ("ticket.read", "ticket.sensitive_answers_read"):  # who looks at what is for auditors
        return None
    if happened.type == "notification.created":
        if happened.object_id != actor.user_id:
            return None
        return happened.type, {
            "ticket_id": data.get("ticket_id"),
            "kind": data.get("kind"),
            "notification_id": data.get("notification_id"),
        }
    facts = tickets.get(happened.object_id) if happened.object_type == "ticket" else None
    if facts is None:
        return None
    told: dict[str, Any] = {"ticket_id": happened.object_id, "type": happened.type, "at": rfc3339(happened.at)}
    if happened.type.startswith("approval."):
        # A withdrawn request is a draft again, which approvers do not see; that it left their queue, they must.
        # So must a deputy whose approver has decided meanwhile.
        if not policy.may_read(actor, facts) and actor.user_id not in facts.approver_ids | facts.left_ids:
            return None
        is_asked = happened.type == "approval.requested"
        return ("approval.requested" if is_asked else "approval.updated"), told
    if not policy.may_read(actor, facts):
        return None
    if data.get("visibility") == "INTERNAL" and not policy.may_see_internal(actor, facts):
        return None
    if happened.type.startswith("attachment."):
        return "attachment.updated", told
    if happened.type.startswith("comment."):
        word = "comment.created" if happened.type == "comment.created" else "comment.updated"
        return word, told | {"comment_id": data.get("comment_id"), "visibility": data.get("visibility")}
    return "ticket.updated", told | {"version": data.get("ticket_version"), "status": data.get("new_status")}
