"""Dashboards taken away as files, at once and by schedules: each reader's own, with the numbers of the screen."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import datetime, timedelta
from typing import Any

import pytest
from pypdf import PdfReader

from tests.reports.test_exporting import fetched
from waypost.directory.models import User
from waypost.kernel import clock
from waypost.kernel.clock import now
from waypost.kernel.formats import formats_of
from waypost.kernel.workbooks import read_workbook
from waypost.reports import export_making, keeping

BOARDS = [("employee", "EMPLOYEE"), ("agent", "AGENT"), ("manager", "MANAGER"), ("executive", "EXECUTIVE")]
SCHEDULE = {
    "subject": "Mine, every day",
    "formats": ["CSV"],
    "every": "DAY",
    "at_time": "08:00",
    "zone": "UTC",
    "days": 7,
}


@pytest.fixture(autouse=True)
async def counted(database: Any) -> None:
    while await keeping.run_due(database):
        pass


async def me(api: Any) -> int:
    return int((await api.get("/auth/me"))["id"])


def told(content: bytes) -> dict[tuple[str, str, str], str]:
    """What a CSV file says: a number for each table, row and column."""
    head, *lines = csv.reader(io.StringIO(content.decode("utf-8-sig")))
    assert head == ["Table", "Row", "Column", "Value"]
    found = {(table, row, column): value for table, row, column, value in lines}
    assert len(found) == len(lines), "no number stands twice"
    return found


@pytest.mark.parametrize(("username", "kind"), BOARDS)
async def test_files_have_the_numbers_of_the_screen(who: Any, database: Any, username: str, kind: str) -> None:
    api = await who(username)
    board = await api.get(f"/reports/dashboards/{kind}", params={"days": "90"})
    body = {"formats": ["CSV", "XLSX", "PDF"], "days": 90}
    asked = await api.post(f"/reports/dashboards/{kind}/exports", body, expect=202)
    assert (asked["report"]["board"], asked["report"]["days"], asked["report"]["id"]) == (kind, 90, None)
    await export_making.make_due(database)
    export = await api.get(f"/reports/jobs/{asked['id']}")
    assert (export["status"], export["mine"]["error"]) == ("DONE", None)

    numbers = told((await fetched(api, export, "CSV")).content)
    for status, n in board["tickets_by_status"].items():
        assert numbers["Requests by status", status.replace("_", " ").capitalize(), "Requests"] == str(n)
    assert numbers["Kept their service level", "Resolution", "Late"] == str(board["service_level"]["late"])
    assert numbers["How long it takes", "Resolution", "Requests"] == str(board["resolution"]["count"])
    weeks = [int(n) for (table, _, column), n in numbers.items() if table.endswith("by week") and column == "Created"]
    assert sum(weeks) == sum(day["created"] for day in board["trend"])
    open_ones = [int(n) for (table, _, _), n in numbers.items() if table == "Open requests by age"]
    assert sum(open_ones) == sum(a["count"] for a in board["backlog"]) == int(numbers["In short", "Open", "Requests"])
    assert numbers["In short", "Waiting for your decision", "Requests"] == str(board["pending_approvals"])

    workbook = (await fetched(api, export, "XLSX")).content
    rows = read_workbook(workbook, 100)
    assert [row[0] for row in rows][:2] == ["What", rows[1][0]]
    with zipfile.ZipFile(io.BytesIO(workbook)) as parts:
        charts = [name for name in parts.namelist() if name.startswith("xl/charts/chart")]
        pages = parts.read("xl/workbook.xml").decode()
    assert len(charts) >= 6
    assert 'name="Requests by status"' in pages

    paper = PdfReader(io.BytesIO((await fetched(api, export, "PDF")).content))
    words = " ".join(" ".join(page.extract_text() for page in paper.pages).split())
    for title in (
        "In short",
        "Requests by status",
        "How long it takes",
        "Where the time goes",
        export["report"]["name"],
    ):
        assert title in words
    assert paper.trailer["/Root"]["/MarkInfo"]["/Marked"]


async def test_only_ones_own_dashboards_are_exported(who: Any) -> None:
    employee = await who("employee")
    for path in ("exports", "schedules"):
        body = {"formats": ["PDF"], "days": 30} if path == "exports" else {**SCHEDULE, "person_ids": [1]}
        problem = await employee.post(f"/reports/dashboards/EXECUTIVE/{path}", body, expect=404)
        assert problem["code"] == "dashboard_not_found"
    problem = await employee.post("/reports/dashboards/EMPLOYEE/exports", {"formats": ["PDF"], "days": 8}, expect=422)
    assert [e["pointer"] for e in problem["errors"]] == ["/days"]
    problem = await employee.post("/reports/dashboards/EMPLOYEE/exports", {"formats": [], "days": 7}, expect=422)
    assert [e["pointer"] for e in problem["errors"]] == ["/formats"]


async def test_a_schedule_sends_each_their_own(who: Any, database: Any) -> None:
    admin, executive, agent = await who("admin"), await who("executive"), await who("agent")
    people = [await me(executive), await me(agent)]
    problem = await executive.post(
        "/reports/dashboards/EXECUTIVE/schedules", {**SCHEDULE, "person_ids": people}, expect=422
    )
    assert [(e["pointer"], e["message"]) for e in problem["errors"]] == [("/person_ids/1", "has no such dashboard")]

    path = "/reports/dashboards/EMPLOYEE/schedules"
    schedule = await executive.post(path, {**SCHEDULE, "person_ids": people}, expect=201)
    assert schedule["report"] == {"id": None, "name": "My requests, last 7 days", "board": "EMPLOYEE", "days": 7}
    assert [s["id"] for s in (await executive.get("/reports/schedules"))["items"]] == [schedule["id"]]
    due = now() + timedelta(days=1, minutes=1)
    with clock.clock(lambda: due):
        await export_making.make_due(database)
    page = await executive.get(f"/reports/schedules/{schedule['id']}/exports")
    (export,) = page["items"]
    assert (export["kind"], export["status"], export["done"]) == ("SCHEDULED", "DONE", 2)
    for api in (executive, agent):
        mine = await api.get(f"/reports/jobs/{export['id']}")
        board = await api.get("/reports/dashboards/EMPLOYEE", params={"days": "7"})
        numbers = told((await fetched(api, mine, "CSV")).content)
        for status, n in board["tickets_by_status"].items():
            assert numbers["Requests by status", status.replace("_", " ").capitalize(), "Requests"] == str(n)
    changed = {k: v for k, v in SCHEDULE.items() if k != "days"} | {"person_ids": people[:1], "is_paused": True}
    body = {**changed, "version": schedule["version"]}
    after = await executive.call("PUT", f"/reports/schedules/{schedule['id']}", json=body)
    assert (after["state"], after["report"]) == ("PAUSED", schedule["report"])
    tested = await admin.post(f"/reports/schedules/{schedule['id']}/run", {"is_test": True}, expect=202)
    assert (tested["kind"], tested["total"]) == ("TEST", 1)


async def test_a_dashboard_one_has_no_more_is_not_made(who: Any, database: Any, monkeypatch: Any) -> None:
    agent = await who("agent")
    asked = await agent.post("/reports/dashboards/AGENT/exports", {"formats": ["CSV"], "days": 7}, expect=202)
    monkeypatch.setattr("waypost.reports.export_policy.kinds_for", lambda _: [])
    await export_making.make_due(database)
    export = await agent.get(f"/reports/jobs/{asked['id']}")
    assert (export["status"], export["mine"]["files"]) == ("FAILED", [])
    assert export["mine"]["error"] == "This dashboard is not made for this person."


async def test_each_reads_numbers_and_dates_in_their_own_manner(who: Any, database: Any) -> None:
    """The same dashboard for two people: one by an English clock in New York, one by a German one in Tokyo."""
    papers = {}
    for username, locale, zone in (("head", "en", "America/New_York"), ("manager", "de", "Asia/Tokyo")):
        api = await who(username)
        user = User.__table__.update().where(User.id == await me(api))
        async with database.transaction() as session:
            await session.execute(user.values(locale=locale, timezone=zone))
        asked = await api.post("/reports/dashboards/EMPLOYEE/exports", {"formats": ["PDF"], "days": 7}, expect=202)
        await export_making.make_due(database)
        export = await api.get(f"/reports/jobs/{asked['id']}")
        paper = PdfReader(io.BytesIO((await fetched(api, export, "PDF")).content))
        papers[locale] = "".join("".join(page.extract_text() for page in paper.pages).split())
        counted = formats_of(locale, zone).instant(datetime.fromisoformat(export["finished_at"]))
        assert "".join(counted.partition(":")[0].split()) in papers[locale]
        async with database.transaction() as session:
            await session.execute(user.values(locale="en", timezone="UTC"))
    assert "Monday" in papers["en"]
    assert "Montag" in papers["de"]
    assert "Monday" not in papers["de"]
    assert re.search(r"\d,\d%", papers["de"])
    assert not re.search(r"\d\.\d%", papers["de"])
