"""Policies as screens show them: the list in its order, one of them, its versions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.directory.names import names
from waypost.kernel.clock import rfc3339
from waypost.kernel.paging import decode_cursor, encode_cursor
from waypost.sla.errors import PolicyNotFound, VersionNotFound
from waypost.sla.models import SlaPolicy, SlaPolicyVersion
from waypost.sla.policy_setting import missing
from waypost.sla.queries import calendars, parsed


async def policy_list(session: AsyncSession, actor: Actor) -> dict[str, Any]:
    """Every policy in the order they are asked, the inactive ones too."""
    rows = (await session.execute(_rows().order_by(SlaPolicy.position, SlaPolicy.id))).all()
    return {
        "items": await _told(session, actor, [(row, kept) for row, kept in rows]),
        "next_cursor": None,
        "allowed_actions": ["create", "order"] if actor.may(Permission.SLA_CONFIGURE) else [],
    }


async def one_policy(session: AsyncSession, actor: Actor, policy_id: int) -> dict[str, Any]:
    """One policy as it is now. Raises `PolicyNotFound`."""
    found = (await session.execute(_rows().where(SlaPolicy.id == policy_id))).first()
    if found is None:
        raise PolicyNotFound
    return (await _told(session, actor, [(found[0], found[1])]))[0]


def _rows() -> Any:
    kept = SlaPolicyVersion
    is_its = (kept.policy_id == SlaPolicy.id) & (kept.version == SlaPolicy.version)
    return select(SlaPolicy, kept).join(kept, is_its).where(SlaPolicy.removed_at.is_(None))


async def _told(
    session: AsyncSession, actor: Actor, rows: list[tuple[SlaPolicy, SlaPolicyVersion]]
) -> list[dict[str, Any]]:
    known = await calendars(session)
    read = {row.id: parsed(kept) for row, kept in rows}
    documents = {row.id: kept.document for row, kept in rows}
    people, teams, _ = await names.all(
        session,
        people=[a.user_id for policy in read.values() for a in policy.actions],
        teams=[i for policy in read.values() for i in (*policy.own_time, *(a.team_id for a in policy.actions))],
    )
    return [
        {
            "id": row.id,
            "name": row.name,
            "position": row.position,
            "is_active": row.is_active,
            "version": row.version,
            "updated_at": rfc3339(row.updated_at),
            "calendar": {"id": known.of(policy.calendar_id).id, "name": known.of(policy.calendar_id).name},
            **documents[row.id],
            "people": [people[i] for i in sorted({a.user_id for a in policy.actions if a.user_id}) if i in people],
            "teams": [
                teams[i]
                for i in sorted({*policy.own_time, *(a.team_id for a in policy.actions if a.team_id)})
                if i in teams
            ],
            "broken": [{"pointer": e.pointer, "message": e.message} for e in await missing(session, policy)],
            "allowed_actions": ["update", "delete"] if actor.may(Permission.SLA_CONFIGURE) else [],
        }
        for row, policy in ((row, read[row.id]) for row, _ in rows)
    ]


async def find_policy(session: AsyncSession, policy_id: int, *, lock: bool = False) -> SlaPolicy:
    """A policy that was not removed. Raises `PolicyNotFound`."""
    row = await session.get(SlaPolicy, policy_id, with_for_update=lock or None)
    if row is None or row.removed_at is not None:
        raise PolicyNotFound
    return row


async def version_page(session: AsyncSession, policy_id: int, *, cursor: str | None, limit: int) -> dict[str, Any]:
    """Who changed a policy, when, why, and what; newest first. Raises `PolicyNotFound`."""
    await find_policy(session, policy_id)
    kept = SlaPolicyVersion
    statement = select(kept).where(kept.policy_id == policy_id).order_by(kept.version.desc()).limit(limit + 1)
    if cursor:
        (last,) = decode_cursor(cursor, "sla-policy-versions", int)
        statement = statement.where(kept.version < last)
    rows = list((await session.scalars(statement)).all())
    page = rows[:limit]
    people = await names.people(session, [v.changed_by_id for v in page])
    items = []
    for n, version in enumerate(page):
        before = rows[n + 1] if n + 1 < len(rows) else None
        items.append(
            {
                "version": version.version,
                "changed_at": rfc3339(version.changed_at),
                "changed_by": people.get(version.changed_by_id),
                "note": version.note,
                "name": version.name,
                "changes": [] if before is None else _changes(before, version),
            }
        )
    following = encode_cursor("sla-policy-versions", page[-1].version) if len(rows) > limit else None
    return {"items": items, "next_cursor": following}


async def one_version(session: AsyncSession, policy_id: int, version: int) -> dict[str, Any]:
    """What a policy said in one version, and what of it is different now. Raises `PolicyNotFound`, `VersionNotFound`."""
    row = await find_policy(session, policy_id)
    kept = await session.get(SlaPolicyVersion, (policy_id, version))
    if kept is None:
        raise VersionNotFound
    latest = await session.get_one(SlaPolicyVersion, (policy_id, row.version))
    return {
        "version": kept.version,
        "changed_at": rfc3339(kept.changed_at),
        "note": kept.note,
        "name": kept.name,
        **kept.document,
        "differs": _changes(kept, latest),
    }


def _changes(before: SlaPolicyVersion, after: SlaPolicyVersion) -> list[str]:
    parts = [part for part in after.document if after.document[part] != before.document.get(part)]
    return sorted([*parts, "name"] if before.name != after.name else parts)
