"""Sums made before somebody looks: for those who see very much and may look, kept as long, and of what is theirs by now."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

from tests.reports.by_hand import counted_by_hand
from tests.reports.test_keeping import counted, kept, of_person
from waypost.access.queries import actor_of_user
from waypost.reports import foreseeing, keeping, own_sums, readers, reading
from waypost.reports.dashboards import EVER
from waypost.reports.reading import Board, sums
from waypost.tickets import policy
from waypost.tickets.models import Ticket


@pytest.fixture(autouse=True)
async def few_are_very_many(database: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Among the demo company's requests, two are very many; and each test begins with nobody's sums."""
    monkeypatch.setattr(foreseeing, "VERY_MANY", 2)
    monkeypatch.setattr(foreseeing, "PIECE", 7)  # so that there are several
    monkeypatch.setattr(foreseeing, "AT_ONCE", 2)
    await counted(database)
    yield
    await change(database, "UPDATE report_readers SET is_stale = true, is_foreseen = false, read_at = 'epoch'")
    await counted(database)
    assert not await foreseen(database)


async def change(database: Any, statement: str, **values: Any) -> None:
    async with database.transaction() as session:
        await session.execute(text(statement), values)


async def foreseen(database: Any) -> set[int]:
    async with database.read() as session:
        return set(await session.scalars(text("SELECT user_id FROM report_readers WHERE is_foreseen")))


async def are_theirs(database: Any, user_id: int) -> bool:
    """Whether sums are there for somebody's next look; those of everybody are the ones counted by hand."""
    stored, _ = await kept(database)
    async with database.read() as session:
        assert stored == await counted_by_hand(session)
        actor = await actor_of_user(session, user_id)
        return actor is not None and (await readers.standing(session, actor)).is_whole


async def seen_and_counted(database: Any, user_id: int) -> None:
    """What somebody's look counts is what they see."""
    async with database.read() as session:
        actor = await actor_of_user(session, user_id)
        seen = (
            await session.execute(Ticket.__table__.select().where(policy.visible_to(actor)), policy.values(actor))
        ).all()
        cells = await sums(session, actor, Board.EVERYTHING, {"state": EVER}, first=EVER)
    found: Counter[Any] = Counter()
    for cell in cells:
        found[cell.word, cell.more] += cell.n
    assert found == Counter((t.status, t.priority) for t in seen) != {}


