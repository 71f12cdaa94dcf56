"""Rules over time: what is due is looked up by an index, and each moment is dealt with once, whoever was down meanwhile."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from waypost.automation import planning, running
from waypost.automation.models import AutomationDue, AutomationRule
from waypost.automation.rules import moment
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.logs import get_logger
from waypost.sla.queries import calendars
from waypost.tickets import by_rule

log = get_logger(__name__)
TASK = "automation.due"
BATCH = 200
A_RUN = 5  # batches; then others have their turn


async def run_due(database: Database) -> bool:
    """Plan what rules from of late wait for, then ask those whose moment has come. True when there is more to do."""
    is_more = await _plan_some(database)
    for _ in range(A_RUN):
        async with database.read() as session:
            due = (
                await session.execute(
                    select(AutomationDue.rule_id, AutomationDue.ticket_id)
                    .where(AutomationDue.done_at.is_(None), AutomationDue.due_at <= now())
                    .order_by(AutomationDue.due_at)
                    .limit(BATCH)
                )
            ).all()
        moved = 0
        for rule_id, ticket_id in due:
            moved += await _deal_with(database, rule_id, ticket_id)
        if len(due) < BATCH or not moved:
            return is_more
    return True


async def _plan_some(database: Database) -> bool:
    wanted = (
        select(AutomationRule)
        .where(AutomationRule.is_active, AutomationRule.planned_to.is_not(None))
        .order_by(AutomationRule.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    async with database.transaction() as session:
        row = await session.scalar(wanted)
        if row is None:
            return False
        await planning.catch_up(session, row, running.rule_of(row))
        return True


async def _deal_with(database: Database, rule_id: int, ticket_id: int) -> bool:
    """Ask one rule about one ticket. False when the database was in the way: it comes again."""
    try:
        async with database.transaction() as session:
            # the ticket first, as everywhere: its lock keeps two processes from asking twice
            found = await by_rule.hold(session, ticket_id)
            due = await session.get(AutomationDue, (rule_id, ticket_id), with_for_update=True)
            at = now()
            if due is None or due.done_at is not None or due.due_at > at:
                return True
            rules = await running.in_force(session, rule_id)
            anchor = await planning.anchor_of(session, rules[0], found.ticket) if found and rules else None
            if found is None or not rules or anchor != due.anchor or not planning.applies(rules[0], found.ticket):
                await session.delete(due)
                if found and rules and anchor is not None:
                    await session.flush()
                    await planning.put(session, rules[0], found.ticket, anchor)
                return True
            rule = rules[0]
            again = moment(rule.trigger, anchor, (await calendars(session)).default.calendar)
            if again is None:  # nor does it come any more: the calendar was changed since
                await session.delete(due)
                return True
            if again > at:  # or it comes later
                due.due_at = again
                return True
            due.done_at = at
            await session.flush()
            await running.ask(session, [rule], found, None, running.of_moment(anchor, rule))
            return True
    except DBAPIError:
        log.warning("automation moment comes again", rule_id=rule_id, ticket_id=ticket_id, exc_info=True)
        return False
