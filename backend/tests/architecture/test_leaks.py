"""A marked ticket leaves no trace for whoever may not see it: every endpoint is tried, every event, every message.

A new list is asked by itself; a new path with a parameter fails until it is named in `FILLED`, and whatever changes
something until `leak_register.py` says how it is tried. Kinds of events and notices, and channels, are taken from where
they are declared: a new one is tried by itself.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy import delete, select, update

from tests.architecture.leak_register import BODIES, SAYS_NOTHING, SENTENCE, how
from waypost.access.actor import Actor
from waypost.access.permissions import SYSTEM_ROLES, Permission, Scope
from waypost.approvals import links
from waypost.kernel.clock import now
from waypost.kernel.events import registry
from waypost.live.screens import shown
from waypost.notifications.channels.registry import CHANNELS
from waypost.notifications.kinds import KINDS
from waypost.notifications.models import Delivery
from waypost.notifications.sending import take
from waypost.notifications.settling import SETTLED
from waypost.notifications.still_theirs import INTERNAL, WHY
from waypost.notifications.words import Words
from waypost.search.following import run_all
from waypost.tickets import policy
from waypost.tickets.lifecycle import Status

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
    "kind": lambda marked: "EMPLOYEE",
    "import_id": lambda marked: 1,
    "pack_id": lambda marked: 1,
    "attachment_id": lambda marked: marked["attachment_id"],
    "calendar_id": lambda marked: 1,
    "policy_id": lambda marked: 1,
    "year": lambda marked: 2026,
    "comment_id": lambda marked: marked["comment_id"],
    "delivery_id": lambda marked: 1,
    "mailbox_id": lambda marked: 1,
    "stream_id": lambda marked: 1,
    "provider_id": lambda marked: 1,
    "token_id": lambda marked: 1,
    "run_id": lambda marked: 1,
    "mail_id": lambda marked: 1,
    "role_id": lambda marked: 1,
    "change_id": lambda marked: 1,
    "reply_id": lambda marked: marked["reply_id"],
    "rule_id": lambda marked: 1,
    "number": lambda marked: 1,
    "field": lambda marked: "budget_code",
    "view_id": lambda marked: marked["view_id"],
    "export_id": lambda marked: 1,
    "report_id": lambda marked: 1,
    "schedule_id": lambda marked: 1,
    "file_id": lambda marked: 1,
    "team_id": lambda marked: marked["team"]["id"],
    "department_id": lambda marked: 1,
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


async def test_a_confidential_request_is_found_by_its_own(
    database: Any, who: Any, confidential: dict[str, Any]
) -> None:
    await run_all(database)
    for username in ("employee", "agent", "agent2", "auditor", "admin"):
        api = await who(username)
        found = await api.get("/tickets", params={"q": KEPT, "limit": 100})
        assert confidential["id"] in [t["id"] for t in found["items"]], username
        hits = await api.get("/search", params={"q": KEPT, "limit": 100})
        assert confidential["id"] in [h["ticket"]["id"] for h in hits["items"]], username
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
    await run_all(database)  # it is there to be found
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
    made["workflow_id"] = flow["id"]
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


# --- what changes something -------------------------------------------------------------------------------------------


def changing(app: Any) -> list[tuple[str, str, Any]]:
    """Every operation that is no GET: method, path below the API, route."""
    return sorted(
        (method, r.path.removeprefix("/api/v1"), r)
        for r in iter_route_contexts(app.routes)
        if isinstance(r.original_route, APIRoute) and r.path.startswith("/api/v1")
        for method in (r.methods or ())
        if method not in ("GET", "HEAD", "OPTIONS")
    )


def filled(path: str, marked: dict[str, Any]) -> str:
    for name in re.findall(r"{(\w+)}", path):
        path = path.replace(f"{{{name}}}", str(WRITTEN.get(name, FILLED.get(name, lambda _: 1))(marked)))
    return path


# What of a changing path the marked ticket has nothing of stands for something that is not there.
NOT_THERE = 4611686018427387903
WRITTEN = {
    "workflow_id": lambda marked: marked.get("workflow_id", NOT_THERE),
    "item_id": lambda marked: NOT_THERE,
    "link_id": lambda marked: NOT_THERE,
    "visibility": lambda marked: "PUBLIC",
}


def example_of(app: Any, method: str, path: str) -> Any:
    operation = app.openapi()["paths"].get(f"/api/v1{path}", {}).get(method.lower(), {})
    return operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")


def needed_query(app: Any, method: str, path: str) -> dict[str, Any]:
    operation = app.openapi()["paths"].get(f"/api/v1{path}", {}).get(method.lower(), {})
    needs = [p for p in operation.get("parameters", []) if p["in"] == "query" and p.get("required")]
    return {p["name"]: p["schema"].get("examples", [1])[0] for p in needs}


async def test_every_change_is_registered(app: Any) -> None:
    unsaid = [f"{m} {path}" for m, path, r in changing(app) if how(m, path, r.endpoint.__module__) is None]
    assert unsaid == [], "\n".join(SENTENCE.format(where=where) for where in unsaid)
    there = {f"{m} {path}" for m, path, _ in changing(app)}
    hidden = {word for word in SAYS_NOTHING if word.partition(" ")[2].startswith("/integrations/")}
    assert (BODIES.keys() | SAYS_NOTHING.keys()) - there - hidden == set(), "registered, but not there any more"


async def test_whoever_adds_an_endpoint_is_told_what_to_say() -> None:
    assert how("POST", "/tickets/guess", "waypost.tickets.guess_router") is None
    assert how("POST", "/tickets/{ticket_id}/guess", "waypost.tickets.guess_router") == "foreign"
    assert how("POST", "/guesses", "waypost.access.guess_router") == "nothing"
    assert "say in" in SENTENCE.format(where="POST /tickets/guess")


@pytest.mark.parametrize("username", ["outsider", "hragent", "finance1"])
async def test_who_may_not_see_it_changes_nothing_and_finds_no_trace(
    app: Any, who: Any, marked: dict[str, Any], username: str
) -> None:
    api, tried = await who(username), 0
    for method, path, route in changing(app):
        kind = how(method, path, route.endpoint.__module__)
        if kind == "nothing":
            continue
        body = BODIES[f"{method} {path}"](marked) if kind == "body" else example_of(app, method, path)
        params = needed_query(app, method, path)
        answer = await api.call(method, filled(path, marked), body, expect=None, params=params)
        where = f"{username} {method} {path} -> {answer.status_code}"
        assert answer.status_code < 500, where
        if kind == "foreign":
            assert answer.status_code in (403, 404), f"{where} {answer.text[:300]}"
        document = answer.json() if "json" in answer.headers.get("content-type", "") else {"text": answer.text}
        if answer.status_code >= 400:
            document.pop("instance", None)
        assert traces(json.dumps(document), marked) == [], where
        tried += 1
    assert tried > 50


ROLES = ("employee", "manager", "department_head", "finance_committee", "agent", "executive")


@pytest.fixture(scope="module")
async def of_one_role(app: Any, who: Any) -> Any:
    """Somebody with one role and nothing else: nobody's manager, head of nothing, in no team."""
    from tests.conftest import PASSWORD, Api

    admin = await who("admin")
    made: dict[str, Api] = {}
    for role in ROLES:
        name = f"only.{role.replace('_', '.')}"
        body = {"username": name, "email": f"{name}@example.com", "first_name": "Only", "last_name": role}
        await admin.post("/users", body | {"roles": [role], "password": PASSWORD}, expect=201)
        made[role] = await Api(app, name).sign_in()
    yield made
    for api in made.values():
        await api.http.aclose()


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_is_answered_as_its_permissions_say(
    app: Any, of_one_role: Any, confidential: dict[str, Any], role: str
) -> None:
    """Role × route, of a confidential ticket of others: 403 without the route's permission, 404 with it."""
    api, wrong, asked = of_one_role[role], [], 0
    held = {p.value for p in SYSTEM_ROLES[role][1]}
    for method, path, route in [*changing(app), *reading(app)]:
        if not {"ticket_id", "attachment_id"} & set(re.findall(r"{(\w+)}", path)):
            continue
        needed = declared(route.dependant)
        expected = 404 if needed <= held else 403
        body, params = example_of(app, method, path), needed_query(app, method, path)
        answer = await api.call(method, filled(path, confidential), body, expect=None, params=params)
        asked += 1
        if answer.status_code != expected:
            wrong.append(f"{method} {path} -> {answer.status_code}, not {expected} ({sorted(needed)})")
    assert asked > 40
    assert wrong == []


