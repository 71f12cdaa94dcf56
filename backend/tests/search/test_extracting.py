"""The text of files: kinds people send, and files that mean harm."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from sqlalchemy import text

from waypost.kernel.crypto import Damaged
from waypost.search import file_texts
from waypost.search.extracting import MOST_ENTRIES, MOST_TEXT, answer
from waypost.search.following import run_all
from waypost.search.index_models import AttachmentText
from waypost.search.reading_files import extract, run_due
from waypost.tickets.models import Attachment

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
OD = 'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'


def package(**parts: str | bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as z:
        for name, text in parts.items():
            z.writestr(name, text)
    return made.getvalue()


def docx(words: str) -> bytes:
    body = f"<w:document {W}><w:body><w:p><w:r><w:t>{words}</w:t></w:r></w:p></w:body></w:document>"
    return package(**{"word/document.xml": body})


def pdf(words: str) -> bytes:
    stream = f"BT /F1 12 Tf 50 700 Td ({words}) Tj ET".encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    made, places = b"%PDF-1.4\n", []
    for n, one in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj%s\nendobj\n" % (n, one)
    table = b"".join(b"%010d 00000 n \n" % at for at in places)
    end = len(made)
    return (
        made
        + b"xref\n0 6\n0000000000 65535 f \n"
        + table
        + b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % end
    )


@pytest.mark.parametrize(
    "data",
    [
        b"A plain wombat here",
        "A plain wombat, größer".encode("cp1252"),
        "\ufeffwombat".encode("utf-16"),
        b"<!doctype html><html><body><script>bad()</script><p>The wombat</p></body></html>",
        docx("The <w:br/>".replace("<w:br/>", "") + "wombat"),
        package(**{"xl/sharedStrings.xml": f"<sst {S}><si><t>wombat</t></si></sst>"}),
        package(**{"ppt/slides/slide1.xml": f"<s {A}><a:p><a:r><a:t>wombat</a:t></a:r></a:p></s>"}),
        package(
            **{
                "content.xml": f"<office:document {OD}><text:p>The <text:span>wombat</text:span></text:p></office:document>"
            }
        ),
        pdf("The wombat"),
    ],
)
async def test_kinds_that_have_a_text(data: bytes) -> None:
    said = await extract(data)
    assert "wombat" in said["text"]
    assert "bad()" not in said["text"]
    assert said == answer(data)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"%PDF-1.4 but nothing else", "no sound PDF"),
        (b"PK\x03\x04 but nothing else", "no sound package"),
        (docx("x")[:-40], "no sound package"),
        (package(**{"word/document.xml": b"<a" + b" " * 60_000_000}), "unpacks to more"),
        (package(**{"word/document.xml": "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"}), "declares entities"),
        (package(**{"word/document.xml": "<a><b></a>"}), "no sound XML"),
        (package(**{f"part{n}": "" for n in range(MOST_ENTRIES + 1)}), "too many parts"),
    ],
)
async def test_files_that_are_not_what_they_say(data: bytes, why: str) -> None:
    assert why in (await extract(data))["fault"]


async def test_kinds_without_a_text() -> None:
    for data in (b"", b"\x89PNG\r\n\x1a\n\x00\x00\x00", package(readme="x"), bytes(range(256)) * 20):
        assert await extract(data) == {"none": True}
    said = await extract(b"word " * MOST_TEXT)
    assert len(said["text"]) <= MOST_TEXT
    assert said["is_cut"]


async def test_a_file_is_found_by_what_is_written_in_it(database: Any, who: Any) -> None:
    employee, agent, outsider = await who("employee"), await who("agent"), await who("outsider")
    body = {"title": "With files", "ticket_type": "IT_SUPPORT", "custom_fields": {}, "submit": True}
    ticket = await employee.post("/tickets", body, expect=201)
    at = f"/tickets/{ticket['id']}/attachments"
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    await employee.post(at, files={"file": ("offer.docx", docx("The quokkaberry offer"), kind)}, expect=201)
    inner = {"visibility": (None, "INTERNAL"), "file": ("inner.txt", b"our numbatstone notes", "text/plain")}
    await agent.post(at, files=inner, expect=201)
    broken = await employee.post(at, files={"file": ("broken.pdf", b"%PDF-1.4 but", "application/pdf")}, expect=201)
    await run_all(database)
    while await run_due(database):
        pass
    await run_all(database)

    async def found(api: Any, q: str) -> list[Any]:
        return [(h["ticket"]["id"], h["found_in"]) for h in (await api.get("/search", params={"q": q}))["items"]]

    ((number, place),) = await found(employee, "quokkaberry")
    assert (number, place["part"], place["name"]) == (ticket["id"], "FILE", "offer.docx")
    assert [n for n, _ in await found(employee, "offer.docx has:attachment")][:1] == [ticket["id"]]
    assert [(n, p["part"]) for n, p in await found(agent, "numbatstone")] == [(ticket["id"], "INTERNAL_FILE")]
    assert await found(employee, "numbatstone") == await found(outsider, "quokkaberry") == []
    assert await found(employee, "numbatstone quokkaberry") == []
    async with database.read() as session:
        kept = await session.get(AttachmentText, broken["id"])
        assert (kept.state, kept.next_at) == ("FAILED", None)


async def test_the_text_of_a_file_is_kept_sealed(database: Any, who: Any) -> None:
    employee = await who("employee")
    body = {"title": "With a text", "ticket_type": "IT_SUPPORT", "custom_fields": {}, "submit": True}
    ticket = await employee.post("/tickets", body, expect=201)
    at = f"/tickets/{ticket['id']}/attachments"
    files = {"file": ("plan.txt", "The bettongplan Größe 東京".encode(), "text/plain")}
    first = await employee.post(at, files=files, expect=201)
    second = await employee.post(at, files={"file": ("b.txt", b"the other", "text/plain")}, expect=201)
    await run_all(database)
    while await run_due(database):
        pass
    async with database.transaction() as session:
        kept = await session.get_one(AttachmentText, first["id"])
        file = await session.get_one(Attachment, first["id"])
        assert kept.text == ""
        assert b"bettongplan" not in kept.sealed
        assert file_texts.opened(file, kept.sealed) == "The bettongplan Größe 東京"
        other = await session.get_one(Attachment, second["id"])
        with pytest.raises(Damaged):  # it opens as its own file's text only
            file_texts.opened(other, kept.sealed)
        kept.sealed, kept.text = None, "The potorooplan of an earlier release"

    async def found(word: str) -> list[str]:
        return [h["snippet"] for h in (await employee.get("/search", params={"q": word}))["items"]]

    async def again() -> None:
        async with database.transaction() as session:
            await session.execute(
                text("INSERT INTO search_pending VALUES (:id) ON CONFLICT DO NOTHING"), {"id": ticket["id"]}
            )
        await run_all(database)

    await again()
    assert ["potorooplan" in snippet for snippet in await found("potorooplan")] == [True]
    await file_texts.seal_plain(database)
    async with database.read() as session:
        kept = await session.get_one(AttachmentText, first["id"])
        assert kept.text == ""
        assert kept.sealed is not None
    await again()
    assert ["potorooplan" in snippet for snippet in await found("potorooplan")] == [True]
    async with database.transaction() as session:
        (await session.get_one(AttachmentText, first["id"])).sealed = b"spoilt"
    assert ["potorooplan" in snippet for snippet in await found("potorooplan")] == [False]  # and the page still answers
