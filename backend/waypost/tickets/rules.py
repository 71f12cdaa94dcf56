"""The routing rules: reading those in force, publishing new ones, their versions and what changed between them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.directory.models import Team, TeamMember, User
from waypost.kernel.clock import now
from waypost.kernel.conditions import tree
from waypost.kernel.conditions.fields import CUSTOM, Catalogue, Field, Kind
from waypost.kernel.errors import FieldError, Invalid, StaleVersion, invalid_field
from waypost.kernel.events import record
from waypost.kernel.paging import decode_cursor, encode_cursor
from waypost.tickets import routing
from waypost.tickets.errors import NoSuchRules
from waypost.tickets.events import RoutingRulesPublished
from waypost.tickets.fields import AT_SUBMISSION, FIELDS, known_fields
from waypost.tickets.routing import Company, Rule, Way
from waypost.tickets.routing_models import RoutingRuleSet

Document = dict[str, Any]
OWN: Catalogue = {name: field for name, field in FIELDS.items() if name in AT_SUBMISSION}
_LOCK = 1464421710  # publishing happens one after the other
MOST_COMPARISONS = 2_000  # of all conditions together: so many are compared for each request that is sent
MOST_KEPT = 20  # old versions are of no use to anybody


@dataclass(frozen=True, slots=True)
class InForce:
    """The rules of now, read and as written. Version 0 is the empty set every installation begins with."""

    version: int
    rules: tuple[Rule, ...]


NONE = InForce(0, ())
_read: dict[tuple[int, datetime], InForce] = {}


async def in_force(session: AsyncSession) -> InForce:
    """The rules of now: one look at their version, and a second one when this process has not read it yet."""
    newest_first = select(RoutingRuleSet.version, RoutingRuleSet.published_at).order_by(RoutingRuleSet.version.desc())
    row = (await session.execute(newest_first.limit(1))).first()
    if row is None:
        return NONE
    key = (row.version, row.published_at)
    if key not in _read:
        kept = await session.get_one(RoutingRuleSet, row.version)
        if len(_read) > MOST_KEPT:
            _read.clear()
        _read[key] = InForce(row.version, rules_of(kept))
    return _read[key]


def _catalogue(kept: RoutingRuleSet) -> dict[str, Field]:
    custom = {
        name: Field(name, Kind(f["kind"]), f["label"], tuple(f["choices"])) for name, f in kept.field_kinds.items()
    }
    return custom | dict(OWN)


def read(documents: Sequence[Mapping[str, Any]], fields: Catalogue) -> tuple[Rule, ...]:
    """The rules some documents stand for. Raises `InvalidCondition` naming the place."""
    return tuple(
        Rule(
            key=d["key"],
            name=d["name"],
            condition=tree.parse(d["condition"], fields, pointer=f"/rules/{n}/condition", may_judge_sensitive=True),
            team_id=d["team_id"],
            priority=d["priority"],
            way=Way(d["assign"]) if d["assign"] else None,
            assignee_id=d["assignee_id"],
            stops=d["stops"],
            is_active=d["is_active"],
        )
        for n, d in enumerate(documents)
    )


async def company(session: AsyncSession, rules: Iterable[Rule], *team_ids: int | None) -> Company:
    """What these rules name, as it is now. Two statements at most, whatever their number."""
    rules = list(rules)
    teams = {r.team_id for r in rules} | set(team_ids)
    people = {r.assignee_id for r in rules if r.way is Way.PERSON}
    members: dict[int, frozenset[int]] = {}
    found = await session.execute(
        select(Team.id, func.array_agg(User.id).filter(User.is_active))
        .outerjoin(TeamMember, TeamMember.team_id == Team.id)
        .outerjoin(User, User.id == TeamMember.user_id)
        .where(Team.id.in_({i for i in teams if i is not None}))
        .group_by(Team.id)
    )
    for team_id, ids in found:
        members[team_id] = frozenset(ids or ())
    active: frozenset[int] = frozenset()
    if people - {None}:
        rows = await session.scalars(
            select(User.id).where(User.id.in_({i for i in people if i is not None}), User.is_active)
        )
        active = frozenset(rows)
    return Company(members, active)


# --- publishing -------------------------------------------------------------------------------------------------------


async def check(session: AsyncSession, documents: list[Document]) -> tuple[tuple[Rule, ...], dict[str, Any]]:
    """The rules of a draft, and the custom fields they speak of. Raises what is wrong, each at its place."""
    errors: list[FieldError] = []
    keys: set[str] = set()
    for n, d in enumerate(documents):
        d["key"] = d["key"] or secrets.token_hex(8)
        if d["key"] in keys:
            errors.append(FieldError(f"/rules/{n}/key", "is another rule's"))
        keys.add(d["key"])
        if d["team_id"] is None and d["priority"] is None and d["assign"] is None:
            errors.append(FieldError(f"/rules/{n}", "must set a team, a priority, or who it goes to"))
        if (d["assign"] == Way.PERSON) != (d["assignee_id"] is not None):
            errors.append(FieldError(f"/rules/{n}/assignee_id", "is needed exactly when a person is named"))
    if errors:
        raise Invalid(errors=tuple(errors))
    fields = await known_fields(session)
    usable = {n: f for n, f in fields.items() if n in OWN or n.startswith(CUSTOM)}
    rules = read(documents, usable)
    count = sum(1 for rule in rules for _ in tree.leaves(rule.condition))
    if count > MOST_COMPARISONS:
        raise invalid_field("/rules", f"make {count:,} comparisons together; {MOST_COMPARISONS:,} are the most")
    there = await company(session, rules)
    for n, rule in enumerate(rules):
        if rule.is_active and (wrong := routing.fault(rule, there)):
            place = "team_id" if rule.team_id is not None and rule.team_id not in there.members else "assignee_id"
            errors.append(FieldError(f"/rules/{n}/{place}", wrong))
    if errors:
        raise Invalid(errors=tuple(errors))
    spoken = {leaf.field for rule in rules for leaf in tree.leaves(rule.condition) if leaf.field.name not in OWN}
    return rules, {f.name: {"kind": f.kind.value, "label": f.label, "choices": list(f.choices)} for f in spoken}


async def publish(
    session: AsyncSession, actor: Actor, *, version: int, documents: list[Document], note: str
) -> RoutingRuleSet:
    """Put these rules in force instead of the version one read. Raises `StaleVersion`, or names what is wrong."""
    current = await _current(session, version)
    _, kinds = await check(session, documents)
    return await _put(session, actor, current, documents, kinds, note=note)


async def restore(session: AsyncSession, actor: Actor, version: int, *, instead_of: int) -> RoutingRuleSet:
    """Put the rules of an earlier version in force again, as a new version. Raises `NoSuchRules` or `StaleVersion`.

    What they name and is not there any more is shown as broken and left out, as it would be had they stayed in force.
    """
    current = await _current(session, instead_of)
    if version == 0:
        return await _put(session, actor, current, [], {}, note="", restored_from=0)
    earlier = await session.get(RoutingRuleSet, version)
    if earlier is None:
        raise NoSuchRules
    return await _put(session, actor, current, earlier.rules, earlier.field_kinds, note="", restored_from=version)


async def _current(session: AsyncSession, expected: int) -> RoutingRuleSet | None:
    await session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    newest = await session.scalar(select(RoutingRuleSet).order_by(RoutingRuleSet.version.desc()).limit(1))
    version = newest.version if newest else 0
    if version != expected:
        raise StaleVersion(current_version=version)
    return newest


async def _put(
    session: AsyncSession,
    actor: Actor,
    current: RoutingRuleSet | None,
    documents: list[Document],
    kinds: dict[str, Any],
    *,
    note: str,
    restored_from: int | None = None,
) -> RoutingRuleSet:
    at = now()
    made = RoutingRuleSet(
        version=(current.version if current else 0) + 1,
        rules=documents,
        field_kinds=kinds,
        note=note,
        restored_from=restored_from,
        published_by_id=actor.user_id,
        published_at=at,
    )
    session.add(made)
    await session.flush()
    changes = routing.differences(current.rules if current else [], documents)
    await record(
        session,
        RoutingRulesPublished(
            rules_version=made.version,
            changes=[{"kind": c.kind, "rule": c.name, "fields": [f for f, _, _ in c.fields]} for c in changes],
            restored_from=restored_from,
        ),
        actor=actor,
        at=at,
    )
    return made


# --- versions ---------------------------------------------------------------------------------------------------------


async def newest(session: AsyncSession) -> RoutingRuleSet | None:
    """The rules in force as they were written; None when none was ever published."""
    found: RoutingRuleSet | None = await session.scalar(
        select(RoutingRuleSet).order_by(RoutingRuleSet.version.desc()).limit(1)
    )
    return found


async def one_version(session: AsyncSession, version: int) -> RoutingRuleSet:
    """The rules as they were. Raises `NoSuchRules`."""
    found = await session.get(RoutingRuleSet, version)
    if found is None:
        raise NoSuchRules
    return found


async def version_page(
    session: AsyncSession, *, cursor: str | None, limit: int
) -> tuple[list[tuple[RoutingRuleSet, list[routing.Change]]], str | None]:
    """Every version, newest first, with what it changed."""
    statement = select(RoutingRuleSet).order_by(RoutingRuleSet.version.desc()).limit(limit + 1)
    if cursor:
        (last,) = decode_cursor(cursor, "routing", int)
        statement = statement.where(RoutingRuleSet.version < last)
    rows = list((await session.scalars(statement)).all())
    earlier: list[RoutingRuleSet | None] = [*rows[1:], None]
    told = [(r, routing.differences(e.rules if e else [], r.rules)) for r, e in zip(rows, earlier, strict=True)]
    return told[:limit], encode_cursor("routing", rows[limit - 1].version) if len(rows) > limit else None


def faults(kept: RoutingRuleSet | None, there: Company) -> dict[str, str]:
    """What is wrong with the rules of a version today, by key."""
    if kept is None:
        return {}
    return {r.key: wrong for r in rules_of(kept) if (wrong := routing.fault(r, there)) is not None}


def rules_of(kept: RoutingRuleSet | None) -> tuple[Rule, ...]:
    """The rules of a kept version."""
    return read(kept.rules, _catalogue(kept)) if kept else ()
