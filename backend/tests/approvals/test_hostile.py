"""What nobody's web app sends: numbers nothing has, documents to choke on, writers who come at once. Each is answered."""

from __future__ import annotations

import asyncio
import time
from itertools import count
from typing import Any

import pytest

from tests.approvals.test_leaving import hire

NUMBER = count(1)
STAGE = {"name": "Manager", "approvers": [{"kind": "REQUESTER_MANAGER"}]}
NEVER = {  # of nobody's request, and more specific than other tests' workflows
    "all": [{"field": "title", "op": "eq", "value": "Nobody asks"}, {"field": "amount", "op": "eq", "value": "0.01"}]
}


def document(**more: Any) -> dict[str, Any]:
    return {"name": f"Hostile {next(NUMBER)}", "condition": NEVER, "stages": [STAGE], **more}


def pointers(refused: dict[str, Any]) -> list[str]:
    return [e["pointer"] for e in refused["errors"]]


@pytest.fixture
async def flow(who: Any) -> dict[str, Any]:
    return dict(await (await who("admin")).post("/approval-workflows", document(), expect=201))


def file_of(workflow: dict[str, Any]) -> dict[str, Any]:
    return {"format": "waypost.workflow", "format_version": 1, "workflow": workflow}


# --- numbers nobody has -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, -1, 2**62, 2**63, 10**30, -(10**30)])
async def test_a_number_that_is_nobodys_finds_nobody(who: Any, number: int) -> None:
    admin, employee = await who("admin"), await who("employee")
    key = f"HOSTILE_{next(NUMBER)}"
    await admin.post("/ticket-types", {"key": key, "name": key, "form": {"properties": {"boss": {}}}}, expect=201)
    condition = {"all": [{"field": "ticket_type", "op": "eq", "value": key}]}
    asks = {"name": "Boss", "approvers": [{"kind": "FORM_FIELD", "field": "boss"}]}
    made = await admin.post("/approval-workflows", document(condition=condition, stages=[asks]), expect=201)
    body = {"ticket_type": key, "title": "x", "custom_fields": {"boss": number}}
    path = await employee.post("/tickets/path", body)
    assert [p["person"]["username"] for s in path["stages"] for p in s["people"]] == ["admin"]
    await admin.post(f"/approval-workflows/{made['id']}/simulate", {"ticket": body})


# --- documents to choke on --------------------------------------------------------------------------------------------


def condition_of_depth(levels: int) -> dict[str, Any]:
    condition: dict[str, Any] = {"field": "amount", "op": "lt", "value": "5"}
    for _ in range(levels - 1):
        condition = {"all": [condition]}
    return condition


LONG = {
    "any": [{"field": "title", "op": "in", "value": [f"{n} {'x' * 400} {m}" for m in range(100)]} for n in range(6)]
}


@pytest.mark.parametrize(
    "more", [{"condition": LONG}, {"condition": condition_of_depth(15)}, {"stages": [STAGE] * 21}], ids=str
)
async def test_what_is_published_could_be_kept_as_a_draft(who: Any, flow: dict[str, Any], more: dict[str, Any]) -> None:
    """Whatever is in force comes back in an answer, and is written on in the designer."""
    admin = await who("admin")
    path = f"/approval-workflows/{flow['id']}"
    await admin.post("/approval-workflows", document(**more), expect=422)
    refused = await admin.put(path, {**document(**more), "version": 1}, expect=422)
    assert pointers(refused)[0] in ("", "/stages", "/condition")
    refused = await admin.put(f"{path}/draft", {"document": document(**more), "draft_version": 0}, expect=422)
    assert pointers(refused)[0] in ("", "/document", "/document/stages")
    assert (await admin.get(path))["version"] == 1


async def test_the_deepest_condition_that_is_taken_can_be_sent_again(who: Any) -> None:
    admin = await who("admin")
    whole = document(condition=condition_of_depth(12), stages=[{**STAGE, "condition": condition_of_depth(11)}])
    made = await admin.post("/approval-workflows", whole, expect=201)
    path = f"/approval-workflows/{made['id']}"
    kept = await admin.get(f"{path}/draft")
    await admin.put(f"{path}/draft", {"document": kept["document"], "draft_version": 0})
    await admin.post("/approval-workflows/import", {"file": await admin.get(f"{path}/export")})
    await admin.post(f"{path}/simulate", {"document": kept["document"], "ticket": {"ticket_type": "HR"}})


