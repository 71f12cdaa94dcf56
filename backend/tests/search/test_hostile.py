"""Any text gives an answer: through every door that takes one, and for readers who see by different ways."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.search.asking import read
from waypost.search.following import run_all
from waypost.search.people import words_of
from waypost.search.understanding import FIELDS as KNOWN

DOORS = ("/search", "/search/people", "/search/suggestions", "/search/similar", "/tickets", "/tickets/count")
NAMES = (
    "/people",
    "/users",
    "/requesters",
    "/tags",
    "/ticket-types",
    "/canned-replies",
    "/notification-deliveries",
    "/incoming-mails",
)
HOSTILE = {
    "nul": "lap\x00top",
    "only nul": "\x00",
    "quotes": '"lap "top" \'x"',
    "signs": "&|!()<->:*'\\\"%_ -- ;",
    "query": "a & !b | (c <-> 'd':*A) ') OR 1=1 --",
    "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 laptop👍🏽",
    "right to left": "\u202eמחשב נייד\u202c حاسوب محمول",
    "marks": "z̷̢̛a̸͓͝l̶̘͠g̴̪̈o " * 9,
    "letters of other planes": "𠜎𠜱 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 \U000e0041",
    "nothing one sees": "\u200b\u2060\ufeff\u00ad",
    "fields without end": "status:" * 60,
    "dates": "created:9999-99-99 due:>0000-00-00 updated:..  created:<99999999999d",
    "numbers": "number:99999999999999999999999 #00000000000000000000 team:9223372036854775808",
    "ors": "OR OR | || AND NOT - + -- ++ NOT OR",
    "minuses": "-" * 400,
}
SURROGATES = ("%ED%A0%80", "lap%ED%B0%80top", "%FF%FE", "%C0%80", "%F4%90%80%80")


@given(st.text(st.characters(), max_size=400))
def test_any_text_may_mean_somebody(text: str) -> None:
    words = words_of(text)
    assert all(words)
    assert not any("\x00" in word or "\ud800" <= c <= "\udfff" for word in words for c in word)


@given(st.text(st.characters(categories=("Cs", "Cc", "Lu", "Po")), max_size=200))
def test_half_letters_are_no_words(text: str) -> None:
    """Halves of letters of other planes (lone surrogates) cannot be sent to the database."""
    for term in read(text).terms:
        for chunk in getattr(term.what, "chunks", ()):
            chunk.encode()


@pytest.mark.parametrize("door", DOORS)
async def test_every_door_answers_any_text(who: Any, door: str) -> None:
    people = [await who(name) for name in ("employee", "agent", "admin")]
    for n, text in enumerate(HOSTILE.values()):
        params = {"title" if door.endswith("similar") else "q": text, "q" if door.endswith("similar") else "title": "x"}
        answer = await people[n % 3].get(door, params=params, expect=None)
        assert answer.status_code == 200, f"{door} {text!r}: {answer.status_code}"


@pytest.mark.parametrize("name", list(HOSTILE))
async def test_the_box_takes_everything(who: Any, name: str) -> None:
    answer = await (await who("agent")).get("/search", params={"q": HOSTILE[name], "limit": 5})
    assert isinstance(answer["items"], list)


@pytest.mark.parametrize("raw", SURROGATES)
async def test_bytes_that_are_no_text(who: Any, raw: str) -> None:
    agent = await who("agent")
    for path in ("/search?q=", "/search/people?q=", "/search/suggestions?q=", "/search/similar?title="):
        answer = await agent.get(path + raw, expect=None)
        assert answer.status_code in (200, 422), answer.text


async def test_ten_thousand_letters(who: Any) -> None:
    agent = await who("agent")
    for text in ("x" * 10_000, '"' * 10_000, "lap " * 2_500, "🙂" * 5_000, "status:open " * 833):
        answer = await agent.get("/search", params={"q": text[:10_000], "limit": 1})
        assert any(n["code"] in ("too_long", "too_many") for n in answer["notes"])
    assert (await agent.get("/search", params={"q": "x" * 30_000}))["notes"]
    assert (await agent.get("/search/suggestions", params={"q": "lap " * 2_500}))["words"] == []
    assert (await agent.get("/search/similar", params={"title": "lap " * 2_500}))["items"] == []
    assert (await agent.get("/search/people", params={"q": "x" * 10_000}))["items"] == []


async def test_the_words_of_a_list_are_read_as_the_search_reads_them(who: Any, hardware: Any, database: Any) -> None:
    employee, agent = await who("employee"), await who("agent")
    made = await employee.post("/tickets", hardware("12.00", title="Okapi stand"), expect=201)
    await run_all(database)
    first = " ".join(["okapi"] * 20)
    for text in ("okapi\x00stand", "okapi \x00", f"{first} {' ' * 1000} quagga", "okapi " * 2_500):
        for door in ("/search", "/tickets", "/tickets/count"):
            answer = await agent.get(door, params={"q": text})
            if door == "/tickets/count":
                assert answer["count"] == 1, text
            else:
                assert [i.get("ticket", i)["id"] for i in answer["items"]] == [made["id"]], (door, text)
    long = f"okapi {'stand ' * 60}"
    view = await employee.post("/saved-views", {"name": "Long", "filters": {"q": long.strip()}}, expect=201)
    shown = await employee.get(f"/saved-views/{view['id']}/tickets")
    assert [t["id"] for t in shown["items"]] == [made["id"]]
    for q in ("x" * 501, "a\x00b"):
        refused = await employee.post("/saved-views", {"name": "Kept", "filters": {"q": q}}, expect=422)
        assert refused["errors"][0]["pointer"] == "/filters/q"


@pytest.mark.parametrize("door", NAMES)
async def test_names_are_looked_for_by_any_text(who: Any, door: str) -> None:
    admin = await who("admin")
    for text in ("x" * 5_000, "a\x00b", "\x00", "%_!\\'\"", "\u202e\u0301"):
        assert isinstance((await admin.get(door, params={"q": text}))["items"], list), text


async def test_every_field_takes_any_value(who: Any) -> None:
    employee = await who("employee")
    for field in sorted(KNOWN):
        for value in ("'", '"', "\\", "%", "👍", "9" * 40, "a,b,,c", "..", "-1", "a\x00b"):
            answer = await employee.get("/search", params={"q": f"{field}:{value}", "limit": 1})
            assert isinstance(answer["items"], list)
