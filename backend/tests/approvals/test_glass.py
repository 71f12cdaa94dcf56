"""Breaking the glass: who may, what it does, and the review that must follow."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from waypost.approvals import reviews
from waypost.approvals.review_models import ApprovalReview
from waypost.kernel import relay
from waypost.kernel.clock import clock, now
from waypost.kernel.db import database as current
from waypost.search.following import run_all

WHY = "Orders stand still, and nobody can be reached"


async def emergency(who: Any, hardware: Any, **more: Any) -> dict[str, Any]:
    """Something critical of the employee's, that waits for their manager."""
    employee = await who("employee")
    ticket = await employee.post("/tickets", hardware("500.00", priority="CRITICAL", **more), expect=201)
    return dict(ticket)


async def flow(api: Any, ticket: dict[str, Any]) -> dict[str, Any]:
    return dict((await api.get(f"/tickets/{ticket['id']}/approvals"))["items"][0])


async def glass(api: Any, ticket: dict[str, Any]) -> str:
    return f"/approvals/workflows/{(await flow(api, ticket))['id']}/break-glass"


async def notices(api: Any, ticket: dict[str, Any]) -> list[str]:
    await relay.drain(current())
    page = await api.get("/notifications", params={"limit": 100})
    return [n["kind"] for n in page["items"] if n["ticket"] and n["ticket"]["id"] == ticket["id"]]


async def test_an_emergency_is_approved_unasked_and_that_is_reviewed(who: Any, hardware: Any, find_step: Any) -> None:
    employee, manager, head, admin = await who("employee"), await who("manager"), await who("head"), await who("admin")
    ticket = await emergency(who, hardware)
    seen = await flow(head, ticket)
    assert seen["is_emergency"]
    assert seen["may_break_glass"]
    assert not (await flow(manager, ticket))["may_break_glass"], "asked: their own answer ends it"
    assert not (await flow(employee, ticket))["may_break_glass"]
    path = await glass(head, ticket)
    done = await head.post(path, {"comments": WHY, "version": seen["version"]})
    assert done["workflow"] == {"id": seen["id"], "status": "APPROVED"}
    review = done["review"]
    assert review["state"] == "OPEN"
    assert review["reason"] == WHY
    assert review["broken_by"]["username"] == "head"
    assert {p["username"] for p in review["reviewers"]} == {"manager", "admin"}
    assert review["allowed_actions"] == []
    due = datetime.fromisoformat(review["due_at"]) - datetime.fromisoformat(review["opened_at"])
    assert timedelta(days=2, hours=23) < due <= timedelta(days=3)
    assert (await employee.get(f"/tickets/{ticket['id']}"))["status"] == "APPROVED"
    ended = await flow(employee, ticket)
    assert ended["override"]["by"]["username"] == "head"
    assert ended["override"]["review"]["id"] == review["id"]
    assert [s["status"] for t in ended["stages"] for s in t["steps"]] == ["NOT_NEEDED"], "nobody's answer is made up"
    assert await find_step(manager, ticket["id"]) is None
    history = str(await employee.get(f"/tickets/{ticket['id']}/history"))
    assert "broke the glass: approved it without being asked" in history
    assert "overrode" not in history
    assert "approval.glass_broken" in await notices(manager, ticket)
    assert "approval.glass_broken" in await notices(admin, ticket)
    assert "approval.glass_broken" not in await notices(head, ticket)

    mine = await manager.get("/approval-reviews", params={"state": "OPEN"})
    assert review["id"] in [r["id"] for r in mine["items"]]
    assert mine["waiting_count"] >= 1
    assert review["id"] in [r["id"] for r in (await head.get("/approval-reviews"))["items"]], "one's own, to follow it"
    decide = f"/approval-reviews/{review['id']}/decide"
    verdict = {"verdict": "CONFIRM", "comments": "There was no other way"}
    await head.post(decide, {"nonsense": 1}, expect=403)
    await employee.post(decide, verdict, expect=403)
    await (await who("outsider")).post(decide, verdict, expect=404)
    await (await who("outsider")).get(f"/approval-reviews/{review['id']}", expect=404)
    assert (await manager.post(decide, verdict | {"comments": " "}, expect=422))["code"] == "comment_needed"
    await manager.post(decide, verdict | {"verdict": "MAYBE"}, expect=422)
    decided = await manager.post(decide, verdict)
    assert decided["state"] == "CONFIRMED"
    assert decided["decided_by"]["username"] == "manager"
    assert (await manager.post(decide, verdict))["state"] == "CONFIRMED", "said twice it is said once"
    assert (await admin.post(decide, verdict | {"verdict": "OBJECT"}, expect=409))["code"] == "review_decided"
    assert "approval.review_confirmed" in await notices(head, ticket)
    assert "reviewed the broken glass and found it right" in str(await employee.get(f"/tickets/{ticket['id']}/history"))
    assert (await employee.get(f"/tickets/{ticket['id']}"))["tags"] == []