async def test_very_many_unknown_members_are_told_in_short(who: Any) -> None:
    admin = await who("admin")
    began = time.perf_counter()
    crowded = [{**STAGE, **{f"k{n}": n for n in range(900)}} for _ in range(20)]
    told = await admin.post("/approval-workflows/check", {"document": document(stages=crowded)})
    assert len(told["problems"]) == 100
    everybody = [{"kind": "USER", "user_id": 10**6 + n} for n in range(50)]
    named = [{"name": f"{n}", "approvers": everybody} for n in range(20)]
    refused = await admin.post("/approval-workflows", document(stages=named), expect=422)
    assert len(refused["errors"]) == 100
    assert time.perf_counter() - began < 10


async def test_places_are_json_pointers(who: Any) -> None:
    admin = await who("admin")
    odd = {"stages": [{**STAGE, "a/b~c": 1, "condition": {"field": "amount", "op": "eq", "value": "1", "x/y": 1}}]}
    told = await admin.post("/approval-workflows/check", {"document": document(**odd)})
    assert {p["pointer"] for p in told["problems"]} == {"/stages/0/a~1b~0c", "/stages/0/condition/x~1y"}


async def test_what_looks_the_same_is_the_same(who: Any, hardware: Any) -> None:
    """Requests are kept in composed letters; a condition somebody typed on another keyboard means them too."""
    admin, employee = await who("admin"), await who("employee")
    typed = {"field": "title", "op": "contains", "value": "Cafe\u0301 hostile"}
    stage = {"name": "Kitchen", "approvers": [{"kind": "USER", "user_id": (await who("outsider")).id}]}
    made = await admin.post(
        "/approval-workflows", document(condition={"all": [typed, typed]}, stages=[stage]), expect=201
    )
    path = await employee.post("/tickets/path", hardware(title="Machine for the Caf\u00e9 hostile"))
    assert path["workflow"]["id"] == made["id"]
    await admin.put(f"/approval-workflows/{made['id']}/active", {"is_active": False, "version": 1})


@pytest.mark.parametrize("name", ["\u200b", "\u202e", " \u00a0 ", "\u2066\u2069"])
async def test_a_name_shows_something(who: Any, name: str) -> None:
    admin = await who("admin")
    assert pointers(await admin.post("/approval-workflows", document(name=name), expect=422)) == ["/name"]
    stages = [{**STAGE, "name": name}]
    assert pointers(await admin.post("/approval-workflows", document(stages=stages), expect=422)) == ["/stages/0/name"]
    made = await admin.post("/approval-workflows", document(name=name, publish=False), expect=201)
    assert made["name"] == "Untitled workflow"
    told = await admin.get(f"/approval-workflows/{made['id']}/draft")
    assert "/name" in [p["pointer"] for p in told["problems"]]
    await admin.delete(f"/approval-workflows/{made['id']}/draft")


async def test_a_name_does_not_turn_the_words_around(who: Any) -> None:
    admin = await who("admin")
    number = next(NUMBER)
    made = await admin.post("/approval-workflows", document(name=f"Gn\u202eicnal\u0007 {number}"), expect=201)
    assert made["name"] == f"Gnicnal {number}"
    assert (await admin.get(f"/approval-workflows/{made['id']}"))["name"] == made["name"]


# --- files ------------------------------------------------------------------------------------------------------------


async def test_a_file_is_told_in_its_own_words(who: Any, app: Any) -> None:
    """Who is named stands in the file by name; the place of a mistake is one of the file."""
    admin, lea = await who("admin"), await hire(who, app)
    await admin.put(f"/users/{lea.id}/active", {"is_active": False})
    rules = [{"kind": "USER", "user": lea.username}, {"kind": "USERS", "users": ["manager", lea.username]}]
    whole = {"name": f"Hostile {next(NUMBER)}", "condition": NEVER, "stages": [{"name": "A", "approvers": rules[:1]}]}
    whole["stages"].append({"name": "B", "approvers": rules[1:]})
    told = await admin.post("/approval-workflows/import", {"file": file_of(whole)})
    places = [p["pointer"] for p in told["problems"] if p["level"] == "error"]
    assert places == ["/file/workflow/stages/0/approvers/0/user", "/file/workflow/stages/1/approvers/0/users/1"]
    refused = await admin.post("/approval-workflows/import", {"file": file_of(whole), "dry_run": False}, expect=422)
    assert pointers(refused) == places


async def test_what_was_never_published_has_no_file(who: Any) -> None:
    admin = await who("admin")
    made = await admin.post("/approval-workflows", document(publish=False), expect=201)
    path = f"/approval-workflows/{made['id']}"
    await admin.get(f"{path}/export", expect=404)
    await admin.get(f"{path}/export", expect=404, params={"version": "0"})
    assert (await admin.get(f"{path}/export", params={"version": "draft"}))["workflow"]["name"] == made["name"]
    await admin.delete(f"{path}/draft")


