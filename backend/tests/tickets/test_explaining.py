"""Why somebody sees a ticket: the explanation, the rule for one row and its SQL twin say the same."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tests.tickets.test_policy import DEPARTMENTS, PEOPLE, TEAMS, somebody, watchers
from waypost.access.actor import Actor
from waypost.access.permissions import Permission, Scope
from waypost.approvals.models import ApprovalStep
from waypost.approvals.standing_of import Part
from waypost.kernel.clock import now
from waypost.tickets import explaining, policy, sight
from waypost.tickets.explaining import Act
from waypost.tickets.lifecycle import Status
from waypost.tickets.models import Ticket
from waypost.tickets.queries import facts_by_id

P = Permission
ASKED_ABOUT = (
    P.TICKETS_READ,
    P.TICKETS_READ_CONFIDENTIAL,
    P.TICKETS_READ_INTERNAL,
    P.TICKETS_COMMENT,
    P.TICKETS_COMMENT_INTERNAL,
    P.TICKETS_WORK,
    P.APPROVALS_DECIDE,
)


def some_permissions(chance: random.Random) -> dict[Permission, Scope]:
    granted = {p: chance.choice([None, *Scope]) for p in ASKED_ABOUT}
    return {p: s for p, s in granted.items() if s is not None}


async def test_explanation_row_and_sql_agree(fresh_database: Any, fresh_who: Any) -> None:
    chance = random.Random(20261)
    at = now()
    until = {"starts_at": at.isoformat(), "ends_at": (at + timedelta(days=1)).isoformat(), "reason": "Away"}
    for name, delegate in (("manager", "colleague"), ("head", "finance1"), ("finance2", "colleague")):
        api, other = await fresh_who(name), await fresh_who(delegate)
        await api.post("/approvals/delegations", until | {"delegate_id": other.id}, expect=201)
    async with fresh_database.transaction() as session:
        for ticket in (await session.scalars(select(Ticket))).all():
            ticket.status = chance.choice(list(Status))
            ticket.requester_id = chance.choice(list(PEOPLE))
            ticket.assignee_id = chance.choice([None, *PEOPLE])
            ticket.team_id = chance.choice([None, *TEAMS])
            ticket.department_id = chance.choice([None, *DEPARTMENTS])
            ticket.created_by_id = chance.choice([ticket.requester_id, chance.choice(list(PEOPLE))])
            ticket.is_confidential = chance.random() < 0.5
            session.add_all(watchers(chance, ticket.id))
    told: set[tuple[Act, bool]] = set()
    rules: set[str] = set()
    async with fresh_database.read() as session:
        ids = list(await session.scalars(select(Ticket.id)))
        facts = await facts_by_id(session, ids)
        for _ in range(300):
            actor = somebody(chance, some_permissions(chance))
            by_sql = set(await session.scalars(select(Ticket.id).where(policy.visible_to(actor)), policy.values(actor)))
            for ticket_id in ids:
                answers = {a.act: a for a in explaining.explain(actor, facts[ticket_id])}
                said = {act: a.is_allowed for act, a in answers.items()}
                assert said == explaining.allowed(actor, facts[ticket_id]), (actor, facts[ticket_id])
                assert said[Act.READ] is (ticket_id in by_sql), (actor, facts[ticket_id])
                for act, answer in answers.items():
                    told.add((act, answer.is_allowed))
                    assert all(not g.missing for g in answer.because)
                    assert all(g.missing for g in answer.nearest)
                    assert bool(answer.because) is answer.is_allowed or answer.needs_sight
                    rules |= {g.rule for g in answer.because}
    assert told == {(act, b) for act in Act if act is not Act.DECIDE for b in (True, False)}
    assert rules == {r.key for r in sight.RULES}, "each rule was once the reason"


async def test_what_is_missing_is_all_that_is_missing(fresh_database: Any) -> None:
    """Given what the nearest ground lacks, they see it by that ground."""
    chance = random.Random(7)
    async with fresh_database.read() as session:
        ids = list(await session.scalars(select(Ticket.id)))
        facts = await facts_by_id(session, ids)
    tried = 0
    for _ in range(300):
        actor = somebody(chance, some_permissions(chance))
        ticket = facts[chance.choice(ids)]
        read = explaining.explain(actor, ticket)[0]
        for ground in read.nearest:
            more = dict(actor.permissions)
            for lack in ground.missing:
                if lack.permission is not None:
                    more[lack.permission] = lack.needed or Scope.OWN
            given = Actor(
                actor.user_id,
                actor.username,
                None,
                more,
                team_ids=actor.team_ids,
                department_ids=actor.department_ids,
                report_ids=actor.report_ids,
            )
            is_draft = any(m.lack is sight.Lack.SENT for m in ground.missing)
            now_by = {g.rule for g in explaining.explain(given, ticket)[0].because}
            assert (ground.rule in now_by) is not is_draft
            tried += 1
    assert tried > 50


def test_a_list_of_reports_leaves_out_what_only_a_team_would_see() -> None:
    """Somebody's teams say nothing while their permission does not reach so far."""
    actor = Actor(1, "x", None, {P.TICKETS_READ: Scope.LINE}, team_ids=frozenset({5}), report_ids=frozenset({2}))
    assert policy.way_through(actor, requester_ids=[2]) == "sent_open"
    assert policy.values(actor)["teams"] == []