async def test_an_objection_is_told_and_marks_the_request_and_undoes_nothing(
    who: Any, hardware: Any, database: Any
) -> None:
    employee, manager, head, admin = await who("employee"), await who("manager"), await who("head"), await who("admin")
    ticket = await emergency(who, hardware, tags=["disk"])
    review = (await head.post(await glass(head, ticket), {"comments": WHY}))["review"]
    path = f"/approval-reviews/{review['id']}"
    assert (await manager.get(path))["allowed_actions"] == ["confirm", "object"]
    await manager.post(f"{path}/decide", {"verdict": "OBJECT", "comments": "I was at my desk"})
    after = await employee.get(f"/tickets/{ticket['id']}")
    assert after["status"] == "APPROVED"
    assert after["tags"] == ["disk", "objected"]
    assert (await flow(employee, ticket))["override"]["review"]["comments"] == "I was at my desk"
    for told in (employee, head, admin):
        assert "approval.review_objected" in await notices(told, ticket), told.username
    assert "approval.review_objected" not in await notices(manager, ticket)
    await run_all(database)  # its words are found once the index has followed
    found = await employee.get("/tickets", params={"q": ticket["title"]})
    assert "objected" in found["items"][0]["tags"]


async def test_who_may_not(who: Any, hardware: Any) -> None:
    ticket = await emergency(who, hardware)
    admin, manager, body = await who("admin"), await who("manager"), {"comments": WHY}
    path = await glass(admin, ticket)
    await (await who("outsider")).post(path, body, expect=404)
    await admin.post("/approvals/workflows/987654321/break-glass", {"nonsense": 1}, expect=404)
    await (await who("employee")).post(path, {"nonsense": 1}, expect=403)
    await manager.post(path, body, expect=403)
    await (await who("agent")).post(path, body, expect=403)
    executive = await who("executive")
    await executive.post(path, {"nonsense": 1}, expect=422)
    await executive.post(path, body | {"comments": "x" * 10_001}, expect=422)
    assert (await executive.post(path, {"comments": "\u200b "}, expect=422))["code"] == "comment_needed"
    await executive.post(path, body | {"version": 9}, expect=412)
    own = await admin.post("/tickets", hardware("500.00", priority="CRITICAL"), expect=201)
    assert (await admin.post(await glass(admin, own), body, expect=403))["code"] == "self_approval"
    ordinary = await (await who("employee")).post("/tickets", hardware("500.00"), expect=201)
    assert not (await flow(admin, ordinary))["may_break_glass"]
    assert (await admin.post(await glass(admin, ordinary), body, expect=409))["code"] == "not_an_emergency"
    step = (await flow(manager, ticket))["stages"][0]["steps"][0]
    await manager.post(f"/approvals/{step['id']}/approve")
    assert (await executive.post(path, body, expect=409))["code"] == "step_decided"
    assert (await flow(executive, ticket))["override"] is None, "a first answer needs no review"


async def test_who_is_asked_answers_and_a_head_reaches_no_further_than_the_department(who: Any, hardware: Any) -> None:
    head, other, body = await who("head"), await who("facilityagent"), {"comments": WHY}
    ticket = await emergency(who, hardware)
    admin = await who("admin")
    step = (await flow(admin, ticket))["stages"][0]["steps"][0]
    manager = await who("manager")
    await manager.post(f"/approvals/{step['id']}/add-approver", {"approver_id": head.id})
    assert not (await flow(head, ticket))["may_break_glass"]
    assert (await head.post(await glass(head, ticket), body, expect=409))["code"] == "asked_yourself"
    await manager.post(f"/approvals/{step['id']}/add-approver", {"approver_id": other.id})
    elsewhere = await emergency(who, hardware)
    watched = (await flow(admin, elsewhere))["stages"][0]["steps"][0]
    await manager.post(f"/approvals/{watched['id']}/delegate", {"delegate_to": other.id})
    theirs = (await flow(admin, elsewhere))["stages"][0]["steps"][-1]
    await other.post(f"/approvals/{theirs['id']}/delegate", {"delegate_to": manager.id}, expect=None)
    await other.post(f"/approvals/{theirs['id']}/delegate", {"delegate_to": head.id}, expect=None)
    refused = await other.post(await glass(admin, elsewhere), body, expect=403)
    assert refused["code"] == "glass_not_yours"


