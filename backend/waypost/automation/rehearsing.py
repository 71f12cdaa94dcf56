"""Dry runs: what a rule, saved or not, would do with one ticket, and with what happened of late. Nothing is written."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.approvals.wording import namer
from waypost.automation import facts, planning, policy
from waypost.automation.acting import carry_out
from waypost.automation.errors import TrialRunning
from waypost.automation.naming import caller
from waypost.automation.rules import TIMED, Change, On, Rule, matches, moment, said, shorter, why
from waypost.automation.service import Document, check
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.db import Database
from waypost.kernel.errors import Refusal
from waypost.kernel.events import EventRow, log_columns, recorded
from waypost.sla.queries import calendars
from waypost.tickets import by_rule, queries
from waypost.tickets import policy as of_tickets
from waypost.tickets.lifecycle import OPEN, Status
from waypost.tickets.models import Ticket
from waypost.tickets.reading_log import note_reads

MOST = 500
MOST_SHOWN = 100
_alone = threading.Lock()  # a dry run takes a moment of a core: one at a time in each process
Json = dict[str, Any]


class _Undone(Exception):
    """What was tried is taken back."""


async def rehearse(database: Database, actor: Actor, document: Document, ticket_id: int | None) -> Json:
    """Try a rule. Raises `TicketNotFound`, `MoreThanYours`, `TrialRunning`, or names what is wrong with the rule."""
    actor.require(Permission.AUTOMATION_CONFIGURE)
    if ticket_id is not None:
        return await _on_one(database, actor, document, ticket_id)
    if not _alone.acquire(blocking=False):
        raise TrialRunning
    try:
        async with database.read() as session:
            rule, _ = await check(session, document)
            answer, confidential = await (_over_time if rule.trigger.on in TIMED else _on_events)(session, actor, rule)
        await note_reads(actor, confidential)
        return answer
    finally:
        _alone.release()


async def _on_one(database: Database, actor: Actor, document: Document, ticket_id: int) -> Json:
    """The real thing, taken back: what would be refused is refused here."""
    answer: Json = {}
    confidential: list[int] = []
    try:
        async with database.transaction() as session:
            seen = await queries.find_ticket(session, actor, ticket_id)
            confidential = [ticket_id] if seen.ticket.is_confidential else []
            policy.check_may_save(actor, document["actions"])
            rule, _ = await check(session, document)
            found = await by_rule.hold(session, ticket_id)
            if found is None:
                draft = await queries.find_ticket(session, actor, ticket_id)
                answer = _tried(rule, draft.ticket, {"held": False, **_NOTHING}, "A draft is nothing to rules.", [])
                raise _Undone
            ticket = found.ticket
            tree = why(rule.condition, facts.judged(ticket, None), await namer(session, [rule.condition]))
            done, wrong = await _try_actions(session, rule, found) if tree["held"] else ([], "")
            fresh = await session.get_one(Ticket, ticket_id, populate_existing=True)
            answer = _tried(rule, fresh, tree, wrong, done)
            raise _Undone
    except _Undone:
        await note_reads(actor, confidential)  # apart from what was taken back
        return answer


_NOTHING: Json = {"kind": "ALL", "text": "", "value": None, "parts": []}


def _tried(rule: Rule, ticket: Ticket, tree: Json, wrong: str, done: list[Json]) -> Json:
    held = bool(tree["held"])
    item = {
        "ticket": _shown(ticket),
        "at": rfc3339(now()),
        "event_id": None,
        "held": held,
        "why": tree,
        "actions": done,
        "reason": wrong,
    }
    return {"looked_at": 1, "matched": 1, "would_fire": int(held), "items": [item], "is_cut": False}


async def _try_actions(session: AsyncSession, rule: Rule, found: queries.Found) -> tuple[list[Json], str]:
    call = await caller(session, rule.actions)
    done, ticket_id = list[Json](), found.ticket.id
    wrong = ""
    try:
        async with session.begin_nested():
            for action in rule.actions:
                found = await by_rule.hold(session, ticket_id) or found
                done.append(await carry_out(session, rule, action, found, cause="try", call=call))
            raise _Undone
    except _Undone:
        pass
    except Refusal as refused:
        wrong = shorter([refused.detail, *(e.message for e in refused.errors)], 500)
        failed = len(done)
        done = [
            {"text": said(a, call), "done": False, "wrong": wrong if n == failed else None}
            for n, a in enumerate(rule.actions)
        ]
    return done, wrong


def _shown(ticket: Ticket) -> Json:
    return {"id": ticket.id, "ticket_number": ticket.ticket_number, "title": ticket.title, "status": ticket.status}


async def _on_events(session: AsyncSession, actor: Actor, rule: Rule) -> tuple[Json, list[int]]:
    """The newest events a rule could follow, of tickets one sees, judged by the tickets as they are now."""
    e = EventRow
    rows = (
        await session.execute(
            select(*log_columns, Ticket)
            .join(Ticket, Ticket.id == e.object_id)
            .where(
                e.object_type == "ticket",
                e.type.in_(facts.types_of(rule.trigger.on)),
                Ticket.status != Status.DRAFT.value,
                of_tickets.visible_to(actor),
            )
            .order_by(e.id.desc())
            .limit(MOST),
            of_tickets.values(actor),
        )
    ).all()
    happened: list[tuple[Ticket, Change, int, datetime]] = []
    for row in rows:
        kept = recorded(row)
        change = await facts.change_of(session, kept.event, kept.actor_id, row.Ticket)
        if matches(rule.trigger, change):
            happened.append((row.Ticket, change, kept.id, kept.at))
    return await _judged(session, rule, len(rows), happened)


async def _judged(
    session: AsyncSession,
    rule: Rule,
    looked_at: int,
    happened: Sequence[tuple[Ticket, Change | None, int | None, datetime]],
) -> tuple[Json, list[int]]:
    """The answer, and which of the tickets it shows are confidential."""
    name, call = await namer(session, [rule.condition]), await caller(session, rule.actions)
    actions = [{"text": said(action, call), "done": True, "wrong": None} for action in rule.actions]
    items: list[Json] = []
    fires = 0
    for ticket, change, event_id, at in happened:
        tree = why(rule.condition, facts.judged(ticket, change), name)
        fires += tree["held"]
        items.append(
            {
                "ticket": _shown(ticket),
                "at": rfc3339(at),
                "event_id": event_id,
                "held": tree["held"],
                "why": tree,
                "actions": actions if tree["held"] else [],
                "reason": "",
            }
        )
    items.sort(key=lambda item: not item["held"])  # keeps the order among equals
    shown = {item["ticket"]["id"] for item in items[:MOST_SHOWN]}
    confidential = [ticket.id for ticket, *_ in happened if ticket.is_confidential and ticket.id in shown]
    answer = {
        "looked_at": looked_at,
        "matched": len(items),
        "would_fire": fires,
        "items": items[:MOST_SHOWN],
        "is_cut": len(items) > MOST_SHOWN,
    }
    return answer, confidential


async def _over_time(session: AsyncSession, actor: Actor, rule: Rule) -> tuple[Json, list[int]]:
    """The newest tickets a rule over time could wait for, and whether its moment would have come by now."""
    statuses = rule.trigger.statuses if rule.trigger.on is On.IN_STATUS else {s.value for s in OPEN}
    tickets = list(
        await session.scalars(
            select(Ticket)
            .where(Ticket.status.in_(sorted(statuses)), of_tickets.visible_to(actor))
            .order_by(Ticket.id.desc())
            .limit(MOST),
            of_tickets.values(actor),
        )
    )
    anchors = await _anchors(session, rule, tickets)
    calendar, at = (await calendars(session)).default.calendar, now()
    due: list[tuple[Ticket, Change | None, int | None, datetime]] = []
    for ticket in tickets:
        anchor = anchors.get(ticket.id)
        when = moment(rule.trigger, anchor, calendar) if anchor else None
        if when is not None and when <= at:
            due.append((ticket, None, None, when))
    return await _judged(session, rule, len(tickets), due)


async def _anchors(session: AsyncSession, rule: Rule, tickets: Sequence[Ticket]) -> dict[int, datetime | None]:
    if rule.trigger.on in (On.BEFORE_DATE, On.AFTER_DATE):
        return {t.id: planning.date_of(t, rule) for t in tickets}
    what = EventRow.data.has_key("new_status") if rule.trigger.on is On.IN_STATUS else EventRow.actor_id.is_not(None)
    rows = await session.execute(
        select(EventRow.object_id, func.max(EventRow.at))
        .where(EventRow.object_type == "ticket", EventRow.object_id.in_([t.id for t in tickets]), what)
        .group_by(EventRow.object_id)
    )
    return {row[0]: row[1] for row in rows}