@pytest.mark.parametrize(
    ("steps", "may", "sees", "glass", "allowed", "rules"),
    [
        ([], True, True, False, False, []),
        ([Part("S", 1, "PENDING", True, True, None)], True, True, False, True, ["approver"]),
        ([Part("S", 1, "PENDING", True, True, 9)], True, True, False, True, ["deputy"]),
        ([Part("S", 1, "PENDING", True, True, None)], False, True, False, False, ["approver"]),
        ([Part("S", 1, "PENDING", True, True, None)], True, False, False, False, []),
        ([Part("S", 1, "APPROVED", False, True, None)], True, True, False, False, ["answered"]),
        ([Part("S", 2, "WAITING", False, False, None)], True, True, False, False, ["later"]),
        ([], True, True, True, True, ["break_glass"]),
    ],
)
def test_deciding(steps: list[Part], may: bool, sees: bool, glass: bool, allowed: bool, rules: list[str]) -> None:
    actor = Actor(1, "x", None, {P.APPROVALS_DECIDE: Scope.OWN} if may else {})
    answer = explaining.deciding(actor, steps, may_see=sees, may_break_glass=glass)
    assert answer.is_allowed is allowed
    assert [g.rule for g in (*answer.because, *answer.nearest)] == rules
    assert answer.needs_sight is (not sees and bool(steps))


async def access(reader: Any, ticket_id: int, user_id: int) -> dict[str, Any]:
    told = await reader.get(f"/tickets/{ticket_id}/access", params={"user_id": user_id})
    return told | {"by_act": {a["act"]: a for a in told["answers"]}}


NAMES = ("employee", "manager", "head", "outsider", "agent", "hragent", "executive", "auditor", "admin", "finance1")


@pytest.mark.parametrize("is_confidential", [False, True])
async def test_what_is_told_is_what_they_can_do(who: Any, hardware: Any, database: Any, is_confidential: bool) -> None:
    """Everybody of the demo company, asked about by an administrator, and trying it themselves."""
    admin, employee = await who("admin"), await who("employee")
    ticket = await employee.post("/tickets", hardware("2500.00", is_confidential=is_confidential), expect=201)
    path = f"/tickets/{ticket['id']}"
    async with database.read() as session:
        asked = set(
            await session.scalars(select(ApprovalStep.approver_id).where(ApprovalStep.subject_id == ticket["id"]))
        )
    assert asked
    for name in NAMES:
        api = await who(name)
        told = (await access(admin, ticket["id"], api.id))["by_act"]
        seen = await api.get(path, expect=None)
        assert told["READ"]["is_allowed"] is (seen.status_code == 200), name
        if seen.status_code == 200:
            comment = await api.post(f"{path}/comments", {"body": "x"}, expect=None)
            assert told["COMMENT"]["is_allowed"] is (comment.status_code == 201), name
            secret = await api.post(f"{path}/comments", {"body": "x", "visibility": "INTERNAL"}, expect=None)
            assert told["COMMENT_INTERNAL"]["is_allowed"] is (secret.status_code == 201), name
            read = await api.get(f"{path}/comments", params={"limit": 100})
            if any(c["visibility"] == "INTERNAL" for c in read["items"]):
                assert told["READ_INTERNAL"]["is_allowed"], name
            flows = (await api.get(f"{path}/approvals"))["items"]
            verbs = [s["allowed_actions"] for f in flows for st in f["stages"] for s in st["steps"]]
            assert told["DECIDE"]["is_allowed"] is any(verbs), name
        assert told["DECIDE"]["is_allowed"] is (api.id in asked), name


