"""Files that answer a question of the form stay with the answer; files that two take away at once go once."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from tests.conftest import Api
from tests.tickets.test_attachments import upload

_numbers = itertools.count(1)
FORM = {"properties": {"papers": {"x-kind": "file", "title": "Papers"}}}


@pytest.fixture
async def asked(who: Any) -> Any:
    """A request of a type that asks for papers, with one file that answers and one that does not."""
    admin, employee, agent = await who("admin"), await who("employee"), await who("agent")
    team = agent.me["teams"][0]["id"] if agent.me.get("teams") else None

    async def make(*, submit: bool = True, **more: Any) -> tuple[dict[str, Any], int, int]:
        key = f"PAPERS_{next(_numbers)}"
        kind = {"key": key, "name": key, "form": FORM, "requires_approval": False, "team_id": team}
        await admin.post("/ticket-types", {**kind, **more}, expect=201)
        written = {"title": "With papers", "ticket_type": key, "submit": False}
        ticket = await employee.post("/tickets", written, expect=201)
        answering = (await upload(employee, ticket, b"the quote", "quote.txt"))["id"]
        other = (await upload(employee, ticket, b"a note", "note.txt"))["id"]
        path = f"/tickets/{ticket['id']}"
        filled = {"version": ticket["version"], "custom_fields": {"papers": [answering]}}
        ticket = await employee.put(path, filled)
        if submit:
            ticket = await employee.post(f"{path}/transitions", {"to": "SUBMITTED"})
        return ticket, answering, other

    return make


async def actions_of(api: Api, ticket: dict[str, Any]) -> dict[int, list[str]]:
    files = (await api.get(f"/tickets/{ticket['id']}/attachments"))["items"]
    return {f["id"]: f["allowed_actions"] for f in files}


@pytest.mark.parametrize("submit", [False, True])
async def test_an_answer_is_not_taken_away(who: Any, asked: Any, submit: bool) -> None:
    employee = await who("employee")
    ticket, answering, other = await asked(submit=submit)
    assert await actions_of(employee, ticket) == {answering: [], other: ["delete"]}
    refused = await employee.delete(f"/attachments/{answering}", expect=409)
    assert refused["code"] == "attachment_is_answer"
    await employee.delete(f"/attachments/{other}")
    got = await employee.get(f"/attachments/{answering}", expect=None)
    assert got.content == b"the quote"


async def test_taken_out_of_the_answer_it_may_go(who: Any, asked: Any) -> None:
    employee = await who("employee")
    ticket, answering, _ = await asked(submit=False)
    await employee.put(f"/tickets/{ticket['id']}", {"version": ticket["version"], "custom_fields": {}})
    await employee.delete(f"/attachments/{answering}")


async def test_naming_it_while_it_is_taken_away(who: Any, asked: Any) -> None:
    employee = await who("employee")
    for _ in range(4):
        ticket, answering, other = await asked(submit=False)
        path = f"/tickets/{ticket['id']}"
        named = {"version": ticket["version"], "custom_fields": {"papers": [answering, other]}}
        put, gone = await asyncio.gather(
            employee.put(path, named, expect=None), employee.delete(f"/attachments/{other}", expect=None)
        )
        assert (put.status_code, gone.status_code) in {(200, 409), (422, 204)}
        papers = (await employee.get(path))["custom_fields"]["papers"]
        assert set(papers) <= set(await actions_of(employee, ticket))


async def test_several_take_one_away_at_once(who: Any, asked: Any) -> None:
    employee = await who("employee")
    ticket, _, other = await asked()
    answers = await asyncio.gather(*(employee.delete(f"/attachments/{other}", expect=None) for _ in range(5)))
    assert sorted(a.status_code for a in answers) == [204, 404, 404, 404, 404]
    history = (await employee.get(f"/tickets/{ticket['id']}/history"))["items"]
    assert len([e for e in history if "note.txt" in e["summary"]]) == 2, "added once, taken away once"


async def test_a_split_leaves_answers(who: Any, asked: Any) -> None:
    employee, agent = await who("employee"), await who("agent")
    ticket, answering, other = await asked()
    path = f"/tickets/{ticket['id']}"
    said = await employee.post(f"{path}/comments", {"body": "And another thing"}, expect=201)
    body = {"title": "The other thing", "ticket_type": ticket["ticket_type"], "comment_ids": [said["id"]]}
    refused = await agent.post(f"{path}/split", {**body, "attachment_ids": [other, answering]}, expect=409)
    assert refused["code"] == "attachment_is_answer"
    assert set(await actions_of(employee, ticket)) == {answering, other}
    made = await agent.post(f"{path}/split", {**body, "attachment_ids": [other]}, expect=201)
    assert set(await actions_of(employee, made["ticket"])) == {other}


async def test_merging_leaves_answers_with_the_duplicate(who: Any, asked: Any) -> None:
    employee, agent = await who("employee"), await who("agent")
    (double, answering, other), (main, *kept) = await asked(), await asked()
    there = f"/tickets/{double['id']}"
    seen = await agent.get(f"{there}/merge-preview", params={"into": main["id"]})
    assert seen["files"] == 1
    await agent.post(f"{there}/merge", {"into_id": main["id"], "seen": seen["seen"]})
    assert set(await actions_of(employee, double)) == {answering}
    assert set(await actions_of(employee, main)) == {other, *kept}
    assert (await employee.get(there))["custom_fields"]["papers"] == [answering]
