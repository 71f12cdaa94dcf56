"""Standing delegations: making, changing and ending them, and working out the rights they give.

All of them are written one after another (a lock of their own), so two that would make a loop together are not both
taken. What they allow is read with the clock in hand (`standing.py`, `deputies.py`); nothing happens when a window opens
or ends but that people are told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.access.queries import people_who_may
from waypost.approvals import definition, deputies, standing
from waypost.approvals.deputies import Window
from waypost.approvals.deputy_errors import BadDelegation, DelegationNotFound, DelegationOver
from waypost.approvals.deputy_events import (
    DelegationBegun,
    DelegationCancelled,
    DelegationChanged,
    DelegationCreated,
)
from waypost.approvals.deputy_models import ApprovalDelegation, ApprovalDeputy
from waypost.approvals.scopes import Scope, path_of, paths_together
from waypost.catalog.models import TicketType
from waypost.directory.events import AbsenceRemoved
from waypost.directory.queries import people_facts
from waypost.kernel.clock import now
from waypost.kernel.conditions.fields import Field, Kind, fields_of_forms
from waypost.kernel.conditions.tree import Condition, leaves, parse
from waypost.kernel.db import Database
from waypost.kernel.errors import FieldError, Forbidden, StaleVersion, invalid_field
from waypost.kernel.events import SYSTEM, Doer, record

LONGEST = timedelta(days=2 * 366)
MOST_LIVE = 20  # delegations of one person that are not over
MOST_RIGHTS = 20_000
MOST_BYTES = 4_000  # of a condition: every look into a deputy's queue asks it of everything that waits
BATCH = 50
TASK = "approvals.begin_delegations"
_lock = text("SELECT pg_advisory_xact_lock(4721409631)")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a delegation says, as somebody wrote it; `condition` is the JSON tree."""

    delegate_id: int
    starts_at: datetime
    ends_at: datetime
    reason: str = ""
    condition: dict[str, Any] | None = None
    amount_up_to: Decimal | None = None
    include_waiting: bool = True


def may_see(actor: Actor, row: ApprovalDelegation) -> bool:
    """Whether a delegation is this person's to see: the two it is between, and who makes them for others."""
    is_one = actor.user_id in (row.delegator_id, row.delegate_id)
    return is_one or actor.may(Permission.APPROVALS_DELEGATE_FOR)


def may_change(actor: Actor, delegator_id: int) -> bool:
    """Whether they may make, change and end delegations of this person: their own, or with a permission of its own."""
    return actor.user_id == delegator_id or actor.may(Permission.APPROVALS_DELEGATE_FOR)


# --- writing ----------------------------------------------------------------------------------------------------------


async def make(
    session: AsyncSession,
    actor: Actor,
    terms: Terms,
    *,
    delegator_id: int,
    absence_id: int | None = None,
    within: str = "",
) -> ApprovalDelegation:
    """Let somebody decide for a person in a window. What begins in the past begins now.

    Raises `Forbidden`, `BadDelegation` or `InvalidCondition`; pointers begin with `within`.
    """
    if not may_change(actor, delegator_id):
        raise Forbidden("You may say who decides for you; for others an administrator may.")
    await session.execute(_lock)
    at = now()
    starts_at = max(terms.starts_at, at)
    await _check_people(session, delegator_id, terms.delegate_id, within)
    _check_window(starts_at, terms.ends_at, at, within)
    condition, kinds = await _condition(session, terms.condition, f"{within}/condition")
    live = await _live(session, at)
    if sum(row.delegator_id == delegator_id for row in live) >= MOST_LIVE:
        raise _bad(f"{within}/delegate_id", f"at most {MOST_LIVE} delegations of one person at a time")
    row = ApprovalDelegation(
        delegator_id=delegator_id,
        delegate_id=terms.delegate_id,
        starts_at=starts_at,
        ends_at=terms.ends_at,
        reason=terms.reason,
        condition=condition,
        field_kinds=kinds,
        amount_up_to=terms.amount_up_to,
        include_waiting=terms.include_waiting,
        absence_id=absence_id,
        created_by_id=actor.user_id,
        created_at=at,
        begun_at=at if starts_at <= at else None,
        cancelled_at=None,
        version=1,
    )
    session.add(row)
    await session.flush()
    await _put_in_force(session, [*live, row], row, at, within)
    has_begun = row.begun_at is not None
    waiting = await waiting_for(session, row, at) if has_begun else 0
    told = DelegationCreated(**_about(row, actor), has_begun=has_begun, waiting=waiting)
    await record(session, told, actor=actor, at=at)
    return row


