"""Forms over HTTP: kinds and conditions, versions, who speaks of a field, and tickets that keep their form."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

_numbers = itertools.count(1)


def when(field: str, op: str, value: Any) -> dict[str, Any]:
    return {"x-show-when": {"field": field, "op": op, "value": value}}


FORM: dict[str, Any] = {
    "required": ["need", "reason", "quote"],
    "properties": {
        "need": {"x-kind": "choice", "title": "What for", "enum": ["new", "old"], "x-choices": {"new": "A new one"}},
        "reason": {"x-kind": "text", "title": "Why", "x-order": 2, **when("custom.need", "eq", "old")},
        "quote": {"x-kind": "money", "title": "Quote", **when("amount", "gt", "1000")},
        "urgent": {"x-kind": "text", "title": "How urgent", **when("priority", "eq", "CRITICAL")},
        "boss": {"x-kind": "person", "title": "Boss"},
        "unit": {"x-kind": "department", "title": "Unit"},
        "papers": {"x-kind": "file", "title": "Papers"},
        "count": {"x-kind": "number", "title": "How many", "type": "integer", "default": 1},
    },
}


@pytest.fixture
async def kind(who: Any) -> Any:
    """A type of one's own; nobody needs to approve it unless said."""
    admin = await who("admin")

    async def make(form: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        key = f"FORMS_{next(_numbers)}"
        body = {
            "key": key,
            "name": f"Forms {key}",
            "form": form or FORM,
            "requires_approval": False,
            "has_amount": True,
        }
        return dict(await admin.post("/ticket-types", {**body, **more}, expect=201))

    return make


def body(kind: dict[str, Any], fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"title": "A form", "ticket_type": kind["key"], "custom_fields": fields, "submit": True, **more}


def pointers(problem: dict[str, Any]) -> dict[str, str]:
    return {e["pointer"].removeprefix("/custom_fields/"): e["message"] for e in problem["errors"]}


async def changed(who: Any, kind: dict[str, Any], form: dict[str, Any], **more: Any) -> Any:
    admin = await who("admin")
    now = await admin.get(f"/ticket-types/{kind['key']}")
    values = {f: now[f] for f in ("name", "category", "keywords", "icon", "has_amount", "requires_approval")}
    return await admin.put(f"/ticket-types/{kind['key']}", {**values, "form": form, "version": now["version"], **more})


async def test_the_server_refuses_what_the_form_refuses(who: Any, kind: Any) -> None:
    made, employee = await kind(), await who("employee")
    assert pointers(await employee.post("/tickets", body(made, {}), expect=422)) == {"need": "is needed"}
    lacking = await employee.post("/tickets", body(made, {"need": "old"}), expect=422)
    assert pointers(lacking) == {"reason": "is needed"}
    hidden = await employee.post("/tickets", body(made, {"need": "new", "reason": "x", "urgent": "x"}), expect=422)
    assert pointers(hidden) == {"reason": "is not asked for here", "urgent": "is not asked for here"}
    dear = await employee.post("/tickets", body(made, {"need": "new"}, amount="1000.01"), expect=422)
    assert pointers(dear) == {"quote": "is needed"}
    quote = {"amount": "990.00", "currency": "EUR"}
    sent = await employee.post("/tickets", body(made, {"need": "new", "quote": quote}, amount="2000"), expect=201)
    assert sent["custom_fields"] == {"need": "new", "quote": quote, "count": 1}, "with the default"
    said = {a["key"]: (a["title"], a["text"]) for a in sent["answers"]}
    assert said == {
        "need": ("What for", "A new one"),
        "quote": ("Quote", "990.00 EUR"),
        "count": ("How many", "1"),
    }
    draft = await employee.post("/tickets", body(made, {"need": "old"}, submit=False), expect=201)
    assert draft["custom_fields"] == {"need": "old", "count": 1}
    await employee.post("/tickets", body(made, {"reason": "x"}, submit=False), expect=422)


async def test_people_and_departments_are_there(who: Any, kind: Any) -> None:
    made, employee, admin = await kind(), await who("employee"), await who("admin")
    for fields in ({"boss": 999_999}, {"unit": 999_999}, {"boss": 2**62}):
        wrong = await employee.post("/tickets", body(made, {"need": "new", **fields}, submit=False), expect=422)
        assert list(pointers(wrong)) == list(fields)
    manager = await who("manager")
    fields = {"need": "new", "boss": manager.id, "unit": employee.me["department"]["id"]}
    sent = await employee.post("/tickets", body(made, fields), expect=201)
    said = {a["key"]: a["text"] for a in sent["answers"]}
    assert (said["boss"], said["unit"]) == ("Mike Okafor", "Marketing")
    leaver = await admin.post(
        "/users",
        {
            "username": "leaver",
            "email": "leaver@example.com",
            "first_name": "L",
            "last_name": "V",
            "roles": ["employee"],
        },
        expect=201,
    )
    draft = await employee.post("/tickets", body(made, {**fields, "boss": leaver["id"]}, submit=False), expect=201)
    await admin.put(f"/users/{leaver['id']}", {"is_active": False}, expect=None)
    gone = (await employee.post("/tickets", body(made, {**fields, "boss": leaver["id"]}), expect=None)).status_code
    if gone == 422:  # deactivated: an old value may stay in a draft, a new one may not
        path = f"/tickets/{draft['id']}"
        await employee.put(path, {"custom_fields": {**draft["custom_fields"], "count": 2}, "version": draft["version"]})
        assert list(pointers(await employee.post(f"{path}/submit", expect=422))) == ["boss"]


async def test_a_file_belongs_to_the_request(who: Any, kind: Any) -> None:
    made, employee = await kind({"properties": {"papers": FORM["properties"]["papers"]}, "required": ["papers"]}), None
    employee = await who("employee")
    assert pointers(await employee.post("/tickets", body(made, {}), expect=422)) == {"papers": "is needed"}
    draft = await employee.post("/tickets", body(made, {}, submit=False), expect=201)
    other = await employee.post("/tickets", body(made, {}, submit=False), expect=201)

    async def upload(ticket: dict[str, Any]) -> int:
        file = {"file": ("quote.txt", b"a quote", "text/plain")}
        return int((await employee.post(f"/tickets/{ticket['id']}/attachments", expect=201, files=file))["id"])

    own, foreign = await upload(draft), await upload(other)
    path = f"/tickets/{draft['id']}"
    version = (await employee.get(path))["version"]
    for ids in ([foreign], [own, foreign], [999_999]):
        wrong = await employee.put(path, {"custom_fields": {"papers": ids}, "version": version}, expect=422)
        assert list(pointers(wrong)) == ["papers"]
    assert list(pointers(await employee.post("/tickets", body(made, {"papers": [own]}), expect=422))) == ["papers"]
    await employee.put(path, {"custom_fields": {"papers": [own]}, "version": version})
    await employee.call("DELETE", f"/attachments/{own}", expect=409)
    sent = await employee.post(f"{path}/submit")
    assert sent["status"] == "APPROVED"
    assert sent["answers"][0]["text"] == "1 file"


async def test_what_the_ticket_is_decides_what_is_asked(who: Any, kind: Any) -> None:
    made, employee = await kind(requires_approval=True), await who("employee")
    urgent = body(made, {"need": "new", "urgent": "very"}, priority="CRITICAL")
    sent = await employee.post("/tickets", urgent, expect=201)
    path = f"/tickets/{sent['id']}"
    calmer = await employee.put(path, {"priority": "LOW", "version": sent["version"]})
    assert "urgent" not in calmer["custom_fields"], "no longer asked for, so no longer kept"
    (edit,) = [e for e in (await employee.get(f"{path}/history"))["items"] if e["type"] == "ticket.updated"]
    assert edit["changes"] == [
        {"field": "priority", "old": "CRITICAL", "new": "LOW"},
        {"field": "custom_fields.urgent", "label": "How urgent", "old": "very", "new": None},
    ]
    dearer = await employee.put(path, {"amount": "5000", "version": calmer["version"]}, expect=422)
    assert pointers(dearer) == {"quote": "is needed"}
    quote = {"amount": "4000", "currency": "EUR"}
    fields = {**calmer["custom_fields"], "quote": quote}
    both = {"amount": "5000", "custom_fields": fields, "version": calmer["version"]}
    assert (await employee.put(path, both))["custom_fields"]["quote"] == quote
    draft = await employee.post("/tickets", {**urgent, "submit": False}, expect=201)
    path = f"/tickets/{draft['id']}"
    calmer = await employee.put(path, {"priority": "LOW", "version": draft["version"]})
    assert "urgent" not in calmer["custom_fields"]
    again = await employee.put(path, {"amount": "5000", "version": calmer["version"]})
    assert again["amount"] == "5000.00", "a draft may lack what is needed"


async def test_old_tickets_keep_the_form_they_were_made_with(who: Any, kind: Any) -> None:
    made, employee = await kind(), await who("employee")
    draft = await employee.post("/tickets", body(made, {"need": "old"}, submit=False), expect=201)
    form = {"properties": {"brand_new": {"x-kind": "text", "title": "Brand new"}}, "required": ["brand_new"]}
    assert (await changed(who, made, form))["form_version"] == 2
    path = f"/tickets/{draft['id']}"
    assert (await employee.get(path))["form"] == made["form"]
    wrong = await employee.put(path, {"custom_fields": {"brand_new": "x"}, "version": draft["version"]}, expect=422)
    assert pointers(wrong) == {"brand_new": "is not a field of this form"}
    fields = {"need": "old", "reason": "worn out"}
    edited = await employee.put(path, {"custom_fields": fields, "version": draft["version"]})
    assert edited["form"] == made["form"]
    sent = await employee.post(f"{path}/submit")
    assert sent["custom_fields"] == fields
    assert [a["title"] for a in sent["answers"]] == ["Why", "What for"], "as `x-order` says"
    assert pointers(await employee.post("/tickets", body(made, fields), expect=422)).keys() >= {"brand_new", "need"}


async def test_versions_say_who_and_what_and_come_back(who: Any, kind: Any) -> None:
    made, admin = await kind(), await who("admin")
    path = f"/ticket-types/{made['key']}/form-versions"
    fields = {k: v for k, v in made["form"]["properties"].items() if k != "unit"}
    fields["need"] = {**fields["need"], "title": "Purpose", "enum": ["new", "old", "rent"]}
    fields["reason"] = {k: v for k, v in fields["reason"].items() if k != "x-show-when"} | {"maxLength": 40}
    fields["place"] = {"x-kind": "text", "title": "Place", **when("custom.need", "eq", "rent")}
    form = {**made["form"], "properties": fields, "required": ["need", "place"]}
    rehearsed = await admin.post("/ticket-types/form-check", {"ticket_type": made["key"], "form": form})
    assert (await admin.get(path))["items"][0]["version"] == 1, "a rehearsal stores nothing"
    second = await changed(who, made, form, note="People rent too")
    versions = (await admin.get(path))["items"]
    assert [(v["version"], v["is_current"], v["note"]) for v in versions] == [
        (2, True, "People rent too"),
        (1, False, ""),
    ]
    assert versions[0]["created_by"]["username"] == "admin"
    assert versions[1]["changes"] == []
    assert versions[0]["changes"] == rehearsed["changes"]
    said = {(c["what"], c["key"]): c["details"] for c in versions[0]["changes"]}
    assert said["changed", "need"] == ["was called “What for”", "choice added: rent"]
    assert said["changed", "reason"] == ["at most 40 characters", "no longer required", "always shown now"]
    assert said["changed", "quote"] == ["no longer required"]
    assert said["added", "place"] == ["text", "required", "shown when Purpose is rent"]
    assert said["removed", "unit"] == ["department"]
    compared = await admin.get(f"{path}/1")
    assert compared["against"] == 2
    assert {(c["what"], c["key"]) for c in compared["changes"]} >= {("added", "unit"), ("removed", "place")}
    assert (await admin.get(f"{path}/1", params={"against": 1}))["changes"] == []
    await admin.get(f"{path}/9", expect=404)
    await admin.get(f"{path}/1", params={"against": 9}, expect=404)
    await admin.post(f"{path}/1/restore", {"version": 1}, expect=412)
    await admin.post(f"{path}/9/restore", {"version": second["version"]}, expect=404)
    restored = await admin.post(f"{path}/1/restore", {"version": second["version"], "note": "Back"})
    assert (restored["form"], restored["form_version"]) == (made["form"], 3)
    first = await admin.get(path, params={"limit": 1})
    assert (first["items"][0]["restored_from"], first["items"][0]["note"]) == (1, "Back")
    assert first["items"][0]["changes"], "told from the version before, which is on the next page"
    rest = await admin.get(path, params={"limit": 100, "cursor": first["next_cursor"]})
    assert [v["version"] for v in rest["items"]] == [2, 1]


async def test_who_speaks_of_a_field(who: Any, kind: Any) -> None:
    made, admin, employee = await kind(), await who("admin"), await who("employee")
    path = f"/ticket-types/{made['key']}/fields"
    before = (await admin.get(f"{path}/need/uses"))["items"]
    assert all(use["kind"] == "approval_workflow" and use["name"] != made["key"] for use in before)
    await employee.post("/tickets", body(made, {"need": "new"}), expect=201)
    stages = [
        {"name": "One", "condition": None, "approvers": [{"kind": "FORM_FIELD", "field": "boss"}]},
        {
            "name": "Two",
            "condition": {"field": "custom.need", "op": "eq", "value": "new"},
            "approvers": [{"kind": "REQUESTER_MANAGER"}],
        },
    ]
    condition = {"all": [{"field": "ticket_type", "op": "eq", "value": made["key"]}]}
    flow = await admin.post(
        "/approval-workflows", {"name": made["key"], "condition": condition, "stages": stages}, expect=201
    )
    named = {"kind": "approval_workflow", "id": flow["id"], "name": made["key"], "count": 1, "has_more": False}

    async def own_uses(field: str) -> list[dict[str, Any]]:
        """Without the workflows that other tests made about fields of this name."""
        items = (await admin.get(f"{path}/{field}/uses"))["items"]
        return [i for i in items if i["kind"] != "approval_workflow" or i["id"] == flow["id"]]

    assert await own_uses("boss") == [named]
    view = {"name": "Mine", "scope": "PERSONAL", "condition": {"field": "custom.need", "op": "eq", "value": "new"}}
    await employee.post("/saved-views", view, expect=201)
    assert await own_uses("need") == [
        named,
        {"kind": "own_view", "id": None, "name": "", "count": 1, "has_more": False},
        {"kind": "ticket", "id": None, "name": "", "count": 1, "has_more": False},
    ]


async def test_money_of_a_form_is_judged_in_the_companys_currency(who: Any, kind: Any, find_step: Any) -> None:
    form = {"properties": {"price": {"x-kind": "money", "title": "Price"}}}
    made = await kind(form, requires_approval=True)
    admin, employee, head = await who("admin"), await who("employee"), await who("head")
    large = {"field": "custom.price", "op": "gte", "value": "1000"}
    stages = [
        {"name": "Head", "condition": large, "approvers": [{"kind": "USER", "user_id": head.id}]},
        {"name": "Manager", "condition": {"not": large}, "approvers": [{"kind": "REQUESTER_MANAGER"}]},
    ]
    condition = {"all": [{"field": "ticket_type", "op": "eq", "value": made["key"]}]}
    await admin.post("/approval-workflows", {"name": made["key"], "condition": condition, "stages": stages}, expect=201)
    for price, is_large in (("999.99", "USD"), False), (("1000", "USD"), True), (("5", "XAU"), True):
        fields = {"price": {"amount": price[0], "currency": price[1]}}
        sent = await employee.post("/tickets", body(made, fields), expect=201)
        step = await find_step(head, sent["id"])
        assert (step is not None) is is_large, price
        if step is not None:
            assert step["ticket"]["answers"][0]["text"] == " ".join(price)


@pytest.mark.parametrize("other", ["update", "restore"])
async def test_of_two_who_change_a_type_one_is_late(who: Any, kind: Any, other: str) -> None:
    admin = await who("admin")
    for _ in range(4):
        made = await kind()
        path = f"/ticket-types/{made['key']}"
        second = await changed(who, made, {"properties": {}})
        read = {"version": second["version"]}
        kept = {f: second[f] for f in ("category", "keywords", "icon", "has_amount", "requires_approval", "form")}
        again = admin.post(f"{path}/form-versions/1/restore", read, expect=None)
        rival = (
            admin.put(path, {**read, **kept, "name": "Another name"}, expect=None)
            if other == "update"
            else admin.post(f"{path}/form-versions/1/restore", read, expect=None)
        )
        answers = await asyncio.gather(again, rival)
        assert sorted(a.status_code for a in answers) == [200, 412]
        assert (await admin.get(path))["version"] == second["version"] + 1


@pytest.mark.parametrize("method", ["versions", "version", "restore", "uses", "check"])
async def test_only_administrators_see_how_forms_came_about(who: Any, method: str) -> None:
    employee, path = await who("employee"), "/ticket-types/IT_HARDWARE"
    match method:
        case "versions":
            await employee.get(f"{path}/form-versions", expect=403)
        case "version":
            await employee.get(f"{path}/form-versions/1", expect=403)
        case "restore":
            await employee.post(f"{path}/form-versions/1/restore", {"version": 1}, expect=403)
        case "uses":
            await employee.get(f"{path}/fields/budget_code/uses", expect=403)
        case _:
            await employee.post("/ticket-types/form-check", {"form": FORM}, expect=403)


async def test_bad_forms_are_named_and_stored_nowhere(who: Any, kind: Any) -> None:
    made, admin = await kind(), await who("admin")
    bad = {"properties": {"a": {"x-kind": "text", "title": "A", **when("custom.b", "eq", "x")}}}
    for answer in (
        await admin.post("/ticket-types/form-check", {"form": bad}, expect=422),
        await admin.post("/ticket-types", {"key": "BAD_ONE", "name": "Bad", "form": bad}, expect=422),
        await admin.put(f"/ticket-types/{made['key']}", {"name": "X", "form": bad, "version": 1}, expect=422),
    ):
        assert answer["errors"][0]["pointer"] == "/form/properties/a/x-show-when/field"
    await admin.post("/ticket-types/form-check", {"form": FORM, "ticket_type": "NO_SUCH"}, expect=404)
    assert (await admin.get(f"/ticket-types/{made['key']}"))["version"] == 1


async def test_two_who_change_a_form_at_once(who: Any, kind: Any) -> None:
    made, admin = await kind(), await who("admin")
    values = {"name": made["name"], "version": made["version"]}
    forms = [{"properties": {f"f{n}": {"x-kind": "text", "title": f"F{n}"}}} for n in range(4)]
    path = f"/ticket-types/{made['key']}"
    answers = await asyncio.gather(*(admin.put(path, {**values, "form": f}, expect=None) for f in forms))
    assert sorted(a.status_code for a in answers) == [200, 412, 412, 412]
    assert (await admin.get(path))["form_version"] == 2


async def test_types_are_found_by_name_and_state(who: Any, kind: Any) -> None:
    made, admin, employee = await kind(name="Zeppelin rides"), await who("admin"), await who("employee")

    async def keys(api: Any, **params: Any) -> list[str]:
        return [t["key"] for t in (await api.get("/ticket-types", params=params))["items"]]

    assert await keys(admin, q="zeppelin") == await keys(admin, q=made["key"].lower()) == [made["key"]]
    assert await keys(admin, q="zeppelin", is_active=False) == []
    await changed(who, made, made["form"], is_active=False, name="Zeppelin rides")
    assert await keys(admin, q="zeppelin", is_active=False) == [made["key"]]
    assert await keys(employee, q="zeppelin") == await keys(employee, q="zeppelin", is_active=False) == []
    assert await keys(admin, q="x" * 1001) == await keys(admin, q="zepp\x00elin") == [], "any text has an answer"
