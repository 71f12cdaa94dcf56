"""How administrators set up and watch what is pushed, and what happens when too many would leave."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.conftest import Api
from waypost.access.models import Role, UserRole
from waypost.access.providers.models import IdentityProvider
from waypost.access.scim.models import ScimPerson, ScimToken
from waypost.directory.models import User
from waypost.kernel import relay
from waypost.kernel.clock import now
from waypost.kernel.events import EventRow
from waypost.notifications.models import Delivery

from .pushing import PATCH, Push, a_provider, a_token, forget


@pytest.fixture
async def admin(app: Any, database: Any) -> AsyncIterator[Api]:
    made = await Api(app, "admin").sign_in()
    yield made
    await made.http.aclose()


async def test_setting_one_up_by_the_api(admin: Api, app: Any, database: Any) -> None:
    made = await admin.post("/identity-providers", {"kind": "scim", "key": "entra-it", "name": "Entra"}, 201)
    path = f"/identity-providers/{made['id']}"
    tested = await admin.post(f"{path}/test", {}, 200)
    assert tested["error"]
    assert made["addresses"][0]["url"].endswith("/scim/v2")
    rules = {k: made[k] for k in ("name", "links_by", "trusts_second_factor", "version")}
    wrong = await admin.put(
        path,
        {
            **rules,
            "is_on": True,
            "creates_people": True,
            "updates_people": True,
            "settings": {"mail_domain": "no domain"},
        },
        422,
    )
    assert "mail_domain" in str(wrong["errors"])
    await admin.put(path, {**rules, "is_on": True, "creates_people": True, "updates_people": True})

    empty = await admin.get(f"{path}/provisioning")
    assert (empty["people_count"], empty["tokens"], empty["may_make_token"], empty["stop"]) == (0, [], True, None)
    first = await admin.post(f"{path}/provisioning/tokens", {"days": 30}, 201)
    push = Push(app, first["token"])
    person = await push.user("set.up")
    await push.group("Set Up Agents", person["id"])

    async with database.read() as session:
        row = await session.scalar(select(ScimPerson).where(ScimPerson.scim_id == person["id"]))
    groups = await admin.get(f"{path}/provisioning/groups")
    assert [(g["name"], g["member_count"], g["roles"]) for g in groups["items"]] == [("Set Up Agents", 1, [])]
    version = (await admin.get(path))["version"]
    await admin.put(f"{path}/groups", {"version": version, "groups": {"Set Up Agents": ["agent"]}})
    await relay.drain(database)
    async with database.read() as session:
        keys = select(Role.key).join(UserRole, UserRole.role_id == Role.id).where(UserRole.user_id == row.user_id)
        assert "agent" in set(await session.scalars(keys))  # without waiting for the next push
    assert (await admin.get(f"{path}/provisioning/groups"))["items"][0]["roles"][0]["key"] == "agent"

    second = await admin.post(f"{path}/provisioning/tokens", {"days": 30}, 201)
    await admin.post(f"{path}/provisioning/tokens", {"days": 30}, 409)
    after = await admin.get(f"{path}/provisioning")
    assert (after["people_count"], after["active_count"], after["group_count"]) == (1, 1, 1)
    assert not after["may_make_token"]
    assert "token" not in after["tokens"][0]
    assert {t["prefix"] for t in after["tokens"]} == {first["token"][:12], second["token"][:12]}
    await admin.delete(f"{path}/provisioning/tokens/{first['id']}")
    await admin.delete(f"{path}/provisioning/tokens/{first['id']}", 404)
    await push.call("GET", "/Users", expect=401)
    other = Push(app, second["token"])
    await other.call("GET", "/Users")

    asked = await admin.get(f"{path}/provisioning/requests", params={"limit": 1})
    assert [(r["method"], r["status"]) for r in asked["items"]] == [("GET", 200)]
    more = await admin.get(f"{path}/provisioning/requests", params={"limit": 1, "cursor": asked["next_cursor"]})
    assert more["items"][0]["id"] < asked["items"][0]["id"]
    assert (await admin.get(f"{path}/provisioning/requests", params={"only_errors": True}))["items"] == []
    await admin.post(f"{path}/provisioning/allow", None, 409)
    async with database.read() as session:
        hashes = [
            t.token_hash for t in await session.scalars(select(ScimToken).where(ScimToken.provider_id == made["id"]))
        ]
    assert all(first["token"].encode() not in h for h in hashes)
    provider = IdentityProvider(id=made["id"])
    await forget(database, provider)
    await admin.get(f"{path}/provisioning", 404)


async def test_only_those_who_may_set_up(who: Any, admin: Api, database: Any, provider: IdentityProvider) -> None:
    path = f"/identity-providers/{provider.id}/provisioning"
    employee, nobody = await who("employee"), await who(None)
    for method, below, body in (
        ("GET", "", None),
        ("GET", "/groups", None),
        ("GET", "/requests", None),
        ("POST", "/tokens", {"days": 1}),
        ("DELETE", "/tokens/1", None),
        ("POST", "/allow", None),
    ):
        await employee.call(method, path + below, body, 403)
        await nobody.call(method, path + below, body, 401)
    for days in (0, 731, "x", None):
        await admin.post(f"{path}/tokens", {"days": days}, 422)
    await admin.post(f"{path}/tokens", {"days": 1, "more": 1}, 422)
    await admin.get("/identity-providers/987654321/provisioning", 404)


async def test_too_many_at_once_wait_for_an_administrator(admin: Api, app: Any, database: Any) -> None:
    guarded = await a_provider(database, may_disable_many=False)
    push = Push(app, await a_token(database, guarded))
    path = f"/identity-providers/{guarded.id}/provisioning"
    ids = [(await push.user(f"burst{n}"))["id"] for n in range(8)]
    off = {"op": "replace", "path": "active", "value": False}
    for one in ids[:3]:
        await push.patch(f"/Users/{one}", off)

    answer = await push.call(
        "PATCH",
        f"/Users/{ids[3]}",
        {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [off]},
        None,
    )
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    await push.call("DELETE", f"/Users/{ids[3]}", expect=429)
    assert (await push.call("GET", f"/Users/{ids[3]}"))["active"] is True
    await push.patch(f"/Users/{ids[3]}", {"op": "replace", "path": "title", "value": "still served"})
    stop = (await admin.get(path))["stop"]
    assert stop["stopped_at"]
    assert "3 people" in stop["why"]

    async with database.read() as session:
        told = (await session.scalars(select(EventRow).where(EventRow.type == "scim.stopped"))).all()
    assert len([e for e in told if e.object_id == guarded.id]) == 1  # however often it tries
    await relay.drain(database)
    async with database.read() as session:
        mails = (await session.scalars(select(Delivery).where(Delivery.kind == "provider.stopped"))).all()
        admin_id = await session.scalar(select(User.id).where(User.username == "admin"))
    assert admin_id in {m.user_id for m in mails}

    allowed = await admin.post(f"{path}/allow", None, 200)
    assert allowed["stopped_at"] is None
    assert allowed["allowed_until"]
    for one in ids[3:6]:
        await push.patch(f"/Users/{one}", off)
    async with database.transaction() as session:
        old = now() - timedelta(hours=2)
        await session.execute(
            update(ScimPerson)
            .where(ScimPerson.provider_id == guarded.id, ScimPerson.disabled_at.is_not(None))
            .values(disabled_at=old + timedelta(minutes=1), created_at=old)
        )
    # an hour later they count no more
    await forget(database, guarded)


async def test_a_disabled_newcomer_is_no_leaver(app: Any, database: Any) -> None:
    guarded = await a_provider(database, may_disable_many=False)
    push = Push(app, await a_token(database, guarded))
    for n in range(6):
        made = await push.user(f"came.disabled{n}", active=False)
        assert made["active"] is False
    await push.patch(f"/Users/{made['id']}", {"op": "replace", "path": "active", "value": True})
    assert (await push.call("GET", f"/Users/{made['id']}"))["active"] is True
    await forget(database, guarded)


async def test_pages_and_filters(push: Push) -> None:
    people = [await push.user(f"page{n}", externalId=f"p-{n}", displayName=f"Page {n % 2}") for n in range(7)]
    first = await push.call("GET", "/Users?count=3")
    assert (first["totalResults"], first["itemsPerPage"], first["startIndex"]) == (7, 3, 1)
    third = await push.call("GET", "/Users?startIndex=7&count=3")
    assert [r["id"] for r in third["Resources"]] == [people[6]["id"]]
    assert (await push.call("GET", "/Users?count=0"))["totalResults"] == 7
    assert len((await push.call("GET", "/Users?count=100000"))["Resources"]) == 7
    bare = await push.call("GET", "/Users?attributes=userName&count=1")
    assert set(bare["Resources"][0]) == {"schemas", "id", "userName"}
    without = await push.call("GET", f"/Users/{people[0]['id']}?excludedAttributes=emails,name")
    assert "emails" not in without
    assert "userName" in without

    async def names(said: str) -> list[str]:
        found = await push.call("POST", "/Users/.search", {"schemas": [], "filter": said})
        return [r["userName"] for r in found["Resources"]]

    assert await names('userName eq "PAGE3"') == ["page3"]
    assert await names('externalId eq "p-4"') == ["page4"]
    assert await names('externalId eq "P-4"') == []
    assert await names('displayName eq "page 1"') == ["page1", "page3", "page5"]
    assert await names('emails.value eq "PAGE2@people.example.com"') == ["page2"]
    assert await names('emails[value eq "page2@people.example.com" and type eq "home"]') == []
    assert await names(f'id eq "{people[5]["id"]}"') == ["page5"]
    assert await names('id eq "nobody"') == []
    assert await names('userName eq "page1" or (displayName eq "Page 0" and active eq true)') == [
        "page0",
        "page1",
        "page2",
        "page4",
        "page6",
    ]
    later = people[4]["meta"]["lastModified"]
    assert await names(f'meta.lastModified gt "{later}"') == ["page5", "page6"]
    assert await names(f'meta.lastModified ge "{later}" and active eq false') == []
    everything = await push.call("GET", "/?count=2&startIndex=6")
    assert everything["totalResults"] == 7
    group = await push.group("Paged", people[0]["id"])
    mixed = await push.call("GET", "/?count=2&startIndex=7")
    assert [r["meta"]["resourceType"] for r in mixed["Resources"]] == ["User", "Group"]
    found = await push.call("GET", f'/Groups?filter=members.value eq "{people[0]["id"]}"&excludedAttributes=members')
    assert [r["id"] for r in found["Resources"]] == [group["id"]]


async def test_a_list_is_a_few_statements_however_long(push: Push, database: Any) -> None:
    from sqlalchemy import event

    people = [(await push.user(f"many{n}"))["id"] for n in range(6)]
    for n in range(3):
        await push.group(f"Many {n}", *people)
    seen: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        seen.append(statement)

    engines = [database.read_engine.sync_engine, database.write_engine.sync_engine]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        counts = []
        for path in ("/Users?count=2", "/Users?count=6", "/Groups?count=1", "/Groups?count=3"):
            seen.clear()
            await push.call("GET", path)
            counts.append(len([s for s in seen if "scim_requests" not in s]))
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)
    assert counts[0] == counts[1]
    assert counts[2] == counts[3]
    assert max(counts) <= 6


async def test_emptying_too_many_at_once_waits_for_an_administrator(admin: Api, app: Any, database: Any) -> None:
    guarded = await a_provider(database, may_disable_many=False)
    push = Push(app, await a_token(database, guarded))
    ids = [(await push.user(f"empties{n}", title="Clerk"))["id"] for n in range(5)]
    body = {"schemas": [PATCH], "Operations": [{"op": "remove", "path": "title"}]}
    for one in ids[:3]:
        await push.call("PATCH", f"/Users/{one}", body, 204)
    await push.call("PATCH", f"/Users/{ids[3]}", body, 429)
    assert (await push.call("GET", f"/Users/{ids[3]}"))["title"] == "Clerk"

    async def titles() -> list[str]:
        async with database.read() as session:
            rows = select(User.job_title).join(ScimPerson, ScimPerson.user_id == User.id)
            return list(await session.scalars(rows.where(ScimPerson.provider_id == guarded.id).order_by(User.id)))

    assert await titles() == ["", "", "", "Clerk", "Clerk"]
    path = f"/identity-providers/{guarded.id}/provisioning"
    assert "job title" in (await admin.get(path))["stop"]["why"]
    await admin.post(f"{path}/allow", None, 200)
    await push.call("PATCH", f"/Users/{ids[3]}", body, 204)
    assert await titles() == ["", "", "", "", "Clerk"]
    await forget(database, guarded)
