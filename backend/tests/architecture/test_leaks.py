"""A marked ticket leaves no trace for whoever may not see it: every GET of the API is asked, and the open stream.

A new list is asked by itself; a new path with a parameter fails until it is named in `FILLED`.
"""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import uuid4

import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from waypost.approvals import links

MARK = "Zebrafinch"
SECRET = "Okapi"  # stands in internal words only

# What stands for a path's parameter: of the marked ticket, or of something everybody may see.
FILLED = {
    "secret": lambda marked: "none",
    "ticket_id": lambda marked: marked["id"],
    "key": lambda marked: marked["ticket_type"],
    "definition_id": lambda marked: 1,
    "step_id": lambda marked: marked["step_id"],
    "job_id": lambda marked: marked["job_id"],
    "import_id": lambda marked: 1,
    "pack_id": lambda marked: 1,
    "attachment_id": lambda marked: marked["attachment_id"],
    "comment_id": lambda marked: marked["comment_id"],
    "delivery_id": lambda marked: 1,
    "mailbox_id": lambda marked: 1,
    "provider_id": lambda marked: 1,
    "token_id": lambda marked: 1,
    "mail_id": lambda marked: 1,
    "role_id": lambda marked: 1,
    "reply_id": lambda marked: marked["reply_id"],
    "number": lambda marked: 1,
    "field": lambda marked: "budget_code",
    "view_id": lambda marked: marked["view_id"],
    "team_id": lambda marked: marked["team"]["id"],
    "version": lambda marked: 1,
    "user_id": lambda marked: 1,
    "token": lambda marked: "1.1.1.1.x",
    "link_token": lambda marked: marked["link_token"],
    "draft_id": lambda marked: marked["draft_id"],
    "review_id": lambda marked: marked["review_id"],
    "delegation_id": lambda marked: marked["delegation_id"],
}
ENDLESS = {"/api/v1/events/stream"}  # asked below
WORDS = ("q", "actor_id", "requester_id", "object_id", "assignee_id")


KEPT = "Quokka"  # stands in a confidential request only


@pytest.fixture(scope="module")
async def confidential(who: Any) -> dict[str, Any]:
    """Told to the team by the employee, and to nobody else: a comment, a file, a tag, a job."""
    employee, agent = await who("employee"), await who("agent")
    body = {
        "title": f"{KEPT} at work",
        "description": f"About the {KEPT}",
        "ticket_type": "IT_SUPPORT",
        "custom_fields": {},
        "tags": [KEPT.lower()],
        "is_confidential": True,
        "submit": True,
    }
    ticket = await employee.post("/tickets", body, expect=201)
    path = f"/tickets/{ticket['id']}"
    await employee.post(f"{path}/comments", {"body": f"The {KEPT} again"}, expect=201)
    file = await employee.post(
        f"{path}/attachments", expect=201, files={"file": (f"{KEPT}.txt", KEPT.encode(), "text/plain")}
    )
    many = await agent.post(
        "/tickets/bulk", {"ticket_ids": [ticket["id"]], "action": {"type": "comment", "body": KEPT}}
    )
    return _Otherwise(ticket, attachment_id=file["id"], job_id=many["job"]["id"])


class _Otherwise(dict[str, Any]):
    """What the request has nothing of stands for something that does not exist."""

    def __missing__(self, _key: str) -> str:
        return "4611686018427387903"


@pytest.mark.parametrize("username", ["manager", "head", "executive", "colleague", "hragent"])
async def test_a_confidential_request_is_kept_from_those_above(
    app: Any, who: Any, confidential: dict[str, Any], username: str
) -> None:
    api, requester = await who(username), await who("employee")
    for address in addresses(app, confidential, requester.id, KEPT):
        answer = await api.get(address, expect=None)
        assert answer.status_code < 500, address
        document = answer.json() if "json" in answer.headers.get("content-type", "") else {"text": answer.text}
        if answer.status_code >= 400:
            document.pop("instance", None)
        text = json.dumps(document)
        for word in (KEPT, KEPT.lower(), confidential["ticket_number"]):
            assert word not in text, f"{username} GET {address} -> {answer.status_code}"
    path = f"/tickets/{confidential['id']}"
    await api.put(path, {"title": "x", "version": 1}, expect=404)
    await api.post(f"{path}/comments", {"body": "x"}, expect=404)
    await api.put(f"{path}/watchers/{api.id}", expect=404)
    action = {"type": "comment", "body": "x"}
    done = await api.post("/tickets/bulk", {"ticket_ids": [confidential["id"]], "action": action})
    assert done["results"][0]["error"]["code"] == "ticket_not_found"


