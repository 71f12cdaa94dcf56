"""What a search keeps to itself: who read what is confidential is kept, and no word is told from what one may not read."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from tests.search.test_searching import found, make, slipped, token
from waypost.kernel.settings import get_settings
from waypost.search import searching
from waypost.search.following import run_all


async def reads(database: Any, ticket_id: int) -> list[int]:
    async with database.read() as session:
        statement = text("SELECT actor_id FROM events WHERE type = 'ticket.read' AND object_id = :id ORDER BY id")
        return list(await session.scalars(statement, {"id": ticket_id}))


async def learn(database: Any) -> set[str]:
    """The words the newest tickets are made of, looked for anew."""
    async with database.transaction() as session:
        await session.execute(text("UPDATE search_progress SET words_at = NULL"))
    await run_all(database)
    async with database.read() as session:
        return set(await session.scalars(text("SELECT word FROM search_words")))


async def test_whoever_reads_a_piece_of_something_confidential_is_kept(database: Any, who: Any) -> None:
    employee, auditor, outsider = await who("employee"), await who("auditor"), await who("outsider")
    word = token()
    secret = await make(employee, f"Leave {word}", f"For a reason. {word}", is_confidential=True, submit=True)
    other = await make(employee, f"Leave again {word}", f"Another reason. {word}", is_confidential=True, submit=True)
    bare = await make(employee, f"Only a title {word}", "", is_confidential=True, submit=True)
    plain = await make(employee, f"A mouse {word}", f"It squeaks. {word}", submit=True)
    for api in (auditor, auditor, outsider):
        seen = await found(database, api, word)
    assert seen == []
    for ticket in (secret, other):
        assert await reads(database, ticket["id"]) == [auditor.id]
        await auditor.get(f"/tickets/{ticket['id']}")
        assert await reads(database, ticket["id"]) == [auditor.id]
    assert await reads(database, bare["id"]) == await reads(database, plain["id"]) == []
    for path, params in (("/suggestions", {"q": word}), ("/similar", {"title": f"Only a title {word}"})):
        offered = await auditor.get(f"/search{path}", params=params)
        assert word in str(offered)
        assert "reason" not in str(offered)
    assert await reads(database, bare["id"]) == []


async def test_no_word_is_told_that_one_may_not_read(database: Any, who: Any) -> None:
    employee, outsider = await who("employee"), await who("outsider")
    own, others = token(), token()
    for _ in range(2):
        await make(outsider, f"The {own} hums")
        await make(employee, f"The {others} howls")
    assert {own, others} <= await learn(database)
    for q in (f"{slipped(own)} OR {slipped(others)}", f"{slipped(others)} OR {slipped(own)}"):
        page = await outsider.get("/search", params={"q": q})
        assert own in page["did_you_mean"]
        assert others not in str(page)
        theirs = await employee.get("/search", params={"q": q})
        assert others in theirs["did_you_mean"]
        assert own not in str(theirs)


async def test_every_way_of_seeing_gives_the_words_of_what_is_seen(database: Any, who: Any) -> None:
    words: dict[str, str] = {}
    for author in ("employee", "outsider"):
        words[author] = token()
        for _ in range(2):
            await make(await who(author), f"A request {words[author]}", submit=True)
    await learn(database)
    answers: dict[bool, set[str]] = {True: set(), False: set()}
    for username in ("employee", "colleague", "manager", "head", "agent", "hragent", "auditor", "executive", "admin"):
        api = await who(username)
        for word in words.values():
            sees = bool(await found(database, api, word))
            told = (await api.get("/search", params={"q": slipped(word)}))["did_you_mean"]
            assert told == (word if sees else None), username
            answers[sees].add(username)
    assert {"employee", "manager", "agent", "auditor", "admin"} <= answers[True]
    assert {"employee", "colleague", "hragent"} <= answers[False]


async def test_words_are_not_learnt_from_what_is_confidential(database: Any, who: Any) -> None:
    employee = await who("employee")
    secret, plain = token(), token()
    for _ in range(2):
        await make(employee, f"The {secret} hums", is_confidential=True)
        await make(employee, f"The {plain} hums")
    words = await learn(database)
    assert plain in words
    assert secret not in words


async def test_searches_wait_in_turn_and_leave_connections(who: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    employee = await who("employee")
    most = searching.turns.at_once
    assert 0 < most < get_settings().database_pool_size
    monkeypatch.setattr(searching.turns, "patience", 0.05)
    paths = (("", {"q": "laptop"}), ("/suggestions", {"q": "lap"}), ("/similar", {"title": "A new laptop"}))
    begun, over = asyncio.Semaphore(0), asyncio.Event()

    async def hold() -> None:
        async with searching.turns.one():
            begun.release()
            await over.wait()

    held = [asyncio.create_task(hold()) for _ in range(most)]
    for _ in held:
        await begun.acquire()
    for path, params in paths:
        refused = await employee.call("GET", f"/search{path}", None, None, params=params)
        assert (refused.status_code, refused.json()["code"]) == (503, "search_busy")
        assert int(refused.headers["retry-after"]) > 0
    await employee.get("/tickets")
    monkeypatch.setattr(searching.turns, "patience", 5)
    waiting = asyncio.create_task(employee.get("/search", params={"q": "laptop"}))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    over.set()
    assert "items" in await waiting
    await asyncio.gather(*held)
    for path, params in paths:
        await employee.get(f"/search{path}", params=params)
