"""Reading standing delegations: one's own and those one has, who stands in for whom now, and what one would cover."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import JSONPATH
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.approvals import delegating, standing
from waypost.approvals.deputy_errors import DelegationNotFound
from waypost.approvals.deputy_models import ApprovalDelegation, ApprovalDeputy
from waypost.approvals.models import ApprovalStep, ApprovalWorkflow
from waypost.approvals.scopes import Scope, path_of
from waypost.approvals.states import ASKED
from waypost.directory.names import Refs, names
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.conditions.tree import describe, parse
from waypost.kernel.paging import decode_cursor, encode_cursor

MOST_SHOWN = 100
_ASKED = [s.value for s in sorted(ASKED)]


def _json(row: ApprovalDelegation, actor: Actor, people: Refs, at: datetime) -> dict[str, Any]:
    is_over = row.cancelled_at is not None or row.ends_at <= at
    may = delegating.may_change(actor, row.delegator_id) and not is_over
    has_begun = row.starts_at <= at
    status = "CANCELLED" if row.cancelled_at else "OVER" if is_over else "OPEN" if has_begun else "PLANNED"
    return {
        "id": row.id,
        "delegator": people.get(row.delegator_id),
        "delegate": people.get(row.delegate_id),
        "starts_at": rfc3339(row.starts_at),
        "ends_at": rfc3339(row.ends_at),
        "ended_at": row.cancelled_at and rfc3339(row.cancelled_at),
        "status": status,
        # why somebody is away is for them and those who may set it
        "reason": row.reason if delegating.may_change(actor, row.delegator_id) else None,
        "condition": row.condition,
        "condition_text": describe(delegating.window_of(row).scope.condition) if row.condition else None,
        "amount_up_to": None if row.amount_up_to is None else str(row.amount_up_to),
        "include_waiting": row.include_waiting,
        "is_with_absence": row.absence_id is not None,
        "made_by": people.get(row.created_by_id) if row.created_by_id != row.delegator_id else None,
        "version": row.version,
        "allowed_actions": ["edit", "delete"] if may else [],
    }


async def as_json(session: AsyncSession, actor: Actor, rows: Sequence[ApprovalDelegation]) -> list[dict[str, Any]]:
    """Delegations as they are read."""
    ids = [i for r in rows for i in (r.delegator_id, r.delegate_id, r.created_by_id)]
    people = await names.people(session, ids)
    at = now()
    return [_json(row, actor, people, at) for row in rows]


async def delegation_page(
    session: AsyncSession, actor: Actor, *, past: bool, everybody: bool, cursor: str | None, limit: int
) -> dict[str, Any]:
    """One's own delegations and those one has from others, the newest first: `{items, next_cursor}`.

    `past`: those that are over as well. `everybody`: all of them, for those who make them for others.
    """
    statement = select(ApprovalDelegation).order_by(ApprovalDelegation.id.desc()).limit(limit + 1)
    if not (everybody and actor.may(Permission.APPROVALS_DELEGATE_FOR)):
        me = actor.user_id
        statement = statement.where(or_(ApprovalDelegation.delegator_id == me, ApprovalDelegation.delegate_id == me))
    if not past:
        statement = statement.where(ApprovalDelegation.cancelled_at.is_(None), ApprovalDelegation.ends_at > now())
    if cursor:
        (last,) = decode_cursor(cursor, "delegations", int)
        statement = statement.where(ApprovalDelegation.id < last)
    rows = list(await session.scalars(statement))
    following = encode_cursor("delegations", rows[limit - 1].id) if len(rows) > limit else None
    return {"items": await as_json(session, actor, rows[:limit]), "next_cursor": following}


async def one_delegation(session: AsyncSession, actor: Actor, delegation_id: int) -> ApprovalDelegation:
    """One delegation. Raises `DelegationNotFound`."""
    row = await session.get(ApprovalDelegation, delegation_id)
    if row is None or not delegating.may_see(actor, row):
        raise DelegationNotFound
    return row


async def standing_now(session: AsyncSession, actor: Actor) -> dict[str, Any]:
    """For whom one stands in now, and who does for oneself: `{for_others, for_me}`. One statement when names are known."""
    at, me = now(), actor.user_id
    rows = list(
        await session.scalars(
            select(ApprovalDeputy)
            .where(
                or_(ApprovalDeputy.approver_id == me, ApprovalDeputy.deputy_id == me),
                ApprovalDeputy.starts_at <= at,
                ApprovalDeputy.ends_at > at,
            )
            .order_by(func.cardinality(ApprovalDeputy.delegation_ids), ApprovalDeputy.ends_at, ApprovalDeputy.id)
            .limit(MOST_SHOWN)
        )
    )
    people = await names.people(session, [i for r in rows for i in (r.approver_id, r.deputy_id)])

    def said(row: ApprovalDeputy, person_id: int) -> dict[str, Any]:
        return {
            "person": people.get(person_id),
            "until": rfc3339(row.ends_at),
            "is_limited": row.scope is not None or row.asked_from is not None,
            "is_through_others": len(row.delegation_ids) > 1,
            "delegation_id": row.delegation_ids[0],
        }

    return {
        "for_others": [said(r, r.approver_id) for r in rows if r.deputy_id == me],
        "for_me": [said(r, r.deputy_id) for r in rows if r.approver_id == me],
    }


async def preview(
    session: AsyncSession, actor: Actor, *, delegator_id: int, condition: dict[str, Any] | None, up_to: Decimal | None
) -> dict[str, Any]:
    """What waits for somebody now, and whether such a delegation would cover it. What it is, only they are told.

    Raises `InvalidCondition`.
    """
    path = path_of(Scope(await delegating.condition_of(session, condition), up_to))
    fits: Any = literal(True)
    if path is not None:
        asked = func.jsonb_path_match(
            ApprovalWorkflow.facts, cast(literal(path), JSONPATH), standing.NO_VARIABLES, standing.SILENT
        )
        fits = func.coalesce(asked, False)
    rows = (
        await session.execute(
            select(ApprovalStep.id, ApprovalWorkflow.subject, fits.label("is_covered"))
            .join(ApprovalWorkflow, ApprovalWorkflow.id == ApprovalStep.workflow_id)
            .where(ApprovalStep.approver_id == delegator_id, ApprovalStep.status.in_(_ASKED))
            .order_by(ApprovalStep.urgency.desc(), ApprovalStep.due_at, ApprovalStep.id)
            .limit(MOST_SHOWN + 1)
        )
    ).all()
    shown = rows[:MOST_SHOWN]
    return {
        "waiting": len(shown),
        "covered": sum(r.is_covered for r in shown),
        "has_more": len(rows) > MOST_SHOWN,
        "items": [
            {
                "step_id": r.id,
                "ticket_id": r.subject["id"],
                "ticket_number": r.subject["ticket_number"],
                "title": r.subject["title"],
                "amount": r.subject["amount"],
                "currency": r.subject["currency"],
                "is_covered": r.is_covered,
            }
            for r in shown
            if delegator_id == actor.user_id
        ],
    }


def words_of(row: ApprovalDelegation) -> str:
    """What a delegation covers, in words, for a mail; empty when it covers everything."""
    words = []
    if row.condition:
        words.append(describe(parse(row.condition, delegating.fields_of(row))))
    if row.amount_up_to is not None:
        words.append(f"up to {row.amount_up_to:,}")
    if not row.include_waiting:
        words.append("only what is asked from its beginning on")
    return "; ".join(words)
