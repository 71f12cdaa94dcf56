"""Lists as files: the same tickets as the list, harmless cells, bounded, written down before they leave."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import re
import resource
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from sqlalchemy import select, text

from waypost.access.queries import actor_of_user
from waypost.kernel.events import EventRow
from waypost.search.following import run_all
from waypost.tickets import exporting
from waypost.tickets.listing import Filters


async def rows_of(api: Any, **params: Any) -> list[list[str]]:
    answer = await api.get("/tickets/export", expect=None, params=params)
    assert answer.status_code == 200, answer.text
    assert "attachment" in answer.headers["content-disposition"]
    assert int(answer.headers["content-length"]) == len(answer.content)
    read = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert int(answer.headers["x-export-rows"]) == len(read) - 1
    return read


async def numbers(api: Any, **params: Any) -> list[str]:
    found, cursor = [], None
    while True:
        page = await api.get("/tickets", params={"limit": 100, **params, **({"cursor": cursor} if cursor else {})})
        found += [i["ticket_number"] for i in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


@pytest.mark.parametrize("username", ["employee", "manager", "agent", "outsider", "auditor", "finance1"])
async def test_exactly_the_list(who: Any, hardware: Any, username: str) -> None:
    employee, api = await who("employee"), await who(username)
    await employee.post("/tickets", hardware(), expect=201)
    for params in ({}, {"sort": "-priority"}, {"status": ["IN_REVIEW", "DRAFT"], "sort": "due_date"}, {"q": "laptop"}):
        read = await rows_of(api, columns=["ticket_number"], **params)
        assert [r[0] for r in read[1:]] == await numbers(api, **params), (username, params)


async def test_formulas_are_text_in_both_formats(who: Any, database: Any) -> None:
    employee = await who("employee")
    word = "Tapir77"
    evil = [f'=HYPERLINK("http://x.example","{word}")', f"+{word}", f"-{word}", f"@SUM({word})", f'q", "=1+1 {word}']
    for title in evil:
        body = {"title": title, "description": f"={word}\r\n=1", "ticket_type": "HR", "custom_fields": {}}
        await employee.post("/tickets", body, expect=201)
    await run_all(database)  # words are found once the index has followed
    read = await rows_of(employee, q=word, columns=["title", "description"])
    assert len(read) == len(evil) + 1
    for cell in (c for row in read for c in row):
        assert not re.match(r"\s*[=+\-@\t\r]", cell), cell
    answer = await employee.get("/tickets/export", expect=None, params={"q": word, "format": "xlsx"})
    book = zipfile.ZipFile(io.BytesIO(answer.content))
    sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert sheet.count(word) == len(evil)
    texts = [t.text or "" for t in ElementTree.fromstring(sheet).iter() if t.tag.endswith("}t")]
    assert not [t for t in texts if re.match(r"\s*[=+\-@\t\r]", t)]


async def test_excel_gets_numbers_and_dates(who: Any, hardware: Any, database: Any) -> None:
    employee = await who("employee")
    made = await employee.post("/tickets", hardware("1450.50", due_date="2030-01-15T00:00:00Z"), expect=201)
    await run_all(database)
    params = {"q": made["ticket_number"], "format": "xlsx", "columns": ["amount", "due_date", "title"]}
    answer = await employee.get("/tickets/export", expect=None, params=params)
    assert answer.headers["content-type"].endswith("spreadsheetml.sheet")
    sheet = zipfile.ZipFile(io.BytesIO(answer.content)).read("xl/worksheets/sheet1.xml").decode()
    assert re.search(r'<c r="A2" s="\d+"><v>1450.5</v>', sheet), sheet
    assert re.search(r'<c r="B2" s="\d+"><v>47498', sheet), sheet


async def test_a_forms_fields_when_the_list_is_of_one_type(who: Any, hardware: Any, database: Any) -> None:
    employee = await who("employee")
    made = await employee.post("/tickets", hardware(), expect=201)
    await run_all(database)
    params = {"q": made["ticket_number"], "ticket_type": "IT_HARDWARE"}
    read = await rows_of(employee, **params)
    assert dict(zip(read[0], read[1], strict=True))["Budget code"] == "MKT-1"
    assert any(re.fullmatch(r"Created \(.+\)", words) for words in read[0])
    read = await rows_of(employee, **params, columns=["custom.budget_code", "title", "title"])
    assert read[1] == ["MKT-1", made["title"]]
    bare = await employee.get("/tickets/export", expect=None, params={**params, "bom": "false"})
    assert not bare.content.startswith(b"\xef\xbb\xbf")
    for wrong in (
        {"columns": ["custom.budget_code"]},
        {"columns": ["password_hash"]},
        {"format": "pdf"},
        {"sort": "title"},
    ):
        answer = await employee.get("/tickets/export", expect=422, params=wrong)
        assert answer["errors"][0]["pointer"].startswith("?")
    nobody = await who(None)
    await nobody.get("/tickets/export", expect=401)


async def test_the_log_says_who_took_what(database: Any, who: Any) -> None:
    outsider = await who("outsider")
    await rows_of(outsider, status="DRAFT", requester_id="me")
    async with database.read() as session:
        row = await session.scalar(
            select(EventRow)
            .where(EventRow.type == "tickets.exported", EventRow.actor_id == outsider.id)
            .order_by(EventRow.id.desc())
        )
    assert row is not None
    assert row.data["filters"] == {"statuses": ["DRAFT"], "requester_ids": [outsider.id]}
    assert (row.data["format"], row.data["sort"], row.data["is_cut"]) == ("csv", "-created_at", False)


async def test_a_condition_comes_along(database: Any, who: Any, hardware: Any) -> None:
    employee = await who("employee")
    made = await employee.post("/tickets", hardware("4321.50"), expect=201)
    condition = {
        "all": [{"field": "amount", "op": "gte", "value": "4321.50"}, {"field": "status", "op": "ne", "value": "DRAFT"}]
    }
    params = {"condition": json.dumps(condition)}
    read = await rows_of(employee, columns=["ticket_number"], **params)
    assert [r[0] for r in read[1:]] == await numbers(employee, **params)
    assert [made["ticket_number"]] in read
    async with database.read() as session:
        row = await session.scalar(
            select(EventRow).where(EventRow.type == "tickets.exported").order_by(EventRow.id.desc()).limit(1)
        )
    assert row is not None
    assert "4321.50" in json.dumps(row.data["filters"]["condition"])


async def test_not_without_end(fresh_who: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hragent = await fresh_who("hragent")
    monkeypatch.setattr(exporting, "PER_WINDOW", 2)
    answers = [await hragent.get("/tickets/export", expect=None) for _ in range(3)]
    assert [a.status_code for a in answers] == [200, 200, 429]
    assert 1 <= int(answers[2].headers["retry-after"]) <= 600


async def fill(database: Any, count: int, requester_id: int) -> None:
    async with database.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO tickets (ticket_number, title, description, ticket_type_id, ticket_type, form_version, status,"
                " priority, requester_id, created_by_id, version, created_at, updated_at) SELECT 'X-' || n, 'Row ' || n,"
                " repeat('words ', 100), t.id, t.key, t.form_version, 'DRAFT', 'LOW', :me, :me, 1,"
                " now() - n * interval '1 second', now() FROM generate_series(1, :n) n,"
                " (SELECT * FROM ticket_types ORDER BY id LIMIT 1) t"
            ),
            {"n": count, "me": requester_id},
        )


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_ten_thousand_rows_take_no_more_memory_than_few(
    fresh_database: Any, fresh_who: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    employee = await fresh_who("employee")
    await fill(fresh_database, 10_000, employee.id)
    async with fresh_database.read() as session:
        actor = await actor_of_user(session, employee.id)
    assert actor is not None

    async def size_of_one(filters: Filters) -> int:
        asked = exporting.Asked(filters, "-created_at", ("ticket_number", "description"), kind)
        made = await exporting.export_tickets(fresh_database, actor, asked)
        size = 0
        async for piece in made.pieces():
            size += len(piece)
        assert size == made.size
        assert made.file.closed
        return made.rows

    monkeypatch.setattr(exporting, "MOST_ROWS", 1000)
    assert await size_of_one(Filters()) == 1000
    monkeypatch.undo()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert await size_of_one(Filters(statuses=("DRAFT",))) >= 10_000
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak
    assert grown < 24 * 1024, f"{grown} KiB more"


async def test_a_list_that_is_too_long_is_cut_and_says_so(who: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    auditor = await who("auditor")
    monkeypatch.setattr(exporting, "MOST_ROWS", 3)
    monkeypatch.setattr(exporting, "BATCH", 2)
    answer = await auditor.get("/tickets/export", expect=None)
    assert (answer.headers["x-export-rows"], answer.headers["x-export-cut"]) == ("3", "true")
    read = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert len(read) == 5
    assert "only the first 3 rows" in read[-1][0]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_what_breaks_off_leaves_nothing_behind(
    database: Any, who: Any, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = await who("agent")
    async with database.read() as session:
        actor = await actor_of_user(session, agent.id)
    assert actor is not None
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(exporting, "BATCH", 1)
    asked = exporting.Asked(Filters(), "-created_at", format=kind)
    looks = iter([True, False])

    async def is_waited_for() -> bool:
        return next(looks)

    async def count() -> int:
        async with database.read() as session:
            found = await session.scalars(select(EventRow.id).where(EventRow.type == "tickets.exported"))
            return len(found.all())

    open_before, kept_before = len(os.listdir("/proc/self/fd")), await count()
    with pytest.raises(exporting.ExportAbandoned):
        await exporting.export_tickets(database, actor, asked, is_waited_for=is_waited_for)
    assert await count() == kept_before, "nothing left, so nothing is written down"
    made = await exporting.export_tickets(database, actor, asked)
    pieces = made.pieces()
    assert await anext(pieces)
    await pieces.aclose()
    assert made.file.closed
    assert os.listdir(tmp_path) == []
    assert len(os.listdir("/proc/self/fd")) <= open_before + 2


async def test_one_file_at_a_time_for_each(database: Any, who: Any) -> None:
    agent2 = await who("agent2")
    answers = await asyncio.gather(*(agent2.get("/tickets/export", expect=None) for _ in range(4)))
    assert sorted(a.status_code for a in answers)[0] == 200
    assert {a.status_code for a in answers} <= {200, 429}
    assert exporting._by_person == set()