def reading(app: Any) -> list[tuple[str, str, Any]]:
    return [
        ("GET", r.path.removeprefix("/api/v1"), r)
        for r in iter_route_contexts(app.routes)
        if isinstance(r.original_route, APIRoute) and "GET" in (r.methods or ()) and r.path.startswith("/api/v1")
    ]


def declared(dependant: Any) -> set[str]:
    found = {p.value for d in dependant.dependencies if (p := getattr(d.call, "permission", None))}
    return found.union(*(declared(d) for d in dependant.dependencies), set())


# --- what is told without being asked ---------------------------------------------------------------------------------


def happened(kind: Any, visibility: str = "PUBLIC") -> Any:
    """An event of this kind about the marked ticket, with marks in all its words."""
    from waypost.live.follower import Happened

    data = {f.name: MARK if f.type in ("str", "str | None") else 1 for f in dataclasses.fields(kind)}
    if "new_status" in data:
        data["new_status"] = "CLOSED"
    if "visibility" in data:
        data["visibility"] = visibility
    return Happened((1, 1), kind.type, kind.object_type, 7, data, 3, datetime(2026, 3, 1, tzinfo=UTC))


def test_no_kind_of_event_reaches_whoever_may_not_see_it() -> None:
    """Every kind of event there is, on the open stream: not to outsiders, and to nobody with a word in it."""
    facts = {7: policy.TicketFacts(Status.APPROVED, 1, 2, 5, 6, frozenset({4}))}
    rights = dict.fromkeys(Permission, Scope.OWN)
    outsider = Actor(99, "x", None, rights, team_ids=frozenset({50}))
    requester = Actor(1, "x", None, rights)
    member = Actor(8, "x", None, dict.fromkeys(Permission, Scope.TEAM), team_ids=frozenset({5}))
    told = set()
    for name, kind in registry.items():
        if name.startswith("test."):
            continue
        for visibility in ("PUBLIC", "INTERNAL"):
            event = happened(kind, visibility)
            assert shown(outsider, event, facts) is None, name
            for reader in (requester, member):
                seen = shown(reader, event, facts)
                assert MARK not in json.dumps(seen), f"{name}: a live event tells ids, never words"
                if seen is not None:
                    told.add((name, reader is member))
            is_internal = "visibility" in event.data and visibility == "INTERNAL" and kind.object_type == "ticket"
            if is_internal:
                assert shown(requester, event, facts) is None, f"{name}: internal ones are the team's"
    assert ("comment.created", True) in told
    assert ("ticket.approved", False) in told


