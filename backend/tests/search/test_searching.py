"""Searching as people do it: what is found, in which order, by whom, and how it is shown."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from waypost.search import finding
from waypost.search.following import run_all

ODD = [
    '"',
    "'",
    "(",
    ")(",
    "a & | !",
    ":*",
    "a:*b",
    "a AND",
    "OR OR",
    "NOT",
    "-",
    "--",
    "\\",
    "%",
    "_",
    "*",
    "?",
    "<->",
    "a <-> b",
    "title:",
    "id:",
    "{}",
    "[]",
    "$1",
    ";drop",
    '"unclosed phrase',
    "a" * 5000,
    "🦊",
    "\u202e",
    "''''",
    "é́́",
    " ",
    "\t\n",
    "1=1",
    "{{7*7}}",
    "/.*/",
    "~",
    "^",
    "+a -b",
    "(((((" * 200,
    "a\0b",
    "status:",
    "status:nope",
    "created:2026-99-99",
    "in:nowhere x",
    "-x",
    "requester:" + "x" * 400,
    "is:open OR laptop",
    "number:%",
    "tag:\\",
    "created:..",
    "due:>99999d",
]


def token() -> str:
    """A word nobody else uses."""
    return "q" + "".join(secrets.choice("bcdfghjklmnpqrstvwxz") for _ in range(11))


def slipped(word: str) -> str:
    """The word with two neighbours the wrong way round, which are not the same letter."""
    n = next(n for n in range(4, len(word) - 1) if word[n] != word[n + 1])
    return word[:n] + word[n + 1] + word[n] + word[n + 2 :]


async def found(database: Any, api: Any, q: str, **params: Any) -> list[int]:
    await run_all(database)
    return [hit["ticket"]["id"] for hit in (await api.get("/search", params={"q": q, **params}))["items"]]


async def make(api: Any, title: str, description: str = "Nothing more to say.", **more: Any) -> dict[str, Any]:
    body = {"title": title, "description": description, "ticket_type": "IT_SUPPORT", "priority": "LOW", **more}
    return dict(await api.post("/tickets", {"custom_fields": {}, **body}, expect=201))


async def test_found_by_title_description_comment_and_number(database: Any, who: Any) -> None:
    employee = await who("employee")
    title, deep, said = token(), token(), token()
    ticket = await make(employee, f"Projector {title} for the board room", f"The old one hums. {deep}")
    await employee.post(
        f"/tickets/{ticket['id']}/comments", {"body": f"Serial {said}.", "visibility": "PUBLIC"}, expect=201
    )
    number = ticket["ticket_number"]
    prefix, year, count = number.split("-")
    for q in (
        title,
        deep,
        said,
        number,
        number.lower(),
        title.upper(),
        f"projector {title}",
        f"{title} {said}",
        f"{prefix.lower()}-{year}-{int(count)}",
        f"#{int(count)} {title}",
        f'"{title} for the"',
        f"{title[:6]}*",
        f"title:{title}",
        f"in:comments {said}",
        f"{title} projectors",
        f"{title} is:mine",
        f"{title} requester:me",
        f"{title} type:support",
    ):
        assert ticket["id"] in await found(database, employee, q), q
    for q in (
        f'"for {title}"',
        f"{title} -projector",
        f"in:comments {title}",
        f"title:{deep}",
        f"{title} is:closed",
        f"{title} created:<2020-01-01",
        f"{title} has:attachment",
    ):
        assert await found(database, employee, q) == [], q


async def test_languages_and_signs(database: Any, who: Any) -> None:
    employee = await who("employee")
    word = token()
    ticket = await make(
        employee, f"Müller Straße {word}", f"user_name_{word} 東京オフィス{word} C++ jane.doe@example.com"
    )
    for q in (
        f"muller {word}",
        f"Müller {word}",
        f"MÜLLER {word}",
        f"strasse {word}",
        f"user_name_{word}",
        word,
        f"東京 {word}",
        f"オフィス {word}",
        f"京 {word}",
        f"c++ {word}",
        f"jane.doe@example.com {word}",
        f"JANE {word}",
    ):
        assert ticket["id"] in await found(database, employee, q), q
    assert await found(database, employee, f"京東 {word}") == []


@pytest.mark.parametrize(
    ("said", "q"),
    [
        ("The printers are not working and we cannot print", "printer working"),
        ("Die Drucker sind kaputt und ich kann nicht drucken", "drucken kaputte"),
        ("Les imprimantes ne marchent pas depuis la mise à jour", "imprimante marche"),
        ("Las impresoras no funcionan en la oficina", "impresora funciona"),
        ("프린터가 작동하지 않습니다", "프린터"),
        ("打印机无法工作", "打印机"),
        ("プリンターが動きません", "プリンター"),
    ],
)
async def test_words_bend(database: Any, who: Any, said: str, q: str) -> None:
    employee = await who("employee")
    word = token()
    ticket = await make(employee, f"A request {word}", said)
    assert await found(database, employee, f"{q} {word}") == [ticket["id"]]


async def test_a_title_comes_first(database: Any, who: Any) -> None:
    employee = await who("employee")
    word = token()
    await make(employee, "One", "Nothing to see. " * 80 + word)
    top = await make(employee, f"{word} is broken")
    await make(employee, "Two", "More words. " * 80 + word)
    assert (await found(database, employee, word))[0] == top["id"]


async def test_pages_join_and_hold_everything_once(database: Any, who: Any) -> None:
    employee = await who("employee")
    word = token()
    made = {(await make(employee, f"{word} number {n}"))["id"] for n in range(7)}
    await run_all(database)
    seen: list[int] = []
    cursor = None
    while True:
        page = await employee.get("/search", params={"q": word, "limit": 3, **({"cursor": cursor} if cursor else {})})
        seen += [h["ticket"]["id"] for h in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert sorted(seen) == sorted(made)
    await employee.get("/search", params={"q": word, "cursor": "nonsense"}, expect=422)
    await employee.get("/search", params={"q": word, "limit": 1000}, expect=422)


async def test_nobody_finds_what_they_may_not_see(database: Any, who: Any, hardware: Any) -> None:
    employee, agent, outsider = await who("employee"), await who("agent"), await who("outsider")
    word, secret, name = token(), token(), token()
    ticket = await employee.post("/tickets", hardware("100.00", title=f"Private {word}"), expect=201)
    at = f"/tickets/{ticket['id']}"
    await (await who("manager")).get(at)
    await agent.post(f"{at}/comments", {"body": f"between us {secret}", "visibility": "INTERNAL"}, expect=201)
    assert await found(database, agent, secret) == [ticket["id"]] == await found(database, agent, f"{word} {secret}")
    for api in (employee, agent, await who("auditor"), await who("manager"), await who("admin")):
        assert await found(database, api, word) == [ticket["id"]]
    for api in (outsider, await who("colleague"), await who("hragent")):
        for q in (
            word,
            secret,
            ticket["ticket_number"],
            f"{word[:-1]}x",
            f"{word[:6]}*",
            f"number:{ticket['ticket_number']}",
        ):
            assert ticket["id"] not in await found(database, api, q), q
    for q in (secret, f"{word} {secret}", f"{secret[:6]}*", f"in:comments {secret}"):
        assert await found(database, employee, q) == []
        assert (await employee.get("/tickets", params={"q": q}))["items"] == []
    page = await employee.get("/search", params={"q": word})
    assert "between us" not in str(page)
    assert secret not in str(page)
    draft = await make(employee, f"Draft {name}")
    assert await found(database, employee, name) == [draft["id"]]
    assert await found(database, agent, name) == []


async def test_what_is_shown_is_safe(database: Any, who: Any) -> None:
    employee = await who("employee")
    word = token()
    evil = f"<img src=x onerror=alert(1)> {word} <script>alert(2)</script> <mark onclick=alert(3)>"
    ticket = await make(employee, f"Snippet <b>{word}</b>", evil)
    assert await found(database, employee, word) == [ticket["id"]]
    hit = (await employee.get("/search", params={"q": word}))["items"][0]
    for html in (hit["snippet"], hit["title_highlight"]):
        assert f"<mark>{word}</mark>" in html
        assert "<" not in html.replace("<mark>", "").replace("</mark>", "")


@pytest.mark.parametrize("q", ODD, ids=range(len(ODD)))
async def test_any_text_has_an_answer(who: Any, q: str) -> None:
    employee = await who("employee")
    assert isinstance((await employee.get("/search", params={"q": q, "limit": 2}))["items"], list)
    answer = await employee.get("/tickets", params={"q": q, "limit": 2}, expect=None)
    assert answer.status_code in (200, 422)


async def test_a_slip_is_seen_through(database: Any, who: Any) -> None:
    employee = await who("employee")
    word = token()
    async with database.transaction() as session:  # which words there are was looked at a moment before
        await session.execute(text("UPDATE search_progress SET words_at = now()"))
    ticket = await make(employee, f"The {word} hums")
    await make(employee, f"The {word} howls")
    await run_all(database)
    async with database.transaction() as session:
        await session.execute(text("UPDATE search_progress SET words_at = NULL"))
    wrong = slipped(word)
    page = await employee.get("/search", params={"q": f"{wrong}"})
    assert page["items"] == []
    await run_all(database)
    page = await employee.get("/search", params={"q": wrong})
    assert (page["is_corrected"], page["did_you_mean"]) == (True, word)
    assert ticket["id"] in [h["ticket"]["id"] for h in page["items"]]
    nothing = await (await who("outsider")).get("/search", params={"q": wrong})
    assert (nothing["items"], nothing["did_you_mean"]) == ([], None)


async def test_what_was_understood_is_told(who: Any) -> None:
    employee = await who("employee")
    page = await employee.get("/search", params={"q": "laptop status:open colour:red priority:purple -is:late"})
    assert [f["text"] for f in page["filters"]] == ["status:open", "-is:late"]
    assert {(n["code"], n["text"]) for n in page["notes"]} == {
        ("unknown_field", "colour"),
        ("unknown_value", "priority:purple"),
    }
    only = await employee.get("/search", params={"q": "requester:me"})
    assert {h["ticket"]["requester"]["username"] for h in only["items"]} == {"employee"}


@pytest.mark.parametrize("username", ["employee", "manager", "agent", "head", "executive", "admin"])
async def test_beginnings_find_the_same_read_or_looked_up(
    database: Any, who: Any, monkeypatch: pytest.MonkeyPatch, username: str
) -> None:
    await run_all(database)
    person = await who(username)
    asked = ["lap*", "re*", "a*", "re* -lap*", "title:re*", "lap* has:attachment", "requ* status:open"]

    async def found(q: str) -> list[int]:
        return [h["ticket"]["id"] for h in (await person.get("/search", params={"q": q, "limit": 100}))["items"]]

    monkeypatch.setattr(finding, "_steps", lambda *_, **__: [(1, True)])  # all of a small company is its newest
    read = [await found(q) for q in asked]
    monkeypatch.setattr(finding, "_reads_texts", lambda *_, **__: "")
    monkeypatch.setattr(finding, "_steps", lambda *_, **__: [(0, False)])
    assert [await found(q) for q in asked] == read
    assert any(read)


@pytest.mark.parametrize("username", ["agent", "admin"])
async def test_pages_of_small_windows_miss_nothing(
    database: Any, who: Any, monkeypatch: pytest.MonkeyPatch, username: str
) -> None:
    """Where windows are slow they end with what makes half a page, and the next page goes on below them."""
    await run_all(database)
    person, steps_of = await who(username), finding._steps

    async def found(q: str, limit: int) -> list[int]:
        ids, cursor = [], None
        while True:
            page = await person.get("/search", params={"q": q, "limit": limit} | ({"cursor": cursor} if cursor else {}))
            ids += [h["ticket"]["id"] for h in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                return ids
            assert page["items"] or page["found_more"]

    def small(place: finding.Place, *, is_first: bool, is_wide: bool) -> list[finding.Step]:
        if not is_first:
            return steps_of(place, is_first=False, is_wide=is_wide)
        below = [(place.ceiling - size, False) for size in (3, 12) if place.ceiling > size]
        return [*below, (0, False)]

    asked = ["request", "re*", '"new laptop"', "title:laptop"]
    at_once = [sorted(await found(q, 100)) for q in asked]
    monkeypatch.setattr(finding, "_steps", small)
    monkeypatch.setattr(finding, "SLOW", -1)
    monkeypatch.setattr(finding, "RARE", 0)
    assert [sorted(await found(q, 4)) for q in asked] == at_once
    assert any(at_once)


def test_windows_grow_by_what_they_hold() -> None:
    """A window that costs much is followed by one that may fill a page; a word of few tickets is looked up among all at once."""
    tried = finding.Place(datetime.now(UTC), 900_000, 1_000_000)
    later = [(200_000, False), (0, False)]
    assert finding._no_further(later, tried, 10, 26) == [(700_000, False), *later]
    assert finding._no_further(later, tried, 1, 26) == later
    assert finding._no_further(later, tried, 30, 26) == [(600_000, False), *later]  # a page is full: enough to rank
    assert finding._no_further(later, tried, 99, 26) == [(800_000, False), *later]  # larger in any case
    assert finding._is_rare("'word'", 10, 900_000, 1_000_000)
    assert not finding._is_rare("'word'", 100, 900_000, 1_000_000)
    assert not finding._is_rare("'word'", 0, 996_800, 1_000_000)  # so small a window holds none of what hundreds have
    assert finding._is_rare("'wor':*", 0, 996_800, 1_000_000)
    assert not finding._is_rare("'two' <-> 'words'", 0, 900_000, 1_000_000)
