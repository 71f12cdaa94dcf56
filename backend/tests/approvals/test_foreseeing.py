"""What is foreseen is what happens: the path shown, and the rows an approval begins with, for all kinds of subjects."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event, select, update

from waypost.access.models import Role, UserRole
from waypost.approvals import definitions, service
from waypost.approvals.definitions import DEFAULT, Chosen, InForce
from waypost.approvals.deputy_models import ApprovalDelegation, ApprovalDeputy
from waypost.approvals.errors import NobodyToAsk
from waypost.approvals.foreseeing import foresee, foresee_many
from waypost.approvals.models import ApprovalStage, ApprovalStep
from waypost.approvals.publishing import create_definition
from waypost.approvals.states import StageStatus
from waypost.approvals.subject import Subject
from waypost.directory.models import Absence, Department, Team, TeamMember, User
from waypost.kernel.clock import now
from waypost.kernel.events import SYSTEM

_numbers = itertools.count(10_000_000)
AMOUNTS = (None, "0.00", "999.99", "1000.00", "1000.01", "5000.00", "5000.01", "9999999.99")


@pytest.fixture(autouse=True)
def definitions_of_this_database() -> Iterator[None]:
    """Another database has other workflows under the same numbers."""
    definitions._parsed.clear()
    yield
    definitions._parsed.clear()


@contextmanager
def counted(database: Any) -> Iterator[list[str]]:
    """The statements sent while it is open."""
    sent: list[str] = []

    def keep(conn: Any, cursor: Any, statement: str, *more: Any) -> None:
        sent.append(statement)

    for engine in {database.write_engine.sync_engine, database.read_engine.sync_engine}:
        event.listen(engine, "before_cursor_execute", keep)
    try:
        yield sent
    finally:
        for engine in {database.write_engine.sync_engine, database.read_engine.sync_engine}:
            event.remove(engine, "before_cursor_execute", keep)


def subject(requester: User, **more: Any) -> Subject:
    facts = {
        "ticket_type": more.pop("ticket_type", "IT_HARDWARE"),
        "priority": "MEDIUM",
        "amount": Decimal("10.00"),
        "currency": "USD",
        "department_id": requester.department_id,
        "requester_id": requester.id,
        "title": "Something",
    }
    custom = more.pop("custom_fields", {})
    facts |= more.pop("facts", {}) | {f"custom.{k}": v for k, v in custom.items()}
    number = next(_numbers)
    return Subject(
        type="ticket",
        id=number,
        round=1,
        requester_id=requester.id,
        department_id=requester.department_id,
        urgency=more.pop("urgency", 2),
        facts=facts,
        custom_fields=custom,
        shown={"id": number, "requester_id": requester.id, "department_id": requester.department_id},
        barred=frozenset({requester.id, *more.pop("barred", ())}),
    )


def shown(path: dict[str, Any]) -> list[tuple[Any, ...]]:
    """What a path promises."""
    return [
        (
            *(s[k] for k in ("name", "applies", "mode", "needed", "due_in_minutes", "first_answer_counts")),
            *((p["person"]["id"], p["order"]) for p in s["people"]),
        )
        for s in path["stages"]
    ]


async def begun(session: Any, asked: Subject) -> tuple[Any, list[tuple[Any, ...]]]:
    """The workflow that was begun, and the same of its rows."""
    row = await service.start(session, SYSTEM, asked)
    stages = await session.scalars(
        select(ApprovalStage).where(ApprovalStage.workflow_id == row.id).order_by(ApprovalStage.position)
    )
    rows = []
    for s in stages.all():
        steps = await session.scalars(
            select(ApprovalStep).where(ApprovalStep.stage_id == s.id).order_by(ApprovalStep.seat)
        )
        applies = s.status != StageStatus.SKIPPED
        about = (s.name, applies, s.mode, s.needed, s.due_in_minutes, s.first_answer_counts)
        rows.append(about + tuple((t.approver_id, t.step_order) for t in steps.all()))
    return row, rows


async def company(session: Any) -> list[User]:
    """Everybody of the demo company, some of them gone, away or without the right to decide; and workflows of all kinds."""
    people = list(await session.scalars(select(User).order_by(User.id)))
    by_name = {u.username: u for u in people}
    team = (await session.scalars(select(Team).order_by(Team.id))).first()
    session.add_all(TeamMember(team_id=team.id, user_id=by_name[n].id) for n in ("manager", "head", "finance2"))
    session.add(
        Absence(
            user_id=by_name["head"].id,
            starts_at=now() - timedelta(days=1),
            ends_at=now() + timedelta(days=5),
            created_by_id=by_name["head"].id,
            created_at=now(),
            reason="",
        )
    )
    await session.execute(update(User).where(User.username.in_(["finance3", "agent2"])).values(is_active=False))
    hr = await session.scalar(select(Department).where(Department.name == "HR"))
    hr.head_id = by_name["agent2"].id  # who has left
    await session.flush()
    stage = {"condition": None, "mode": "PARALLEL", "quorum": "ALL", "due_in_minutes": 60, "escalation": None}
    large = {"all": [{"field": "amount", "op": "gt", "value": "1000"}]}

    def workflow(ticket_type: str, *stages: dict[str, Any]) -> dict[str, Any]:
        return {
            "name": f"For {ticket_type}",
            "condition": {"all": [{"field": "ticket_type", "op": "eq", "value": ticket_type}]},
            "stages": [{**stage, "name": f"Stage {n}", **s} for n, s in enumerate(stages, 1)],
        }

    for document in (
        workflow(
            "CHAIN",
            {"approvers": [{"kind": "REQUESTER_MANAGER"}, {"kind": "MANAGER_LEVEL", "level": 3}], "mode": "SEQUENTIAL"},
            {"approvers": [{"kind": "MANAGERS_MANAGER"}], "condition": large},
            {"approvers": [{"kind": "TEAM", "team_id": team.id}], "quorum": {"percent": 51}},
        ),
        workflow(
            "HEADS",
            {"approvers": [{"kind": "DEPARTMENT_HEAD"}, {"kind": "DEPARTMENT_HEAD", "department_id": hr.id}]},
            {
                "approvers": [{"kind": "USER", "user_id": by_name["hragent"].id}],
                "fallback": [{"kind": "USERS", "user_ids": [by_name["head"].id, by_name["finance1"].id]}],
                "condition": large,
                "quorum": "FIRST",
            },
        ),
        workflow(
            "NAMED",
            {"approvers": [{"kind": "FORM_FIELD", "field": "approver"}, {"kind": "ROLE", "role": "finance_committee"}]},
            {"approvers": [{"kind": "ROLE", "role": "manager"}], "quorum": 2, "due_in_minutes": 300},
        ),
    ):
        await create_definition(session, SYSTEM, document)
    await session.execute(
        UserRole.__table__.delete().where(
            UserRole.user_id == by_name["finance2"].id,
            UserRole.role_id == select(Role.id).where(Role.key == "finance_committee").scalar_subquery(),
        )
    )
    return people


def many(people: list[User], count: int) -> list[Subject]:
    """Subjects of every kind, the same on every machine."""
    rng = random.Random(4)
    made = []
    for _ in range(count):
        named = rng.choice([None, "", "manager", "EXECUTIVE@demo.example", "nobody", rng.choice(people).id, True, [1]])
        amount = rng.choice(AMOUNTS)
        priority = rng.choice(["LOW", "MEDIUM", "HIGH", "CRITICAL"])
        made.append(
            subject(
                rng.choice(people),
                ticket_type=rng.choice(["IT_HARDWARE", "FINANCE", "CHAIN", "HEADS", "NAMED", "OTHER"]),
                facts={"amount": None if amount is None else Decimal(amount), "priority": priority},
                custom_fields={} if named is None else {"approver": named},
                urgency=["LOW", "MEDIUM", "HIGH", "CRITICAL"].index(priority) + 1,
                barred={u.id for u in rng.sample(people, rng.choice([0, 0, 1, 2, 6]))},
            )
        )
    return made


def timeless(told: Any) -> Any:
    """What was told, without by when: each look counts from its own moment."""
    if isinstance(told, dict):
        return {k: timeless(v) for k, v in told.items() if k != "due_at"}
    return [timeless(v) for v in told] if isinstance(told, list) else told


async def test_what_is_foreseen_is_what_begins(fresh_database: Any) -> None:
    async with fresh_database.transaction() as session:
        subjects = many(await company(session), 300)
        together = await foresee_many(session, subjects)
        lacking = 0
        for n, (asked, path) in enumerate(zip(subjects, together, strict=True)):
            if n % 10 == 0:
                alone = await foresee(session, asked)
                assert timeless(alone) == timeless(path), "alone it is foreseen as among many"
            if path["problem"]:
                lacking += 1
                with pytest.raises(NobodyToAsk):
                    await service.start(session, SYSTEM, asked)
                continue
            row, rows = await begun(session, asked)
            assert rows == shown(path)
            about = path["workflow"]
            assert (row.definition_id, row.definition_version, row.name, row.reason) == (
                about["id"],
                about["version"],
                about["name"],
                about["why"],
            )
        emergencies = sum(p["is_emergency"] for p in together)
        ways = {p["workflow"]["name"] for p in together}
        assert (len(ways), lacking > 0, emergencies > 20) == (5, True, True), "the subjects are of every kind"


async def test_a_handful_of_statements_for_500(fresh_database: Any) -> None:
    async with fresh_database.transaction() as session:
        subjects = many(await company(session), 500)
        await foresee_many(session, subjects[:50])  # definitions and names are known from here on
        with counted(fresh_database) as sent:
            await foresee_many(session, subjects)
        assert len(sent) <= 12, sent
        with counted(fresh_database) as sent:
            await foresee(session, subjects[0])
        assert len(sent) <= 9, sent


async def test_who_is_away_is_named_until_when(fresh_database: Any) -> None:
    async with fresh_database.transaction() as session:
        people = {u.username: u for u in await company(session)}
        path = await foresee(session, subject(people["employee"], facts={"amount": Decimal("2000.00")}))
        [stage] = [s for s in path["stages"] if s["applies"]]
        [asked] = stage["people"]
        assert asked["person"]["username"] == "head"
        assert asked["why"] == "head of the department"
        assert stage["why"] == "amount is at least 1,000 and at most 5,000"
        assert datetime.fromisoformat(asked["away_until"]) > now() + timedelta(days=4)
        path = await foresee(session, subject(people["employee"]))
        assert [p["away_until"] for s in path["stages"] for p in s["people"]] == [None]


async def test_who_stands_in_is_named_where_they_may(fresh_database: Any) -> None:
    async with fresh_database.transaction() as session:
        people = {u.username: u for u in await company(session)}
        head, colleague, manager = people["head"], people["colleague"], people["manager"]

        async def lets(approver: User, deputy: User, **more: Any) -> None:
            at = now()
            window = {"starts_at": at - timedelta(hours=1), "ends_at": at + timedelta(days=2)}
            row = ApprovalDelegation(
                delegator_id=approver.id,
                delegate_id=deputy.id,
                **window,
                created_by_id=approver.id,
                created_at=at,
                include_waiting=True,
                reason="",
                field_kinds={},
                condition=more.get("condition"),
                amount_up_to=more.get("amount_up_to"),
            )
            session.add(row)
            await session.flush()
            rights = {"approver_id": approver.id, "deputy_id": deputy.id, "delegation_ids": [row.id]}
            session.add(ApprovalDeputy(**rights, **window, scope="$ ? (@.v.amount < 1)"))
            await session.flush()

        def asked(amount: str, **more: Any) -> Subject:
            return subject(people["employee"], facts={"amount": Decimal(amount)}, **more)

        async def deputies(*subjects: Subject) -> list[Any]:
            paths = await foresee_many(session, subjects)
            told = [p["deputy"] for path in paths for s in path["stages"] for p in s["people"]]
            return [d and d["username"] for d in told]

        assert await deputies(asked("2000.00")) == [None]
        await lets(head, colleague, amount_up_to=Decimal("3000.00"))
        await lets(head, manager)
        assert await deputies(asked("2000.00"), asked("4000.00")) == ["colleague", "manager"]
        assert await deputies(asked("2000.00", barred={colleague.id})) == ["manager"]
        assert await deputies(asked("2000.00", barred={colleague.id, manager.id})) == [None]


async def test_ids_and_keys_in_conditions_are_said_by_name(fresh_database: Any) -> None:
    async with fresh_database.transaction() as session:
        employee = await session.scalar(select(User).where(User.username == "employee"))
        await create_definition(
            session,
            SYSTEM,
            {
                "name": "By name",
                "condition": {
                    "all": [
                        {"field": "ticket_type", "op": "eq", "value": "IT_HARDWARE"},
                        {"field": "department_id", "op": "in", "value": [employee.department_id]},
                    ]
                },
                "stages": [
                    {
                        "name": "Only",
                        "condition": {"field": "requester_id", "op": "eq", "value": employee.id},
                        "approvers": [{"kind": "REQUESTER_MANAGER"}],
                    }
                ],
            },
        )
        path = await foresee(session, subject(employee))
        assert path["workflow"]["why"] == "type is IT hardware and department is one of Marketing"
        assert path["stages"][0]["why"] == "requester is Jane Doe"
        row, _ = await begun(session, subject(employee))
        assert row.reason == path["workflow"]["why"]


async def test_a_stage_without_anybody_is_named_and_the_others_are_still_shown(fresh_database: Any) -> None:
    async with fresh_database.transaction() as session:
        people = await company(session)
        requester = next(u for u in people if u.username == "executive")
        admins = {u.id for u in people if u.username in ("admin", "ithead")}  # and who is above them
        path = await foresee(session, subject(requester, ticket_type="CHAIN", barred=admins))
        assert path["problem"] == "nobody_to_ask"
        assert [s["problem"] for s in path["stages"]] == ["nobody_to_ask", None, None]
        assert path["stages"][2]["people"]


async def test_another_workflow_can_be_tried(fresh_database: Any) -> None:
    async with fresh_database.transaction() as session:
        people = {u.username: u for u in await company(session)}
        asked = subject(people["employee"], facts={"amount": Decimal("9000.00")})
        tried = await foresee(session, asked, Chosen(DEFAULT, None, None, "to try it"))
        assert tried["workflow"]["why"] == "to try it"
        assert [p["person"]["username"] for s in tried["stages"] for p in s["people"]] == ["manager"]
        [among] = await foresee_many(session, [asked], among=[InForce(7, 3, DEFAULT)])
        assert (among["workflow"]["id"], among["workflow"]["version"]) == (7, 3)
        [none] = await foresee_many(session, [asked], among=[])
        assert none["workflow"]["id"] is None