async def change(
    session: AsyncSession, actor: Actor, delegation_id: int, terms: Terms, *, version: int
) -> ApprovalDelegation:
    """Change a delegation. Once it has begun, who decides and since when stay as they are.

    Raises `DelegationNotFound`, `Forbidden`, then what is wrong with the terms, then `DelegationOver` or `StaleVersion`.
    """
    await session.execute(_lock)
    at = now()
    row = await _theirs(session, actor, delegation_id)
    has_begun = row.starts_at <= at
    if has_begun and terms.delegate_id != row.delegate_id:
        raise _bad("/delegate_id", "cannot change once it has begun: end it, and make another")
    if has_begun and terms.starts_at != row.starts_at:
        raise _bad("/starts_at", "cannot change once it has begun")
    starts_at = row.starts_at if has_begun else max(terms.starts_at, at)
    if terms.delegate_id != row.delegate_id:
        await _check_people(session, row.delegator_id, terms.delegate_id, "")
    _check_window(starts_at, terms.ends_at, at, "")
    condition, kinds = await _condition(session, terms.condition, "/condition")
    if row.cancelled_at is not None or row.ends_at <= at:
        raise DelegationOver
    if row.version != version:
        raise StaleVersion(current_version=row.version)
    new = {
        "delegate_id": terms.delegate_id,
        "starts_at": starts_at,
        "ends_at": terms.ends_at,
        "reason": terms.reason,
        "condition": condition,
        "amount_up_to": terms.amount_up_to,
        "include_waiting": terms.include_waiting,
    }
    changed = tuple(name for name, value in new.items() if getattr(row, name) != value)
    if not changed:
        return row
    before = row.delegate_id
    for name in changed:
        setattr(row, name, new[name])
    row.field_kinds, row.version = kinds, row.version + 1
    if not has_begun and starts_at <= at:
        row.begun_at = at
    await session.flush()
    await _put_in_force(session, [r for r in await _live(session, at) if r.id != row.id] + [row], row, at, "")
    if before != row.delegate_id:  # to the one who was to decide, it is over before it began
        gone = DelegationCancelled(**(_about(row, actor) | {"delegate_id": before}), why="changed")
        await record(session, gone, actor=actor, at=at)
    await record(session, DelegationChanged(**_about(row, actor), changed=changed), actor=actor, at=at)
    return row


async def cancel(session: AsyncSession, actor: Actor, delegation_id: int) -> None:
    """End a delegation at once. Raises `DelegationNotFound` or `Forbidden`; what is over is ended already."""
    await session.execute(_lock)
    at = now()
    row = await _theirs(session, actor, delegation_id)
    if row.cancelled_at is None and row.ends_at > at:
        await _end(session, actor, [row], at, "ended")


async def end_of_leaver(session: AsyncSession, actor: Doer, user_id: int) -> int:
    """End all delegations of and to somebody who leaves. Answers how many there were."""
    await session.execute(_lock)
    at = now()
    rows = [r for r in await _live(session, at) if user_id in (r.delegator_id, r.delegate_id)]
    await _end(session, actor, rows, at, "left")
    return len(rows)


async def on_absence_removed(session: AsyncSession, event: AbsenceRemoved, actor: Doer) -> None:
    """Who is back decides again: what was made with an absence ends with it."""
    made_with = select(ApprovalDelegation.id).where(ApprovalDelegation.absence_id == event.absence_id)
    if await session.scalar(made_with.limit(1)) is not None:
        await session.execute(_lock)
        at = now()
        rows = [r for r in await _live(session, at) if r.absence_id == event.absence_id]
        await _end(session, actor, rows, at, "back")


