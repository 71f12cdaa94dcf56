"""Two roles: what the application may do is said, and nothing of it changes the trail."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr
from sqlalchemy import text

from waypost.kernel.settings import Settings
from waypost.migrations import grants


def settings(app: str | None, owner: str | None) -> Settings:
    return Settings(
        database_url=SecretStr(app) if app else None, database_owner_url=SecretStr(owner) if owner else None
    )


def test_whose_role_is_the_applications() -> None:
    app, owner = "postgresql://app:x@db/w", "postgresql://own%65r:x@db/w"
    assert grants.application_role(settings(app, owner)) == "app"
    assert grants.application_role(settings(app, app)) is None
    assert grants.application_role(settings(app, None)) == "app"
    assert grants.application_role(Settings(database_url=SecretStr("postgresql://db/w"))) is None
    assert settings(app, None).owner_url() == settings(app, None).sqlalchemy_url()
    assert grants.statements('a"b')[0] == 'GRANT USAGE ON SCHEMA public TO "a""b"'


async def test_the_application_may_do_the_rest(database: Any) -> None:
    async with database.read() as session:
        rows = await session.execute(
            text(
                "SELECT c.relname, has_table_privilege(c.oid, 'UPDATE') AS changes, has_table_privilege(c.oid, 'INSERT') AS adds "
                "FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'"
            )
        )
        found = {row.relname: (row.adds, row.changes) for row in rows}
        assert await session.scalar(text("SELECT current_user")) == "waypost_app"
    only_added = {name for name, may in found.items() if may == (True, False)}
    assert only_added == set(grants.ONLY_ADDED)
    assert found["alembic_version"] == (False, False)
    assert all(may == (True, True) for name, may in found.items() if name not in (*only_added, "alembic_version"))
