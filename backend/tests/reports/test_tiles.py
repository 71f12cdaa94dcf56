"""Every number of a dashboard that leads to a list is the number of rows one finds there, whoever looks."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from tests.company import Company
from tests.reports.test_keeping import counted
from tests.tickets.test_clocks import Time
from waypost.kernel import clock
from waypost.kernel.conditions.evaluate import holds
from waypost.kernel.conditions.sql import compiled
from waypost.kernel.conditions.tree import parse
from waypost.reports.list_fields import COUNTED
from waypost.tickets.fields import column, fields_of_lists
from waypost.tickets.models import Ticket

DAYS = ("7", "30", "90", "365")
DEEDS = ("create", "approve", "say", "start", "complete") * 4 + (
    "edit",
    "assign",
    "reopen",
    "close",
    "ask_back",
    "answer",
)
OPEN = ["SUBMITTED", "IN_REVIEW", "PENDING_INFO", "APPROVED", "IN_PROGRESS"]
READERS = ("employee", "manager", "head", "agent", "agent2", "hragent", "outsider", "executive", "auditor", "admin")


def leaf(field: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "op": op} | ({} if value is None else {"value": value})


def within(field: str, span: dict[str, Any]) -> list[dict[str, Any]]:
    """From the first of these days to the last, in UTC."""
    found = [leaf(field, "gte", f"{span['from']}T00:00:00Z")] if span["from"] else []
    return found + ([leaf(field, "lte", f"{span['to']}T23:59:59.999999Z")] if span["to"] else [])


def of_window(d: dict[str, Any]) -> list[tuple[str, int, dict[str, Any], list[dict[str, Any]]]]:
    """What is told of the last days: each number, and the condition of its list."""
    first = f"{d['trend'][0]['date']}T00:00:00Z"
    completed = leaf("completed_at", "gte", first)
    measured = leaf("first_response_clock_at", "gte", first)
    levels: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
        ("completed", d["service_level"], completed, "completed_in_time"),
        ("answered", d["first_response_level"], measured, "first_response_in_time"),
    ]
    found = [
        ("created", sum(day["created"] for day in d["trend"]), {}, [leaf("created_at", "gte", first)]),
        ("completed", sum(day["completed"] for day in d["trend"]), {}, [completed]),
        ("resolution", d["resolution"]["count"], {}, [completed, leaf("submitted_at", "is_not_empty")]),
        ("worked", d["resolution_working"]["count"], {}, [completed, leaf("resolution_hours", "is_not_empty")]),
        ("response", d["first_response"]["count"], {}, [leaf("first_response_at", "gte", first)]),
        ("measured", d["first_response_working"]["count"], {}, [measured]),
    ]
    for what, level, when, kept in levels:
        found.append((f"{what} in time", level["kept"], {}, [when, leaf(kept, "eq", True)]))
        found.append((f"{what} late", level["late"], {}, [when, leaf(kept, "eq", False)]))
    return found


def lists_of(d: dict[str, Any]) -> list[tuple[str, int, dict[str, Any]]]:
    """What each number is called, what it says, and the list it leads to (`features/reports/tiles.ts`, `charts.ts`)."""
    waiting = ["SUBMITTED", "IN_REVIEW"]
    found: list[tuple[str, int, dict[str, Any], list[dict[str, Any]]]] = [
        ("open", sum(d["tickets_by_status"][s] for s in OPEN), {"status": OPEN}, []),
        ("approval", sum(d["tickets_by_status"][s] for s in waiting), {"status": waiting}, []),
        (
            "urgent",
            sum(a["by_priority"]["CRITICAL"] for a in d["backlog"]),
            {"status": OPEN, "priority": "CRITICAL"},
            [],
        ),
    ]
    found += [(status, n, {"status": status}, []) for status, n in d["tickets_by_status"].items()]
    found += [
        (f"level {level}", n, {"status": OPEN}, [leaf("sla_state", "eq", level)])
        for level, n in d["open_by_level"].items()
    ]
    found += [(f"age {a}", a["count"], {"status": OPEN}, within("created_at", a)) for a in d["backlog"]]
    found += [
        (f"day {day['date']}", day["created"], {}, within("created_at", {"from": day["date"], "to": day["date"]}))
        for day in d["trend"]
        if day["created"]
    ]
    found += [
        (b["ticket_type"], b["count"], {"status": OPEN, "ticket_type": b["ticket_type"]}, []) for b in d["by_type"]
    ]
    for row in d["load"]["rows"]:
        if d["load"]["by"] == "ASSIGNEE":
            found.append(
                (f"load {row['name']}", sum(row["counts"]), {"status": OPEN, "assignee_id": row["id"] or "none"}, [])
            )
        else:
            whose: tuple[dict[str, Any], list[dict[str, Any]]] = (
                ({"team_id": row["id"]}, []) if row["id"] is not None else ({}, [leaf("team_id", "is_empty")])
            )
            found.append((f"load {row['name']}", sum(row["counts"]), {"status": OPEN, **whose[0]}, whose[1]))
    found += [
        (
            f"{a['approver']['name']} in {a['stage']}",
            a["waiting"],
            {},
            [leaf("waits_for_id", "eq", a["approver"]["id"]), leaf("waits_in_stage", "eq", a["stage"])],
        )
        for a in d["approvers"]
    ]
    found += cells_of(d)
    return addressed(d, found)


def cells_of(
    d: dict[str, Any],
) -> list[tuple[str, int, dict[str, Any], list[dict[str, Any]]]]:
    """The numbers within a row: by priority, by age of somebody's work, and what was completed on a day."""
    found: list[tuple[str, int, dict[str, Any], list[dict[str, Any]]]] = [
        (f"age {a} {priority}", n, {"status": OPEN, "priority": priority}, within("created_at", a))
        for a in d["backlog"]
        for priority, n in a["by_priority"].items()
        if n
    ]
    for row in d["load"]["rows"]:
        of_teams = d["load"]["by"] == "TEAM"
        nobody: list[dict[str, Any]] = [leaf("team_id", "is_empty")] if of_teams and row["id"] is None else []
        whose = {"team_id" if of_teams else "assignee_id": row["id"] or "none"} if not nobody else {}
        for span, n in zip(d["load"]["spans"], row["counts"], strict=True):
            if n:
                what = f"load {row['name']} {span}"
                found.append((what, n, {"status": OPEN, **whose}, within("created_at", span) + nobody))
    found += [
        (
            f"done {day['date']}",
            day["completed"],
            {},
            within("completed_at", {"from": day["date"], "to": day["date"]}),
        )
        for day in d["trend"]
        if day["completed"]
    ]
    return found


