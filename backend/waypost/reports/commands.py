"""Reports on the command line: `waypost reports …`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager

import typer
from sqlalchemy import text

from waypost.kernel.db import Database
from waypost.kernel.settings import get_settings
from waypost.reports import keeping

app = typer.Typer(no_args_is_help=True, help="What dashboards and reports count from.")
Servers = Callable[[], AbstractContextManager[None]]
_servers: list[Servers] = []


def use_servers(servers: Servers) -> None:
    """How commands reach the database; set by the command line's door."""
    _servers[:] = [servers]


@app.callback()
def _group() -> None:
    """What dashboards and reports count from."""


@app.command()
def rebuild() -> None:
    """Count everything again from the tickets and the event log. Stopped in between, it goes on by itself."""
    with _servers[0]():
        counted = asyncio.run(_rebuild())
    typer.echo(f"{counted:,} tickets are counted.")


async def _rebuild() -> int:
    database = Database.connect(get_settings())
    try:
        async with database.transaction() as session:
            await keeping.begin_rebuild(session)
        while True:
            more = await keeping.follow(database)
            async with database.read() as session:
                row = (await session.execute(text("SELECT rebuild_next, rebuild_last FROM report_position"))).one()
            if sys.stderr.isatty() and row.rebuild_next is not None:
                sys.stderr.write(f"\r{max(0, row.rebuild_next):,} of {row.rebuild_last:,} …")
                sys.stderr.flush()
            if row.rebuild_next is None:
                break
            if not more:
                await asyncio.sleep(0.2)  # a worker is at it
        async with database.read() as session:
            return int(await session.scalar(text("SELECT count(*) FROM report_facts")) or 0)
    finally:
        await database.dispose()
