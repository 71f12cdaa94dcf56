"""What every command stands on: settings that can be used, a database to reach, and a sentence when there is none."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import typer
from asyncpg import InterfaceError, PostgresError
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from waypost.kernel import embedded
from waypost.kernel.cautions import in_the_open
from waypost.kernel.secret_files import UnusableFile
from waypost.kernel.settings import Settings, get_settings
from waypost.kernel.supervisor import say

RUNTIME = "runtime.json"
UNUSABLE = (OSError, SQLAlchemyError, PostgresError, InterfaceError)  # what a database that is not there raises


def fail(sentence: str) -> typer.Exit:
    sys.stderr.write(f"{sentence}\n")
    return typer.Exit(1)


def settings_now() -> Settings:
    get_settings.cache_clear()
    try:
        return get_settings()
    except ValidationError as wrong:
        first = wrong.errors()[0]
        why = first["msg"].removeprefix("Value error, ")
        if not first["loc"]:  # of several together
            raise fail(f"{why}.") from None
        raise fail(f"The variable {str(first['loc'][0]).upper()} cannot be used: {why}.") from None
    except UnusableFile as wrong:
        raise fail(f"{wrong}.") from None


@contextmanager
def servers(settings: Settings) -> Iterator[None]:
    """The database and Valkey for a short command: configured ones, those of a running installation, or our own."""
    if settings.database_url and settings.redis_url:
        yield
        return
    try:
        with embedded.locked(settings.data_dir), embedded.running(settings.data_dir) as urls:
            os.environ.update({k: v for k, v in urls.items() if not os.environ.get(k)})
            settings_now()
            yield
    except embedded.CannotStart as busy:
        runtime = settings.data_dir / RUNTIME
        if not runtime.exists():
            raise fail(str(busy)) from None
        os.environ.update(json.loads(runtime.read_text()))
        settings_now()
        yield


def check_encrypted(settings: Settings) -> None:
    if words := in_the_open(settings):
        raise fail(words)


def sentence_of(settings: Settings, error: Exception) -> str:
    """What is wrong with the database, without its password."""
    address = urlsplit(settings.database_url.get_secret_value()) if settings.database_url else None
    where = f"{address.hostname}:{address.port or 5432}{address.path}" if address else "its address"
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return (
        f"The database at {where} cannot be used: {str(cause).splitlines()[0] if str(cause) else type(cause).__name__}"
    )


async def seed(settings: Settings, *, is_start: bool = False, is_guarded: bool = False) -> None:
    from waypost.access.roles import ensure_system_roles  # noqa: PLC0415
    from waypost.audit.system import note_migration, note_start  # noqa: PLC0415
    from waypost.demo.guarding import check_people  # noqa: PLC0415
    from waypost.demo.loading import load  # noqa: PLC0415
    from waypost.kernel.db import Database  # noqa: PLC0415
    from waypost.kernel.events import use_wiring  # noqa: PLC0415
    from waypost.tickets.reviewing import complete_facts  # noqa: PLC0415
    from waypost.wiring import build_wiring  # noqa: PLC0415

    use_wiring(build_wiring())
    database = Database.connect(settings)
    try:
        if is_guarded:
            await check_people(database, settings)
        if settings.demo:
            if await load(database):
                say("Loaded the demo company.")
        else:
            async with database.transaction() as session:
                await ensure_system_roles(session)
        await complete_facts(database)
        if is_start:
            await note_start(database, settings)
        else:
            await note_migration(database)
    finally:
        await database.dispose()


def note(command: str) -> None:
    """Keep in the audit trail that this was run."""
    from waypost.audit.system import note_command  # noqa: PLC0415

    asyncio.run(note_command(settings_now(), command))
