"""What templates are told about a request."""

from __future__ import annotations

from typing import Any

from waypost.notifications.rendering import one_line
from waypost.tickets.models import Ticket


def about_ticket(ticket: Ticket, requester: str) -> dict[str, Any]:
    """A request as templates name it: `ticket`, and the `facts` that stand below a message."""
    return {
        "ticket": {
            "id": ticket.id,
            "number": ticket.ticket_number,
            "title": one_line(ticket.title),
            "description": ticket.description[:2000],
            "requester": requester,
        },
        "facts": {
            "From": requester,
            "Amount": f"{ticket.amount:,} {ticket.currency}" if ticket.amount is not None else "",
            "Priority": ticket.priority.capitalize(),
            "Due": ticket.due_date.strftime("%-d %B %Y") if ticket.due_date else "",
        },
    }
