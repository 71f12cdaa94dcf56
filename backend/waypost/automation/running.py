"""Running rules: behind the relay for what happened, and for what is due (`timing.py`), in one way.

The relay brings the events of a ticket in their order, each once. Every rule that waits for one is asked in turn, of the
ticket as the rules before left it. A rule's actions are one savepoint: all of it is done or nothing, and what was refused
is written down and keeps no other rule from its turn.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.permissions import Permission
from waypost.approvals.wording import namer
from waypost.automation import facts, planning
from waypost.automation.acting import carry_out
from waypost.automation.models import AutomationRule, AutomationRun
from waypost.automation.naming import caller
from waypost.automation.rules import LOUD, Change, Rule, Stop, matches, read, said, shorter, stopped, why
from waypost.kernel import events as log_of_events
from waypost.kernel.alarms import AlarmRaised
from waypost.kernel.clock import now
from waypost.kernel.errors import Refusal
from waypost.kernel.events import SYSTEM, EventRow, Recorded, record
from waypost.kernel.logs import get_logger
from waypost.tickets import by_rule
from waypost.tickets.queries import Found

log = get_logger(__name__)
CONSUMER = "automation"
HOUR = timedelta(hours=1)
ALARM = "automation.stopped"
_STOPPED = {
    Stop.OWN: "it is behind what it would fire on: a rule does not follow itself",
    Stop.DEPTH: "too many rules have followed each other",
    Stop.BUDGET: "rules have fired too often for this request within an hour",
}
Chain = tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Cause:
    """What lets rules be asked: an event or a moment, with the rules behind it."""

    key: str
    event_id: int | None = None
    chain: Chain = ()

    @property
    def ids(self) -> list[int]:
        return [one["id"] for one in self.chain]


async def in_force(session: AsyncSession, rule_id: int | None = None) -> list[Rule]:
    """The active rules in their order, or one of them."""
    rows = select(AutomationRule).where(AutomationRule.is_active)
    if rule_id is not None:
        rows = rows.where(AutomationRule.id == rule_id)
    return [rule_of(row) for row in await session.scalars(rows.order_by(AutomationRule.position, AutomationRule.id))]


async def every_rule(session: AsyncSession) -> list[Rule]:
    """All rules, in use or not, by name."""
    return [rule_of(row) for row in await session.scalars(select(AutomationRule).order_by(AutomationRule.name))]


def rule_of(row: Any) -> Rule:
    """The rule a row stands for."""
    return read(
        row.document,
        facts.catalogue_of(row.field_kinds),
        id=row.id,
        version=row.version,
        name=row.name,
        reaches_confidential=row.reaches_confidential,
        since=row.since,
    )


async def follow(session: AsyncSession, recorded: Recorded) -> None:
    """Ask the rules about something that happened to a ticket."""
    rules = await in_force(session)
    if not rules:
        return
    ticket_id = recorded.event.object_id
    found = await by_rule.hold(session, ticket_id)
    if found is None:
        return
    await planning.plan(session, rules, found.ticket, recorded.event, recorded.at, by_person=recorded.actor_id)
    change = await facts.change_of(session, recorded.event, recorded.actor_id, found.ticket)
    waiting = [r for r in rules if matches(r.trigger, change)]
    if not waiting:
        return
    data = await session.scalar(select(EventRow.data).where(EventRow.id == recorded.id))
    chain: Chain = tuple((data or {}).get(log_of_events.BY_RULES, ()))
    await ask(session, waiting, found, change, Cause(f"event:{recorded.id}", recorded.id, chain))


async def ask(session: AsyncSession, rules: Sequence[Rule], found: Found, change: Change | None, cause: Cause) -> None:
    """Ask these rules in turn about a locked ticket, until one that stops has held."""
    ticket_id = found.ticket.id  # a savepoint that is undone takes what was read of the row with it
    lately = await _fired_lately(session, ticket_id)
    for rule in rules:
        if found.ticket.is_confidential and not rule.reaches_confidential:
            continue
        run = await _ask(session, rule, found, change, cause, lately)
        if run is None or run["outcome"] == "NOT_HELD":
            continue
        lately += run["outcome"] == "DONE"
        again = await by_rule.hold(session, ticket_id)
        if rule.stops or again is None:
            return
        found = again


async def _fired_lately(session: AsyncSession, ticket_id: int) -> int:
    fired = select(func.count()).where(
        AutomationRun.ticket_id == ticket_id, AutomationRun.outcome == "DONE", AutomationRun.at > now() - HOUR
    )
    return await session.scalar(fired) or 0


async def _ask(
    session: AsyncSession, rule: Rule, found: Found, change: Change | None, cause: Cause, lately: int
) -> dict[str, Any] | None:
    """Ask one rule, and write down what came of it; None when it was asked of this before."""
    begun, at = time.perf_counter(), now()
    asked = select(AutomationRun.id).where(
        AutomationRun.rule_id == rule.id,
        AutomationRun.ticket_id == found.ticket.id,
        AutomationRun.cause == cause.key,
    )
    if await session.scalar(asked) is not None:
        return None
    tree = why(rule.condition, facts.judged(found.ticket, change), await namer(session, [rule.condition]))
    run: dict[str, Any] = {"outcome": "NOT_HELD", "reason": "", "actions": []}
    if tree["held"]:
        stop = stopped(rule.id, cause.ids, lately)
        run = await _stop(session, rule, found, stop) if stop else await _fire(session, rule, found, cause)
    await session.execute(
        insert(AutomationRun).values(
            rule_id=rule.id,
            rule_version=rule.version,
            rule_name=rule.name,
            ticket_id=found.ticket.id if run["outcome"] == "NOT_HELD" else run.pop("ticket_id"),
            cause=cause.key,
            event_id=cause.event_id,
            trigger=rule.trigger.on.value,
            why=tree,
            chain=cause.ids,
            took_ms=round((time.perf_counter() - begun) * 1000),
            at=at,
            **run,
        )
    )
    return run


async def _fire(session: AsyncSession, rule: Rule, found: Found, cause: Cause) -> dict[str, Any]:
    """All of a rule's actions, or none."""
    ticket_id, done = found.ticket.id, list[dict[str, Any]]()
    call = await caller(session, rule.actions)
    by = log_of_events.acting_by.set(f"rule:{rule.id}")
    behind = log_of_events.by_rules.set((*cause.chain, {"id": rule.id, "name": rule.name}))
    outcome, reason = "DONE", ""
    n = 0
    try:
        async with session.begin_nested():
            for n, action in enumerate(rule.actions):
                if n:
                    found = await by_rule.hold(session, ticket_id) or found
                done.append(await carry_out(session, rule, action, found, cause=cause.key, call=call))
    except Refusal as refused:
        outcome, reason = "REFUSED", _told(refused)
    except DBAPIError:
        raise  # the database's trouble passes: the relay tries again
    except Exception as defect:
        log.exception("automation rule failed", rule_id=rule.id, ticket_id=ticket_id)
        outcome, reason = "FAILED", f"Something went wrong here ({type(defect).__name__})."
    finally:
        log_of_events.by_rules.reset(behind)
        log_of_events.acting_by.reset(by)
    if outcome != "DONE":
        done = [
            {"text": said(a, call), "done": False, "wrong": reason if m == n else None}
            for m, a in enumerate(rule.actions)
        ]
    return {"outcome": outcome, "reason": reason[:500], "actions": done, "ticket_id": ticket_id}