async def test_nothing_that_waits_is_sent_to_whoever_may_not_see_it_any_more(
    who: Any, marked: dict[str, Any], database: Any
) -> None:
    """Each kind of notice by each channel, written for somebody who lost the right to it before it was sent."""
    outsider, employee, agent = await who("outsider"), await who("employee"), await who("agent")
    at, event_ids = now(), itertools.count(10**12)
    kinds = sorted(set(KINDS) - {SETTLED})
    readers = [(outsider.id, False), (employee.id, True), (employee.id, False), (agent.id, True)]
    async with database.transaction() as session:
        waiting = update(Delivery).where(Delivery.status == "PENDING").values(next_at=at + timedelta(days=1))
        await session.execute(waiting)
        for channel in CHANNELS:
            for kind in kinds:
                for reader_id, is_internal in readers:
                    words = Words(title=MARK, body=f"{MARK} {SECRET}", ticket_id=marked["id"]).kept()
                    session.add(
                        Delivery(
                            channel=channel,
                            user_id=reader_id,
                            event_id=next(event_ids),
                            kind=kind,
                            recipient="x",
                            subject=MARK,
                            words=words | ({INTERNAL: True} if is_internal else {}),
                            headers={},
                            message_id="<x>",
                            status="PENDING",
                            next_at=at - timedelta(minutes=1),
                            created_at=at,
                        )
                    )
    for channel in CHANNELS:
        letters: list[Any] = []
        while (taken := await take(database, channel, 500)) is not None:
            letters += taken
        by_reader = Counter(letter.message.user_id for letter in letters)
        assert by_reader == {employee.id: len(kinds), agent.id: len(kinds)}, channel
    async with database.transaction() as session:
        kept = await session.execute(select(Delivery.status, Delivery.last_error).where(Delivery.event_id >= 10**12))
        assert {(s, e) for s, e in kept if s == "FAILED"} == {("FAILED", WHY)}
        await session.execute(delete(Delivery).where(Delivery.event_id >= 10**12))
        await session.execute(update(Delivery).where(Delivery.status == "PENDING").values(next_at=at))
