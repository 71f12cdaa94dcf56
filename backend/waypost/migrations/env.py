"""Runs migrations as the tables' owner, one transaction each, giving up on a lock after five seconds."""

from __future__ import annotations

import asyncio

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from waypost.kernel.db import tls_of
from waypost.kernel.settings import get_settings
from waypost.migrations import grants
from waypost.migrations.tables import metadata


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transaction_per_migration=True,
        compare_type=True,
        compare_server_default=False,
    )
    with context.begin_transaction():
        # A migration that cannot get its lock fails and is tried again, instead of holding up everybody behind it.
        connection.execute(text("SET lock_timeout = '5s'"))
        connection.execute(text("SELECT pg_advisory_lock(1464421709)"))
        context.run_migrations()


async def _online() -> None:
    """Migrate, then grant the application's own role what it needs of what is new, if it has one."""
    settings = get_settings()
    url = context.config.attributes.get("url") or settings.owner_url()
    engine = create_async_engine(url, poolclass=NullPool, connect_args=tls_of(settings))
    async with engine.connect() as connection:
        await connection.run_sync(_run)
        await connection.commit()
    await engine.dispose()
    role = grants.application_role(settings)
    if role is not None and settings.database_owner_url is not None:
        await grants.apply(settings, role, url)


asyncio.run(_online())
