"""What a workflow document may say."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from waypost.approvals.definition import ESCALATION, Approver, ApproverKind, Final, Mode
from waypost.approvals.errors import BadDefinition
from waypost.approvals.reading import read
from waypost.kernel.conditions.tree import InvalidCondition

USER = {"kind": "USER", "user_id": 1}


def reminded(*minutes: int) -> dict[str, Any]:
    return {"after_minutes": 5, "to": USER, "remind_before_minutes": list(minutes)}


def document(**stage: Any) -> dict[str, Any]:
    return {"name": "Test", "stages": [{"name": "One", "approvers": [USER, {"kind": "USER", "user_id": 2}], **stage}]}


def test_defaults() -> None:
    whole = read(document())
    stage = whole.stages[0]
    assert (stage.mode, stage.quorum, stage.due_in_minutes) == (Mode.PARALLEL, "ALL", 2880)
    assert (stage.fallback, stage.judges, stage.escalation) == ((), None, ESCALATION)
    assert whole.one_by_one_above == Decimal(5000)
    assert ESCALATION.to == Approver(ApproverKind.NEXT_MANAGER)
    assert (ESCALATION.remind_before_minutes, ESCALATION.repeat, ESCALATION.finally_) == (
        (0,),
        10,
        Final.ADMINISTRATORS,
    )


def test_a_stage_at_work_has_two_working_days() -> None:
    assert read(document(counts="WORKING_TIME")).stages[0].due_in_minutes == 960
    assert read(document(counts="CLOCK")).stages[0].due_in_minutes == 2880
    said = document(counts="WORKING_TIME", due_in_minutes=2880)
    assert read(said).stages[0].due_in_minutes == 2880, "what is said is meant"
    late = document(counts="WORKING_TIME", escalation=reminded(960))
    with pytest.raises(BadDefinition) as refused:
        read(late)
    assert refused.value.errors[0].pointer == "/stages/0/escalation/remind_before_minutes/0"


def test_everything_that_can_be_said() -> None:
    whole = read(
        document(
            approvers=[{"kind": "USERS", "user_ids": [3, 4, 5]}, USER],
            quorum=4,
            escalation={
                "remind_before_minutes": [0, 1440, 60],
                "after_minutes": 30,
                "to": {"kind": "NEXT_MANAGER"},
                "repeat": 2,
                "finally": "REJECT",
            },
            fallback=[{"kind": "TEAM", "team_id": 2}],
            judges=["amount", "description", "custom.payee"],
        )
        | {"one_by_one_above": "250.50"}
    )
    stage = whole.stages[0]
    assert [a.named for a in stage.approvers] == [(3, 4, 5), (1,)]
    assert stage.escalation.remind_before_minutes == (1440, 60, 0)
    assert (stage.escalation.finally_, stage.escalation.to.kind) == (Final.REJECT, ApproverKind.NEXT_MANAGER)
    assert stage.fallback == (Approver(ApproverKind.TEAM, 2),)
    assert stage.fallback[0].is_group
    assert stage.fallback[0].number == 2
    assert Approver(ApproverKind.ROLE, "admin").number == 0
    assert stage.judges == ("amount", "description", "custom.payee")
    assert whole.one_by_one_above == Decimal("250.50")
    assert read(document(judges=[], fallback=[])).stages[0].judges == ()
    never = read(document(escalation={"after_minutes": 5, "to": USER, "repeat": 0, "remind_before_minutes": []}))
    assert (never.stages[0].escalation.repeat, never.stages[0].escalation.remind_before_minutes) == (0, ())


@pytest.mark.parametrize(
    ("quorum", "seats", "needed"),
    [
        ("ALL", 3, 3),
        ("ANY", 3, 1),
        ("FIRST", 3, 1),
        (2, 3, 2),
        (2, 1, 1),
        ({"percent": 50}, 3, 2),
        ({"percent": 50}, 4, 2),
        ({"percent": 1}, 3, 1),
    ],
)
def test_how_many_must_say_yes(quorum: Any, seats: int, needed: int) -> None:
    stage = read(document(quorum=quorum)).stages[0]
    assert stage.needed(seats) == needed
    assert stage.first_answer_counts == (quorum == "FIRST")


def test_sequential_needs_everybody() -> None:
    assert read(document(mode="SEQUENTIAL", quorum="ANY")).stages[0].needed(3) == 3


def test_escalation_and_groups() -> None:
    stage = read(
        document(
            approvers=[{"kind": "ROLE", "role": "admin"}],
            quorum=5,
            escalation={"after_minutes": 60, "to": {"kind": "MANAGER_LEVEL", "level": 2}, "repeat": True},
        )
    ).stages[0]
    assert (stage.escalation.after_minutes, stage.escalation.repeat, stage.escalation.to.target) == (60, 10, 2)
    once = read(document(escalation={"after_minutes": 60, "to": USER, "repeat": False})).stages[0].escalation
    assert once.repeat == 1
    head = read(document(approvers=[{"kind": "DEPARTMENT_HEAD", "department_id": 3}])).stages[0].approvers[0]
    assert head.department_id == 3


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"stages": "none"}, "/stages"),
        ({"stages": []}, "/stages"),
        ({"stages": ["x"]}, "/stages/0"),
        ({"name": ""}, "/name"),
        ({"name": 5}, "/name"),
        ({"surprise": 1}, "/surprise"),
        ({"one_by_one_above": 5000}, "/one_by_one_above"),
        ({"one_by_one_above": "-1"}, "/one_by_one_above"),
        ({"one_by_one_above": "NaN"}, "/one_by_one_above"),
    ],
)
def test_bad_documents(change: dict[str, Any], pointer: str) -> None:
    with pytest.raises(BadDefinition) as refused:
        read(document() | change)
    assert refused.value.errors[0].pointer == pointer


@pytest.mark.parametrize(
    ("stage", "pointer"),
    [
        ({"mode": "SOMEHOW"}, "/mode"),
        ({"quorum": 3}, "/quorum"),
        ({"quorum": 0}, "/quorum"),
        ({"quorum": "SOME"}, "/quorum"),
        ({"quorum": {"percent": 101}}, "/quorum/percent"),
        ({"quorum": {"percent": "x"}}, "/quorum/percent"),
        ({"due_in_minutes": 0}, "/due_in_minutes"),
        ({"due_in_minutes": True}, "/due_in_minutes"),
        ({"approvers": []}, "/approvers"),
        ({"approvers": [USER, USER]}, "/approvers"),
        ({"approvers": ["x"]}, "/approvers/0/kind"),
        ({"approvers": [{"kind": "USER"}]}, "/approvers/0/user_id"),
        ({"approvers": [{"kind": "USER", "user_id": "1"}]}, "/approvers/0/user_id"),
        ({"approvers": [{"kind": "ROLE", "role": ""}]}, "/approvers/0/role"),
        ({"approvers": [{"kind": "MANAGER_LEVEL", "level": 11}]}, "/approvers/0/level"),
        ({"approvers": [{"kind": "REQUESTER_MANAGER", "user_id": 1}]}, "/approvers/0/user_id"),
        ({"approvers": [{"kind": "DEPARTMENT_HEAD", "department_id": "x"}]}, "/approvers/0/department_id"),
        ({"escalation": {"after_minutes": 5, "to": USER, "repeat": 99}}, "/escalation/repeat"),
        ({"escalation": {"to": USER}}, "/escalation/after_minutes"),
        ({"escalation": "x"}, "/escalation"),
        ({"escalation": {"after_minutes": 5, "to": USER, "finally": "APPROVE"}}, "/escalation/finally"),
        ({"escalation": {"after_minutes": 5, "to": USER, "finally": []}}, "/escalation/finally"),
        ({"escalation": {"after_minutes": 5, "to": {"kind": []}}}, "/escalation/to/kind"),
        ({"due_in_minutes": 60, "escalation": reminded(60)}, "/escalation/remind_before_minutes/0"),
        ({"escalation": reminded(0, -1)}, "/escalation/remind_before_minutes/1"),
        ({"escalation": reminded(0, 0)}, "/escalation/remind_before_minutes"),
        ({"escalation": reminded(0, 1, 2, 3, 4, 5)}, "/escalation/remind_before_minutes"),
        ({"approvers": [{"kind": "NEXT_MANAGER"}]}, "/approvers/0/kind"),
        ({"approvers": [{"kind": "USERS", "user_ids": []}]}, "/approvers/0/user_ids"),
        ({"approvers": [{"kind": "USERS", "user_ids": 5}]}, "/approvers/0/user_ids"),
        ({"approvers": [{"kind": "USERS", "user_ids": [1, "2"]}]}, "/approvers/0/user_ids/1"),
        ({"approvers": [{"kind": "USERS", "user_ids": [1, 1]}]}, "/approvers/0/user_ids"),
        ({"approvers": [{"kind": "USERS", "user_ids": [2, 1]}, USER]}, "/approvers"),
        ({"approvers": [{"kind": "USERS", "user_ids": list(range(2, 52))}, USER]}, "/approvers"),
        ({"approvers": [{"kind": "USERS", "user_ids": [1, 2]}], "quorum": 3}, "/quorum"),
        ({"quorum": []}, "/quorum"),
        ({"fallback": [{"kind": "NEXT_MANAGER"}]}, "/fallback/0/kind"),
        ({"fallback": "x"}, "/fallback"),
        ({"judges": "amount"}, "/judges"),
        ({"judges": ["amount", "wage"]}, "/judges/1"),
        ({"judges": [["amount"]]}, "/judges/0"),
        ({"judges": ["amount", "amount"]}, "/judges"),
        ({"more": 1}, "/more"),
    ],
)
def test_bad_stages(stage: dict[str, Any], pointer: str) -> None:
    with pytest.raises(BadDefinition) as refused:
        read(document(**stage))
    assert refused.value.errors[0].pointer == f"/stages/0{pointer}"


def test_bad_conditions_name_their_place() -> None:
    with pytest.raises(InvalidCondition) as refused:
        read(document(condition={"field": "no_such_field", "op": "eq", "value": 1}))
    assert refused.value.errors[0].pointer == "/stages/0/condition/field"