def _told(refused: Refusal) -> str:
    places = [f"{e.pointer} {e.message}".strip("/ ") for e in refused.errors]
    return shorter([refused.detail, *places], 500)


async def _stop(session: AsyncSession, rule: Rule, found: Found, stop: Stop) -> dict[str, Any]:
    """A loop ends here. Administrators hear of it once, until the rule is changed."""
    ticket_id, number = found.ticket.id, found.ticket.ticket_number
    if stop in LOUD:
        at = now()
        first = (
            update(AutomationRule)
            .where(AutomationRule.id == rule.id, AutomationRule.alarmed_at.is_(None))
            .values(alarmed_at=at)
            .returning(AutomationRule.id)
        )
        if await session.scalar(first) is not None:
            told = AlarmRaised(
                kind=ALARM,
                topic=f"automation.{rule.id}",
                link=f"/settings/automation/{rule.id}",
                needs=Permission.AUTOMATION_CONFIGURE.value,
                values={
                    "rule": rule.name,
                    "number": number,
                    "why": _STOPPED[stop],
                    "action": "Look at the rule",
                },
            )
            await record(session, told, actor=SYSTEM, at=at)
    actions: list[dict[str, Any]] = []
    return {"outcome": "STOPPED", "reason": _STOPPED[stop], "actions": actions, "ticket_id": ticket_id}


def of_moment(anchor: datetime, rule: Rule) -> Cause:
    """The cause of a rule over time: the same for the same anchor and the same span."""
    t = rule.trigger
    return Cause(f"time:{t.on.value}:{t.amount}{t.unit.value[:9]}:{anchor:%Y%m%dT%H%M%S%f}"[:64])
