"""Doing what a rule says, one action after the other, through the tickets' own use cases."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.models import UserRole, held
from waypost.automation.errors import NotNow
from waypost.automation.models import AutomationCall
from waypost.automation.rules import Action, Caller, Do, Rule, Unit, moment, reason_of, said, trigger_of
from waypost.directory.membership import leads_of
from waypost.directory.models import TeamMember, User
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.conditions.fields import CUSTOM
from waypost.kernel.errors import Refusal
from waypost.kernel.events import System
from waypost.sla.queries import calendars
from waypost.tickets import by_rule
from waypost.tickets.canned import values_of
from waypost.tickets.canned_words import fill
from waypost.tickets.lifecycle import Priority, Status
from waypost.tickets.models import Ticket
from waypost.tickets.queries import Found
from waypost.tickets.watching import watchers_of

DOER = System(channel="automation")
MOST_TOLD = 100
MOST_COMMENT = 20_000
MOST_TITLE = 200  # of what is called
MOST_WRONG = 500  # letters of why something was not possible


async def carry_out(
    session: AsyncSession, rule: Rule, action: Action, found: Found, *, cause: str, call: Caller
) -> dict[str, Any]:
    """Do one thing to a locked ticket, and say it: `{text, done, wrong}`.

    Raises the refusal a person would meet. To start an approval is not always possible and no reason to leave the rest
    undone: then it is not done, and `wrong` says why.
    """
    wrong = None
    if action.do is Do.START_APPROVAL:
        wrong = await _start_approval(session, rule, found, action.values["workflow_id"])
    else:
        await _do(session, rule, action, found, cause=cause)
    return {"text": said(action, call), "done": wrong is None, "wrong": wrong}


async def _start_approval(session: AsyncSession, rule: Rule, found: Found, workflow_id: int) -> str | None:
    try:
        async with session.begin_nested():
            await by_rule.start_approval(session, DOER, found, workflow_id, why=reason_of(rule))
    except Refusal as refused:
        return f"Not possible here: {refused.detail}"[:MOST_WRONG]
    return None


async def _do(session: AsyncSession, rule: Rule, action: Action, found: Found, *, cause: str) -> None:
    v = action.values
    why = f"by the rule “{rule.name}”"
    values = await changed_by(session, action, found.ticket, found.form)
    if values is not None:
        await by_rule.change(session, DOER, found, values)
        return
    match action.do:
        case Do.ASSIGN:
            await by_rule.assign(
                session, DOER, found, to=v["to"], user_id=v.get("user_id"), team_id=v.get("team_id"), why=why
            )
        case Do.TRANSITION:
            await by_rule.move(session, DOER, found, Status(v["to"]))
        case Do.COMMENT:
            body = fill(v["body"], await values_of(session, found, None))[:MOST_COMMENT]
            await by_rule.comment(session, DOER, found, body=body, visibility=v["visibility"], rule=rule.name)
        case Do.NOTIFY:
            people = await _people(session, found, v["to"])
            await by_rule.tell(session, DOER, found, people=people, message=v["message"], rule=rule.name)
        case Do.ESCALATE:
            await _escalate(session, found, v["how"], rule)
        case Do.WEBHOOK:
            await _call(session, rule, found, v["url"], cause)


async def changed_by(
    session: AsyncSession, action: Action, ticket: Ticket, form: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The values an action gives a ticket's fields; None for one that does something else. Raises `NotNow`."""
    v = action.values
    match action.do:
        case Do.SET_PRIORITY:
            return {"priority": v["priority"]}
        case Do.SET_DUE:
            return {"due_date": await _due(session, v["amount"], v["unit"]) if v.get("amount") else None}
        case Do.ADD_TAGS:
            return {"tags": list(dict.fromkeys([*ticket.tags, *v["tags"]]))}
        case Do.REMOVE_TAGS:
            return {"tags": [t for t in ticket.tags if t not in v["tags"]]}
        case Do.SET_FIELD:
            return {"custom_fields": _with_field(ticket, form, v["field"].removeprefix(CUSTOM), v.get("value"))}
        case Do.ESCALATE if v["how"] == "RAISE_PRIORITY":
            above = by_rule.ABOVE.get(Priority(ticket.priority))
            if above is None:
                raise NotNow("The priority cannot be any higher.")
            return {"priority": above.value}
    return None