async def test_the_first_look_of_who_was_foreseen_reads_sums(
    who: Any, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    mike = await who("manager")
    board = await mike.get("/reports/dashboard")  # counted on the spot
    assert not await of_person(database, mike.id)
    await foreseeing.run_due(database)
    await counted(database)
    assert mike.id in await foreseen(database)
    assert await are_theirs(database, mike.id)
    looks = []

    async def noted(_: Any, found: readers.Standing, beside: int) -> None:
        looks.append((found.is_whole, beside))

    monkeypatch.setattr(readers, "note", noted)
    assert await mike.get("/reports/dashboard") == board
    assert looks == [(True, 0)]
    await seen_and_counted(database, mike.id)


async def test_it_is_foreseen_whom_the_policy_lets_see_very_much(database: Any, who: Any) -> None:
    """Those and nobody else: as a look counts it, of everybody who may look."""
    await foreseeing.foresee(database)
    expected = set()
    async with database.read() as session:
        for user_id in await session.scalars(text("SELECT id FROM users WHERE is_active")):
            actor = await actor_of_user(session, user_id)
            if await reading.beside(session, actor, 2) == 2:
                expected.add(user_id)
    found = await foreseen(database)
    assert found == expected
    assert {(await who("manager")).id, (await who("employee")).id} <= found
    assert (await who("executive")).id not in found  # everything is a region


async def test_nobody_is_foreseen_who_does_not_look(who: Any, database: Any) -> None:
    mike, jane = await who("manager"), await who("employee")
    await foreseeing.foresee(database)
    await counted(database)
    assert {mike.id, jane.id} <= await foreseen(database)
    async with database.read() as session:
        roles = (await session.execute(text("SELECT * FROM user_roles WHERE user_id = :me"), {"me": jane.id})).all()
    await change(database, "UPDATE users SET is_active = false WHERE id = :me", me=mike.id)
    await change(database, "DELETE FROM user_roles WHERE user_id = :me", me=jane.id)
    try:
        await foreseeing.look_after(database)
        await counted(database)
        assert not await of_person(database, mike.id) + await of_person(database, jane.id)
        await foreseeing.foresee(database)
        assert not {mike.id, jane.id} & await foreseen(database)
    finally:
        await change(database, "UPDATE users SET is_active = true WHERE id = :me", me=mike.id)
        for role in roles:
            given = ", ".join(f":{name}" for name in role._fields)
            await change(
                database,
                f"INSERT INTO user_roles ({', '.join(role._fields)}) VALUES ({given})",
                **role._mapping,
            )


@pytest.mark.parametrize("requests", [20_000, 1])
async def test_when_their_people_change_sums_are_set_right_without_a_look(
    who: Any, database: Any, monkeypatch: pytest.MonkeyPatch, requests: int
) -> None:
    """Moved by what the change is about; or made anew, where that is more than one step looks at."""
    monkeypatch.setattr(own_sums, "REQUESTS", requests)
    mike, jane = await who("manager"), await who("employee")
    await foreseeing.foresee(database)
    await counted(database)
    before = await of_person(database, mike.id)
    assert before
    moved = "UPDATE users SET manager_id = :to WHERE id = :me"
    with monkeypatch.context() as patched:
        if requests > 1:
            patched.setattr(own_sums, "_remove", None)  # nothing is removed that stays theirs
        await change(database, moved, to=None, me=jane.id)
        try:
            assert not await are_theirs(database, mike.id)  # these are not read any more
            await foreseeing.look_after(database)
            await counted(database)
            assert await are_theirs(database, mike.id)
            assert await of_person(database, mike.id) != before
            await seen_and_counted(database, mike.id)
        finally:
            await change(database, moved, to=mike.id, me=jane.id)
        await foreseeing.look_after(database)
        await counted(database)
    assert await are_theirs(database, mike.id)
    assert await of_person(database, mike.id) == before


async def test_sums_are_kept_unread_while_they_are_foreseen(
    who: Any, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    mike = await who("manager")
    await foreseeing.foresee(database)
    await counted(database)
    await change(database, "UPDATE report_readers SET read_at = 'epoch'")
    async with database.transaction() as session:
        await own_sums.forget_unread(session)
    await counted(database)
    assert await are_theirs(database, mike.id)
    monkeypatch.setattr(foreseeing, "VERY_MANY", 10_000)
    await foreseeing.foresee(database)  # the next night they see very much no more
    assert await are_theirs(database, mike.id)
    async with database.transaction() as session:
        await own_sums.forget_unread(session)
    await counted(database)
    assert not await of_person(database, mike.id)


async def test_not_many_are_foreseen_and_they_take_nobodys_place(
    database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreseeing, "MOST", 2)
    await foreseeing.foresee(database)
    first = await foreseen(database)
    assert len(first) == 2
    monkeypatch.setattr(readers, "MOST", 0)
    monkeypatch.setattr(foreseeing, "LOOKED_AT", 1)
    await change(database, "UPDATE report_readers SET is_foreseen = false")
    await change(database, "DELETE FROM report_readers WHERE user_id = :me", me=min(first))
    await foreseeing.foresee(database)
    assert len(await foreseen(database)) <= 1
    async with database.read() as session:
        assert await session.scalar(text("SELECT count(*) FROM report_readers")) <= 2


async def test_it_is_foreseen_once_a_day_and_after_all_was_made_anew(database: Any) -> None:
    async def at() -> Any:
        async with database.read() as session:
            return await session.scalar(text("SELECT foreseen_at FROM report_position"))

    await change(database, "UPDATE report_position SET foreseen_at = NULL")
    await foreseeing.run_due(database)
    first = await at()
    await foreseeing.run_due(database)
    assert await at() == first
    await change(database, "UPDATE report_position SET foreseen_at = foreseen_at - interval '25 hours'")
    await foreseeing.run_due(database)
    second = await at()
    assert second > first
    async with database.transaction() as session:
        await keeping.begin_rebuild(session)
    await foreseeing.run_due(database)
    assert await at() == second
    await counted(database)
    await foreseeing.run_due(database)
    assert await at() > second


async def test_a_token_that_reads_no_requests_leaves_sums_as_they_are(who: Any, database: Any) -> None:
    mike = await who("manager")
    await foreseeing.foresee(database)
    await counted(database)
    async with database.read() as session:
        actor = (await actor_of_user(session, mike.id)).limited(["reports:read"])
        found = await readers.standing(session, actor)
        assert not found.is_whole
        await readers.note(actor, found, 0)
    assert await are_theirs(database, mike.id)
