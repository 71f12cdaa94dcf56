"""Roles: what each permission reaches, roles that are changed, removed and given for a time, and what takes two."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update

from tests.conftest import Api
from waypost.access import grants
from waypost.access.actor import Actor
from waypost.access.models import HELD, LoginSession, Role, RoleChange, RoleRules, UserRole
from waypost.access.permissions import SYSTEM_ROLES, Permission, Scope
from waypost.access.providers.models import IdentityProvider
from waypost.access.queries import actors, actors_of_users, people_with_role
from waypost.access.reach import (
    KEPT_BY_ADMINISTRATORS,
    PLAIN_SCOPE,
    REACH,
    counts_as,
    faults,
    gains,
    gives_power,
    settled,
)
from waypost.access.roles import ensure_system_roles
from waypost.kernel.clock import now
from waypost.kernel.events import EventRow

P = Permission
_numbers = itertools.count(1)
permissions = st.dictionaries(st.sampled_from(list(Permission)), st.sampled_from(list(Scope)), max_size=8)


# --- pure -------------------------------------------------------------------------------------------------------------


@given(permissions)
def test_what_is_settled_has_no_fault_but_a_scope_that_says_nothing(granted: dict[Permission, Scope]) -> None:
    wrong = {f.permission for f in faults("x", settled(granted))}
    assert wrong == {p for p, s in granted.items() if p in REACH and s not in REACH[p]}
    assert all(s is PLAIN_SCOPE for p, s in settled(granted).items() if p not in REACH)


@given(permissions)
def test_an_administrator_keeps_what_puts_a_house_in_order(granted: dict[Permission, Scope]) -> None:
    wrong = {f.permission for f in faults("admin", settled(granted))}
    assert KEPT_BY_ADMINISTRATORS - granted.keys() <= wrong
    everything = settled(SYSTEM_ROLES["admin"][1])
    assert faults("admin", everything) == []


@given(permissions, permissions, permissions)
def test_who_gains_can_do_something_they_could_not(
    elsewhere: dict[Permission, Scope], before: dict[Permission, Scope], after: dict[Permission, Scope]
) -> None:
    def together(*parts: dict[Permission, Scope]) -> dict[Permission, Scope]:
        words = {p for part in parts for p in part}
        return {p: max(part[p] for part in parts if p in part) for p in words}

    had, has = together(elsewhere, before), together(elsewhere, after)
    does = any(p not in had or had[p] < s for p, s in has.items())
    assert gains(had, before, after) is does


def test_every_system_role_grants_what_makes_a_difference() -> None:
    for key, (_, granted) in SYSTEM_ROLES.items():
        for permission, scope in granted.items():
            assert counts_as(permission, scope) is not None, (key, permission)
            if key != "admin" and permission in REACH:
                assert scope in REACH[permission], (key, permission)
    assert counts_as(P.TICKETS_WORK, Scope.OWN) is None
    assert counts_as(P.TICKETS_WORK, Scope.DEPARTMENT) is Scope.TEAM
    assert gives_power({P.ROLES_CONFIGURE: Scope.ALL}, is_marked=False)
    assert gives_power({}, is_marked=True)
    assert not gives_power({P.TICKETS_READ: Scope.ALL}, is_marked=False)


def test_each_scope_that_is_offered_makes_a_difference() -> None:
    """Against the policies themselves: what is offered changes an answer, what is not changes none."""
    from waypost.approvals import policy as approvals
    from waypost.approvals.models import ApprovalWorkflow
    from waypost.tickets import desk_policy, policy
    from waypost.tickets.lifecycle import Status

    def ticket(requester: int, team: int, department: int, *, is_confidential: bool = False) -> policy.TicketFacts:
        return policy.TicketFacts(
            Status.APPROVED, requester, None, team, department, frozenset(), is_confidential=is_confidential
        )

    # about a report, of one's team, about one's department, about none of these
    tickets = [ticket(2, 50, 60), ticket(9, 5, 60), ticket(9, 50, 6), ticket(9, 50, 60)]
    kept = [ticket(2, 50, 60, is_confidential=True), ticket(9, 50, 6, is_confidential=True)]
    kept.append(ticket(9, 50, 60, is_confidential=True))
    workflows = [
        ApprovalWorkflow(barred_ids=[], subject={"requester_id": t.requester_id, "department_id": t.department_id})
        for t in tickets
    ]

    def actor(granted: dict[Permission, Scope]) -> Actor:
        sets = {"team_ids": frozenset({5}), "department_ids": frozenset({6}), "report_ids": frozenset({2})}
        return Actor(1, "x", None, granted, **sets)

    reads = {P.TICKETS_READ: Scope.ALL}
    asked = {
        P.APPROVALS_BREAK_GLASS: lambda a: [approvals.may_break_glass(a, w) for w in workflows],
        P.TICKETS_ASSIGN: lambda a: [policy.may_assign(a, t) for t in tickets],
        P.TICKETS_COMMENT_INTERNAL: lambda a: [policy.may_comment_internally(a, t) for t in tickets],
        P.TICKETS_CREATE: lambda a: [policy.may_ask_for(a, t.requester_id, t.department_id) for t in tickets],
        P.TICKETS_IMPORT: lambda a: [desk_policy.may_import(a, t.team_id) for t in tickets],
        P.TICKETS_MANAGE_REPLIES: lambda a: [desk_policy.may_edit_reply(a, None, t.team_id) for t in tickets],
        P.TICKETS_READ: lambda a: [policy.may_read(a, t) for t in tickets],
        P.TICKETS_READ_CONFIDENTIAL: lambda a: [policy.may_read(a, t) for t in kept],
        P.TICKETS_READ_INTERNAL: lambda a: [policy.may_see_internal(a, t) for t in tickets],
        P.TICKETS_WORK: lambda a: [bool(policy.parts_of(a, t)) for t in tickets],
    }
    for permission, ask in asked.items():
        also = reads if permission is P.TICKETS_READ_CONFIDENTIAL else {}
        answers = [ask(actor({**also, permission: s})) for s in Scope]
        differs = [s for n, s in enumerate(Scope) if n and answers[n] != answers[n - 1]]
        offered = REACH[permission]
        nothing = ask(actor(also))
        first = [Scope.OWN] if answers[0] != nothing or permission in (P.TICKETS_READ, P.TICKETS_CREATE) else []
        assert tuple(first + differs) == offered, permission
    for permission in Permission:
        assert permission in asked or permission not in REACH or permission is P.ABSENCES_SET, permission


def test_whoever_reads_who_has_a_role_leaves_out_what_has_ended() -> None:
    package = Path(__file__).parents[2] / "waypost"
    reading = re.compile(r"(?:FROM|JOIN) user_roles\b")
    asked = 0
    for file in package.rglob("*.py"):
        if "migrations" in file.parts:
            continue
        words = file.read_text()
        statements = len(reading.findall(words))
        asked += statements
        assert words.count("{HELD}") >= statements, f"{file.name}: say HELD for each user_roles"
        joins = len(re.findall(r"\.join\(UserRole\b|select\(UserRole\b", words))
        own = file.name in ("grants.py", "role_queries.py", "models.py")  # these look at what has ended as well
        assert own or len(re.findall(r"\bheld\(\)", words)) >= joins, f"{file.name}: say held() for each UserRole"
    assert asked >= 5
    assert "expires_at" in HELD


# --- over HTTP --------------------------------------------------------------------------------------------------------


@pytest.fixture
async def admin(app: Any, database: Any) -> AsyncIterator[Api]:
    """An administrator just signed in; what was set for everybody is as before afterwards."""
    api = await Api(app, "admin").sign_in()
    yield api
    async with database.transaction() as session:
        await session.execute(update(RoleRules).values(needs_two=False))
        await session.execute(delete(RoleChange))
        await session.execute(delete(Role).where(Role.is_system.is_(False)))
        roles = {r.key: r.id for r in await session.scalars(select(Role))}
        admin_id = api.id
        await session.execute(delete(UserRole).where(UserRole.role_id == roles["admin"], UserRole.user_id != admin_id))
        await session.execute(update(UserRole).where(UserRole.role_id == roles["admin"]).values(expires_at=None))
    actors._kept.clear()
    await api.http.aclose()


@pytest.fixture
async def second(app: Any, admin: Api, database: Any) -> AsyncIterator[Api]:
    """A second administrator."""
    api = await Api(app, "hragent").sign_in()
    async with database.transaction() as session:
        role_id = await session.scalar(select(Role.id).where(Role.key == "admin"))
        session.add(UserRole(user_id=api.id, role_id=role_id))
    actors._kept.clear()
    yield api
    await api.http.aclose()


async def role(api: Api, key: str) -> dict[str, Any]:
    items = (await api.get("/roles", params={"limit": 100}))["items"]
    return next(r for r in items if r["key"] == key)


async def new_role(api: Api, expect: int = 201, **more: Any) -> dict[str, Any]:
    n = next(_numbers)
    body = {"key": f"made_{n}", "name": f"Made {n}", "permissions": {"tickets:read": "TEAM"}}
    return dict(await api.post("/roles", body | more, expect=expect))


def as_update(r: dict[str, Any], **more: Any) -> dict[str, Any]:
    kept = ("version", "name", "description", "is_privileged", "permissions")
    return {k: r[k] for k in kept} | more


async def last_event(database: Any, type_: str) -> EventRow:
    async with database.read() as session:
        kept = select(EventRow).where(EventRow.type == type_).order_by(EventRow.id.desc()).limit(1)
        return (await session.scalars(kept)).one()


async def test_permissions_say_how_far_they_reach(who: Any) -> None:
    items = {i["permission"]: i for i in (await (await who("auditor")).get("/permissions"))["items"]}
    assert items["tickets:read"]["scopes"] == ["OWN", "LINE", "TEAM", "DEPARTMENT", "ALL"]
    assert items["audit:read"] | {"label_key": ""} == {
        "permission": "audit:read",
        "room": "audit",
        "label_key": "",
        "scopes": [],
        "is_privileged": True,
        "is_kept_by_administrators": False,
    }
    assert items.keys() == {p.value for p in Permission}
    await (await who("employee")).get("/permissions", expect=403)


async def test_a_role_is_changed_as_it_was_read(admin: Api, database: Any) -> None:
    made = await new_role(admin)
    assert (made["version"], made["people_count"], made["change"]) == (1, 0, None)
    assert made["allowed_actions"] == ["edit", "grant", "remove"]
    path = f"/roles/{made['id']}"
    wanted = as_update(made, permissions={"tickets:read": "ALL", "audit:read": "OWN"}, description="Looks on")
    done = (await admin.put(path, wanted))["role"]
    assert done["permissions"] == {"tickets:read": "ALL", "audit:read": "ALL"}, "a plain one is had or not"
    assert (done["version"], done["gives_power"], done["description"]) == (2, True, "Looks on")
    event = await last_event(database, "role.changed")
    assert event.data["before"]["permissions"] == {"audit:read": None, "tickets:read": "TEAM"}
    assert event.data["after"]["permissions"] == {"audit:read": "ALL", "tickets:read": "ALL"}
    stale = await admin.put(path, wanted, expect=412)
    assert stale["code"] == "stale_version"
    same = (await admin.put(path, as_update(done)))["role"]
    assert same["version"] == 2, "the same again changes nothing"
    assert (await admin.http.get(path)).headers["etag"] == '"2"'


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"permissions": {"tickets:work": "OWN"}}, "/permissions/tickets:work"),
        ({"permissions": {"tickets:fly": "OWN"}}, "/permissions/tickets:fly"),
        ({"permissions": {"tickets:read": "SOME"}}, "/permissions/tickets:read"),
        ({"name": "x" * 10_000}, "/name"),
        ({"name": "\u0000"}, "/name"),
        ({"is_privileged": 1}, "/is_privileged"),
        ({"version": 2**40}, "/version"),
        ({"strange": 1}, "/strange"),
    ],
)
async def test_a_bad_role_is_refused_where_it_is_wrong(admin: Api, more: dict[str, Any], pointer: str) -> None:
    made = await new_role(admin)
    wrong = await admin.put(f"/roles/{made['id']}", as_update(made, **more), expect=None)
    assert wrong.status_code == 422
    if "\u0000" not in str(more):
        assert any(e["pointer"].startswith(pointer) for e in wrong.json()["errors"]), wrong.json()
    assert (await role(admin, made["key"]))["version"] == 1


async def test_the_administrator_stays_one(admin: Api, database: Any) -> None:
    r = await role(admin, "admin")
    for word in ("roles:configure", "directory:configure"):
        fewer = {k: v for k, v in r["permissions"].items() if k != word}
        wrong = await admin.put(f"/roles/{r['id']}", as_update(r, permissions=fewer), expect=422)
        assert wrong["errors"][0]["pointer"] == f"/permissions/{word}"
    path = f"/roles/{r['id']}"
    assert (await admin.delete(path, expect=409))["code"] == "role_is_system"
    assert (await admin.delete(f"{path}/people/{admin.id}", expect=409))["code"] == "last_administrator"
    soon = (now() + timedelta(days=1)).isoformat()
    for_a_time = {"user_id": admin.id, "expires_at": soon}
    assert (await admin.post(f"{path}/people", for_a_time, expect=409))["code"] == "last_administrator"
    # somebody who administers for a time does not make it safe
    other = await admin.get("/people", params={"q": "finance1"})
    await admin.post(f"{path}/people", {"user_id": other["items"][0]["id"], "expires_at": soon}, expect=201)
    assert (await admin.delete(f"{path}/people/{admin.id}", expect=409))["code"] == "last_administrator"


async def test_two_administrators_who_take_it_from_each_other(admin: Api, second: Api) -> None:
    r = await role(admin, "admin")
    answers = await asyncio.gather(
        admin.delete(f"/roles/{r['id']}/people/{second.id}", expect=None),
        second.delete(f"/roles/{r['id']}/people/{admin.id}", expect=None),
    )
    assert sorted(a.status_code for a in answers) in ([204, 403], [204, 409])
    assert (await (admin if answers[0].status_code == 204 else second).get("/roles"))["items"]
    if answers[1].status_code == 204:  # the fixture cleans up as the first
        await second.post(f"/roles/{r['id']}/people", {"user_id": admin.id}, expect=201)


async def test_a_role_for_a_time_ends_by_itself(admin: Api, app: Any, database: Any) -> None:
    made = await new_role(admin, permissions={"audit:read": "ALL"})
    colleague = await Api(app, "colleague").sign_in()
    await colleague.get("/audit", expect=403)
    until = now() + timedelta(seconds=1.2)
    grant = {"user_id": colleague.id, "expires_at": until.isoformat(), "reason": "The yearly review"}
    given = (await admin.post(f"/roles/{made['id']}/people", grant, expect=201))["grant"]
    assert (given["reason"], given["granted_by"]["username"]) == ("The yearly review", "admin")
    actors._kept.clear()
    await colleague.get("/audit")
    mine = (await admin.get(f"/users/{colleague.id}/roles"))["items"]
    assert [g["role"]["key"] for g in mine if g["expires_at"]] == [made["key"]]
    assert (await role(admin, made["key"]))["people_count"] == 1
    while now() < until:
        await colleague.get("/audit", expect=None)  # what is kept in the process is kept warm
        await asyncio.sleep(0.05)
    await colleague.get("/audit", expect=403)
    # nowhere, though the row still stands there
    async with database.read() as session:
        assert await session.scalar(select(func.count()).where(UserRole.role_id == made["id"])) == 1
        actor = (await actors_of_users(session, [colleague.id]))[colleague.id]
        assert made["key"] not in actor.roles
        assert not actor.may(Permission.AUDIT_READ)
        assert await people_with_role(session, made["key"]) == []
    assert (await role(admin, made["key"]))["people_count"] == 0
    assert (await admin.get(f"/roles/{made['id']}/people"))["items"] == []
    assert (await admin.delete(f"/roles/{made['id']}/people/{colleague.id}", expect=404))["code"] == "grant_not_found"
    await grants.end_due(database)
    ended = await last_event(database, "role.grant_expired")
    assert (ended.object_id, ended.data["role"], ended.actor_id) == (colleague.id, made["key"], None)
    async with database.read() as session:
        assert await session.scalar(select(func.count()).where(UserRole.role_id == made["id"])) == 0


async def test_who_has_a_role_until_soon_is_told_once(admin: Api, who: Any, database: Any) -> None:
    made = await new_role(admin)
    colleague = await who("colleague")
    until = now() + timedelta(days=3)
    body = {"user_id": colleague.id, "expires_at": until.isoformat()}
    await admin.post(f"/roles/{made['id']}/people", body, expect=201)

    async def warnings() -> int:
        await grants.end_due(database)
        async with database.read() as session:
            mine = (EventRow.type == "role.grant_ending", EventRow.data["role"].astext == made["key"])
            return int(await session.scalar(select(func.count()).where(*mine)) or 0)

    assert await warnings() == 0
    async with database.transaction() as session:
        closer = {"expires_at": now() + timedelta(hours=20), "granted_at": now() - timedelta(days=9)}
        await session.execute(update(UserRole).where(UserRole.role_id == made["id"]).values(**closer))
    assert await warnings() == 1
    assert await warnings() == 1


async def test_an_end_is_told_a_week_and_a_day_before(admin: Api, who: Any, database: Any) -> None:
    made = await new_role(admin)
    colleague = await who("colleague")
    until = now() + timedelta(days=30)
    await admin.post(
        f"/roles/{made['id']}/people", {"user_id": colleague.id, "expires_at": until.isoformat()}, expect=201
    )

    async def told(**values: Any) -> int:
        async with database.transaction() as session:
            await session.execute(update(UserRole).where(UserRole.role_id == made["id"]).values(**values))
        for _ in range(2):
            await grants.end_due(database)
        async with database.read() as session:
            mine = (EventRow.type == "role.grant_ending", EventRow.data["role"].astext == made["key"])
            return int(await session.scalar(select(func.count()).where(*mine)) or 0)

    since = now() - timedelta(days=30)
    assert await told(granted_at=since) == 0
    assert await told(expires_at=now() + timedelta(days=6)) == 1, "within a week"
    assert await told(expires_at=now() + timedelta(hours=23), told_at=now() - timedelta(days=6)) == 2, "within a day"
    late = {"expires_at": now() + timedelta(hours=23), "told_at": None}
    assert await told(**late) == 3, "nothing ran for a week: once, not twice"
    ending = await last_event(database, "role.grant_ending")
    assert ending.data["granted_by_id"] == admin.id


async def test_what_a_provider_gives_is_not_taken_here(admin: Api, who: Any, database: Any) -> None:
    made = await new_role(admin)
    colleague = await who("colleague")
    at = now()
    async with database.transaction() as session:
        rules = {"links_by": "NONE", "creates_people": False, "updates_people": False, "version": 1}
        said = {"key": "house", "kind": "oidc", "name": "House", "is_on": True, "settings": {}}
        provider = IdentityProvider(**said, **rules, created_at=at, updated_at=at)
        session.add(provider)
        await session.flush()
        session.add(UserRole(user_id=colleague.id, role_id=made["id"], provider_id=provider.id, granted_at=at))
    theirs = await admin.get(f"/users/{colleague.id}/roles")
    assert theirs["allowed_actions"] == ["give"]
    (grant,) = [g for g in theirs["items"] if g["role"]["id"] == made["id"]]
    assert (grant["provider"]["name"], grant["granted_by"], grant["allowed_actions"]) == ("House", None, [])
    assert {tuple(g["allowed_actions"]) for g in theirs["items"] if g["provider"] is None} == {("take",)}
    refused = await admin.delete(f"/roles/{made['id']}/people/{colleague.id}", expect=409)
    assert refused["code"] == "given_by_provider"
    # by hand it is theirs, whatever the provider says from now on
    await admin.post(f"/roles/{made['id']}/people", {"user_id": colleague.id}, expect=201)
    await admin.delete(f"/roles/{made['id']}/people/{colleague.id}")
    async with database.transaction() as session:
        await session.execute(delete(IdentityProvider).where(IdentityProvider.key == "house"))


async def test_what_waits_says_for_whom(admin: Api, second: Api, who: Any) -> None:
    made = await new_role(admin, permissions={"audit:read": "ALL"})
    await both(admin)
    colleague = await who("colleague")
    await admin.post(f"/roles/{made['id']}/people", {"user_id": colleague.id, "reason": "Covers"}, expect=201)
    theirs = await admin.get(f"/users/{colleague.id}/roles")
    (waits,) = theirs["waiting"]
    assert (waits["role"]["id"], waits["reason"], theirs["needs_two"]) == (made["id"], "Covers", True)
    assert [p["id"] for p in waits["waits_for"]] == [second.id], "not who asked"
    # whom it is for does not confirm it either
    await admin.post(f"/roles/{made['id']}/people", {"user_id": second.id}, expect=409)
    assert (await (await who("auditor")).get(f"/users/{colleague.id}/roles"))["allowed_actions"] == []
    await second.post(f"/role-changes/{waits['id']}/refuse")
    assert (await admin.get(f"/users/{colleague.id}/roles"))["waiting"] == []


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"user_id": 2**61}, "/user_id"),
        ({"user_id": 2**70}, "/user_id"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "/expires_at"),
        ({"expires_at": "9998-01-01T00:00:00Z"}, "/expires_at"),
        ({"expires_at": "9999-12-31T00:00:00Z"}, "/expires_at"),
        ({"expires_at": "soon"}, "/expires_at"),
        ({"reason": "x" * 10_000}, "/reason"),
    ],
)
async def test_a_bad_grant_is_refused(admin: Api, who: Any, more: dict[str, Any], pointer: str) -> None:
    made = await new_role(admin)
    body = {"user_id": (await who("colleague")).id} | more
    wrong = await admin.post(f"/roles/{made['id']}/people", body, expect=422)
    assert wrong["errors"][0]["pointer"] == pointer
    assert (await role(admin, made["key"]))["people_count"] == 0


async def test_a_role_goes_and_its_people_move(admin: Api, who: Any, database: Any) -> None:
    old, new = await new_role(admin), await new_role(admin)
    people = [(await who(name)).id for name in ("colleague", "employee")]
    until = (now() + timedelta(days=30)).isoformat()
    await admin.post(f"/roles/{old['id']}/people", {"user_id": people[0], "expires_at": until}, expect=201)
    await admin.post(f"/roles/{old['id']}/people", {"user_id": people[1]}, expect=201)
    await admin.post(f"/roles/{new['id']}/people", {"user_id": people[1]}, expect=201)
    path = f"/roles/{old['id']}"
    await admin.delete(path, params={"move_to": old["id"]}, expect=422)
    await admin.delete(path, params={"move_to": 987654321}, expect=422)
    await admin.delete(path, params={"move_to": new["id"]}, expect=200)
    await admin.get(path, expect=404)
    moved = {g["user"]["id"]: g["expires_at"] for g in (await admin.get(f"/roles/{new['id']}/people"))["items"]}
    assert moved.keys() == set(people)
    assert moved[people[0]] is not None, "until the same end"
    assert moved[people[1]] is None
    event = await last_event(database, "role.removed")
    assert (event.data["people"], event.data["moved_to_id"]) == (2, new["id"])


async def test_a_role_a_workflow_asks_stays(admin: Api) -> None:
    made = await new_role(admin)
    stage = {"name": "Look", "approvers": [{"kind": "ROLE", "role": made["key"]}]}
    never = {"all": [{"field": "ticket_type", "op": "eq", "value": "NO_SUCH_TYPE"}]}
    body = {"name": "Asks it", "condition": never, "stages": [stage]}
    await admin.post("/approval-workflows", body, expect=201)
    refused = await admin.delete(f"/roles/{made['id']}", expect=409)
    assert refused["code"] == "role_in_use"
    assert "Asks it" in refused["detail"]


async def test_pages_of_people_by_name(admin: Api) -> None:
    r = await role(admin, "employee")
    found, cursor = [], None
    while True:
        page = await admin.get(
            f"/roles/{r['id']}/people", params={"limit": 3, **({"cursor": cursor} if cursor else {})}
        )
        found += [(g["user"]["id"], g["is_active"]) for g in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(found) == len(set(found))
    assert sum(is_active for _, is_active in found) == r["people_count"]


async def test_who_may(who: Any, admin: Api) -> None:
    made = await new_role(admin)
    path, body = f"/roles/{made['id']}", as_update(made)
    for username, reads in (("employee", False), ("auditor", True), ("agent", False)):
        api = await who(username)
        for address in ("/roles", path, f"{path}/people", "/role-rules", "/role-changes", f"/users/{admin.id}/roles"):
            await api.get(address, expect=200 if reads else 403)
        await api.put(path, body, expect=403)
        await api.post(f"{path}/people", {"user_id": api.id}, expect=403)
        await api.delete(f"{path}/people/{api.id}", expect=403)
        await api.delete(path, expect=403)
        await api.put("/role-rules", {"needs_two": True, "version": 1}, expect=403)
        await api.post("/role-changes/1/confirm", expect=403)
    for address in ("/roles/987654321", "/roles/987654321/people", "/role-changes/987654321", "/users/987654321/roles"):
        await admin.get(address, expect=404)


async def test_a_long_signed_in_administrator_shows_first_that_it_is_them(admin: Api, database: Any) -> None:
    made = await new_role(admin)
    async with database.transaction() as session:
        old = now() - timedelta(minutes=6)
        own = select(func.max(LoginSession.id)).where(LoginSession.user_id == admin.id).scalar_subquery()
        await session.execute(update(LoginSession).where(LoginSession.id == own).values(proved_at=old))
    asked = await admin.put(f"/roles/{made['id']}", as_update(made, name="Other"), expect=403)
    assert asked["code"] == "step_up_needed"


# --- what takes two ---------------------------------------------------------------------------------------------------


async def both(admin: Api) -> int:
    """Let it take two; the rule's version."""
    rules = await admin.get("/role-rules")
    changed = await admin.put("/role-rules", {"needs_two": True, "version": rules["version"]})
    assert changed["needs_two"]
    return int(changed["version"])


