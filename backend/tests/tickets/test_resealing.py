# ruff: noqa: F811 - fixtures of other files
"""A field becomes sensitive, on a full table: all that was kept of it follows, and nothing is lost. No longer, nothing opens."""

from __future__ import annotations

import asyncio
import copy
import json
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text, update

from tests.approvals.test_signing import HERE, age, asked, demanding, head, kept_of  # noqa: F401 - fixtures
from tests.conftest import PASSWORD
from tests.tickets.test_sealed import FORM, IBAN, OTHER, body, kind, places, publish, revealed  # noqa: F401
from waypost.approvals.masking import masked, unsaid
from waypost.approvals.models import ApprovalSubjectVersion
from waypost.approvals.signature_queries import wrong_among
from waypost.audit import chain, keys
from waypost.audit.sealing import seal_all
from waypost.audit.verifying import verify
from waypost.catalog.sensitive import ERASED, mark_of
from waypost.kernel import relay
from waypost.kernel.events import EventRow
from waypost.tickets import resealing
from waypost.tickets.models import Ticket
from waypost.tickets.sealed_models import AnswerSealing, SealedAnswer

OPEN = copy.deepcopy(FORM)
for _schema in OPEN["properties"].values():
    _schema.pop("x-sensitive", None)
THIRD = "FR1420041010050500013M02606"


async def finish(database: Any) -> None:
    for _ in range(200):
        await resealing.run_due(database)
        async with database.read() as session:
            if await session.scalar(select(AnswerSealing).where(AnswerSealing.finished_at.is_(None)).limit(1)) is None:
                return
        await asyncio.sleep(0.05)
    pytest.fail("it does not come to an end")


def test_the_word_is_the_logs() -> None:
    assert ERASED == chain.ERASED


async def test_what_was_answered_before_is_sealed_everywhere(
    who: Any,
    kind: Any,
    find_step: Any,
    database: Any,
) -> None:
    employee, manager = await who("employee"), await who("manager")
    made = await kind(OPEN)
    sent = await employee.post("/tickets", body(made, {"iban": IBAN, "why": "Rent"}), expect=201)
    path = f"/tickets/{sent['id']}"
    for iban in (OTHER, THIRD):
        read = await employee.get(path)
        fields = {**read["custom_fields"], "iban": iban}
        await employee.put(path, {"custom_fields": fields, "version": read["version"]})
    step = await find_step(manager, sent["id"])
    await manager.post(f"/approvals/{step['id']}/approve", {"comments": "Yes"})
    gone = await employee.post("/tickets", body(made, {"iban": IBAN}, submit=False), expect=201)
    await employee.put(f"/tickets/{gone['id']}", {"custom_fields": {"why": "x"}, "version": gone["version"]})
    draft = {"id": str(uuid4()), "ticket_type": made["key"], "content": {"title": "Pay", "fields": {"iban": IBAN}}}
    await employee.post("/request-drafts", draft, expect=201)
    await relay.drain(database)
    await seal_all(database)
    assert {"tickets.custom_fields", "events.data", "approval_subject_versions.subject"} <= set(
        await places(database, IBAN, OTHER, THIRD)
    )
    before = (await employee.get(path))["version"]
    await publish(who, made, FORM)
    await finish(database)
    left = await places(database, IBAN, OTHER, THIRD)
    assert left == {}, left
    after = await employee.get(path)
    assert after["version"] == before
    assert mark_of(after["custom_fields"]["iban"])
    assert after["custom_fields"]["why"] == "Rent"
    assert await revealed(employee, sent["id"]) == {"iban": THIRD}
    assert (await employee.get(f"/request-drafts/{draft['id']}"))["content"] == draft["content"]
    history = (await employee.get(f"{path}/history"))["items"]
    assert [c["new"] for h in history for c in h["changes"] if c["field"] == "custom_fields.iban"] == [ERASED] * 2
    await seal_all(database)
    found = await verify(database, keys.public_keys())
    assert found.told()["valid"], found.problems
    assert await resealing.run_due(database) == 0
    async with database.read() as session:
        told = select(func.count()).where(
            EventRow.type == "ticket.sensitive_answers_sealed", EventRow.object_id == sent["id"]
        )
        assert await session.scalar(told) == 1


