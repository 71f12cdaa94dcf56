"""Calendars as configuration: added, changed, tried, shown by the year, and what refuses them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import event as sqlalchemy_event

from waypost.sla import queries
from waypost.sla.models import SlaCalendar

OFFICE = [[{"from": "08:00", "to": "12:00"}, {"from": "13:00", "to": "18:00"}]] * 5 + [[], []]


def body(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "zone": "Europe/Berlin", "week": OFFICE, **more}


async def test_a_calendar_is_set_up_changed_and_removed(who: Any, database: Any) -> None:
    admin, employee, auditor = await who("admin"), await who("employee"), await who("auditor")
    days = [
        {"kind": "CLOSED", "day": "2026-12-24", "name": "Christmas Eve"},
        {"kind": "YEARLY", "month_day": "12-25", "name": "Christmas Day"},
        {"kind": "SPECIAL", "day": "2026-12-31", "hours": [{"from": "08:00", "to": "12:00"}], "name": "Half a day"},
    ]
    made = await admin.post("/sla/calendars", body("Berlin office", days=days), 201)
    path = f"/sla/calendars/{made['id']}"
    assert made["week"][0] == OFFICE[0]
    assert made["allowed_actions"] == ["update", "import", "delete"]
    assert {(d["kind"], d["day"], d["month_day"], d["source"]) for d in made["days"]} == {
        ("CLOSED", "2026-12-24", None, "MANUAL"),
        ("YEARLY", None, "12-25", "MANUAL"),
        ("SPECIAL", "2026-12-31", None, "MANUAL"),
    }
    seen = await auditor.get(path)
    assert seen["allowed_actions"] == []
    await auditor.put(path, {}, 403)
    await employee.get(path, 403)
    await employee.get("/sla/calendars", 403)
    year = {d["day"]: d for d in (await admin.get(f"{path}/years/2026"))["days"]}
    assert len(year) == 365
    assert (year["2026-12-24"]["state"], year["2026-12-24"]["name"]) == ("HOLIDAY", "Christmas Eve")
    assert (year["2026-12-25"]["state"], year["2026-12-25"]["name"]) == ("HOLIDAY", "Christmas Day")
    assert (year["2026-12-31"]["state"], year["2026-12-31"]["hours"]) == ("SPECIAL", days[2]["hours"])
    assert (year["2026-12-26"]["state"], year["2026-12-28"]["state"]) == ("CLOSED", "OPEN")

    changed = await admin.put(path, body("Berlin office", days=days[:1], version=1))
    assert changed["version"] == 2
    assert [d["day"] for d in changed["days"]] == ["2026-12-24"]
    same = await admin.put(path, body("Berlin office", days=days[:1], version=2))
    assert same["version"] == 2, "what changes nothing is no version"
    await admin.put(path, body("Berlin office", version=1), 412)
    versions = await admin.get(f"{path}/versions")
    assert [(v["version"], v["changes"]) for v in versions["items"]] == [(2, ["days"]), (1, [])]
    async with database.read() as session:
        kept = await queries.calendar_versions(session, [(made["id"], 1), (made["id"], 2)])
    assert len(kept[made["id"], 1].calendar.yearly) == 1
    assert not kept[made["id"], 2].calendar.yearly
    await admin.delete(path)
    await admin.get(path, 404)


async def test_one_calendar_is_the_default(who: Any, database: Any) -> None:
    admin = await who("admin")
    before = next(c for c in (await admin.get("/sla/calendars"))["items"] if c["is_default"])
    await admin.delete(f"/sla/calendars/{before['id']}", 409)
    made = await admin.post("/sla/calendars", body("Oslo", is_default=True), 201)
    items = (await admin.get("/sla/calendars"))["items"]
    assert [c["id"] for c in items if c["is_default"]] == [made["id"]]
    async with database.read() as session:
        assert (await queries.calendars(session)).default.id == made["id"]
    await admin.put(f"/sla/calendars/{made['id']}", body("Oslo", version=made["version"]), 409)
    back = {"name": before["name"], "zone": before["zone"], "week": before["week"], "version": before["version"]}
    await admin.put(f"/sla/calendars/{before['id']}", {**back, "is_default": True})


async def test_what_is_due_is_told_with_its_ledger(who: Any) -> None:
    admin = await who("admin")
    days = [{"kind": "CLOSED", "day": "2026-11-30", "name": "Founders’ day"}]
    week = [[{"from": "08:00", "to": "18:00"}]] * 5 + [[], []]
    made = await admin.post("/sla/calendars", {**body("Tried", days=days), "week": week}, 201)
    asked = {"start": "2026-11-27T15:00:00Z", "target": {"amount": 8, "unit": "HOURS"}}
    found = await admin.post(f"/sla/calendars/{made['id']}/try", asked)
    assert found["due_local"] == "2026-12-01T14:00:00+01:00"
    assert sum(line["minutes"] for line in found["ledger"] if line["kind"] == "RUNNING") == 480
    assert [line["why"] for line in found["ledger"] if line["kind"] == "HOLIDAY"] == ["Founders’ day"]
    never = {"start": "2026-11-27T15:00:00Z", "target": {"amount": 86_400, "unit": "DAYS", "days": "BLOCKS"}}
    refused = await admin.post(f"/sla/calendars/{made['id']}/try", never, 422)
    assert refused["errors"][0]["pointer"] == "/target"


EVERY_DAY = [{"kind": "YEARLY", "month_day": f"{date(2028, 1, 1) + timedelta(days=n):%m-%d}"} for n in range(366)]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": "x" * 101}, "/name"),
        ({"name": "a\x00b"}, "/name"),
        ({"zone": "Mars/Olympus"}, "/zone"),
        ({"zone": "../etc/passwd"}, "/zone"),
        ({"zone": "Europe"}, "/zone"),
        ({"zone": "right/UTC"}, "/zone"),
        ({"zone": "localtime"}, "/zone"),
        ({"week": []}, "/week"),
        ({"week": [[]] * 7}, "/week"),
        ({"week": [[{"from": "8:00", "to": "18:00"}], *[[]] * 6]}, "/week/0/0/from"),
        ({"week": [[{"from": "08:00", "to": "24:01"}], *[[]] * 6]}, "/week/0/0/to"),
        ({"week": [[{"from": "18:00", "to": "08:00"}], *[[]] * 6]}, "/week/0"),
        ({"week": [[{"from": "08:00", "to": "12:00"}, {"from": "11:00", "to": "13:00"}], *[[]] * 6]}, "/week/0"),
        ({"days": [{"kind": "CLOSED", "day": "2026-02-30"}]}, "/days/0/day"),
        ({"days": EVERY_DAY}, "/days"),
        ({"days": [{"kind": "CLOSED", "day": "9999-02-20"}]}, "/days/0/day"),
        ({"days": [{"kind": "YEARLY", "day": "2026-02-20"}]}, "/days/0"),
        ({"days": [{"kind": "YEARLY", "month_day": "02-30"}]}, "/days/0/month_day"),
        ({"days": [{"kind": "SPECIAL", "day": "2026-02-20"}]}, "/days/0"),
        ({"days": [{"kind": "CLOSED", "day": "2026-02-20"}] * 2}, "/days/1"),
        ({"colour": "red"}, "/colour"),
    ],
)
async def test_each_mistake_is_named(who: Any, change: dict[str, Any], pointer: str) -> None:
    admin = await who("admin")
    before = len((await admin.get("/sla/calendars"))["items"])
    refused = await admin.post("/sla/calendars", body("Wrong") | change, 422)
    assert pointer in [e["pointer"] for e in refused["errors"]]
    assert len((await admin.get("/sla/calendars"))["items"]) == before


async def test_two_have_no_name_in_common(who: Any) -> None:
    admin = await who("admin")
    await admin.post("/sla/calendars", body("Twice"), 201)
    refused = await admin.post("/sla/calendars", body("Twice"), 422)
    assert refused["code"] == "name_taken"


async def test_reading_a_list_costs_the_same_however_long(who: Any, database: Any) -> None:
    admin = await who("admin")
    async with database.transaction() as session:
        session.add_all(SlaCalendar(name=f"Many {n}", zone="UTC", week=[[[0, 60]]] * 7) for n in range(20))
    statements: list[str] = []

    def count(_: Any, __: Any, statement: str, *___: Any) -> None:
        if "login_sessions" not in statement:  # who asks is looked up once a second
            statements.append(statement)

    await admin.get("/sla/calendars")  # who asks is known now
    engine = database.read_engine.sync_engine
    sqlalchemy_event.listen(engine, "before_cursor_execute", count)
    try:
        assert len((await admin.get("/sla/calendars"))["items"]) >= 20
    finally:
        sqlalchemy_event.remove(engine, "before_cursor_execute", count)
    assert len(statements) <= 2, statements