def addressed(
    d: dict[str, Any], found: list[tuple[str, int, dict[str, Any], list[dict[str, Any]]]]
) -> list[tuple[str, int, dict[str, Any]]]:
    """The same with the query of each list, on this board."""
    return [
        (what, n, {**d["narrow"], **query, **({"condition": json.dumps({"all": leaves})} if leaves else {})})
        for what, n, query, leaves in found
    ]


@pytest.fixture(scope="module", autouse=True)
async def history(database: Any) -> None:
    """Half a year at the demo company, as dice have it, up to an hour ago."""
    wall = Time(clock.now() - timedelta(days=180))
    company = Company(database, wall, random.Random(11))
    with clock.clock(wall):
        for _ in range(220):
            wall.go(timedelta(minutes=company.dice.randrange(2300)))
            await company.do(company.dice.choice(DEEDS))
    assert wall.at < clock.now()
    assert company.done["complete"] > 10
    await counted(database)


@pytest.mark.parametrize("username", READERS)
async def test_a_number_is_how_many_its_list_has(who: Any, username: str) -> None:
    api = await who(username)
    compared = 0
    for kind in (await api.get("/reports/dashboards"))["kinds"]:
        for days in DAYS:
            board = await api.get(f"/reports/dashboards/{kind}", params={"days": days})
            assert board["behind"] == 0
            assert board["counted_at"] <= board["as_of"]
            lists = addressed(board, of_window(board)) + (lists_of(board) if days == "30" else [])
            for what, number, query in lists:
                found = await api.get("/tickets/count", params=query)
                assert (found["count"], found["more"]) == (number, False), (kind, days, what, query)
                compared += 1
        pending = await api.get("/approvals/pending", params={"limit": 100}, expect=None)
        waiting = len(pending.json()["items"]) if pending.status_code == 200 else 0
        assert board["pending_approvals"] == waiting
    assert compared >= 60