async def test_what_was_answered_while_it_was_sensitive_stays_sealed(who: Any, kind: Any, database: Any) -> None:
    employee, made = await who("employee"), await kind()
    sent = await employee.post("/tickets", body(made, {"iban": IBAN, "why": "Rent"}, submit=False), expect=201)
    path = f"/tickets/{sent['id']}"
    draft = {"id": str(uuid4()), "ticket_type": made["key"], "content": {"title": "Pay", "fields": {"iban": IBAN}}}
    await employee.post("/request-drafts", draft, expect=201)
    await publish(who, made, OPEN)
    await relay.drain(database)
    assert await resealing.run_due(database) == 0
    assert await places(database, IBAN) == {}
    read = await employee.get(path)
    assert read["custom_fields"] == sent["custom_fields"]
    assert await revealed(employee, sent["id"]) == {"iban": IBAN}
    fields = {**read["custom_fields"], "why": "Another"}
    read = await employee.put(path, {"custom_fields": fields, "version": read["version"]})
    assert read["custom_fields"]["iban"] == sent["custom_fields"]["iban"], "an edit of something else opens nothing"
    assert await places(database, IBAN) == {}
    assert (await employee.get(f"/request-drafts/{draft['id']}"))["content"] == draft["content"]
    fields = {**read["custom_fields"], "iban": OTHER}
    read = await employee.put(path, {"custom_fields": fields, "version": read["version"]})
    assert read["custom_fields"]["iban"] == OTHER, "what is answered from now on is open"
    async with database.read() as session:
        assert await session.scalar(select(func.count()).where(SealedAnswer.ticket_id == sent["id"])) == 0
    await publish(who, made, FORM)
    await finish(database)
    assert await places(database, IBAN, OTHER) == {}, "and sealed when it is sensitive again"
    assert await revealed(employee, sent["id"]) == {"iban": OTHER}


async def test_a_session_that_was_only_left_open_opens_no_answers(who: Any, kind: Any, database: Any) -> None:
    admin, made = await who("admin"), await kind()
    path = f"/ticket-types/{made['key']}"
    renamed, without = copy.deepcopy(FORM), copy.deepcopy(FORM)
    renamed["properties"]["iban"]["title"] = "Bank account"
    without["properties"]["salary"] = OPEN["properties"]["salary"]
    proof = {"factor": "password", "password": PASSWORD}
    await age(database, admin)
    values = {f: made[f] for f in ("name", "category", "keywords", "icon", "has_amount", "requires_approval")}
    read = await admin.put(path, {**values, "version": 1, "form": renamed})
    refused = await admin.put(path, {**values, "version": read["version"], "form": without}, expect=403)
    assert (refused["code"], refused["factors"]) == ("step_up_needed", ["password"])
    assert (await admin.get(path))["form_version"] == 2, "nothing was published"
    await admin.post("/auth/step-up", proof)
    read = await admin.put(path, {**values, "version": read["version"], "form": without})
    read = await admin.put(path, {**values, "version": read["version"], "form": FORM})
    await age(database, admin)
    back = {"version": read["version"], "note": ""}
    refused = await admin.post(f"{path}/form-versions/3/restore", back, expect=403)
    assert refused["code"] == "step_up_needed", "going back to a version is no way around it"
    await admin.post("/auth/step-up", proof)
    assert (await admin.post(f"{path}/form-versions/3/restore", back))["form_version"] == 5


async def test_what_is_written_meanwhile_is_sealed_too(who: Any, kind: Any, database: Any) -> None:
    employee, made = await who("employee"), await kind(OPEN)
    sent = [
        await employee.post("/tickets", body(made, {"iban": f"NL91ABNA0417164300{n}"}, submit=False), expect=201)
        for n in range(4)
    ]
    async with database.transaction() as late:
        # Somebody who began before the form was changed, and still writes as it was.
        await late.execute(select(func.pg_current_xact_id()))
        await publish(who, made, FORM)
        await resealing.run_due(database)
        async with database.read() as session:
            job = await session.get(AnswerSealing, made["id"])
            assert job is not None
            assert job.finished_at is None, "it waits for them"
        fields = {"iban": "BE685390075470349"}
        await late.execute(update(Ticket).where(Ticket.id == sent[0]["id"]).values(custom_fields=fields))
    await finish(database)
    assert await places(database, "NL91ABNA0417164300", "BE68539007547034") == {}
    assert await revealed(employee, sent[0]["id"]) == fields
    assert await revealed(employee, sent[3]["id"]) == {"iban": "NL91ABNA04171643003"}