async def _end(session: AsyncSession, actor: Doer, rows: Sequence[ApprovalDelegation], at: datetime, why: str) -> None:
    for row in rows:
        row.cancelled_at, row.version = at, row.version + 1
    await session.flush()
    await _work_out(session, await _live(session, at), at)
    for row in rows:
        await record(session, DelegationCancelled(**_about(row, actor), why=why), actor=actor, at=at)


def _about(row: ApprovalDelegation, actor: Doer) -> dict[str, Any]:
    return {
        "delegation_id": row.id,
        "delegator_id": row.delegator_id,
        "delegate_id": row.delegate_id,
        "starts_at": row.starts_at,
        "ends_at": row.ends_at,
        "for_id": None if actor.person_id in (row.delegator_id, None) else row.delegator_id,
    }


async def _theirs(session: AsyncSession, actor: Actor, delegation_id: int) -> ApprovalDelegation:
    row = await session.get(ApprovalDelegation, delegation_id, with_for_update=True, populate_existing=True)
    if row is None or not may_see(actor, row):
        raise DelegationNotFound
    if not may_change(actor, row.delegator_id):
        raise Forbidden("This is for the person themselves, or an administrator.")
    return row


# --- checks -----------------------------------------------------------------------------------------------------------


def _bad(pointer: str, why: str) -> BadDelegation:
    return BadDelegation(f"This delegation cannot be made: {why}.", errors=(FieldError(pointer, why),))


async def _check_people(session: AsyncSession, delegator_id: int, delegate_id: int, within: str) -> None:
    people = await people_facts(session, [delegator_id, delegate_id])
    if delegator_id not in people or not people[delegator_id].is_active:
        raise _bad(f"{within}/delegator_id", "there is no such active person")
    if delegate_id == delegator_id:
        raise _bad(f"{within}/delegate_id", "nobody stands in for themself")
    if delegate_id not in people or not people[delegate_id].is_active:
        raise _bad(f"{within}/delegate_id", "there is no such active person")
    if delegate_id not in await people_who_may(session, Permission.APPROVALS_DECIDE, [delegate_id]):
        raise _bad(f"{within}/delegate_id", "they may not decide")


def _check_window(starts_at: datetime, ends_at: datetime, at: datetime, within: str) -> None:
    if ends_at <= at:
        raise _bad(f"{within}/ends_at", "must not be past")
    if ends_at <= starts_at:
        raise _bad(f"{within}/ends_at", "must be after the beginning")
    if ends_at - starts_at > LONGEST:
        raise _bad(f"{within}/ends_at", "must be at most two years after the beginning")


async def _condition(
    session: AsyncSession, document: dict[str, Any] | None, pointer: str
) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """The document as it is kept (None when it leaves nothing out), and the form fields it speaks of."""
    if document is None:
        return None, {}
    known: dict[str, Field] = {}
    if "custom." in str(document):
        known = fields_of_forms(await session.scalars(select(TicketType.form)))
    condition = parse(document, known | definition.FIELDS, pointer=pointer)
    if len(msgspec.json.encode(document)) > MOST_BYTES:
        raise invalid_field(pointer, f"must be smaller than {MOST_BYTES} bytes")
    if not any(True for _ in leaves(condition)):
        return None, {}
    custom = {leaf.field for leaf in leaves(condition) if leaf.field.name not in definition.FIELDS}
    return document, {f.name: {"kind": f.kind.value, "label": f.label, "choices": list(f.choices)} for f in custom}


async def condition_of(session: AsyncSession, document: dict[str, Any] | None) -> Condition:
    """The condition somebody writes. Raises `InvalidCondition` naming the place."""
    kept, kinds = await _condition(session, document, "/condition")
    return parse(kept, _fields(kinds))


# --- the rights they give ---------------------------------------------------------------------------------------------


def _fields(kinds: dict[str, Any]) -> dict[str, Field]:
    custom = {n: Field(n, Kind(f["kind"]), f["label"], tuple(f["choices"])) for n, f in kinds.items()}
    return custom | definition.FIELDS


def fields_of(row: ApprovalDelegation) -> dict[str, Field]:
    """The fields a delegation's condition was written with."""
    return _fields(row.field_kinds)


