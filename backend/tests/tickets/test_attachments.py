"""Files of tickets over HTTP: taken in, given out, kept from others, scanned, and gone when they are taken away."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.conftest import Api
from waypost.kernel import crypto, sealing
from waypost.kernel.clock import clock, now
from waypost.kernel.settings import get_settings
from waypost.tickets import attaching, keeping
from waypost.tickets.models import Attachment
from waypost.vendors.object_store import Bucket, Folder, StoreFailed

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00"


async def upload(api: Api, ticket: dict[str, Any], content: bytes, name: str = "a.txt", **more: Any) -> Any:
    expect = more.pop("expect", 201)
    fields = [*more.items(), ("file", (name, content, "text/plain"))]
    parts = [(k, v if isinstance(v, tuple) else (None, v)) for k, v in fields]
    return await api.post(f"/tickets/{ticket['id']}/attachments", expect=expect, files=parts)


@pytest.fixture
async def ticket(who: Any, hardware: Any) -> dict[str, Any]:
    return dict(await (await who("employee")).post("/tickets", hardware(), expect=201))


def stored() -> set[str]:
    return {p.name for p in (get_settings().data_dir / "attachments").rglob("*") if p.is_file()}


async def test_in_and_out(who: Any, ticket: Any, database: Any) -> None:
    employee, manager = await who("employee"), await who("manager")
    content = os.urandom(300_000).hex().encode()
    made = await upload(employee, ticket, content, "Angebot März.txt")
    assert made["size"] == len(content)
    assert made["sha256"] == hashlib.sha256(content).hexdigest()
    assert (made["content_type"], made["scan"], made["can_preview"]) == ("text/plain", "NONE", True)
    (listed,) = (await manager.get(f"/tickets/{ticket['id']}/attachments"))["items"]
    assert listed == made | {"allowed_actions": []}
    got = await manager.get(f"/attachments/{made['id']}", expect=None)
    assert got.content == content
    assert got.headers["content-security-policy"].startswith("sandbox")
    assert got.headers["content-disposition"].startswith("attachment;")
    part = await manager.get(f"/attachments/{made['id']}", expect=None, headers={"Range": "bytes=70000-200001"})
    assert part.status_code == 206
    assert part.content == content[70000:200002]
    assert part.headers["content-range"] == f"bytes 70000-200001/{len(content)}"
    outside = await manager.get(f"/attachments/{made['id']}", expect=416, headers={"Range": "bytes=900000-"})
    assert outside["size"] == len(content)
    async with database.read() as session:
        row = await session.get(Attachment, made["id"])
    raw = (get_settings().data_dir / "attachments" / row.object_name[:2] / row.object_name).read_bytes()
    assert content[:64] not in raw, "sealed where it lies"
    assert len(raw) == crypto.sealed_size(len(content))
    assert "Angebot März.txt" in str(await manager.get(f"/tickets/{ticket['id']}/history"))


@pytest.mark.parametrize("size", [0, 1, crypto.CHUNK, crypto.CHUNK + 1])
async def test_sizes_at_the_edges(who: Any, ticket: Any, size: int) -> None:
    employee = await who("employee")
    content = b"x" * size
    made = await upload(employee, ticket, content)
    assert (await employee.get(f"/attachments/{made['id']}", expect=None)).content == content


async def test_the_limit(who: Any, ticket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    employee = await who("employee")
    monkeypatch.setenv("ATTACHMENT_MAX_BYTES", "100000")
    get_settings.cache_clear()
    before = stored()
    await upload(employee, ticket, b"x" * 100_001, expect=413)
    await upload(employee, ticket, b"x" * 300_000, expect=413)
    assert stored() == before
    await upload(employee, ticket, b"x" * 100_000)
    monkeypatch.undo()
    get_settings.cache_clear()


async def test_who_may(who: Any, ticket: Any) -> None:
    employee, manager, agent, auditor, outsider = [
        await who(n) for n in ("employee", "manager", "agent", "auditor", "outsider")
    ]
    made = await upload(employee, ticket, b"mine")
    path = f"/attachments/{made['id']}"
    await outsider.get(path, expect=404)
    await outsider.call("DELETE", path, expect=404)
    await outsider.post(f"{path}/link", expect=404)
    await upload(outsider, ticket, b"?", expect=404)
    await upload(auditor, ticket, b"?", expect=403)
    await manager.call("DELETE", path, expect=403)
    internal = await upload(agent, ticket, b"for us", "notes.txt", visibility="INTERNAL")
    await upload(employee, ticket, b"?", expect=403, visibility="INTERNAL")
    await upload(employee, ticket, b"?", expect=422, visibility="SECRET")
    for person in (employee, manager):
        await person.get(f"/attachments/{internal['id']}", expect=404)
        assert "notes.txt" not in str(await person.get(f"/tickets/{ticket['id']}/attachments"))
        assert "notes.txt" not in str(await person.get(f"/tickets/{ticket['id']}/history"))
    assert (await agent.get(f"/attachments/{internal['id']}", expect=None)).content == b"for us"
    await employee.call("DELETE", path, expect=204)
    await employee.get(path, expect=404)
    closed = await employee.post(f"/tickets/{ticket['id']}/transitions", {"to": "DRAFT"})
    await employee.post(f"/tickets/{ticket['id']}/transitions", {"to": "CLOSED"})
    assert closed["status"] == "DRAFT"
    await upload(employee, ticket, b"late", expect=409)


async def test_what_is_taken_away_is_gone(who: Any, ticket: Any) -> None:
    employee = await who("employee")
    before = stored()
    made = await upload(employee, ticket, b"soon")
    assert len(stored() - before) == 1
    await employee.call("DELETE", f"/attachments/{made['id']}", expect=204)
    assert stored() == before
    assert (await employee.get(f"/tickets/{ticket['id']}/attachments"))["items"] == []


async def test_what_somebody_decided_on_stays(who: Any, ticket: Any, find_step: Any) -> None:
    """A quotation that was there when the manager agreed does not go from under them."""
    employee, manager = await who("employee"), await who("manager")
    first, second = await upload(employee, ticket, b"1,000"), await upload(employee, ticket, b"2,000")
    await employee.delete(f"/attachments/{first['id']}")
    step = await find_step(manager, ticket["id"])
    await manager.post(f"/approvals/{step['id']}/approve", {})
    later = await upload(employee, ticket, b"an afterthought")
    refused = await employee.delete(f"/attachments/{second['id']}", expect=409)
    assert refused["code"] == "attachment_was_judged"
    listed = (await employee.get(f"/tickets/{ticket['id']}/attachments"))["items"]
    assert [(f["id"], "delete" in f["allowed_actions"]) for f in listed] == [(second["id"], False), (later["id"], True)]
    await employee.delete(f"/attachments/{later['id']}")


FORM = "multipart/form-data; boundary=x"


def form(*parts: tuple[str, str | None, bytes], end: bytes = b"--x--\r\n") -> bytes:
    """A form of (field, file name or None, content) with the boundary x."""
    written = b""
    for name, filename, content in parts:
        about = f'form-data; name="{name}"' + (f'; filename="{filename}"' if filename else "")
        written += b"--x\r\nContent-Disposition: " + about.encode() + b"\r\n\r\n" + content + b"\r\n"
    return written + end


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"--x\r\nbroken", FORM, 422),
        (b"abc", "multipart/form-data", 422),
        (b"abc", "multipart/form-data; boundary=" + "b" * 300, 422),
        (b"{}", "application/json", 415),
        (b"", FORM, 422),
        (form(("file", "a", b"half"), end=b""), FORM, 422),
        (form(("other", "a", b"a")), FORM, 422),
        (form(("file", None, b"no file")), FORM, 422),
        (form(("n", None, b"y" * 5000), ("file", "a", b"a")), FORM, 422),
        (form(*[("n", None, b"y")] * 20, ("file", "a", b"a")), FORM, 422),
        (form(("file", "a", b"a"), ("file", "b", b"b")), FORM, 422),
        (form(("file", "a", b"a"), ("visibility", None, b"INTERNAL")), FORM, 422),
    ],
)
async def test_bad_uploads_leave_nothing(who: Any, ticket: Any, content: bytes, kind: str, status: int) -> None:
    employee = await who("employee")
    before = stored()
    path = f"/tickets/{ticket['id']}/attachments"
    wrong = await employee.post(path, expect=status, content=content, headers={"Content-Type": kind})
    if status == 422:
        assert wrong["errors"][0]["pointer"] == "/file"
    assert (await employee.get(path))["items"] == []
    assert stored() == before


async def test_dangerous_kinds_are_only_saved(who: Any, ticket: Any) -> None:
    employee = await who("employee")
    for name, content in (
        ("page.html", b"<!doctype html><script>alert(1)</script>"),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
        ("innocent", b"<html><script>alert(1)</script></html>"),
    ):
        made = await upload(employee, ticket, content, name)
        assert not made["can_preview"]
        link = await employee.post(f"/attachments/{made['id']}/link", expect=201)
        for url in (f"/attachments/{made['id']}", link["url"].removeprefix("/api/v1")):
            got = await employee.get(url, expect=None)
            assert got.headers["content-type"] == "application/octet-stream"
            assert got.headers["content-disposition"].startswith("attachment")
            assert got.headers["x-content-type-options"] == "nosniff"
            assert got.content == content


@pytest.mark.parametrize(
    ("name", "content", "holds"),
    [
        ("innocent.png", b"<html><script>alert(1)</script></html>", "does not hold what such a file begins with"),
        ("invoice.pdf", b"MZ\x90\x00\x03\x00\x00\x00", "is a program"),
        ("table.csv", b"PK\x03\x04\x14\x00", "is a ZIP archive"),
    ],
)
async def test_an_ending_that_its_content_contradicts_is_refused(
    who: Any, ticket: Any, name: str, content: bytes, holds: str
) -> None:
    employee, before = await who("employee"), stored()
    wrong = await upload(employee, ticket, content, name, expect=422)
    assert wrong["code"] == "file_contradicts_ending"
    assert wrong["errors"][0]["pointer"] == "/file"
    assert holds in wrong["errors"][0]["message"]
    assert (await employee.get(f"/tickets/{ticket['id']}/attachments"))["items"] == []
    assert stored() == before


async def test_a_picture_gets_the_ending_of_what_it_is(who: Any, ticket: Any) -> None:
    assert (await upload(await who("employee"), ticket, PNG, "photo.JPG"))["filename"] == "photo.png"


async def test_links_are_for_one_session_and_a_few_minutes(app: Any, who: Any, ticket: Any) -> None:
    employee = await who("employee")
    made = await upload(employee, ticket, PNG, "dot.png")
    manager = await Api(app, "manager").sign_in()
    link = await manager.post(f"/attachments/{made['id']}/link", expect=201)
    anybody, url = Api(app), link["url"].removeprefix("/api/v1")
    shown = await anybody.get(url, expect=None)
    assert shown.content == PNG
    assert shown.headers["content-type"] == "image/png"
    assert shown.headers["content-disposition"].startswith("inline")
    saved = await anybody.get(f"{url}?download=true", expect=None)
    assert saved.headers["content-disposition"].startswith("attachment")
    later = now() + timedelta(minutes=6)
    with clock(lambda: later):
        await anybody.get(url, expect=404)
    other = url.replace(f"/files/{made['id']}.", f"/files/{made['id'] + 1}.")
    for forged in (url[:-2] + "xx", url + "x", other, "/files/1.2.3", "/files/a.b.c.d.e", "/files/..."):
        await anybody.get(forged, expect=404)
    await manager.post("/auth/logout", expect=204)
    await anybody.get(url, expect=401)


async def test_a_store_that_fails_is_told_and_leaves_nothing(
    who: Any, ticket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    employee = await who("employee")
    made = await upload(employee, ticket, b"kept")

    class Full(Folder):
        async def put(self, name: str, data: AsyncIterator[bytes]) -> None:
            async for _ in data:
                raise StoreFailed("no space left")

    monkeypatch.setattr(attaching, "store", lambda: Full(get_settings().data_dir / "attachments"))
    told = await upload(employee, ticket, b"lost", expect=503)
    assert told["code"] == "unavailable"
    assert [a["id"] for a in (await employee.get(f"/tickets/{ticket['id']}/attachments"))["items"]] == [made["id"]]
    monkeypatch.setattr(attaching, "store", lambda: Folder(get_settings().data_dir / "nowhere"))
    await employee.get(f"/attachments/{made['id']}", expect=503)


async def test_a_ticket_has_so_many_files(who: Any, ticket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    employee = await who("employee")
    monkeypatch.setattr(attaching, "MOST_PER_TICKET", 2)
    for _ in range(2):
        await upload(employee, ticket, b"x")
    refused = await upload(employee, ticket, b"x", expect=409)
    assert refused["code"] == "too_many_attachments"


async def test_orphans_are_removed_and_files_are_not(who: Any, ticket: Any, database: Any) -> None:
    employee = await who("employee")
    made = await upload(employee, ticket, b"kept")
    folder = get_settings().data_dir / "attachments" / "zz"
    folder.mkdir(exist_ok=True)
    old, fresh, part = folder / "zzold", folder / "zzfresh", folder / ".zzhalf.part"
    for path in (old, fresh, part):
        path.write_bytes(b"?")
    yesterday = time.time() - 2 * 86400
    for path in [old, part, *(p for p in folder.parent.rglob("*") if p.is_file() and p not in (fresh,))]:
        os.utime(path, (yesterday, yesterday))
    assert await keeping.forget_orphans(database) >= 1
    assert not old.exists()
    assert not part.exists()
    assert fresh.exists()
    assert (await employee.get(f"/attachments/{made['id']}", expect=None)).content == b"kept"


async def test_keys_are_changed_over(who: Any, ticket: Any, database: Any) -> None:
    employee = await who("employee")
    made = await upload(employee, ticket, b"kept")
    new = crypto.add_key()
    assert await sealing.rewrap(database, Attachment) >= 1
    assert await sealing.rewrap(database, Attachment) == 0
    async with database.read() as session:
        assert await session.scalar(select(Attachment.key_id).where(Attachment.id == made["id"])) == new
    assert (await employee.get(f"/attachments/{made['id']}", expect=None)).content == b"kept"


async def test_keys_are_changed_over_to_the_last_also_when_somebody_holds_one(
    who: Any, ticket: Any, database: Any
) -> None:
    employee = await who("employee")
    made = await upload(employee, ticket, b"held")
    new = crypto.add_key()
    async with database.transaction() as holder:
        await holder.get_one(Attachment, made["id"], with_for_update=True)
        with pytest.raises(TimeoutError):
            await sealing.rewrap(database, Attachment, patience=0.5)
        going = asyncio.create_task(sealing.rewrap(database, Attachment))
        await asyncio.sleep(0.5)
        assert not going.done()
    assert await going == 1
    async with database.read() as session:
        assert await session.scalar(select(Attachment.key_id).where(Attachment.id == made["id"])) == new


# --- the virus scanner ------------------------------------------------------------------------------------------------


@asynccontextmanager
async def scanner(answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Speaks clamd's INSTREAM and says `answer`."""
    seen: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
        data = b""
        while size := int.from_bytes(await reader.readexactly(4), "big"):
            data += await reader.readexactly(size)
        seen.append(data)
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}", seen


