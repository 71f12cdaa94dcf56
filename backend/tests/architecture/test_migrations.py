"""What migrations do with what is there already."""

from __future__ import annotations

import asyncio
from typing import Any

from alembic import command
from sqlalchemy import text

from waypost.migrations.run import config


async def test_who_edited_a_ticket_last_is_still_barred(fresh_database: Any) -> None:
    async def one(statement: str) -> Any:
        async with fresh_database.transaction() as session:
            return (await session.execute(text(statement))).scalar()

    ticket_id = await one("SELECT min(id) FROM tickets")
    editor = await one(f"UPDATE tickets SET edited_by_ids = '{{1,2}}' WHERE id = {ticket_id} RETURNING 2")
    await fresh_database.dispose()
    await asyncio.to_thread(command.downgrade, config(), "0010")
    assert await one(f"SELECT edited_by_id FROM tickets WHERE id = {ticket_id}") == editor
    await fresh_database.dispose()
    await asyncio.to_thread(command.upgrade, config(), "head")
    assert await one(f"SELECT edited_by_ids FROM tickets WHERE id = {ticket_id}") == [editor]
    assert await one("SELECT count(*) FROM tickets WHERE edited_by_ids = '{}'") > 0
