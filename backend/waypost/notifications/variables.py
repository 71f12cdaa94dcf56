"""The values that templates can name, with an example of each. Pure but for reading our own templates once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from waypost.notifications.expressions import names_in
from waypost.notifications.kinds import KINDS, Event
from waypost.notifications.rendering import built_in

_WAYS = {
    "link": "https://waypost.example.com/tickets/42",
    "action": "Open the request",
    "because": "you made this request",
}
_TICKET = {
    "ticket.number": "ITH-2026-000042",
    "ticket.title": "New laptop for the design team",
    "ticket.description": "The old one does not start any more.",
    "ticket.requester": "Jane Doe",
    "actor": "Mike Okafor",
    "approver": "Mike Okafor",
    "words": "Please say which model you need.",
    "audience": "a comment",
    "did": "approved",
    "facts.From": "Jane Doe",
    "facts.Amount": "1,450.00 USD",
    "facts.Priority": "High",
    "facts.Due": "30 November 2026",
}
_DELEGATION: dict[str, Any] = {
    "delegator": "Mike Okafor",
    "delegate": "Jane Doe",
    "is_delegate": True,
    "actor": "Mike Okafor",
    "made_by": "Mike Okafor",
    "starts": "Monday, 30 November 2026, 09:00 CET",
    "ends": "Friday, 4 December 2026, 18:00 CET",
    "has_begun": True,
    "waiting": "One decision waits already.",
    "changed": "the end",
    "why": "it was ended",
}
_ROLE: dict[str, Any] = {
    "roles": "Agent",
    "lost": "",
    "person": "Jane Doe",
    "is_own": True,
    "actor": "Mike Okafor",
    "until": "Friday, 4 December 2026, 18:00 CET",
    "words": "Covers for Sam in December.",
    "change": "Jane Doe gets the role Administrator",
    "answer": "was confirmed",
    "is_done": True,
}
_CLOCK = {
    "sla.target": "the first response",
    "sla.due": "Monday, 30 November 2026, 16:00 CET",
    "sla.percent": "75",
}
_TEAM = {
    **{name: _TICKET[name] for name in _TICKET if name.startswith("ticket.")},
    "facts.Priority": "High",
    "team": "IT Support",
    "assignee": "Alex Kim",
}
_VIEW = {
    "view": "Urgent hardware",
    "count": "1",
    "listed": "ITH-2026-000042 · New laptop for the design team",
    "more": "",
    "ticket.number": "ITH-2026-000042",
    "ticket.title": "New laptop for the design team",
}
_SIGN_IN: dict[str, Any] = {
    "facts.When": "Monday, 30 November 2026, 09:12 CET",
    "facts.Device": "Firefox on Linux",
    "facts.Address": "192.0.2.7",
    "factor": "a passkey",
    "by_other": False,
    "left": "7",
    "name": "Nightly report",
    "provider": "Contoso",
    "username": "jane.fox",
    "username_before": "jane.doe",
    "by_self": True,
    "by_address": False,
}
_ACCOUNT = {
    "phone": "+49…678",
    "address": "jane.doe@example.com",
    "address_before": "jane@example.com",
    "actor": "Mike Okafor",
}
_REPORT = {
    "subject": "Requests by team, every Monday",
    "report": "Requests by team",
    "files": "Requests by team 2026-11-23.pdf",
    "is_attached": True,
    "people": "Maria Rossi: this person does not work here any more.",
    "why": "The report is not shared with its owner any more.",
}
_SYSTEM = {
    "channel": "email",
    "provider": "Entra ID",
    "mailbox": "IT service desk",
    "directory": "Company directory",
    "rule": "Urgent ones to the desk",
    "number": "ITH-2026-000042",
    "destination": "Security monitoring",
    "calendar": "Berlin office",
    "behind": "1,204",
    "why": "535 5.7.8 Authentication failed",
}


@cache
def variables_of(kind: str) -> Mapping[str, Any]:
    """What a template of this kind can name, with examples: its group's, and whatever its own built-in words ask for."""
    event = KINDS[kind].event
    group: dict[str, Any] = dict(
        _TEAM
        if kind == "team.ticket"
        else _TICKET | _CLOCK
        if kind in ("sla.warned", "sla.breached")
        else _DELEGATION
        if event is Event.DELEGATION
        else _VIEW
        if event is Event.VIEW_NEWS
        else _ROLE
        if event is Event.ROLE
        else _SIGN_IN
        if kind.startswith("account.")
        else _REPORT
        if event is Event.REPORT
        else _ACCOUNT
        if event is Event.ACCOUNT
        else _SYSTEM
        if event is Event.SYSTEM
        else _TICKET
    )
    subject, body = built_in(kind)
    for name in (*names_in(subject), *names_in(body)):
        group.setdefault(name, name.rpartition(".")[2].replace("_", " "))
    return group | _WAYS


def examples_of(kind: str) -> dict[str, Any]:
    """Values to try a template with."""
    return nested(variables_of(kind))


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """`{"ticket.title": …}` as templates get it: `{"ticket": {"title": …}}`."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        *path, last = name.split(".")
        inner = found
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return found