@pytest.fixture
async def scanned(monkeypatch: pytest.MonkeyPatch, database: Any) -> AsyncIterator[Any]:
    """Names the scanner; what earlier tests left waiting is out of its way, in whatever order they run."""
    async with database.transaction() as session:
        await session.execute(update(Attachment).where(Attachment.scan == "PENDING").values(scan="NONE", scan_at=None))

    def use(url: str) -> None:
        monkeypatch.setenv("CLAMD_URL", url)
        get_settings.cache_clear()

    yield use
    monkeypatch.undo()
    get_settings.cache_clear()


@pytest.mark.parametrize(
    ("answer", "result", "status"),
    [(b"stream: OK\0", "CLEAN", 200), (b"stream: Eicar-Test-Signature FOUND\0", "INFECTED", 409)],
)
async def test_a_scanned_file(
    who: Any, ticket: Any, database: Any, scanned: Any, answer: bytes, result: str, status: int
) -> None:
    employee, manager = await who("employee"), await who("manager")
    async with scanner(answer) as (url, seen):
        scanned(url)
        made = await upload(employee, ticket, b"content")
        assert made["scan"] == "PENDING"
        assert (await manager.get(f"/attachments/{made['id']}", expect=409))["code"] == "attachment_not_ready"
        assert (await employee.get(f"/attachments/{made['id']}", expect=None)).status_code == 200, "one's own"
        assert await keeping.scan_due(database) == 1
        assert seen == [b"content"]
        (listed,) = (await manager.get(f"/tickets/{ticket['id']}/attachments"))["items"]
        assert listed["scan"] == result
        for person in (manager, employee):
            assert (await person.get(f"/attachments/{made['id']}", expect=None)).status_code == status
        assert await keeping.scan_due(database) == 0
    assert result.lower() in str(await employee.get(f"/tickets/{ticket['id']}/history"))


