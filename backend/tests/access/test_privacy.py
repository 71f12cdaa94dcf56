"""Personal data: a copy for whom it is about, an erasure by two, and a register nothing personal escapes."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import os
import subprocess
import sys
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from tests.conftest import PASSWORD, Api
from waypost.access.models import LoginSession
from waypost.access.privacy import exporting
from waypost.access.privacy.models import Erasure, PersonalExport
from waypost.kernel import relay
from waypost.kernel.clock import now
from waypost.kernel.db import Base
from waypost.kernel.events import EventRow
from waypost.kernel.personal import Then, personal
from waypost.migrations.tables import metadata
from waypost.wiring import build_wiring

_numbers = itertools.count(1)
# What refers to people and is nobody's personal data: what it does to them is said by the row's own column.
NOT_PERSONAL = {"audit_seals"}
# Columns that hold people's addresses or names without a reference, in rows that another column makes theirs.
NAMES = ("email", "ip_address", "user_agent", "recipient", "from_address", "address", "phone", "used_from")
NOT_SOMEBODYS = {
    "mailboxes.address": "the company's own",
    "sms_incoming.phone": "gone after some days; whose it is stands in contact_points",
    "sms_reply_codes.phone": "a code's row is deleted with its person",
}


async def hire(who: Any, app: Any, **more: Any) -> Api:
    name = f"private{next(_numbers)}"
    body = {
        "username": name,
        "email": f"{name}@example.com",
        "first_name": "Quillon",
        "last_name": f"Zephyr{name[7:]}",
        "password": PASSWORD,
        "job_title": "Astronomer",
        **more,
    }
    await (await who("admin")).post("/users", body, expect=201)
    return await Api(app, name).sign_in()


@pytest.fixture
async def second(who: Any, app: Any) -> Any:
    """Another administrator; gone again afterwards, as other tests count on one."""
    other = await hire(who, app, roles=["employee", "admin"])
    yield other
    await (await who("admin")).put(f"/users/{other.id}/active", {"is_active": False})
    await other.http.aclose()


async def archive_of(api: Api, export_id: int) -> zipfile.ZipFile:
    answer = await api.get(f"/data-copies/{export_id}/file", expect=None)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    assert "attachment" in answer.headers["content-disposition"]
    assert answer.headers["cache-control"] == "no-store"
    return zipfile.ZipFile(io.BytesIO(answer.content))


# --- the register -----------------------------------------------------------------------------------------------------


def test_every_column_that_refers_to_a_person_is_in_the_register() -> None:
    build_wiring()
    known = {(h.table, h.column) for h in personal()}
    refers = {
        (table.name, key.parent.name)
        for table in metadata.tables.values()
        for key in table.foreign_keys
        if key.target_fullname == "users.id" and table.name not in NOT_PERSONAL
    }
    assert refers - known == set(), "say in the room's personal.py what becomes of it, and whether they are given it"
    named = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column.name in NAMES
    }
    covered = {f"{h.table}.{name}" for h in personal() for name in (*h.shown, *h.blanks)}
    deleted = {h.table for h in personal() if h.then is Then.DELETED}
    left = {n for n in named - covered if n.partition(".")[0] not in deleted}
    assert left <= set(NOT_SOMEBODYS), left


def test_the_register_names_what_there_is() -> None:
    build_wiring()
    for held in personal():
        table = Base.metadata.tables[held.table]
        for name in (held.column, *held.shown, *held.blanks):
            assert name in table.columns, f"{held.table}.{name}"
        assert held.shown or held.why, f"{held.title}: say why it is not given to them"
        assert (held.then is Then.BLANKED) == bool(held.blanks), held.title
        assert not {"password_hash", "sealed", "token_hash", "code_hash", "wrapped_key", "handle"} & set(held.shown)


# --- copies -----------------------------------------------------------------------------------------------------------


def test_a_process_that_knows_nothing_else_finds_every_table() -> None:
    """The worker imports less than this process has: a copy is made there."""
    words = (
        "from waypost.wiring import build_wiring; build_wiring();"
        "from waypost.kernel.db import Base; from waypost.kernel.personal import personal, told_of;"
        "print(*sorted({h.table for h in personal()} - set(Base.metadata.tables)))"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    found = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True, env=env)
    assert found.stdout.split() == []


async def test_one_gets_a_copy_of_what_is_held(who: Any, app: Any, database: Any) -> None:
    person, agent = await hire(who, app), await who("agent")
    body = {"title": "A telescope <script>", "ticket_type": "IT_SUPPORT", "custom_fields": {}, "submit": True}
    ticket = await person.post("/tickets", body, expect=201)
    path = f"/tickets/{ticket['id']}"
    await person.post(f"{path}/comments", {"body": "Rather soon"}, expect=201)
    await agent.post(f"{path}/comments", {"body": "Quokkas only", "visibility": "INTERNAL"}, expect=201)
    files = {"file": ("stars.txt", b"Sirius", "text/plain")}
    await person.post(f"{path}/attachments", expect=201, files=files)
    await person.post("/auth/mfa/totp/enroll")
    asked = await person.post("/account/data-copies", expect=201)
    assert asked["state"] == "WAITING"
    assert (await person.post("/account/data-copies", expect=409))["code"] == "export_waits"
    assert (await person.get(f"/data-copies/{asked['id']}/file", expect=409))["code"] == "export_not_ready"
    await relay.drain(database)
    assert await exporting.make_due(database) == 1
    (row,) = (await person.get("/account/data-copies"))["items"]
    assert row["state"] == "READY"
    archive = await archive_of(person, asked["id"])
    assert archive.testzip() is None
    documents = {n: json.loads(archive.read(n)) for n in archive.namelist() if n.endswith(".json")}
    (profile,) = documents["data/users.id.json"]
    assert profile["email"] == f"{person.username}@example.com"
    assert documents["data/tickets.requester_id.json"][0]["title"] == "A telescope <script>"
    assert documents["data/ticket_comments.author_id.json"][0]["body"] == "Rather soon"
    assert documents["data/login_sessions.user_id.json"][0]["ip_address"]
    assert any(e["type"] == "user.created" for d in documents.values() for e in d if "type" in e and "data" in e)
    (name,) = [n for n in archive.namelist() if n.startswith("files/")]
    assert archive.read(name) == b"Sirius"
    page = archive.read("index.html").decode()
    assert "A telescope &lt;script&gt;" in page
    assert "<script" not in page
    whole = page + json.dumps(documents)
    for secret in ("Quokka", "argon2", "password_hash", "wrapped_key", "token_hash", '"sealed"'):
        assert secret not in whole, secret
    kinds = [e.type for e in await about(database, person.id) if e.type.startswith("personal_export.")]
    assert kinds == ["personal_export.asked", "personal_export.made", "personal_export.taken"]
    await person.http.aclose()


async def about(database: Any, user_id: int) -> list[EventRow]:
    wanted = (EventRow.object_type == "user", EventRow.object_id == user_id)
    async with database.read() as session:
        return list(await session.scalars(select(EventRow).where(*wanted).order_by(EventRow.id)))


async def test_a_copy_is_for_whom_asked_for_it_alone(who: Any, app: Any, database: Any) -> None:
    admin, person, employee = await who("admin"), await hire(who, app), await who("employee")
    await employee.post(f"/users/{person.id}/data-copies", expect=403)
    await employee.get(f"/users/{person.id}/data-copies", expect=403)
    asked = await admin.post(f"/users/{person.id}/data-copies", expect=201)
    own = await person.post("/account/data-copies", expect=201)
    assert await exporting.make_due(database) == 2
    for api in (person, employee, await who("auditor")):
        await api.get(f"/data-copies/{asked['id']}/file", expect=404)
    await admin.get(f"/data-copies/{own['id']}/file", expect=404)
    await (await who(None)).get(f"/data-copies/{own['id']}/file", expect=401)
    await archive_of(admin, asked["id"])
    assert len((await admin.get(f"/users/{person.id}/data-copies"))["items"]) == 1
    await admin.post("/users/999999/data-copies", expect=404)
    await person.http.aclose()


async def test_a_copy_is_gone_after_a_week_and_few_are_made(who: Any, app: Any, database: Any) -> None:
    person = await hire(who, app)
    asked = await person.post("/account/data-copies", expect=201)
    await exporting.make_due(database)
    async with database.transaction() as session:
        row = await session.get(PersonalExport, asked["id"])
        name, row.expires_at = row.object_name, now() - timedelta(seconds=1)
    await person.get(f"/data-copies/{asked['id']}/file", expect=404)
    await exporting.make_due(database)
    async with database.read() as session:
        assert await exporting.names_kept(session, [name]) == set()
    for _ in range(4):
        await person.post("/account/data-copies", expect=201)
        await exporting.make_due(database)
    assert (await person.post("/account/data-copies", expect=429))["code"] == "too_many_copies"
    await person.http.aclose()


async def test_a_copy_asks_to_confirm_first(who: Any, app: Any, database: Any) -> None:
    person = await hire(who, app)
    asked = await person.post("/account/data-copies", expect=201)
    await exporting.make_due(database)
    async with database.transaction() as session:
        old = now() - timedelta(hours=1)
        await session.execute(update(LoginSession).where(LoginSession.user_id == person.id).values(proved_at=old))
    assert (await person.post("/account/data-copies", expect=403))["code"] == "step_up_needed"
    assert (await person.get(f"/data-copies/{asked['id']}/file", expect=403))["code"] == "step_up_needed"
    await person.http.aclose()


# --- erasing ----------------------------------------------------------------------------------------------------------


async def test_two_erase_what_is_personal_about_who_left(who: Any, app: Any, database: Any, second: Api) -> None:
    admin, agent, person = await who("admin"), await who("agent"), await hire(who, app)
    full, mail = person.me["name"], person.me["email"]
    body = {"title": "Binoculars", "ticket_type": "IT_SUPPORT", "custom_fields": {}, "submit": True}
    ticket = await person.post("/tickets", body, expect=201)
    await agent.put(f"/tickets/{ticket['id']}/watchers/{agent.id}", expect=None)
    await person.post(f"/tickets/{ticket['id']}/comments", {"body": "@agent please"}, expect=201)
    await person.put(f"/tickets/{ticket['id']}/comment-drafts/PUBLIC", {"body": "unsent"})
    await agent.post(f"/tickets/{ticket['id']}/comments", {"body": f"@{person.username} Done"}, expect=201)
    await person.post("/saved-views", {"name": "Mine", "filters": {"q": "x"}}, expect=201)
    await relay.drain(database)
    path = f"/users/{person.id}/erasure"
    why = {"reason": "Asked for by letter"}
    assert (await admin.post(path, why, expect=409))["code"] == "still_here"
    await admin.put(f"/users/{person.id}/active", {"is_active": False})
    state = await admin.get(path)
    by_title = {item["title"]: item for item in state["items"]}
    assert by_title["Sessions"]["then"] == "DELETED"
    assert by_title["Requests"]["then"] == "KEPT"
    assert by_title["Requests"]["why"]
    held = await admin.put(f"/users/{person.id}/legal-hold", {"reason": "Proceedings"})
    assert held["legal_hold"] == "Proceedings"
    assert (await admin.post(path, why, expect=409))["code"] == "on_hold"
    await admin.put(f"/users/{person.id}/legal-hold", {"reason": None})
    asked = await admin.post(path, why, expect=201)
    assert asked["may_do"] is False
    assert (await admin.post(path, why, expect=409))["code"] == "erasure_waits"
    assert (await admin.post(f"/erasures/{asked['id']}/do", expect=403))["code"] == "another_must"
    assert [e["may_do"] for e in (await second.get("/erasures"))["items"] if e["id"] == asked["id"]] == [True]
    await second.put(f"/users/{person.id}/legal-hold", {"reason": "Proceedings"})
    assert (await second.post(f"/erasures/{asked['id']}/do", expect=409))["code"] == "on_hold"
    await second.put(f"/users/{person.id}/legal-hold", {"reason": None})
    await second.post(f"/erasures/{asked['id']}/do", expect=204)
    await second.post(f"/erasures/{asked['id']}/do", expect=404)

    shown = await admin.get(f"/users/{person.id}")
    assert shown["name"] == f"Former employee {person.id}"
    assert shown["is_erased"] is True
    for query in ("Quillon", person.username, mail):
        for list_path in ("/users", "/people"):
            found = await admin.get(list_path, params={"q": query, "limit": 100})
            assert person.id not in [u["id"] for u in found["items"]], f"{list_path} {query}"
    kept = await admin.get(f"/tickets/{ticket['id']}")
    assert kept["requester"]["name"] == f"Former employee {person.id}"
    assert len((await admin.get(f"/tickets/{ticket['id']}/comments"))["items"]) == 2
    await Api(app, person.username).http.post("/auth/login", json={"username": mail, "password": PASSWORD})
    assert (await admin.put(f"/users/{person.id}/active", {"is_active": True}, expect=409))["code"] == "was_erased"
    version = shown["version"]
    told = await admin.call("PATCH", f"/users/{person.id}", {"version": version, "first_name": "Quillon"}, expect=409)
    assert told["code"] == "was_erased"
    assert (await admin.post(f"/users/{person.id}/data-copies", expect=409))["code"] == "was_erased"
    left = await leftovers(database, person.id, (full, mail))
    assert left == [], left
    (done,) = [e for e in await about(database, person.id) if e.type == "erasure.done"]
    assert (done.actor_id, done.data["asked_by_id"]) == (second.id, admin.id)
    await person.http.aclose()


async def leftovers(database: Any, user_id: int, words: tuple[str, ...]) -> list[str]:
    """Where in the database these words still stand, the log and free texts of requests left out."""
    found = []
    async with database.read() as session:
        for table in Base.metadata.tables.values():
            if table.name in ("events", "tickets", "ticket_comments"):
                continue
            for word in words:
                statement = text(f"SELECT count(*) FROM {table.name} t WHERE strpos(lower(t::text), lower(:word)) > 0")
                if await session.scalar(statement, {"word": word}):
                    found.append(f"{table.name}: {word}")
    return found


async def test_of_two_who_do_it_at_once_one_does(who: Any, app: Any, second: Api) -> None:
    admin, person = await who("admin"), await hire(who, app)
    await admin.put(f"/users/{person.id}/active", {"is_active": False})
    asked = await admin.post(f"/users/{person.id}/erasure", {"reason": "Twice"}, expect=201)
    answers = await asyncio.gather(*(second.post(f"/erasures/{asked['id']}/do", expect=None) for _ in range(3)))
    assert sorted(a.status_code for a in answers) == [204, 404, 404]
    await person.http.aclose()


async def test_a_request_is_dropped_or_lapses(who: Any, app: Any, database: Any, second: Api) -> None:
    admin, person = await who("admin"), await hire(who, app)
    await admin.put(f"/users/{person.id}/active", {"is_active": False})
    path = f"/users/{person.id}/erasure"
    first = await admin.post(path, {"reason": "First"}, expect=201)
    await second.delete(f"/erasures/{first['id']}")
    other = await admin.post(path, {"reason": "Second"}, expect=201)
    async with database.transaction() as session:
        await session.execute(update(Erasure).where(Erasure.id == other["id"]).values(expires_at=now()))
    await second.post(f"/erasures/{other['id']}/do", expect=404)
    assert (await admin.get(path))["waiting"] is None
    await person.http.aclose()


async def test_who_may_not_learns_and_does_nothing(who: Any) -> None:
    employee = await who("employee")
    for username in ("colleague", "auditor", "executive"):
        api = await who(username)
        await api.get(f"/users/{employee.id}/erasure", expect=403)
        await api.get("/erasures", expect=403)
        await api.post(f"/users/{employee.id}/erasure", {"reason": "x"}, expect=403)
        await api.put(f"/users/{employee.id}/legal-hold", {"reason": "x"}, expect=403)
        await api.post("/erasures/1/do", expect=403)
        await api.delete("/erasures/1", expect=403)
    admin = await who("admin")
    await admin.post(f"/users/{employee.id}/erasure", {"reason": " "}, expect=422)
    await admin.post(f"/users/{employee.id}/erasure", {"reason": "x" * 501}, expect=422)
    await admin.post("/users/999999/erasure", {"reason": "x"}, expect=404)
    assert (await admin.post(f"/users/{admin.id}/erasure", {"reason": "x"}, expect=403))["code"] == "another_must"
