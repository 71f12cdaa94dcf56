"""What reports may cost, and that what they read of a ticket itself is what their reader may read at that moment."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from tests.reports.test_custom import asked
from waypost.kernel import limits
from waypost.kernel.db import Database
from waypost.kernel.settings import get_settings
from waypost.reports import keeping, running


async def count(api: Any, **more: Any) -> int:
    report = await api.post("/reports/preview", asked(**more))
    return sum(line["values"][0] for line in report["lines"])


async def test_what_became_confidential_is_read_out_no_more(who: Any, database: Any, hardware: Any) -> None:
    jane, agent = await who("employee"), await who("agent2")
    ticket = await jane.post("/tickets", hardware(title="Quokka merger"), expect=201)
    while await keeping.run_due(database):
        pass
    condition = {"all": [{"field": "title", "op": "contains", "value": "quokka merger"}]}
    assert await count(agent, condition=condition) == 1
    await jane.get(f"/tickets/{ticket['id']}")
    async with database.transaction() as session:  # and nobody has followed yet
        await session.execute(
            text(
                "UPDATE tickets SET is_confidential = true, assignee_id = NULL, team_id ="
                " (SELECT id FROM teams WHERE id <> ALL(:teams) ORDER BY id LIMIT 1) WHERE id = :id"
            ),
            {"id": ticket["id"], "teams": [t["id"] for t in agent.me["teams"]]},
        )
    await agent.get(f"/tickets/{ticket['id']}", expect=404)
    assert await count(agent, condition=condition) == 0
    assert await count(jane, condition=condition) == 1


async def test_reports_count_as_costly_and_read_only(who: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    jane = await who("employee")
    report = await jane.post("/reports/custom", {"name": "Counted", **asked()}, expect=201)
    counted: list[str] = []
    slow_down = limits.slow_down

    def noted(policy: limits.Policy, key: str) -> limits.Standing:
        counted.append(policy.name)
        return slow_down(policy, key)

    def written(_: Database) -> None:
        raise AssertionError("a report takes a connection that writes")

    monkeypatch.setattr(limits, "slow_down", noted)
    monkeypatch.setattr(Database, "transaction", written)
    await jane.post("/reports/preview", asked())
    assert counted.count("costly") == 1
    await jane.get(f"/reports/custom/{report['id']}/result")
    assert counted.count("costly") == 2
    await jane.get(f"/reports/custom/{report['id']}")
    assert counted.count("costly") == 2


async def test_reports_wait_in_turn_and_leave_connections(
    who: Any, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    jane = await who("employee")
    report = await jane.post("/reports/custom", {"name": "Waiting", **asked()}, expect=201)
    most = running.turns.at_once
    assert 0 < most < get_settings().database_pool_size
    begun, over = asyncio.Semaphore(0), asyncio.Event()

    async def hold() -> None:
        async with running.turns.one():
            begun.release()
            await over.wait()

    held = [asyncio.create_task(hold()) for _ in range(most)]
    for _ in held:
        await begun.acquire()
    monkeypatch.setattr(running.turns, "patience", 0.05)
    refused = await jane.call("POST", "/reports/preview", asked(), None)
    assert (refused.status_code, refused.json()["code"]) == (503, "reports_busy")
    assert int(refused.headers["retry-after"]) > 0
    monkeypatch.setattr(running.turns, "patience", 30)
    waiting = [asyncio.create_task(jane.get(f"/reports/custom/{report['id']}/result")) for _ in range(12)]
    async with asyncio.timeout(20):
        while running.turns.waiting < len(waiting):  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.02)
    assert database.read_engine.pool.checkedout() == 0  # whoever waits holds nothing
    await jane.get("/tickets")
    over.set()
    assert all(shown["lines"] for shown in await asyncio.gather(*waiting, *held) if shown is not None)


async def test_only_a_report_since_ever_may_read_everything(
    who: Any, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    jane, asked_for = await who("employee"), list[bool]()
    limited_read = Database.limited_read

    def noted(self: Database, milliseconds: int, *, by_index: bool = False) -> Any:
        asked_for.append(by_index)
        return limited_read(self, milliseconds, by_index=by_index)

    monkeypatch.setattr(Database, "limited_read", noted)
    since = {"field": "created_at", "op": "gte", "value": "-90d"}
    until = {"field": "created_at", "op": "lt", "value": "-90d"}
    mine = {"field": "requester_id", "op": "eq", "value": "me"}
    for condition in (since, {"all": [mine, {"all": [since, until]}]}):
        await jane.post("/reports/preview", asked(condition=condition))
    for condition in (None, until, mine, {"any": [mine, since]}, {"not": since}):
        await jane.post("/reports/preview", asked(condition=condition))
    assert asked_for == [True, True, False, False, False, False, False]