async def _due(session: AsyncSession, amount: int, unit: str) -> Any:
    span = trigger_of({"on": "QUIET", "amount": amount, "unit": Unit(unit)})
    due = moment(span, now(), (await calendars(session)).default.calendar)
    if due is None:
        raise NotNow("A due date so far away never comes: the calendar has not so much time open.")
    return due


def _with_field(ticket: Ticket, form: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
    if key not in (form.get("properties") or {}):
        raise NotNow(f"The form of this type has no field “{key}”.")
    fields = {k: v for k, v in ticket.custom_fields.items() if k != key}
    return fields if value is None else {**fields, key: value}


async def _people(session: AsyncSession, found: Found, wanted: Sequence[dict[str, Any]]) -> list[int]:
    """Who is meant, each once; who of them sees the ticket is asked when they are told."""
    ticket, ids = found.ticket, list[int]()
    for one in wanted:
        match one["kind"]:
            case "PERSON":
                ids.append(one["id"])
            case "ROLE":
                of_role = select(UserRole.user_id).where(UserRole.role_id == one["id"], held())
                ids += await session.scalars(of_role.order_by(UserRole.user_id).limit(MOST_TOLD))
            case "REQUESTER":
                ids.append(ticket.requester_id)
            case "ASSIGNEE":
                ids += [ticket.assignee_id] if ticket.assignee_id else []
            case "TEAM":
                members = select(TeamMember.user_id).where(TeamMember.team_id == ticket.team_id)
                ids += await session.scalars(members.order_by(TeamMember.user_id).limit(MOST_TOLD))
            case "TEAM_LEADS":
                ids += (await leads_of(session, [ticket.team_id])).get(ticket.team_id, []) if ticket.team_id else []
            case "WATCHERS":
                ids += await watchers_of(session, ticket.id)
    return list(dict.fromkeys(ids))[:MOST_TOLD]


async def _escalate(session: AsyncSession, found: Found, how: str, rule: Rule) -> None:
    manager = await manager_above(session, found.ticket, how)
    await by_rule.let_in(session, DOER, found, manager)
    message = f"It was escalated to you by the rule “{rule.name}”."
    await by_rule.tell(session, DOER, found, people=[manager], message=message, rule=rule.name)


async def manager_above(session: AsyncSession, ticket: Ticket, how: str) -> int:
    """Whom an escalation brings in. Raises `NotNow`."""
    person = ticket.assignee_id if how == "ASSIGNEES_MANAGER" else ticket.requester_id
    if person is None:
        raise NotNow("Nobody is assigned, so there is no manager to bring in.")
    if ticket.is_confidential:
        raise NotNow("A confidential request is shown to nobody by a rule.")
    manager_of = select(User.manager_id).where(User.id == person).scalar_subquery()
    manager = await session.scalar(select(User.id).where(User.id == manager_of, User.is_active))
    if manager is None:
        raise NotNow("There is no active manager to bring in.")
    return manager


async def _call(session: AsyncSession, rule: Rule, found: Found, url: str, cause: str) -> None:
    """Let another system be called after this is stored. No comment, no answer of a form, no confidential words."""
    if not rule.id:  # it is only tried: nobody is called, and nothing is kept of it
        return
    ticket, at = found.ticket, now()
    key = hashlib.sha256(json.dumps([rule.id, ticket.id, cause, url]).encode()).hexdigest()[:32]
    about: dict[str, Any] = {
        "id": ticket.id,
        "ticket_number": ticket.ticket_number,
        "ticket_type": ticket.ticket_type,
        "status": ticket.status,
        "priority": ticket.priority,
        "team_id": ticket.team_id,
        "is_confidential": ticket.is_confidential,
        "created_at": rfc3339(ticket.created_at),
        "due_date": rfc3339(ticket.due_date) if ticket.due_date else None,
    }
    if not ticket.is_confidential:
        about["title"] = ticket.title[:MOST_TITLE]
    body = {"id": key, "rule": {"id": rule.id, "name": rule.name, "version": rule.version}, "ticket": about}
    session.add(
        AutomationCall(
            rule_id=rule.id,
            ticket_id=ticket.id,
            url=url,
            body=body | {"cause": cause, "at": rfc3339(at)},
            status="WAITING",
            attempts=0,
            next_at=at,
            created_at=at,
        )
    )
    await session.flush()
