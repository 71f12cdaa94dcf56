"""What people answer by text message: decided once, by whoever may, and nothing for those we do not know."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.notifications.texting import CODE, HOOK, OTHER, PHONE, Texting, by_twilio
from waypost.kernel import relay
from waypost.kernel.clock import clock, now, rfc3339
from waypost.kernel.settings import get_settings
from waypost.notifications import codes, sms_actions
from waypost.notifications.models import ContactPoint, Delivery, Notification
from waypost.notifications.reply_codes import codes_key, forget_old_messages
from waypost.notifications.sms_models import IncomingSms, ReplyCode
from waypost.tickets.models import Ticket

ASKED = "approval.requested"
WRONG = "3333", "33333"


@pytest.fixture
async def manager(texting: Texting) -> Texting:
    await texting.has_phone("manager", PHONE, ASKED)
    return texting


async def test_a_code_approves(manager: Texting) -> None:
    ticket, code = await manager.code()
    (asked,) = await manager.deliveries()
    assert (asked.status, asked.segments, asked.step_id is not None) == ("SENT", 1, True)
    assert code not in str(asked.words), "a code is kept nowhere"
    said = await manager.answer(f"approve {code} fine with me")
    assert said.startswith(f"Approved. {ticket['ticket_number']} {ticket['title']}")
    assert await manager.status(ticket) == "APPROVED"
    boss = await manager.who("manager")
    (event,) = await manager.decided()
    assert (event.actor_id, event.channel) == (boss.id, "sms")
    assert event.data["comments"] == "fine with me"
    (answered,) = await manager.events("sms.answered")
    assert (answered.object_id, answered.data["outcome"]) == (boss.id, "DECIDED")
    assert "Mike Okafor" in await manager.answer(f"APPROVE {code}")
    assert len(await manager.decided()) == 1


async def test_a_reject_needs_a_reason(manager: Texting) -> None:
    ticket, code = await manager.code()
    assert await manager.answer(f"REJECT {code}") == sms_actions.NO_REASON
    assert await manager.status(ticket) == "IN_REVIEW"
    assert (await manager.answer(f"reject {code.lower()} no budget")).startswith("Rejected.")
    assert await manager.status(ticket) == "REJECTED"
    (event,) = await manager.decided()
    assert event.data["comments"] == "no budget"


async def test_twenty_equal_messages_at_once_decide_once(manager: Texting) -> None:
    ticket, code = await manager.code()
    anybody = (await manager.who("employee")).http
    brought = {"from": PHONE, "text": f"APPROVE {code}", "id": "one"}
    path = f"/integrations/sms/gateway/{HOOK}/messages"
    answers = await asyncio.gather(*(anybody.get(path, params=brought) for _ in range(20)))
    assert {a.status_code for a in answers} <= {200, 503}
    assert len(await manager.decided()) == 1
    assert len(await manager.events("sms.answered")) == 1
    assert await manager.status(ticket) == "APPROVED"
    await manager.tell()
    assert [s["text"] for s in manager.sent()][1:] == [
        f"Waypost: Approved. {ticket['ticket_number']} {ticket['title']}"
    ]


async def test_the_same_code_in_two_messages_at_once_decides_once(manager: Texting) -> None:
    _, code = await manager.code()
    await asyncio.gather(manager.bring(f"APPROVE {code}", id="a"), manager.bring(f"REJECT {code} no", id="b"))
    assert len(await manager.decided()) == 1
    assert {e.data["outcome"] for e in await manager.events("sms.answered")} == {"DECIDED", "ALREADY"}


async def test_a_message_without_an_id_is_taken_once_a_minute(manager: Texting) -> None:
    at = now().replace(second=10)
    with clock(lambda: at):
        assert await manager.answer("HELP") == sms_actions.HELP
        assert await manager.answer("HELP") == ""
    with clock(lambda: at + timedelta(minutes=1)):
        assert await manager.answer("HELP") == sms_actions.HELP


async def test_what_was_decided_elsewhere_is_said(manager: Texting, find_step: Any) -> None:
    ticket, code = await manager.code()
    boss = await manager.who("manager")
    step = await find_step(boss, ticket["id"])
    await boss.post(f"/approvals/{step['id']}/reject", {"comments": "no"})
    said = await manager.answer(f"APPROVE {code}")
    assert said == "This is settled already. Rejected by Mike Okafor."


async def test_what_was_withdrawn_is_said(manager: Texting) -> None:
    ticket, code = await manager.code()
    employee = await manager.who("employee")
    await employee.post(f"/tickets/{ticket['id']}/transitions", {"to": "DRAFT"})
    assert (await manager.answer(f"APPROVE {code}")).startswith("This is settled already. Not to be decided any more")


async def test_a_changed_request_is_looked_at_again(manager: Texting) -> None:
    ticket, code = await manager.code()
    employee = await manager.who("employee")
    changed = {"title": "Two laptops", "version": (await employee.get(f"/tickets/{ticket['id']}"))["version"]}
    await employee.put(f"/tickets/{ticket['id']}", changed)
    said = await manager.answer(f"APPROVE {code}")
    assert said.startswith("The request was changed since you were asked.")
    assert "Two laptops" in said
    assert await manager.status(ticket) == "IN_REVIEW"


async def test_a_code_is_its_phones_alone(manager: Texting) -> None:
    ticket, code = await manager.code()
    await manager.has_phone("colleague", OTHER)
    assert await manager.answer(f"APPROVE {code}", OTHER) == sms_actions.WRONG
    assert await manager.answer(f"APPROVE {code}", "+4915199999999") == "", "an unknown phone is answered nothing"
    assert await manager.status(ticket) == "IN_REVIEW"


async def test_a_phone_two_people_have_decides_for_whom_the_code_is(manager: Texting) -> None:
    await manager.has_phone("colleague", PHONE)
    ticket, code = await manager.code()
    assert (await manager.answer(f"APPROVE {code}")).startswith("Approved.")
    (event,) = await manager.decided()
    assert event.actor_id == (await manager.who("manager")).id
    assert await manager.status(ticket) == "APPROVED"


async def test_a_phone_that_was_taken_away_decides_nothing(manager: Texting) -> None:
    ticket, code = await manager.code()
    await manager.has_phone("colleague", PHONE)
    boss = await manager.who("manager")
    (point,) = (await boss.get("/contact-points"))["items"]
    await boss.delete(f"/contact-points/{point['id']}")
    assert await manager.answer(f"APPROVE {code}") == sms_actions.WRONG
    assert await manager.status(ticket) == "IN_REVIEW"


async def test_a_code_is_over_after_three_days(manager: Texting) -> None:
    ticket, code = await manager.code()
    async with manager.database.transaction() as session:
        (kept,) = await session.scalars(select(ReplyCode))
        assert kept.expires_at <= kept.created_at + timedelta(hours=72)
        kept.expires_at = now()
    assert (await manager.answer(f"APPROVE {code}")).startswith(sms_actions.EXPIRED)
    assert await manager.status(ticket) == "IN_REVIEW"
    async with manager.database.transaction() as session:
        with clock(lambda: now_later(31)):
            await forget_old_messages(session)
        assert (list(await session.scalars(select(ReplyCode))), list(await session.scalars(select(IncomingSms)))) == (
            [],
            [],
        )


def now_later(days: int) -> Any:
    from datetime import UTC, datetime

    return datetime.now(UTC) + timedelta(days=days)


async def test_who_guesses_loses_the_codes_and_their_owner_hears_of_it(manager: Texting) -> None:
    ticket, code = await manager.code()
    wrong = [c * 5 for c in codes.ALPHABET if c * 5 != code]
    for guess in wrong[:4]:
        assert await manager.answer(f"APPROVE {guess}") == sms_actions.WRONG
    assert (await manager.answer(f"APPROVE {wrong[4]}")).startswith(sms_actions.SPENT)
    assert (await manager.answer(f"APPROVE {code}")).startswith(sms_actions.EXPIRED)
    assert await manager.status(ticket) == "IN_REVIEW"
    await relay.drain(manager.database)
    boss = await manager.who("manager")
    async with manager.database.read() as session:
        told = select(Delivery.channel, Delivery.recipient).where(Delivery.kind == "phone.codes_void")
        assert [tuple(row) for row in await session.execute(told)] == [("email", "manager@example.com")]
        seen = select(Notification.body).where(Notification.kind == "phone.codes_void", Notification.user_id == boss.id)
        (body,) = await session.scalars(seen)
    assert "+49…678" in body
    assert "12345" not in body
    _, code = await manager.code()
    assert (await manager.answer(f"APPROVE {code}")).startswith("Approved."), "new requests come with new codes"


async def test_many_guesses_at_once_are_counted_one_by_one(manager: Texting) -> None:
    _, code = await manager.code()
    guesses = [c * 5 for c in codes.ALPHABET if c * 5 != code][:10]
    await asyncio.gather(*(manager.bring(f"APPROVE {g}") for g in guesses))
    assert len(await manager.events("phone.codes_voided")) == 2
    async with manager.database.read() as session:
        assert await session.scalar(select(ReplyCode.voided_at)) is not None


async def test_a_good_code_forgives_wrong_ones(manager: Texting) -> None:
    for _ in range(3):
        _, code = await manager.code()
        wrong = [c * 5 for c in codes.ALPHABET if c * 5 != code]
        for guess in wrong[:3]:
            assert await manager.answer(f"APPROVE {guess} {_}") == sms_actions.WRONG
        assert (await manager.answer(f"APPROVE {code}")).startswith("Approved.")
    assert await manager.events("phone.codes_voided") == []


async def test_what_is_not_understood_is_answered_once(manager: Texting) -> None:
    assert await manager.answer("what is this?") == sms_actions.UNCLEAR
    assert await manager.answer("hello??") == ""
    with clock(lambda: now_later(1)):
        assert await manager.answer("hello") == sms_actions.UNCLEAR


async def test_stop_and_start(manager: Texting) -> None:
    assert await manager.answer("Stop") == sms_actions.STOPPED
    (stopped,) = await manager.events("phone.stopped")
    assert stopped.object_id == (await manager.who("manager")).id
    before = len(manager.wire.taken)
    ticket = await manager.ask()
    assert len(manager.wire.taken) == before, "nothing goes to a phone that said STOP"
    assert await manager.answer("HELP") == ""
    assert await manager.answer("APPROVE 33333") == ""
    (point,) = (await (await manager.who("manager")).get("/contact-points"))["items"]
    assert point["is_stopped"]
    assert await manager.answer("START") == sms_actions.STARTED
    assert len(await manager.events("phone.resumed")) == 1
    _, code = await manager.code()
    assert (await manager.answer(f"YES {code}")).startswith("Approved.")
    assert await manager.status(ticket) == "IN_REVIEW"


@pytest.mark.parametrize("mode", ["signed_in", "off"])
async def test_where_links_do_not_decide_codes_do_not(
    manager: Texting, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    ticket, code = await manager.code()
    monkeypatch.setenv("DECISION_LINKS", mode)
    get_settings.cache_clear()
    await manager.ask()
    assert "APPROVE" not in manager.last()
    assert "/approvals?ticket=" in manager.last()
    said = await manager.answer(f"APPROVE {code}")
    assert said.startswith(sms_actions.SIGN_IN)
    assert await manager.status(ticket) == "IN_REVIEW"


async def test_what_is_worth_much_or_secret_is_decided_in_waypost(
    manager: Texting, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket, code = await manager.code()
    monkeypatch.setenv("STEP_UP_ABOVE", "100")
    get_settings.cache_clear()
    assert (await manager.answer(f"APPROVE {code}")).startswith(sms_actions.SIGN_IN)
    await manager.ask()
    assert "APPROVE" not in manager.last()
    monkeypatch.delenv("STEP_UP_ABOVE")
    get_settings.cache_clear()
    async with manager.database.transaction() as session:
        await session.execute(update(Ticket).where(Ticket.id == ticket["id"]).values(is_confidential=True))
    assert (await manager.answer(f"APPROVE {code} again")).startswith(sms_actions.SIGN_IN)
    assert await manager.status(ticket) == "IN_REVIEW"


async def test_of_what_is_confidential_nothing_is_told(manager: Texting) -> None:
    await manager.ask(is_confidential=True, title="Parental leave of somebody")
    assert "confidential request" in manager.last()
    assert "Parental" not in manager.last()
    assert "APPROVE" not in manager.last()


async def test_an_emergency_reaches_phones_and_is_decided_in_waypost(texting: Texting) -> None:
    await texting.has_phone("manager")
    await texting.has_phone("manager", OTHER)
    await texting.ask(priority="CRITICAL")
    told = texting.sent()
    assert {one["to"] for one in told} == {PHONE, OTHER}, "every phone of theirs, also of who chose no text messages"
    assert all(one["text"].startswith("URGENT ") and "APPROVE" not in one["text"] for one in told)


async def test_only_what_cannot_wait_comes_as_text_unless_one_chooses(texting: Texting) -> None:
    await texting.has_phone("manager")
    await texting.ask()
    assert texting.sent() == []
    read = await (await texting.who("manager")).get("/notifications/preferences")
    assert [event for event, row in read["events"].items() if row["sms"]] == ["approval.escalated"]
    assert "sms" in read["mandatory"]["emergency"]


async def test_answers_are_taken_only_where_it_is_set_up(manager: Texting) -> None:
    from waypost.notifications.models import ChannelSettings

    async with manager.database.transaction() as session:
        row = await session.get(ChannelSettings, "sms")
        row.settings = {**row.settings, "takes_replies": False}
    await manager.ask()
    assert "APPROVE" not in manager.last()
    async with manager.database.read() as session:
        assert list(await session.scalars(select(ReplyCode))) == []


# --- the doors --------------------------------------------------------------------------------------------------------


async def test_only_the_gateway_is_heard(manager: Texting) -> None:
    ticket, code = await manager.code()
    http = (await manager.who("employee")).http
    for path, headers in (
        ("gateway/wrong/messages", {}),
        ("gateway/messages", {}),
        ("gateway/messages", {"X-Waypost-Secret": "wrong"}),
        ("gateway/wrong/reports", {}),
        ("twilio/messages", {"X-Twilio-Signature": "x"}),
        ("twilio/messages", {}),
        ("twilio/reports", {}),
    ):
        brought = {"from": PHONE, "text": f"APPROVE {code}"}
        answer = await http.post(f"/integrations/sms/{path}", data=brought, headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (401, "urn:waypost:problem:not_signed"), path
        assert "wrong" not in answer.text, "a secret stands in no answer"
    assert await manager.status(ticket) == "IN_REVIEW"
    headed = {"X-Waypost-Secret": HOOK}
    body = {"from": PHONE, "text": f"APPROVE {code}", "id": 7}
    answer = await http.post("/integrations/sms/gateway/messages", json=body, headers=headed)
    assert answer.status_code == 200
    assert await manager.status(ticket) == "APPROVED"


async def test_what_cannot_be_read_changes_nothing(manager: Texting) -> None:
    http = (await manager.who("employee")).http
    path, headed = "/integrations/sms/gateway/messages", {"X-Waypost-Secret": HOOK}
    many = "&".join(f"a{n}=1" for n in range(200))
    assert (await http.get(f"{path}?{many}", headers=headed)).status_code == 422
    assert (await http.post(path, json=[1], headers=headed)).status_code == 422
    assert (await http.post(path, content=b"x" * 2_000_000, headers=headed)).status_code == 413
    for brought in ({}, {"from": "Bank", "text": "x"}, {"from": "1" * 10_000}, {"from": PHONE, "text": "\x00" * 9}):
        assert (await http.get(path, params=brought, headers=headed)).status_code == 200
    huge = {"from": PHONE, "text": "APPROVE 33333 " + "x" * 10_000, "id": "y" * 5_000}
    assert (await http.post(path, data=huge, headers=headed)).status_code == 200


async def test_the_names_of_a_gateway_are_its_own(manager: Texting) -> None:
    from waypost.notifications.models import ChannelSettings

    async with manager.database.transaction() as session:
        row = await session.get(ChannelSettings, "sms")
        row.settings = {**row.settings, "incoming": "phone=msisdn&text=body"}
    ticket, code = await manager.code()
    await manager.bring("x", msisdn=PHONE[1:], body=f"APPROVE {code}")
    assert await manager.status(ticket) == "APPROVED"


async def test_a_switched_off_channel_hears_nothing(manager: Texting) -> None:
    from waypost.notifications.models import ChannelSettings

    async with manager.database.transaction() as session:
        await session.execute(update(ChannelSettings).values(is_on=False))
    assert (await manager.bring("HELP")).status_code == 401


async def test_a_decision_by_twilio(twilio: Texting) -> None:
    await twilio.has_phone("manager", PHONE, ASKED)
    ticket, code = await twilio.code()
    http = (await twilio.who("employee")).http
    form = {"From": PHONE, "Body": f"Approve {code} ü", "MessageSid": "SM1", "NumMedia": "0", "Empty": ""}
    assert (await by_twilio(http, "messages", form, token="x" * 32)).status_code == 401
    for _ in range(2):
        answer = await by_twilio(http, "messages", form)
        assert (answer.status_code, answer.text) == (200, "<Response/>")
    assert await twilio.status(ticket) == "APPROVED"
    assert len(await twilio.events("sms.answered")) == 1


async def test_twilio_answers_stop_by_itself(twilio: Texting) -> None:
    await twilio.has_phone("manager")
    http = (await twilio.who("employee")).http
    stop = {"From": PHONE, "Body": "Arrêt", "OptOutType": "STOP", "MessageSid": "SM2"}
    await by_twilio(http, "messages", stop)
    (point,) = (await (await twilio.who("manager")).get("/contact-points"))["items"]
    assert point["is_stopped"]
    await by_twilio(http, "messages", {"From": PHONE, "Body": "start", "MessageSid": "SM3"})
    await by_twilio(http, "messages", {"From": PHONE, "Body": "help", "MessageSid": "SM4"})
    await twilio.tell()
    assert twilio.sent() == []
    (point,) = (await (await twilio.who("manager")).get("/contact-points"))["items"]
    assert not point["is_stopped"]


async def test_who_has_left_decides_nothing(manager: Texting) -> None:
    from waypost.directory.models import User

    ticket, code = await manager.code()
    boss = await manager.who("manager")
    async with manager.database.transaction() as session:
        await session.execute(update(User).where(User.id == boss.id).values(is_active=False))
    assert await manager.answer(f"APPROVE {code}") == ""
    assert await manager.status(ticket) == "IN_REVIEW"


async def test_behind_somebody_elses_lock_one_is_asked_to_try_again(
    manager: Texting, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket, code = await manager.code()
    async with manager.database.transaction() as session:
        await session.execute(select(Ticket).where(Ticket.id == ticket["id"]).with_for_update())
        assert await manager.answer(f"APPROVE {code}") == sms_actions.NOT_NOW
    assert await manager.status(ticket) == "IN_REVIEW"
    assert (await manager.answer(f"APPROVE {code} now")).startswith("Approved.")


async def test_a_code_taken_already_is_made_again(manager: Texting, monkeypatch: pytest.MonkeyPatch) -> None:
    salts = iter([1, 1, 2])
    monkeypatch.setattr("waypost.notifications.reply_codes.secrets.randbelow", lambda _: next(salts))
    real = codes.reply_code
    monkeypatch.setattr(
        "waypost.notifications.reply_codes.reply_code",
        lambda key, phone, step, version, salt: real(key, phone, 0, 0, salt),
    )
    _, first = await manager.code()
    _, second = await manager.code()
    assert first != second
    assert second == real(codes_key(), PHONE, 0, 0, 2)


async def test_no_phone_is_asked_that_is_not_proved(manager: Texting) -> None:
    async with manager.database.transaction() as session:
        await session.execute(update(ContactPoint).values(verified_at=None))
    await manager.ask()
    assert manager.sent() == []
    assert await manager.answer("HELP") == ""


async def test_what_is_decided_before_it_goes_out_asks_for_nothing(manager: Texting, find_step: Any) -> None:
    boss = await manager.who("manager")
    chosen = await boss.get("/notifications/preferences")
    chosen["quiet_hours"] = {"starts": "00:01", "ends": "00:00", "days": [0, 1, 2, 3, 4, 5, 6]}
    await boss.put("/notifications/preferences", chosen)
    ticket = await manager.ask()
    assert manager.sent() == []
    step = await find_step(boss, ticket["id"])
    await boss.post(f"/approvals/{step['id']}/approve", {"comments": "yes"})
    await relay.drain(manager.database)
    with clock(lambda: now_later(2)):
        await manager.tell()
    (one,) = manager.sent()
    assert one["text"].endswith(f"{ticket['title']} - Approved by Mike Okafor")
    assert "APPROVE " not in one["text"]


async def test_who_stands_in_decides_with_a_code_of_their_own(manager: Texting) -> None:
    boss, deputy = await manager.who("manager"), await manager.who("head")
    at = now()
    window = {"starts_at": rfc3339(at), "ends_at": rfc3339(at + timedelta(days=2)), "reason": "away"}
    await boss.post("/approvals/delegations", {"delegate_id": deputy.id, **window}, expect=201)
    await manager.has_phone("head", OTHER, ASKED)
    ticket = await manager.ask()
    codes_by_phone = {one["to"]: CODE.search(one["text"]) for one in manager.sent()}
    theirs = codes_by_phone[OTHER]
    assert theirs is not None
    assert (await manager.answer(f"APPROVE {theirs[1]}", OTHER)).startswith("Approved.")
    (event,) = await manager.decided()
    assert (event.actor_id, event.on_behalf_of_id) == (deputy.id, boss.id)
    assert await manager.status(ticket) == "APPROVED"
