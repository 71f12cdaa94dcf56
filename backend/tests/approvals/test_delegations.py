"""Standing delegations over HTTP: who may make them, what a deputy may, what both are told, and what ends them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from waypost.approvals import delegating
from waypost.approvals.deputy_models import ApprovalDelegation, ApprovalDeputy
from waypost.directory.models import Absence
from waypost.kernel import relay
from waypost.kernel.clock import clock, rfc3339
from waypost.kernel.events import EventRow
from waypost.notifications.models import Delivery
from waypost.notifications.rendering import mail_of
from waypost.notifications.words import words_of
from waypost.search.following import run_all

REASON = "Okapi surgery"


@pytest.fixture(autouse=True)
async def _no_delegations(database: Any) -> AsyncIterator[None]:
    yield
    async with database.transaction() as session:
        await session.execute(delete(ApprovalDeputy))
        await session.execute(delete(ApprovalDelegation))
        await session.execute(delete(Absence))


def terms(delegate: Any, start: float = 0, end: float = 24, **more: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "delegate_id": delegate.id,
        "starts_at": rfc3339(now + timedelta(hours=start)),
        "ends_at": rfc3339(now + timedelta(hours=end)),
        **more,
    }


async def let(delegator: Any, delegate: Any, *window: float, **more: Any) -> dict[str, Any]:
    return dict(await delegator.post("/approvals/delegations", terms(delegate, *window, **more), expect=201))


async def ask(who: Any, hardware: Any, amount: str = "500.00", by: str = "employee", **more: Any) -> dict[str, Any]:
    return dict(await (await who(by)).post("/tickets", hardware(amount, **more), expect=201))


async def told(database: Any, kind: str, api: Any) -> list[tuple[str, str]]:
    """Notices of a kind (title, body), each also written as a mail."""
    await relay.drain(database)
    async with database.read() as session:
        rows = await session.scalars(
            select(Delivery).where(Delivery.kind == kind, Delivery.user_id == api.id).order_by(Delivery.id)
        )
        mails = [(d.subject, mail_of(words_of(d.words))[0]) for d in rows]
    notices = (await api.get("/notifications?limit=100"))["items"]
    assert sum(n["kind"] == kind for n in notices) >= min(len(mails), 1)
    return mails


async def test_a_deputy_decides_and_both_names_are_kept(who: Any, hardware: Any, find_step: Any, database: Any) -> None:
    manager, colleague, employee = await who("manager"), await who("colleague"), await who("employee")
    waiting = await ask(who, hardware)
    before = (await colleague.get("/reports/dashboard"))["pending_approvals"]
    assert await find_step(colleague, waiting["id"]) is None
    await colleague.get(f"/tickets/{waiting['id']}", expect=404)
    made = await let(manager, colleague, reason=REASON)
    assert (made["status"], made["delegate"]["username"]) == ("OPEN", "colleague")
    step = await find_step(colleague, waiting["id"])
    assert step["on_behalf_of"]["username"] == "manager"
    assert {"approve", "reject", "request_info", "escalate"} <= set(step["allowed_actions"])
    assert "delegate" not in step["allowed_actions"], "a deputy decides, and does not hand on"
    handing = {"delegate_to": (await who("head")).id}
    await colleague.post(f"/approvals/{step['id']}/delegate", handing, expect=403)
    assert (await colleague.get("/reports/dashboard"))["pending_approvals"] > before
    seen = await colleague.get(f"/tickets/{waiting['id']}")
    assert seen["ticket_number"] == waiting["ticket_number"]
    flow = (await colleague.get(f"/tickets/{waiting['id']}/approvals"))["items"][0]
    assert "approve" in flow["stages"][0]["steps"][0]["allowed_actions"]
    await run_all(database)  # its words are found once the index has followed
    found = (await colleague.get("/tickets", params={"q": waiting["title"], "limit": 100}))["items"]
    assert waiting["id"] in [t["id"] for t in found]
    done = await colleague.post(f"/approvals/{step['id']}/approve", {"comments": "Go on"})
    assert done["step"]["approver"]["username"] == "manager"
    assert done["step"]["decided_by"]["username"] == "colleague"
    assert done["step"]["on_behalf_of"]["username"] == "manager"
    again = await colleague.post(f"/approvals/{step['id']}/approve", {"comments": "Go on"})
    assert again == done
    entries = (await employee.get(f"/tickets/{waiting['id']}/history?limit=100"))["items"]
    entry = next(e for e in entries if e["type"] == "approval.approved")
    assert (entry["actor"]["username"], entry["on_behalf_of"]["username"]) == ("colleague", "manager")
    subjects = await told(database, "approval.decided_for_you", manager)
    assert "decided for you" in subjects[-1][0]


async def test_both_are_told_and_the_reason_is_not(who: Any, hardware: Any, database: Any) -> None:
    manager, colleague, outsider = await who("manager"), await who("colleague"), await who("outsider")
    await ask(who, hardware)
    made = await let(manager, colleague, reason=REASON)
    for api, words in ((manager, "decides for you"), (colleague, "You stand in for")):
        subject, text = (await told(database, "delegation.created", api))[-1]
        assert words in subject
        assert "wait" in text
        assert REASON not in text
    path = f"/approvals/delegations/{made['id']}"
    assert (await manager.get(path))["reason"] == REASON
    assert (await colleague.get(path))["reason"] is None
    await outsider.get(path, expect=404)
    await outsider.put(path, {"x": 1}, expect=404)
    await outsider.delete(path, expect=404)
    await colleague.put(path, {"x": 1}, expect=403)
    await colleague.delete(path, expect=403)
    await manager.put(path, {"x": 1}, expect=422)
    body = {"delegate_id": colleague.id, "starts_at": made["starts_at"], "reason": REASON, "version": 1}
    later = rfc3339(datetime.now(UTC) + timedelta(hours=90))
    changed = await manager.put(path, {**body, "ends_at": later})
    assert (changed["ends_at"], changed["version"]) == (later, 2)
    await manager.put(path, {**body, "ends_at": later}, expect=412)
    assert "changed the end" in (await told(database, "delegation.changed", colleague))[-1][1]
    await manager.delete(path)
    await manager.delete(path)
    for api in (manager, colleague):
        assert "no longer" in (await told(database, "delegation.cancelled", api))[-1][0]
    async with database.read() as session:
        rows = await session.scalars(select(EventRow).where(EventRow.object_type == "delegation"))
        assert REASON not in str([r.data for r in rows])
    await manager.put(path, {**body, "ends_at": later, "version": 3}, expect=409)


async def test_it_ends_at_once(who: Any, hardware: Any, find_step: Any) -> None:
    manager, colleague = await who("manager"), await who("colleague")
    made, ticket = await let(manager, colleague), await ask(who, hardware)
    step = await find_step(colleague, ticket["id"])
    await manager.delete(f"/approvals/delegations/{made['id']}")
    assert await find_step(colleague, ticket["id"]) is None
    await colleague.get(f"/tickets/{ticket['id']}", expect=404)
    await colleague.post(f"/approvals/{step['id']}/approve", {}, expect=404)
    assert await find_step(manager, ticket["id"]) is not None


async def test_the_window_ends_between_looking_and_deciding(who: Any, hardware: Any, find_step: Any) -> None:
    manager, colleague = await who("manager"), await who("colleague")
    await let(manager, colleague, 0, 2)
    ticket = await ask(who, hardware)
    step = await find_step(colleague, ticket["id"])
    assert step is not None
    later = datetime.now(UTC) + timedelta(hours=2)
    from waypost.access.queries import actor_of_user
    from waypost.approvals import service
    from waypost.approvals.errors import StepNotFound
    from waypost.approvals.states import Verb
    from waypost.kernel.db import database

    async with database().read() as session:
        actor = await actor_of_user(session, colleague.id)
    assert actor is not None
    with clock(lambda: later), pytest.raises(StepNotFound):
        async with database().transaction() as session:
            await service.decide(session, actor, step["id"], Verb.APPROVE)
    await colleague.post(f"/approvals/{step['id']}/approve", {})


async def test_two_deputies_at_once_decide_once(who: Any, hardware: Any, find_step: Any) -> None:
    manager, others = await who("manager"), [await who(n) for n in ("colleague", "outsider", "finance1")]
    for other in others:
        await let(manager, other)
    for _ in range(3):
        ticket = await ask(who, hardware)
        step = await find_step(manager, ticket["id"])
        verbs = ["approve", "reject"] * 4
        calls = [
            api.post(f"/approvals/{step['id']}/{verb}", {"comments": "x"}, expect=None)
            for verb, api in zip(verbs, [manager, *others] * 2, strict=True)
        ]
        answers = await asyncio.gather(*calls)
        assert {a.status_code for a in answers} <= {200, 409, 403}
        assert sum(a.status_code == 200 for a in answers) >= 1
        entries = (await manager.get(f"/tickets/{ticket['id']}/history?limit=100"))["items"]
        assert sum(e["type"] in ("approval.approved", "approval.rejected") for e in entries) == 1


async def test_chains_and_loops(who: Any, hardware: Any, find_step: Any) -> None:
    manager, colleague, outsider = await who("manager"), await who("colleague"), await who("outsider")
    await let(manager, colleague)
    await let(colleague, outsider)
    ticket = await ask(who, hardware)
    step = await find_step(outsider, ticket["id"])
    assert step["on_behalf_of"]["username"] == "manager"
    assert await find_step(colleague, ticket["id"]) is not None
    now = await outsider.get("/approvals/standing-in")
    assert {(s["person"]["username"], s["is_through_others"]) for s in now["for_others"]} == {
        ("manager", True),
        ("colleague", False),
    }
    assert [s["person"]["username"] for s in (await manager.get("/approvals/standing-in"))["for_me"]] == [
        "colleague",
        "outsider",
    ]
    refused = await outsider.post("/approvals/delegations", terms(manager), expect=422)
    assert refused["errors"][0]["pointer"] == "/delegate_id"
    await let(outsider, manager, 25, 30)  # when the others are over it is no loop
    await outsider.post(f"/approvals/{step['id']}/reject", {"comments": "No"})


async def test_a_loop_made_from_both_sides_at_once_is_made_once(who: Any) -> None:
    manager, head = await who("manager"), await who("head")
    calls = (
        manager.post("/approvals/delegations", terms(head), None),
        head.post("/approvals/delegations", terms(manager), None),
    )
    assert sorted(a.status_code for a in await asyncio.gather(*calls)) == [201, 422]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        (lambda _: {"ends_at": "2020-01-01T00:00:00Z"}, "/ends_at"),
        (lambda _: {"starts_at": "2031-01-02T00:00:00Z", "ends_at": "2031-01-01T00:00:00Z"}, "/ends_at"),
        (lambda _: {"ends_at": "9000-01-01T00:00:00Z"}, "/ends_at"),
        (lambda m: {"delegate_id": m.id}, "/delegate_id"),
        (lambda _: {"delegate_id": 4611686018427387903}, "/delegate_id"),
        (lambda _: {"delegate_id": 2**63}, "/delegate_id"),
        (lambda _: {"reason": "x" * 501}, "/reason"),
        (lambda _: {"reason": "a\x00"}, "/reason"),
        (lambda _: {"amount_up_to": "-1"}, "/amount_up_to"),
        (lambda _: {"amount_up_to": "NaN"}, "/amount_up_to"),
        (lambda _: {"condition": {"field": "no_such", "op": "eq", "value": 1}}, "/condition/field"),
        (lambda _: {"include_waiting": "yes"}, "/include_waiting"),
        (lambda _: {"surprise": 1}, "/surprise"),
        (lambda _: {"delegator_id": "1_0"}, "/delegator_id"),
    ],
)
async def test_what_makes_no_sense_is_refused(who: Any, change: Callable[[Any], Any], pointer: str) -> None:
    manager, colleague = await who("manager"), await who("colleague")
    answer = await manager.post("/approvals/delegations", terms(colleague) | change(manager), expect=None)
    assert answer.status_code in (400, 422), answer.text
    if answer.status_code == 422:
        assert pointer in [e["pointer"] for e in answer.json()["errors"]]
    assert (await manager.get("/approvals/delegations"))["items"] == []


async def test_who_may_not_decide_is_no_deputy(who: Any) -> None:
    manager, auditor = await who("manager"), await who("auditor")
    refused = await manager.post("/approvals/delegations", terms(auditor), expect=422)
    assert refused["errors"][0] == {"pointer": "/delegate_id", "message": "they may not decide"}
    await auditor.get("/approvals/delegations", expect=403)


async def test_the_requester_is_no_deputy_for_their_own(who: Any, hardware: Any, find_step: Any) -> None:
    manager, employee = await who("manager"), await who("employee")
    await let(manager, employee)
    own, other = await ask(who, hardware), await ask(who, hardware, by="colleague")
    step = await find_step(manager, own["id"])
    for verb in ("approve", "reject"):
        await employee.post(f"/approvals/{step['id']}/{verb}", {"comments": "x"}, expect=403)
    assert await find_step(employee, own["id"]) is None
    assert await find_step(employee, other["id"]) is not None


async def test_who_has_a_seat_is_no_deputy_there(who: Any, hardware: Any, find_step: Any) -> None:
    one, two, three = await who("finance1"), await who("finance2"), await who("finance3")
    await let(one, two)
    await let(one, await who("outsider"))
    ticket = await ask(who, hardware, "9000.00")
    theirs = await find_step(one, ticket["id"])
    assert (await find_step(two, ticket["id"]))["on_behalf_of"] is None
    await two.post(f"/approvals/{theirs['id']}/approve", {}, expect=403)
    await (await who("outsider")).post(f"/approvals/{theirs['id']}/approve", {})
    await let(three, await who("outsider"))
    other = await find_step(three, ticket["id"])
    await (await who("outsider")).post(f"/approvals/{other['id']}/approve", {}, expect=403)


async def test_a_ceiling_and_a_condition_leave_the_rest(who: Any, hardware: Any, find_step: Any) -> None:
    head, colleague = await who("head"), await who("colleague")
    title = {"all": [{"field": "title", "op": "contains", "value": "laptop"}]}
    await let(head, colleague, amount_up_to="3000.00", condition=title)
    small, large = await ask(who, hardware, "2000.00"), await ask(who, hardware, "4000.00")
    chair = await ask(who, hardware, "2000.00", title="A chair")
    assert await find_step(colleague, small["id"]) is not None
    for ticket in (large, chair):
        assert await find_step(colleague, ticket["id"]) is None
        step = await find_step(head, ticket["id"])
        await colleague.get(f"/tickets/{ticket['id']}", expect=404)
        await colleague.post(f"/approvals/{step['id']}/approve", {}, expect=404)
    seen = await head.post("/approvals/delegations/preview", {"amount_up_to": "3000.00", "condition": title})
    covered = {i["ticket_id"]: i["is_covered"] for i in seen["items"]}
    assert (covered[small["id"]], covered[large["id"]], covered[chair["id"]]) == (True, False, False)
    assert seen["covered"] == sum(covered.values())
    await colleague.post("/approvals/delegations/preview", {"delegator_id": head.id}, expect=403)


async def test_only_what_is_asked_from_then_on(who: Any, hardware: Any, find_step: Any) -> None:
    manager, colleague = await who("manager"), await who("colleague")
    before = await ask(who, hardware)
    await let(manager, colleague, include_waiting=False)
    after = await ask(who, hardware)
    assert await find_step(colleague, before["id"]) is None
    assert await find_step(colleague, after["id"]) is not None


async def test_what_is_planned_begins_by_the_clock_and_both_are_told(
    who: Any, hardware: Any, find_step: Any, database: Any
) -> None:
    manager, colleague = await who("manager"), await who("colleague")
    made = await let(manager, colleague, 24, 48)
    assert made["status"] == "PLANNED"
    ticket = await ask(who, hardware)
    assert await find_step(colleague, ticket["id"]) is None
    assert await delegating.begin_due(database) == 0
    tomorrow = datetime.now(UTC) + timedelta(hours=25)
    with clock(lambda: tomorrow):
        assert await delegating.begin_due(database) == 1
        assert await delegating.begin_due(database) == 0
    for api in (manager, colleague):
        assert "now" in (await told(database, "delegation.begun", api))[-1][0]
    body = terms(colleague, 24, 30, version=made["version"])
    moved = await manager.put(f"/approvals/delegations/{made['id']}", body)
    assert moved["status"] == "PLANNED"
    # once it runs, its beginning stays
    async with database.transaction() as session:
        start = datetime.now(UTC) - timedelta(hours=1)
        await session.execute(update(ApprovalDelegation).values(starts_at=start))
    refused = await manager.put(f"/approvals/delegations/{made['id']}", body | {"version": 2}, expect=422)
    assert refused["errors"][0]["pointer"] == "/starts_at"


async def test_administrators_may_make_one_for_somebody_else(who: Any, hardware: Any, database: Any) -> None:
    admin, manager, colleague = await who("admin"), await who("manager"), await who("colleague")
    await colleague.post("/approvals/delegations", terms(colleague, delegator_id=manager.id), expect=403)
    made = await admin.post("/approvals/delegations", terms(colleague, delegator_id=manager.id), expect=201)
    assert (made["delegator"]["username"], made["made_by"]["username"]) == ("manager", "admin")
    assert "set this up" in (await told(database, "delegation.created", manager))[-1][1]
    everybody = (await admin.get("/approvals/delegations?everybody=true"))["items"]
    assert made["id"] in [d["id"] for d in everybody]
    assert made["id"] not in [d["id"] for d in (await admin.get("/approvals/delegations"))["items"]]
    async with database.read() as session:
        row = await session.scalar(
            select(EventRow).where(EventRow.type == "delegation.created", EventRow.object_id == made["id"])
        )
    assert (row.actor_id, row.on_behalf_of_id) == (admin.id, manager.id)


async def test_an_absence_brings_a_deputy_and_takes_it_along(who: Any, hardware: Any, find_step: Any) -> None:
    manager, colleague = await who("manager"), await who("colleague")
    window = {k: v for k, v in terms(colleague).items() if k != "delegate_id"}
    bad = {**window, "deputy": {"delegate_id": manager.id}}
    refused = await manager.post("/approvals/away", bad, expect=422)
    assert refused["errors"][0]["pointer"] == "/deputy/delegate_id"
    assert (await manager.get("/absences"))["items"] == [], "both or neither"
    made = await manager.post("/approvals/away", {**window, "deputy": {"delegate_id": colleague.id}}, expect=201)
    assert made["delegation"]["is_with_absence"]
    ticket = await ask(who, hardware)
    assert await find_step(colleague, ticket["id"]) is not None
    await manager.delete(f"/absences/{made['absence_id']}")
    assert await find_step(colleague, ticket["id"]) is None
    assert (await manager.get("/approvals/delegations"))["items"] == []


async def test_a_question_of_a_deputy_is_answered_to_both(
    who: Any, hardware: Any, find_step: Any, database: Any
) -> None:
    manager, colleague, employee = await who("manager"), await who("colleague"), await who("employee")
    await let(manager, colleague)
    ticket = await ask(who, hardware)
    step = await find_step(colleague, ticket["id"])
    await colleague.post(f"/approvals/{step['id']}/request-info", {"comments": "Which?"})
    await employee.post(f"/tickets/{ticket['id']}/transitions", {"to": "IN_REVIEW", "comment": "The light one"})
    for api in (manager, colleague):
        assert ticket["ticket_number"] in (await told(database, "approval.info_answered", api))[-1][0]
    await colleague.post(f"/approvals/{step['id']}/escalate", {"comments": "Beyond us"})
    head = await who("head")
    assert await find_step(head, ticket["id"]) is not None


async def test_deputies_are_told_of_what_is_asked(who: Any, hardware: Any, database: Any) -> None:
    manager, colleague = await who("manager"), await who("colleague")
    await let(manager, colleague)
    ticket = await ask(who, hardware)
    subject, _ = (await told(database, "approval.requested_for", colleague))[-1]
    assert ticket["title"] in subject
    assert "Please decide for" in subject


async def test_the_list_turns_pages(who: Any) -> None:
    manager, colleague = await who("manager"), await who("colleague")
    for n in range(3):
        await let(manager, colleague, n * 10, n * 10 + 5)
    first = await manager.get("/approvals/delegations?limit=2")
    rest = await manager.get("/approvals/delegations", params={"limit": 2, "cursor": first["next_cursor"]})
    assert (len(first["items"]), len(rest["items"]), rest["next_cursor"]) == (2, 1, None)
    key = {"Idempotency-Key": "once-more"}
    body = terms(colleague, 50, 60)
    one = await manager.post("/approvals/delegations", body, expect=201, headers=key)
    assert (await manager.post("/approvals/delegations", body, expect=201, headers=key))["id"] == one["id"]


async def test_a_requester_does_not_choose_who_decides_for_their_manager(
    who: Any, hardware: Any, find_step: Any
) -> None:
    """The manager's deputy asks for something; their own deputy is none for that."""
    manager, colleague, finance1 = await who("manager"), await who("colleague"), await who("finance1")
    await let(manager, colleague)
    await let(colleague, finance1)
    theirs, other = await ask(who, hardware, by="colleague"), await ask(who, hardware)
    assert await find_step(finance1, other["id"]) is not None, "the chain stands for what others ask for"
    assert await find_step(finance1, theirs["id"]) is None
    await finance1.get(f"/tickets/{theirs['id']}", expect=404)
    step = await find_step(manager, theirs["id"])
    await finance1.post(f"/approvals/{step['id']}/approve", {}, expect=404)
    flow = (await colleague.get(f"/tickets/{theirs['id']}/approvals"))["items"][0]
    assert flow["stages"][0]["steps"][0]["deputy"] is None