async def test_a_file_that_cannot_be_read_holds_up_no_other(who: Any, ticket: Any, database: Any, scanned: Any) -> None:
    employee = await who("employee")
    async with scanner(b"stream: OK\0") as (url, _):
        scanned(url)
        lost = await upload(employee, ticket, b"lost")
        await upload(employee, ticket, b"kept")
        async with database.read() as session:
            await attaching.store().delete((await session.get_one(Attachment, lost["id"])).object_name)
        assert await keeping.scan_due(database) == 2
    listed = (await employee.get(f"/tickets/{ticket['id']}/attachments"))["items"]
    assert [f["scan"] for f in listed] == ["PENDING", "CLEAN"]


async def test_a_scanner_that_is_away_is_asked_again(who: Any, ticket: Any, database: Any, scanned: Any) -> None:
    employee, manager = await who("employee"), await who("manager")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        scanned(f"tcp://127.0.0.1:{s.getsockname()[1]}")
    made = await upload(employee, ticket, b"content")
    assert await keeping.scan_due(database) == 1
    assert await keeping.scan_due(database) == 0, "not before its time"
    await manager.get(f"/attachments/{made['id']}", expect=409)
    soon = now() + timedelta(minutes=1)
    async with scanner(b"stream: OK\0") as (url, _):
        scanned(url)
        with clock(lambda: soon):
            assert await keeping.scan_due(database) == 1
    await manager.get(f"/attachments/{made['id']}", expect=None)
    again = await upload(employee, ticket, b"content")
    async with scanner(b"INSTREAM size limit exceeded. ERROR\0") as (url, _), database.transaction() as session:
        scanned(url)
        await session.execute(
            update(Attachment).where(Attachment.id == again["id"]).values(scan_attempts=keeping.MAX_SCANS - 1)
        )
        await session.commit()
        await keeping.scan_due(database)
    (_, listed) = (await manager.get(f"/tickets/{ticket['id']}/attachments"))["items"]
    assert listed["scan"] == "FAILED"
    assert "scan" not in listed["allowed_actions"]
    await manager.get(f"/attachments/{again['id']}", expect=409)

    path = f"/attachments/{again['id']}/scan"
    await (await who("outsider")).post(path, expect=404)
    await manager.post(path, expect=403)
    (_, mine) = (await employee.get(f"/tickets/{ticket['id']}/attachments"))["items"]
    assert "scan" in mine["allowed_actions"]
    assert (await employee.post(path))["scan"] == "PENDING"
    assert (await employee.post(path, expect=409))["code"] == "nothing_to_scan"
    async with scanner(b"stream: OK\0") as (url, _):
        scanned(url)
        assert await keeping.scan_due(database) == 1
    await manager.get(f"/attachments/{again['id']}", expect=None)
    summaries = [e["summary"] for e in (await manager.get(f"/tickets/{ticket['id']}/history"))["items"]]
    assert any("once more" in s for s in summaries)