# --- delegations ------------------------------------------------------------------------------------------------------


async def test_what_a_delegation_covers_is_said_in_few_words(who: Any) -> None:
    """Else one person makes others' queues, and everybody's tickets, slow."""
    finance = await who("finance3")
    window = {"starts_at": "2031-01-01T00:00:00Z", "ends_at": "2031-01-02T00:00:00Z"}
    terms = {"delegate_id": (await who("finance2")).id, **window}
    long = {"any": [{"field": "title", "op": "contains", "value": f"{n} {'a' * 400}"} for n in range(20)]}
    refused = await finance.post("/approvals/delegations", {**terms, "condition": long}, expect=422)
    assert pointers(refused) == ["/condition"]
    refused = await finance.post("/approvals/delegations/preview", {"condition": long}, expect=422)
    assert pointers(refused) == ["/condition"]
    away = {**window, "deputy": {"delegate_id": terms["delegate_id"], "condition": long}}
    assert pointers(await finance.post("/approvals/away", away, expect=422)) == ["/deputy/condition"]
    several = {"field": "department_id", "op": "in", "value": list(range(1, 100))}
    made = await finance.post("/approvals/delegations", {**terms, "condition": several}, expect=201)
    change = {**terms, "condition": long, "version": 1}
    path = f"/approvals/delegations/{made['id']}"
    assert pointers(await finance.put(path, change, expect=422)) == ["/condition"]
    await finance.delete(path)


# --- several at once --------------------------------------------------------------------------------------------------


async def test_an_import_never_writes_over_a_draft_it_has_not_seen(who: Any, flow: dict[str, Any]) -> None:
    admin = await who("admin")
    path = f"/approval-workflows/{flow['id']}"
    written = document(name=flow["name"])
    file = file_of({**written, "stages": [{**STAGE, "name": "From a file"}]})
    body = {"file": file, "dry_run": False}
    draft = {"document": written, "draft_version": 0}
    calls = [admin.post("/approval-workflows/import", body, expect=None) for _ in range(4)]
    calls += [admin.put(f"{path}/draft", draft, expect=None) for _ in range(4)]
    statuses = sorted(a.status_code for a in await asyncio.gather(*calls))
    assert statuses.count(200) == 1, statuses
    assert set(statuses) <= {200, 409, 412}
    assert (await admin.get(f"{path}/draft"))["draft_version"] == 1


async def test_an_import_over_what_is_published_meanwhile_says_so(who: Any, flow: dict[str, Any]) -> None:
    admin = await who("admin")
    path = f"/approval-workflows/{flow['id']}"
    files = [file_of(document(name=flow["name"], stages=[{**STAGE, "name": f"F{n}"}])) for n in range(4)]
    calls = [
        admin.post("/approval-workflows/import", {"file": f, "dry_run": False, "publish": True}, None) for f in files
    ]
    calls += [admin.put(path, {**document(name=flow["name"]), "version": 1}, None) for _ in range(4)]
    answers = await asyncio.gather(*calls)
    refused = [a.json()["code"] for a in answers if a.status_code >= 400]
    assert set(refused) <= {"stale_version"}
    done = sum(a.status_code == 200 for a in answers)
    versions = (await admin.get(f"{path}/versions", params={"limit": 100}))["items"]
    assert [v["version"] for v in versions] == list(range(1 + done, 0, -1))


async def test_a_restore_that_is_sent_twice_is_done_once(who: Any, flow: dict[str, Any]) -> None:
    admin = await who("admin")
    path = f"/approval-workflows/{flow['id']}"
    await admin.put(path, {**document(name=flow["name"], stages=[{**STAGE, "name": "Second"}]), "version": 1})
    once = {"Idempotency-Key": f"restore-{flow['id']}"}
    calls = [admin.post(f"{path}/restore", {"version": 1}, headers=dict(once)) for _ in range(6)]
    assert {a["version"] for a in await asyncio.gather(*calls)} == {3}
    await admin.post(f"{path}/restore", {"version": 2}, expect=422, headers=dict(once))
    await admin.put(f"{path}/draft", {"document": document(name=flow["name"]), "draft_version": 0})
    once = {"Idempotency-Key": f"publish-{flow['id']}"}
    calls = [admin.post(f"{path}/publish", {"draft_version": 1}, headers=dict(once)) for _ in range(6)]
    assert {a["version"] for a in await asyncio.gather(*calls)} == {4}
