"""Deciding by a link from a mail: what it shows to whom, what it decides, once, and what it never does."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Text, cast, func, select, update

from tests.conftest import Api
from waypost.access.models import Role
from waypost.approvals import link_router, links
from waypost.approvals.link_models import DecisionLink
from waypost.approvals.models import ApprovalStep
from waypost.approvals.states import Verb
from waypost.directory.models import User
from waypost.kernel import relay
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.events import EventRow
from waypost.kernel.settings import get_settings
from waypost.notifications import deciding, sending
from waypost.notifications.models import Delivery
from waypost.notifications.rendering import mail_of
from waypost.notifications.words import words_of
from waypost.vendors.fates import Delivered


@pytest.fixture(autouse=True)
def room(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests come from one address, and are many."""
    monkeypatch.setattr(link_router, "ALLOWED", 1_000_000)


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def change(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        get_settings.cache_clear()

    yield change
    monkeypatch.undo()
    get_settings.cache_clear()


@pytest.fixture
async def nobody(app: Any) -> Any:
    """A browser in which nobody is signed in."""
    api = Api(app)
    yield api
    await api.http.aclose()


async def link_for(database: Any, step_id: int, user_id: int) -> str:
    async with database.transaction() as session:
        token = await links.issue(session, step_id, user_id)
    assert token is not None
    return str(token)


@pytest.fixture
def asked(who: Any, hardware: Any, database: Any, find_step: Any) -> Any:
    """`ticket, step, path = await asked()`: a request that waits for the manager, and the link they get."""

    async def make(amount: str = "500.00", by: str = "manager", **more: Any) -> tuple[dict[str, Any], Any, str]:
        ticket = await (await who("employee")).post("/tickets", hardware(amount, **more), expect=201)
        person = await who(by)
        step = await find_step(person, ticket["id"])
        return ticket, step, f"/decision-links/{await link_for(database, step['id'], person.id)}"

    return make


async def edit(who: Any, ticket: dict[str, Any], **new: Any) -> None:
    person = await who("employee")
    now_ = await person.get(f"/tickets/{ticket['id']}")
    await person.put(f"/tickets/{ticket['id']}", {**new, "version": now_["version"]})


async def status_of(who: Any, ticket: dict[str, Any]) -> str:
    return str((await (await who("employee")).get(f"/tickets/{ticket['id']}"))["status"])


# --- what it shows ----------------------------------------------------------------------------------------------------


async def test_it_shows_what_is_needed_to_decide(who: Any, nobody: Api, asked: Any) -> None:
    ticket, step, path = await asked(description="It does not start", title="A new laptop")
    file = {"file": ("offer.txt", b"500", "text/plain")}
    await (await who("employee")).post(f"/tickets/{ticket['id']}/attachments", expect=201, files=file)
    shown = await nobody.get(path)
    assert (shown["state"], shown["is_signed_in"], shown["person"]["username"]) == ("OPEN", False, "manager")
    item = shown["item"]
    assert item["id"] == step["id"]
    assert (item["ticket"]["title"], item["ticket"]["description"]) == ("A new laptop", "It does not start")
    assert (item["ticket"]["amount"], item["ticket"]["requester"]["username"]) == ("500.00", "employee")
    assert item["reason"] == step["reason"]
    assert item["due_at"] == step["due_at"]
    assert "approve" in item["allowed_actions"]
    assert (shown["files"], item["ticket"]["attachments"]) == (1, []), "files open for who is signed in"
    own = await (await who("manager")).get(path)
    assert (own["state"], own["is_signed_in"]) == ("OPEN", True)
    assert [f["filename"] for f in own["item"]["ticket"]["attachments"]] == ["offer.txt"]


async def test_opening_changes_nothing_however_often(database: Any, who: Any, nobody: Api, asked: Any) -> None:
    ticket, step, path = await asked()

    async def everything() -> Any:
        async with database.read() as session:
            link = await session.execute(select(DecisionLink).where(DecisionLink.step_id == step["id"]))
            events = await session.scalar(select(func.count()).select_from(EventRow))
            row = link.scalars().one()
            return row.used_at, row.verb, row.expires_at, events

    before = await everything()
    for _ in range(50):
        assert (await nobody.get(path))["state"] == "OPEN"
    for _ in range(5):
        answer = await nobody.call("HEAD", path, expect=None)
        assert (answer.status_code, answer.content) == (200, b"")
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        assert (await nobody.call(method, path, {}, expect=None)).status_code == 405
    assert await everything() == before
    assert await status_of(who, ticket) == "IN_REVIEW"


async def test_no_cache_and_no_other_site_learns_the_address(nobody: Api, asked: Any) -> None:
    _, _, path = await asked()
    token = path.rpartition("/")[2]
    for answer in (
        await nobody.get(path, expect=None),
        await nobody.call("HEAD", path, expect=None),
        await nobody.post(path, {}, expect=None),
        await nobody.get(f"/decision-links/{token}x", expect=None),
    ):
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert token not in answer.text, "an answer does not repeat it"
    page = await nobody.http.get(f"http://waypost.test/decide/{token}")
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"


async def test_an_unknown_link_tells_nothing(nobody: Api, who: Any) -> None:
    for token in ("wpd_" + "0" * 64, "x", "%00", "a" * 5000, "%F0%9F%98%80"):
        for api in (nobody, await who("manager")):
            for answer in (
                await api.get(f"/decision-links/{token}", expect=404),
                await api.post(f"/decision-links/{token}", {"action": "APPROVE", "version": 1}, expect=404),
                await api.post(f"/decision-links/{token}", {"no such field": 1}, expect=404),
            ):
                assert answer["detail"] in ("There is no such link.", "There is nothing here, or you may not see it.")


async def test_somebody_else_who_is_signed_in_learns_and_decides_nothing(
    who: Any, nobody: Api, asked: Any, database: Any
) -> None:
    ticket, _, path = await asked(title="Pangolin for the office")
    for username in ("colleague", "head", "admin"):
        api = await who(username)
        shown = await api.get(path)
        assert (shown["state"], shown["person"]["username"]) == ("WRONG_PERSON", "manager")
        assert (shown["ticket"], shown["item"], shown["decision"]) == (None, None, None)
        refused = await api.post(path, {"action": "APPROVE", "version": 1}, expect=403)
        assert refused["code"] == "wrong_person"
        await api.post(path, {"nonsense": 1}, expect=403)
    assert await status_of(who, ticket) == "IN_REVIEW"
    await nobody.post(path, {"action": "APPROVE", "version": 1})


async def test_a_session_that_ended_is_not_nobody(app: Any, asked: Any) -> None:
    _, _, path = await asked()
    api = Api(app)
    api.http.headers["Authorization"] = "Bearer old"
    await api.get(path, expect=401)
    await api.post(path, {"action": "APPROVE", "version": 1}, expect=401)
    await api.http.aclose()


# --- deciding ---------------------------------------------------------------------------------------------------------


async def test_approving_without_signing_in(who: Any, nobody: Api, asked: Any) -> None:
    ticket, step, path = await asked()
    done = await nobody.post(path, {"action": "APPROVE", "comments": "Fine", "version": step["version"]})
    assert (done["state"], done["decision"]["status"], done["workflow_status"]) == ("USED", "APPROVED", "APPROVED")
    assert done["decision"]["by"]["username"] == "manager"
    assert await status_of(who, ticket) == "APPROVED"
    lines = (await (await who("employee")).get(f"/tickets/{ticket['id']}/history", params={"limit": 100}))["items"]
    (line,) = [line for line in lines if line["type"] == "approval.approved"]
    assert line["summary"] == "approved a step, by the link from the mail"
    assert (line["actor"]["username"], line["comment"]) == ("manager", "Fine")
    trail = await (await who("auditor")).get(
        "/audit", params={"object_id": ticket["id"], "action": "approval.approved"}
    )
    assert [row["channel"] for row in trail["items"]] == ["mail_link"]


async def test_signed_in_as_oneself_it_is_the_same(who: Any, asked: Any) -> None:
    ticket, step, path = await asked()
    manager = await who("manager")
    done = await manager.post(path, {"action": "REJECT", "comments": "Too dear", "version": step["version"]})
    assert (done["state"], done["decision"]["status"], done["is_signed_in"]) == ("USED", "REJECTED", True)
    assert await status_of(who, ticket) == "REJECTED"


async def test_asking_back_and_who_is_asked_next(who: Any, nobody: Api, asked: Any) -> None:
    ticket, step, path = await asked()
    body = {"action": "REQUEST_INFO", "comments": "Which model?", "version": step["version"]}
    done = await nobody.post(path, body)
    assert (done["decision"]["status"], done["workflow_status"]) == ("INFO_REQUESTED", "RUNNING")
    assert await status_of(who, ticket) == "PENDING_INFO"
    committee, first, way = await asked("4900.00", by="head")
    told = await nobody.post(way, {"action": "APPROVE", "version": first["version"]})
    assert (told["workflow_status"], told["waiting_for"]) == ("APPROVED", [])
    assert await status_of(who, committee) == "APPROVED"


@pytest.mark.parametrize("action", ["REJECT", "REQUEST_INFO"])
async def test_a_reason_is_needed_and_the_link_is_not_spent_by_a_refusal(
    who: Any, nobody: Api, asked: Any, action: str
) -> None:
    ticket, step, path = await asked()
    for comments in (None, "", "  "):
        refused = await nobody.post(path, {"action": action, "comments": comments, "version": 1}, expect=422)
        assert refused["errors"][0]["pointer"] == "/comments"
    assert (await nobody.get(path))["state"] == "OPEN"
    await nobody.post(path, {"action": action, "comments": "Because", "version": step["version"]})
    assert await status_of(who, ticket) in ("REJECTED", "PENDING_INFO")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"action": "APPROVE"},
        {"version": 1},
        {"action": "DELEGATE", "version": 1},
        {"action": "approve", "version": 1},
        {"action": "APPROVE", "version": 0},
        {"action": "APPROVE", "version": "1"},
        {"action": "APPROVE", "version": 2**31},
        {"action": "APPROVE", "version": 1.5},
        {"action": "APPROVE", "version": True},
        {"action": "APPROVE", "version": 1, "comments": "x" * 10_001},
        {"action": "APPROVE", "version": 1, "comments": 5},
        {"action": "APPROVE", "version": 1, "delegate_to": 3},
    ],
)
async def test_bad_bodies_decide_nothing(who: Any, nobody: Api, asked: Any, body: dict[str, Any]) -> None:
    ticket, _, path = await asked()
    await nobody.post(path, body, expect=422)
    assert await status_of(who, ticket) == "IN_REVIEW"


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"])
async def test_a_form_that_sends_itself_decides_nothing(who: Any, nobody: Api, asked: Any, kind: str) -> None:
    ticket, _, path = await asked()
    for content in (b"action=APPROVE&version=1", b'{"action": "APPROVE", "version": 1}'):
        answer = await nobody.post(path, expect=None, content=content, headers={"Content-Type": kind})
        assert answer.status_code == 415
    assert await status_of(who, ticket) == "IN_REVIEW"