async def test_what_no_list_would_be_without_is_told(who: Any) -> None:
    """Of everybody's requests every kind of number there is, is one: none of the lists was compared empty only."""
    board = await (await who("executive")).get("/reports/dashboards/EXECUTIVE", params={"days": "365"})
    empty = [what for what, number, _, _ in of_window(board) if not number]
    assert empty == []
    assert any(row["waiting"] for row in board["approvers"])


CONDITIONS: list[Any] = [
    leaf("first_response_at", "is_empty"),
    leaf("first_response_in_time", "ne", True),
    leaf("completed_in_time", "is_not_empty"),
    leaf("resolution_hours", "gt", "1.5"),
    leaf("approval_hours", "not_in", ["0"]),
    {"not": {"all": [leaf("approval_hours", "gt", "24"), leaf("completed_in_time", "eq", True)]}},
    {"any": [leaf("first_response_hours", "lt", "4"), leaf("completed_in_time", "eq", False)]},
    {
        "all": [
            leaf("first_response_hours", "lte", "30"),
            leaf("completed_in_time", "is_empty"),
            leaf("status", "ne", "DRAFT"),
        ]
    },
]


@pytest.mark.parametrize("condition", CONDITIONS)
async def test_what_is_counted_is_found_as_it_is_judged(database: Any, condition: Any) -> None:
    """Also where there is no value, or not even a row of facts yet."""
    belongs = next(iter(COUNTED.values())).belongs
    values = [place.value.label(field.name) for field, place in COUNTED.items() if place.belongs is belongs]
    fields = fields_of_lists()
    parsed = parse(condition, fields)
    async with database.transaction() as session:
        forgotten = await session.scalar(
            text("DELETE FROM report_facts WHERE ticket_id = (SELECT max(ticket_id) FROM report_facts) RETURNING 1")
        )
        found = set(await session.scalars(select(Ticket.id).where(compiled(parsed, column))))
        facts = {row.ticket_id: row for row in await session.execute(select(belongs.left.label("ticket_id"), *values))}
        rows = {t.id: {"status": t.status} for t in await session.scalars(select(Ticket))}
        await session.rollback()
    for ticket_id, row in rows.items():
        row.update({f.name: getattr(facts.get(ticket_id), f.name, None) for f in COUNTED})
    assert forgotten
    assert found == {ticket_id for ticket_id, row in rows.items() if holds(parsed, row)}
    assert 0 < len(found) < len(rows)


async def test_whom_a_ticket_waits_for_is_asked_of_one_approver_at_a_time(database: Any) -> None:
    """Of several: any of them for what is so, none of them for what is not, and the stage is the one they are asked in."""
    fields = fields_of_lists()

    async def found(condition: Any) -> set[int]:
        statement = select(Ticket.id).where(compiled(parse(condition, fields), column))
        async with database.transaction() as session:
            return set(await session.scalars(statement))

    async with database.transaction() as session:
        asked = (
            await session.execute(text("SELECT ticket_id, approver_id, stage FROM report_decisions WHERE is_open"))
        ).all()
        everything = set(await session.scalars(select(Ticket.id)))
    assert len({a.approver_id for a in asked}) > 1
    for ticket_id, approver_id, stage in asked:
        person, place = leaf("waits_for_id", "eq", approver_id), leaf("waits_in_stage", "eq", stage)
        theirs = {a.ticket_id for a in asked if a.approver_id == approver_id}
        assert ticket_id in theirs
        assert await found(person) == theirs
        assert await found(leaf("waits_for_id", "ne", approver_id)) == everything - theirs
        assert await found({"all": [person, place]}) == {
            a.ticket_id for a in asked if (a.approver_id, a.stage) == (approver_id, stage)
        }
        assert await found({"all": [person, leaf("waits_in_stage", "eq", "Nowhere")]}) == set()
    assert await found(leaf("waits_for_id", "is_empty")) == everything - {a.ticket_id for a in asked}
