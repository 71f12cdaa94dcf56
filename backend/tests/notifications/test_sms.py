"""Text messages on their way: gateways and Twilio, networks that misbehave, reports, caps, and setting it up."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select, update

from tests.notifications.texting import HOOK, OTHER, PHONE, TOKEN, Texting, by_twilio
from tests.notifications.wire import CLOSE, HANG, Said
from waypost.kernel.clock import clock, now
from waypost.kernel.settings import get_settings
from waypost.notifications.models import ChannelSettings, ContactPoint, Delivery
from waypost.vendors import answers

ASKED = "approval.requested"


async def the(texting: Texting) -> Delivery:
    return (await texting.deliveries())[-1]


@pytest.fixture
async def manager(texting: Texting) -> Texting:
    await texting.has_phone("manager", PHONE, ASKED)
    return texting


@pytest.fixture
async def at_twilio(twilio: Texting) -> Texting:
    await twilio.has_phone("manager", PHONE, ASKED)
    return twilio


async def settings(texting: Texting, **more: Any) -> None:
    async with texting.database.transaction() as session:
        row = await session.get(ChannelSettings, "sms")
        row.settings = {**row.settings, **more}


# --- a gateway --------------------------------------------------------------------------------------------------------


async def test_what_a_gateway_is_given(manager: Texting) -> None:
    await manager.ask(title="Größe & mehr?to=+1 {password}")
    (request,) = manager.wire.taken
    assert request.method == "GET"
    form = parse_qs(urlsplit(request.path).query)
    (delivery,) = await manager.deliveries()
    assert form["key"] == ["1"], "what the address holds stays"
    assert (form["username"], form["password"]) == (["us&er"], ["pass word&"])
    assert (form["to"], form["coding"]) == ([PHONE], ["0"])
    assert "Größe & mehr?to=+1 {password}" in form["text"][0], "what people write is never a parameter"
    assert form["dlr-url"] == [
        f"https://waypost.example.com/api/v1/integrations/sms/gateway/{HOOK}/reports?delivery={delivery.id}"
    ]
    assert (delivery.status, delivery.last_error) == ("SENT", None)


@pytest.mark.parametrize("method", ["POST form", "POST JSON"])
async def test_other_ways_to_call_a_gateway(manager: Texting, method: str) -> None:
    await settings(manager, method=method, parameters="")
    async with manager.database.transaction() as session:
        from waypost.notifications.channels.registry import seal

        row = await session.get(ChannelSettings, "sms")
        seal(row, {"authorization": "Bearer 1a2b", "hook_secret": HOOK})
    await manager.ask(title="Привет")
    (request,) = manager.wire.taken
    assert (request.method, request.headers["authorization"]) == ("POST", "Bearer 1a2b")
    body = request.json if method == "POST JSON" else {k: v[0] for k, v in parse_qs(request.body.decode()).items()}
    assert (body["to"], body["coding"]) == (PHONE, "2")
    assert "Привет" in body["text"]


@pytest.mark.parametrize(
    ("said", "status", "why", "opens"),
    [
        (Said(b"no", 403), "PENDING", "the gateway answers 403", True),
        (Said(b"no", 400), "FAILED", "the gateway answers 400", False),
        (Said(b"", 503), "PENDING", "the gateway answers 503", True),
        (Said(b"", 429, {"Retry-After": "90"}), "PENDING", "the gateway answers 429", True),
        (Said(b"", 302, {"Location": "http://127.0.0.1:1/"}), "FAILED", "the gateway answers 302", False),
        (HANG, "PENDING", "the gateway cannot be reached: TimeoutError", True),
        (CLOSE, "PENDING", "the gateway cannot be reached: RemoteProtocolError", True),
        (Said(b"x" * 2_000_000), "PENDING", "the gateway cannot be reached: the answer is too large", True),
    ],
)
async def test_a_gateway_that_does_not_take_it(
    manager: Texting, monkeypatch: pytest.MonkeyPatch, said: Any, status: str, why: str, opens: bool
) -> None:
    monkeypatch.setattr(answers, "LONGEST", 0.4)
    monkeypatch.setattr(answers.ask, "__kwdefaults__", {"within": 0.4})
    manager.network.instead.append(said)
    await manager.ask()
    row = await the(manager)
    assert (row.status, row.last_error) == (status, why)
    assert "pass" not in str(row.last_error)
    async with manager.database.read() as session:
        channel = await session.get(ChannelSettings, "sms")
        assert (channel.open_until is not None) is opens
    if isinstance(said, Said) and said.headers.get("Retry-After"):
        assert row.next_at - now() > timedelta(seconds=80)
    if status == "PENDING":
        later = now() + timedelta(hours=2)
        with clock(lambda: later):
            await manager.tell()
        assert (await the(manager)).status == "SENT"


async def test_a_gateway_that_says_yes_to_everything(manager: Texting) -> None:
    await settings(manager, taken_when="Accepted")
    manager.network.instead.append(Said(b"ERROR: no credit", 200))
    await manager.ask()
    row = await the(manager)
    assert (row.status, row.last_error) == ("FAILED", "the gateway's answer does not say 'Accepted'")


async def test_a_gateway_inside_the_house_is_not_called(manager: Texting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTGOING_ALLOW", "[]")
    get_settings.cache_clear()
    await manager.ask()
    row = await the(manager)
    assert row.last_error == "the gateway is not called: its address is not allowed"
    assert manager.wire.taken == []


# --- Twilio -----------------------------------------------------------------------------------------------------------


async def test_what_twilio_is_given(at_twilio: Texting) -> None:
    await at_twilio.ask()
    (request,) = at_twilio.wire.taken
    account = "AC" + "0" * 32
    assert request.path == f"/2010-04-01/Accounts/{account}/Messages.json"
    signed_in = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
    assert signed_in == f"{account}:{TOKEN}"
    form = {k: v[0] for k, v in parse_qs(request.body.decode()).items()}
    delivery = await the(at_twilio)
    assert (form["To"], form["From"], form["ValidityPeriod"]) == (PHONE, "+4932211234567", "14400")
    assert form["StatusCallback"] == (
        f"https://waypost.example.com/api/v1/integrations/sms/twilio/reports?delivery={delivery.id}"
    )
    assert (delivery.status, delivery.provider_ref) == ("SENT", f"SM{1:032}")


async def test_an_emergency_is_worth_a_quarter_of_an_hour(at_twilio: Texting) -> None:
    await settings(at_twilio, sender="MG" + "a" * 32)
    await at_twilio.ask(priority="CRITICAL")
    form = {k: v[0] for k, v in parse_qs(at_twilio.wire.taken[0].body.decode()).items()}
    assert (form["ValidityPeriod"], form["MessagingServiceSid"]) == ("900", "MG" + "a" * 32)
    assert "From" not in form


@pytest.mark.parametrize(
    ("status", "code", "kept", "is_stopped", "is_open"),
    [
        (400, 21610, "FAILED", True, False),
        (400, 21211, "FAILED", True, False),
        (400, 21614, "FAILED", True, False),
        (400, 21408, "FAILED", False, False),
        (400, 21617, "FAILED", False, False),
        (401, 20003, "PENDING", False, True),
        (400, 21606, "PENDING", False, True),
        (429, 20429, "PENDING", False, True),
        (500, 20500, "PENDING", False, True),
        (404, 20404, "PENDING", False, True),
    ],
)
async def test_what_twilios_refusals_mean(
    at_twilio: Texting, status: int, code: int, kept: str, is_stopped: bool, is_open: bool
) -> None:
    body = {"code": code, "message": "It is so.", "status": status, "more_info": "https://x"}
    at_twilio.network.instead.append(Said(body, status))
    await at_twilio.ask()
    row = await the(at_twilio)
    assert row.status == kept
    assert (row.last_error or "").startswith(("Twilio says", "they answered STOP"))
    async with at_twilio.database.read() as session:
        (point,) = await session.scalars(select(ContactPoint).where(ContactPoint.channel == "sms"))
        channel = await session.get(ChannelSettings, "sms")
    assert (point.stopped_at is not None) is is_stopped
    assert (channel.open_until is not None) is is_open


@pytest.mark.parametrize("said", [Said(b"<html>", 200), Said({"status": "queued"}, 201), Said(b"x", 500), HANG, CLOSE])
async def test_a_twilio_that_makes_no_sense_is_asked_again(
    at_twilio: Texting, monkeypatch: pytest.MonkeyPatch, said: Any
) -> None:
    monkeypatch.setattr(answers.ask, "__kwdefaults__", {"within": 0.4})
    at_twilio.network.instead.append(said)
    await at_twilio.ask()
    assert (await the(at_twilio)).status == "PENDING"


# --- what became of it ------------------------------------------------------------------------------------------------


async def report(texting: Texting, what: str, delivery: int | str, **more: str) -> int:
    http = (await texting.who("employee")).http
    path = f"/integrations/sms/gateway/{HOOK}/reports"
    answer = await http.get(path, params={"delivery": delivery, "status": what, **more})
    return int(answer.status_code)


async def test_a_report_says_that_it_arrived_and_is_never_taken_back(manager: Texting) -> None:
    await manager.ask()
    row = await the(manager)
    assert await report(manager, "8", row.id) == 200
    assert (await the(manager)).receipt is None
    for what in ("1", "2", "8", "16"):
        await report(manager, what, row.id)
    row = await the(manager)
    assert (row.status, row.receipt, row.last_error) == ("SENT", "DELIVERED", None)
    admin = await manager.who("admin")
    shown = await admin.get(f"/notification-deliveries/{row.id}")
    assert (shown["segments"], shown["receipt"], shown["receipt_at"] is not None) == (1, "DELIVERED", True)


async def test_what_did_not_arrive_can_be_sent_again(manager: Texting) -> None:
    await manager.ask()
    row = await the(manager)
    for what in ("16", "1"):
        await report(manager, what, row.id)
    row = await the(manager)
    assert (row.status, row.receipt, row.last_error) == ("FAILED", "UNDELIVERED", "the network refused it")
    admin = await manager.who("admin")
    await admin.post(f"/notification-deliveries/{row.id}/send-again")
    await manager.tell()
    first, second = (s["text"] for s in manager.sent())
    assert first == second, "also the code in it"
    await report(manager, "1", row.id)
    row = await the(manager)
    assert (row.status, row.receipt) == ("SENT", "DELIVERED")


async def test_a_report_may_be_faster_than_we_are(manager: Texting) -> None:
    async def at_once(request: Any, what: str) -> Any:
        delivery = parse_qs(urlsplit(parse_qs(urlsplit(request.path).query)["dlr-url"][0]).query)["delivery"][0]
        await report(manager, what, delivery)
        return Said(b"0: Accepted", 202)

    for what, status, receipt in (("1", "SENT", "DELIVERED"), ("2", "FAILED", "UNDELIVERED")):
        manager.network.instead.append(lambda request, what=what: at_once(request, what))
        await manager.ask()
        row = await the(manager)
        assert (row.status, row.receipt) == (status, receipt)


async def test_reports_on_nothing_of_ours_change_nothing(manager: Texting) -> None:
    await manager.ask()
    for delivery in ("0", "x", str(2**63), "999999", ""):
        assert await report(manager, "2", delivery) == 200
    async with manager.database.read() as session:
        (mail,) = await session.scalars(select(Delivery.id).where(Delivery.channel == "email").limit(1))
    await report(manager, "2", mail)
    async with manager.database.read() as session:
        assert list(await session.scalars(select(Delivery.id).where(Delivery.receipt.is_not(None)))) == []


async def test_several_in_one_message_share_its_fate(manager: Texting) -> None:
    boss = await manager.who("manager")
    chosen = await boss.get("/notifications/preferences")
    chosen["quiet_hours"] = {"starts": "00:01", "ends": "00:00", "days": [0, 1, 2, 3, 4, 5, 6]}
    await boss.put("/notifications/preferences", chosen)
    for _ in range(2):
        await manager.ask()
    assert manager.sent() == []
    later = now() + timedelta(hours=25)
    with clock(lambda: later):
        await manager.tell()
    (one,) = manager.sent()
    assert one["text"].startswith("2 updates from Waypost: ITH-")
    assert "APPROVE" not in one["text"]
    rows = await manager.deliveries()
    await report(manager, "1", rows[0].id)
    assert [r.receipt for r in await manager.deliveries()] == ["DELIVERED"] * 2


async def test_twilios_reports(at_twilio: Texting) -> None:
    await at_twilio.ask()
    row, http = await the(at_twilio), (await at_twilio.who("employee")).http
    query = f"?delivery={row.id}"
    said = {"MessageStatus": "undelivered", "ErrorCode": "30003", "MessageSid": "SMother"}
    assert (await by_twilio(http, "reports", said, query=query)).status_code == 204
    assert (await the(at_twilio)).receipt is None, "it is about an earlier try"
    said["MessageSid"] = str(row.provider_ref)
    assert (await by_twilio(http, "reports", said, query=query, token="x" * 32)).status_code == 401
    for status in ("sent", "undelivered", "delivered"):
        assert (await by_twilio(http, "reports", said | {"MessageStatus": status}, query=query)).status_code == 204
    row = await the(at_twilio)
    assert (row.status, row.receipt, row.last_error) == ("FAILED", "UNDELIVERED", "the phone is off or out of reach")


async def test_a_report_of_opting_out_stops_the_phone(at_twilio: Texting) -> None:
    await at_twilio.ask()
    row, http = await the(at_twilio), (await at_twilio.who("employee")).http
    said = {"MessageStatus": "failed", "ErrorCode": "21610", "MessageSid": str(row.provider_ref)}
    await by_twilio(http, "reports", said, query=f"?delivery={row.id}")
    (point,) = (await (await at_twilio.who("manager")).get("/contact-points"))["items"]
    assert point["is_stopped"]


# --- floods -----------------------------------------------------------------------------------------------------------


async def test_a_person_gets_so_many_a_day_and_emergencies_besides(manager: Texting) -> None:
    await settings(manager, most_to_one="2")
    for _ in range(3):
        await manager.ask()
    await manager.ask(priority="CRITICAL")
    states = [(r.status, r.last_error) for r in await manager.deliveries()]
    assert states == [
        ("SENT", None),
        ("SENT", None),
        ("FAILED", "this person had 2 messages within a day"),
        ("SENT", None),
    ]
    given_up = (await manager.deliveries())[2]
    await (await manager.who("admin")).post(f"/notification-deliveries/{given_up.id}/send-again")
    later = now() + timedelta(hours=25)
    with clock(lambda: later):
        await manager.tell()
    assert {r.status for r in await manager.deliveries()} == {"SENT"}


async def test_all_get_so_many_a_day_then_it_waits_and_administrators_hear(manager: Texting) -> None:
    await settings(manager, most_in_all="2")
    await manager.has_phone("manager", OTHER)
    await manager.ask()
    await manager.ask()
    assert len(manager.sent()) == 2
    waiting = await manager.deliveries(Delivery.status == "PENDING")
    assert len(waiting) == 2
    assert [w.last_error for w in waiting if w.last_error] == ["2 messages went out within a day: no more do"]
    (failed,) = await manager.events("channel.failed")
    assert failed.data["channel"] == "sms"
    later = now() + timedelta(hours=25)
    with clock(lambda: later):
        await manager.tell()
    assert len(manager.sent()) == 4
    async with manager.database.read() as session:
        channel = await session.get(ChannelSettings, "sms")
    assert channel.failures == 0


# --- setting it up ----------------------------------------------------------------------------------------------------


async def test_an_administrator_sets_it_up_and_tries_it(texting: Texting) -> None:
    admin = await texting.who("admin")
    shown = next(c for c in (await admin.get("/notification-channels"))["items"] if c["key"] == "sms")
    assert HOOK not in str(shown)
    fields = {f["key"]: f for f in shown["fields"]}
    assert (fields["hook_secret"]["is_set"], fields["hook_secret"]["value"]) == (True, None)
    path, version = "/notification-channels/sms", shown["version"]

    async def put(expect: int, **values: Any) -> Any:
        return await admin.put(path, {"version": version, "is_on": True, "settings": values}, expect=expect)

    said = await put(422, driver="twilio")
    assert {e["pointer"] for e in said["errors"]} == {"/settings/account", "/settings/auth_token"}
    said = await put(422, most_to_one="-1", hook_secret="x", url="ftp://x")
    assert {e["pointer"] for e in said["errors"]} == {
        "/settings/most_to_one",
        "/settings/hook_secret",
        "/settings/url",
    }
    await put(422, driver="pigeon")
    await put(200, most_to_one="5")
    assert (await admin.post(f"{path}/test", expect=409))["code"] == "not_reached"
    await texting.has_phone("admin", OTHER)
    await admin.post(f"{path}/test", expect=202)
    await texting.tell()
    assert texting.sent()[-1]["to"] == OTHER
    assert "This is a test by SMS" in texting.last()
    await (await texting.who("manager")).post(f"{path}/test", expect=403)


async def test_a_broken_setting_is_told_not_guessed(manager: Texting) -> None:
    await settings(manager, url="")
    await manager.ask()
    assert (await the(manager)).last_error == "the setting url is needed to switch it on"


async def test_what_cannot_be_written_holds_up_nothing_else(manager: Texting) -> None:
    await manager.ask()
    async with manager.database.transaction() as session:
        broken = {"title": "x", "body": "y", "code": {"until": "soon"}}
        await session.execute(
            update(Delivery).where(Delivery.channel == "sms").values(words=broken, status="PENDING", next_at=now())
        )
    await manager.ask()
    states = [r.status for r in await manager.deliveries()]
    assert states == ["FAILED", "SENT"]