async def test_a_confidential_request_is_not_counted_for_those_above(who: Any, confidential: dict[str, Any]) -> None:
    head, employee = await who("head"), await who("employee")
    before = (await head.get("/reports/dashboard"))["tickets_by_status"]
    body = {"title": KEPT, "ticket_type": "IT_SUPPORT", "custom_fields": {}, "is_confidential": True}
    await employee.post("/tickets", body, expect=201)
    assert (await head.get("/reports/dashboard"))["tickets_by_status"] == before


async def test_a_confidential_request_is_found_by_its_own(who: Any, confidential: dict[str, Any]) -> None:
    for username in ("employee", "agent", "agent2", "auditor", "admin"):
        api = await who(username)
        found = await api.get("/tickets", params={"q": KEPT, "limit": 100})
        assert confidential["id"] in [t["id"] for t in found["items"]], username
        assert (await api.get("/tags", params={"q": KEPT[:3]}))["items"] == [KEPT.lower()]


@pytest.fixture(scope="module")
async def marked(who: Any, database: Any) -> dict[str, Any]:
    employee, agent = await who("employee"), await who("agent")
    body = {
        "title": f"{MARK} laptop",
        "description": f"About the {MARK}",
        "ticket_type": "IT_HARDWARE",
        "amount": "731.00",
        "custom_fields": {"budget_code": MARK, "justification": MARK},
        "submit": True,
    }
    ticket = await employee.post("/tickets", body, expect=201)
    path = f"/tickets/{ticket['id']}"
    clearer = {"description": f"All about the {MARK}", "version": ticket["version"]}
    await employee.put(path, clearer)  # approvers can read what was changed
    (flow,) = (await employee.get(f"{path}/approvals"))["items"]
    said = await employee.post(f"{path}/comments", {"body": f"The {MARK} again"}, expect=201)
    better = {"body": f"The {MARK} once more", "version": 1}
    await employee.put(f"{path}/comments/{said['id']}", better)
    await employee.put(f"{path}/comment-drafts/PUBLIC", {"body": f"And the {MARK}"})
    await agent.put(f"{path}/comment-drafts/INTERNAL", {"body": f"And the {SECRET}"})
    reply = await agent.post("/canned-replies", {"title": MARK, "body": f"{MARK} {SECRET}"}, expect=201)
    await agent.post(f"{path}/comments", {"body": f"{MARK} {SECRET}", "visibility": "INTERNAL"}, expect=201)
    file = await employee.post(
        f"{path}/attachments", expect=201, files={"file": (f"{MARK}.txt", f"{MARK} once more".encode(), "text/plain")}
    )
    secret = {"visibility": (None, "INTERNAL"), "file": (f"{SECRET}.txt", SECRET.encode(), "text/plain")}
    await agent.post(f"{path}/attachments", expect=201, files=secret)
    action = {"type": "comment", "body": MARK}
    many = await agent.post("/tickets/bulk", {"ticket_ids": [ticket["id"]], "action": action})
    content = {"title": MARK, "description": f"{MARK}, not sent yet"}
    draft = {"id": str(uuid4()), "ticket_type": "IT_HARDWARE", "content": content}
    await employee.post("/request-drafts", draft, expect=201)
    made = {
        "step_id": next(s["id"] for stage in flow["stages"] for s in stage["steps"]),
        "attachment_id": file["id"],
        "job_id": many["job"]["id"],
        "comment_id": said["id"],
        "reply_id": reply["id"],
    }
    manager = await who("manager")
    async with database.transaction() as session:
        made["link_token"] = await links.issue(session, made["step_id"], manager.id)
    until = {"starts_at": "2031-01-01T00:00:00Z", "ends_at": "2031-01-02T00:00:00Z"}
    colleague = await who("colleague")
    lets = {"delegate_id": colleague.id, "reason": f"{MARK} {SECRET}", **until}
    delegation = await (await who("agent")).post("/approvals/delegations", lets, expect=201)
    urgent = await employee.post("/tickets", body | {"priority": "CRITICAL"}, expect=201)
    (running,) = (await employee.get(f"/tickets/{urgent['id']}/approvals"))["items"]
    glass = f"/approvals/workflows/{running['id']}/break-glass"
    broken = await (await who("head")).post(glass, {"comments": f"{MARK} burns"})
    made["review_id"] = broken["review"]["id"]
    view = await employee.post("/saved-views", {"name": MARK, "filters": {"q": MARK}}, expect=201)
    return {**ticket, **made, "draft_id": draft["id"], "view_id": view["id"], "delegation_id": delegation["id"]}


