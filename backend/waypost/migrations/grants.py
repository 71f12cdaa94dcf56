"""What the application's own database role may do: everything it needs, and no change to the log, its seals and signatures.

With one role for everything the log is guarded by triggers only, which their owner can switch off.
"""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from waypost.kernel.db import tls_of
from waypost.kernel.settings import Settings

_IS_SEALED = text("SELECT to_regclass('audit_seals') IS NOT NULL")
_LETS_GO = text("SELECT to_regclass('audit_removals') IS NOT NULL")
ONLY_ADDED = ("events", "audit_seals", "audit_checkpoints", "audit_removals")


def application_role(settings: Settings) -> str | None:
    """The role in `DATABASE_URL`; None when it names none, or the owner's."""
    if settings.database_url is None:
        return None
    name = urlsplit(settings.database_url.get_secret_value()).username
    owner = settings.database_owner_url
    if name is None or (owner is not None and urlsplit(owner.get_secret_value()).username == name):
        return None
    return unquote(name)


def statements(role: str, *, lets_go: bool = True) -> list[str]:
    """What is granted, and what is not, in the order of doing it; without `lets_go` before the trail was ever cut."""
    name = '"' + role.replace('"', '""') + '"'
    kept = ", ".join(ONLY_ADDED if lets_go else ONLY_ADDED[:-1])
    granted = [
        f"GRANT USAGE ON SCHEMA public TO {name}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {name}",
        f"REVOKE UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON {kept} FROM {name}",
        f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON alembic_version FROM {name}",
        f"GRANT EXECUTE ON FUNCTION waypost_erase_values(bigint, jsonb, jsonb) TO {name}",
    ]
    if lets_go:
        granted.append(f"GRANT EXECUTE ON FUNCTION waypost_remove_events(bigint, bigint[]) TO {name}")
    return granted


async def apply(settings: Settings, role: str, url: str | None = None) -> None:
    """Grant it, as the owner of the tables; in a database of an earlier release, what there is."""
    engine = create_async_engine(url or settings.owner_url(), poolclass=NullPool, connect_args=tls_of(settings))
    try:
        async with engine.begin() as connection:
            # as migrations do: of several installations of one database only one changes it at a time
            await connection.execute(text("SELECT pg_advisory_xact_lock(1464421709)"))
            if not await connection.scalar(_IS_SEALED):
                await connection.execute(text(statements(role)[1]))
                return
            for statement in statements(role, lets_go=bool(await connection.scalar(_LETS_GO))):
                await connection.execute(text(statement))
    finally:
        await engine.dispose()
