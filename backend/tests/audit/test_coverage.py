"""What stands in the trail: readings of what is confidential, doors tried, names mistyped, starts and commands."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from pydantic import SecretStr
from sqlalchemy import text

from tests.conftest import PASSWORD, Api
from waypost.audit.system import note_command, note_start, told_settings
from waypost.kernel.clock import clock, now
from waypost.kernel.settings import Settings, get_settings


async def _events(database: Any, type_: str, **values: Any) -> list[dict[str, Any]]:
    async with database.read() as session:
        rows = await session.execute(
            text("SELECT data::text AS told, actor_id, object_id, channel FROM events WHERE type = :t ORDER BY id"),
            {"t": type_},
        )
        found = [
            {**json.loads(r.told), "actor_id": r.actor_id, "object_id": r.object_id, "channel": r.channel} for r in rows
        ]
    return [e for e in found if all(e.get(k) == v for k, v in values.items())]


async def test_reading_a_confidential_request_is_kept(who: Any, hardware: Any, database: Any) -> None:
    jane, auditor, outsider = await who("employee"), await who("auditor"), await who("outsider")
    ticket = await jane.post("/tickets", hardware(is_confidential=True, submit=False), expect=201)
    path = f"/tickets/{ticket['id']}"

    async def readers() -> list[int]:
        return [e["actor_id"] for e in await _events(database, "ticket.read", object_id=ticket["id"])]

    assert await readers() == []
    await jane.post(f"{path}/submit")
    await auditor.get(path)
    for part in ("", "/comments", "/history", "/attachments", "/approvals"):
        await auditor.get(path + part)
    await outsider.get(path, 404)
    assert (await readers()).count(auditor.id) == 1
    later = now() + timedelta(minutes=6)
    with clock(lambda: later):
        await auditor.get(path)
    assert (await readers()).count(auditor.id) == 2
    assert outsider.id not in await readers()
    history = await jane.get(f"{path}/history")
    assert "ticket.read" not in [h["type"] for h in history["items"]]
    plain = await jane.post("/tickets", hardware(), expect=201)
    await auditor.get(f"/tickets/{plain['id']}")
    assert await _events(database, "ticket.read", object_id=plain["id"]) == []


async def test_a_door_that_stays_shut_is_kept_once(who: Any, app: Any, database: Any) -> None:
    # somebody new: nobody of the other tests has just been before that door
    data = {"username": "shutout", "email": "shutout@example.com", "first_name": "Shu", "last_name": "Tout"}
    await (await who("admin")).post("/users", {**data, "password": PASSWORD}, expect=201)
    outsider = await Api(app, "shutout").sign_in()
    before = len(await _events(database, "auth.denied", actor_id=outsider.id, path="/audit/keys"))
    for _ in range(3):
        await outsider.get("/audit/keys", 403)
    denied = await _events(database, "auth.denied", actor_id=outsider.id, path="/audit/keys")
    assert len(denied) == before + 1
    assert (denied[-1]["method"], denied[-1]["code"]) == ("GET", "forbidden")
    assert "audit:read" in denied[-1]["detail"]
    await outsider.post("/roles", {"nonsense": True}, expect=403)  # refused before its body is looked at
    assert await _events(database, "auth.denied", actor_id=outsider.id, path="/roles", method="POST")
    await outsider.get("/tickets/999999999", 404)
    assert not await _events(database, "auth.denied", path="/tickets/{ticket_id}", actor_id=outsider.id)


async def test_a_name_nobody_has_is_not_kept(who: Any, database: Any) -> None:
    nobody = await who(None)
    typed = "My-Secret-Password-In-The-Wrong-Field"
    for name in (typed, typed.lower(), "another"):
        await nobody.post("/auth/login", {"username": name, "password": "x"}, expect=401)
    failed = await _events(database, "auth.login_failed", object_id=0)
    one, same, other = [e["name_hash"] for e in failed[-3:]]
    assert one == same != other
    assert len(one) == 64
    async with database.read() as session:
        assert not await session.scalar(
            text("SELECT count(*) FROM events WHERE data::text ILIKE :t"), {"t": f"%{typed}%"}
        )


async def test_reading_the_trail_is_in_the_trail(fresh_who: Any, fresh_database: Any) -> None:
    from waypost.audit import queries

    queries._told.clear()
    auditor = await fresh_who("auditor")
    for _ in range(3):
        await auditor.get("/audit", params={"action": "ticket.created"})
    read = await _events(fresh_database, "audit.read")
    assert [(e["actor_id"], e["filters"]) for e in read] == [(auditor.id, {"action": "ticket.created"})]
    queries._told.clear()


async def test_starts_and_commands_are_kept(fresh_database: Any) -> None:
    settings = get_settings()
    await note_start(fresh_database, settings)
    await note_start(fresh_database, settings)
    await note_command(settings, "rotate-keys")
    started = await _events(fresh_database, "system.started")
    assert len(started) == 2
    assert started[0]["channel"] == "console"
    assert started[0]["settings"]["SMTP_HOST"] == "127.0.0.1"
    assert "postgresql://" not in str(started)
    assert len(await _events(fresh_database, "system.migrated")) == 1
    assert (await _events(fresh_database, "system.command"))[0]["username"]
    told = told_settings(Settings(secret_key=SecretStr("x" * 40), port=81))
    assert (told["SECRET_KEY"], told["PORT"]) == ("(set)", "81")
