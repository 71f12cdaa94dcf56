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


async def test_what_runs_keeps_its_wording_and_large_ones_stand_alone(fresh_database: Any) -> None:
    async def one(statement: str) -> Any:
        async with fresh_database.transaction() as session:
            return (await session.execute(text(statement))).scalar()

    running = "FROM approval_workflows WHERE status = 'RUNNING'"
    amount = "(subject->>'amount')::numeric"
    before = await one(f"SELECT count(*) {running} AND {amount} > 5000")
    assert before > 0
    foreign = await one(f"SELECT min(id) {running} AND {amount} <= 5000")
    await one(
        "UPDATE approval_workflows SET subject = jsonb_set(subject, '{currency}', '\"XAU\"') "
        f"WHERE id = {foreign} RETURNING 1"
    )
    await fresh_database.dispose()
    await asyncio.to_thread(command.downgrade, config(), "0012")
    await fresh_database.dispose()
    await asyncio.to_thread(command.upgrade, config(), "head")
    assert await one(f"SELECT one_by_one FROM approval_workflows WHERE id = {foreign}")
    assert await one(f"SELECT bool_and(one_by_one) {running} AND {amount} > 5000")
    assert not await one(
        f"SELECT bool_or(one_by_one) {running} AND {amount} < 5000 AND subject->>'currency' = 'USD'"
        " AND subject->>'priority' <> 'CRITICAL'"
    )
    kept = "SELECT count(*) FROM approval_subject_versions v JOIN approval_workflows w ON w.id = v.workflow_id"
    assert await one(f"{kept} WHERE v.subject = w.subject AND v.version = w.subject_version") == await one(
        f"SELECT count(*) {running}"
    )
