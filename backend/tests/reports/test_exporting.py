"""Reports taken away as files: of the rows their reader may see, each once, and fetched by nobody else."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from waypost.kernel.events import EventRow
from waypost.kernel.workbooks import read_workbook
from waypost.reports import export_making, exporting, keeping
from waypost.reports.export_models import ExportFile, ExportPart, ReportExport

BY_STATUS = {"measures": ["count"], "rows": "status"}


@pytest.fixture(autouse=True)
async def counted(database: Any) -> None:
    while await keeping.run_due(database):
        pass


async def made(api: Any, **more: Any) -> dict[str, Any]:
    body = {"name": "By status", "definition": BY_STATUS, **more}
    return dict(await api.post("/reports/custom", body, expect=201))


async def exported(database: Any, api: Any, report: dict[str, Any], *formats: str) -> dict[str, Any]:
    asked = await api.post(f"/reports/custom/{report['id']}/exports", {"formats": list(formats)}, expect=202)
    assert asked["status"] == "QUEUED"
    await export_making.make_due(database)
    return dict(await api.get(f"/reports/jobs/{asked['id']}"))


async def fetched(api: Any, export: dict[str, Any], format: str) -> Any:
    (file,) = [f for f in export["mine"]["files"] if f["format"] == format]
    answer = await api.call("GET", f"/reports/export-files/{file['id']}", expect=None)
    assert answer.status_code == 200
    return answer


@pytest.mark.parametrize("username", ["employee", "manager", "agent", "executive", "auditor"])
async def test_a_file_has_what_its_reader_sees(who: Any, database: Any, username: str) -> None:
    admin, api = await who("admin"), await who(username)
    me = (await api.get("/auth/me"))["id"]
    report = await made(admin, person_ids=[me])
    shown = await api.get(f"/reports/custom/{report['id']}/result")
    export = await exported(database, api, report, "CSV", "XLSX", "PDF")
    assert (export["status"], export["done"], export["total"]) == ("DONE", 1, 1)
    assert export["mine"]["rows"] == len(shown["lines"])
    expected = {line["label"].replace("_", " ").capitalize(): line["values"][0] for line in shown["lines"]}
    answer = await fetched(api, export, "CSV")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0] == ["Status", "Requests"]
    assert {label: int(n) for label, n in rows[1:]} == expected
    assert 'filename="By status ' in answer.headers["content-disposition"]
    sheet = read_workbook((await fetched(api, export, "XLSX")).content, 500)
    assert {label: int(float(n)) for label, n, *_ in sheet[1:]} == expected
    pdf = PdfReader(io.BytesIO((await fetched(api, export, "PDF")).content))
    words = pdf.pages[0].extract_text()
    assert pdf.metadata is not None
    assert pdf.metadata.title == "By status"
    assert "By status" in words
    assert "All requests this person may see" in words
    assert "Page 1 of 1" in words
    root: Any = pdf.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root


async def test_a_file_is_its_readers_alone_and_that_it_was_fetched_is_told(who: Any, database: Any) -> None:
    admin, manager = await who("admin"), await who("manager")
    export = await exported(database, manager, await made(manager), "CSV")
    (file,) = export["mine"]["files"]
    for other in (admin, await who("employee")):
        await other.get(f"/reports/export-files/{file['id']}", expect=404)
    seen = await admin.get(f"/reports/jobs/{export['id']}")
    assert [(p["status"], p["rows"]) for p in seen["parts"]] == [("DONE", export["mine"]["rows"])]
    assert seen["mine"] is None
    await (await who("employee")).get(f"/reports/jobs/{export['id']}", expect=404)
    await fetched(manager, export, "CSV")
    async with database.read() as session:
        told = select(EventRow.type).where(EventRow.object_type == "report_export", EventRow.object_id == export["id"])
        assert list(await session.scalars(told.order_by(EventRow.id))) == [
            "report_export.asked",
            "report_export.made",
            "report_export.taken",
        ]


async def test_what_is_cancelled_is_not_made(who: Any, database: Any) -> None:
    api = await who("head")
    report = await made(api)
    asked = await api.post(f"/reports/custom/{report['id']}/exports", {"formats": ["PDF"]}, expect=202)
    cancelled = await api.post(f"/reports/jobs/{asked['id']}/cancel", {}, expect=200)
    assert cancelled["status"] == "CANCELLED"
    await export_making.make_due(database)
    assert (await api.get(f"/reports/jobs/{asked['id']}"))["mine"]["files"] == []
    await api.post(f"/reports/jobs/{asked['id']}/cancel", {}, expect=409)


async def test_there_is_an_end_to_what_one_asks_for(who: Any, database: Any) -> None:
    api = await who("finance1")
    report = await made(api)
    for _ in range(5):
        await api.post(f"/reports/custom/{report['id']}/exports", {"formats": ["CSV"]}, expect=202)
    await api.post(f"/reports/custom/{report['id']}/exports", {"formats": ["CSV"]}, expect=409)
    await export_making.make_due(database)
    page = await api.get("/reports/jobs", params={"limit": 2})
    assert [e["status"] for e in page["items"]] == ["DONE", "DONE"]
    rest = await api.get("/reports/jobs", params={"limit": 100, "cursor": page["next_cursor"]})
    assert len(rest["items"]) == 3
    assert rest["items"][0]["id"] < page["items"][-1]["id"]


@pytest.mark.parametrize("formats", [[], ["DOCX"], ["CSV", "CSV", "CSV", "CSV"]])
async def test_bad_formats_are_refused(who: Any, formats: list[str]) -> None:
    api = await who("head")
    report = await made(api)
    problem = await api.post(f"/reports/custom/{report['id']}/exports", {"formats": formats}, expect=422)
    assert problem["errors"][0]["pointer"].startswith("/formats")
    await (await who("employee")).post(f"/reports/custom/{report['id']}/exports", {"formats": ["CSV"]}, expect=404)


async def test_who_is_not_shared_with_any_more_gets_nothing(who: Any, database: Any) -> None:
    head, agent = await who("head"), await who("agent")
    me = (await agent.get("/auth/me"))["id"]
    report = await made(head, person_ids=[me])
    asked = await agent.post(f"/reports/custom/{report['id']}/exports", {"formats": ["CSV"]}, expect=202)
    body = {"name": "By status", "definition": BY_STATUS, "version": report["version"]}
    await head.call("PUT", f"/reports/custom/{report['id']}", body, expect=200)
    await export_making.make_due(database)
    export = await agent.get(f"/reports/jobs/{asked['id']}")
    assert export["status"] == "FAILED"
    assert export["mine"]["files"] == []
    assert export["mine"]["error"] == "The report is not shared with this person, or they may not read reports."


async def test_a_defect_is_tried_again_and_given_up_in_words(
    who: Any, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = await who("head")
    report = await made(api)

    def broken(*_: Any, **__: Any) -> bytes:
        raise RuntimeError("no ink")

    monkeypatch.setattr(export_making, "pdf_file", broken)
    monkeypatch.setattr(export_making, "wait_before", lambda _: timedelta(0))
    export = await exported(database, api, report, "PDF")
    assert (export["status"], export["failed"]) == ("FAILED", 1)
    assert export["mine"]["error"] == "Something went wrong on our side."
    async with database.read() as session:
        part = await session.scalar(select(ExportPart).where(ExportPart.export_id == export["id"]))
        assert part.attempts == export_making.MAX_ATTEMPTS


async def test_files_are_sealed_and_removed_when_their_time_is_over(
    who: Any, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = await who("head")
    export = await exported(database, api, await made(api), "CSV")
    (file,) = export["mine"]["files"]
    async with database.read() as session:
        row = await session.get(ExportFile, file["id"])
        assert await exporting.names_kept(session, [row.object_name, "nobodys"]) == {row.object_name}
    monkeypatch.setattr(export_making, "now", lambda: row.expires_at)
    await export_making.make_due(database)
    await api.get(f"/reports/export-files/{file['id']}", expect=404)
    again = await api.get(f"/reports/jobs/{export['id']}")
    assert [f["is_kept"] for f in again["mine"]["files"]] == [False]
    async with database.read() as session:
        assert (await session.get(ExportFile, file["id"])).object_name is None


async def test_old_exports_leave_the_history(who: Any, database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    api = await who("executive")
    export = await exported(database, api, await made(api), "CSV")
    async with database.read() as session:
        at = (await session.get(ReportExport, export["id"])).created_at + exporting.HISTORY + timedelta(seconds=1)
    monkeypatch.setattr(exporting, "now", lambda: at)
    async with database.transaction() as session:
        await exporting.forget_old_exports(session)
    monkeypatch.undo()
    await api.get(f"/reports/jobs/{export['id']}", expect=404)


async def test_no_spreadsheet_runs_what_a_name_says(who: Any, database: Any) -> None:
    api = await who("executive")
    report = await made(api, name='=HYPERLINK("http://x")')
    export = await exported(database, api, report, "XLSX")
    content = (await fetched(api, export, "XLSX")).content
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        sheets = b"".join(book.read(n) for n in book.namelist() if n.startswith("xl/worksheets/sheet"))
    assert b"<f>" not in sheets
