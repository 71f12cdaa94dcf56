"""Exports for teams and roles: who is in them when it is sent, each with their own rows, and nobody who may not read it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from tests.reports.test_schedules import BY_STATUS, DAILY, exports_of, id_of, late, mails_to, sums
from waypost.reports import export_making, keeping
from waypost.reports.export_models import ExportPart


@pytest.fixture(autouse=True)
async def counted(database: Any) -> None:
    while await keeping.run_due(database):
        pass


async def team_of(admin: Any, name: str, *people: Any) -> dict[str, Any]:
    members = [await id_of(p) for p in people]
    return dict(await admin.post("/teams", {"name": name, "member_ids": members}, expect=201))


async def made(owner: Any, **shared: Any) -> dict[str, Any]:
    body = {"name": "By status", "definition": BY_STATUS, **shared}
    return dict(await owner.post("/reports/custom", body, expect=201))


async def scheduled(owner: Any, report: dict[str, Any], expect: int = 201, **more: Any) -> dict[str, Any]:
    body = {**DAILY, "person_ids": [], **more}
    return dict(await owner.post(f"/reports/custom/{report['id']}/schedules", body, expect=expect))


async def sent_to(database: Any, schedule: dict[str, Any]) -> list[int]:
    last = (await exports_of(database, schedule))[-1]
    async with database.read() as session:
        return sorted(await session.scalars(select(ExportPart.user_id).where(ExportPart.export_id == last.id)))


async def test_a_team_is_who_is_in_it_when_it_is_sent_each_with_their_rows(who: Any, database: Any) -> None:
    admin, head, executive = await who("admin"), await who("head"), await who("executive")
    team = await team_of(admin, "Readers of mornings", head)
    report = await made(admin, team_ids=[team["id"]])
    schedule = await scheduled(admin, report, team_ids=[team["id"]], person_ids=[await id_of(head)])
    assert [t["id"] for t in schedule["teams"]] == [team["id"]]
    await late(database, schedule)
    await export_making.make_due(database)
    assert await sent_to(database, schedule) == [await id_of(head)], "named twice, sent once"
    both = sorted([await id_of(head), await id_of(executive)])
    await admin.put(f"/teams/{team['id']}/members/{await id_of(executive)}", {}, expect=None)
    await late(database, schedule, days=2)
    await export_making.make_due(database)
    assert await sent_to(database, schedule) == both
    counts = [await sums((await mails_to(database, i))[-1]) for i in (await id_of(head), await id_of(executive))]
    assert counts[0] < counts[1], "each the rows they may see"


async def test_a_role_is_who_has_it_and_may_read_reports(who: Any, database: Any) -> None:
    admin, executive = await who("admin"), await who("executive")
    report = await made(admin, roles=["executive"])
    schedule = await scheduled(admin, report, roles=["executive"])
    assert [r["key"] for r in schedule["roles"]] == ["executive"]
    await late(database, schedule)
    await export_making.make_due(database)
    assert await id_of(executive) in await sent_to(database, schedule)


async def test_whom_it_is_not_shared_with_any_more_gets_nothing(who: Any, database: Any) -> None:
    admin, head = await who("admin"), await who("head")
    team = await team_of(admin, "Readers of evenings", head)
    report = await made(admin, team_ids=[team["id"]])
    schedule = await scheduled(admin, report, team_ids=[team["id"]])
    again = {"name": report["name"], "definition": BY_STATUS, "version": report["version"]}
    await admin.put(f"/reports/custom/{report['id']}", again)
    refused = await admin.post(f"/reports/schedules/{schedule['id']}/run", {}, expect=409)
    assert refused["code"] == "nobody_to_send_to"
    await late(database, schedule)
    await export_making.make_due(database)
    (export,) = await exports_of(database, schedule)
    assert (export.status, export.total, export.finished_at is not None) == ("FAILED", 0, True)


async def test_a_group_is_named_by_who_may_and_the_report_is_shared_with_it(who: Any) -> None:
    admin, head, executive = await who("admin"), await who("head"), await who("executive")
    team = await team_of(admin, "Readers of nights", executive)
    report = await made(admin, team_ids=[team["id"]], person_ids=[await id_of(head)])
    for more, pointer in (
        ({"team_ids": [10**9]}, "/team_ids/0"),
        ({"roles": ["executive"]}, "/roles/0"),
        ({"roles": ["nobody_has"]}, "/roles/0"),
        ({}, "/person_ids"),
    ):
        problem = await scheduled(admin, report, expect=422, **more)
        assert problem["errors"][0]["pointer"] == pointer, more
    problem = await scheduled(head, report, expect=422, team_ids=[team["id"]])
    assert (problem["errors"][0]["pointer"], problem["errors"][0]["message"]) == (
        "/team_ids/0",
        "is not a team of yours",
    )
    await asyncio.sleep(1.1)  # what somebody may is known anew after a second
    await scheduled(executive, report, team_ids=[team["id"]])
