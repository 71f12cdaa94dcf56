"""Every number of a dashboard that leads to a list is the number of rows one finds there, whoever looks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from waypost.reports import keeping

OPEN = ["SUBMITTED", "IN_REVIEW", "PENDING_INFO", "APPROVED", "IN_PROGRESS"]
READERS = ("employee", "manager", "head", "agent", "agent2", "hragent", "outsider", "executive", "auditor", "admin")


def leaf(field: str, op: str, value: str) -> dict[str, str]:
    return {"field": field, "op": op, "value": value}


def within(field: str, span: dict[str, Any]) -> list[dict[str, str]]:
    """From the first of these days to the last, in UTC."""
    found = [leaf(field, "gte", f"{span['from']}T00:00:00Z")] if span["from"] else []
    return found + ([leaf(field, "lte", f"{span['to']}T23:59:59.999999Z")] if span["to"] else [])


def lists_of(d: dict[str, Any]) -> list[tuple[str, int, dict[str, Any]]]:
    """What each number is called, what it says, and the list it leads to (`features/reports/tiles.ts`, `charts.ts`)."""
    since = [leaf("created_at", "gte", f"{d['trend'][0]['date']}T00:00:00Z")]
    until_now = [leaf("completed_at", "gte", f"{d['trend'][0]['date']}T00:00:00Z")]
    found: list[tuple[str, int, dict[str, Any], list[dict[str, str]]]] = [
        ("open", sum(d["tickets_by_status"][s] for s in OPEN), {"status": OPEN}, []),
        ("created", sum(day["created"] for day in d["trend"]), {}, since),
        ("completed", sum(day["completed"] for day in d["trend"]), {}, until_now),
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
        elif row["id"] is not None:
            found.append((f"load {row['name']}", sum(row["counts"]), {"status": OPEN, "team_id": row["id"]}, []))
    return [
        (what, n, {**d["narrow"], **query, **({"condition": json.dumps({"all": leaves})} if leaves else {})})
        for what, n, query, leaves in found
    ]


@pytest.mark.parametrize("username", READERS)
async def test_a_number_is_how_many_its_list_has(who: Any, database: Any, username: str) -> None:
    assert not await keeping.run_due(database)
    api = await who(username)
    compared = 0
    for kind in (await api.get("/reports/dashboards"))["kinds"]:
        board = await api.get(f"/reports/dashboards/{kind}")
        assert board["behind"] == 0
        assert board["counted_at"] <= board["as_of"]
        for what, number, query in lists_of(board):
            counted = await api.get("/tickets/count", params=query)
            assert (counted["count"], counted["more"]) == (number, False), (kind, what, query)
            compared += 1
        pending = await api.get("/approvals/pending", params={"limit": 100}, expect=None)
        waiting = len(pending.json()["items"]) if pending.status_code == 200 else 0
        assert board["pending_approvals"] == waiting
    assert compared >= 20 or username == "auditor"
