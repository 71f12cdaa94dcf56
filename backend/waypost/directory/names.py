"""Names of people, teams and departments, kept in the process: lists show them without joins.

A changed name shows within `FRESH` seconds; one not known yet is looked up at once. Only names are kept here, which
every signed-in person may see; nothing that a permission protects.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.directory.models import Department, Team, User

FRESH = 30.0
MOST = 50_000
Ref = dict[str, Any]
Refs = dict[int | None, Ref]
Ids = Iterable[int | None]


class Names:
    """References by id: `{id, username, name}` for people, `{id, name}` for teams and departments."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int], tuple[float, Ref]] = {}

    async def people(self, session: AsyncSession, ids: Ids) -> Refs:
        """The people among `ids` that exist; unknown ids are left out. One statement at most."""
        return (await self.all(session, people=ids))[0]

    async def teams(self, session: AsyncSession, ids: Ids) -> Refs:
        """The teams among `ids`."""
        return (await self.all(session, teams=ids))[1]

    async def departments(self, session: AsyncSession, ids: Ids) -> Refs:
        """The departments among `ids`."""
        return (await self.all(session, departments=ids))[2]

    async def all(
        self, session: AsyncSession, *, people: Ids = (), teams: Ids = (), departments: Ids = ()
    ) -> tuple[Refs, Refs, Refs]:
        """People, teams and departments by id: one statement at most for all that is not known."""
        tick = time.monotonic()
        found: dict[str, Refs] = {"user": {}, "team": {}, "department": {}}
        missing: dict[str, list[int]] = {}
        for kind, ids in (("user", people), ("team", teams), ("department", departments)):
            for i in {i for i in ids if i is not None}:
                kept = self._kept.get((kind, i))
                if kept is not None and tick - kept[0] < FRESH:
                    found[kind][i] = kept[1]
                else:
                    missing.setdefault(kind, []).append(i)
        if missing:
            if len(self._kept) > MOST:
                self._kept.clear()
            for kind, i, username, name in await session.execute(self._reading(missing)):
                ref = {"id": i, "username": username, "name": name} if kind == "user" else {"id": i, "name": name}
                self._kept[kind, i] = (tick, ref)
                found[kind][i] = ref
        return found["user"], found["team"], found["department"]

    def forget(self) -> None:
        """Drop everything (tests, or after a rename in this process)."""
        self._kept.clear()

    @staticmethod
    def _reading(missing: dict[str, list[int]]) -> Any:
        name = func.btrim(User.first_name + " " + User.last_name)
        reading: dict[str, Select[Any, Any, Any, Any]] = {
            "user": select(literal("user"), User.id, User.username, name).where(User.id.in_(missing.get("user", ())))
        }
        for kind, table in (("team", Team), ("department", Department)):
            named = select(literal(kind), table.id, literal(""), table.name)
            reading[kind] = named.where(table.id.in_(missing.get(kind, ())))
        wanted = [reading[kind] for kind in missing]
        return wanted[0] if len(wanted) == 1 else union_all(*wanted)


names = Names()
