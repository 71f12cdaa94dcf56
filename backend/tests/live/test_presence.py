"""Who is on a ticket, and who is writing: told to those who may see it, and for seconds only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from waypost.kernel.clock import clock
from waypost.live import presence, presence_router
from waypost.live.presence import LIFE, Screen, others, read_screen

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)


def screen(user_id: int, state: Any = "VIEWING", *, internal: bool = False, name: str = "screen01") -> Screen:
    return Screen(user_id, name, state, internal, AT + LIFE)


def test_each_person_is_there_once_with_the_liveliest_they_do() -> None:
    there = [screen(2, "IDLE"), screen(2, "TYPING", name="screen02"), screen(3), screen(1, "TYPING"), screen(4, "IDLE")]
    assert others(there, me=1, reads_internal=False) == [(2, "TYPING"), (3, "VIEWING"), (4, "IDLE")]


def test_an_internal_note_is_written_in_secret() -> None:
    there = [screen(2, "TYPING", internal=True), screen(3, "IDLE", internal=True)]
    assert others(there, me=1, reads_internal=True) == [(2, "TYPING"), (3, "IDLE")]
    assert others(there, me=1, reads_internal=False) == [(2, "VIEWING"), (3, "IDLE")]


def test_a_crowd_is_cut() -> None:
    assert len(others([screen(n) for n in range(2, 99)], me=1, reads_internal=True)) == presence.MOST_SHOWN


@given(
    st.integers(1, 2**62),
    st.sampled_from(["VIEWING", "TYPING", "IDLE"]),
    st.booleans(),
    st.integers(1, 10**7),
)
def test_a_screen_is_read_as_it_was_kept(user_id: int, state: Any, internal: bool, left: int) -> None:
    kept = Screen(user_id, "screen01", state, internal, AT + timedelta(milliseconds=left))
    assert read_screen(kept.field, kept.value, AT) == kept
    assert read_screen(kept.field, kept.value, AT + timedelta(milliseconds=left)) is None


@given(st.text(max_size=30), st.text(max_size=30))
def test_what_is_none_of_ours_is_no_screen(field: str, value: str) -> None:
    assert read_screen(field, value, AT) is None


def test_an_unknown_state_or_a_time_without_end_is_none() -> None:
    assert read_screen("1:abcdefgh", "DANCING:0:99999999999999", AT) is None
    assert read_screen("1:abcdefgh", f"IDLE:0:{10**30}", AT) is None


# --- over HTTP --------------------------------------------------------------------------------------------------------


@pytest.fixture
async def path(who: Any, hardware: Any) -> str:
    presence_router._rights.clear()
    ticket = await (await who("employee")).post("/tickets", hardware(), expect=201)
    return f"/tickets/{ticket['id']}/presence"


async def beat(api: Any, path: str, state: str = "VIEWING", name: str = "screen01", **more: Any) -> dict[str, str]:
    answer = await api.put(path, {"screen": name, "state": state, **more})
    return {p["person"]["username"]: p["state"] for p in answer["items"]}


async def test_people_see_each_other_come_write_and_go(who: Any, path: str) -> None:
    agent, agent2, employee = await who("agent"), await who("agent2"), await who("employee")
    assert await beat(agent, path) == {}
    assert await beat(agent2, path) == {"agent": "VIEWING"}
    assert await beat(agent, path, "TYPING") == {"agent2": "VIEWING"}
    assert await beat(agent2, path) == {"agent": "TYPING"}
    assert await beat(employee, path) == {"agent": "TYPING", "agent2": "VIEWING"}
    await beat(agent, path, "TYPING", is_internal=True)
    assert await beat(agent2, path) == {"agent": "TYPING", "employee": "VIEWING"}
    assert (await beat(employee, path))["agent"] == "VIEWING", "that an internal note is written is the team's"
    await beat(agent, path, "IDLE", name="screen02")
    await agent.delete(f"{path}?screen=screen01")
    assert (await beat(employee, path))["agent"] == "IDLE"
    await agent.delete(f"{path}?screen=screen02")
    assert "agent" not in await beat(employee, path)


async def test_who_only_reads_sees_and_is_not_shown(who: Any, path: str) -> None:
    auditor, employee = await who("auditor"), await who("employee")
    await beat(employee, path)
    assert await beat(auditor, path, "TYPING") == {"employee": "VIEWING"}
    assert await beat(employee, path) == {}
    await auditor.delete(f"{path}?screen=screen01")


async def test_a_screen_that_died_is_gone_within_fifteen_seconds(who: Any, path: str) -> None:
    agent, agent2 = await who("agent"), await who("agent2")
    with clock(lambda: datetime.now(UTC) - timedelta(seconds=12)):
        await beat(agent, path)
    assert await beat(agent2, path) == {}
    assert timedelta(seconds=12) >= LIFE, "and 3 seconds until the next look make 15"


async def test_only_who_may_see_the_ticket_asks_or_is_shown(who: Any, path: str) -> None:
    outsider, hragent, employee = await who("outsider"), await who("hragent"), await who("employee")
    for api in (outsider, hragent):
        await api.put(path, {"screen": "screen01", "state": "VIEWING"}, expect=404)
        await api.put(path, {"nonsense": 1}, expect=404)
        await api.delete(f"{path}?screen=screen01", expect=404)
    assert await beat(employee, path) == {}
    await (await who(None)).put(path, {"screen": "screen01", "state": "VIEWING"}, expect=401)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"screen": "short", "state": "VIEWING"},
        {"screen": "a:b:c:d:e", "state": "VIEWING"},
        {"screen": "a" * 33, "state": "VIEWING"},
        {"screen": "screen01", "state": "DANCING"},
        {"screen": "screen01", "state": "TYPING", "is_internal": "yes"},
        {"screen": "screen01", "state": "TYPING", "user_id": 1},
    ],
)
async def test_bad_beats_are_refused(who: Any, path: str, body: Any) -> None:
    agent = await who("agent")
    await agent.put(path, body, expect=422)
    assert await beat(await who("agent2"), path) == {}


async def test_nobody_fills_the_memory_with_screens(who: Any, path: str, app: Any) -> None:
    agent = await who("agent")
    for n in range(presence.MOST_SCREENS + 20):
        await beat(agent, path, name=f"screen{n:04d}")
    ticket_id = int(path.split("/")[2])
    assert await app.state.valkey.hlen(f"waypost:presence:{ticket_id}") <= presence.MOST_SCREENS
    assert 0 < await app.state.valkey.pttl(f"waypost:presence:{ticket_id}") <= LIFE.total_seconds() * 1000


async def test_a_beat_in_company_asks_the_database_nothing(who: Any, path: str, database: Any) -> None:
    agent, agent2 = await who("agent"), await who("agent2")
    await beat(agent2, path)
    await beat(agent, path)
    statements: list[str] = []

    def count(_: Any, __: Any, statement: str, *___: Any) -> None:
        if "login_sessions" not in statement:  # who asks is looked up once a second
            statements.append(statement)

    event.listen(database.read_engine.sync_engine, "before_cursor_execute", count)
    try:
        for _ in range(3):
            assert await beat(agent, path) == {"agent2": "VIEWING"}
    finally:
        event.remove(database.read_engine.sync_engine, "before_cursor_execute", count)
    assert statements == []


async def test_without_valkey_nobody_is_told_anything_wrong(who: Any, path: str, app: Any) -> None:
    from redis.asyncio import Redis

    agent, kept = await who("agent"), app.state.valkey
    app.state.valkey = Redis(host="127.0.0.1", port=9, socket_connect_timeout=1)
    try:
        refused = await agent.put(path, {"screen": "screen01", "state": "VIEWING"}, expect=503)
        assert "cannot be told" in refused["detail"]
    finally:
        await app.state.valkey.aclose()
        app.state.valkey = kept
