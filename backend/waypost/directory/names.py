"""Names of people, teams and departments, kept in the process: lists show them without joins.

A changed name shows within `FRESH` seconds; one not known yet is looked up at once. Only names are kept here, which
every signed-in person may see; nothing that a permission protects.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.directory.models import Department, Team, User

FRESH = 30.0
MOST = 50_000
Ref = dict[str, Any]


class Names:
    """References by id: `{id, username, name}` for people, `{id, name}` for teams and departments."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int], tuple[float, Ref]] = {}

    async def people(self, session: AsyncSession, ids: Iterable[int | None]) -> dict[int | None, Ref]:
        """The people among `ids` that exist; unknown ids are left out. One statement at most."""
        return await self._get(session, "user", ids)

    async def teams(self, session: AsyncSession, ids: Iterable[int | None]) -> dict[int | None, Ref]:
        """The teams among `ids`."""
        return await self._get(session, "team", ids)

    async def departments(self, session: AsyncSession, ids: Iterable[int | None]) -> dict[int | None, Ref]:
        """The departments among `ids`."""
        return await self._get(session, "department", ids)

    def forget(self) -> None:
        """Drop everything (tests, or after a rename in this process)."""
        self._kept.clear()

    async def _get(self, session: AsyncSession, kind: str, ids: Iterable[int | None]) -> dict[int | None, Ref]:
        wanted = {i for i in ids if i is not None}
        tick = time.monotonic()
        found: dict[int | None, Ref] = {}
        missing = []
        for i in wanted:
            kept = self._kept.get((kind, i))
            if kept is not None and tick - kept[0] < FRESH:
                found[i] = kept[1]
            else:
                missing.append(i)
        if missing:
            if len(self._kept) > MOST:
                self._kept.clear()
            for i, ref in await self._read(session, kind, missing):
                self._kept[kind, i] = (tick, ref)
                found[i] = ref
        return found

    @staticmethod
    async def _read(session: AsyncSession, kind: str, ids: list[int]) -> list[tuple[int, Ref]]:
        if kind == "user":
            rows = await session.execute(
                select(User.id, User.username, User.first_name, User.last_name).where(User.id.in_(ids))
            )
            return [
                (r.id, {"id": r.id, "username": r.username, "name": f"{r.first_name} {r.last_name}".strip()})
                for r in rows
            ]
        table = Team if kind == "team" else Department
        rows = await session.execute(select(table.id, table.name).where(table.id.in_(ids)))
        return [(r.id, {"id": r.id, "name": r.name}) for r in rows]


names = Names()