def window_of(row: ApprovalDelegation) -> Window:
    """A delegation as the rules see it."""
    return Window(
        id=row.id,
        approver=row.delegator_id,
        deputy=row.delegate_id,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        asked_from=None if row.include_waiting else row.starts_at,
        scope=Scope(parse(row.condition, fields_of(row)), row.amount_up_to),
    )


async def windows_to(
    session: AsyncSession, approver_ids: Collection[int], deputy_id: int, at: datetime, *, lock: bool = False
) -> list[Window]:
    """The windows through which one may stand in for these others now: two statements.

    With `lock` nobody ends them until the transaction is over: what is decided at the very moment a delegation is ended
    is decided before it, or not at all.
    """
    rows = await session.scalars(
        select(ApprovalDeputy.delegation_ids).where(
            ApprovalDeputy.approver_id.in_(sorted(approver_ids)),
            ApprovalDeputy.deputy_id == deputy_id,
            ApprovalDeputy.starts_at <= at,
            ApprovalDeputy.ends_at > at,
        )
    )
    ids = {i for links in rows for i in links}
    if not ids:
        return []
    live = select(ApprovalDelegation).where(ApprovalDelegation.id.in_(ids), ApprovalDelegation.cancelled_at.is_(None))
    if lock:
        live = live.order_by(ApprovalDelegation.id).with_for_update(read=True)
    return [window_of(row) for row in await session.scalars(live.execution_options(populate_existing=True))]


async def _live(session: AsyncSession, at: datetime) -> list[ApprovalDelegation]:
    live = select(ApprovalDelegation).where(ApprovalDelegation.cancelled_at.is_(None), ApprovalDelegation.ends_at > at)
    return list(await session.scalars(live.order_by(ApprovalDelegation.id)))


async def _put_in_force(
    session: AsyncSession, rows: Sequence[ApprovalDelegation], new: ApprovalDelegation, at: datetime, within: str
) -> None:
    others = [window_of(r) for r in rows if r.id != new.id]
    if deputies.makes_loop(others, window_of(new)):
        raise _bad(f"{within}/delegate_id", "they are away as well, and you stand in for them in the end")
    if not await _work_out(session, rows, at):
        raise _bad(f"{within}/delegate_id", "too many people stand in for each other")


async def _work_out(session: AsyncSession, rows: Iterable[ApprovalDelegation], at: datetime) -> bool:
    """Write the rights all delegations give; False when there are too many."""
    found = list(islice(deputies.rights([window_of(r) for r in rows]), MOST_RIGHTS + 1))
    if len(found) > MOST_RIGHTS:
        return False
    await session.execute(delete(ApprovalDeputy))
    values = [
        {
            "approver_id": right.approver,
            "deputy_id": right.deputy,
            "starts_at": right.starts_at,
            "ends_at": right.ends_at,
            "asked_from": right.asked_from,
            "scope": paths_together([path_of(w.scope) for w in right.links]),
            "delegation_ids": [w.id for w in right.links],
            "through_ids": list(right.through),
        }
        for right in found
        if right.ends_at > at
    ]
    if values:
        await session.execute(insert(ApprovalDeputy), values)
    return True


async def waiting_for(session: AsyncSession, row: ApprovalDelegation, at: datetime) -> int:
    """How much of the approver's waits for the deputy now."""
    waiting = standing.steps_as_deputy(row.delegate_id, at).where(standing.Step.approver_id == row.delegator_id)
    return await session.scalar(select(func.count()).select_from(waiting.distinct().subquery())) or 0


async def begin_due(database: Database) -> int:
    """Tell people whose windows have opened. Several workers share them; who was told is not told again."""
    async with database.transaction() as session:
        at = now()
        due = (
            select(ApprovalDelegation)
            .where(
                ApprovalDelegation.cancelled_at.is_(None),
                ApprovalDelegation.ends_at > at,
                ApprovalDelegation.starts_at <= at,
                ApprovalDelegation.begun_at.is_(None),
            )
            .order_by(ApprovalDelegation.id)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )
        rows = list(await session.scalars(due))
        for row in rows:
            row.begun_at = at
            waiting = await waiting_for(session, row, at)
            await record(session, DelegationBegun(**_about(row, SYSTEM), waiting=waiting), actor=SYSTEM, at=at)
        await session.flush()
        return len(rows)
