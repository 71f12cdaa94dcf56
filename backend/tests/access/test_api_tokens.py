"""API tokens: how one is made, what it opens, what it never does, and how it ends."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text, update

from tests.conftest import Api
from waypost.access import keys, token_scopes
from waypost.access.actor import Actor
from waypost.access.models import Role
from waypost.access.permissions import SYSTEM_ROLES, Permission, Scope
from waypost.access.token_models import ApiToken
from waypost.kernel.clock import now
from waypost.kernel.events import EventRow

READS = ["tickets:read", "catalog:read", "directory:look_up"]


async def make(person: Api, *permissions: str, **more: Any) -> dict[str, Any]:
    body = {"name": "A program", "permissions": list(permissions) or READS, "expires_in_days": 30, **more}
    made: dict[str, Any] = await person.post("/auth/tokens", body, expect=201)
    return made


def program(app: Any, token: str) -> Api:
    api = Api(app)
    api.http.headers["Authorization"] = f"Bearer {token}"
    return api


@pytest.fixture
async def person(fresh_who: Any) -> Any:
    return await fresh_who("employee")


# --- how it looks -----------------------------------------------------------------------------------------------------


def test_a_key_is_as_long_as_it_says_and_no_two_are_the_same() -> None:
    made = {keys.new_key(keys.PERSONAL) for _ in range(200)}
    assert len(made) == 200
    assert {len(key) for key in made} == {len(keys.PERSONAL) + 49}
    assert all(keys.is_key(key, keys.PERSONAL) and key[len(keys.PERSONAL) :].isalnum() for key in made)
    assert not any(keys.is_key(key, keys.SERVICE) for key in made)


@given(st.integers(0, 55), st.characters())
def test_one_wrong_character_is_told_without_asking_anybody(place: int, other: str) -> None:
    key = "wp_pat_0A9zLmQ2vRrT7uYb1cXe5KdPfGhJ3iNoS4W6q8a0Z1B"
    key = key + "0" * (43 + 7 - len(key))
    key += keys._checksum(key)
    assert keys.is_key(key, keys.PERSONAL)
    changed = key[:place] + other + key[place + 1 :]
    assert keys.is_key(changed, keys.PERSONAL) is (changed == key)


@given(st.text(max_size=60))
def test_no_other_text_is_one(text: str) -> None:
    assert not keys.is_key(text, keys.PERSONAL)


# --- what it may ------------------------------------------------------------------------------------------------------


@given(st.sets(st.sampled_from(list(Permission))))
def test_groups_hold_what_somebody_may_once_and_never_what_no_token_may(held: set[Permission]) -> None:
    grouped = [p for members in token_scopes.groups(held).values() for p in members]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == held - token_scopes.NEVER == set(token_scopes.possible(held))


@given(st.dictionaries(st.sampled_from(list(Permission)), st.sampled_from(list(Scope))), st.sets(st.text(max_size=20)))
def test_a_token_never_adds_to_what_its_person_may(held: dict[Permission, Scope], words: set[str]) -> None:
    person = Actor(1, "x", None, held)
    words |= {p.value for p in list(held)[:2]}
    limited = person.limited(words, by="token:1")
    assert limited.permissions == {p: s for p, s in held.items() if p.value in words}
    assert limited.limits == sorted(words)
    assert person.limited(None) is person


async def test_it_opens_what_it_was_made_for_and_nothing_else(app: Any, person: Api) -> None:
    made = await make(person)
    assert keys.is_key(made["token"], keys.PERSONAL)
    assert made["beginning"] == made["token"][:11]
    api = program(app, made["token"])
    assert (await api.get("/tickets"))["items"]
    me = await api.get("/auth/me")
    assert me["username"] == "employee"
    assert sorted(me["permissions"]) == sorted(READS)
    refused = await api.post("/tickets", {"title": "x", "ticket_type": "IT_SUPPORT"}, expect=403)
    assert "tickets:create" in refused["detail"]
    await api.get("/audit", expect=403)


async def test_what_it_reads_is_what_its_person_reads(app: Any, fresh_who: Any, hardware: Any) -> None:
    employee, outsider = await fresh_who("employee"), await fresh_who("outsider")
    ticket = await employee.post("/tickets", hardware("500.00"), expect=201)
    mine, other = program(app, (await make(employee))["token"]), program(app, (await make(outsider))["token"])
    await mine.get(f"/tickets/{ticket['id']}")
    await other.get(f"/tickets/{ticket['id']}", expect=404)


async def test_one_that_only_reads_changes_nothing(app: Any, person: Api, hardware: Any) -> None:
    everything = [p for g in (await person.get("/auth/token-scopes"))["groups"] for p in g["permissions"]]
    api = program(app, (await make(person, *everything, is_read_only=True))["token"])
    await api.get("/tickets")
    for method, path, body in (
        ("POST", "/tickets", hardware("500.00")),
        ("PUT", "/notifications/preferences", {}),
        ("DELETE", "/saved-views/1", None),
        ("POST", "/notifications/read-all", None),
    ):
        refused = await api.call(method, path, body, expect=403)
        assert refused["code"] == "reads_only", path


async def test_what_it_does_names_it_in_the_log(app: Any, person: Api, hardware: Any, fresh_database: Any) -> None:
    made = await make(person, "tickets:create", "tickets:read", "catalog:read")
    api = program(app, made["token"])
    ticket = await api.post("/tickets", hardware("500.00"), expect=201, headers={"Idempotency-Key": "one"})
    again = await api.post("/tickets", hardware("500.00"), expect=422, headers={"Idempotency-Key": "one"})
    assert again["code"] == "idempotency_key_reused"
    own = await person.post("/tickets", hardware("500.00"), expect=201)
    async with fresh_database.read() as session:
        of_program = list(await session.scalars(select(EventRow).where(EventRow.object_id == ticket["id"])))
        of_person = list(await session.scalars(select(EventRow).where(EventRow.object_id == own["id"])))
    tickets = [e for e in of_program if e.object_type == "ticket"]
    assert tickets
    assert {e.data.get("acted_by") for e in tickets} == {f"token:{made['id']}"}
    assert {e.channel for e in tickets if e.actor_id == person.id} == {"api"}
    assert {e.data.get("acted_by") for e in of_person} == {None}, "what came before leaves nothing behind"
    assert await person.get(f"/tickets/{ticket['id']}/history")


@pytest.mark.parametrize("username", ["employee", "admin"])
async def test_it_never_does_what_is_for_a_person(app: Any, fresh_who: Any, username: str) -> None:
    person = await fresh_who(username)
    everything = [p for g in (await person.get("/auth/token-scopes"))["groups"] for p in g["permissions"]]
    assert not {p.value for p in token_scopes.NEVER} & set(everything)
    api = program(app, (await make(person, *everything))["token"])
    for method, path, body in (
        ("GET", "/auth/tokens", None),
        ("POST", "/auth/tokens", {"name": "x", "permissions": ["tickets:read"], "expires_in_days": 1}),
        ("GET", "/auth/sessions", None),
        ("DELETE", "/auth/sessions/1", None),
        ("POST", "/auth/mfa/totp/enroll", None),
        ("DELETE", "/auth/mfa/totp", None),
        ("POST", "/auth/step-up", {"factor": "password", "password": "x"}),
        ("POST", "/roles", {"key": "more", "name": "More", "permissions": []}),
    ):
        assert (await api.call(method, path, body, expect=403))["code"] == "person_needed", f"{method} {path}"


async def test_a_program_is_never_taken_for_a_proven_person(app: Any, fresh_who: Any) -> None:
    """What asks for step-up refuses a token, whatever its person may."""
    admin = await fresh_who("admin")
    everything = [p for g in (await admin.get("/auth/token-scopes"))["groups"] for p in g["permissions"]]
    api = program(app, (await make(admin, *everything))["token"])
    await api.put("/roles/1/second-factor", {"is_needed": True}, expect=403)


async def test_nobody_gives_a_token_more_than_they_have(person: Api) -> None:
    for wanted in ("audit:read", "sessions:own", "tokens:own", "roles:configure"):
        body = {"name": "x", "permissions": ["tickets:read", wanted], "expires_in_days": 1}
        refused = await person.post("/auth/tokens", body, expect=422)
        assert refused["errors"][0]["pointer"] == "/permissions/1", wanted


async def test_what_goes_on_later_may_no_more_than_the_token_did(app: Any, fresh_who: Any, fresh_database: Any) -> None:
    from waypost.tickets import bulk

    agent = await fresh_who("agent")
    listed = (await agent.get("/tickets", params={"limit": 100}))["items"]
    read = [await agent.get(f"/tickets/{t['id']}") for t in listed]
    one = next(t for t in read if "comment" in t["allowed_actions"])
    reads = program(app, (await make(agent, "tickets:read"))["token"])
    body = {"ticket_ids": [one["id"]], "action": {"type": "comment", "body": "By a program"}}
    done = await reads.post("/tickets/bulk", body, expect=None)
    await bulk.run_due(fresh_database)
    comments = (await agent.get(f"/tickets/{one['id']}/comments"))["items"]
    assert "By a program" not in [c["body"] for c in comments]
    assert done.status_code in (200, 202)
    await agent.post("/tickets/bulk", body)
    comments = (await agent.get(f"/tickets/{one['id']}/comments"))["items"]
    assert "By a program" in [c["body"] for c in comments], "the person may"


# --- how it ends ------------------------------------------------------------------------------------------------------


async def test_a_revoked_one_opens_nothing_a_second_later(app: Any, person: Api, fresh_who: Any) -> None:
    made = await make(person)
    api = program(app, made["token"])
    await api.get("/tickets")
    await (await fresh_who("colleague")).delete(f"/auth/tokens/{made['id']}", expect=404)
    await person.delete(f"/auth/tokens/{made['id']}")
    await api.get("/tickets", expect=401)
    await person.delete(f"/auth/tokens/{made['id']}", expect=404)


async def test_an_expired_one_opens_nothing(app: Any, person: Api, fresh_database: Any) -> None:
    made = await make(person, expires_in_days=1)
    async with fresh_database.transaction() as session:
        await session.execute(update(ApiToken).values(expires_at=now() - timedelta(seconds=1)))
    await program(app, made["token"]).get("/tickets", expect=401)
    assert (await person.get("/auth/tokens"))["items"] == []


async def test_who_leaves_takes_their_tokens_along(app: Any, fresh_who: Any, fresh_database: Any) -> None:
    colleague, admin = await fresh_who("colleague"), await fresh_who("admin")
    api = program(app, (await make(colleague))["token"])
    await api.get("/tickets")
    await admin.put(f"/users/{colleague.id}/active", {"is_active": False})
    await asyncio.sleep(1.1)
    await api.get("/tickets", expect=401)
    await admin.put(f"/users/{colleague.id}/active", {"is_active": True})
    await asyncio.sleep(1.1)
    await api.get("/tickets", expect=401)
    async with fresh_database.read() as session:
        row = (await session.scalars(select(EventRow).where(EventRow.type == "auth.token_revoked"))).one()
    assert row.data["reason"] == "deactivated"


async def test_it_loses_what_its_person_loses(app: Any, fresh_who: Any, fresh_database: Any) -> None:
    agent = await fresh_who("agent")
    api = program(app, (await make(agent, "tickets:read", "tickets:work"))["token"])
    assert "tickets:work" in (await api.get("/auth/me"))["permissions"]
    async with fresh_database.transaction() as session:
        await session.execute(
            text("DELETE FROM user_roles WHERE user_id = :id AND role_id = (SELECT id FROM roles WHERE key = 'agent')"),
            {"id": agent.id},
        )
    await asyncio.sleep(1.1)
    assert (await api.get("/auth/me"))["permissions"] == ["tickets:read"]


async def test_a_role_that_needs_a_second_factor_needs_it_for_tokens_too(
    app: Any, fresh_who: Any, fresh_database: Any
) -> None:
    agent = await fresh_who("agent")
    api = program(app, (await make(agent))["token"])
    async with fresh_database.transaction() as session:
        await session.execute(update(Role).where(Role.key == "agent").values(needs_second_factor=True))
    await asyncio.sleep(1.1)
    assert (await api.get("/tickets", expect=403))["code"] == "second_factor_needed"
    body = {"name": "x", "permissions": ["tickets:read"], "expires_in_days": 1}
    assert (await agent.post("/auth/tokens", body, expect=403))["code"] == "second_factor_needed"


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t[:-1] + ("a" if t[-1] != "a" else "b"),
        lambda t: t[:10] + ("a" if t[10] != "a" else "b") + t[11:],
        lambda t: t.replace("wp_pat_", "wp_svc_"),
        lambda t: t.upper(),
        lambda t: t + "x",
        lambda t: t[:-1],
        lambda t: t.replace("wp_pat_", ""),
        lambda t: "wp_pat_",
        lambda t: "wp_pat_" + "é" * 49,
        lambda _: keys.new_key(keys.PERSONAL),
    ],
)
async def test_tampered_ones_open_nothing(app: Any, who: Any, change: Any) -> None:
    person = await who("facilityagent")
    made = await make(person)
    changed = change(made["token"])
    answer = await program(app, "").get(
        "/tickets", expect=None, headers={"Authorization": f"Bearer {changed}".encode()}
    )
    assert answer.status_code == 401
    await person.delete(f"/auth/tokens/{made['id']}")


# --- making one -------------------------------------------------------------------------------------------------------


async def test_it_is_told_once_and_kept_as_a_hash(person: Api, fresh_database: Any) -> None:
    body = {"name": "Once", "permissions": READS, "expires_in_days": 7}
    first = await person.post("/auth/tokens", body, expect=201, headers={"Idempotency-Key": "k"})
    again = await person.post("/auth/tokens", body, expect=201, headers={"Idempotency-Key": "k"})
    assert again["id"] == first["id"]
    assert again["token"] is None
    async with fresh_database.read() as session:
        for table in ("api_tokens", "idempotency_keys", "events"):
            rows = (await session.execute(text(f"SELECT row_to_json(t)::text FROM {table} t"))).scalars()
            assert not any(first["token"] in row for row in rows), table
        kept = await session.scalar(text("SELECT body FROM idempotency_keys WHERE key = 'k'"))
    assert kept
    assert first["token"].encode() not in kept  # it stands sealed, and what is answered from it holds none, above
    (listed,) = (await person.get("/auth/tokens"))["items"]
    assert "token" not in listed


async def test_the_last_use_is_kept(app: Any, person: Api) -> None:
    made = await make(person)
    assert made["used_at"] is None
    await program(app, made["token"]).get("/tickets")
    (listed,) = (await person.get("/auth/tokens"))["items"]
    assert listed["used_at"]
    assert listed["used_from"] == "127.0.0.1"


async def test_there_are_at_most_twenty_also_when_made_at_once(person: Api) -> None:
    body = {"name": "x", "permissions": READS, "expires_in_days": 1}
    answers = await asyncio.gather(*(person.post("/auth/tokens", body, expect=None) for _ in range(24)))
    assert sorted(a.status_code for a in answers) == [201] * 20 + [409] * 4
    page = await person.get("/auth/tokens", params={"limit": 15})
    rest = await person.get("/auth/tokens", params={"limit": 15, "cursor": page["next_cursor"]})
    assert len({t["id"] for t in page["items"] + rest["items"]}) == 20


async def test_it_asks_for_a_fresh_proof(person: Api, fresh_database: Any) -> None:
    async with fresh_database.transaction() as session:
        await session.execute(text("UPDATE login_sessions SET proved_at = now() - interval '1 hour'"))
    body = {"name": "x", "permissions": READS, "expires_in_days": 1}
    assert (await person.post("/auth/tokens", body, expect=403))["code"] == "step_up_needed"


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 61},
        {"name": "\x00"},
        {"permissions": []},
        {"permissions": ["no:such"]},
        {"expires_in_days": 0},
        {"expires_in_days": 366},
        {"expires_in_days": 1e400},
        {"user_id": 1},
    ],
)
async def test_bad_wishes_are_refused(who: Any, wrong: dict[str, Any]) -> None:
    person = await who("hragent")
    body = {"name": "x", "permissions": READS, "expires_in_days": 1, **wrong}
    import json

    content = json.dumps(body).replace("Infinity", "1e400")
    answer = await person.http.post("/auth/tokens", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 422, answer.text
    assert (await person.get("/auth/tokens"))["items"] == []


async def test_administrators_see_and_revoke_all(app: Any, fresh_who: Any) -> None:
    person, admin = await fresh_who("employee"), await fresh_who("admin")
    made = await make(person)
    (listed,) = (await admin.get("/api-tokens"))["items"]
    assert listed["user"]["username"] == listed["made_by"]["username"] == "employee"
    assert "token" not in listed
    await person.get("/api-tokens", expect=403)
    await person.delete(f"/api-tokens/{made['id']}", expect=403)
    await admin.delete(f"/api-tokens/{made['id']}")
    await program(app, made["token"]).get("/tickets", expect=401)


def test_every_role_that_signs_in_may_have_them() -> None:
    for key in ("employee", "auditor", "admin"):
        assert Permission.TOKENS_OWN in SYSTEM_ROLES[key][1]