async def test_twenty_at_once_decide_once(who: Any, app: Any, asked: Any, database: Any) -> None:
    ticket, step, path = await asked()
    body = {"action": "APPROVE", "version": step["version"]}
    apis = [Api(app) for _ in range(20)]
    answers = await asyncio.gather(*(api.post(path, body, expect=None) for api in apis))
    assert sorted(a.status_code for a in answers) == [200] + [409] * 19
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"link_used"}
    async with database.read() as session:
        kept = select(func.count()).where(
            EventRow.type == "approval.approved", EventRow.object_type == "ticket", EventRow.object_id == ticket["id"]
        )
        assert await session.scalar(kept) == 1
    for api in apis:
        await api.http.aclose()


@pytest.mark.parametrize("change", [{"is_confidential": True}, {"amount": "9000.00"}], ids=str)
async def test_what_is_judged_is_what_is_decided(
    who: Any, nobody: Api, asked: Any, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    """An edit that makes it more than routine comes before it is judged, or after it is decided."""
    ticket, _, path = await asked()
    employee, decide = await who("employee"), links.service.decide
    version = (await employee.get(f"/tickets/{ticket['id']}"))["version"]
    edits: list[asyncio.Task[Any]] = []

    async def late(*given: Any, **more: Any) -> Any:
        put = employee.put(f"/tickets/{ticket['id']}", {**change, "version": version}, expect=None)
        edits.append(asyncio.create_task(put))
        await asyncio.sleep(0.3)
        assert not edits[0].done()
        return await decide(*given, **more)

    monkeypatch.setattr(links.service, "decide", late)
    await nobody.post(path, {"action": "APPROVE", "version": 1})
    assert (await edits[0]).status_code in (403, 409, 412)
    assert await status_of(who, ticket) == "APPROVED"


async def test_opened_twice_it_says_what_was_decided(who: Any, nobody: Api, asked: Any) -> None:
    _, step, path = await asked()
    await nobody.post(path, {"action": "APPROVE", "version": step["version"]})
    again = await nobody.get(path)
    assert (again["state"], again["decision"]["status"], again["item"]) == ("USED", "APPROVED", None)
    assert again["decision"]["at"]
    refused = await nobody.post(path, {"action": "REJECT", "comments": "No", "version": 1}, expect=409)
    assert refused["code"] == "link_used"


async def test_decided_elsewhere_it_says_by_whom(who: Any, nobody: Api, asked: Any, database: Any) -> None:
    ticket, step, path = await asked()
    other = f"/decision-links/{await link_for(database, step['id'], (await who('manager')).id)}"
    await (await who("manager")).post(f"/approvals/{step['id']}/reject", {"comments": "No"})
    for way in (path, other):
        shown = await nobody.get(way)
        assert (shown["state"], shown["decision"]["status"]) == ("DECIDED", "REJECTED")
        assert shown["decision"]["by"]["username"] == "manager"
        refused = await nobody.post(way, {"action": "APPROVE", "version": 1}, expect=409)
        assert refused["code"] == "link_closed"
        assert refused["detail"] == "You have decided this already."
    assert await status_of(who, ticket) == "REJECTED"


async def test_of_an_emergency_the_first_answer_is_told_to_the_others(
    who: Any, asked: Any, find_step: Any, database: Any
) -> None:
    one, two = await who("finance1"), await who("finance2")
    ticket, step, _ = await asked("9000.00", by="finance1", priority="CRITICAL")
    theirs = await find_step(two, ticket["id"])
    path = f"/decision-links/{await link_for(database, theirs['id'], two.id)}"
    await one.post(f"/approvals/{step['id']}/approve")
    shown = await two.get(path)
    assert (shown["state"], shown["decision"]["by"]["username"]) == ("DECIDED", "finance1")
    refused = await two.post(path, {"action": "REJECT", "comments": "No", "version": 1}, expect=409)
    assert refused["detail"] == "Somebody else has decided this already."


async def test_an_override_is_told(who: Any, nobody: Api, asked: Any) -> None:
    ticket, _, path = await asked()
    admin = await who("admin")
    (flow,) = (await admin.get(f"/tickets/{ticket['id']}/approvals"))["items"]
    await admin.post(f"/approvals/workflows/{flow['id']}/override", {"action": "REJECT", "comments": "Freeze"})
    shown = await nobody.get(path)
    assert (shown["state"], shown["decision"]["is_override"]) == ("DECIDED", True)
    assert shown["decision"]["by"]["username"] == "admin"


async def test_a_changed_request_is_read_again_first(who: Any, nobody: Api, asked: Any) -> None:
    ticket, step, path = await asked(title="A laptop")
    await edit(who, ticket, title="A sports car")
    shown = await nobody.get(path)
    assert shown["state"] == "STALE"
    assert [(c["field"], c["before"], c["after"]) for c in shown["changes"]] == [("title", "A laptop", "A sports car")]
    assert shown["item"]["ticket"]["title"] == "A sports car"
    body = {"action": "APPROVE", "version": step["version"]}
    refused = await nobody.post(path, body, expect=412)
    assert refused["code"] == "stale_version"
    assert [c["after"] for c in refused["changes"]] == ["A sports car"]
    assert await status_of(who, ticket) == "IN_REVIEW"
    done = await nobody.post(path, {**body, "version": shown["item"]["version"]})
    assert done["decision"]["status"] == "APPROVED"


async def test_an_old_link_decides_nothing(who: Any, nobody: Api, asked: Any, database: Any, settings: Any) -> None:
    ticket, step, path = await asked()
    async with database.transaction() as session:
        past = now() - timedelta(seconds=1)
        await session.execute(update(DecisionLink).where(DecisionLink.step_id == step["id"]).values(expires_at=past))
    shown = await nobody.get(path)
    assert (shown["state"], shown["item"]) == ("EXPIRED", None)
    assert (await nobody.post(path, {"action": "APPROVE", "version": 1}, expect=409))["code"] == "link_expired"
    assert await status_of(who, ticket) == "IN_REVIEW"


async def test_links_live_as_long_as_set(database: Any, who: Any, asked: Any, settings: Any) -> None:
    settings(DECISION_LINK_HOURS="5")
    _, step, _ = await asked()
    async with database.read() as session:
        link = (await session.scalars(select(DecisionLink).where(DecisionLink.step_id == step["id"]))).one()
    assert link.expires_at - link.created_at == timedelta(hours=5)
    assert len(link.token_hash) == 32


async def test_a_withdrawn_request_closes_its_links(who: Any, nobody: Api, asked: Any) -> None:
    ticket, _, path = await asked()
    taken_back = {"to": "DRAFT", "comment": "Not needed"}
    await (await who("employee")).post(f"/tickets/{ticket['id']}/transitions", taken_back)
    shown = await nobody.get(path)
    assert (shown["state"], shown["closed"]) == ("CLOSED", "ENDED")
    assert (await nobody.post(path, {"action": "APPROVE", "version": 1}, expect=409))["code"] == "link_closed"


async def test_what_is_handed_on_closes_its_link(who: Any, nobody: Api, asked: Any) -> None:
    _, step, path = await asked()
    head = await who("head")
    await (await who("manager")).post(f"/approvals/{step['id']}/delegate", {"delegate_to": head.id})
    shown = await nobody.get(path)
    assert (shown["state"], shown["closed"]) == ("CLOSED", "HANDED_ON")
    assert [p["username"] for p in shown["waiting_for"]] == ["head"]


async def test_asked_again_after_an_edit_the_old_link_says_so(who: Any, nobody: Api, asked: Any) -> None:
    ticket, _, path = await asked("2000.00", by="head")
    await edit(who, ticket, amount="9000.00")
    shown = await nobody.get(path)
    assert (shown["state"], shown["item"]) == ("CLOSED", None)
    assert shown["closed"] in ("ASKED_AGAIN", "ENDED")


async def test_who_left_decides_nothing_by_an_old_mail(
    fresh_database: Any, fresh_who: Any, hardware: Any, find_step: Any, app: Any
) -> None:
    employee, manager, admin = [await fresh_who(n) for n in ("employee", "manager", "admin")]
    ticket = await employee.post("/tickets", hardware(), expect=201)
    step = await find_step(manager, ticket["id"])
    path = f"/decision-links/{await link_for(fresh_database, step['id'], manager.id)}"
    async with fresh_database.transaction() as session:
        await session.execute(update(User).where(User.id == manager.id).values(is_active=False))
    nobody = Api(app)
    shown = await nobody.get(path)
    assert (shown["state"], shown["closed"], shown["ticket"]) == ("CLOSED", "NOT_ABLE", None)
    await nobody.post(path, {"action": "APPROVE", "version": 1}, expect=409)
    assert (await employee.get(f"/tickets/{ticket['id']}"))["status"] == "IN_REVIEW"
    await admin.http.aclose()
    await nobody.http.aclose()


async def test_nobody_approves_what_is_theirs_by_a_link_either(
    who: Any, nobody: Api, asked: Any, database: Any
) -> None:
    ticket, step, _ = await asked()
    employee = await who("employee")
    async with database.transaction() as session:
        await session.execute(update(ApprovalStep).where(ApprovalStep.id == step["id"]).values(approver_id=employee.id))
    path = f"/decision-links/{await link_for(database, step['id'], employee.id)}"
    refused = await nobody.post(path, {"action": "APPROVE", "version": 1}, expect=None)
    assert refused.status_code in (403, 409)
    assert await status_of(who, ticket) == "IN_REVIEW"


async def test_a_deputy_decides_by_their_own_link_while_they_stand_in(
    who: Any, nobody: Api, asked: Any, database: Any
) -> None:
    manager, colleague = await who("manager"), await who("finance3")
    until = {"starts_at": rfc3339(now()), "ends_at": rfc3339(now() + timedelta(days=9))}
    made = await manager.post("/approvals/delegations", {"delegate_id": colleague.id, **until}, expect=201)
    try:
        ticket, step, _ = await asked()
        path = f"/decision-links/{await link_for(database, step['id'], colleague.id)}"
        shown = await nobody.get(path)
        assert (shown["state"], shown["item"]["on_behalf_of"]["username"]) == ("OPEN", "manager")
        late, _, _ = await asked()
        done = await nobody.post(path, {"action": "APPROVE", "version": step["version"]})
        assert (done["decision"]["by"]["username"], done["workflow_status"]) == ("finance3", "APPROVED")
        assert await status_of(who, ticket) == "APPROVED"
        (flow,) = (await manager.get(f"/tickets/{late['id']}/approvals"))["items"]
        waiting = flow["stages"][0]["steps"][0]["id"]
        over = f"/decision-links/{await link_for(database, waiting, colleague.id)}"
        assert (await nobody.get(over))["state"] == "OPEN"
    finally:
        await manager.delete(f"/approvals/delegations/{made['id']}")
    shown = await nobody.get(over)
    assert (shown["state"], shown["closed"], shown["item"]) == ("CLOSED", "NOT_THEIRS", None)
    await nobody.post(over, {"action": "APPROVE", "version": 1}, expect=409)


# --- what needs signing in --------------------------------------------------------------------------------------------


async def refused_without_signing_in(who: Any, nobody: Api, path: str, person: str, why: str) -> dict[str, Any]:
    shown = await nobody.get(path)
    assert (shown["state"], shown["sign_in"], shown["item"]) == ("SIGN_IN", why, None)
    refused = await nobody.post(path, {"action": "APPROVE", "version": 1}, expect=401)
    assert refused["code"] == "sign_in_first"
    own = await (await who(person)).get(path)
    assert own["state"] == "OPEN"
    assert own["item"] is not None
    return dict(shown)


async def test_large_amounts_need_their_person(who: Any, nobody: Api, asked: Any) -> None:
    _, step, path = await asked("9000.00", by="finance1")
    await refused_without_signing_in(who, nobody, path, "finance1", "AMOUNT")
    await (await who("finance1")).post(path, {"action": "APPROVE", "version": step["version"]})


async def test_whose_role_needs_a_second_factor_decides_nothing_without(
    who: Any, nobody: Api, asked: Any, database: Any
) -> None:
    _, step, path = await asked()

    async def need(is_needed: bool) -> None:
        async with database.transaction() as session:
            change = update(Role).where(Role.key == "manager").values(needs_second_factor=is_needed)
            await session.execute(change)

    await need(True)
    try:
        shown = await nobody.get(path)
        assert (shown["state"], shown["sign_in"]) == ("SIGN_IN", "POLICY")
        refused = await nobody.post(path, {"action": "APPROVE", "version": step["version"]}, expect=401)
        assert refused["code"] == "sign_in_first"
        manager = (await who("manager")).id
        press = deciding.Press(step["id"], step["version"], Verb.APPROVE)
        for answer in (
            await deciding.decide(database, manager, press, "", "slack"),
            await deciding.may_decide(database, manager, press, "teams"),
        ):
            assert answer is not None
            assert (answer.is_done, "second factor" in answer.words) == (False, True)
    finally:
        await need(False)
    assert (await nobody.get(path))["state"] == "OPEN"


async def test_emergencies_need_their_person(who: Any, nobody: Api, asked: Any) -> None:
    _, _, path = await asked("9000.00", by="finance1", priority="CRITICAL")
    await refused_without_signing_in(who, nobody, path, "finance1", "EMERGENCY")
    no = {"action": "REJECT", "comments": "A drill", "version": 1}
    await (await who("finance1")).post(path, no)


async def test_confidential_ones_show_nothing_without_signing_in(who: Any, nobody: Api, asked: Any) -> None:
    ticket, _, path = await asked(title="Pangolin", is_confidential=True)
    shown = await refused_without_signing_in(who, nobody, path, "manager", "CONFIDENTIAL")
    assert shown["ticket"] is None
    assert "Pangolin" not in str(shown)
    assert ticket["ticket_number"] not in str(shown)
    await (await who("manager")).post(path, {"action": "REJECT", "comments": "No", "version": 1})
    over = await nobody.get(path)
    assert (over["state"], over["ticket"], over["decision"]) == ("USED", None, None)


async def test_signing_in_can_be_asked_for_always(who: Any, nobody: Api, asked: Any, settings: Any) -> None:
    settings(DECISION_LINKS="signed_in")
    _, _, path = await asked()
    await refused_without_signing_in(who, nobody, path, "manager", "POLICY")


async def test_where_a_confirmation_is_asked_for_so_is_signing_in(
    who: Any, nobody: Api, asked: Any, settings: Any
) -> None:
    settings(STEP_UP_ABOVE="400")
    _, _, path = await asked()
    await refused_without_signing_in(who, nobody, path, "manager", "STEP_UP")


async def test_switched_off_there_are_no_links(who: Any, nobody: Api, asked: Any, settings: Any, database: Any) -> None:
    ticket, step, path = await asked()
    settings(DECISION_LINKS="off")
    async with database.transaction() as session:
        assert await links.issue(session, step["id"], (await who("manager")).id) is None
    shown = await nobody.get(path)
    assert (shown["state"], shown["closed"]) == ("CLOSED", "SWITCHED_OFF")
    await nobody.post(path, {"action": "APPROVE", "version": 1}, expect=409)
    assert await status_of(who, ticket) == "IN_REVIEW"


# --- in mails, and afterwards -----------------------------------------------------------------------------------------


async def test_no_link_is_written_for_what_waits_no_more(who: Any, asked: Any, database: Any) -> None:
    _, step, _ = await asked()
    manager = await who("manager")
    await manager.post(f"/approvals/{step['id']}/approve")
    async with database.transaction() as session:
        assert await links.issue(session, step["id"], manager.id) is None
        assert await links.issue(session, 2**40, manager.id) is None


async def test_only_so_many_from_one_address(nobody: Api, asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, path = await asked()
    monkeypatch.setattr(link_router, "ALLOWED", 3)
    answers = [await nobody.get(path, expect=None) for _ in range(6)]
    assert 429 in {a.status_code for a in answers}
    slowed = next(a for a in answers if a.status_code == 429)
    assert slowed.json()["code"] == "too_many_links"
    assert 1 <= int(slowed.headers["retry-after"]) <= 60
    assert slowed.headers["ratelimit-policy"].startswith('"links"')
    assert (await nobody.post(path, {"action": "APPROVE", "version": 1}, expect=None)).status_code == 429


async def test_old_links_are_forgotten(asked: Any, database: Any, nobody: Api) -> None:
    _, step, path = await asked()

    async def left(age: timedelta) -> int:
        async with database.transaction() as session:
            await session.execute(
                update(DecisionLink).where(DecisionLink.step_id == step["id"]).values(expires_at=now() - age)
            )
            await links.forget_old_links(session)
            kept = select(func.count()).where(DecisionLink.step_id == step["id"])
            return int(await session.scalar(kept) or 0)

    assert await left(timedelta(days=29)) == 1
    assert (await nobody.get(path))["state"] == "EXPIRED"
    assert await left(timedelta(days=31)) == 0
    await nobody.get(path, expect=404)


async def test_only_the_mail_holds_the_link(fresh_database: Any, fresh_who: Any, hardware: Any) -> None:
    """Neither a notice in the app, nor the log of deliveries, nor the log of events says what opens a decision."""
    employee, manager, admin = [await fresh_who(n) for n in ("employee", "manager", "admin")]
    ticket = await employee.post("/tickets", hardware(), expect=201)
    await relay.drain(fresh_database)
    key = re.compile(r"wpd_[0-9a-f]{64}|/decide/")
    told = await manager.get("/notifications", params={"limit": 100})
    assert ticket["id"] in [n["ticket"]["id"] for n in told["items"] if n["ticket"]]
    assert not key.search(str(told))
    deliveries = await admin.get("/notification-deliveries", params={"limit": 100})
    assert deliveries["items"]
    assert not key.search(str(deliveries))
    async with fresh_database.read() as session:
        kept = (
            select(func.count()).select_from(DecisionLink).join(ApprovalStep, ApprovalStep.id == DecisionLink.step_id)
        )
        assert await session.scalar(kept.where(ApprovalStep.subject_id == ticket["id"])) == 1
        texts = await session.scalars(select(cast(EventRow.data, Text)))
        assert not any(key.search(text) for text in texts)


async def test_the_mail_leads_to_the_page_and_keeps_nothing_once_it_is_out(
    fresh_database: Any, fresh_who: Any, hardware: Any, app: Any
) -> None:
    employee, manager = [await fresh_who(n) for n in ("employee", "manager")]
    ticket = await employee.post("/tickets", hardware(), expect=201)
    await relay.drain(fresh_database)
    wanted = select(Delivery).where(
        Delivery.user_id == manager.id, Delivery.channel == "email", Delivery.kind == "approval.requested"
    )
    async with fresh_database.read() as session:
        mail = (await session.scalars(wanted.order_by(Delivery.id.desc()).limit(1))).one()
    text_, html = mail_of(words_of(mail.words))
    (link,) = set(re.findall(r"https?://[^\s/]+/decide/(\w+)", text_))
    assert f'/decide/{link}" ' in html
    assert text_.index("Decide: ") < text_.index("Open in Waypost: ")
    assert "do not forward" in html
    nobody = Api(app)
    shown = await nobody.get(f"/decision-links/{link}")
    assert (shown["state"], shown["ticket"]["id"], shown["person"]["username"]) == ("OPEN", ticket["id"], "manager")
    letter = sending.Letter((mail.id,), 1, sending._letter([mail]).message)
    await sending._mark(fresh_database, "email", letter, Delivered(), is_probe=False)
    async with fresh_database.read() as session:
        kept = (await session.scalars(select(Delivery).where(Delivery.id == mail.id))).one()
        assert kept.status == "SENT"
        assert link not in str(kept.words)
        assert kept.words["link"]
    assert (await nobody.get(f"/decision-links/{link}"))["state"] == "OPEN", "it still opens what it opened"
    await nobody.http.aclose()