async def test_overriding_an_emergency_with_a_yes_is_no_side_door(who: Any, hardware: Any) -> None:
    admin, ticket = await who("admin"), await emergency(who, hardware)
    workflow = await flow(admin, ticket)
    await admin.post(f"/approvals/workflows/{workflow['id']}/override", {"action": "APPROVE", "comments": WHY})
    review = (await flow(admin, ticket))["override"]["review"]
    assert review["state"] == "OPEN"
    assert "admin" not in [p["username"] for p in review["reviewers"]]
    rejected = await emergency(who, hardware)
    workflow = await flow(admin, rejected)
    await admin.post(f"/approvals/workflows/{workflow['id']}/override", {"action": "REJECT", "comments": WHY})
    assert (await flow(admin, rejected))["override"]["review"] is None


async def test_of_many_at_once_one_breaks_it_and_one_verdict_counts(who: Any, hardware: Any) -> None:
    head, executive, admin = await who("head"), await who("executive"), await who("admin")
    ticket = await emergency(who, hardware)
    path = await glass(admin, ticket)
    answers = await asyncio.gather(
        *(api.post(path, {"comments": WHY}, expect=None) for api in (head, executive, admin) for _ in range(3))
    )
    assert sorted(a.status_code for a in answers) == [200] + [409] * 8
    review = next(a for a in answers if a.status_code == 200).json()["review"]
    manager = await who("manager")
    verdicts = [{"verdict": v, "comments": v} for v in ("CONFIRM", "OBJECT")] * 3
    said = await asyncio.gather(
        *(manager.post(f"/approval-reviews/{review['id']}/decide", v, expect=None) for v in verdicts)
    )
    assert {a.status_code for a in said} == {200, 409}
    assert len({a.json()["state"] for a in said if a.status_code == 200}) == 1


async def test_the_same_key_breaks_it_once(who: Any, hardware: Any) -> None:
    head, ticket = await who("head"), await emergency(who, hardware)
    path, headers = await glass(head, ticket), {"Idempotency-Key": f"glass-{ticket['id']}"}
    first = await head.post(path, {"comments": WHY}, headers=headers)
    again = await head.post(path, {"comments": WHY}, headers=headers)
    assert again == first
    assert (await head.post(path, {"comments": "else"}, expect=422, headers=headers))[
        "code"
    ] == "idempotency_key_reused"


async def test_an_open_question_lapses_when_the_glass_is_broken(who: Any, hardware: Any) -> None:
    employee, manager, head = await who("employee"), await who("manager"), await who("head")
    ticket = await emergency(who, hardware)
    step = (await flow(manager, ticket))["stages"][0]["steps"][0]
    await manager.post(f"/approvals/{step['id']}/request-info", {"comments": "Which one?"})
    assert (await flow(head, ticket))["may_break_glass"]
    await head.post(await glass(head, ticket), {"comments": WHY})
    assert (await employee.get(f"/tickets/{ticket['id']}"))["status"] == "APPROVED"