async def test_one_alone_hears_that_nobody_can_confirm(admin: Api) -> None:
    rules = await admin.get("/role-rules")
    assert (rules["needs_two"], rules["others"]) == (False, 0)
    refused = await admin.put("/role-rules", {"needs_two": True, "version": rules["version"]}, expect=409)
    assert refused["code"] == "nobody_to_confirm"
    assert "second administrator" in refused["detail"]


async def test_what_gives_power_waits_for_another(admin: Api, second: Api, who: Any, database: Any) -> None:
    made = await new_role(admin)
    await both(admin)
    path = f"/roles/{made['id']}"
    renamed = (await admin.put(path, as_update(made, name="Only a name")))["role"]
    assert renamed["version"] == 2, "a name gives no power"
    done = await admin.put(path, as_update(renamed, permissions={"audit:read": "ALL"}, reason="Reviews"))
    change = done["change"]
    assert done["role"]["permissions"] == {"tickets:read": "TEAM"}, "not in force yet"
    assert (change["before"]["permissions"], change["after"]["permissions"]) == (
        {"tickets:read": "TEAM"},
        {"audit:read": "ALL"},
    )
    assert change["allowed_actions"] == ["refuse"]
    again = await admin.put(path, as_update(renamed, permissions={"audit:read": "ALL"}), expect=409)
    assert again["code"] == "role_change_waits"
    assert (await admin.post(f"/role-changes/{change['id']}/confirm", expect=403))["code"] == "another_must"
    (open_one,) = (await second.get("/role-changes"))["items"]
    assert open_one["allowed_actions"] == ["confirm", "refuse"]
    answers = await asyncio.gather(
        *(second.post(f"/role-changes/{change['id']}/confirm", expect=None) for _ in range(5))
    )
    assert sorted(a.status_code for a in answers) == [200, 404, 404, 404, 404]
    assert (await role(admin, made["key"]))["permissions"] == {"audit:read": "ALL"}
    event = await last_event(database, "role.changed")
    assert (event.actor_id, event.data["asked_by_id"]) == (second.id, admin.id)
    (settled_one,) = (await admin.get("/role-changes", params={"state": "settled"}))["items"]
    assert (settled_one["outcome"], settled_one["settled_by"]["id"]) == ("CONFIRMED", second.id)
    # now it gives power: whoever gets it needs two as well
    colleague = await who("colleague")
    given = await admin.post(f"{path}/people", {"user_id": colleague.id}, expect=201)
    assert (given["grant"], given["change"]["kind"]) == (None, "GRANT")
    await second.post(f"/role-changes/{given['change']['id']}/confirm")
    (grant,) = (await admin.get(f"{path}/people"))["items"]
    assert (grant["user"]["id"], grant["granted_by"]["id"]) == (colleague.id, admin.id)
    await admin.delete(f"{path}/people/{colleague.id}"), "taking power away does not wait"


