"""Reports people make: what they count, for whom, within which limits, and with whom they are shared."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from waypost.kernel.conditions.fields import Field, Kind
from waypost.reports import keeping, running
from waypost.reports.running import leaves_of
from waypost.reports.shapes import DIMENSIONS, MEASURES, chosen_fields, dimension_of
from waypost.tickets.lifecycle import Priority, Status


def asked(**more: Any) -> dict[str, Any]:
    return {"definition": {"measures": ["count"], "rows": "status", **more}}


@pytest.fixture(autouse=True)
async def counted(database: Any) -> None:
    while await keeping.run_due(database):
        pass


async def tickets_of(api: Any, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = await api.get("/tickets", params={"limit": 100, **query, **({"cursor": cursor} if cursor else {})})
        found += page["items"]
        if (cursor := page["next_cursor"]) is None:
            return found


@pytest.mark.parametrize(
    "username", ["employee", "manager", "head", "agent", "outsider", "executive", "auditor", "admin"]
)
async def test_a_report_counts_what_its_reader_finds(who: Any, username: str) -> None:
    api = await who(username)
    seen = await tickets_of(api)
    report = await api.post("/reports/preview", asked())
    assert {line["key"]: line["values"][0] for line in report["lines"]} == Counter(t["status"] for t in seen)
    pivot = await api.post("/reports/preview", asked(columns="priority"))
    by_hand = Counter((t["status"], t["priority"]) for t in seen)
    # in the order of a request's life, and the most urgent first
    assert [line["key"] for line in pivot["lines"]] == [s for s in Status if s in {t["status"] for t in seen}]
    urgent = [p for p in reversed(Priority) if p in {t["priority"] for t in seen}]
    assert [heading["key"] for heading in pivot["columns"]] == urgent
    for line in pivot["lines"]:
        for heading, value in zip(pivot["columns"], line["values"], strict=True):
            assert (value or 0) == by_hand[line["key"], heading["key"]]
            if value:
                leaves = {"all": line["drill"] + heading["drill"]}
                assert len(await tickets_of(api, condition=json.dumps(leaves))) == value


async def test_every_measure_and_dimension_gives_an_answer_and_leads_to_its_tickets(who: Any) -> None:
    api = await who("admin")
    choices = await api.get("/reports/choices")
    assert [m["key"] for m in choices["measures"]] == list(MEASURES)
    for n in range(0, len(MEASURES), 4):
        found = await api.post("/reports/preview", asked(measures=list(MEASURES)[n : n + 4], rows=None))
        assert len(found["lines"]) == 1
    for dimension in choices["dimensions"]:
        found = await api.post("/reports/preview", asked(rows=dimension["key"]))
        assert sum(line["values"][0] for line in found["lines"]) == len(await tickets_of(api)), dimension
        for line in found["lines"][:3]:
            if line["drill"] is not None:
                leaves = json.dumps({"all": line["drill"]})
                assert len(await tickets_of(api, condition=leaves)) == line["values"][0], (dimension, line)


async def test_a_condition_narrows_it(who: Any) -> None:
    api = await who("admin")
    condition = {"all": [{"field": "priority", "op": "eq", "value": "HIGH"}]}
    found = await api.post("/reports/preview", asked(condition=condition))
    assert sum(line["values"][0] for line in found["lines"]) == len(await tickets_of(api, priority="HIGH"))


@pytest.mark.parametrize(
    ("definition", "pointer"),
    [
        ({"measures": ["nothing"]}, "/definition/measures/0"),
        ({"measures": ["count", "count"]}, "/definition/measures"),
        ({"measures": []}, "/definition/measures"),
        ({"rows": "password_hash"}, "/definition/rows"),
        ({"rows": "custom.x'y"}, "/definition/rows"),
        ({"rows": None, "columns": "status"}, "/definition/rows"),
        ({"columns": "status"}, "/definition/columns"),
        ({"columns": "team", "measures": ["count", "open"]}, "/definition/measures"),
        ({"condition": {"all": [{"field": "secret", "op": "eq", "value": 1}]}}, "/definition/condition"),
        ({"chart": "CAKE"}, "/definition/chart"),
        ({"more": 1}, "/definition/more"),
    ],
)
async def test_what_can_not_be_asked_for_is_told(who: Any, definition: dict[str, Any], pointer: str) -> None:
    api = await who("employee")
    for path, more in (("/reports/preview", {}), ("/reports/custom", {"name": "x"})):
        problem = await api.post(path, asked(**definition) | more, expect=422)
        assert any(e["pointer"].startswith(pointer) for e in problem["errors"]), problem


async def test_it_has_limits(who: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    api = await who("admin")
    monkeypatch.setattr(running, "MOST_ROWS", 2)
    assert (await api.post("/reports/preview", asked(), expect=422))["code"] == "report_too_large"
    monkeypatch.setattr(running, "MOST_ROWS", 2000)
    monkeypatch.setattr(running, "SECONDS", 0.05)
    slow = replace(MEASURES["count"], sql="(SELECT 1 FROM pg_sleep(1))")
    monkeypatch.setitem(MEASURES, "count", slow)
    assert (await api.post("/reports/preview", asked(rows=None), expect=422))["code"] == "report_too_slow"


async def test_it_is_kept_and_shared(who: Any) -> None:
    jane, mike, kim, agent = [await who(w) for w in ("employee", "manager", "outsider", "agent")]
    body = {"name": "By status", **asked(), "person_ids": [mike.id]}
    report = await jane.post("/reports/custom", body, expect=201)
    path = f"/reports/custom/{report['id']}"
    assert report["allowed_actions"] == ["edit", "delete"]
    assert report["people"][0]["id"] == mike.id
    theirs = await mike.get(path)
    assert theirs["allowed_actions"] == []
    assert theirs["people"] == []
    assert report["id"] in [r["id"] for r in (await mike.get("/reports/custom"))["items"]]
    await kim.get(path, expect=404)
    await kim.get(f"{path}/result", expect=404)
    await kim.put(path, body | {"version": 1}, expect=404)
    await mike.put(path, {}, expect=403)
    await mike.delete(path, expect=403)
    # the same report shows each reader their own
    for api in (jane, mike):
        shown = await api.get(f"{path}/result")
        assert sum(line["values"][0] for line in shown["lines"]) == len(await tickets_of(api))
    problem = await jane.put(path, body | {"version": 1, "roles": ["agent"]}, expect=422)
    assert problem["errors"][0]["pointer"] == "/roles"
    problem = await jane.put(path, body | {"version": 1, "team_ids": [1]}, expect=422)
    assert problem["errors"][0]["pointer"] == "/team_ids"
    changed = await jane.put(path, {"name": "Mine", **asked(rows="priority"), "version": 1})
    assert changed["version"] == 2
    await mike.get(path, expect=404)
    await jane.put(path, body | {"version": 1}, expect=412)
    await jane.delete(path)
    await jane.get(path, expect=404)
    mine = {"name": "Our work", **asked(), "team_ids": sorted(t["id"] for t in agent.me["teams"])[:1]}
    if mine["team_ids"]:
        shared = await agent.post("/reports/custom", mine, expect=201)
        await (await who("agent2")).get(f"/reports/custom/{shared['id']}")


def test_what_follows_a_span_is_its_end() -> None:
    def end(key: str, first: date) -> str:
        leaves = leaves_of(DIMENSIONS[key], first)
        assert leaves is not None
        return str(leaves[1]["value"])

    assert end("created_day", date(2028, 2, 29)) == "2028-03-01T00:00:00Z"
    assert end("created_week", date(2026, 12, 28)) == "2027-01-04T00:00:00Z"
    assert end("created_month", date(2026, 12, 1)) == "2027-01-01T00:00:00Z"
    assert end("created_quarter", date(2026, 10, 1)) == "2027-01-01T00:00:00Z"
    assert leaves_of(DIMENSIONS["requester_department"], 1) is None


def test_what_is_sensitive_tells_nothing_apart() -> None:
    """Neither do texts, of which there are too many."""
    kind, words = Kind.CHOICE, ("a", "b")
    fields = {
        "custom.open": Field("custom.open", kind, "Open", words),
        "custom.closed": Field("custom.closed", kind, "Closed", words, is_sensitive=True),
        "custom.text": Field("custom.text", Kind.TEXT, "Text"),
    }
    assert [d.key for d in chosen_fields(fields)] == ["custom.open"]
    assert dimension_of("custom.closed", fields) is None