async def test_auditors_list_all_of_them_page_by_page(who: Any, hardware: Any) -> None:
    head, auditor = await who("head"), await who("auditor")
    made = []
    for _ in range(3):
        ticket = await emergency(who, hardware)
        made.append((await head.post(await glass(head, ticket), {"comments": WHY}))["review"]["id"])
    await (await who("employee")).get("/approval-reviews", expect=403, params={"everybody": "true"})
    found: list[int] = []
    cursor = None
    while True:
        query = {"everybody": "true", "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = await auditor.get("/approval-reviews", params=query)
        assert all(r["allowed_actions"] == [] for r in page["items"])
        found += [r["id"] for r in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == sorted(found, reverse=True)
    assert set(made) <= set(found)
    assert (await auditor.get("/approval-reviews"))["items"] == []
    path = f"/approval-reviews/{made[0]}/decide"
    await auditor.post(path, {"verdict": "CONFIRM", "comments": "x"}, expect=403)
    await auditor.get("/approval-reviews", expect=422, params={"everybody": "true", "cursor": "bm8"})
    await auditor.get("/approval-reviews", expect=422, params={"state": "NO"})


@pytest.fixture
async def quiet(database: Any) -> None:
    """No other review is due."""
    async with database.transaction() as session:
        await session.execute(update(ApprovalReview).values(timer_at=None))


async def run_at(at: datetime) -> None:
    with clock(lambda: at):
        await asyncio.gather(*(reviews.run_due(current()) for _ in range(3)))


async def kept(review_id: int) -> ApprovalReview:
    async with current().read() as session:
        return (await session.scalars(select(ApprovalReview).where(ApprovalReview.id == review_id))).one()


async def test_reviewers_are_told_when_it_is_due_and_administrators_a_day_later(
    quiet: None, who: Any, hardware: Any
) -> None:
    head, manager, admin = await who("head"), await who("manager"), await who("admin")
    ticket = await emergency(who, hardware)
    review = (await head.post(await glass(head, ticket), {"comments": WHY}))["review"]
    due = datetime.fromisoformat(review["due_at"])
    await run_at(due - timedelta(seconds=1))
    assert (await kept(review["id"])).rungs == 0
    await run_at(due + timedelta(seconds=1))
    assert (await notices(manager, ticket)).count("approval.review_reminded") == 1, "three workers, one reminder"
    assert (await notices(admin, ticket)).count("approval.review_reminded") == 1
    await run_at(due + timedelta(days=1, seconds=1))
    assert (await notices(admin, ticket)).count("approval.review_climbed") == 1
    assert "approval.review_climbed" not in await notices(manager, ticket)
    await manager.post(
        f"/approval-reviews/{review['id']}/decide", {"verdict": "CONFIRM", "comments": "Late, but right"}
    )
    assert (await kept(review["id"])).timer_at is None
    await run_at(due + timedelta(days=30))
    assert (await kept(review["id"])).rungs == 2
    assert "told the administrators that nobody has reviewed" in str(await head.get(f"/tickets/{ticket['id']}/history"))


async def test_after_a_long_downtime_only_the_last_of_what_was_missed_is_done(
    quiet: None, who: Any, hardware: Any
) -> None:
    head, admin = await who("head"), await who("admin")
    ticket = await emergency(who, hardware)
    review = (await head.post(await glass(head, ticket), {"comments": WHY}))["review"]
    back = datetime.fromisoformat(review["due_at"]) + timedelta(days=12)
    await run_at(back)
    row = await kept(review["id"])
    assert row.timer_at is not None
    assert row.timer_at > back
    told = await notices(admin, ticket)
    assert told.count("approval.review_climbed") == 1
    assert told.count("approval.review_reminded") == 0


async def test_when_the_last_reviewer_leaves_the_administrators_are_told(
    quiet: None, fresh_who: Any, hardware: Any
) -> None:
    from waypost.approvals.review_models import ApprovalReviewer

    employee, head, admin = await fresh_who("employee"), await fresh_who("head"), await fresh_who("admin")
    manager = await fresh_who("manager")
    ticket = await employee.post("/tickets", hardware("500.00", priority="CRITICAL"), expect=201)
    review = (await head.post(await glass(head, ticket), {"comments": WHY}))["review"]
    async with current().transaction() as session:
        row = await session.get_one(ApprovalReviewer, (review["id"], admin.id))
        await session.delete(row)
    await admin.put(f"/users/{manager.id}/active", {"is_active": False})
    await run_at(now() + timedelta(seconds=1))
    found = await admin.get(f"/approval-reviews/{review['id']}")
    assert "admin" in [p["username"] for p in found["reviewers"]]


async def test_a_review_that_fails_stands_in_nobody_s_way(
    quiet: None, who: Any, hardware: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither one that is just being looked at, nor one that cannot even be put off."""
    head, opened = await who("head"), []
    for _ in range(3):
        ticket = await emergency(who, hardware)
        opened.append((await head.post(await glass(head, ticket), {"comments": WHY}))["review"]["id"])
    busy, broken, last = opened
    real = reviews._on_time

    async def breaks(session: Any, row: ApprovalReview) -> None:
        if row.id == busy:
            await session.execute(text("SET LOCAL lock_timeout = '50ms'"))
            async with current().transaction() as other:
                await other.execute(select(ApprovalReview).where(ApprovalReview.id == last).with_for_update())
                await session.execute(select(ApprovalReview).where(ApprovalReview.id == last).with_for_update())
        if row.id == broken:
            raise RuntimeError("out of order")
        await real(session, row)

    async def refuses(*_: Any) -> None:
        raise RuntimeError("cannot be written either")

    monkeypatch.setattr(reviews, "_on_time", breaks)
    monkeypatch.setattr(reviews, "_postpone", refuses, raising=False)
    due = (await kept(last)).due_at
    before = (await kept(busy)).timer_at
    with clock(lambda: due):
        await reviews.run_due(current())
    assert (await kept(last)).rungs == 1
    assert ((await kept(busy)).rungs, (await kept(busy)).timer_at) == (0, before)
    assert (await kept(broken)).rungs == 0
