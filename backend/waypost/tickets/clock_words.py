"""How a ticket stands by its service level, in the two words lists have for it."""

from __future__ import annotations

from typing import Any

from waypost.kernel.clock import rfc3339

NO_TARGET = "NONE"  # `tickets.sla_state` where a policy holds that has no target everybody may see: lists show nothing


def in_short(ticket: Any) -> dict[str, Any] | None:
    """What lists and the ticket itself say of its clocks, of a row with a ticket's columns; None without any."""
    if ticket.sla_state is None or ticket.sla_state == NO_TARGET:
        return None
    due = ticket.sla_due_at
    return {"state": ticket.sla_state, "next_due_at": due and rfc3339(due)}
