"""The trail looked through by words, names, numbers and addresses; counted; and taken away as a file."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.dialects import postgresql

from tests.conftest import Api
from waypost.access.queries import actor_of_user
from waypost.audit import exporting, looking, queries
from waypost.audit.looking import _by_index
from waypost.audit.searching import Sought, narrowed, pattern
from waypost.kernel import limits
from waypost.kernel.clock import clock, now
from waypost.kernel.events import SYSTEM, Event, EventRow, record


@dataclass(frozen=True, kw_only=True)
class Noted(Event):
    """Something with words in it."""

    type: ClassVar[str] = "test.noted"
    object_type: ClassVar[str] = "test"
    words: str
    ip_address: str = "192.0.2.1"

    @property
    def object_id(self) -> int:
        return 1


async def note(database: Any, *words: str, **more: str) -> list[int]:
    async with database.transaction() as session:
        return [await record(session, Noted(words=w, **more), actor=SYSTEM) for w in words]


async def found(auditor: Api, **params: Any) -> list[int]:
    ids: list[int] = []
    cursor = None
    while True:
        page = await auditor.get("/audit", params={"limit": 100, **params, **({"cursor": cursor} if cursor else {})})
        ids += [i["id"] for i in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return ids


@pytest.mark.parametrize(
    "words",
    ["Zündschlüssel", 'a "quoted" word', "50% off", "under_score", "back\\slash", "ex!claim", "🎟️ here", "<script>"],
)
async def test_words_are_found_as_they_stand(who: Any, database: Any, words: str) -> None:
    auditor = await who("auditor")
    (wanted,) = await note(database, f"before {words} after")
    assert wanted in await found(auditor, q=words)
    assert wanted in await found(auditor, q=words.upper())
    (other,) = await note(database, "nothing of it")
    assert other not in await found(auditor, q=words)


async def test_a_sign_for_like_is_a_letter(who: Any, database: Any) -> None:
    await note(database, "abc-xyz")
    assert await found(await who("auditor"), q="abc_xyz") == []
    assert await found(await who("auditor"), q="abc%xyz") == []


async def test_names_numbers_and_titles_are_words_too(who: Any, hardware: Any) -> None:
    jane, auditor = await who("employee"), await who("auditor")
    ticket = await jane.post("/tickets", hardware(title="Quixotic keyboard"), expect=201)
    about = set(await found(auditor, object_type="ticket", object_id=ticket["id"]))
    assert about
    assert about <= set(await found(auditor, q="quixotic keyb"))
    assert about <= set(await found(auditor, q=ticket["ticket_number"].lower()))
    assert about <= set(await found(auditor, q=ticket["ticket_number"][3:-1]))
    assert about == set(await found(auditor, ticket=ticket["ticket_number"]))
    assert about == set(await found(auditor, ticket=str(ticket["id"])))
    assert await found(auditor, ticket="NIX-2026-000001") == []
    hers = set(await found(auditor, object_type="ticket", object_id=ticket["id"], family="ticket"))
    assert hers
    assert hers <= set(await found(auditor, q="jane doe"))
    asked = set(await found(auditor, q="JANE", family="ticket"))
    assert about & asked
    assert asked < set(await found(auditor, family="ticket"))


async def test_addresses_are_found_by_their_beginning(who: Any, database: Any) -> None:
    auditor = await who("auditor")
    (one,) = await note(database, "x", ip_address="203.0.113.77")
    (two,) = await note(database, "203.0.113.77 in words only")
    assert await found(auditor, address="203.0.113.77") == [one]
    assert one in await found(auditor, address="203.0.113.")
    assert set(await found(auditor, q="203.0.113.77", family="test")) == {one, two}


async def test_pages_fit_together(who: Any, database: Any) -> None:
    auditor = await who("auditor")
    wanted = await note(database, *[f"paged {n}" for n in range(7)])
    ids, cursor = [], None
    for _ in range(4):
        page = await auditor.get("/audit", params={"q": "paged ", "limit": 2, **({"cursor": cursor} if cursor else {})})
        ids += [i["id"] for i in page["items"]]
        cursor = page["next_cursor"]
    assert ids == wanted[::-1]
    assert cursor is None
    assert await auditor.get("/audit/count", params={"q": "paged ", "family": "test"}) == {"count": 7, "is_more": False}


@pytest.mark.parametrize(
    "bad", [{"q": "ab"}, {"q": "x" * 201}, {"q": "a\x00b"}, {"address": "x; y"}, {"ticket": ""}, {"ticket": "x" * 41}]
)
async def test_questions_that_are_none(who: Any, bad: dict[str, str]) -> None:
    for path in ("/audit", "/audit/count", "/audit/download"):
        problem = await (await who("auditor")).get(path, params=bad, expect=422)
        assert problem["errors"][0]["pointer"] == f"?{next(iter(bad))}"


async def top(database: Any) -> int:
    async with database.read() as session:
        return int(await session.scalar(text("SELECT max(id) FROM events")) or 0)


FILTERS: tuple[dict[str, Any], ...] = (
    {"q": "sifted"},
    {"q": "SIFTED one", "family": "test"},
    {"q": "Zündung sifted"},
    {"q": "jane", "family": "ticket"},
    {"q": "jane", "address": "192.0.2."},
    {"q": "sifted", "address": "192.0.2."},
    {"address": "192.0.2.", "channel": "system"},
    {"q": "nothing says so"},
)


@pytest.mark.parametrize("params", FILTERS)
async def test_windows_and_the_index_find_the_same(
    who: Any, database: Any, monkeypatch: pytest.MonkeyPatch, params: dict[str, Any]
) -> None:
    """By small windows, by the index, and with time for one window at a time: each finds all, once, newest first."""
    await note(database, *[f"sifted {w}" for w in ("one", "two", "ONE more")], "Zündung SIFTED", "other")
    auditor = await who("auditor")
    async with database.transaction() as session:
        actor = await actor_of_user(session, auditor.id)
        wanted = await narrowed(session, actor, Sought(**params))
        every = [*wanted.plain, *(letters.holds() for letters in wanted.letters), EventRow.type != "audit.read"]
        by_hand = list(await session.scalars(select(EventRow.id).where(*every).order_by(EventRow.id.desc())))

    async def all_found(rows: int, patience: float) -> list[int]:
        ids: list[int] = []
        before: int | None = None
        async with database.limited_read(looking.A_STATEMENT) as session:
            wanted = await narrowed(session, actor, Sought(**params))
            wanted = replace(wanted, plain=(*wanted.plain, EventRow.type != "audit.read"))
            while True:
                found = await looking.look(session, wanted, before=before, rows=rows, patience=patience)
                ids += found.ids
                if len(found.ids) == rows:
                    before = found.ids[-1]
                elif found.floor:
                    before = found.floor
                else:
                    return ids

    few = max(await top(database) // 8, 1)
    for newest, rare in ((2000, 10_000), (few, 0), (few, 10**12)):
        monkeypatch.setattr(looking, "NEWEST", newest)
        monkeypatch.setattr(looking, "RARE", rare - 1)
        assert await all_found(2, 10) == by_hand
        assert await all_found(500, 10) == by_hand
        assert await all_found(500, 0) == by_hand


async def test_a_page_tells_how_far_back_it_looked(who: Any, database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    auditor = await who("auditor")
    (old,) = await note(database, "moonlit")
    await note(database, *["noise"] * 100)
    monkeypatch.setattr(looking, "NEWEST", 50)  # fewer than there are since
    monkeypatch.setattr(looking, "RARE", -1)
    monkeypatch.setattr(queries, "PATIENCE", 0)
    first = await auditor.get("/audit", params={"q": "moonlit", "family": "test"})
    assert first["items"] == []
    assert first["next_cursor"]
    assert first["looked_back_to"]
    assert (await auditor.get("/audit/count", params={"q": "moonlit", "family": "test"}))["is_more"]
    monkeypatch.setattr(looking, "NEWEST", await top(database) // 2)
    assert await found(auditor, q="moonlit", family="test") == [old]
    answer = await auditor.call("GET", "/audit/download", None, None, params={"q": "moonlit", "family": "test"})
    assert answer.headers["x-export-rows"] == "1"
    assert (await auditor.get("/audit", params={"limit": 1}))["looked_back_to"] is None


@pytest.mark.parametrize("sought", [Sought(q="quixotic"), Sought(address="203.0.113.")])
async def test_the_index_answers(who: Any, database: Any, sought: Sought) -> None:
    auditor = await who("auditor")
    async with database.transaction() as session:
        actor = await actor_of_user(session, auditor.id)
        assert actor is not None
        statement = _by_index(await narrowed(session, actor, sought), 1_000_000, 10)
        asked = statement.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
        await session.execute(text("SET LOCAL enable_seqscan = off"))
        await session.execute(text("SET LOCAL enable_indexscan = off"))
        plan = await (await session.connection()).exec_driver_sql(f"EXPLAIN {asked}".replace("%%", "%"))
        assert "ix_events_words" in "\n".join(plan.scalars())


@pytest.mark.parametrize(
    ("path", "params", "is_costly"),
    [
        ("/audit", {}, False),
        ("/audit", {"q": "costs"}, True),
        ("/audit/count", {"address": "203.0."}, True),
        ("/audit/count", {"family": "auth"}, False),
        ("/audit/download", {"family": "test"}, True),
    ],
)
async def test_looking_for_words_is_counted_as_costly(
    who: Any, monkeypatch: pytest.MonkeyPatch, path: str, params: dict[str, str], is_costly: bool
) -> None:
    auditor = await who("auditor")
    counted: list[str] = []
    slow_down = limits.slow_down

    def noted(policy: limits.Policy, key: str) -> limits.Standing:
        counted.append(policy.name)
        return slow_down(policy, key)

    monkeypatch.setattr(limits, "slow_down", noted)
    await auditor.call("GET", path, None, None, params=params)
    assert ("costly" in counted) is is_costly


async def test_each_search_is_kept_and_counting_is_one(who: Any, database: Any) -> None:
    auditor = await who("auditor")
    for params in ({"q": "first words"}, {"q": "second words"}, {"address": "198.51.100."}):
        await auditor.get("/audit", params=params)
        await auditor.get("/audit", params=params)
    await auditor.get("/audit/count", params={"q": "only counted"})
    async with database.read() as session:
        asked = [
            e.data["filters"]
            for e in await session.scalars(select(EventRow).where(EventRow.type == "audit.read").order_by(EventRow.id))
        ]
    assert asked[-4:] == [
        {"q": "first words"},
        {"q": "second words"},
        {"address": "198.51.100."},
        {"q": "only counted"},
    ]


@given(st.text(min_size=3, max_size=20))
def test_a_pattern_is_the_words_in_json(words: str) -> None:
    inner = pattern(words)[1:-1]
    plain = "".join(inner[i + 1] if c == "!" else c for i, c in enumerate(inner) if i == 0 or not _escaped(inner, i))
    assert json.loads(f'"{plain}"') == words


def _escaped(text_: str, at: int) -> bool:
    """Whether the sign at this place was written behind a `!` that stands for nothing itself."""
    count = 0
    while at - 1 - count >= 0 and text_[at - 1 - count] == "!":
        count += 1
    return count % 2 == 1


async def test_what_was_found_is_taken_away(who: Any, database: Any) -> None:
    auditor = await who("auditor")
    wanted = await note(database, "=cmd|' /C calc'!A0 taken", "plain taken\nline two", "+1 taken")
    answer = await auditor.call("GET", "/audit/download", None, None, params={"q": "taken", "format": "csv"})
    assert answer.status_code == 200
    assert answer.headers["x-export-rows"] == str(len(wanted))
    assert answer.headers["x-export-cut"] == "false"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [int(r["id"]) for r in rows] == wanted[::-1]
    assert json.loads(rows[-1]["data"])["words"].startswith("=cmd")
    lines = await auditor.call("GET", "/audit/download", None, None, params={"q": "taken", "format": "ndjson"})
    told = [json.loads(line) for line in lines.content.splitlines()]
    listed = (await auditor.get("/audit", params={"q": "taken", "action": "test.noted"}))["items"]
    assert [e for e in told if e["action"] == "test.noted"] == listed
    async with database.read() as session:
        kept = list(
            await session.scalars(select(EventRow).where(EventRow.type == "audit.exported").order_by(EventRow.id))
        )
    assert [e.data["format"] for e in kept][-2:] == ["csv", "ndjson"]
    assert kept[-2].data["filters"] == {"q": "taken"}
    assert kept[-2].data["rows"] == len(wanted)
    assert kept[-2].actor_id == auditor.id


def test_no_cell_is_a_formula() -> None:
    person = {"id": 1, "username": "=1+1", "name": "@SUM(A1)"}
    item = {"id": 1, "at": "x", "actor": person, "on_behalf_of": None, "action": "a.b", "object_type": "t"}
    item |= {"object_id": 2, "channel": "web", "request_id": "-2+3", "data": {}}
    (cells,) = csv.reader(io.StringIO(exporting.written([item], "csv").decode()))
    assert [c for c in cells if c[:1] in "=+-@" and c] == []
    assert "'=1+1" in cells


async def test_a_file_needs_a_proof_and_the_right(who: Any) -> None:
    await (await who("employee")).get("/audit/download", 403)
    await (await who("employee")).get("/audit/count", 403)
    auditor = await who("auditor")
    later = now() + timedelta(minutes=6)
    with clock(lambda: later):
        refused = await auditor.get("/audit/download", 403)
    assert refused["code"] == "step_up_needed"


async def test_large_ones_go_in_batches_and_are_cut(who: Any, database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    auditor = await who("auditor")
    await note(database, *[f"bulky {n}" for n in range(25)])
    monkeypatch.setattr(exporting, "BATCH", 10)
    answer = await auditor.call("GET", "/audit/download", None, None, params={"q": "bulky", "format": "ndjson"})
    assert answer.headers["x-export-rows"] == "25"
    monkeypatch.setattr(exporting, "MOST_ROWS", 20)
    answer = await auditor.call("GET", "/audit/download", None, None, params={"q": "bulky", "format": "ndjson"})
    assert (answer.headers["x-export-rows"], answer.headers["x-export-cut"]) == ("20", "true")
    assert len(answer.content.splitlines()) == 20
    monkeypatch.setattr(exporting, "PER_WINDOW", 1)
    refused = await auditor.get("/audit/download", 429)
    assert refused["code"] == "too_many_audit_exports"


def test_what_was_asked_is_told() -> None:
    at = now()
    assert Sought(q="x", since=at).told().keys() == {"q", "since"}