async def test_whoever_gains_does_not_confirm(admin: Api, second: Api) -> None:
    made = await new_role(admin, permissions={"audit:read": "ALL"})
    await both(admin)
    path = f"/roles/{made['id']}/people"
    alone = await admin.post(path, {"user_id": second.id}, expect=409)
    assert alone["code"] == "nobody_to_confirm", "the only other one is the one who gains"
    asked = (await admin.post(path, {"user_id": admin.id}, expect=201))["change"]
    assert asked["allowed_actions"] == ["refuse"]
    await second.post(f"/role-changes/{asked['id']}/confirm")


async def test_new_roles_grant_nothing_before_they_are_confirmed(admin: Api, second: Api) -> None:
    await both(admin)
    made = await new_role(admin, permissions={"tickets:read_confidential": "ALL"})
    assert made["permissions"] == {}
    assert made["change"]["after"]["permissions"] == {"tickets:read_confidential": "ALL"}
    refused = await second.post(f"/role-changes/{made['change']['id']}/refuse")
    assert refused["outcome"] == "REFUSED"
    assert (await role(admin, made["key"]))["permissions"] == {}
    # a person made with a role that gives power would be a way around
    n = next(_numbers)
    body = {"username": f"around{n}", "email": f"around{n}@example.com", "first_name": "A", "last_name": "B"}
    assert (await admin.post("/users", body | {"roles": ["admin"]}, expect=409))["code"] == "two_needed"
    await admin.post("/users", body, expect=201)


