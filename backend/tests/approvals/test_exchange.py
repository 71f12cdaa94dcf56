"""Workflows as files: names instead of ids, the same again when read back; hostile files change nothing."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.approvals.test_comparing import CALLED, DOCUMENTS
from waypost.approvals.definition import FIELDS
from waypost.approvals.exchange import FORMAT, Ids, from_file, header_faults, names_in, to_file

PEOPLE, TEAMS, DEPARTMENTS = {1: "Ada Ford", 2: "Ben Gold"}, {5: "HR Services"}, {7: "Marketing"}
IDS = Ids(
    person={name.lower(): i for i, name in PEOPLE.items()},
    team={name: i for i, name in TEAMS.items()},
    department={name: i for i, name in DEPARTMENTS.items()},
)
RULES = st.sampled_from(
    [
        {"kind": "USER", "user_id": 1},
        {"kind": "USERS", "user_ids": [2, 1]},
        {"kind": "TEAM", "team_id": 5},
        {"kind": "DEPARTMENT_HEAD"},
        {"kind": "DEPARTMENT_HEAD", "department_id": 7},
        {"kind": "ROLE", "role": "finance"},
        {"kind": "FORM_FIELD", "field": "boss"},
    ]
)
CONDITIONS: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        {"field": "department_id", "op": "eq", "value": 7},
        {"not": {"field": "requester_id", "op": "in", "value": [1, 2]}},
        {"any": [{"field": "custom.boss", "op": "ne", "value": 2}, {"field": "department_id", "op": "is_empty"}]},
        {"all": [{"field": "amount", "op": "gt", "value": "5"}, {"field": "ticket_type", "op": "eq", "value": "IT"}]},
    ]
)
WRITTEN = st.fixed_dictionaries(
    {
        "name": st.just("Purchases"),
        "condition": CONDITIONS,
        "one_by_one_above": st.none(),
        "stages": st.lists(
            st.fixed_dictionaries(
                {
                    "name": st.just("One"),
                    "condition": CONDITIONS,
                    "approvers": st.lists(RULES),
                    "fallback": st.lists(RULES),
                },
                optional={"escalation": st.builds(lambda to: {"after_minutes": 5, "to": to}, RULES)},
            ),
            max_size=3,
        ),
    }
)


@given(WRITTEN)
def test_what_is_exported_and_imported_is_the_same(document: dict[str, Any]) -> None:
    kept = deepcopy(document)
    file = to_file(document, CALLED)
    assert header_faults(file) == []
    assert not any(word in json.dumps(file) for word in ("user_id", 'team_id"', '"value": 7', '"value": [1'))
    back, faults = from_file(file["workflow"], IDS, CALLED.fields)
    assert (back, faults) == (document, [])
    assert document == kept
    said = names_in(file["workflow"], CALLED.fields)
    assert said["person"] <= set(PEOPLE.values())


@given(DOCUMENTS)
def test_whatever_is_written_is_exported_and_read(document: dict[str, Any]) -> None:
    file = to_file(document, CALLED)
    from_file(file["workflow"], IDS, CALLED.fields)
    from_file(document, IDS, CALLED.fields)
    names_in(document, CALLED.fields)


def test_what_is_not_known_is_named_with_its_place() -> None:
    workflow = {
        "condition": {"all": [{"field": "department_id", "op": "in", "value": [{"department": "Nowhere"}, 7, "x"]}]},
        "stages": [
            {
                "approvers": [{"kind": "USER", "user": "nobody"}, {"kind": "USERS", "users": ["ADA Ford", 5]}],
                "fallback": [{"kind": "TEAM", "team_id": 5}],
                "escalation": {"to": {"kind": "DEPARTMENT_HEAD", "department": "Nowhere"}},
            }
        ],
    }
    document, faults = from_file(workflow, IDS, FIELDS)
    assert sorted((f.pointer, f.code) for f in faults) == [
        ("/condition/all/0/value/0", "unknown_department"),
        ("/condition/all/0/value/1", "not_a_name"),
        ("/condition/all/0/value/2", "not_a_name"),
        ("/stages/0/approvers/0/user", "unknown_person"),
        ("/stages/0/approvers/1/users/1", "not_a_name"),
        ("/stages/0/escalation/to/department", "unknown_department"),
        ("/stages/0/fallback/0/team_id", "not_a_name"),
    ]
    assert document["stages"][0]["approvers"][1]["user_ids"] == [1, None], "usernames have no case"


def test_what_is_no_file() -> None:
    good = {"format": FORMAT, "format_version": 1, "workflow": {}}
    assert header_faults(good) == []
    for change, pointer in (
        ({"format": "x"}, "/format"),
        ({"format_version": 2}, "/format_version"),
        ({"format_version": True}, "/format_version"),
        ({"workflow": []}, "/workflow"),
        ({"more": 1}, "/more"),
    ):
        assert [f.pointer for f in header_faults(good | change)] == [pointer]


# --- over HTTP --------------------------------------------------------------------------------------------------------


async def count_all(admin: Any) -> int:
    return len((await admin.get("/approval-workflows", params={"limit": 100}))["items"])


@pytest.fixture
async def flow(who: Any) -> dict[str, Any]:
    admin, head = await who("admin"), await who("head")
    finance = next(d for d in (await admin.get("/departments"))["items"] if d["name"] == "Finance")
    team = next(t for t in (await admin.get("/teams"))["items"] if t["name"] == "HR Services")
    name = f"Travelling {await count_all(admin)}"
    body = {
        "name": name,
        "condition": {
            "all": [
                {"field": "title", "op": "eq", "value": name},
                {"field": "department_id", "op": "in", "value": [finance["id"]]},
            ]
        },
        "stages": [
            {
                "name": "One",
                "approvers": [{"kind": "USER", "user_id": head.id}, {"kind": "TEAM", "team_id": team["id"]}],
                "fallback": [{"kind": "DEPARTMENT_HEAD", "department_id": finance["id"]}],
            }
        ],
    }
    return dict(await admin.post("/approval-workflows", body, expect=201))


async def test_a_file_travels(who: Any, flow: dict[str, Any]) -> None:
    admin, auditor = await who("admin"), await who("auditor")
    path = f"/approval-workflows/{flow['id']}"
    answer = await auditor.get(f"{path}/export", expect=None)
    assert answer.headers["content-disposition"].startswith('attachment; filename="travelling-')
    file = answer.json()
    assert file["workflow"]["stages"][0]["approvers"] == [
        {"kind": "USER", "user": "head"},
        {"kind": "TEAM", "team": "HR Services"},
    ]
    assert file["workflow"]["condition"]["all"][1]["value"] == [{"department": "Finance"}]
    same = await admin.post("/approval-workflows/import", {"file": file, "dry_run": False})
    assert (same["action"], same["is_kept"], same["workflow_id"]) == ("none", False, flow["id"])

    file["workflow"]["stages"][0]["quorum"] = 1
    told = await admin.post("/approval-workflows/import", {"file": file})
    assert (told["action"], told["is_kept"], told["has_draft"]) == ("change", False, False)
    assert [(c["pointer"], c["after"]) for c in told["changes"]] == [("/file/workflow/stages/0/quorum", "1 of them")]
    assert not (await admin.get(path))["has_draft"], "a dry run keeps nothing"
    kept = await admin.post("/approval-workflows/import", {"file": file, "dry_run": False})
    assert kept["is_kept"]
    assert (await admin.get(f"{path}/draft"))["document"]["stages"][0]["quorum"] == 1
    assert (await admin.get(path))["version"] == 1
    drafted = await admin.get(f"{path}/export", params={"version": "draft"})
    assert drafted == file

    file["workflow"]["stages"][0]["quorum"] = 2
    again = {"file": file, "dry_run": False}
    await admin.post("/approval-workflows/import", again, expect=409)
    assert (await admin.get(f"{path}/draft"))["document"]["stages"][0]["quorum"] == 1
    assert (await admin.post("/approval-workflows/import", again | {"replace_draft": True}))["has_draft"]
    assert (await admin.get(f"{path}/draft"))["document"]["stages"][0]["quorum"] == 2
    await admin.post("/approval-workflows/import", again | {"publish": True})
    assert (await admin.get(path))["version"] == 2
    assert (await admin.get(f"{path}/versions"))["items"][0]["note"] == "Imported from a file"

    file["workflow"]["name"] = f"{flow['name']} elsewhere"
    before = await count_all(admin)
    new = await admin.post("/approval-workflows/import", {"file": file})
    assert (new["action"], new["workflow_id"], new["changes"][0]["what"]) == ("create", None, "Name")
    assert await count_all(admin) == before
    key = {"headers": {"Idempotency-Key": f"import-{flow['id']}"}}
    made = await admin.post("/approval-workflows/import", {"file": file, "dry_run": False}, **key)
    assert made == await admin.post("/approval-workflows/import", {"file": file, "dry_run": False}, **key)
    fresh = await admin.get(f"/approval-workflows/{made['workflow_id']}")
    assert (fresh["version"], fresh["has_draft"], fresh["is_active"]) == (0, True, False)
    assert await count_all(admin) == before + 1


async def test_unknown_names_are_told_first(who: Any, flow: dict[str, Any]) -> None:
    admin = await who("admin")
    file = await admin.get(f"/approval-workflows/{flow['id']}/export")
    file["workflow"]["name"] = "Nowhere to be seen"
    file["workflow"]["stages"][0]["approvers"] = [{"kind": "USER", "user": "zelda"}, {"kind": "TEAM", "team": "Elves"}]
    file["workflow"]["stages"][0]["fallback"] = [{"kind": "ROLE", "role": "king"}]
    told = await admin.post("/approval-workflows/import", {"file": file})
    assert [(p["pointer"], p["code"]) for p in told["problems"]] == [
        ("/file/workflow/stages/0/approvers/0/user", "unknown_person"),
        ("/file/workflow/stages/0/approvers/1/team", "unknown_team"),
    ]
    assert (told["action"], told["changes"]) == ("none", [])
    refused = await admin.post("/approval-workflows/import", {"file": file, "dry_run": False}, expect=422)
    assert [e["pointer"] for e in refused["errors"]] == [p["pointer"] for p in told["problems"]]
    file["workflow"]["stages"][0]["approvers"] = [{"kind": "REQUESTER_MANAGER"}]
    told = await admin.post("/approval-workflows/import", {"file": file})
    errors = [p["pointer"] for p in told["problems"] if p["level"] == "error"]
    assert errors == ["/file/workflow/stages/0/fallback/0/role"]


@pytest.mark.parametrize(
    "file",
    [
        [],
        "x",
        {},
        {"format": "waypost.workflow", "format_version": 1},
        {"format": "waypost.workflow", "format_version": 1, "workflow": [1]},
        {"format": ["waypost.workflow"], "format_version": 1, "workflow": {}},
        {"format": "waypost.workflow", "format_version": 1, "workflow": {}, "extra": {}},
        {"format": "waypost.workflow", "format_version": 1, "workflow": {"name": "a\x00b"}},
        {"format": "waypost.workflow", "format_version": 1, "workflow": {"name": "x" * 300_000}},
        {"format": "waypost.workflow", "format_version": 1, "workflow": {"name": {"a": 1}, "stages": [{}] * 30}},
        {"format": "waypost.workflow", "format_version": 1, "workflow": {"name": "x", "stages": [
            {"name": "x", "approvers": [{"kind": "USERS", "users": [str(n) for n in range(9_000)]}]}]}},
        {"format": "waypost.workflow", "format_version": 1, "workflow": {"name": 5, "stages": [None, [], {"approvers": [
            {"kind": "USER", "user": {"x": []}}, {"kind": [], "team": 1e308}]}], "condition": [[{"field": "requester_id"}]]}},
        {"format": "waypost.workflow", "format_version": 1, "workflow": {"name": "x", "condition": {
            "field": "requester_id", "op": "eq", "value": 2**62}, "stages": [{"name": "x", "approvers": [{"kind": "TEAM"}]}]}},
    ],
)  # fmt: skip
async def test_hostile_files_store_nothing(who: Any, file: Any) -> None:
    admin = await who("admin")
    before = await count_all(admin)
    for more in ({"dry_run": False}, {"dry_run": False, "publish": True}):
        answer = await admin.post("/approval-workflows/import", {"file": file, **more}, expect=None)
        assert 400 <= answer.status_code < 500, answer.text
        assert answer.json()["detail"]
    assert (await admin.post("/approval-workflows/import", {"file": file}, expect=None)).status_code < 500
    assert await count_all(admin) == before


async def test_who_may_import(who: Any, flow: dict[str, Any]) -> None:
    file = await (await who("admin")).get(f"/approval-workflows/{flow['id']}/export")
    for username in ("employee", "manager", "auditor"):
        await (await who(username)).post("/approval-workflows/import", {"file": file}, expect=403)
    await (await who("manager")).get(f"/approval-workflows/{flow['id']}/export", expect=403)
