"""When rules over time are due: a row for each rule and ticket, kept up with what happens to the ticket.

A rule counts moments from when it came into use; what lies before is not its business, so that switching one on sets
nothing off by the hundred. A row that is done stays, and does not come again for the same anchor.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time
from typing import Any

from sqlalchemy import delete, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.automation.facts import FOLLOWED
from waypost.automation.models import AutomationDue, AutomationRule
from waypost.automation.rules import TIMED, On, Rule, moment
from waypost.kernel.conditions.fields import CUSTOM
from waypost.kernel.events import Event, EventRow
from waypost.sla.clock_events import SlaBreached, SlaWarned
from waypost.sla.queries import calendars
from waypost.tickets import events
from waypost.tickets.lifecycle import OPEN
from waypost.tickets.models import Ticket

_OPEN = frozenset(s.value for s in OPEN)
# What keeps a ticket from being quiet: words, files and changes by people; not what Waypost says of it.
_SILENT = (events.TicketDueSoon, events.TicketOverdue, SlaWarned, SlaBreached)


async def plan(
    session: AsyncSession, rules: Iterable[Rule], ticket: Ticket, event: Event, at: datetime, *, by_person: int | None
) -> None:
    """Keep up the moments of a locked ticket after something happened to it."""
    timed = [r for r in rules if r.trigger.on in TIMED]
    for rule in timed:
        match rule.trigger.on:
            case On.IN_STATUS:
                if isinstance(event, events.StatusChanged):
                    await put(session, rule, ticket, at if event.new_status == ticket.status else None)
            case On.QUIET:
                if by_person is not None and not isinstance(event, _SILENT):
                    await put(session, rule, ticket, at)
            case _:
                await put(session, rule, ticket, date_of(ticket, rule))


async def put(session: AsyncSession, rule: Rule, ticket: Ticket, anchor: datetime | None) -> None:
    """Write down when a rule is due for a ticket, or that it is not: one whose moment never comes waits for nothing."""
    own = (AutomationDue.rule_id == rule.id, AutomationDue.ticket_id == ticket.id)
    if anchor is None or not applies(rule, ticket):
        await session.execute(delete(AutomationDue).where(*own))
        return
    calendar = (await calendars(session)).default.calendar
    due = moment(rule.trigger, anchor, calendar)
    if due is None or rule.since is None or due < rule.since:
        await session.execute(delete(AutomationDue).where(*own))
        return
    row = insert(AutomationDue).values(rule_id=rule.id, ticket_id=ticket.id, anchor=anchor, due_at=due)
    await session.execute(
        row.on_conflict_do_update(
            index_elements=["rule_id", "ticket_id"],
            set_={"anchor": row.excluded.anchor, "due_at": row.excluded.due_at, "done_at": None},
            where=or_(AutomationDue.anchor != row.excluded.anchor, AutomationDue.done_at.is_(None)),
        )
    )


def applies(rule: Rule, ticket: Ticket) -> bool:
    """Whether a ticket is one of those a rule over time waits for."""
    if rule.trigger.on is On.IN_STATUS:
        return ticket.status in rule.trigger.statuses
    return ticket.status in _OPEN


def date_of(ticket: Ticket, rule: Rule) -> datetime | None:
    """The date a rule stands beside; a day begins at midnight, UTC."""
    name = rule.trigger.date_field or ""
    value: Any = (
        ticket.custom_fields.get(name.removeprefix(CUSTOM)) if name.startswith(CUSTOM) else getattr(ticket, name)
    )
    if isinstance(value, str):
        try:
            return datetime.combine(datetime.fromisoformat(value).date(), time.min, UTC)
        except ValueError:
            return None
    return value if isinstance(value, datetime) else None


async def anchor_of(session: AsyncSession, rule: Rule, ticket: Ticket) -> datetime | None:
    """From what a rule is counted for a ticket, by the log: for moments that are due, and tickets from before the rule."""
    if rule.trigger.on in (On.BEFORE_DATE, On.AFTER_DATE):
        return date_of(ticket, rule)
    of_ticket = (EventRow.object_type == "ticket", EventRow.object_id == ticket.id)
    if rule.trigger.on is On.IN_STATUS:
        moved = EventRow.data.has_key("new_status")
        return await session.scalar(select(EventRow.at).where(*of_ticket, moved).order_by(EventRow.id.desc()).limit(1))
    told = [kind.type for kind in FOLLOWED if not issubclass(kind, _SILENT)]
    by_people = (EventRow.actor_id.is_not(None), EventRow.type.in_(told))
    return await session.scalar(select(EventRow.at).where(*of_ticket, *by_people).order_by(EventRow.id.desc()).limit(1))


_BATCH = 200


async def catch_up(session: AsyncSession, row: AutomationRule, rule: Rule) -> bool:
    """Plan some of the tickets there were before the rule. True when there are more."""
    statuses = rule.trigger.statuses if rule.trigger.on is On.IN_STATUS else _OPEN
    tickets = list(
        await session.scalars(
            select(Ticket)
            .where(Ticket.id > (row.planned_to or 0), Ticket.status.in_(sorted(statuses)))
            .order_by(Ticket.id)
            .limit(_BATCH)
            .with_for_update(key_share=True)
        )
    )
    for ticket in tickets:
        await put(session, rule, ticket, await anchor_of(session, rule, ticket))
    is_more = len(tickets) == _BATCH
    row.planned_to = tickets[-1].id if is_more else None
    return is_more
