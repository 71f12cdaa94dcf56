"""A service level's newest version for requests that run: shown first, then done once, whatever happens to workers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from tests.conftest import Api
from waypost.access.queries import actor_of_user
from waypost.directory.models import User
from waypost.kernel import clock as time
from waypost.kernel.events import EventRow
from waypost.sla import clocks
from waypost.sla.models import SlaPolicy
from waypost.tickets import clocking, level_run_reading, level_runs, running_late
from waypost.tickets.level_run_models import LevelRun

NAME = "All requests"
EIGHT = {"RESOLUTION": {"HIGH": {"amount": 8, "unit": "HOURS", "days": None}}}
Json = dict[str, Any]


class Levels:
    """The administrator's way with the one policy there is."""

    def __init__(self, database: Any, admin: Api) -> None:
        self.database, self.admin, self.id = database, admin, 0
        self.at: datetime | None = None  # when the worker goes on, if not now

    @property
    def runs(self) -> str:
        return f"/sla/policies/{self.id}/runs"

    async def policy(self) -> Json:
        return dict(await self.admin.get(f"/sla/policies/{self.id}"))

    async def publish(self, **parts: Any) -> int:
        now = await self.policy()
        kept = ("name", "is_active", "condition", "calendar_id", "targets", "own_time", "paused", "counts_approval")
        body = {k: now[k] for k in (*kept, "reopening", "warnings", "actions", "version")} | parts
        return int((await self.admin.put(self.runs.removesuffix("/runs"), body))["version"])

    async def begin(self, *, is_trial: bool = False, expect: int = 202, version: int | None = None) -> Json:
        version = version or (await self.policy())["version"]
        return dict(await self.admin.post(self.runs, {"version": version, "is_trial": is_trial}, expect=expect))

    async def over(self, run: Json) -> Json:
        with time.clock(lambda: self.at or datetime.now(UTC)):
            await level_runs.run_due(self.database, seconds=60)
        return dict(await self.admin.get(f"{self.runs}/{run['id']}"))

    async def rows(self, statement: str) -> list[Any]:
        async with self.database.read() as session:
            return list((await session.execute(text(statement))).mappings())

    async def events(self, *types: str) -> list[EventRow]:
        async with self.database.read() as session:
            return list(await session.scalars(select(EventRow).where(EventRow.type.in_(types)).order_by(EventRow.id)))


@pytest.fixture
async def levels(fresh_who: Any, fresh_database: Any) -> Levels:
    """One policy, with targets in hours, and five requests that run by it."""
    clocks.forget()  # versions of other databases have the same numbers
    made = Levels(fresh_database, await fresh_who("admin"))
    async with fresh_database.transaction() as session:
        await session.execute(update(SlaPolicy).values(is_active=SlaPolicy.name == NAME))
        made.id = int(await session.scalar(select(SlaPolicy.id).where(SlaPolicy.name == NAME)) or 0)
        # what the demo company asked before goes by none
        await session.execute(text("DELETE FROM sla_clocks"))
        await session.execute(text("UPDATE tickets SET sla_state = NULL, sla_due_at = NULL"))
    await made.publish(
        condition=None,
        targets={"RESOLUTION": {"HIGH": {"amount": 4, "unit": "HOURS", "days": None}}},
        warnings=[75],
        actions=[],
        own_time=[],
    )
    employee = await fresh_who("employee")
    for n in range(5):
        body = {"title": f"Runs {n}", "ticket_type": "IT_SUPPORT", "custom_fields": {}, "priority": "HIGH"}
        await employee.post("/tickets", body | {"submit": True}, expect=201)
    return made


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(level_runs, "BATCH", 2)


CLOCKS = "SELECT ticket_id, metric, policy_version, due_at FROM sla_clocks ORDER BY 1, 2"


