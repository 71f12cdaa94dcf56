"""Writing, publishing, restoring and switching workflows over HTTP: versions, guards, who may, and what runs on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import pytest

NUMBER = count(1)
STAGE = {"name": "Manager", "approvers": [{"kind": "REQUESTER_MANAGER"}]}
Make = Callable[..., Awaitable[dict[str, Any]]]


def only(key: str) -> dict[str, Any]:
    return {"all": [{"field": "ticket_type", "op": "eq", "value": key}]}


@pytest.fixture
async def kind(who: Any) -> str:
    """A ticket type of one's own, so that its workflow judges nobody else's requests."""
    key = f"DRAFTED_{next(NUMBER)}"
    form = {"type": "object", "properties": {"boss": {"type": "string"}, "size": {"type": "integer"}}}
    await (await who("admin")).post("/ticket-types", {"key": key, "name": key, "form": form}, expect=201)
    return key


@pytest.fixture
async def flow(who: Any, kind: str) -> dict[str, Any]:
    body = {"name": kind, "condition": only(kind), "stages": [STAGE]}
    return dict(await (await who("admin")).post("/approval-workflows", body, expect=201))


async def asked(who: Any, key: str, **more: Any) -> tuple[int, list[str]]:
    employee = await who("employee")
    body = {"title": "Own type", "ticket_type": key, "submit": True, "custom_fields": {}, **more}
    ticket = await employee.post("/tickets", body, expect=201)
    (flow,) = (await employee.get(f"/tickets/{ticket['id']}/approvals"))["items"]
    return ticket["id"], [s["approver"]["username"] for stage in flow["stages"] for s in stage["steps"]]


async def log(who: Any, definition_id: int) -> list[str]:
    admin = await who("admin")
    found = await admin.get("/audit", params={"object_type": "approval_workflow", "object_id": definition_id})
    return [e["action"] for e in reversed(found["items"])]


async def test_a_draft_becomes_a_version(who: Any, kind: str, flow: dict[str, Any], find_step: Any) -> None:
    admin, manager = await who("admin"), await who("manager")
    path = f"/approval-workflows/{flow['id']}"
    before, people = await asked(who, kind)
    assert people == ["manager"]
    draft = await admin.get(f"{path}/draft")
    assert (draft["draft_version"], draft["is_kept"], draft["based_on"]) == (0, False, 1)
    assert draft["document"]["stages"] == [STAGE]

    unfinished = {"name": kind, "condition": only(kind), "stages": [{"name": "", "approvers": []}], "later": {"x": [1]}}
    kept = await admin.put(f"{path}/draft", {"document": unfinished, "draft_version": 0})
    assert (kept["draft_version"], kept["is_kept"], kept["saved_by"]["username"]) == (1, True, "admin")
    assert {p["pointer"] for p in kept["problems"]} >= {"/later", "/stages/0/name", "/stages/0/approvers"}
    assert (await admin.get(path))["has_draft"]
    assert (await asked(who, kind))[1] == ["manager"], "nobody is judged by a draft"
    stale = await admin.put(f"{path}/draft", {"document": {}, "draft_version": 0}, expect=412)
    assert stale["draft_version"] == 1
    refused = await admin.post(f"{path}/publish", {"draft_version": 1}, expect=422)
    assert {e["pointer"] for e in refused["errors"]} >= {"/stages/0/name", "/stages/0/approvers"}

    better = {
        "name": kind,
        "condition": only(kind),
        "stages": [{"name": "Head", "approvers": [{"kind": "DEPARTMENT_HEAD"}]}],
    }
    kept = await admin.put(f"{path}/draft", {"document": better, "draft_version": 1})
    assert kept["problems"] == []
    await admin.post(f"{path}/publish", {"draft_version": 1}, expect=412)
    new = await admin.post(f"{path}/publish", {"draft_version": 2, "note": "The head knows better"})
    assert (new["version"], new["has_draft"], new["is_active"]) == (2, False, True)
    await admin.post(f"{path}/publish", {"draft_version": 3}, expect=409)
    assert (await asked(who, kind))[1] == ["head"]
    assert await find_step(manager, before) is not None, "what runs keeps its version"

    versions = (await admin.get(f"{path}/versions"))["items"]
    assert [(v["version"], v["note"], v["published_by"]["username"]) for v in versions] == [
        (2, "The head knows better", "admin"),
        (1, "", "admin"),
    ]
    page = await admin.get(f"{path}/versions", params={"limit": 1})
    older = await admin.get(f"{path}/versions", params={"limit": 1, "cursor": page["next_cursor"]})
    assert [v["version"] for v in older["items"]] == [1]
    assert (await admin.get(f"{path}/versions/1"))["document"]["stages"] == [STAGE]
    await admin.get(f"{path}/versions/9", expect=404)

    await admin.post(f"{path}/restore", {"version": 9}, expect=404)
    back = await admin.post(f"{path}/restore", {"version": 1, "note": "It did not"})
    assert (back["version"], back["stages"]) == (3, [STAGE])
    assert (await admin.get(f"{path}/versions"))["items"][0]["restored_from"] == 1
    assert (await asked(who, kind))[1] == ["manager"]
    assert await log(who, flow["id"]) == ["workflow.created", "workflow.published", "workflow.restored"]


async def test_what_changed_is_told_in_words(who: Any, kind: str, flow: dict[str, Any]) -> None:
    admin, head = await who("admin"), await who("head")
    path = f"/approval-workflows/{flow['id']}"
    await admin.get(f"{path}/compare", expect=409)
    named = STAGE | {"approvers": [{"kind": "USER", "user_id": head.id}]}
    document = {"name": kind, "condition": only(kind), "stages": [named, {"name": "Then"}]}
    await admin.put(f"{path}/draft", {"document": document, "draft_version": 0})
    told = await (await who("auditor")).get(f"{path}/compare")
    assert [(c["pointer"], c["kind"], c["before"], c["after"]) for c in told["changes"]] == [
        ("/stages/0/approvers", "changed", "the requester's manager", "Henrik Lindqvist"),
        ("/stages/1", "added", None, "nobody"),
    ]
    await admin.put(path, {**document, "stages": [named], "version": 1})
    assert len((await admin.get(f"{path}/compare", params={"from": "1", "to": "2"}))["changes"]) == 1
    assert (await admin.get(f"{path}/compare", params={"from": "2", "to": "2"}))["changes"] == []
    assert (await admin.get(f"{path}/compare", params={"from": "0", "to": "1"}))["changes"][0]["what"] == "Name"
    for query in ({"from": "9"}, {"to": "2147483648"}):
        await admin.get(f"{path}/compare", params=query, expect=404)
    for query in ({"from": "-1"}, {"to": "x"}, {"to": ""}, {"from": "99999999999"}):
        await admin.get(f"{path}/compare", params=query, expect=422)
    await admin.get("/approval-workflows/999999/compare", expect=404)
    await (await who("manager")).get(f"{path}/compare", expect=403)


async def test_switching_off_and_on(who: Any, kind: str, flow: dict[str, Any], find_step: Any) -> None:
    admin, head = await who("admin"), await who("head")
    path = f"/approval-workflows/{flow['id']}"
    to_head = {
        "name": kind,
        "condition": only(kind),
        "stages": [{"name": "Head", "approvers": [{"kind": "DEPARTMENT_HEAD"}]}],
    }
    await admin.put(path, {**to_head, "version": 1, "note": "why"})
    running, _ = await asked(who, kind)
    await admin.put(f"{path}/active", {"is_active": False, "version": 1}, expect=412)
    off = await admin.put(f"{path}/active", {"is_active": False, "version": 2})
    assert not off["is_active"]
    assert (await asked(who, kind))[1] == ["manager"], "the default judges instead"
    assert await find_step(head, running) is not None
    await admin.put(f"{path}/active", {"is_active": False, "version": 2})
    on = await admin.put(f"{path}/active", {"is_active": True, "version": 2})
    assert on["is_active"]
    assert (await asked(who, kind))[1] == ["head"]
    assert await log(who, flow["id"]) == [
        "workflow.created",
        "workflow.published",
        "workflow.deactivated",
        "workflow.activated",
    ]
    await admin.put(f"{path}/active", {"is_active": "yes", "version": 2}, expect=422)


async def test_a_workflow_that_is_only_written_so_far(who: Any, kind: str) -> None:
    admin = await who("admin")
    body = {"name": kind, "condition": only(kind), "stages": [], "publish": False}
    made = await admin.post("/approval-workflows", body, expect=201)
    assert (made["version"], made["is_active"], made["has_draft"], made["stages"]) == (0, False, True, [])
    path = f"/approval-workflows/{made['id']}"
    assert (await admin.get(f"{path}/versions"))["items"] == []
    await admin.put(f"{path}/active", {"is_active": True, "version": 1}, expect=409)
    draft = await admin.get(f"{path}/draft")
    assert [p["pointer"] for p in draft["problems"]] == ["/stages"]
    renamed = {**draft["document"], "name": f" {kind}  renamed "}
    await admin.put(f"{path}/draft", {"document": renamed, "draft_version": 1})
    assert (await admin.get(path))["name"] == f"{kind} renamed"
    await admin.put(f"{path}/draft", {"document": {"name": 5}, "draft_version": 2})
    assert (await admin.get(path))["name"] == "Untitled workflow"
    await admin.put(f"{path}/draft", {"document": renamed | {"stages": [STAGE]}, "draft_version": 3})
    page = await admin.get("/approval-workflows", params={"limit": 100})
    assert next(d for d in page["items"] if d["id"] == made["id"])["has_draft"]
    first = await admin.post(f"{path}/publish", {"draft_version": 4})
    assert (first["version"], first["is_active"]) == (1, True)
    assert (await asked(who, kind))[1] == ["manager"]
    assert await log(who, made["id"]) == ["workflow.created", "workflow.published"]


async def test_throwing_a_draft_away(who: Any, flow: dict[str, Any]) -> None:
    admin = await who("admin")
    path = f"/approval-workflows/{flow['id']}"
    await admin.delete(f"{path}/draft", expect=409)
    await admin.put(f"{path}/draft", {"document": {"name": "x"}, "draft_version": 0})
    await admin.delete(f"{path}/draft?draft_version=0", expect=412)
    await admin.delete(f"{path}/draft?draft_version=1")
    assert not (await admin.get(path))["has_draft"]
    stale = await admin.put(f"{path}/draft", {"document": {}, "draft_version": 1}, expect=412)
    assert stale["draft_version"] == 2, "nobody goes on with what was thrown away"
    body = {"name": "Never", "stages": [], "publish": False}
    made = await admin.post("/approval-workflows", body, expect=201)
    await admin.delete(f"/approval-workflows/{made['id']}/draft")
    await admin.get(f"/approval-workflows/{made['id']}", expect=404)
    assert await log(who, made["id"]) == ["workflow.created", "workflow.draft_discarded"]


async def test_a_draft_begun_before_somebody_published(who: Any, kind: str, flow: dict[str, Any]) -> None:
    admin = await who("admin")
    path = f"/approval-workflows/{flow['id']}"
    document = {"name": kind, "condition": only(kind), "stages": [STAGE]}
    await admin.put(f"{path}/draft", {"document": document, "draft_version": 0})
    await admin.put(path, {**document, "version": 1})
    draft = await admin.get(f"{path}/draft")
    assert (draft["based_on"], [p["code"] for p in draft["problems"]]) == (1, ["outdated_base"])
    told = await admin.post("/approval-workflows/check", {"document": document, "workflow_id": flow["id"]})
    assert [p["code"] for p in told["problems"]] == ["outdated_base"]
    assert (await admin.post(f"{path}/publish", {"draft_version": 1}))["version"] == 3


async def test_of_two_who_write_at_once_one_is_told(who: Any, flow: dict[str, Any]) -> None:
    admin = await who("admin")
    path = f"/approval-workflows/{flow['id']}/draft"
    documents = [{"name": f"Mine {n}"} for n in range(8)]
    answers = await asyncio.gather(
        *(admin.put(path, {"document": d, "draft_version": 0}, expect=None) for d in documents)
    )
    assert sorted(a.status_code for a in answers) == [200] + [412] * 7
    (won,) = [d for d, a in zip(documents, answers, strict=True) if a.status_code == 200]
    assert (await admin.get(path))["document"] == won


@pytest.mark.parametrize("username", ["employee", "manager", "agent", "auditor"])
async def test_who_may_not_configure_changes_nothing(who: Any, flow: dict[str, Any], username: str) -> None:
    person, admin = await who(username), await who("admin")
    path = f"/approval-workflows/{flow['id']}"
    reads = 200 if username == "auditor" else 403
    for address in ("", "/draft", "/versions", "/versions/1"):
        await person.get(f"{path}{address}", expect=reads)
    document = {"document": {"name": "Mine"}, "draft_version": 0}
    await person.put(f"{path}/draft", document, expect=403)
    await person.delete(f"{path}/draft", expect=403)
    await person.post(f"{path}/publish", {"draft_version": 0}, expect=403)
    await person.post(f"{path}/restore", {"version": 1}, expect=403)
    await person.put(f"{path}/active", {"is_active": False, "version": 1}, expect=403)
    await person.post("/approval-workflows/check", {"document": {}}, expect=403)
    await person.post("/approval-workflows", {"name": "Mine", "stages": [STAGE]}, expect=403)
    assert (await admin.get(path)) == flow


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"all": [value]} if depth > 40 else {"x": value}
    return value


@pytest.mark.parametrize(
    "body",
    [
        {"document": [], "draft_version": 0},
        {"document": "x", "draft_version": 0},
        {"document": {}, "draft_version": -1},
        {"document": {}, "draft_version": 2**63},
        {"document": {}, "draft_version": "0"},
        {"document": {}},
        {"document": {"name": "a\x00b"}, "draft_version": 0},
        {"document": {"stages": [{}] * 21}, "draft_version": 0},
        {"document": {"stages": ["x" * 1000] * 19, "x": ["y" * 1000] * 300}, "draft_version": 0},
        {"document": {"x": nested(29)}, "draft_version": 0},
        {"document": {"x": nested(60)}, "draft_version": 0},
        {"document": {}, "draft_version": 0, "surprise": 1},
    ],
)
async def test_hostile_drafts_are_refused_and_not_kept(who: Any, flow: dict[str, Any], body: dict[str, Any]) -> None:
    admin = await who("admin")
    path = f"/approval-workflows/{flow['id']}/draft"
    answer = await admin.put(path, body, expect=None)
    assert 400 <= answer.status_code < 500, answer.text
    assert not (await admin.get(path))["is_kept"]


HOSTILE: list[Any] = [
    None,
    True,
    5,
    -1.5,
    10**30,
    "x",
    "x" * 10_000,
    [],
    [[]],
    {},
    {"kind": "USER"},
    {"all": [{}]},
    [None],
    [{"kind": 5}],
    {"kind": "USER", "user_id": 2**63},
    [{"kind": "USERS", "user_ids": [1, None]}],
    {"percent": 1e308},
    "NaN",
]


async def test_whatever_a_draft_says_it_is_kept_and_checked(who: Any, flow: dict[str, Any]) -> None:
    """Wrong types everywhere: a draft may hold them, a check names them, nothing breaks, and none is published."""
    admin = await who("admin")
    path = f"/approval-workflows/{flow['id']}"
    version = 0
    whole = {"name": "x", "condition": None, "stages": [STAGE], "one_by_one_above": None}
    members = ("name", "condition", "approvers", "mode", "quorum", "due_in_minutes", "escalation", "fallback", "judges")
    documents = [whole | {m: h} for m in whole for h in HOSTILE]
    documents += [whole | {"stages": [STAGE | {m: h}]} for m in members for h in HOSTILE]
    documents += [whole | {"stages": [h]} for h in HOSTILE]
    for n, document in enumerate(documents):
        told = (await admin.post("/approval-workflows/check", {"document": document}))["problems"]
        if n % 10 == 0:
            kept = await admin.put(f"{path}/draft", {"document": document, "draft_version": version})
            version = kept["draft_version"]
            if any(p["level"] == "error" for p in told):
                await admin.post(f"{path}/publish", {"draft_version": version}, expect=422)
    assert version > 20


async def test_what_a_check_tells(who: Any, kind: str, flow: dict[str, Any]) -> None:
    admin, auditor = await who("admin"), await who("auditor")
    size = {"field": "custom.size", "op": "gte", "value": "6"}
    document = {
        "name": "Checked",
        "condition": only(kind),
        "stages": [
            {"name": "A", "condition": {"all": [size]}, "approvers": [{"kind": "USER", "user_id": auditor.id}]},
            {"name": "a", "condition": only("IT_SUPPORT"), "approvers": [{"kind": "FORM_FIELD", "field": "nope"}]},
            {
                "name": "C",
                "condition": {"all": [{"field": "custom.size", "op": "lte", "value": "5"}]},
                "approvers": [{"kind": "FORM_FIELD", "field": "budget_code"}, {"kind": "REQUESTER_MANAGER"}],
                "mode": "SEQUENTIAL",
                "quorum": 1,
                "judges": ["custom.budget_code", "custom.nope"],
            },
        ],
    }

    async def problems(**more: Any) -> dict[str, tuple[str, str]]:
        answer = await admin.post("/approval-workflows/check", {"document": document, **more})
        return {p["pointer"]: (p["code"], p["level"]) for p in answer["problems"]}

    assert await problems(workflow_id=flow["id"]) == {
        "/stages/0/approvers": ("nobody_today", "warning"),
        "/stages/1/name": ("same_name", "warning"),
        "/stages/1/condition": ("unreachable_stage", "warning"),
        "/stages/1/approvers/0/field": ("unknown_field", "warning"),
        "/stages/2/approvers/0/field": ("field_elsewhere", "warning"),
        "/stages/2/judges/0": ("field_elsewhere", "warning"),
        "/stages/2/judges/1": ("unknown_field", "warning"),
        "/stages/2/quorum": ("quorum_ignored", "warning"),
        "/stages": ("dead_end", "warning"),
    }
    answer = await admin.post("/approval-workflows/check", {"document": document, "workflow_id": flow["id"]})
    (gap,) = [p["message"] for p in answer["problems"] if p["code"] == "dead_end"]
    assert gap.startswith("A request reaches no stage when size is empty")
    assert (await problems())["/condition"] == ("shadows", "warning"), "the newer of two for the same is used"
    document["condition"] = {"any": []}
    assert (await problems())["/condition"] == ("never_used", "warning")
    await admin.post("/approval-workflows/check", {"document": document, "workflow_id": 999_999}, expect=404)
    await admin.post("/approval-workflows/check", {"document": document, "workflow_id": 0}, expect=422)