async def test_what_a_deputy_sends_on_is_told_to_whom_it_was_asked_of(
    who: Any, hardware: Any, find_step: Any, database: Any
) -> None:
    manager, colleague, employee = await who("manager"), await who("colleague"), await who("employee")
    await let(manager, colleague)
    up, more = await ask(who, hardware), await ask(who, hardware)
    before = len(await told(database, "approval.decided_for_you", manager))
    step = await find_step(colleague, more["id"])
    add = {"approver_id": (await who("finance1")).id}
    await colleague.post(f"/approvals/{step['id']}/add-approver", add)
    step = await find_step(colleague, up["id"])
    await colleague.post(f"/approvals/{step['id']}/escalate", {"comments": "Too large for me"})
    mails = (await told(database, "approval.decided_for_you", manager))[before:]
    assert ["further up" in text for _, text in mails] == [False, True]
    assert "one more person" in mails[0][1]
    for ticket, kind in ((up, "approval.escalated"), (more, "approval.approver_added")):
        entries = (await employee.get(f"/tickets/{ticket['id']}/history?limit=100"))["items"]
        entry = next(e for e in entries if e["type"] == kind)
        assert (entry["actor"]["username"], entry["on_behalf_of"]["username"]) == ("colleague", "manager")


async def test_ended_at_the_very_moment(who: Any, hardware: Any, find_step: Any, database: Any) -> None:
    """A delegation is being ended while its deputy decides: who decides waits, and then does not."""
    manager, colleague = await who("manager"), await who("colleague")
    made = await let(manager, colleague)
    ticket = await ask(who, hardware)
    step = await find_step(colleague, ticket["id"])
    async with database.transaction() as session:
        ended = update(ApprovalDelegation).where(ApprovalDelegation.id == made["id"])
        await session.execute(ended.values(cancelled_at=datetime.now(UTC)))
        deciding = asyncio.create_task(colleague.post(f"/approvals/{step['id']}/approve", {}, expect=None))
        await asyncio.sleep(0.3)
        assert not deciding.done()
    assert (await deciding).status_code in (403, 404)
    assert await find_step(manager, ticket["id"]) is not None


async def test_what_an_earlier_release_began_is_reached_as_well(
    who: Any, hardware: Any, find_step: Any, database: Any
) -> None:
    from waypost.approvals.models import ApprovalWorkflow
    from waypost.tickets import reviewing

    manager, colleague = await who("manager"), await who("colleague")
    small, large = await ask(who, hardware, "300.00"), await ask(who, hardware, "900.00")
    async with database.transaction() as session:
        old = update(ApprovalWorkflow).where(ApprovalWorkflow.subject_id.in_([small["id"], large["id"]]))
        await session.execute(old.values(facts=None))
    await let(manager, colleague, amount_up_to="500.00")
    assert await find_step(colleague, small["id"]) is None
    await reviewing.complete_facts(database)
    assert await find_step(colleague, small["id"]) is not None
    assert await find_step(colleague, large["id"]) is None