async def test_what_was_asked_upon_another_role_is_not_put_into_force(admin: Api, second: Api) -> None:
    made = await new_role(admin)
    await both(admin)
    path = f"/roles/{made['id']}"
    change = (await admin.put(path, as_update(made, permissions={"audit:read": "ALL"})))["change"]
    await second.put(path, as_update(made, name="Meanwhile"))
    assert (await second.get(f"/role-changes/{change['id']}"))["is_outdated"]
    late = await second.post(f"/role-changes/{change['id']}/confirm", expect=409)
    assert late["code"] == "role_change_outdated"
    dropped = await admin.post(f"/role-changes/{change['id']}/refuse")
    assert dropped["outcome"] == "DROPPED"


async def test_an_asker_who_is_none_any_more_and_a_change_too_old(admin: Api, second: Api, database: Any) -> None:
    made = await new_role(admin)
    await both(admin)
    path, r = f"/roles/{made['id']}", await role(admin, "admin")
    change = (await second.put(path, as_update(made, permissions={"audit:read": "ALL"})))["change"]
    async with database.transaction() as session:
        gone = update(UserRole).where(UserRole.role_id == r["id"], UserRole.user_id == second.id)
        await session.execute(gone.values(expires_at=now() - timedelta(seconds=1)))
    assert (await admin.post(f"/role-changes/{change['id']}/confirm", expect=403))["code"] == "another_must"
    async with database.transaction() as session:
        await session.execute(update(RoleChange).values(expires_at=now() - timedelta(seconds=1)))
    await admin.post(f"/role-changes/{change['id']}/confirm", expect=404)
    (old,) = (await admin.get("/role-changes", params={"state": "settled"}))["items"]
    assert (old["outcome"], old["allowed_actions"]) == ("EXPIRED", [])


