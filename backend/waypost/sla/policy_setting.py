"""Service level policies: adding, changing, ordering and removing them. Every change is a version that what runs keeps to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.catalog.models import TicketType
from waypost.directory.models import Team, User
from waypost.kernel.clock import now
from waypost.kernel.conditions.fields import Catalogue, form_fields
from waypost.kernel.errors import FieldError, Invalid, StaleVersion
from waypost.kernel.events import Doer, record
from waypost.kernel.settings_form import changed_only
from waypost.sla import policy_documents
from waypost.sla.errors import NameTaken, PolicyNotFound, TooMany
from waypost.sla.events import PoliciesOrdered, PolicyAdded, PolicyChanged, PolicyRemoved
from waypost.sla.models import SlaCalendar, SlaPolicy, SlaPolicyVersion
from waypost.sla.policies import FIELDS, Policy

MOST_POLICIES = 100
_LOCK = 1464421712  # policies are set up one after the other: they have one order


@dataclass(frozen=True, slots=True)
class Setup:
    """A policy as somebody wants it."""

    name: str
    document: dict[str, Any]
    is_active: bool = True
    note: str = ""


async def known_fields(session: AsyncSession) -> Catalogue:
    """What a condition may speak of now: what every request has, and what the forms ask for."""
    known: dict[str, Any] = {}
    for form in await session.scalars(select(TicketType.form)):
        known |= form_fields(form)
    return {**known, **FIELDS}


async def check(session: AsyncSession, setup: Setup, *, policy_id: int = 0, version: int = 0) -> Policy:
    """The policy that is wanted. Raises `BadPolicy`, `InvalidCondition`, and `Invalid` for what it names and is not there."""
    policy = policy_documents.read(policy_id, version, setup.name, setup.document, await known_fields(session))
    if wrong := await missing(session, policy):
        raise Invalid(errors=wrong)
    return policy


async def missing(session: AsyncSession, policy: Policy) -> tuple[FieldError, ...]:
    """What a policy names and is not there: its calendar, a team, a person who is not active (any more)."""
    wrong = []
    if policy.calendar_id is not None and await session.get(SlaCalendar, policy.calendar_id) is None:
        wrong.append(FieldError("/calendar_id", "is no calendar's"))
    named = {a.team_id for a in policy.actions if a.team_id} | set(policy.own_time)
    teams = set(await session.scalars(select(Team.id).where(Team.id.in_(named)))) if named else set()
    persons = {a.user_id for a in policy.actions if a.user_id}
    people: set[int] = set()
    if persons:
        people = set(await session.scalars(select(User.id).where(User.id.in_(persons), User.is_active)))
    for n, team_id in enumerate(policy.own_time):
        if team_id not in teams:
            wrong.append(FieldError(f"/own_time/{n}/team_id", "is no team's"))
    for n, action in enumerate(policy.actions):
        if action.team_id is not None and action.team_id not in teams:
            wrong.append(FieldError(f"/actions/{n}/team_id", "is no team's"))
        if action.user_id is not None and action.user_id not in people:
            wrong.append(FieldError(f"/actions/{n}/user_id", "is nobody's who is active"))
    return tuple(wrong)


async def add_policy(session: AsyncSession, actor: Doer, setup: Setup, position: int | None = None) -> SlaPolicy:
    """Add a policy, before all others unless a place is given (1 is the first). Raises as `check`, `NameTaken`, `TooMany`."""
    policy = await check(session, setup)
    every = await _locked(session)
    if len(every) >= MOST_POLICIES:
        raise TooMany(f"There are {MOST_POLICIES} policies already.")
    if _is_taken(setup.name, every):
        raise NameTaken
    row = SlaPolicy(name=setup.name, position=0, is_active=setup.is_active, version=1)
    at = min((position or 1) - 1, len(every))
    for n, each in enumerate([*every[:at], row, *every[at:]], 1):
        each.position = n
    session.add(row)
    await session.flush()
    document = await _keep(session, row, policy, setup, actor)
    after = {"is_active": row.is_active, **document}
    await record(session, PolicyAdded(policy_id=row.id, name=row.name, after=after), actor=actor)
    return row


async def change_policy(session: AsyncSession, actor: Doer, policy_id: int, version: int, setup: Setup) -> SlaPolicy:
    """Change a policy: its next version, for what begins from now on.

    Raises `PolicyNotFound`, `StaleVersion`, `NameTaken`, and as `check`.
    """
    every = await _locked(session)
    row = next((p for p in every if p.id == policy_id), None)
    if row is None:
        raise PolicyNotFound
    if row.version != version:
        raise StaleVersion(current_version=row.version)
    policy = await check(session, setup)
    if _is_taken(setup.name, [p for p in every if p is not row]):
        raise NameTaken
    kept = await session.get_one(SlaPolicyVersion, (row.id, row.version))
    before = {"name": row.name, "is_active": row.is_active, **kept.document}
    after = {"name": setup.name, "is_active": setup.is_active, **policy_documents.whole(setup.document)}
    if before == after:
        return row
    row.name, row.is_active, row.version, row.updated_at = setup.name, setup.is_active, row.version + 1, now()
    await session.flush()
    await _keep(session, row, policy, setup, actor)
    old, new = changed_only(before, after)
    changed = PolicyChanged(policy_id=row.id, name=row.name, before=old, after=new, policy_version=row.version)
    await record(session, changed, actor=actor)
    return row


async def order_policies(session: AsyncSession, actor: Doer, order: list[int], instead_of: list[int]) -> None:
    """Ask policies in another order than the one that was read. Raises `StaleVersion`, or `Invalid` for another set."""
    every = {p.id: p for p in await _locked(session)}
    if list(every) != instead_of:
        raise StaleVersion
    if sorted(order) != sorted(every):
        raise Invalid(errors=(FieldError("/order", "must name every policy once"),))
    if order == instead_of:
        return
    for n, policy_id in enumerate(order, 1):
        every[policy_id].position = n
    await session.flush()
    await record(session, PoliciesOrdered(before=instead_of, after=order), actor=actor)


async def remove_policy(session: AsyncSession, actor: Doer, policy_id: int) -> None:
    """Take a policy out of the list. Its versions stay: what began by them goes on. Raises `PolicyNotFound`."""
    every = await _locked(session)
    row = next((p for p in every if p.id == policy_id), None)
    if row is None:
        raise PolicyNotFound
    kept = await session.get_one(SlaPolicyVersion, (row.id, row.version))
    before = {"is_active": row.is_active, **kept.document}
    row.is_active, row.removed_at = False, now()
    await session.flush()
    await record(session, PolicyRemoved(policy_id=policy_id, name=row.name, before=before), actor=actor)


async def _locked(session: AsyncSession) -> list[SlaPolicy]:
    """All policies in their order, until the transaction ends."""
    await session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    there = select(SlaPolicy).where(SlaPolicy.removed_at.is_(None))
    statement = there.order_by(SlaPolicy.position, SlaPolicy.id).with_for_update()
    return list((await session.scalars(statement.execution_options(populate_existing=True))).all())


def _is_taken(name: str, others: list[SlaPolicy]) -> bool:
    return any(p.name.casefold() == name.casefold() for p in others)


async def _keep(session: AsyncSession, row: SlaPolicy, policy: Policy, setup: Setup, actor: Doer) -> dict[str, Any]:
    document = policy_documents.whole(setup.document)
    session.add(
        SlaPolicyVersion(
            policy_id=row.id,
            version=row.version,
            name=row.name,
            document=document,
            field_kinds=policy_documents.spoken_fields(policy),
            note=setup.note,
            changed_by_id=actor.person_id,
            changed_at=now(),
        )
    )
    await session.flush()
    return document
