"""People in the one box: by what they are called and where they work, for those who may look them up."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from waypost.directory.models import Department, User
from waypost.search.naming import MOST_MEANT, people_meant
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


async def test_a_filter_means_a_person(fresh_database: Any, fresh_who: Any) -> None:
    """By username, address, what stands before its @, and words of the name as far as they were written."""
    admin = await fresh_who("admin")
    async with fresh_database.transaction() as session:
        await session.execute(
            update(User)
            .where(User.username == "outsider")
            .values(first_name="Zoë-Łucja", last_name="O'Quøkka", email="z.wombat@platypus.example")
        )
        people = (await session.execute(select(User.id, User.username).order_by(User.id))).all()

    async def meant(said: str) -> list[str]:
        ids, more = await people_meant(session, said)
        assert not more
        return [username for id_, username in people if id_ in ids]

    async with fresh_database.read() as session:
        for said in (
            "outsider",
            "OUTSIDER",
            "z.wombat@platypus.example",
            "Z.Wombat",
            "zoë",
            "zoe",
            "zoe\u0308",
            "lucj",
            "quok",
            "ZOE QUOKKA",
            "quokka zo",
            "zoe-lucja o'quokka",
            "outsid",
        ):
            assert await meant(said) == ["outsider"], said
        for said in (
            "platypus",
            "example",
            "platypus.example",
            "wombat",
            "okka",
            "%",
            "_",
            "'",
            "\u02b9",
            "zoe jane",
            "x" * 500,
        ):
            assert await meant(said) == [], said
        assert await meant("agent") == ["agent"], "who is called so is meant alone"
        assert {"agent", "agent2"} <= set(await meant("agen"))
        assert await meant("Jane Doe") == ["employee"]
    page = await admin.get("/search", params={"q": "requester:example"})
    assert (page["filters"], [n["code"] for n in page["notes"]]) == ([], ["unknown_value"])
    page = await admin.get("/search", params={"q": 'requester:"jane doe"'})
    assert {h["ticket"]["requester"]["username"] for h in page["items"]} == {"employee"}
    assert page["notes"] == []
    async with fresh_database.transaction() as session:
        await session.execute(update(User).values(last_name="Zyx"))
        some = [
            User(username=f"z{n}", email=f"z{n}@x.example", first_name="Z", last_name="Zyx") for n in range(MOST_MEANT)
        ]
        session.add_all(some)
    page = await admin.get("/search", params={"q": "assignee:zyx"})
    assert [(n["code"], n["text"]) for n in page["notes"]] == [("many_people", "zyx")]


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
