"""`waypost search …`: what operators do with the index."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Annotated

import typer

from waypost.kernel.db import Database
from waypost.kernel.settings import get_settings
from waypost.search import following

app = typer.Typer(add_completion=False, no_args_is_help=True, help="The search index.")


class _Servers:
    """How this command gets its database; the command line's door says so (`use_servers`)."""

    open: Callable[[], AbstractContextManager[None]]


_servers = _Servers()


def use_servers(servers: Callable[[], AbstractContextManager[None]]) -> None:
    """Say how the database is had for a short command."""
    _servers.open = servers


@app.callback()
def _search() -> None:
    """The search index."""


@app.command()
def rebuild(
    wait: Annotated[bool, typer.Option("--wait", help="Do it here, instead of leaving it to the worker.")] = False,
) -> None:
    """Go through all tickets once more, newest first. What is found meanwhile is what was found before."""

    async def work() -> None:
        database = Database.connect(get_settings())
        try:
            await following.fill_anew(database)
            if wait:
                await following.run_all(database)
        finally:
            await database.dispose()

    with _servers.open():
        asyncio.run(work())
    sys.stdout.write("The index is filled anew.\n" if wait else "The worker fills the index anew.\n")
