"""What happens to people and groups here when they are pushed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from waypost.access.models import Role, UserRole
from waypost.access.providers.models import Identity, IdentityProvider
from waypost.access.scim.models import ScimPerson
from waypost.directory.models import User
from waypost.kernel.events import EventRow

from .pushing import ENTERPRISE, USER, Push, a_provider, a_token, forget, map_group


async def account(database: Any, scim_id: str) -> User:
    async with database.read() as session:
        row = await session.scalar(select(ScimPerson).where(ScimPerson.scim_id == scim_id))
        return await session.get(User, row.user_id)


async def events(database: Any, user_id: int) -> list[str]:
    async with database.read() as session:
        rows = await session.scalars(
            select(EventRow).where(EventRow.object_type == "user", EventRow.object_id == user_id).order_by(EventRow.id)
        )
        return [f"{r.type} {r.channel}" for r in rows]


async def roles(database: Any, user_id: int) -> set[str]:
    async with database.read() as session:
        rows = await session.scalars(
            select(Role.key).join(UserRole, UserRole.role_id == Role.id).where(UserRole.user_id == user_id)
        )
        return set(rows)


async def test_a_person_is_made_changed_and_let_go(push: Push, database: Any, provider: IdentityProvider) -> None:
    boss = await push.user("boss1")
    made = await push.user(
        "Ann.Lee@corp.example.com",
        emails=[{"value": "ann@people.example.com", "type": "work"}],
        externalId="x-1",
        title="Clerk",
        **{ENTERPRISE: {"department": "Marketing", "manager": {"value": boss["id"]}}},
        schemas=[USER, ENTERPRISE],
    )
    assert made["meta"]["location"].endswith(f"/scim/v2/Users/{made['id']}")
    user = await account(database, made["id"])
    assert (user.username, user.email) == ("ann.lee", "ann@people.example.com")
    assert (user.name, user.job_title) == ("Ann Lee", "Clerk")
    assert user.manager_id == (await account(database, boss["id"])).id
    assert user.department_id is not None
    assert "user.created scim" in await events(database, user.id)

    await push.patch(f"/Users/{made['id']}", {"op": "replace", "path": "name.familyName", "value": "Miller"})
    assert (await account(database, made["id"])).last_name == "Miller"

    await push.call("DELETE", f"/Users/{made['id']}", expect=204)
    await push.call("GET", f"/Users/{made['id']}", expect=404)
    async with database.read() as session:
        left = await session.get(User, user.id)
        assert left is not None
        assert not left.is_active
        assert await session.scalar(select(Identity).where(Identity.subject == made["id"])) is None
        told = await events(database, user.id)
    assert "user.deactivated scim" in told
    assert told[-1] == "scim.person_let_go scim"

    again = await push.user("Ann.Lee@corp.example.com", externalId="x-1", emails=[])
    assert again["id"] != made["id"]
    back = await account(database, again["id"])
    assert (back.id, back.is_active) == (user.id, True)


async def test_whoever_an_administrator_let_in_again_is_not_taken_back(push: Push, database: Any) -> None:
    made = await push.user("let.in.again")
    user = await account(database, made["id"])
    await push.call("DELETE", f"/Users/{made['id']}", expect=204)
    async with database.transaction() as session:
        (await session.get(User, user.id)).is_active = True
    said = await push.user("let.in.again", expect=409)
    assert said["scimType"] == "uniqueness"


@pytest.mark.parametrize("said", [{"active": False}, {"active": "False"}])
async def test_who_is_disabled_is_out_at_the_next_request(
    push: Push, app: Any, database: Any, who: Any, said: dict[str, Any]
) -> None:
    from waypost.access.sessions import Caller, start_session

    made = await push.user(f"leaver{said['active']}")
    user = await account(database, made["id"])
    async with database.transaction() as session:
        signed_in = await start_session(session, Caller("127.0.0.1", "test"), user_id=user.id, method="password")
    theirs = push.http.build_request(
        "GET", "http://waypost.test/api/v1/auth/me", headers={"Authorization": f"Bearer {signed_in.access_token}"}
    )
    assert (await push.http.send(theirs)).status_code == 200

    await push.patch(f"/Users/{made['id']}", {"op": "Replace", "path": "active", "value": said["active"]})

    assert (await push.http.send(theirs)).status_code == 401
    assert (await push.call("GET", f"/Users/{made['id']}"))["active"] is False
    await push.patch(f"/Users/{made['id']}", {"op": "replace", "value": {"active": True}})
    assert (await account(database, made["id"])).is_active
    assert (await push.http.send(theirs)).status_code == 401  # a session that ended stays so


async def test_their_approvals_go_to_somebody_else(
    push: Push, database: Any, provider: IdentityProvider, who: Any, hardware: Any
) -> None:
    """The one asked is a person who was pushed: once they are disabled, another is asked."""
    employee, admin = await who("employee"), await who("admin")
    boss = await push.user("pushed.boss")
    boss_id = (await account(database, boss["id"])).id
    async with database.transaction() as session:
        person = await session.get(User, employee.id)
        old = person.manager_id
        person.manager_id = boss_id
    try:
        ticket = await employee.post("/tickets", hardware("300.00"), 201)
        asked = await admin.get(f"/tickets/{ticket['id']}/approvals")
        assert f"'id': {boss_id}" in str(asked)

        await push.patch(f"/Users/{boss['id']}", {"op": "replace", "path": "active", "value": False})

        async with database.read() as session:
            told = [
                r.type
                for r in await session.scalars(
                    select(EventRow).where(EventRow.channel == "scim", EventRow.type == "approval.rerouted")
                )
            ]
        assert told
    finally:
        async with database.transaction() as session:
            (await session.get(User, employee.id)).manager_id = old


async def test_somebody_deactivated_here_stays_so(push: Push, database: Any, who: Any) -> None:
    made = await push.user("deactivated.here")
    user = await account(database, made["id"])
    admin = await who("admin")
    await admin.put(f"/users/{user.id}/active", {"is_active": False})

    now_off = await push.call("GET", f"/Users/{made['id']}")
    assert now_off["active"] is False
    assert now_off["meta"]["version"] != made["meta"]["version"]
    await push.patch(f"/Users/{made['id']}", {"op": "replace", "path": "active", "value": True})
    assert not (await account(database, made["id"])).is_active
    assert (await push.call("GET", f"/Users/{made['id']}"))["active"] is False


async def test_what_is_taken_back_is_not_said_any_more(push: Push, database: Any) -> None:
    made = await push.user("unsaid", active=False)
    await push.patch(f"/Users/{made['id']}", {"op": "remove", "path": "active"})
    assert "active" not in await push.call("GET", f"/Users/{made['id']}")
    assert not (await account(database, made["id"])).is_active  # and they stay as they are


async def test_nobody_takes_over_an_account_that_is_here(push: Push, database: Any, app: Any) -> None:
    said = await push.user("someone", expect=409, emails=[{"value": "admin@example.com"}])
    assert said["scimType"] == "uniqueness"
    said = await push.user("ADMIN", expect=409)
    assert said["scimType"] == "uniqueness"

    linking = await a_provider(database, links_by="VERIFIED_EMAIL")
    other = Push(app, await a_token(database, linking))
    async with database.read() as session:
        admin = await session.scalar(select(User).where(User.username == "admin"))
        outsider = await session.scalar(select(User).where(User.username == "outsider"))
    await other.user("adm", expect=409, emails=[{"value": admin.email}])  # an administrator never by an address
    linked = await other.user("ext", emails=[{"value": outsider.email.upper()}])
    assert (await account(database, linked["id"])).id == outsider.id
    async with database.transaction() as session:
        from sqlalchemy import delete

        await session.execute(delete(IdentityProvider).where(IdentityProvider.id == linking.id))
    await other.http.aclose()


async def test_a_provider_that_may_not_create_creates_nobody(database: Any, app: Any) -> None:
    closed = await a_provider(database, creates_people=False)
    push = Push(app, await a_token(database, closed))
    await push.user("nobody.new", expect=403)
    await push.http.aclose()
    await forget(database, closed)


async def test_the_last_administrator_stays(push: Push, database: Any, provider: IdentityProvider) -> None:
    """Everybody else who administers is taken out of the way in a transaction that is undone."""
    await map_group(database, provider, "Admins", "admin")
    made = await push.user("last.admin")
    await push.group("Admins", made["id"])
    user = await account(database, made["id"])
    assert "admin" in await roles(database, user.id)
    async with database.transaction() as session:
        role = await session.scalar(select(Role.id).where(Role.key == "admin"))
        others = list(
            await session.scalars(
                select(User)
                .join(UserRole, UserRole.user_id == User.id)
                .where(UserRole.role_id == role, User.id != user.id, User.is_active)
            )
        )
        for other in others:
            other.is_active = False
    try:
        said = await push.patch(f"/Users/{made['id']}", {"op": "replace", "path": "active", "value": False}, expect=409)
        assert "administrat" in said["detail"]
        await push.call("DELETE", f"/Users/{made['id']}", expect=409)
        assert (await account(database, made["id"])).is_active
    finally:
        async with database.transaction() as session:
            for other in others:
                (await session.get(User, other.id)).is_active = True


async def test_groups_give_roles_by_the_map(push: Push, database: Any, provider: IdentityProvider) -> None:
    await map_group(database, provider, "Agents", "agent")
    one, two = await push.user("agent.one"), await push.user("agent.two")
    ids = [(await account(database, p["id"])).id for p in (one, two)]
    group = await push.group("Agents", one["id"], externalId="g-1")
    assert [m["value"] for m in group["members"]] == [one["id"]]
    assert "agent" in await roles(database, ids[0])
    path = f"/Groups/{group['id']}"

    await push.patch(path, {"op": "add", "path": "members", "value": [{"value": two["id"], "$ref": None}]})
    assert "agent" in await roles(database, ids[1])
    assert (await push.call("GET", f"/Users/{two['id']}"))["groups"][0]["display"] == "Agents"

    await push.patch(path, {"op": "Remove", "path": "members", "value": [{"value": one["id"]}]})
    assert "agent" not in await roles(database, ids[0])
    assert "agent" in await roles(database, ids[1])

    await push.patch(path, {"op": "replace", "value": {"id": group["id"], "displayName": "Others"}})
    assert "agent" not in await roles(database, ids[1])
    await push.patch(path, {"op": "replace", "path": "displayName", "value": "Agents"})
    assert "agent" in await roles(database, ids[1])

    whole = {"schemas": group["schemas"], "id": group["id"], "displayName": "Agents", "members": [{"value": one["id"]}]}
    put = await push.call("PUT", path, whole)
    assert [m["value"] for m in put["members"]] == [one["id"]]
    assert "agent" in await roles(database, ids[0])
    assert "agent" not in await roles(database, ids[1])

    await push.call("DELETE", path, expect=204)
    assert "agent" not in await roles(database, ids[0])
    await push.group("Agents", "7d5a8dd6-3b66-4a4b-9c36-2f1b5cb1a0a0", expect=400)
    await push.group("Agents", one["id"], expect=400, members=[{"value": one["id"], "type": "Group"}])


async def test_a_member_of_a_large_group_comes_and_goes_without_the_others(
    push: Push, database: Any, provider: IdentityProvider
) -> None:
    from sqlalchemy import event

    people = [(await push.user(f"crowd{n}"))["id"] for n in range(12)]
    group = await push.group("Crowd", *people[:11])
    seen: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        seen.append(statement)

    engine = database.write_engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        await push.patch(f"/Groups/{group['id']}", {"op": "add", "path": "members", "value": [{"value": people[11]}]})
        await push.patch(f"/Groups/{group['id']}", {"op": "remove", "path": f'members[value eq "{people[0]}"]'})
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert not [s for s in seen if "JOIN scim_people" in s and "scim_members" in s]
    members = (await push.call("GET", f"/Groups/{group['id']}"))["members"]
    assert {m["value"] for m in members} == set(people[1:])
    bare = await push.call("GET", f"/Groups/{group['id']}?excludedAttributes=members")
    assert "members" not in bare


async def test_the_same_person_pushed_twice_at_once_is_one(push: Push, database: Any) -> None:
    body = {"schemas": [USER], "userName": "twin", "emails": [{"value": "twin@people.example.com"}]}
    answers = await asyncio.gather(*(push.call("POST", "/Users", body, None) for _ in range(4)))
    assert sorted(a.status_code for a in answers) == [201, 409, 409, 409]
    assert {a.json()["scimType"] for a in answers if a.status_code == 409} == {"uniqueness"}


async def test_changes_at_once_are_all_kept(push: Push) -> None:
    made = await push.user("busy")
    said = [{"op": "add", "path": "roles", "value": [{"value": f"r{n}"}]} for n in range(5)]
    await asyncio.gather(*(push.patch(f"/Users/{made['id']}", one) for one in said))
    kept = await push.call("GET", f"/Users/{made['id']}")
    assert {r["value"] for r in kept["roles"]} == {f"r{n}" for n in range(5)}


async def test_names_are_one_persons(push: Push) -> None:
    await push.user("unique.one", externalId="e-1")
    other = await push.user("unique.two", externalId="e-2")
    assert (await push.user("UNIQUE.ONE", expect=409))["scimType"] == "uniqueness"
    assert (await push.user("unique.three", externalId="e-1", expect=409))["scimType"] == "uniqueness"
    change = {"op": "replace", "path": "userName", "value": "Unique.One"}
    assert (await push.patch(f"/Users/{other['id']}", change, expect=409))["scimType"] == "uniqueness"
    await push.group("Same")
    assert (await push.group("same", expect=409))["scimType"] == "uniqueness"


async def test_a_version_guards(push: Push) -> None:
    made = await push.user("versioned")
    path, old = f"/Users/{made['id']}", made["meta"]["version"]
    answer = await push.call("GET", path, None, None)
    assert answer.headers["etag"] == old
    assert (await push.call("GET", path, None, None, headers={"If-None-Match": old})).status_code == 304
    title = {"op": "replace", "path": "title", "value": "New"}
    await push.patch(path, title, headers={"If-Match": old})
    await push.patch(path, {**title, "value": "Newer"}, expect=412, headers={"If-Match": old})
    await push.call("DELETE", path, expect=412, headers={"If-Match": old})
    group = await push.group("Versioned")
    path = f"/Groups/{group['id']}"
    rename = {"op": "replace", "path": "displayName", "value": "Renamed"}
    await push.patch(path, rename, headers={"If-Match": group["meta"]["version"]})
    await push.patch(path, rename, expect=412, headers={"If-Match": group["meta"]["version"]})


async def test_providers_do_not_see_each_other(push: Push, database: Any, app: Any) -> None:
    made, group = await push.user("mine"), await push.group("Mine")
    other_row = await a_provider(database)
    other = Push(app, await a_token(database, other_row))
    await other.call("GET", f"/Users/{made['id']}", expect=404)
    await other.patch(f"/Users/{made['id']}", {"op": "replace", "path": "active", "value": False}, expect=404)
    await other.call("DELETE", f"/Groups/{group['id']}", expect=404)
    await other.group("Theirs", made["id"], expect=400)
    assert (await other.call("GET", '/Users?filter=userName eq "mine"'))["totalResults"] == 0
    await other.http.aclose()
    await forget(database, other_row)
