"""People in the one box: by what they are called and where they work, for those who may look them up."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from waypost.directory.models import Department, User
from waypost.search.people import MOST_WORDS, words_of


async def found(api: Any, q: str, **more: Any) -> list[str]:
    return [p["username"] for p in (await api.get("/search/people", params={"q": q, **more}))["items"]]


async def test_people_are_found_by_what_they_are_called(database: Any, who: Any) -> None:
    employee = await who("employee")
    async with database.transaction() as session:
        await session.execute(
            update(User)
            .where(User.username == "outsider")
            .values(first_name="Zoë", last_name="Quokka", email="z.wombat@platypus.example")
        )
        department = await session.scalar(
            select(Department.name).join(User, User.department_id == Department.id).where(User.username == "employee")
        )
    assert await found(employee, "quokka") == ["outsider"]
    assert await found(employee, "Quok") == ["outsider"]
    assert await found(employee, "zoë quokka") == await found(employee, "quokka outsider") == ["outsider"]
    assert await found(employee, "z.wombat") == ["outsider"]
    assert await found(employee, "z.wombat@platypus.example") == ["outsider"]
    assert await found(employee, "platypus") == []  # where everybody's address is says nothing
    assert "employee" in await found(employee, str(department), limit=20)
    assert await found(employee, f"jane {department}") == ["employee"]
    one = (await employee.get("/search/people", params={"q": "jane"}))["items"][0]
    assert one["department"]["name"] == department


async def test_one_page_says_that_there_are_more(who: Any) -> None:
    employee = await who("employee")
    page = await employee.get("/search/people", params={"q": "an", "limit": 1})
    assert len(page["items"]) == 1
    assert page["more"]
    assert not (await employee.get("/search/people", params={"q": "jane"}))["more"]


async def test_only_who_may_look_people_up_finds_any(database: Any, who: Any) -> None:
    employee = await who("employee")
    async with database.transaction() as session:
        await session.execute(update(User).where(User.username == "outsider").values(is_active=False))
    assert await found(employee, "outsider") == []
    assert await found(employee, "robot") == []
    await (await who(None)).get("/search/people", params={"q": "jane"}, expect=401)


@pytest.mark.parametrize(
    ("q", "words"),
    [
        ("Jane Doe", ["jane", "doe"]),
        ("  jane   jane ", ["jane"]),
        ('"Jane Doe"', ["jane", "doe"]),
        ("jan*", ["jan"]),
        ("o", []),
        ("o k", ["o", "k"]),
        ("status:open jane", []),
        ("jane -doe", []),
        ("", []),
        ("one two three four five six", []),
    ],
)
def test_the_words_that_may_mean_somebody(q: str, words: list[str]) -> None:
    assert words_of(q) == words
    assert len(words_of(q)) <= MOST_WORDS
