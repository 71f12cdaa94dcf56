"""Reading rules, what they did and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.approvals.wording import namer
from waypost.automation import policy
from waypost.automation.models import AutomationCall, AutomationRule, AutomationRuleVersion, AutomationRun
from waypost.automation.naming import caller
from waypost.automation.rules import said
from waypost.automation.running import rule_of
from waypost.automation.service import broken, without_tokens
from waypost.directory.names import names
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.conditions.tree import describe
from waypost.kernel.paging import after, decode_cursor, encode_cursor
from waypost.tickets import policy as of_tickets
from waypost.tickets.models import Ticket

WEEK = timedelta(days=7)
KEPT, KEPT_NOT_HELD = timedelta(days=90), timedelta(days=7)  # of the log: what came of something is kept longer
BATCH = 5_000
Json = dict[str, Any]


async def rule_page(
    session: AsyncSession, actor: Actor, *, cursor: str | None, limit: int
) -> tuple[list[Json], str | None]:
    """The rules in the order in which they are asked."""
    rows = select(AutomationRule).order_by(AutomationRule.position, AutomationRule.id).limit(limit + 1)
    if cursor:
        position, last = decode_cursor(cursor, "automation", int, int)
        rows = rows.where(after([(AutomationRule.position, position, False), (AutomationRule.id, last, False)]))
    found = list(await session.scalars(rows))
    page = found[:limit]
    following = encode_cursor("automation", page[-1].position, page[-1].id) if len(found) > limit else None
    return await rules_json(session, actor, page), following


async def rules_json(session: AsyncSession, actor: Actor, rows: Sequence[AutomationRule]) -> list[Json]:
    """Rules as clients read them."""
    read = [rule_of(row) for row in rows]
    people = await names.people(session, [row.author_id for row in rows])
    name = await namer(session, [rule.condition for rule in read])
    call = await caller(session, [action for rule in read for action in rule.actions])
    lately = await _lately(session, [row.id for row in rows])
    gone = [await broken(session, row.document["actions"]) for row in rows]
    return [
        {
            "id": row.id,
            "name": row.name,
            "position": row.position,
            "is_active": row.is_active,
            **row.document,
            "when": describe(rule.condition, name),
            "then": [said(action, call) for action in rule.actions],
            "version": row.version,
            "author": people.get(row.author_id),
            "updated_at": rfc3339(row.updated_at),
            "reaches_confidential": row.reaches_confidential,
            "broken": wrong,
            **lately.get(row.id, {"last_fired_at": None, "fired": 0, "failed": 0, "stopped": 0}),
            "allowed_actions": _allowed(actor, row),
        }
        for row, rule, wrong in zip(rows, read, gone, strict=True)
    ]


def _allowed(actor: Actor, row: AutomationRule) -> list[str]:
    more = policy.lacking(actor, row.document["actions"])
    return ["switch_off", "remove"] if more else ["edit", "switch_off", "switch_on", "remove", "new_secret"]


async def _lately(session: AsyncSession, ids: Sequence[int]) -> dict[int, Json]:
    """When each fired last, and how often it did in a week, was refused and stopped. One statement."""
    r, since = AutomationRun, now() - WEEK
    counts = (
        select(
            r.rule_id,
            func.max(r.at).filter(r.outcome == "DONE").label("last"),
            func.count().filter(and_(r.outcome == "DONE", r.at > since)).label("fired"),
            func.count().filter(and_(r.outcome.in_(("REFUSED", "FAILED")), r.at > since)).label("failed"),
            func.count().filter(and_(r.outcome == "STOPPED", r.at > since)).label("stopped"),
        )
        .where(r.rule_id.in_(ids), r.outcome != "NOT_HELD")
        .group_by(r.rule_id)
    )
    return {
        row.rule_id: {
            "last_fired_at": rfc3339(row.last) if row.last else None,
            "fired": row.fired,
            "failed": row.failed,
            "stopped": row.stopped,
        }
        for row in await session.execute(counts)
    }


async def version_page(
    session: AsyncSession, rule_id: int, *, cursor: str | None, limit: int
) -> tuple[list[Json], str | None]:
    """A rule as it was, newest first."""
    v = AutomationRuleVersion
    rows = select(v).where(v.rule_id == rule_id).order_by(v.version.desc()).limit(limit + 1)
    if cursor:
        (last,) = decode_cursor(cursor, "automation_versions", int)
        rows = rows.where(v.version < last)
    found = list(await session.scalars(rows))
    people = await names.people(session, [row.changed_by_id for row in found])
    items = [
        {
            "version": row.version,
            "name": row.name,
            "is_active": row.is_active,
            **without_tokens(row.document),
            "changed_by": people.get(row.changed_by_id),
            "changed_at": rfc3339(row.changed_at),
        }
        for row in found[:limit]
    ]
    more = len(found) > limit
    return items, encode_cursor("automation_versions", found[limit - 1].version) if more else None


async def run_page(
    session: AsyncSession,
    actor: Actor,
    *,
    rule_id: int | None,
    ticket_id: int | None,
    all_asked: bool,
    cursor: str | None,
    limit: int,
) -> tuple[list[Json], str | None]:
    """What rules did and why, newest first: of the tickets this person sees, and of no others. One statement.

    `all_asked`: also where the condition did not hold.
    """
    r = AutomationRun
    shown = (Ticket.ticket_number, Ticket.title, Ticket.status)
    rows = (
        select(r, *shown)
        .join(Ticket, Ticket.id == r.ticket_id)
        .where(of_tickets.visible_to(actor))
        .order_by(r.id.desc())
        .limit(limit + 1)
    )
    if rule_id is not None:
        rows = rows.where(r.rule_id == rule_id)
    if ticket_id is not None:
        rows = rows.where(r.ticket_id == ticket_id)
    if not all_asked:
        rows = rows.where(r.outcome != "NOT_HELD")
    if cursor:
        (last,) = decode_cursor(cursor, "automation_runs", int)
        rows = rows.where(r.id < last)
    found = (await session.execute(rows, of_tickets.values(actor))).all()
    items = [_run(*row) for row in found[:limit]]
    return items, encode_cursor("automation_runs", found[limit - 1][0].id) if len(found) > limit else None


def _shown(why: Json) -> Json:
    """A part of a condition as clients read it."""
    return {k: v for k, v in why.items() if k != "field"} | {"parts": [_shown(part) for part in why["parts"]]}


def _run(run: AutomationRun, number: str, title: str, status: str) -> Json:
    return {
        "id": run.id,
        "rule": {"id": run.rule_id, "name": run.rule_name, "version": run.rule_version},
        "ticket": {"id": run.ticket_id, "ticket_number": number, "title": title, "status": status},
        "at": rfc3339(run.at),
        "trigger": run.trigger,
        "event_id": run.event_id,
        "outcome": run.outcome,
        "reason": run.reason,
        "why": _shown(run.why),
        "actions": run.actions,
        "chain": run.chain,
        "took_ms": run.took_ms,
    }


async def call_page(
    session: AsyncSession, rule_id: int, *, cursor: str | None, limit: int
) -> tuple[list[Json], str | None]:
    """What a rule called or wants to call, newest first; nothing of the tickets but that there were calls."""
    c = AutomationCall
    rows = select(c).where(c.rule_id == rule_id).order_by(c.id.desc()).limit(limit + 1)
    if cursor:
        (last,) = decode_cursor(cursor, "automation_calls", int)
        rows = rows.where(c.id < last)
    found = list(await session.scalars(rows))
    items = [
        {
            "id": row.id,
            "status": row.status,
            "attempts": row.attempts,
            "last_error": row.last_error,
            "created_at": rfc3339(row.created_at),
            "next_at": rfc3339(row.next_at) if row.status == "WAITING" else None,
            "finished_at": rfc3339(row.finished_at) if row.finished_at else None,
        }
        for row in found[:limit]
    ]
    return items, encode_cursor("automation_calls", found[limit - 1].id) if len(found) > limit else None


async def forget_old_runs(session: AsyncSession) -> None:
    """Remove what stands in the log for long enough; where nothing came of it sooner."""
    r, at = AutomationRun, now()
    old = select(r.id).where(or_(r.at < at - KEPT, and_(r.at < at - KEPT_NOT_HELD, r.outcome == "NOT_HELD")))
    await session.execute(delete(r).where(r.id.in_(old.order_by(r.at).limit(BATCH).scalar_subquery())))
