"""One's own phones: named, proved, used, taken away."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.conftest import PASSWORD
from tests.notifications.texting import OTHER, PHONE, Texting
from waypost.access.step_up import MAX_AGE
from waypost.kernel import relay
from waypost.kernel.clock import clock, now
from waypost.notifications import phones
from waypost.notifications.models import ChannelSettings, ContactPoint, Delivery

PATH = "/contact-points"


def phone(number: str = PHONE, **more: Any) -> dict[str, Any]:
    return {"channel": "sms", "address": number, **more}


async def code(texting: Texting) -> str:
    await texting.tell()
    found = re.match(r"([0-9]{6}) is your code for Waypost\.", texting.last())
    assert found is not None, texting.last()
    return found[1]


def other(than: str) -> str:
    return f"{(int(than) + 1) % 1_000_000:06}"


async def test_a_phone_is_named_proved_and_used(texting: Texting) -> None:
    jane = await texting.who("employee")
    made = await jane.post(PATH, phone("+49 151 1234-5678", label=" My  phone "), expect=201)
    assert (made["address"], made["label"], made["is_verified"]) == (PHONE, "My phone", False)
    sent = await code(texting)
    assert texting.last().endswith(f"\n@waypost.example.com #{sent}")
    (delivery,) = await texting.deliveries()
    assert sent not in f"{delivery.words} {delivery.subject}"
    async with texting.database.read() as session:
        assert sent not in str(await session.scalar(select(ContactPoint.details)))
    read = await jane.get("/notifications/preferences")
    assert next(c for c in read["channels"] if c["key"] == "sms")["is_ready"] is False
    proved = await jane.post(f"{PATH}/{made['id']}/verify", {"code": sent})
    assert proved["is_verified"]
    assert (await jane.post(f"{PATH}/{made['id']}/verify", {"code": sent}))["is_verified"], "again changes nothing"
    read = await jane.get("/notifications/preferences")
    shown = next(c for c in read["channels"] if c["key"] == "sms")
    assert (shown["is_ready"], shown["address"]) == (True, "My phone")
    (asked,), (done,) = await texting.events("phone.asked"), await texting.events("phone.proved")
    assert (asked.actor_id, done.actor_id, done.data["phone"]) == (jane.id, jane.id, "+49…678")
    await relay.drain(texting.database)
    async with texting.database.read() as session:
        told = select(Delivery.channel).where(Delivery.kind == "phone.added", Delivery.user_id == jane.id)
        assert list(await session.scalars(told)) == ["email"], "whoever has only the session does not add one unseen"


async def test_a_session_that_was_only_left_open_names_no_phone(texting: Texting) -> None:
    jane = await texting.who("employee")
    later = now() + MAX_AGE + timedelta(seconds=1)
    with clock(lambda: later):
        refused = await jane.post(PATH, phone(), expect=403)
        assert (refused["code"], refused["factors"]) == ("step_up_needed", ["password"])
        assert await texting.deliveries() == []
        await jane.post("/auth/step-up", {"factor": "password", "password": PASSWORD})
        await jane.post(PATH, phone(), expect=201)


async def test_a_wrong_code_counts_and_five_are_enough(texting: Texting) -> None:
    jane = await texting.who("employee")
    made = await jane.post(PATH, phone(), expect=201)
    path, sent = f"{PATH}/{made['id']}/verify", await code(texting)
    for left in (4, 3, 2, 1):
        said = await jane.post(path, {"code": other(sent)}, expect=422)
        assert (said["code"], said["tries_left"]) == ("wrong_code", left)
        assert said["errors"] == [{"pointer": "/code", "message": "is not the code we sent"}]
    assert (await jane.post(path, {"code": other(sent)}, expect=409))["code"] == "code_spent"
    assert (await jane.post(path, {"code": sent}, expect=409))["code"] == "code_spent"
    await jane.post(PATH, phone(), expect=201)
    new = await code(texting)
    assert (await jane.post(path, {"code": new}))["is_verified"]


async def test_many_tries_at_once_are_counted_one_by_one(texting: Texting) -> None:
    jane = await texting.who("employee")
    made = await jane.post(PATH, phone(), expect=201)
    path, sent = f"{PATH}/{made['id']}/verify", await code(texting)
    answers = await asyncio.gather(*(jane.post(path, {"code": other(sent)}, expect=None) for _ in range(12)))
    assert sorted(a.status_code for a in answers) == [409] * 8 + [422] * 4
    await jane.post(path, {"code": sent}, expect=409)


async def test_a_code_is_over_after_ten_minutes(texting: Texting) -> None:
    jane = await texting.who("employee")
    made = await jane.post(PATH, phone(), expect=201)
    sent, later = await code(texting), now() + timedelta(minutes=10, seconds=1)
    with clock(lambda: later):
        said = await jane.post(f"{PATH}/{made['id']}/verify", {"code": sent}, expect=409)
    assert said["code"] == "code_expired"


async def test_a_code_that_comes_too_late_is_not_sent(texting: Texting) -> None:
    jane = await texting.who("employee")
    await jane.post(PATH, phone(), expect=201)
    later = now() + timedelta(minutes=11)
    with clock(lambda: later):
        await texting.tell()
    assert texting.sent() == []
    (delivery,) = await texting.deliveries()
    assert (delivery.status, delivery.last_error) == ("FAILED", "the code is over")


async def test_the_old_code_is_over_once_a_new_one_is_asked_for(texting: Texting) -> None:
    jane = await texting.who("employee")
    made = await jane.post(PATH, phone(), expect=201)
    first = await code(texting)
    assert (await jane.post(PATH, phone(), expect=201))["id"] == made["id"]
    second = await code(texting)
    if first != second:
        await jane.post(f"{PATH}/{made['id']}/verify", {"code": first}, expect=422)
    await jane.post(f"{PATH}/{made['id']}/verify", {"code": second})
    assert (await jane.post(PATH, phone(), expect=409))["code"] == "phone_known"


async def test_codes_are_asked_for_in_measure(texting: Texting) -> None:
    jane, mike = await texting.who("employee"), await texting.who("manager")
    for _ in range(phones.MOST_BY_ONE):
        await jane.post(PATH, phone(), expect=201)
    mine = await jane.post(PATH, phone(OTHER), expect=None)
    assert (mine.status_code, mine.json()["code"], mine.headers["retry-after"]) == (429, "too_many_codes", "3600")
    theirs = await mike.post(PATH, phone(), expect=429)
    assert theirs["detail"] == mine.json()["detail"], "one limit is like the other"
    await mike.post(PATH, phone(OTHER), expect=201)
    later = now() + timedelta(hours=1, seconds=1)
    with clock(lambda: later):
        await jane.post("/auth/step-up", {"factor": "password", "password": PASSWORD})
        await jane.post(PATH, phone(OTHER), expect=201)


async def test_two_who_share_a_phone_learn_nothing_of_each_other(texting: Texting) -> None:
    jane, mike = await texting.who("employee"), await texting.who("manager")
    first = await jane.post(PATH, phone(), expect=201)
    await jane.post(f"{PATH}/{first['id']}/verify", {"code": await code(texting)})
    second = await mike.post(PATH, phone(), expect=201)
    assert {k: v for k, v in second.items() if k not in ("id", "created_at")} == {
        k: v for k, v in first.items() if k not in ("id", "created_at")
    }
    sent = await code(texting)
    assert (await jane.post(f"{PATH}/{second['id']}/verify", {"code": sent}, expect=404))["status"] == 404
    await mike.post(f"{PATH}/{second['id']}/verify", {"code": sent})


async def test_one_has_two_phones_at_most(texting: Texting) -> None:
    jane = await texting.who("employee")
    await jane.post(PATH, phone(), expect=201)
    await jane.post(PATH, phone(OTHER), expect=201)
    said = await jane.post(PATH, phone("+4915112345670"), expect=409)
    assert said["code"] == "too_many_phones"
    numbers = [f"+49151123457{n:02}" for n in range(6)]
    mike = await texting.who("manager")
    answers = await asyncio.gather(*(mike.post(PATH, phone(n), expect=None) for n in numbers))
    assert sorted(a.status_code for a in answers) == [201, 201, 409, 409, 409, 409]


async def test_a_phone_that_said_stop_is_proved_anew(texting: Texting) -> None:
    point = await texting.has_phone("employee")
    jane = await texting.who("employee")
    async with texting.database.transaction() as session:
        await session.execute(update(ContactPoint).values(stopped_at=now()))
    await jane.post(f"{PATH}/{point}/verify", {"code": "000000"}, expect=409)
    again = await jane.post(PATH, phone(), expect=201)
    proved = await jane.post(f"{PATH}/{again['id']}/verify", {"code": await code(texting)})
    assert (proved["id"], proved["is_stopped"]) == (point, False)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"channel": "sms"},
        phone("0151 123456"),
        phone("me@example.com"),
        phone("+4915\u0000"),
        phone("+" + "1" * 10_000),
        phone(label="x" * 101),
        {"channel": "push", "address": PHONE},
        phone(verified_at="2026-01-01T00:00:00Z"),
        phone(4915112345678),  # type: ignore[arg-type]
    ],
)
async def test_what_is_no_phone_is_refused(texting: Texting, body: dict[str, Any]) -> None:
    jane = await texting.who("employee")
    said = await jane.post(PATH, body, expect=422)
    assert said["errors"]
    assert (await jane.get(PATH))["items"] == []


async def test_what_is_no_code_is_refused_and_does_not_count(texting: Texting) -> None:
    jane = await texting.who("employee")
    made = await jane.post(PATH, phone(), expect=201)
    path, sent = f"{PATH}/{made['id']}/verify", await code(texting)
    for wrong in ({}, {"code": 123456}, {"code": "12345"}, {"code": "１２３４５６"}, {"code": "1" * 10_000}):
        await jane.post(path, wrong, expect=422)
    mike = await texting.who("manager")
    await mike.post(path, {"code": "x"}, expect=404)
    for nothing in ("0", str(2**63), "x"):
        await jane.post(f"{PATH}/{nothing}/verify", {"code": sent}, expect=404)
    await jane.post(path, {"code": sent})


async def test_the_same_key_sends_one_code(texting: Texting) -> None:
    jane = await texting.who("employee")
    key = {"headers": {"Idempotency-Key": "one"}}
    first = await jane.post(PATH, phone(), expect=201, **key)
    assert await jane.post(PATH, phone(), expect=201, **key) == first
    assert len(await texting.deliveries()) == 1


async def test_without_text_messages_there_are_no_phones(texting: Texting) -> None:
    async with texting.database.transaction() as session:
        await session.execute(update(ChannelSettings).values(is_on=False))
    jane = await texting.who("employee")
    assert (await jane.post(PATH, phone(), expect=409))["code"] == "no_text_messages"
    read = await jane.get("/notifications/preferences")
    assert "sms" not in [c["key"] for c in read["channels"]]


async def test_what_nobody_proved_is_forgotten(texting: Texting) -> None:
    jane = await texting.who("employee")
    await jane.post(PATH, phone(), expect=201)
    await texting.has_phone("manager", OTHER)
    later = now() + timedelta(days=8)
    async with texting.database.transaction() as session:
        with clock(lambda: later):
            await phones.forget_unproved(session)
        assert list(await session.scalars(select(ContactPoint.address))) == [OTHER]
