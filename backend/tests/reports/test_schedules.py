"""Reports that are exported by themselves: once for each instant, to each recipient what they may see, and said when not."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from waypost.kernel import enclosures, relay
from waypost.notifications.channels.email import mail_message
from waypost.notifications.models import Delivery, Notification
from waypost.notifications.sending import _letter
from waypost.reports import export_making, export_telling, keeping, scheduling
from waypost.reports.export_models import ReportExport
from waypost.reports.schedule_models import ExportSchedule

BY_STATUS = {"measures": ["count"], "rows": "status"}
DAILY = {"subject": "Every morning", "formats": ["CSV"], "every": "DAY", "at_time": "08:00", "zone": "Europe/Berlin"}


@pytest.fixture(autouse=True)
async def counted(database: Any) -> None:
    while await keeping.run_due(database):
        pass


async def id_of(api: Any) -> int:
    return int((await api.get("/auth/me"))["id"])


async def shared(owner: Any, *others: Any) -> dict[str, Any]:
    people = [await id_of(other) for other in others]
    body = {"name": "By status", "definition": BY_STATUS, "person_ids": people}
    return dict(await owner.post("/reports/custom", body, expect=201))


async def scheduled(owner: Any, report: dict[str, Any], *people: Any, **more: Any) -> dict[str, Any]:
    body = {**DAILY, "person_ids": [await id_of(p) for p in people], **more}
    return dict(await owner.post(f"/reports/custom/{report['id']}/schedules", body, expect=201))


async def late(database: Any, schedule: dict[str, Any], days: int = 1) -> datetime:
    """Let the instant of a schedule lie behind us."""
    at = datetime.now(UTC) - timedelta(days=days)
    async with database.transaction() as session:
        await session.execute(update(ExportSchedule).where(ExportSchedule.id == schedule["id"]).values(next_at=at))
    return at


async def exports_of(database: Any, schedule: dict[str, Any]) -> list[ReportExport]:
    async with database.read() as session:
        mine = select(ReportExport).where(ReportExport.schedule_id == schedule["id"]).order_by(ReportExport.id)
        return list(await session.scalars(mine))


async def mails_to(database: Any, user_id: int, kind: str = "report.export") -> list[Delivery]:
    await relay.drain(database)
    async with database.read() as session:
        mine = (Delivery.user_id == user_id, Delivery.channel == "email", Delivery.kind == kind)
        return list(await session.scalars(select(Delivery).where(*mine).order_by(Delivery.id)))


async def sums(mail: Delivery) -> int:
    """What the file of a mail counts in all."""
    message = _letter([mail]).message
    files = await enclosures.opened(message.notices[0].enclosed or {}, mail.user_id or 0)
    written = mail_message(message, files=files)
    (attached,) = list(written.iter_attachments())
    assert str(attached.get_filename()).endswith(".csv")
    content: Any = attached.get_payload(decode=True)
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    return sum(int(n) for _, n in rows[1:])


async def test_each_gets_the_rows_they_may_see_at_its_time_once(who: Any, database: Any) -> None:
    head, employee, agent = await who("head"), await who("employee"), await who("agent")
    report = await shared(head, employee, agent)
    schedule = await scheduled(head, report, head, employee, agent)
    assert schedule["state"] == "ACTIVE"
    assert await scheduling.begin_due(database) == 0
    at = await late(database, schedule, days=9)
    await asyncio.gather(*(scheduling.begin_due(database) for _ in range(4)))
    (export,) = await exports_of(database, schedule)  # of nine missed days, one
    assert (export.kind, export.due_at, export.total) == ("SCHEDULED", at, 3)
    await asyncio.gather(*(export_making.make_due(database) for _ in range(3)))
    (export,) = await exports_of(database, schedule)
    assert (export.status, export.done, export.failed) == ("DONE", 3, 0)
    for api in (head, employee, agent):
        shown = await api.get(f"/reports/custom/{report['id']}/result")
        (mail,) = await mails_to(database, await id_of(api))
        assert mail.subject == "Every morning"
        assert await sums(mail) == sum(line["values"][0] for line in shown["lines"])
        count = len(shown["lines"])
        assert ["Contents", "1 row" if count == 1 else f"{count} rows"] in mail.words["facts"]
    again = await head.get(f"/reports/schedules/{schedule['id']}")
    assert datetime.fromisoformat(again["next_at"]) > datetime.now(UTC)
    assert again["last"]["status"] == "DONE"
    history = await head.get(f"/reports/schedules/{schedule['id']}/exports")
    assert [(e["done"], e["kind"]) for e in history["items"]] == [(3, "SCHEDULED")]
    detail = await head.get(f"/reports/jobs/{export.id}")
    assert len(detail["parts"]) == 3
    assert (await employee.get(f"/reports/jobs/{export.id}"))["parts"] == []
    await (await who("outsider")).get(f"/reports/jobs/{export.id}", expect=404)


async def test_who_lost_the_report_gets_nothing_and_the_owner_is_told_once(who: Any, database: Any) -> None:
    finance, manager = await who("finance1"), await who("manager")
    report = await shared(finance, manager)
    schedule = await scheduled(finance, report, finance, manager)
    body = {"name": "By status", "definition": BY_STATUS, "version": report["version"]}
    await finance.put(f"/reports/custom/{report['id']}", body)
    for _ in range(2):
        await late(database, schedule)
        await export_making.make_due(database)
    exports = await exports_of(database, schedule)
    assert [(e.status, e.done, e.failed) for e in exports] == [("DONE", 1, 1)] * 2
    assert await mails_to(database, await id_of(manager)) == []
    told = await mails_to(database, await id_of(finance), "report.export_failing")
    assert len(told) == 1
    assert "Mike Okafor: The report is not shared with this person" in told[0].words["body"]


async def test_a_mail_that_waits_is_not_sent_when_the_right_ends(who: Any, database: Any) -> None:
    head, agent = await who("head"), await who("agent")
    report = await shared(head, agent)
    schedule = await scheduled(head, report, agent)
    await late(database, schedule)
    await export_making.make_due(database)
    mail = (await mails_to(database, await id_of(agent)))[-1]
    enclosed = mail.words["enclosed"]
    assert await enclosures.opened(enclosed, mail.user_id or 0)
    with pytest.raises(enclosures.NotEnclosed):
        await enclosures.opened(enclosed, await id_of(head))
    body = {"name": "By status", "definition": BY_STATUS, "version": report["version"]}
    await head.put(f"/reports/custom/{report['id']}", body)
    with pytest.raises(enclosures.NotEnclosed, match="not shared"):
        await enclosures.opened(enclosed, mail.user_id or 0)


async def test_what_is_too_large_for_a_mail_stands_behind_a_link(
    who: Any, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = await who("head")
    schedule = await scheduled(head, await shared(head), head)
    monkeypatch.setattr(export_telling, "MOST_MAILED", 10)
    await head.post(f"/reports/schedules/{schedule['id']}/run", {"is_test": True}, expect=202)
    await export_making.make_due(database)
    mail = (await mails_to(database, await id_of(head)))[-1]
    assert mail.subject == "Test: Every morning"
    assert "enclosed" not in mail.words
    assert "too large for a mail" in mail.words["body"]
    (export,) = await exports_of(database, schedule)
    assert mail.words["link"].endswith(f"/reports/exports?export={export.id}")


async def test_by_hand_it_is_for_all_and_not_twice_at_once(who: Any, database: Any) -> None:
    head, agent = await who("head"), await who("agent")
    schedule = await scheduled(head, await shared(head, agent), head, agent)
    run = f"/reports/schedules/{schedule['id']}/run"
    asked = await head.post(run, {}, expect=202)
    assert (asked["kind"], asked["total"]) == ("MANUAL", 2)
    await head.post(run, {}, expect=409)
    await export_making.make_due(database)
    assert (await head.get(f"/reports/jobs/{asked['id']}"))["status"] == "DONE"
    await agent.post(run, {}, expect=404)


async def test_a_schedule_without_its_owner_waits_and_says_so(fresh_who: Any, fresh_database: Any) -> None:
    admin, manager, agent = await fresh_who("admin"), await fresh_who("manager"), await fresh_who("agent")
    manager_id, agent_id = await id_of(manager), await id_of(agent)
    report = await shared(manager, agent)
    schedule = await scheduled(manager, report, manager, agent)
    other = await scheduled(agent, report, manager, agent)
    await admin.put(f"/users/{manager_id}/active", {"is_active": False})
    (paused,) = [
        s for s in (await admin.get("/reports/schedules", params={"all": True}))["items"] if s["id"] == schedule["id"]
    ]
    assert (paused["state"], paused["paused_why"], paused["next_at"]) == ("PAUSED", "OWNER_LEFT", None)
    await relay.drain(fresh_database)
    async with fresh_database.read() as session:
        told = select(Notification).where(Notification.kind == "report.export_paused")
        assert [n.user_id for n in await session.scalars(told)] == [agent_id]
    await late(fresh_database, other)
    await export_making.make_due(fresh_database)
    (export,) = await exports_of(fresh_database, other)
    assert (export.done, export.failed) == (1, 1)
    detail = await agent.get(f"/reports/jobs/{export.id}")
    assert "does not work here any more" in next(p["error"] for p in detail["parts"] if p["error"])
    body = {**DAILY, "person_ids": [agent_id], "version": paused["version"], "is_paused": False}
    problem = await admin.put(f"/reports/schedules/{schedule['id']}", body, expect=422)
    assert problem["errors"][0]["pointer"] == "/is_paused"


async def test_an_owner_who_lost_the_report_is_told_and_it_waits(who: Any, database: Any) -> None:
    finance, head = await who("finance1"), await who("head")
    report = await shared(finance, head)
    schedule = await scheduled(head, report, head)
    body = {"name": "By status", "definition": BY_STATUS, "version": report["version"]}
    await finance.put(f"/reports/custom/{report['id']}", body)
    await late(database, schedule)
    await export_making.make_due(database)
    assert await exports_of(database, schedule) == []
    assert (await head.get(f"/reports/schedules/{schedule['id']}"))["paused_why"] == "NOT_SHARED"
    assert len(await mails_to(database, await id_of(head), "report.export_paused")) == 1


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"zone": "Mars/Olympus"}, "/zone"),
        ({"at_time": "25:00"}, "/at_time"),
        ({"at_time": "8:00"}, "/at_time"),
        ({"every": "WEEK"}, "/weekdays"),
        ({"every": "WEEK", "weekdays": [8]}, "/weekdays/0"),
        ({"every": "MONTH", "day": 32}, "/day"),
        ({"every": "NEVER"}, "/every"),
        ({"formats": []}, "/formats"),
        ({"person_ids": []}, "/person_ids"),
        ({"person_ids": [987654321]}, "/person_ids/0"),
        ({"subject": " "}, "/subject"),
    ],
)
async def test_a_bad_schedule_names_its_field(who: Any, more: dict[str, Any], pointer: str) -> None:
    api = await who("executive")
    report = await shared(api)
    body = {**DAILY, "person_ids": [await id_of(api)], **more}
    problem = await api.post(f"/reports/custom/{report['id']}/schedules", body, expect=422)
    assert problem["errors"][0]["pointer"] == pointer


async def test_it_is_for_those_who_may_read_the_report_and_changed_by_its_owner(who: Any, database: Any) -> None:
    head, agent, admin = await who("head"), await who("agent"), await who("admin")
    report = await shared(head)
    body = {**DAILY, "person_ids": [await id_of(agent)]}
    problem = await head.post(f"/reports/custom/{report['id']}/schedules", body, expect=422)
    assert problem["errors"][0]["pointer"] == "/person_ids/0"
    await agent.post(f"/reports/custom/{report['id']}/schedules", body, expect=404)
    schedule = await scheduled(head, report, head, every="WEEK", weekdays=[5, 1, 1])
    assert schedule["weekdays"] == [1, 5]
    place = f"/reports/schedules/{schedule['id']}"
    change = {**DAILY, "person_ids": [await id_of(head)], "is_paused": True, "version": 1}
    await agent.put(place, change, expect=404)
    paused = await head.put(place, change)
    assert (paused["state"], paused["paused_why"], paused["next_at"], paused["version"]) == (
        "PAUSED",
        "BY_OWNER",
        None,
        2,
    )
    await head.put(place, change, expect=412)
    going = await admin.put(place, {**change, "is_paused": False, "version": 2})
    assert going["state"] == "ACTIVE"
    assert schedule["id"] not in [s["id"] for s in (await agent.get("/reports/schedules"))["items"]]
    assert schedule["id"] in [s["id"] for s in (await admin.get("/reports/schedules", params={"all": True}))["items"]]
    await agent.call("DELETE", place, expect=404)
    await head.call("DELETE", place, expect=204)
    await head.get(place, expect=404)