async def test_that_it_takes_two_takes_two_to_end(admin: Api, second: Api, database: Any) -> None:
    version = await both(admin)
    waiting = await admin.put("/role-rules", {"needs_two": False, "version": version, "reason": "Too slow"})
    assert (waiting["needs_two"], waiting["waits"]) == (True, True)
    (change,) = (await second.get("/role-changes"))["items"]
    assert (change["kind"], change["reason"]) == ("RULE", "Too slow")
    await admin.post(f"/role-changes/{change['id']}/confirm", expect=403)
    await second.post(f"/role-changes/{change['id']}/confirm")
    assert (await admin.get("/role-rules"))["needs_two"] is False
    assert (await last_event(database, "role.rules_changed")).data == {"needs_two": False}


async def test_a_new_release_keeps_what_was_decided(fresh_database: Any) -> None:
    async with fresh_database.transaction() as session:
        agent = (await session.scalars(select(Role).where(Role.key == "agent"))).one()
        kept = (await session.scalars(select(RoleRules))).one()
        assert set(kept.known) == {p.value for p in Permission}
        from waypost.access.models import RolePermission

        await session.execute(delete(RolePermission).where(RolePermission.role_id == agent.id))
        agent.version = 2
        kept.known = [w for w in kept.known if w != "tickets:assign"]  # as if it were new with this release
        await session.flush()
        await ensure_system_roles(session)
        words = await session.scalars(select(RolePermission.permission).where(RolePermission.role_id == agent.id))
        assert list(words) == ["tickets:assign"]


def test_the_instant_a_role_ends_is_the_first_without_it() -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    actor = Actor(1, "x", None, {}, good_until=at)
    assert actor.is_good(at - timedelta(microseconds=1))
    assert not actor.is_good(at)
    assert Actor(1, "x", None, {}).is_good(at)
