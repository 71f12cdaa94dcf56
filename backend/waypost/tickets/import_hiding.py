"""A field became sensitive: what files that were brought before say of it goes; their tickets keep it, sealed."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.tickets.import_models import ImportRow, TicketImport
from waypost.tickets.sheets import CUSTOM


async def hide_answers(session: AsyncSession, type_key: str, keys: Collection[str]) -> None:
    """Empty the cells and defaults that were meant for these fields of a type. Doing it twice changes nothing."""
    fields = {f"{CUSTOM}{key}" for key in keys}
    if not fields:
        return
    of_type = select(TicketImport).where(TicketImport.plan["ticket_type"].astext == type_key).order_by(TicketImport.id)
    for job in await session.scalars(of_type.with_for_update(key_share=True)):
        plan = job.plan or {}
        for column in {at + 1 for name, at in plan["columns"].items() if name in fields}:  # arrays begin with 1
            cell = ImportRow.cells[column]
            said = update(ImportRow).where(ImportRow.import_id == job.id, cell != "")
            await session.execute(said.values({cell: ""}).execution_options(synchronize_session=False))
        if fields & plan["defaults"].keys():
            job.plan = {**plan, "defaults": {n: v for n, v in plan["defaults"].items() if n not in fields}}
    await session.flush()
