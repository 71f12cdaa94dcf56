"""Reading providers: the list an administrator sees, one of them, and the ways to sign in that everybody sees."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.models import Role
from waypost.access.providers.errors import ProviderNotFound
from waypost.access.providers.models import Identity, IdentityProvider, ProviderGroup
from waypost.access.providers.registry import KINDS, addressed, config_of, provider_of, signs_in_by_redirect, unseal
from waypost.kernel.clock import rfc3339
from waypost.kernel.crypto import Damaged
from waypost.kernel.logs import get_logger
from waypost.kernel.settings_form import field_json, lacking

log = get_logger(__name__)
_KEY = re.compile(r"[a-z][a-z0-9-]{1,39}")


async def provider_list(session: AsyncSession) -> dict[str, Any]:
    """Every provider, as it is set up, and how it goes; and how many people each knows."""
    rows = list(await session.scalars(select(IdentityProvider).order_by(func.lower(IdentityProvider.name))))
    counts = await _people(session, [row.id for row in rows])
    return {"items": [_json(row, counts.get(row.id, 0)) for row in rows], "next_cursor": None}


async def one_provider(session: AsyncSession, provider_id: int) -> dict[str, Any]:
    """One provider. Raises `ProviderNotFound`."""
    row = await find_provider(session, provider_id)
    return _json(row, (await _people(session, [row.id])).get(row.id, 0))


async def find_provider(session: AsyncSession, provider_id: int) -> IdentityProvider:
    """The row, as it is now. Raises `ProviderNotFound`."""
    row = await session.get(IdentityProvider, provider_id, populate_existing=True)
    if row is None:
        raise ProviderNotFound
    return row


async def provider_by_key(session: AsyncSession, key: str) -> IdentityProvider:
    """The row. Raises `ProviderNotFound`."""
    is_key = _KEY.fullmatch(key) is not None
    row = await session.scalar(select(IdentityProvider).where(IdentityProvider.key == key)) if is_key else None
    if row is None:
        raise ProviderNotFound
    return row


async def ways_to_sign_in(session: AsyncSession) -> list[dict[str, str]]:
    """The providers at whose page people can sign in now."""
    rows = await session.scalars(
        select(IdentityProvider).where(IdentityProvider.is_on).order_by(func.lower(IdentityProvider.name))
    )
    return [{"key": r.key, "name": r.name, "kind": r.kind} for r in rows if signs_in_by_redirect(r.kind)]


def kinds() -> list[dict[str, Any]]:
    """The kinds of provider that can be added, with the settings each wants."""
    return [
        {"key": k.key, "label": k.label, "fields": [field_json(f, {}, {}) for f in k.fields]} for k in KINDS.values()
    ]


async def groups_of(session: AsyncSession, provider_id: int) -> list[dict[str, Any]]:
    """Which roles a provider's groups give."""
    rows = await session.execute(
        select(ProviderGroup.group_name, Role.key, Role.name)
        .join(Role, Role.id == ProviderGroup.role_id)
        .where(ProviderGroup.provider_id == provider_id)
        .order_by(ProviderGroup.group_name, Role.key)
    )
    found: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        found.setdefault(row.group_name, []).append({"key": row.key, "name": row.name})
    return [{"group": group, "roles": roles} for group, roles in found.items()]


async def _people(session: AsyncSession, provider_ids: list[int]) -> dict[int, int]:
    rows = await session.execute(
        select(Identity.provider_id, func.count().label("people"))
        .where(Identity.provider_id.in_(provider_ids))
        .group_by(Identity.provider_id)
    )
    return {row.provider_id: row.people for row in rows}


def _json(row: IdentityProvider, people: int) -> dict[str, Any]:
    kind = KINDS.get(row.kind)
    try:
        secrets = unseal(row)
        told = addressed(row.kind)
        addresses = told.addresses(provider_of(row)) if told else ()
    except Damaged:  # shown as missing: they have to be entered anew
        log.exception("a provider's secrets cannot be opened", provider=row.key)
        secrets, addresses = {}, ()
    return {
        "id": row.id,
        "key": row.key,
        "kind": row.kind,
        "kind_label": kind.label if kind else row.kind,
        "name": row.name,
        "is_on": row.is_on,
        "signs_in_by_redirect": signs_in_by_redirect(row.kind),
        "creates_people": row.creates_people,
        "links_by": row.links_by,
        "updates_people": row.updates_people,
        "trusts_second_factor": row.trusts_second_factor,
        "version": row.version,
        "fields": [field_json(f, row.settings, secrets) for f in kind.fields] if kind else [],
        "addresses": [asdict(a) for a in addresses],
        "people_count": people,
        "health": _health(row),
        "created_at": rfc3339(row.created_at),
        "updated_at": rfc3339(row.updated_at),
    }


def _health(row: IdentityProvider) -> dict[str, Any]:
    has_failed = row.failed_at is not None and (row.worked_at is None or row.failed_at > row.worked_at)
    if not row.is_on:
        state = "OFF"
    elif has_failed:
        state = "FAILING"
    else:
        state = "WORKS" if row.worked_at else "UNTRIED"
    return {
        "state": state,
        "last_error": row.last_error if has_failed else None,
        "failed_at": rfc3339(row.failed_at) if row.failed_at else None,
        "worked_at": rfc3339(row.worked_at) if row.worked_at else None,
    }


def missing(row: IdentityProvider) -> list[str]:
    """The labels of settings that are needed and not filled in. Raises `Damaged`."""
    kind, config = KINDS[row.kind], config_of(row)
    return [f.label for f in lacking(kind.fields, config)]
