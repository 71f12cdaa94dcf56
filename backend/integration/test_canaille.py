"""A real identity server pushes people and a group; what it disables or deletes is out here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from integration.canaille import Canaille, installed
from tests.access.scim.pushing import a_provider, a_token, map_group
from tests.notifications.wire import Request, Said, wire
from waypost.access.models import Role, UserRole
from waypost.access.scim.models import ScimGroup, ScimMember, ScimRequestRow
from waypost.directory.models import User
from waypost.kernel.settings import get_settings


async def test_canaille_pushes_people_and_a_group(
    fresh_database: Any, fresh_who: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = await fresh_who("employee")  # its client reaches the product in this process
    provider = await a_provider(fresh_database)
    await map_group(fresh_database, provider, "agents", "agent")
    token = await a_token(fresh_database, provider)

    async def serve(request: Request) -> Said:
        headers = {k: v for k, v in request.headers.items() if k in ("authorization", "content-type", "accept")}
        path = f"http://waypost.test{request.path}"
        answer = await door.http.request(request.method, path, content=request.body or None, headers=headers)
        return Said(answer.content, answer.status_code, {"Content-Type": answer.headers.get("content-type", "")})

    async with wire(serve) as made:
        monkeypatch.setenv("PUBLIC_URL", made.url)
        get_settings.cache_clear()
        canaille = Canaille(installed(), tmp_path)
        await canaille.connect(f"{made.url}/scim/v2", token)
        jane = await canaille.run(
            "create", "user", "--user-name", "jane.canaille", "--given-name", "Jane", "--family-name", "Canaille",
            "--formatted-name", "Jane Canaille", "--emails", "jane.canaille@corp.example.com",
            "--employee-number", "7", "--department", "Marketing",
        )  # fmt: skip

        async def person() -> User:
            async with fresh_database.read() as session:
                found = await session.scalar(select(User).where(User.email == "jane.canaille@corp.example.com"))
                assert found is not None, canaille.said
                return found

        user = await person()
        assert (user.name, user.is_active) == ("Jane Canaille", True)
        assert user.department_id is not None
        assert {r.headers["authorization"] for r in made.taken} == {f"Bearer {token}"}

        await canaille.run("create", "group", "--display-name", "agents", "--members", jane["id"])
        async with fresh_database.read() as session:
            members = select(ScimMember).join(ScimGroup, ScimGroup.id == ScimMember.group_id)
            assert len((await session.scalars(members.where(ScimGroup.display_name == "agents"))).all()) == 1
            keys = select(Role.key).join(UserRole, UserRole.role_id == Role.id).where(UserRole.user_id == user.id)
            assert set(await session.scalars(keys)) == {"employee", "agent"}

        await canaille.run("set", "user", jane["id"], "--family-name", "Renamed")
        assert (await person()).last_name == "Renamed"

        await canaille.run("delete", "user", "--noconfirm", "--id", jane["id"])
        assert not (await person()).is_active
        async with fresh_database.read() as session:
            bad = await session.scalars(select(ScimRequestRow).where(ScimRequestRow.status >= 400))
            assert [(r.method, r.path, r.status, r.detail) for r in bad] == []
        get_settings.cache_clear()