# --- a bucket ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test-secret"}
    boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **keys).create_bucket(Bucket="waypost")
    yield endpoint
    server.stop()


async def test_a_bucket_does_as_well(who: Any, ticket: Any, database: Any, bucket: str, monkeypatch: Any) -> None:
    employee = await who("employee")
    for name, value in {
        "S3_BUCKET": "waypost",
        "S3_ENDPOINT": bucket,
        "S3_ACCESS_KEY": "test",
        "S3_SECRET_KEY": "test-secret",
    }.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    assert isinstance(attaching.store(), Bucket)
    content = os.urandom(7_000_000)
    made = await upload(employee, ticket, content, "large.bin")
    path = f"/attachments/{made['id']}"
    assert (await employee.get(path, expect=None)).content == content
    part = await employee.get(path, expect=None, headers={"Range": "bytes=6000000-6000999"})
    assert part.content == content[6_000_000:6_001_000]
    names = [n async for n in attaching.store().names(older_than=timedelta(0))]
    assert len(names) == 1
    await employee.call("DELETE", path, expect=204)
    assert [n async for n in attaching.store().names(older_than=timedelta(0))] == []
    monkeypatch.setenv("S3_BUCKET", "no-such-bucket")
    get_settings.cache_clear()
    await upload(employee, ticket, b"x", expect=503)
    monkeypatch.undo()
    get_settings.cache_clear()


async def test_a_name_in_the_folder_is_one_of_ours(tmp_path: Path) -> None:
    for name in ("../x", "a/b", "", "ü"):
        with pytest.raises(ValueError, match="letters"):
            await Folder(tmp_path).delete(name)
