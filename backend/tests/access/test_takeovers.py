"""Ways by which somebody who may little could become somebody who may more: none of them is open."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from sqlalchemy import delete, func, select, text, update

from tests.conftest import PASSWORD, Api
from waypost.access.models import Credential, RoleRules
from waypost.access.providers.models import IdentityProvider, ProviderGroup
from waypost.access.queries import actors
from waypost.access.scim.tokens import make as make_scim_token
from waypost.kernel.errors import Forbidden

_numbers = itertools.count(1)
BETTER = "a sentence nobody guesses 4712"


async def hire(admin: Api, *roles: str, password: str | None = PASSWORD) -> dict[str, Any]:
    name = f"taker{next(_numbers)}"
    body = {"username": name, "email": f"{name}@example.com", "first_name": "Tay", "last_name": name}
    more = {"password": password} if password else {}
    return dict(await admin.post("/users", {**body, **more, "roles": list(roles)}, expect=201))


async def powered(admin: Api, app: Any, *permissions: str) -> Api:
    """Somebody with just these permissions beside an employee's, signed in."""
    key = f"power{next(_numbers)}"
    await admin.post("/roles", {"key": key, "name": key, "permissions": dict.fromkeys(permissions, "ALL")}, expect=201)
    person = await hire(admin, "employee", key)
    return await Api(app, person["username"]).sign_in()


async def test_a_former_administrator_is_not_let_in_again_for_somebody_else(fresh_who: Any, app: Any) -> None:
    admin = await fresh_who("admin")
    clerk = await powered(admin, app, "directory:configure", "directory:read")
    former = await hire(admin, "employee", "admin")
    await admin.put(f"/users/{former['id']}/active", {"is_active": False})
    told = await clerk.call(
        "PATCH", f"/users/{former['id']}", {"version": former["version"], "email": "mine@example.com"}, expect=403
    )
    assert told["code"] == "may_more"
    await clerk.put(f"/users/{former['id']}/active", {"is_active": True}, expect=403)
    await admin.put(f"/users/{former['id']}/active", {"is_active": True})
    gone = await hire(admin, "employee")
    await clerk.put(f"/users/{gone['id']}/active", {"is_active": False})
    await clerk.put(f"/users/{gone['id']}/active", {"is_active": True})


async def test_where_it_takes_two_nobody_becomes_the_second(fresh_who: Any, app: Any, fresh_database: Any) -> None:
    admin = await fresh_who("admin")
    second = await hire(admin, "employee", "admin")
    async with fresh_database.transaction() as session:
        await session.execute(delete(Credential).where(Credential.user_id == second["id"]))
    rules = await admin.get("/role-rules")
    try:
        await admin.put("/role-rules", {"needs_two": True, "version": rules["version"]})
        path = f"/users/{second['id']}"
        assert (await admin.post(f"{path}/password-link", expect=403))["code"] == "may_more"
        moved = {"version": second["version"], "email": "mine@example.com"}
        assert (await admin.call("PATCH", path, moved, expect=403))["code"] == "may_more"
        await admin.call("PATCH", path, {"version": second["version"], "job_title": "Second"})
    finally:
        async with fresh_database.transaction() as session:
            await session.execute(update(RoleRules).values(needs_two=False))


async def test_a_new_password_leaves_the_words_against_it(fresh_who: Any, app: Any, fresh_database: Any) -> None:
    person = await fresh_who("employee")
    async with fresh_database.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO one_time_links (token_hash, user_id, purpose, since, expires_at) VALUES"
                " ('\\x01', :id, 'not_me', now(), now() + interval '1 day'),"
                " ('\\x02', :id, 'password', NULL, now() + interval '1 hour')"
            ),
            {"id": person.id},
        )
    await person.post("/auth/password", {"current_password": PASSWORD, "password": BETTER}, expect=204)
    async with fresh_database.read() as session:
        left = await session.scalars(
            text("SELECT purpose FROM one_time_links WHERE user_id = :id AND used_at IS NULL"), {"id": person.id}
        )
        assert list(left) == ["not_me"]


async def test_who_makes_tokens_gains_nothing_by_a_program(fresh_who: Any, app: Any) -> None:
    admin = await fresh_who("admin")
    maker = await powered(admin, app, "tokens:configure", "directory:look_up")
    body = {"username": "reader", "name": "Reader", "purpose": "Reads the trail", "owner_id": admin.id}
    program = await admin.post("/service-accounts", {**body, "roles": ["auditor"]}, expect=201)
    asked = {"name": "Mine", "permissions": ["audit:read"], "expires_in_days": 9}
    assert (await maker.post(f"/service-accounts/{program['id']}/tokens", asked, expect=403))["code"] == "may_more"
    client = {"name": "Mine", "permissions": ["audit:read"]}
    assert (await maker.post(f"/service-accounts/{program['id']}/clients", client, expect=403))["code"] == "may_more"


async def test_who_speaks_for_a_provider_gives_no_role_they_do_not_hold(
    fresh_who: Any, app: Any, fresh_database: Any
) -> None:
    admin = await fresh_who("admin")
    helper = await powered(admin, app, "identity:configure")
    made = {"kind": "scim", "key": "pushing", "name": "Pushing", "settings": {}}
    row = await admin.post("/identity-providers", made, expect=201)
    async with fresh_database.transaction() as session:
        role = await session.scalar(text("SELECT id FROM roles WHERE key = 'admin'"))
        session.add(ProviderGroup(provider_id=row["id"], group_name="bosses", role_id=role))
    async with fresh_database.transaction() as session:
        actor = await actors.get(fresh_database, user_id=helper.id, session_id=int(await _session(session, helper.id)))
        provider = await session.get(IdentityProvider, row["id"])
        with pytest.raises(Forbidden):
            await make_scim_token(session, actor, provider, days=9)
    changed = {"version": row["version"], "name": "Mine", "is_on": True, "settings": {}}
    path = f"/identity-providers/{row['id']}"
    assert (await helper.put(path, changed, expect=None)).status_code in (403, 422)
    assert (await admin.get(path))["name"] == "Pushing"


async def _session(session: Any, user_id: int) -> int:
    found: int = await session.scalar(
        select(func.max(text("id"))).select_from(text("login_sessions")).where(text(f"user_id = {int(user_id)}"))
    )
    return found


async def test_many_fields_are_no_form_of_a_provider(who: Any) -> None:
    nobody = await who(None)
    answer = await nobody.post(
        "/auth/oidc/x/back-channel-logout",
        expect=None,
        content="&".join(f"a{n}=1" for n in range(30)),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code in (400, 404)
