"""Of the workflows in force no two have the same name, however they came to it and however many come at once."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import text

from waypost.migrations.run import config

NUMBER = count(1)
STAGE = {"name": "Manager", "approvers": [{"kind": "REQUESTER_MANAGER"}]}
NEVER = {  # of nobody's request, and more specific than other tests' workflows
    "all": [{"field": "title", "op": "eq", "value": "Nobody asks"}, {"field": "amount", "op": "eq", "value": "0.01"}]
}


def document(name: str, stage: str = "Manager") -> dict[str, Any]:
    return {"name": name, "condition": NEVER, "stages": [{**STAGE, "name": stage}]}


def file_of(workflow: dict[str, Any]) -> dict[str, Any]:
    return {"format": "waypost.workflow", "format_version": 1, "workflow": workflow}


def fresh() -> str:
    return f"Called Caf\u00e9 {next(NUMBER)}"


def pointers(refused: dict[str, Any]) -> list[str]:
    return [e["pointer"] for e in refused["errors"]]


async def named(api: Any, name: str) -> list[dict[str, Any]]:
    found, cursor = [], None
    while True:
        page = await api.get("/approval-workflows", params={"limit": 100, **({"cursor": cursor} if cursor else {})})
        found += [w for w in page["items"] if w["name"] == name]
        if (cursor := page["next_cursor"]) is None:
            return found


async def test_a_name_is_given_once(who: Any) -> None:
    admin, name = await who("admin"), fresh()
    first = await admin.post("/approval-workflows", document(name), expect=201)
    for same in (name, name.upper(), f"  {name} ", name.replace("\u00e9", "e\u0301")):
        refused = await admin.post("/approval-workflows", document(same), expect=409)
        assert (refused["code"], pointers(refused)) == ("name_taken", ["/name"])
        told = await admin.post("/approval-workflows/check", {"document": document(same)})
        assert ("/name", "error", "name_taken") in [(p["pointer"], p["level"], p["code"]) for p in told["problems"]]
    other = await admin.post("/approval-workflows", document(fresh()), expect=201)
    path = f"/approval-workflows/{other['id']}"
    refused = await admin.put(path, {**document(name), "version": 1}, expect=409)
    assert pointers(refused) == ["/name"]
    assert (await admin.put(path, {**document(other["name"], "B"), "version": 1}))["version"] == 2, (
        "its own is no other"
    )
    await admin.put(f"{path}/draft", {"document": document(name.lower()), "draft_version": 0})
    refused = await admin.post(f"{path}/publish", {"draft_version": 1}, expect=409)
    assert (refused["code"], pointers(refused)) == ("name_taken", ["/name"])
    assert first["version"] == (await admin.get(f"/approval-workflows/{first['id']}"))["version"]


async def test_what_is_not_in_force_keeps_no_name(who: Any) -> None:
    admin, name = await who("admin"), fresh()
    drafts = [await admin.post("/approval-workflows", {**document(name), "publish": False}, 201) for _ in range(2)]
    one, two = (f"/approval-workflows/{d['id']}" for d in drafts)
    await admin.post(f"{one}/publish", {"draft_version": 1})
    await admin.post(f"{two}/publish", {"draft_version": 1}, expect=409)
    await admin.put(f"{one}/active", {"is_active": False, "version": 1})
    await admin.post(f"{two}/publish", {"draft_version": 1})
    refused = await admin.put(f"{one}/active", {"is_active": True, "version": 1}, expect=409)
    assert (refused["code"], pointers(refused)) == ("name_taken", ["/name"])
    told = (await admin.get(f"{one}/draft"))["problems"]
    assert ("name_taken", "warning") in [(p["code"], p["level"]) for p in told]
    switched_off = await admin.put(one, {**document(name, "B"), "version": 1})
    assert (switched_off["version"], switched_off["is_active"]) == (2, False)
    await admin.put(f"{two}/active", {"is_active": False, "version": 1})
    await admin.put(f"{one}/active", {"is_active": True, "version": 2})
    refused = await admin.post(f"{two}/restore", {"version": 1})
    assert refused["is_active"] is False


async def test_of_two_at_once_one_has_it(who: Any) -> None:
    admin, name = await who("admin"), fresh()
    made = await asyncio.gather(*(admin.post("/approval-workflows", document(name), None) for _ in range(6)))
    assert sorted(m.status_code for m in made) == [201, 409, 409, 409, 409, 409]
    assert {m.json().get("code", "name_taken") for m in made} == {"name_taken"}
    others = [await admin.post("/approval-workflows", document(fresh()), expect=201) for _ in range(4)]
    other = fresh()
    calls = [admin.put(f"/approval-workflows/{o['id']}", {**document(other), "version": 1}, None) for o in others]
    assert sorted(a.status_code for a in await asyncio.gather(*calls)) == [200, 409, 409, 409]


async def test_a_file_means_the_one_in_force(who: Any) -> None:
    admin, name = await who("admin"), fresh()
    for publish in (True, False):
        body = {"file": file_of(document(f"{name} {publish}")), "dry_run": False, "publish": publish}
        done = await asyncio.gather(*(admin.post("/approval-workflows/import", body, None) for _ in range(5)))
        assert {d.status_code for d in done} <= {200, 409}
        assert sum(d.status_code == 200 and d.json()["is_kept"] for d in done) == 1
        assert len(await named(admin, f"{name} {publish}")) == 1
    (old,) = await named(admin, f"{name} True")
    await admin.put(f"/approval-workflows/{old['id']}/active", {"is_active": False, "version": 1})
    new = await admin.post("/approval-workflows", document(f"{name} True"), expect=201)
    body = {"file": file_of(document(f"{name} TRUE", "B")), "dry_run": False, "publish": True}
    assert (await admin.post("/approval-workflows/import", body))["workflow_id"] == new["id"]
    await admin.put(f"/approval-workflows/{new['id']}/active", {"is_active": False, "version": 2})
    refused = await admin.post("/approval-workflows/import", body, expect=409)
    assert (refused["code"], pointers(refused)) == ("same_name", ["/file/workflow/name"])


async def test_what_had_the_same_name_before_goes_on(fresh_database: Any, fresh_who: Any) -> None:
    async def run(statement: str) -> Any:
        async with fresh_database.transaction() as session:
            return (await session.execute(text(statement))).all()

    admin, name = await fresh_who("admin"), fresh()
    ids = [(await admin.post("/approval-workflows", document(fresh()), expect=201))["id"] for _ in range(2)]
    await fresh_database.dispose()
    before = ScriptDirectory.from_config(config()).get_revision("0023").down_revision
    await asyncio.to_thread(command.downgrade, config(), before)
    for definition_id, said in zip(ids, (name, name.upper()), strict=True):
        await run(f"UPDATE approval_definitions SET name = '{said}' WHERE id = {definition_id} RETURNING 1")
    await fresh_database.dispose()
    await asyncio.to_thread(command.upgrade, config(), "head")
    kept = await run("SELECT id, name_in_force FROM approval_definitions WHERE is_active ORDER BY id")
    assert [k[1] for k in kept if k[0] in ids] == [name.casefold(), None]
    second = f"/approval-workflows/{ids[1]}"
    assert (await admin.get(second))["is_active"]
    refused = await admin.put(second, {**document(name.upper(), "B"), "version": 1}, expect=409)
    assert refused["code"] == "name_taken"
    assert (await admin.put(second, {**document(fresh(), "B"), "version": 1}))["version"] == 2
