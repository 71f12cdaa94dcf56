"""What is done from the server's own console stands in the trail too: starts, migrations, commands."""

from __future__ import annotations

import getpass

from pydantic import SecretStr
from sqlalchemy import text

from waypost import __version__
from waypost.audit.events import CommandRun, DatabaseMigrated, SystemStarted
from waypost.kernel.db import Database
from waypost.kernel.events import System, record
from waypost.kernel.settings import Settings

CONSOLE = System(channel="console")
_UNTOLD = frozenset({"database_url", "database_owner_url", "redis_url"})
_REVISION = text("SELECT version_num FROM alembic_version")
_LAST = text("SELECT data->>'after' FROM events WHERE type = 'system.migrated' ORDER BY id DESC LIMIT 1")


def told_settings(settings: Settings) -> dict[str, str]:
    """Every setting that was set, by name; of a secret only that it is."""
    told: dict[str, str] = {}
    for name in sorted(settings.model_fields_set - _UNTOLD):
        value = getattr(settings, name)
        told[name.upper()] = "(set)" if isinstance(value, SecretStr) else str(value)[:500]
    return told


async def note_start(database: Database, settings: Settings) -> None:
    """Keep that the installation starts, and that its database was migrated when it was."""
    await note_migration(database)
    async with database.transaction() as session:
        await record(session, SystemStarted(release=__version__, settings=told_settings(settings)), actor=CONSOLE)


async def note_migration(database: Database) -> None:
    """Keep that the database is in another release's state than the last time this was told."""
    async with database.transaction() as session:
        after, before = await session.scalar(_REVISION), await session.scalar(_LAST)
        if after is not None and after != before:
            await record(session, DatabaseMigrated(before=before, after=after), actor=CONSOLE)


async def note_command(settings: Settings, command: str) -> None:
    """Keep that somebody ran a command on the server."""
    database = Database.connect(settings)
    try:
        async with database.transaction() as session:
            await record(session, CommandRun(command=command, username=_user()), actor=CONSOLE)
    finally:
        await database.dispose()


def _user() -> str:
    try:
        return getpass.getuser()[:64]
    except (KeyError, OSError):  # an account without a name
        return "?"
