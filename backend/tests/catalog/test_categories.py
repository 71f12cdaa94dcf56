"""The headings of the catalogue, and the everyday words of a type."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

FORM = {"type": "object", "properties": {"note": {"type": "string"}}}


async def names(api: Any) -> list[str]:
    return [c["name"] for c in (await api.get("/categories"))["items"]]


async def test_the_demo_company_has_its_categories_in_order(fresh_who: Any) -> None:
    employee = await fresh_who("employee")
    assert await names(employee) == ["IT", "HR", "Finance", "Facilities", "Other"]
    items = (await employee.get("/categories"))["items"]
    assert {c["name"]: c["type_count"] for c in items} == {"IT": 2, "HR": 1, "Finance": 1, "Facilities": 1, "Other": 0}


async def test_a_category_is_added_renamed_moved_and_removed(fresh_who: Any) -> None:
    admin = await fresh_who("admin")
    made = await admin.post("/categories", {"name": " Legal  desk "}, expect=201)
    assert (made["name"], made["position"], made["type_count"]) == ("Legal desk", 6, 0)
    await admin.post("/categories", {"name": "legal DESK"}, expect=409)
    body = {"key": "LEGAL", "name": "Legal", "form": FORM, "category": "Legal desk", "keywords": ["contract", "NDA"]}
    await admin.post("/ticket-types", body, expect=201)
    path = f"/categories/{made['id']}"
    changed = await admin.put(path, {"name": "Law", "position": 1, "version": made["version"]})
    assert (changed["name"], changed["position"], changed["type_count"]) == ("Law", 1, 1)
    assert await names(admin) == ["Law", "IT", "HR", "Finance", "Facilities", "Other"]
    kind = await admin.get("/ticket-types/LEGAL")
    assert (kind["category"], kind["keywords"]) == ("Law", ["contract", "NDA"])
    stale = await admin.put(path, {"name": "Lawyers", "version": made["version"]}, expect=412)
    assert stale["current_version"] == changed["version"]
    assert (await admin.put(path, {"name": "Law", "version": changed["version"]})) == changed, "nothing changed"
    await admin.put(path, {"name": "it", "version": changed["version"]}, expect=409)
    in_use = await admin.call("DELETE", path, expect=409)
    assert in_use["code"] == "category_in_use"
    values = {"name": "Legal", "form": FORM, "category": "Other", "version": kind["version"]}
    await admin.put("/ticket-types/LEGAL", values)
    await admin.call("DELETE", path, expect=204)
    await admin.call("DELETE", path, expect=404)
    assert await names(admin) == ["IT", "HR", "Finance", "Facilities", "Other"]
    log = (await admin.get("/audit", params={"object_type": "category", "object_id": made["id"]}))["items"]
    assert [e["action"] for e in log] == ["category.removed", "category.updated", "category.created"]


@pytest.mark.parametrize("body", [{}, {"name": " "}, {"name": "x" * 65}, {"name": "A", "position": 0}, {"name": 5}])
async def test_bad_categories(who: Any, body: dict[str, Any]) -> None:
    admin = await who("admin")
    before = await names(admin)
    await admin.post("/categories", body, expect=422)
    assert await names(admin) == before


async def test_only_administrators_order_the_catalogue(who: Any) -> None:
    employee = await who("employee")
    first = (await employee.get("/categories"))["items"][0]
    await employee.post("/categories", {"name": "Mine"}, expect=403)
    await employee.put(f"/categories/{first['id']}", {"name": "Mine", "version": 1}, expect=403)
    await employee.call("DELETE", f"/categories/{first['id']}", expect=403)


async def test_two_who_add_the_same_category_make_one(fresh_who: Any) -> None:
    admin = await fresh_who("admin")
    answers = await asyncio.gather(*(admin.post("/categories", {"name": "Legal"}, expect=None) for _ in range(4)))
    assert sorted(a.status_code for a in answers) == [201, 409, 409, 409]
    assert (await names(admin)).count("Legal") == 1


async def test_a_type_belongs_to_a_category_there_is(who: Any) -> None:
    admin = await who("admin")
    body = {"key": "NOWHERE", "name": "Nowhere", "form": FORM, "category": "No such heading"}
    wrong = await admin.post("/ticket-types", body, expect=422)
    assert wrong["errors"][0]["pointer"] == "/category"


async def test_keywords_are_kept_each_once(who: Any) -> None:
    admin = await who("admin")
    body = {"key": "WORDS", "name": "Words", "form": FORM, "keywords": ["Laptop", "notebook", "laptop", " mac  book "]}
    made = await admin.post("/ticket-types", body, expect=201)
    assert made["keywords"] == ["Laptop", "notebook", "mac book"]
    for wrong in ([""], ["x" * 51], ["a"] * 51, "laptop", [5]):
        await admin.post("/ticket-types", body | {"key": "WORDS_2", "keywords": wrong}, expect=422)