def readable(app: Any) -> list[str]:
    return sorted(
        r.path
        for r in iter_route_contexts(app.routes)
        if isinstance(r.original_route, APIRoute) and "GET" in (r.methods or ()) and r.path.startswith("/api/v1")
    )


def addresses(app: Any, marked: dict[str, Any], person_id: int, word: str = MARK) -> list[str]:
    found = []
    for path in readable(app):
        if path in ENDLESS or path in ("/api/v1/docs",):
            continue
        for name in re.findall(r"{(\w+)}", path):
            assert name in FILLED, f"{path}: say in FILLED what stands for {name}"
            path = path.replace(f"{{{name}}}", str(FILLED[name](marked)))
        path = path.removeprefix("/api/v1")
        found += [path, f"{path}?limit=100", f"{path}?q={word}", f"{path}?q={marked['ticket_number']}"]
        found.append(f"{path}?requester_id={person_id}&limit=100")
    return found


def traces(text: str, marked: dict[str, Any]) -> list[str]:
    words = [MARK, MARK.lower(), marked["ticket_number"], SECRET]
    return [w for w in words if w in text]


@pytest.mark.parametrize("username", ["outsider", "hragent", "finance1"])
async def test_who_may_not_see_it_finds_no_trace(app: Any, who: Any, marked: dict[str, Any], username: str) -> None:
    api, requester = await who(username), await who("employee")
    asked = addresses(app, marked, requester.id)
    assert len(asked) > 80
    for address in asked:
        answer = await api.get(address, expect=None)
        assert answer.status_code < 500, address
        # what was asked for may be named again in the instance of a problem
        document = answer.json() if "json" in answer.headers.get("content-type", "") else {"text": answer.text}
        if answer.status_code >= 400:
            document.pop("instance", None)
        found = traces(json.dumps(document), marked)
        assert found == [], f"{username} GET {address} -> {answer.status_code}: {found}"


async def test_counts_do_not_tell_either(who: Any, marked: dict[str, Any]) -> None:
    outsider, employee = await who("outsider"), await who("employee")

    async def numbers() -> Any:
        return (await outsider.get("/reports/dashboard"))["tickets_by_status"], (await outsider.get("/notifications"))[
            "unread_count"
        ]

    before = await numbers()
    body = {"title": MARK, "ticket_type": "HR", "custom_fields": {}, "submit": True}
    await employee.post("/tickets", body, expect=201)
    assert await numbers() == before


@pytest.mark.parametrize("username", ["employee", "manager", "colleague", "outsider"])
async def test_internal_words_stay_with_the_team(app: Any, who: Any, marked: dict[str, Any], username: str) -> None:
    api = await who(username)
    for address in addresses(app, marked, api.id):
        answer = await api.get(address, expect=None)
        assert SECRET not in answer.text, f"{username} GET {address}"


async def test_the_suite_would_notice(app: Any, who: Any, marked: dict[str, Any]) -> None:
    """The requester finds the mark, and the agent the internal words: the search itself works."""
    employee, agent = await who("employee"), await who("agent")
    seen = [a for a in addresses(app, marked, employee.id) if MARK in (await employee.get(a, expect=None)).text]
    assert len(seen) > 10
    internal = [a for a in addresses(app, marked, employee.id) if SECRET in (await agent.get(a, expect=None)).text]
    assert any("comments" in a for a in internal)