async def test_the_grant_path_is_told(who: Any, hardware: Any) -> None:
    admin, employee, manager = await who("admin"), await who("employee"), await who("manager")
    outsider, agent = await who("outsider"), await who("agent")
    ticket = await employee.post("/tickets", hardware("500.00"), expect=201)
    told = await access(admin, ticket["id"], manager.id)
    read = told["by_act"]["READ"]
    assert [g["rule"] for g in read["because"]] == ["approver", "reports"]
    assert read["because"][1]["person"]["username"] == "employee"
    reading = {(r["key"], r["scope"]) for r in told["roles"] if r["permission"] == "tickets:read"}
    assert reading == {("employee", "OWN"), ("manager", "LINE")}
    (step,) = told["by_act"]["DECIDE"]["steps"]
    assert step["is_open"]
    told = await access(admin, ticket["id"], agent.id)
    assert told["by_act"]["WORK"]["because"][0]["team"]["name"] == "IT Support"
    told = await access(admin, ticket["id"], outsider.id)
    read = told["by_act"]["READ"]
    assert (read["is_allowed"], read["because"]) == (False, [])
    (nearest,) = read["nearest"]
    assert nearest["rule"] == "everything"
    assert nearest["missing"] == [{"lack": "SCOPE", "permission": "tickets:read", "needed": "ALL", "has": "OWN"}]
    assert told["ticket"]["ticket_number"] == ticket["ticket_number"]


async def test_a_deputy_is_told_as_one(who: Any, hardware: Any) -> None:
    admin, employee = await who("admin"), await who("employee")
    manager, colleague = await who("manager"), await who("finance2")
    at = now()
    lets = {
        "delegate_id": colleague.id,
        "reason": "Away",
        "starts_at": at.isoformat(),
        "ends_at": (at + timedelta(days=1)).isoformat(),
    }
    made = await manager.post("/approvals/delegations", lets, expect=201)
    ticket = await employee.post("/tickets", hardware("500.00"), expect=201)
    told = (await access(admin, ticket["id"], colleague.id))["by_act"]
    assert [g["rule"] for g in told["READ"]["because"]] == ["deputy"]
    assert told["DECIDE"]["is_allowed"]
    assert told["DECIDE"]["steps"][0]["on_behalf_of"]["username"] == "manager"
    await manager.delete(f"/approvals/delegations/{made['id']}", expect=None)
    told = (await access(admin, ticket["id"], colleague.id))["by_act"]
    assert not told["READ"]["is_allowed"]


async def test_who_may_ask(who: Any, hardware: Any) -> None:
    admin, employee, auditor = await who("admin"), await who("employee"), await who("auditor")
    ticket = await employee.post("/tickets", hardware("500.00", is_confidential=True), expect=201)
    path = f"/tickets/{ticket['id']}/access"
    await auditor.get(path, params={"user_id": employee.id})
    await (await who(None)).get(path, expect=401, params={"user_id": employee.id})
    await employee.get(path, expect=403, params={"user_id": employee.id})
    await admin.get(path, expect=422)
    await admin.get(path, expect=422, params={"user_id": "x"})
    await admin.get(path, expect=422, params={"user_id": 2**70})
    await admin.get(path, expect=404, params={"user_id": 987654321})
    await admin.get("/tickets/987654321/access", expect=404, params={"user_id": employee.id})


async def test_whoever_does_not_see_it_hears_nothing_of_others(
    app: Any, who: Any, hardware: Any, database: Any
) -> None:
    """Somebody who reads roles, and not this ticket."""
    from waypost.access.models import Role, RolePermission, UserRole
    from waypost.access.queries import actors

    employee, outsider = await who("employee"), await who("outsider")
    ticket = await employee.post("/tickets", hardware("500.00"), expect=201)
    async with database.transaction() as session:
        role = Role(key="looks_at_roles", name="Looks at roles")
        session.add(role)
        await session.flush()
        session.add(RolePermission(role_id=role.id, permission="roles:read", scope=9))
        session.add(UserRole(user_id=outsider.id, role_id=role.id))
    actors._kept.clear()
    hidden = await outsider.get(f"/tickets/{ticket['id']}/access", expect=404, params={"user_id": employee.id})
    missing = await outsider.get("/tickets/987654321/access", expect=404, params={"user_id": employee.id})
    assert {k: v for k, v in hidden.items() if k not in ("instance", "request_id")} == {
        k: v for k, v in missing.items() if k not in ("instance", "request_id")
    }
    async with database.transaction() as session:
        await session.delete(await session.get(Role, role.id))
    actors._kept.clear()


async def test_who_has_left_can_do_nothing(who: Any, hardware: Any, fresh_database: Any, fresh_who: Any) -> None:
    admin, employee, colleague = await fresh_who("admin"), await fresh_who("employee"), await fresh_who("colleague")
    ticket = await employee.post("/tickets", hardware("500.00"), expect=201)
    await admin.put(f"/users/{colleague.id}/active", {"is_active": False}, expect=None)
    told = await access(admin, ticket["id"], colleague.id)
    assert told["is_active"] is False
    assert not any(a["is_allowed"] for a in told["answers"])