async def test_a_trial_counts_what_the_run_then_does(levels: Levels, small_batches: None) -> None:
    before = await levels.rows(CLOCKS)
    old = (await levels.policy())["version"]
    version = await levels.publish(targets=EIGHT)
    trial = await levels.over(await levels.begin(is_trial=True))
    assert (trial["status"], trial["done"], trial["total"]) == ("FINISHED", 5, 5)
    nothing = dict.fromkeys(trial["counts"], 0)
    assert trial["counts"] == nothing | {"requests": 5, "clocks": 5, "later": 5}
    assert trial["before"] == [{"version": old, "requests": 5}]
    assert len(trial["examples"]) == 5
    assert trial["examples"][0]["before"] < trial["examples"][0]["after"]
    assert await levels.rows(CLOCKS) == before, "a trial changes nothing"
    assert await levels.events("sla_policy.run_began", "sla_policy.run_ended") == []
    assert (await levels.admin.get(levels.runs))["items"] == []

    run = await levels.over(await levels.begin())
    assert (run["status"], run["counts"]) == ("FINISHED", trial["counts"])
    assert [e["ticket_id"] for e in run["examples"]] == [e["ticket_id"] for e in trial["examples"]]
    after = await levels.rows(CLOCKS)
    assert {r["policy_version"] for r in after} == {version}
    assert all(a["due_at"] > b["due_at"] for a, b in zip(after, before, strict=True))
    began, ended = await levels.events("sla_policy.run_began", "sla_policy.run_ended")
    assert (began.actor_id, began.data["total"], began.data["before"]) == (levels.admin.id, 5, {str(old): 5})
    assert (ended.data["outcome"], ended.data["counts"]["later"]) == ("FINISHED", 5)
    assert (ended.data["before"], ended.data["after"]) == ({str(old): 5}, {str(version): 5})
    (listed,) = (await levels.admin.get(levels.runs))["items"]
    assert (listed["started_by"]["id"], listed["status"], listed["policy_version"]) == (
        levels.admin.id,
        "FINISHED",
        version,
    )

    again = await levels.over(await levels.begin())
    assert again["counts"] == nothing, "the second time changes nothing"
    assert len([e for e in await levels.events("sla.attached") if e.data["why"]]) == 5


async def test_what_is_late_at_once_is_said_once(levels: Levels, small_batches: None) -> None:
    """A target of a minute, for requests that began weeks ago: each breach is told once, however often it is applied."""
    levels.at = datetime.now(UTC) + timedelta(days=21)
    await levels.publish(targets={"RESOLUTION": {"HIGH": {"amount": 300, "unit": "HOURS", "days": None}}})
    await levels.over(await levels.begin())
    await levels.publish(targets={"RESOLUTION": {"HIGH": {"amount": 1, "unit": "MINUTES", "days": None}}})
    trial = await levels.over(await levels.begin(is_trial=True))
    assert (trial["counts"]["late"], trial["counts"]["earlier"]) == (5, 5)
    assert all(e["is_late"] for e in trial["examples"])
    for _ in range(2):
        await levels.over(await levels.begin())
        with time.clock(lambda: levels.at or datetime.now(UTC)):
            await running_late.run_due(levels.database)
            await running_late.run_due(levels.database)
    assert len(await levels.events("sla.breached")) == 5
    assert await levels.events("sla.warned") == [], "an earlier warning is stale"


