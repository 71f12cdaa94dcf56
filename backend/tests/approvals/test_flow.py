"""What a ticket's page shows of its approval: questions with their answers, and what happens next by itself."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from waypost.approvals.models import ApprovalStage, ApprovalStep
from waypost.approvals.upcoming import next_of
from waypost.kernel.clock import now, rfc3339


async def flow_of(api: Any, ticket: dict[str, Any]) -> dict[str, Any]:
    [item] = (await api.get(f"/tickets/{ticket['id']}/approvals"))["items"]
    return dict(item)


async def test_questions_stand_with_their_answers(who: Any, hardware: Any, find_step: Any) -> None:
    employee, manager = await who("employee"), await who("manager")
    ticket = await employee.post("/tickets", hardware("20.00"), expect=201)
    step = await find_step(manager, ticket["id"])
    path = f"/approvals/{step['id']}"
    told = await manager.post(f"{path}/request-info", {"comments": "Which model?"})
    assert [q["question"] for q in told["step"]["questions"]] == ["Which model?"]
    [asked] = [s for stage in (await flow_of(employee, ticket))["stages"] for s in stage["steps"]]
    assert (asked["questions"][0]["answer"], asked["questions"][0]["answered_at"]) == (None, None)
    assert asked["next"] is None, "the clock waits for the answer"
    await employee.post(f"/tickets/{ticket['id']}/transitions", {"to": "IN_REVIEW", "comment": "The light one"})
    await manager.post(f"{path}/request-info", {"comments": "And the colour?"})
    await manager.post(f"{path}/approve")
    [done] = [s for stage in (await flow_of(employee, ticket))["stages"] for s in stage["steps"]]
    first, second = done["questions"]
    assert (first["answer"], first["answered_by"]["username"]) == ("The light one", "employee")
    assert (second["question"], second["answer"]) == ("And the colour?", None)
    assert second["answered_at"] is not None, "decided without an answer"


async def test_what_happens_next_is_told_to_the_instant(who: Any, hardware: Any) -> None:
    employee = await who("employee")
    ticket = await employee.post("/tickets", hardware("20.00"), expect=201)
    [step] = [s for stage in (await flow_of(employee, ticket))["stages"] for s in stage["steps"]]
    assert step["next"] == {"at": step["due_at"], "what": "REMIND"}
    assert datetime.fromisoformat(step["due_at"]) > now() + timedelta(hours=1)


LADDER = {"remind_before": [60, 0], "after": 60, "every": 60, "repeat": 2, "rejects": False}


@pytest.mark.parametrize(
    ("ladder", "reminders", "climbs", "what"),
    [
        (None, 0, 0, "REMIND"),
        (None, 1, 0, "ASK_FURTHER"),
        (LADDER, 1, 0, "REMIND"),
        (LADDER, 2, 0, "ASK_FURTHER"),
        (LADDER, 0, 1, "ASK_FURTHER"),
        (LADDER, 2, 2, "ASK_ADMINISTRATORS"),
        (LADDER | {"rejects": True}, 2, 2, "REJECT"),
        (LADDER | {"repeat": 0, "remind_before": []}, 0, 0, "ASK_ADMINISTRATORS"),
    ],
)
def test_the_word_for_what_is_next(ladder: Any, reminders: int, climbs: int, what: str) -> None:
    at = now()
    step = ApprovalStep(status="PENDING", timer_at=at, reminders=reminders, climbs=climbs)
    found = next_of(step, ApprovalStage(ladder=ladder))
    assert found is not None
    assert found["what"] == what
    assert next_of(ApprovalStep(status="APPROVED", timer_at=at, reminders=0, climbs=0), ApprovalStage()) is None


async def test_who_is_asked_and_away_is_said_with_who_may_decide(who: Any, hardware: Any) -> None:
    employee, head, colleague = await who("employee"), await who("head"), await who("finance1")
    ticket = await employee.post("/tickets", hardware("2000.00"), expect=201)

    async def step() -> dict[str, Any]:
        [found] = [s for stage in (await flow_of(employee, ticket))["stages"] for s in stage["steps"]]
        return dict(found)

    assert ((await step())["away_until"], (await step())["deputy"]) == (None, None)
    at = now()
    window = {"starts_at": rfc3339(at - timedelta(hours=1)), "ends_at": rfc3339(at + timedelta(days=2))}
    absence = await head.post("/absences", {"user_id": head.id, "reason": "", **window}, expect=201)
    assert (await step())["away_until"] is not None
    window["starts_at"] = rfc3339(at + timedelta(seconds=1))
    made = await head.post("/approvals/delegations", {"delegate_id": colleague.id, **window}, expect=None)
    assert made.status_code == 201, made.text
    await asyncio.sleep(1.2)
    assert (await step())["deputy"]["username"] == "finance1"
    await head.delete(f"/absences/{absence['id']}")
    await head.delete(f"/approvals/delegations/{made.json()['id']}", expect=None)
