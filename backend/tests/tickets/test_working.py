"""Checklist, links, merging, splitting, and two people who change one ticket."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from waypost.tickets import reviewing
from waypost.tickets.linking import OPPOSITE, WORDS, word_of
from waypost.tickets.models import Ticket

Make = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def make(who: Any) -> Make:
    async def made(username: str = "employee", **more: Any) -> dict[str, Any]:
        body = {"title": "Screen", "ticket_type": "IT_SUPPORT", "submit": True, "custom_fields": {}, **more}
        return dict(await (await who(username)).post("/tickets", body, expect=201))

    return made


async def look(who: Any, double_id: int, main_id: int, username: str = "admin") -> str:
    """What one has seen of what merging these would do."""
    person = await who(username)
    preview = await person.get(f"/tickets/{double_id}/merge-preview", params={"into": main_id})
    return str(preview["seen"])


def words_of(history: dict[str, Any]) -> list[str]:
    return [e["summary"] for e in history["items"]]


# --- two at once ------------------------------------------------------------------------------------------------------


async def test_a_conflict_says_what_changed_since(who: Any, make: Make) -> None:
    agent, agent2 = await who("agent"), await who("agent2")
    ticket = await make()
    path, read = f"/tickets/{ticket['id']}", ticket["version"]
    await agent2.put(path, {"priority": "HIGH", "version": read})
    await agent2.put(path, {"priority": "CRITICAL", "tags": ["fire"], "version": read + 1})
    await agent2.post(f"{path}/assign", {"assignee_id": agent2.id})
    stale = await agent.put(path, {"priority": "LOW", "version": read}, expect=412)
    assert stale["current_version"] == read + 3
    changed = {c["field"]: c for c in stale["changed"]}
    assert set(changed) == {"priority", "tags", "assignee"}
    assert changed["priority"]["value"] == "CRITICAL"
    assert changed["assignee"]["value"]["id"] == agent2.id
    assert changed["tags"]["value"] == ["fire"]
    assert all(c["by"]["id"] == agent2.id and c["at"] for c in changed.values())
    seen = {c["field"] for c in (await agent.put(path, {"tags": [], "version": read + 2}, expect=412))["changed"]}
    assert seen == {"assignee"}, "only what came after the version one read"


async def test_assigning_and_moving_may_name_a_version(who: Any, make: Make) -> None:
    agent = await who("agent")
    ticket = await make()
    path, old = f"/tickets/{ticket['id']}", {"If-Match": f'"{ticket["id"]}-{ticket["version"]}"'}
    moved = await agent.post(f"{path}/transitions", {"to": "IN_PROGRESS"}, headers=old)
    stale = await agent.post(f"{path}/assign", {"assignee_id": agent.id}, expect=412, headers=old)
    assert [c["field"] for c in stale["changed"]] == ["status"]
    await agent.post(f"{path}/transitions", {"to": "COMPLETED"}, expect=412, headers=old)
    new = {"If-Match": f'"{ticket["id"]}-{moved["version"]}"'}
    assert (await agent.post(f"{path}/assign", {"assignee_id": agent.id}, headers=new))["assignee"]["id"] == agent.id
    await (await who("auditor")).post(f"{path}/transitions", {"to": "COMPLETED"}, expect=403, headers=old)


@pytest.mark.parametrize("version", [2**31 - 1, 2**31, 2**33])
async def test_a_version_nobody_can_have_read(who: Any, make: Make, version: int) -> None:
    agent = await who("agent")
    ticket = await make()
    path, read = f"/tickets/{ticket['id']}", {"If-Match": f'"{ticket["id"]}-{version}"'}
    refused = await agent.put(path, {"priority": "LOW", "version": version}, expect=None)
    assert refused.status_code == (412 if version < 2**31 else 422)
    await agent.put(path, {"priority": "LOW"}, expect=412, headers=read)
    await agent.post(f"{path}/transitions", {"to": "IN_PROGRESS"}, expect=412, headers=read)
    await agent.post(f"{path}/assign", {"assignee_id": agent.id}, expect=412, headers=read)
    assert (await agent.get(path))["version"] == ticket["version"]


# --- checklist --------------------------------------------------------------------------------------------------------


async def test_a_checklist(who: Any, make: Make) -> None:
    employee, agent = await who("employee"), await who("agent")
    ticket = await make()
    path = f"/tickets/{ticket['id']}/checklist"
    await employee.post(path, {"text": "Mine"}, expect=403)
    items = [await agent.post(path, {"text": f" Step  {n}"}, expect=201) for n in range(3)]
    assert items[0]["text"] == "Step 0"
    ticked = await agent.put(f"{path}/{items[0]['id']}", {"is_done": True})
    assert (ticked["is_done"], ticked["done_by"]["id"]) == (True, agent.id)
    await agent.put(f"{path}/{items[2]['id']}", {"position": 0})
    await agent.put(f"{path}/{items[1]['id']}", {"text": "The middle one", "position": 1000})
    seen = (await employee.get(f"/tickets/{ticket['id']}/surroundings"))["checklist"]
    assert [(i["text"], i["is_done"]) for i in seen] == [("Step 2", False), ("Step 0", True), ("The middle one", False)]
    read = await employee.get(f"/tickets/{ticket['id']}")
    assert read["checklist"] == {"done": 1, "total": 3}
    assert read["version"] == ticket["version"], "like a comment it makes nobody's edit stale"
    listed = await agent.get("/tickets", params={"limit": 100})
    assert next(t for t in listed["items"] if t["id"] == ticket["id"])["checklist"] == {"done": 1, "total": 3}
    await agent.call("DELETE", f"{path}/{items[0]['id']}", expect=204)
    await agent.call("DELETE", f"{path}/{items[0]['id']}", expect=404)
    assert (await agent.get(f"/tickets/{ticket['id']}"))["checklist"] == {"done": 0, "total": 2}
    words = words_of(await employee.get(f"/tickets/{ticket['id']}/history"))
    assert "ticked off: Step 0" in words
    assert "took off the checklist: Step 0" in words


@pytest.mark.parametrize("body", [{"text": ""}, {"text": "x" * 301}, {"text": 5}, {}, {"text": "x", "more": 1}])
async def test_wrong_items_are_refused(who: Any, make: Make, body: dict[str, Any]) -> None:
    agent, ticket = await who("agent"), await make()
    await agent.post(f"/tickets/{ticket['id']}/checklist", body, expect=422)
    assert (await agent.get(f"/tickets/{ticket['id']}/surroundings"))["checklist"] == []


async def test_a_checklist_is_bounded_and_counted_right_under_load(who: Any, make: Make) -> None:
    agent, ticket = await who("agent"), await make()
    path = f"/tickets/{ticket['id']}/checklist"
    answers = []
    for _ in range(7):
        answers += await asyncio.gather(*(agent.post(path, {"text": f"{n}"}, expect=None) for n in range(15)))
    assert sorted(a.status_code for a in answers) == [201] * 100 + [409] * 5
    ids = [a.json()["id"] for a in answers if a.status_code == 201]
    await asyncio.gather(*(agent.put(f"{path}/{i}", {"is_done": True}) for i in ids[:10]))
    assert (await agent.get(f"/tickets/{ticket['id']}"))["checklist"] == {"done": 10, "total": 100}


# --- links ------------------------------------------------------------------------------------------------------------


def test_every_link_reads_at_both_ends() -> None:
    for word, (kind, is_from) in WORDS.items():
        assert word_of(kind, is_from=is_from) == word
        assert OPPOSITE[OPPOSITE[word]] == word
        assert word_of(kind, is_from=not is_from) == OPPOSITE[word]


async def test_links_show_at_both_ends_to_those_who_see_both(who: Any, make: Make) -> None:
    agent, employee, colleague = await who("agent"), await who("employee"), await who("colleague")
    mine, theirs = await make(), await make("colleague", title="Theirs")
    path = f"/tickets/{mine['id']}"
    await employee.post(f"{path}/links", {"word": "BLOCKS", "ticket_id": theirs["id"]}, expect=422)
    await employee.post(f"{path}/links", {"word": "BLOCKS", "ticket_id": mine["id"]}, expect=422)
    made = await agent.post(f"{path}/links", {"word": "BLOCKED_BY", "ticket_id": theirs["id"]}, expect=201)
    assert [(x["word"], x["ticket"]["id"]) for x in made["links"]] == [("BLOCKED_BY", theirs["id"])]
    other = await agent.get(f"/tickets/{theirs['id']}/surroundings")
    assert [(x["word"], x["ticket"]["id"]) for x in other["links"]] == [("BLOCKS", mine["id"])]
    await agent.post(f"{path}/links", {"word": "BLOCKED_BY", "ticket_id": theirs["id"]}, expect=409)
    assert (await employee.get(f"{path}/surroundings"))["links"] == [], "not even that there is one"
    told = await employee.get(f"{path}/history")
    assert "ticket.linked" not in [e["type"] for e in told["items"]], "nor in what happened"
    assert theirs["ticket_number"] in words_of(await agent.get(f"{path}/history"))[-1]
    link_id = made["links"][0]["id"]
    await employee.call("DELETE", f"{path}/links/{link_id}", expect=404)
    await colleague.call("DELETE", f"/tickets/{theirs['id']}/links/{link_id}", expect=404)
    await agent.call("DELETE", f"/tickets/{theirs['id']}/links/{link_id}", expect=204)
    assert (await agent.get(f"{path}/surroundings"))["links"] == []


async def test_what_one_may_not_see_cannot_be_linked(who: Any, make: Make) -> None:
    agent, hr = await who("agent"), await who("hragent")
    mine = await make()
    theirs = await hr.post("/tickets", {"title": "x", "ticket_type": "HR", "custom_fields": {}}, expect=201)
    for other in (theirs["id"], 4_000_000):
        body = {"word": "RELATES_TO", "ticket_id": other}
        problem = await agent.post(f"/tickets/{mine['id']}/links", body, expect=422)
        assert problem["errors"] == [
            {"pointer": "/ticket_id", "message": "there is no such ticket, or you may not see it"}
        ]
    await hr.post(f"/tickets/{mine['id']}/links", {"word": "RELATES_TO", "ticket_id": theirs["id"]}, expect=404)


async def test_what_binds_another_team_is_not_for_one_who_merely_sees_it(who: Any, make: Make) -> None:
    agent, hr = await who("agent"), await who("hragent")
    mine, theirs = await make(), await make(ticket_type="HR")
    path = f"/tickets/{mine['id']}/links"
    await hr.put(f"/tickets/{theirs['id']}/watchers/{agent.id}", {})
    for word in ("PARENT_OF", "CHILD_OF", "BLOCKS", "BLOCKED_BY"):
        refused = await agent.post(path, {"word": word, "ticket_id": theirs["id"]}, expect=403)
        assert refused["code"] == "not_yours"
    made = await agent.post(path, {"word": "RELATES_TO", "ticket_id": theirs["id"]}, expect=201)
    link = {"id": made["links"][0]["id"], "word": "RELATES_TO", "ticket": None, "is_merge": False}
    there = f"/tickets/{theirs['id']}"
    assert (await hr.get(f"{there}/surroundings"))["links"] == [link], "its team knows of it, and no more"
    history = str(await hr.get(f"{there}/history"))
    assert "linked" not in history
    assert mine["ticket_number"] not in history
    await (await who("manager")).call("DELETE", f"{there}/links/{link['id']}", expect=403)
    await hr.call("DELETE", f"{there}/links/{link['id']}", expect=204)
    await hr.call("DELETE", f"{there}/links/{link['id']}", expect=404)
    assert (await agent.get(f"/tickets/{mine['id']}/surroundings"))["links"] == []


async def test_families_have_no_circles(who: Any, make: Make) -> None:
    agent = await who("agent")
    ids = [(await make())["id"] for _ in range(4)]
    for parent, child in itertools.pairwise(ids):
        await agent.post(f"/tickets/{parent}/links", {"word": "PARENT_OF", "ticket_id": child}, expect=201)
    for up, down in ((3, 0), (2, 0), (1, 0)):
        body = {"word": "PARENT_OF", "ticket_id": ids[down]}
        circle = await agent.post(f"/tickets/{ids[up]}/links", body, expect=409)
        assert circle["code"] == "would_be_circle"
    second = await agent.post(f"/tickets/{ids[3]}/links", {"word": "CHILD_OF", "ticket_id": ids[0]}, expect=409)
    assert second["code"] == "link_exists"


async def test_two_halves_of_a_circle_at_once_are_one(who: Any, make: Make) -> None:
    agent = await who("agent")
    a, b, c, d = [(await make())["id"] for _ in range(4)]
    await agent.post(f"/tickets/{a}/links", {"word": "PARENT_OF", "ticket_id": b}, expect=201)
    await agent.post(f"/tickets/{c}/links", {"word": "PARENT_OF", "ticket_id": d}, expect=201)
    answers = await asyncio.gather(
        agent.post(f"/tickets/{b}/links", {"word": "PARENT_OF", "ticket_id": c}, expect=None),
        agent.post(f"/tickets/{d}/links", {"word": "PARENT_OF", "ticket_id": a}, expect=None),
    )
    assert sorted(x.status_code for x in answers) == [201, 409]


# --- merging ----------------------------------------------------------------------------------------------------------


async def test_merging(who: Any, make: Make) -> None:
    employee, colleague, agent = await who("employee"), await who("colleague"), await who("agent")
    main, double = (
        await make(title="VPN down", tags=["vpn"]),
        await make("colleague", title="VPN", tags=["vpn", "home"]),
    )
    there = f"/tickets/{double['id']}"
    await colleague.post(f"{there}/comments", {"body": "Here too"}, expect=201)
    await agent.post(f"{there}/comments", {"body": "Same switch", "visibility": "INTERNAL"}, expect=201)
    await colleague.post(f"{there}/attachments", expect=201, files={"file": ("a.txt", b"a", "text/plain")})
    await colleague.get(f"{there}/merge-preview", params={"into": main["id"]}, expect=422)
    seen = await agent.get(f"{there}/merge-preview", params={"into": main["id"]})
    assert (seen["comments"], seen["files"], seen["tags"], seen["warnings"]) == (2, 1, ["home"], [])
    assert [p["id"] for p in seen["watchers"]] == [p["id"] for p in seen["let_in"]] == [colleague.id]
    assert (await agent.get(there))["status"] == "APPROVED", "a preview changes nothing"
    await agent.post(f"{there}/merge", {"into_id": main["id"]}, expect=422)
    merged = await agent.post(f"{there}/merge", {"into_id": main["id"], "seen": seen["seen"]})
    assert merged["is_merged"] is True
    assert [(x["word"], x["ticket"]["id"], x["is_merge"]) for x in merged["links"]] == [
        ("DUPLICATE_OF", main["id"], True)
    ]
    again = await agent.post(f"{there}/merge", {"into_id": main["id"], "seen": seen["seen"]})
    assert again == merged
    closed = await colleague.get(there)
    assert (closed["status"], closed["comment_count"]) == ("CLOSED", 0)
    here = f"/tickets/{main['id']}"
    assert [c["body"] for c in (await colleague.get(f"{here}/comments"))["items"]] == ["Here too"]
    assert len((await agent.get(f"{here}/comments"))["items"]) == 2
    assert [f["filename"] for f in (await employee.get(f"{here}/attachments"))["items"]] == ["a.txt"]
    now = await employee.get(here)
    assert (now["tags"], now["comment_count"]) == (["vpn", "home"], 1)
    assert words_of(await agent.get(f"{here}/history")).count(f"merged {double['ticket_number']} into it") == 1
    assert "merged another request into it" in words_of(await employee.get(f"{here}/history"))
    other = await make()
    await agent.post(f"{there}/merge", {"into_id": other["id"], "seen": seen["seen"]}, expect=409)
    await agent.post(f"/tickets/{other['id']}/merge", {"into_id": double["id"], "seen": seen["seen"]}, expect=409)


async def test_what_was_seen_of_two_is_not_seen_of_others(who: Any, make: Make) -> None:
    """Nothing warns here, and yet the colleague will see a request that was not theirs: of these two, and no others."""
    agent = await who("agent")
    double, main, other = await make("colleague"), await make(), await make()
    here, seen = f"/tickets/{double['id']}/merge", await look(who, double["id"], main["id"])
    for body in ({"into_id": other["id"], "seen": seen}, {"into_id": main["id"], "seen": "never looked"}):
        assert (await agent.post(here, body, expect=409))["code"] == "merge_changed"
    hr = next(t for t in (await agent.get("/teams?limit=100"))["items"] if t["name"] == "HR Services")
    admin = await who("admin")
    await admin.post(f"/tickets/{main['id']}/assign", {"team_id": hr["id"]})  # another team would read it now
    assert (await admin.post(here, {"into_id": main["id"], "seen": seen}, expect=409))["code"] == "merge_changed"
    await admin.post(here, {"into_id": main["id"], "seen": await look(who, double["id"], main["id"])})


async def test_what_a_merge_brought_is_a_newer_reply(who: Any, make: Make) -> None:
    agent, agent2, colleague = await who("agent"), await who("agent2"), await who("colleague")
    main, double = await make(), await make("colleague")
    brought = await colleague.post(f"/tickets/{double['id']}/comments", {"body": "It is solved"}, expect=201)
    last = await agent.post(f"/tickets/{main['id']}/comments", {"body": "Looking"}, expect=201)
    version = (await agent.get(f"/tickets/{main['id']}"))["version"]
    await agent2.post(
        f"/tickets/{double['id']}/merge", {"into_id": main["id"], "seen": await look(who, double["id"], main["id"])}
    )
    body = {"body": "Still looking", "after_comment_id": last["id"], "after_version": version}
    refused = await agent.post(f"/tickets/{main['id']}/comments", body, expect=409)
    assert (refused["code"], refused["comment_ids"]) == ("newer_reply", [brought["id"]])
    version = (await agent.get(f"/tickets/{main['id']}"))["version"]
    await agent.post(f"/tickets/{main['id']}/comments", body | {"after_version": version}, expect=201)
    await agent.post(f"/tickets/{main['id']}/comments", body | {"after_version": -1}, expect=422)


async def test_merging_what_is_in_review_asks_nobody_any_more(
    who: Any, make: Make, hardware: Any, find_step: Any
) -> None:
    employee, agent, manager = await who("employee"), await who("agent"), await who("manager")
    main, double = await make(), await employee.post("/tickets", hardware(), expect=201)
    assert await find_step(manager, double["id"])
    seen = await agent.get(f"/tickets/{double['id']}/merge-preview", params={"into": main["id"]})
    assert seen["withdraws_approval"] is True
    await agent.post(f"/tickets/{double['id']}/merge", {"into_id": main["id"], "seen": seen["seen"]})
    assert await find_step(manager, double["id"]) is None
    flow = await employee.get(f"/tickets/{double['id']}/approvals")
    assert [w["status"] for w in flow["items"]] == ["CANCELLED"]
    assert main["ticket_number"] not in str(flow)


async def test_merging_widens_no_confidence_unasked(who: Any, make: Make) -> None:
    agent, manager, colleague = await who("agent"), await who("manager"), await who("colleague")
    secret, plain = await make(is_confidential=True, description="Private"), await make("colleague")
    out = await agent.get(f"/tickets/{secret['id']}/merge-preview", params={"into": plain["id"]})
    assert out["warnings"] == ["confidential_becomes_open"]
    body = {"into_id": plain["id"], "seen": out["seen"]}
    refused = await agent.post(f"/tickets/{secret['id']}/merge", body, expect=409)
    assert refused["warnings"] == ["confidential_becomes_open"]
    into = await agent.get(f"/tickets/{plain['id']}/merge-preview", params={"into": secret["id"]})
    assert into["warnings"] == ["people_see_confidential"]
    assert [p["id"] for p in into["let_in"]] == [colleague.id]
    body = {"into_id": secret["id"], "accept": ["people_see_confidential"]}
    for unasked in ({"accept": [], "seen": into["seen"]}, {"seen": out["seen"]}):
        await agent.post(f"/tickets/{plain['id']}/merge", body | unasked, expect=409)
    await agent.post(f"/tickets/{plain['id']}/merge", body | {"seen": into["seen"]})
    await colleague.get(f"/tickets/{secret['id']}")
    await manager.get(f"/tickets/{secret['id']}", expect=404)
    links = (await manager.get(f"/tickets/{plain['id']}/surroundings"))["links"]
    assert links == [], "the manager sees the duplicate, and nothing of the main one"
    assert secret["ticket_number"] not in str(await manager.get(f"/tickets/{plain['id']}/history"))


async def test_two_confidential_ones_say_who_will_see_both(who: Any, make: Make) -> None:
    agent, outsider = await who("agent"), await who("outsider")
    double = await make(is_confidential=True, description="Private")
    main = await make("outsider", is_confidential=True)
    await agent.post(f"/tickets/{double['id']}/comments", {"body": "For the requester only"}, expect=201)
    there = f"/tickets/{double['id']}"
    seen = await agent.get(f"{there}/merge-preview", params={"into": main["id"]})
    assert seen["warnings"] == ["readers_see_confidential", "people_see_confidential"]
    assert [p["id"] for p in seen["shown"]] == [outsider.id]
    body = {"into_id": main["id"], "accept": seen["warnings"][1:], "seen": seen["seen"]}
    refused = await agent.post(f"{there}/merge", body, expect=409)
    assert refused["warnings"] == ["readers_see_confidential"]
    assert (await outsider.get(f"/tickets/{main['id']}/comments"))["items"] == []
    await agent.post(f"{there}/merge", {"into_id": main["id"], "accept": seen["warnings"], "seen": seen["seen"]})
    assert [c["body"] for c in (await outsider.get(f"/tickets/{main['id']}/comments"))["items"]] == [
        "For the requester only"
    ]


async def test_who_was_let_in_to_the_main_one_is_named_too(who: Any, make: Make) -> None:
    agent, colleague = await who("agent"), await who("colleague")
    double, main = await make(is_confidential=True), await make(is_confidential=True)
    preview = {"params": {"into": main["id"]}}
    assert (await agent.get(f"/tickets/{double['id']}/merge-preview", **preview))["warnings"] == []
    await agent.put(f"/tickets/{main['id']}/watchers/{colleague.id}", {})
    seen = await agent.get(f"/tickets/{double['id']}/merge-preview", **preview)
    assert (seen["warnings"], [p["id"] for p in seen["shown"]]) == (["readers_see_confidential"], [colleague.id])


async def test_merging_gives_nobody_back_what_they_had_lost(who: Any, make: Make) -> None:
    employee, agent, manager = await who("employee"), await who("agent"), await who("manager")
    double, main = await make(), await make("colleague", is_confidential=True)
    await manager.put(f"/tickets/{double['id']}/watchers/{manager.id}", {})
    await agent.put(f"/tickets/{double['id']}", {"is_confidential": True, "version": double["version"]})
    await manager.get(f"/tickets/{double['id']}", expect=404)
    seen = await agent.get(f"/tickets/{double['id']}/merge-preview", params={"into": main["id"]})
    assert [p["id"] for p in seen["watchers"]] == [employee.id]
    body = {"into_id": main["id"], "accept": seen["warnings"], "seen": seen["seen"]}
    await agent.post(f"/tickets/{double['id']}/merge", body)
    await manager.get(f"/tickets/{main['id']}", expect=404)


async def test_what_was_agreed_to_is_what_is_merged(who: Any, make: Make) -> None:
    agent, agent2, outsider = await who("agent"), await who("agent2"), await who("outsider")
    double, main = await make(), await make("colleague", is_confidential=True)
    there = f"/tickets/{double['id']}"
    seen = await agent.get(f"{there}/merge-preview", params={"into": main["id"]})
    await agent2.put(f"{there}/watchers/{outsider.id}", {})
    body = {"into_id": main["id"], "accept": seen["warnings"], "seen": seen["seen"]}
    refused = await agent.post(f"{there}/merge", body, expect=409)
    assert refused["code"] == "merge_changed"
    await outsider.get(f"/tickets/{main['id']}", expect=404)
    await agent.post(f"{there}/merge", body | {"seen": "x" * 65}, expect=422)
    again = await agent.get(f"{there}/merge-preview", params={"into": main["id"]})
    assert outsider.id in [p["id"] for p in again["let_in"]]
    await agent.post(f"{there}/merge", body | {"seen": again["seen"]})


async def test_internal_words_go_to_another_team_only_when_agreed_to(who: Any, make: Make) -> None:
    agent, hr, admin = await who("agent"), await who("hragent"), await who("admin")
    double, main = await make(), await make(ticket_type="HR")
    there = f"/tickets/{double['id']}"
    preview = {"params": {"into": main["id"]}}
    assert (await admin.get(f"{there}/merge-preview", **preview))["warnings"] == []
    await agent.post(f"{there}/comments", {"body": "Ours alone", "visibility": "INTERNAL"}, expect=201)
    seen = await admin.get(f"{there}/merge-preview", **preview)
    assert seen["warnings"] == ["internal_changes_team"]
    await admin.post(f"{there}/merge", {"into_id": main["id"], "seen": seen["seen"]}, expect=409)
    assert (await hr.get(f"/tickets/{main['id']}/comments"))["items"] == []
    await admin.post(f"{there}/merge", {"into_id": main["id"], "accept": seen["warnings"], "seen": seen["seen"]})
    assert [c["body"] for c in (await hr.get(f"/tickets/{main['id']}/comments"))["items"]] == ["Ours alone"]


async def test_two_merge_each_into_the_other(who: Any, make: Make) -> None:
    agent, agent2 = await who("agent"), await who("agent2")
    a, b = (await make())["id"], (await make())["id"]
    there, back = await look(who, a, b), await look(who, b, a)
    answers = await asyncio.gather(
        agent.post(f"/tickets/{a}/merge", {"into_id": b, "seen": there}, expect=None),
        agent2.post(f"/tickets/{b}/merge", {"into_id": a, "seen": back}, expect=None),
    )
    assert sorted(x.status_code for x in answers) == [200, 409]


# --- splitting --------------------------------------------------------------------------------------------------------


async def test_splitting(who: Any, make: Make) -> None:
    employee, agent, manager = await who("employee"), await who("agent"), await who("manager")
    ticket = await make(is_confidential=True, priority="HIGH")
    path = f"/tickets/{ticket['id']}"
    said = await employee.post(f"{path}/comments", {"body": "And my mouse is broken"}, expect=201)
    inside = await agent.post(f"{path}/comments", {"body": "Hm", "visibility": "INTERNAL"}, expect=201)
    file = await employee.post(f"{path}/attachments", expect=201, files={"file": ("m.txt", b"m", "text/plain")})
    body = {
        "title": "Broken mouse",
        "description": "And my mouse is broken",
        "ticket_type": "IT_SUPPORT",
        "comment_ids": [said["id"]],
        "attachment_ids": [file["id"]],
    }
    await employee.post(f"{path}/split", body, expect=403)
    for change, pointer in (
        ({"comment_ids": [said["id"], inside["id"]]}, "/comment_ids/1"),
        ({"comment_ids": [999_999]}, "/comment_ids/0"),
        ({"comment_ids": []}, "/comment_ids"),
        ({"attachment_ids": [999_999]}, "/attachment_ids/0"),
        ({"ticket_type": "NO_SUCH"}, "/ticket_type"),
        ({"title": ""}, "/title"),
        ({"ticket_type": "IT_HARDWARE"}, "/custom_fields/budget_code"),
    ):
        problem = await agent.post(f"{path}/split", body | change, expect=422)
        assert pointer in [e["pointer"] for e in problem["errors"]]
    key = {"Idempotency-Key": f"split-{ticket['id']}"}
    first = await agent.post(f"{path}/split", body, expect=201, headers=key)
    assert await agent.post(f"{path}/split", body, expect=201, headers=key) == first
    made = await employee.get(f"/tickets/{first['ticket']['id']}")
    assert made["requester"]["id"] == employee.id
    assert (made["created_by"]["id"], made["is_confidential"], made["priority"]) == (employee.id, True, "HIGH")
    assert [f["filename"] for f in (await employee.get(f"/tickets/{made['id']}/attachments"))["items"]] == ["m.txt"]
    assert (await employee.get(f"{path}/attachments"))["items"] == []
    assert len((await employee.get(f"{path}/comments"))["items"]) == 1, "what was said stays where it was said"
    links = (await employee.get(f"{path}/surroundings"))["links"]
    assert [(x["word"], x["ticket"]["id"]) for x in links] == [("RELATES_TO", made["id"])]
    await manager.get(f"/tickets/{made['id']}", expect=404)


async def test_splitting_to_another_team_leaves_no_sight_behind(who: Any, make: Make) -> None:
    employee, agent, hr = await who("employee"), await who("agent"), await who("hragent")
    path = f"/tickets/{(await make(is_confidential=True))['id']}"
    said = await employee.post(f"{path}/comments", {"body": "And my contract"}, expect=201)
    body = {"title": "Contract", "ticket_type": "HR", "comment_ids": [said["id"]]}
    made = (await agent.post(f"{path}/split", body, expect=201))["ticket"]
    await agent.get(f"/tickets/{made['id']}", expect=404)
    listed = (await agent.get("/tickets", params={"limit": 100}))["items"]
    assert made["id"] not in [t["id"] for t in listed]
    assert (await hr.get(f"/tickets/{made['id']}"))["created_by"]["id"] == employee.id
    assert (await employee.get(f"/tickets/{made['id']}"))["status"] != "DRAFT"


async def test_who_split_it_off_does_not_decide_it(database: Any, who: Any, make: Make) -> None:
    employee, agent = await who("employee"), await who("agent")
    path = f"/tickets/{(await make())['id']}"
    said = await employee.post(f"{path}/comments", {"body": "And a mouse"}, expect=201)
    body = {"title": "Mouse", "ticket_type": "IT_SUPPORT", "comment_ids": [said["id"]]}
    made = (await agent.post(f"{path}/split", body, expect=201))["ticket"]
    async with database.read() as session:
        ticket = await session.get_one(Ticket, made["id"])
        assert agent.id in reviewing.subject_of(ticket, "IT support", {"fields": []}).barred