async def test_a_killed_worker_leaves_the_rest_to_the_next(
    levels: Levels, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    await levels.publish(targets=EIGHT)
    run = await levels.begin()
    async with levels.database.transaction() as session:
        assert await level_runs.batch(session, run["id"]) == 2

    class Killed(BaseException):
        pass

    counted = level_runs.level_effects.counted

    def dies(*_: Any, **__: Any) -> Any:
        raise Killed

    monkeypatch.setattr(level_runs.level_effects, "counted", dies)
    with pytest.raises(Killed):  # in the midst of a batch
        async with levels.database.transaction() as session:
            await level_runs.batch(session, run["id"])
    monkeypatch.setattr(level_runs.level_effects, "counted", counted)
    told = await levels.admin.get(f"{levels.runs}/{run['id']}")
    assert (told["status"], told["done"]) == ("RUNNING", 2)
    told = await levels.over(run)
    assert (told["status"], told["done"], told["counts"]["requests"]) == ("FINISHED", 5, 5)
    assert len([e for e in await levels.events("sla.attached") if e.data["why"]]) == 5, "each once"
    assert len(await levels.events("sla_policy.run_ended")) == 1
    assert await levels.rows(CLOCKS) == await rebuilt(levels)


async def rebuilt(levels: Levels) -> list[Any]:
    await clocking.rebuild(levels.database)
    return await levels.rows(CLOCKS)


async def test_a_defect_in_one_request_stops_none_of_the_others(
    levels: Levels, monkeypatch: pytest.MonkeyPatch
) -> None:
    await levels.publish(targets=EIGHT)
    bad = (await levels.rows(CLOCKS))[2]["ticket_id"]
    whole = clocking.look

    async def look(session: Any, tickets: Any, *args: Any, **more: Any) -> Any:
        if bad in [t.id for t in tickets]:
            raise RuntimeError
        return await whole(session, tickets, *args, **more)

    monkeypatch.setattr(clocking, "look", look)
    run = await levels.over(await levels.begin())
    assert (run["status"], run["counts"]["failed"], run["counts"]["requests"]) == ("FINISHED", 1, 4)


async def test_it_is_stopped_and_begun_again(levels: Levels, small_batches: None) -> None:
    await levels.publish(targets=EIGHT)
    run = await levels.begin()
    assert (await levels.begin(expect=409))["code"] == "sla_run_goes_on"
    assert (await levels.begin(is_trial=True, expect=409))["code"] == "sla_run_goes_on"
    async with levels.database.transaction() as session:
        await level_runs.batch(session, run["id"])
    stopped = await levels.admin.post(f"{levels.runs}/{run['id']}/stop")
    assert (stopped["status"], stopped["done"], stopped["stopped_by"]["id"]) == ("STOPPED", 2, levels.admin.id)
    assert (await levels.over(run))["done"] == 2
    refused = await levels.admin.post(f"{levels.runs}/{run['id']}/stop", expect=409)
    assert refused["code"] == "sla_run_is_over"
    (ended,) = await levels.events("sla_policy.run_ended")
    assert (ended.data["outcome"], ended.actor_id) == ("STOPPED", levels.admin.id)
    rest = await levels.over(await levels.begin())
    assert (rest["done"], rest["counts"]["requests"]) == (5, 3)


async def test_a_newer_version_ends_a_run(levels: Levels, small_batches: None) -> None:
    old = await levels.publish(targets=EIGHT)
    run = await levels.begin()
    async with levels.database.transaction() as session:
        await level_runs.batch(session, run["id"])
    await levels.publish(warnings=[50])
    assert ((told := await levels.over(run))["status"], told["done"]) == ("OVERTAKEN", 2)
    assert (await levels.begin(version=old, expect=412))["code"] == "stale_version"
    assert (await levels.over(await levels.begin()))["counts"]["requests"] == 5


async def test_whoever_may_not_configure_any_more_applies_nothing(levels: Levels, small_batches: None) -> None:
    await levels.publish(targets=EIGHT)
    run = await levels.begin()
    async with levels.database.transaction() as session:
        await session.execute(update(User).where(User.id == levels.admin.id).values(is_active=False))
        await level_runs.batch(session, run["id"])
    async with levels.database.read() as session:
        kept = await session.get_one(LevelRun, run["id"])
        assert (kept.status, kept.done) == ("REVOKED", 0)


async def test_who_may(levels: Levels, fresh_who: Any, small_batches: None) -> None:
    version = await levels.publish(targets=EIGHT)
    body = {"version": version, "is_trial": True}
    for username in ("employee", "agent", "executive", "auditor"):
        other = await fresh_who(username)
        await other.post(levels.runs, body, expect=403)
    trial = await levels.over(await levels.begin(is_trial=True))
    auditor = await fresh_who("auditor")
    await auditor.get(f"{levels.runs}/{trial['id']}", expect=404)
    run = await levels.over(await levels.begin())
    assert (await auditor.get(f"{levels.runs}/{run['id']}"))["allowed_actions"] == []
    await auditor.post(f"{levels.runs}/{run['id']}/stop", expect=403)
    async with levels.database.read() as session:
        kept = await session.get_one(LevelRun, run["id"])
        other = await actor_of_user(session, (await fresh_who("finance1")).id)
        assert other is not None
        told = await level_run_reading.run_json(session, other, kept)
    assert told["examples"] == [], "nobody is shown a request they may not see"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/version"),
        ({"version": 0, "is_trial": True}, "/version"),
        ({"version": "1", "is_trial": True}, "/version"),
        ({"version": 1, "is_trial": "yes"}, "/is_trial"),
        ({"version": 1, "is_trial": True, "more": 1}, "/more"),
    ],
)
async def test_bad_input(levels: Levels, body: Json, pointer: str) -> None:
    refused = await levels.admin.post(levels.runs, body, expect=422)
    assert pointer in [e["pointer"] for e in refused["errors"]]


async def test_what_is_not_there_or_not_in_use(levels: Levels, small_batches: None) -> None:
    await levels.admin.post("/sla/policies/999999/runs", {}, expect=404)
    await levels.admin.get(f"{levels.runs}/999999", expect=404)
    run = await levels.over(await levels.begin())
    async with levels.database.read() as session:
        other = await session.scalar(select(SlaPolicy.id).where(SlaPolicy.id != levels.id))
    if other is not None:
        await levels.admin.get(f"/sla/policies/{other}/runs/{run['id']}", expect=404)
    version = await levels.publish(is_active=False)
    assert (await levels.begin(version=version, expect=409))["code"] == "sla_policy_not_in_use"
