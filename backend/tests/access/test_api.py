"""The door: signing in, sessions, refresh, throttling, administration."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import delete, select

from tests.conftest import PASSWORD, Api
from waypost.access.bootstrap import create_administrator
from waypost.access.models import Throttle
from waypost.access.queries import actors
from waypost.access.service import make_password_link
from waypost.directory.models import User
from waypost.kernel.errors import Invalid


async def test_wrong_name_and_wrong_password_look_the_same(app: Any) -> None:
    nobody = Api(app)
    wrong = [
        await nobody.post("/auth/login", {"username": name, "password": "not the password"}, expect=401)
        for name in ("employee", "who-is-that", "employee@example.com")
    ]
    assert len({(w["code"], w["detail"]) for w in wrong}) == 1


async def test_the_mail_address_works_too(app: Any) -> None:
    nobody = Api(app)
    for name in ("EMPLOYEE", "Employee@Example.com"):
        answer = await nobody.post("/auth/login", {"username": name, "password": PASSWORD})
        assert answer["user"]["username"] == "employee"
        assert answer["token_type"] == "bearer"


@pytest.mark.parametrize("token", ["", "x", "Bearer", "Bearer x.y.z", "Basic abc", "Bearer " + "a" * 9000])
async def test_bad_tokens(app: Any, token: str) -> None:
    answer = await Api(app).get("/auth/me", expect=None, headers={"Authorization": token})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_refresh_rotates_and_reuse_ends_the_family(app: Any) -> None:
    api = await Api(app, "colleague").sign_in()
    first = api.http.cookies
    old = dict(first)
    one, two = await asyncio.gather(api.post("/auth/refresh", expect=None), api.post("/auth/refresh", expect=None))
    assert one.status_code == two.status_code == 200, "two tabs at once"
    await api.post("/auth/refresh")
    thief = Api(app)
    for name, value in old.items():
        thief.http.cookies.set(name, value, domain="waypost.test")
    assert (await thief.post("/auth/refresh", expect=None)).status_code == 401
    assert (await api.post("/auth/refresh", expect=None)).status_code == 401, "the family has ended"
    await Api(app).post("/auth/refresh", expect=401)


async def test_sessions_are_listed_and_revoked(app: Any, who: Any) -> None:
    here, there = await Api(app, "hragent").sign_in(), await Api(app, "hragent").sign_in()
    listed = (await here.get("/auth/sessions"))["items"]
    assert len(listed) >= 2
    assert sum(s["is_current"] for s in listed) == 1
    other = listed[0] if not listed[0]["is_current"] else listed[1]
    await (await who("employee")).call("DELETE", f"/auth/sessions/{other['id']}", expect=404)
    await here.call("DELETE", f"/auth/sessions/{other['id']}", expect=204)
    await asyncio.sleep(1.1)
    assert (await there.get("/auth/me", expect=None)).status_code == 401
    await here.post("/auth/logout", expect=204)
    await asyncio.sleep(1.1)
    assert (await here.get("/auth/me", expect=None)).status_code == 401


async def test_guessing_is_slowed_for_known_and_unknown_names(app: Any, database: Any) -> None:
    nobody = Api(app)
    for name in ("facilityagent", "nobody-at-all"):
        statuses = [
            (await nobody.post("/auth/login", {"username": name, "password": f"guess number {n}"}, expect=None))
            for n in range(12)
        ]
        assert statuses[-1].status_code == 429
        assert int(statuses[-1].headers["retry-after"]) > 60
        assert "ratelimit" in statuses[-1].headers
    async with database.transaction() as session:
        await session.execute(delete(Throttle))


async def test_first_administrator_comes_by_a_link(app: Any, fresh_database: Any) -> None:
    link = await create_administrator(fresh_database, "boss@example.com")
    token = link.rpartition("#")[2]
    nobody = Api(app)
    weak = await nobody.post("/auth/first-password", {"token": token, "password": "too short"}, expect=422)
    assert weak["errors"][0]["pointer"] == "/password"
    password = "a sentence that is easy to keep"
    await nobody.post("/auth/first-password", {"token": token, "password": password})
    once = await nobody.post("/auth/first-password", {"token": token, "password": password}, expect=None)
    assert once.status_code >= 400
    answer = await nobody.post("/auth/login", {"username": "boss@example.com", "password": password})
    assert "admin" in [r["key"] for r in answer["user"]["roles"]]
    guessed = await nobody.post("/auth/first-password", {"token": "x" * 43, "password": password}, expect=None)
    assert guessed.status_code >= 400


async def test_administrators_are_found_or_made_with_a_name_of_their_own(fresh_database: Any) -> None:
    with pytest.raises(Invalid, match="no e-mail address"):
        await create_administrator(fresh_database, "nobody at all")
    await create_administrator(fresh_database, "manager@elsewhere.example")
    async with fresh_database.read() as session:
        found = select(User.username).where(User.email == "manager@elsewhere.example")
        assert await session.scalar(found) == "manager2"


async def test_administration(who: Any) -> None:
    admin, manager = await who("admin"), await who("manager")
    body = {
        "username": "newcomer",
        "email": "newcomer@example.com",
        "first_name": "Nora",
        "last_name": "Neu",
        "department_id": None,
        "manager_id": manager.id,
        "roles": ["employee"],
        "password": "correct horse battery staple",
    }
    await manager.post("/users", body, expect=403)
    made = await admin.post("/users", body, expect=201)
    assert made["manager"]["username"] == "manager"
    await admin.post("/users", body, expect=409)
    for change, pointer in (
        ({"password": "short"}, "/password"),
        ({"roles": ["no-such-role"]}, "/roles"),
        ({"email": "not an address"}, "/email"),
        ({"manager_id": 999_999}, "/manager_id"),
        ({"department_id": 999_999}, "/department_id"),
        ({"is_admin": True}, "/is_admin"),
    ):
        fresh = body | {"username": "other1", "email": "other1@example.com"} | change
        wrong = await admin.post("/users", fresh, expect=422)
        assert wrong["errors"][0]["pointer"].startswith(pointer), wrong
    found = await manager.get("/people", params={"q": "nora"})
    assert [p["username"] for p in found["items"]] == ["newcomer"]
    await manager.get("/users", expect=403)
    assert (await admin.get("/users", params={"q": "newcomer@"}))["items"]
    department = await admin.post("/departments", {"name": "Legal", "parent_id": None, "head_id": None}, expect=201)
    team = await admin.post("/teams", {"name": "Legal desk", "description": "", "member_ids": [manager.id]}, expect=201)
    assert department["id"]
    assert team["id"]
    await admin.post("/departments", {"name": "Legal", "parent_id": None, "head_id": None}, expect=409)
    role = {"key": "reader", "name": "Reader", "permissions": {"tickets:read": "ALL"}}
    answer = await admin.post("/roles", role, expect=None)
    assert answer.status_code in (201, 422), answer.text
    assert (await admin.get("/roles"))["items"]
    for path in ("/users", "/departments", "/teams", "/roles", "/people", "/ticket-types"):
        first = await admin.get(path, params={"limit": 2})
        if first["next_cursor"]:
            await admin.get(path, params={"limit": 2, "cursor": first["next_cursor"]})
        await admin.get(path, params={"cursor": "nonsense"}, expect=422)


async def test_ticket_types(who: Any) -> None:
    admin = await who("admin")
    form = {"type": "object", "properties": {"note": {"type": "string"}}, "required": ["note"]}
    made = await admin.post("/ticket-types", {"key": "TYPE_TEST", "name": "Type test", "form": form}, expect=201)
    assert made["form"]["additionalProperties"] is False
    await admin.post("/ticket-types", {"key": "TYPE_TEST", "name": "Type test", "form": form}, expect=409)
    for bad in (
        {"type": "string"},
        {"properties": []},
        {"properties": {"a": {"$ref": "#/x"}}},
        {"properties": {"a": {"type": "nonsense"}}},
        {"properties": {"a": {"type": "string", "pattern": "("}}},
        {"properties": {f"f{n}": {} for n in range(300)}},
        {"description": "x" * 70_000},
    ):
        wrong = await admin.post("/ticket-types", {"key": "TYPE_BAD", "name": "Bad", "form": bad}, expect=422)
        assert wrong["errors"][0]["pointer"].startswith("/form"), wrong
    path = "/ticket-types/TYPE_TEST"
    body = {"name": "Renamed", "form": form | {"required": []}, "version": 1}
    changed = await admin.put(path, body)
    assert (changed["form_version"], changed["version"]) == (2, 2)
    await admin.put(path, body, expect=412)
    await admin.put(path, body | {"version": 2, "team_id": 999_999}, expect=422)
    await (await who("employee")).put(path, body, expect=403)
    hidden = await admin.put(path, body | {"version": 2, "is_active": False})
    assert not hidden["is_active"]
    await (await who("employee")).get(path, expect=404)
    await admin.get("/ticket-types/NOPE", expect=404)


async def test_guesses_at_once_are_counted_one_by_one(app: Any, database: Any) -> None:
    nobody = Api(app)
    answers = await asyncio.gather(
        *(
            nobody.post("/auth/login", {"username": name, "password": f"guess {n}"}, expect=None)
            for n in range(15)
            for name in ("finance3", "finance3@example.com")
        )
    )
    statuses = [a.status_code for a in answers]
    assert statuses.count(401) == 10, "both names are one account"
    assert statuses.count(429) == 20
    async with database.transaction() as session:
        await session.execute(delete(Throttle))


async def test_a_right_password_makes_up_for_wrong_ones_of_its_office(app: Any, database: Any) -> None:
    nobody = Api(app)
    for n in range(3):
        await nobody.post("/auth/login", {"username": "nobody-here", "password": f"guess {n}"}, expect=401)
    async with database.read() as session:
        address = select(Throttle.failures).where(Throttle.key.like("address:%"))
        assert await session.scalar(address) == 3
    await Api(app, "finance2").sign_in()
    async with database.read() as session:
        assert await session.scalar(address) == 0
    async with database.transaction() as session:
        await session.execute(delete(Throttle))


async def test_nobody_gives_away_more_than_they_hold(app: Any, who: Any) -> None:
    admin = await who("admin")
    clerk_role = {"key": "clerk", "name": "Clerk", "permissions": {"directory:configure": "ALL"}}
    await admin.post("/roles", clerk_role, expect=201)
    person = {"first_name": "Clara", "last_name": "Clerk", "department_id": None, "manager_id": None}
    clerk_body = {**person, "username": "clerk", "email": "clerk@example.com", "roles": ["employee", "clerk"]}
    await admin.post("/users", {**clerk_body, "password": PASSWORD}, expect=201)
    clerk = await Api(app, "clerk").sign_in()
    plain = {**person, "username": "plain", "email": "plain@example.com", "roles": ["employee"], "password": PASSWORD}
    await clerk.post("/users", plain, expect=201)
    boss = {**person, "username": "boss", "email": "boss@example.com", "roles": ["admin"], "password": PASSWORD}
    await clerk.post("/users", boss, expect=403)
    assert (await clerk.get("/people", params={"q": "boss"}))["items"] == [], "nothing half done"


async def test_a_new_password_ends_what_was_open_before(app: Any, fresh_database: Any, fresh_who: Any) -> None:
    old = await fresh_who("colleague")
    async with fresh_database.transaction() as session:
        user_id = await session.scalar(select(User.id).where(User.username == "colleague"))
        first, second = [await make_password_link(session, user_id) for _ in range(2)]
    words = {"token": first.rpartition("#")[2], "password": "another sentence to keep"}
    await Api(app).post("/auth/first-password", words)
    assert (await old.post("/auth/refresh", expect=None)).status_code == 401
    actors._kept.clear()
    await old.get("/auth/me", expect=401)
    await Api(app).post("/auth/first-password", {**words, "token": second.rpartition("#")[2]}, expect=404)


async def test_signing_out_ends_the_cookie_s_session_and_the_bearer_s(app: Any) -> None:
    one, two = await Api(app, "agent2").sign_in(), await Api(app, "agent2").sign_in()
    mixed = {"Authorization": one.http.headers["authorization"]}
    await two.post("/auth/logout", expect=204, headers=mixed)
    await one.get("/auth/me", expect=401)
    await two.get("/auth/me", expect=401)


async def test_one_person_signs_in_on_many_devices_at_the_same_moment(app: Any) -> None:
    nobody = Api(app)

    async def enter() -> int:
        body = {"username": "auditor", "password": PASSWORD}
        return int((await nobody.post("/auth/login", body, expect=None)).status_code)

    statuses = [s for _ in range(8) for s in await asyncio.gather(*(enter() for _ in range(6)))]
    assert statuses == [200] * 48