async def test_it_goes_on_where_a_worker_ended(
    who: Any,
    kind: Any,
    database: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    employee, made = await who("employee"), await kind(OPEN)
    sent = [
        await employee.post("/tickets", body(made, {"iban": f"AT611904300234573201{n}"}, submit=False), expect=201)
        for n in range(5)
    ]
    await publish(who, made, FORM)
    monkeypatch.setattr(resealing, "BATCH", 2)
    real = resealing.mask

    async def dies(session: Any, about: str, ids: Any, *more: Any) -> Any:
        if sent[2]["id"] in ids:
            raise KeyboardInterrupt
        return await real(session, about, ids, *more)

    monkeypatch.setattr(resealing, "mask", dies)
    with pytest.raises(KeyboardInterrupt):
        await resealing.run_due(database)
    assert (await places(database, "AT611904300234573201"))["tickets.custom_fields"] == 3
    monkeypatch.setattr(resealing, "mask", real)
    await asyncio.gather(*(resealing.run_due(database) for _ in range(3)))
    await finish(database)
    assert await places(database, "AT611904300234573201") == {}
    for n, ticket in enumerate(sent):
        assert await revealed(employee, ticket["id"]) == {"iban": f"AT611904300234573201{n}"}


async def test_a_signature_still_stands_for_what_was_signed(
    head: Any,
    asked: Any,
    database: Any,
    who: Any,
) -> None:
    await age(database, head.api)
    ticket, step = await asked(head)
    about = {"version": 1, "comments": "Fits the budget."}
    signed = await head.sign(decision="APPROVE", step_ids=[step["id"]], **about)
    await head.api.post(f"/approvals/{step['id']}/approve", {**about, "signature": signed}, headers=HERE)
    admin = await who("admin")
    form = (await admin.get("/ticket-types/IT_HARDWARE"))["form"]
    form["properties"]["budget_code"] = {"x-kind": "text", "title": "Budget code", "x-sensitive": True}
    await publish(who, {"key": "IT_HARDWARE"}, form)
    await finish(database)
    async with database.read() as session:
        kept = await kept_of(database, ticket["id"])
        assert await wrong_among(session, [kept]) == {}
        rows = select(ApprovalSubjectVersion).where(ApprovalSubjectVersion.workflow_id == kept.workflow_id)
        version = (await session.scalars(rows)).first()
        assert version is not None
        assert version.sealed is not None
        assert "MKT-1" not in json.dumps(version.subject)
    path = text(
        "UPDATE approval_subject_versions SET subject = jsonb_set(subject, '{title}', '\"Another\"')"
        " WHERE workflow_id = :id"
    )
    async with database.transaction() as session:
        await session.execute(path, {"id": kept.workflow_id})
    async with database.read() as session:
        assert await wrong_among(session, [kept]) != {}


def test_only_answers_give_way() -> None:
    marks = {"a": {"sealed": str(uuid4())}}
    subject = {
        "title": "A",
        "custom_fields": {"a": 1, "b": 2},
        "answers": [{"key": "a", "value": 1, "text": "1"}, {"key": "b", "value": 2, "text": "2"}],
    }
    found = masked(subject, marks)
    assert found["custom_fields"] == {"a": marks["a"], "b": 2}
    assert found["answers"] == [{"key": "a", "value": marks["a"], "text": "Hidden"}, subject["answers"][1]]
    assert (found["title"], subject["custom_fields"]) == ("A", {"a": 1, "b": 2})
    assert masked({}, marks) == {}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "amount changed from 1 to 2; Account changed from A; B to C; x",
            "amount changed from 1 to 2; Account changed",
        ),
        ("Account changed from A to B", "Account changed"),
        ("Other changed from A to B", "Other changed from A to B"),
        ("", ""),
    ],
)
def test_what_answers_were_changed_from_is_unsaid(words: str, said: str) -> None:
    assert unsaid(words, ["Account"]) == said
    assert unsaid(words, []) == words
