"""What is called how that a workflow's document names."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.models import Role
from waypost.approvals.mentions import Called, mentioned
from waypost.approvals.surveying import forms
from waypost.catalog.models import TicketType
from waypost.directory.names import names


async def called_in(session: AsyncSession, *documents: Any) -> Called:
    """The names of all that these documents speak of: four statements at most."""
    fields = (await forms(session)).fields
    named = [mentioned(document, fields) for document in documents]
    people, teams, departments = await names.all(
        session,
        people=[i for m in named for i in m.people],
        teams=[i for m in named for i in m.teams],
        departments=[i for m in named for i in m.departments],
    )
    return Called(
        people={i: ref["name"] for i, ref in people.items() if i is not None},
        teams={i: ref["name"] for i, ref in teams.items() if i is not None},
        departments={i: ref["name"] for i, ref in departments.items() if i is not None},
        roles={r.key: r.name for r in await session.execute(select(Role.key, Role.name))},
        types={r.key: r.name for r in await session.execute(select(TicketType.key, TicketType.name))},
        fields=fields,
    )
