"""Messages in browsers: what is sealed and signed, who subscribes, what a push service answers, and when it ends."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey
from sqlalchemy import select, update

from tests.notifications.wire import CLOSE, Request, Said, Wire, wire
from waypost.kernel import crypto, outgoing, relay, sealing
from waypost.kernel.clock import now
from waypost.kernel.events import EventRow
from waypost.kernel.settings import get_settings
from waypost.notifications import sending
from waypost.notifications.browsers import KEY
from waypost.notifications.channels import Message, push, registry
from waypost.notifications.models import ChannelSettings, ContactPoint, Delivery
from waypost.notifications.words import Words
from waypost.vendors import web_push
from waypost.vendors.web_push import Browser, decoded, encoded

PATH = "/contact-points"


def secret() -> tuple[Any, str]:
    key = generate_private_key(SECP256R1())
    return key, encoded(key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


@dataclass
class Reader:
    """A browser's half: its keys, and reading what was brought."""

    endpoint: str
    key: Any = None
    auth: bytes = b"0123456789abcdef"
    public: str = ""

    def __post_init__(self) -> None:
        self.key, self.public = secret()

    def body(self, **more: Any) -> dict[str, Any]:
        subscription = {
            "endpoint": self.endpoint,
            "expirationTime": None,
            "keys": {"p256dh": self.public, "auth": encoded(self.auth)},
        }
        return {"channel": "push", "subscription": subscription, "label": "Chrome on Linux", **more}

    def read(self, sealed: bytes) -> Any:
        return json.loads(http_ece.decrypt(sealed, private_key=self.key, auth_secret=self.auth, version="aes128gcm"))


@dataclass
class Service:
    wire: Wire
    database: Any
    answers: list[Any] = field(default_factory=list)

    def browser(self, name: str = "one") -> Reader:
        return Reader(f"{self.wire.url}/push/{name}")

    async def tell(self) -> None:
        push._busy.clear()
        async with self.database.transaction() as session:
            await session.execute(update(Delivery).where(Delivery.status == "PENDING").values(next_at=now()))
        await relay.drain(self.database)
        await sending.send_due(self.database)

    async def rows(self, **by: Any) -> list[Delivery]:
        async with self.database.read() as session:
            wanted = select(Delivery).where(Delivery.channel == "push").filter_by(**by).order_by(Delivery.id)
            return list(await session.scalars(wanted))


@pytest.fixture
async def service(fresh_database: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    """A push service on this machine, for which an exception is made."""
    answers: list[Any] = []

    def says(request: Request) -> Any:
        return answers.pop(0) if answers else Said(b"", 201)

    async with wire(says) as made:
        monkeypatch.setenv("PUSH_SERVICES", '["127.0.0.1"]')
        monkeypatch.setenv("OUTGOING_ALLOW", '["127.0.0.1/32"]')
        get_settings.cache_clear()
        push._busy.clear()
        yield Service(made, fresh_database, answers)
    monkeypatch.undo()
    get_settings.cache_clear()
    outgoing._allowed.cache_clear()


def test_a_message_is_sealed_as_the_standard_has_it() -> None:
    """RFC 8291, appendix A."""
    browser = Browser(
        "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV",
        decoded("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        decoded("BTBZMqHH6r4Tts7J_aSIgg"),
    )
    ours = derive_private_key(
        int.from_bytes(decoded("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big"), SECP256R1()
    )
    sealed = web_push.encrypt(
        b"When I grow up, I want to be a watermelon",
        browser,
        salt=decoded("DGv6ra1nlYgDCS1FRnbzlw"),
        private_key=ours,
    )
    assert encoded(sealed) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
        "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def test_who_sends_is_signed_for_one_service_only() -> None:
    private = web_push.new_key()
    header = web_push.signed("https://push.example.net:8443/abc", private, "mailto:it@example.com", now())
    scheme, _, rest = header.partition(" ")
    parts = dict(p.split("=", 1) for p in rest.split(","))
    assert (scheme, parts["k"]) == ("vapid", web_push.public_key(private))
    point = decoded(parts["k"])
    public = ECKey.import_key({"kty": "EC", "crv": "P-256", "x": encoded(point[1:33]), "y": encoded(point[33:])})
    token = jwt.decode(parts["t"], public, algorithms=["ES256"])
    assert token.claims["aud"] == "https://push.example.net:8443"
    assert token.claims["sub"] == "mailto:it@example.com"
    assert 0 < token.claims["exp"] - now().timestamp() <= 24 * 3600


@pytest.mark.parametrize("value", [b"", b"\x04" + bytes(64), b"\x02" + bytes(32), b"\x04" * 65, bytes(65)])
def test_what_is_no_point_on_the_curve_is_no_key(value: bytes) -> None:
    assert not web_push.is_point(value)


def _message(*notices: Words, **more: Any) -> Message:
    return Message("<1@x>", 1, "x", "Subject", notices, {}, **more)


def test_it_says_no_more_than_a_subject_does() -> None:
    origin = get_settings().origin
    words = Words(
        "Laptop approved", "The body is private", f"{origin}/tickets/7", number="ITH-2026-000007", ticket_id=7
    )
    said = json.loads(push.payload(_message(words), 3))
    assert said == {
        "title": "Laptop approved",
        "body": "ITH-2026-000007",
        "path": "/tickets/7",
        "tag": "ticket-7",
        "unread": 3,
        "urgent": False,
    }
    many = json.loads(push.payload(_message(words, words, bundle="digest:x"), 0))
    assert (many["title"], many["path"], many["tag"]) == ("Subject", "/", "summary")
    assert "private" not in str(many)
    elsewhere = Words("T", "", "https://evil.example/x")
    assert json.loads(push.payload(_message(elsewhere), 0))["path"] == "/"
    long = Words("\U0001f525" * 5000, "", f"{origin}/x", number="N" * 400)
    assert len(push.payload(_message(long), 0)) <= push.MOST_BYTES
    assert json.loads(push.payload(_message(long), 0, short=True))["body"] == ""


def test_a_later_message_about_the_same_takes_the_place_of_the_earlier() -> None:
    asked = Words("Asked", "", ticket_id=7, decide={"step_id": 3, "version": 1})
    told = Words("Told", "", ticket_id=7)
    topics = [push.topic_of(_message(w)) for w in (asked, asked, told, Words("Test", ""))]
    assert topics[0] == topics[1]
    assert len(set(topics)) == 3
    assert all(len(t) <= 32 and t.isalnum() for t in topics)


async def test_one_is_told_in_a_browser_until_one_signs_out_of_it(service: Service, fresh_who: Any) -> None:
    jane, mike = await fresh_who("employee"), await fresh_who("manager")
    key = (await jane.get("/push/key"))["public_key"]
    assert (await mike.get("/push/key"))["public_key"] == key
    assert len(decoded(key)) == 65
    reader = service.browser()
    made = await jane.post(PATH, reader.body(), expect=201)
    assert (made["label"], made["address"], made["is_verified"]) == ("Chrome on Linux", "127.0.0.1", True)
    assert reader.endpoint not in str(await jane.get(PATH))
    again = await jane.post(PATH, reader.body(), expect=201)
    assert again["id"] == made["id"]
    ready = next(c for c in (await jane.get("/notifications/preferences"))["channels"] if c["key"] == "push")
    assert ready["is_ready"]
    assert "push" not in [c["key"] for c in (await mike.get("/notifications/preferences"))["channels"]]

    sent = await jane.post(f"{PATH}/{made['id']}/test", expect=202)
    assert sent["recipient"].startswith("127.0.0.1/")
    await mike.post(f"{PATH}/{made['id']}/test", expect=404)
    await service.tell()
    (brought,) = service.wire.of("/push/one")
    said = reader.read(brought.body)
    assert "test" in said["title"].lower()
    assert brought.headers["content-encoding"] == "aes128gcm"
    assert brought.headers["urgency"] == "normal"
    assert int(brought.headers["ttl"]) == push.LIFE.total_seconds()
    assert brought.headers["authorization"].startswith("vapid t=")
    (row,) = await service.rows()
    assert (row.status, row.recipient) == ("SENT", sent["recipient"])
    assert (await jane.get(PATH))["items"][0]["used_at"]

    # somebody else signs in to the same browser and wants to be told there
    taken = await mike.post(PATH, reader.body(), expect=201)
    assert (await jane.get(PATH))["items"] == []
    assert [p["id"] for p in (await mike.get(PATH))["items"]] == [taken["id"]]
    await mike.post("/auth/logout", expect=204)
    async with service.database.read() as session:
        assert (await session.scalars(select(ContactPoint).where(ContactPoint.channel == "push"))).all() == []
        kinds = select(EventRow.type).where(EventRow.type.like("contact_point.%")).order_by(EventRow.id)
        assert list(await session.scalars(kinds)) == [
            "contact_point.added",
            "contact_point.removed",
            "contact_point.added",
            "contact_point.removed",
        ]


async def test_approvals_are_told_in_the_browser(service: Service, fresh_who: Any, hardware: Any) -> None:
    jane, mike = await fresh_who("employee"), await fresh_who("manager")
    reader = service.browser()
    await mike.post(PATH, reader.body(), expect=201)
    ticket = await jane.post("/tickets", hardware("500.00"), expect=201)
    await service.tell()
    (brought,) = service.wire.of("/push/one")
    said = reader.read(brought.body)
    assert ticket["title"] in said["title"]
    assert said["body"] == ticket["ticket_number"]
    assert said["path"].startswith("/")
    assert said["tag"].startswith("step-")
    assert said["unread"] >= 1
    assert len(brought.body) < 4096


async def test_what_is_no_subscription_is_refused(service: Service, fresh_who: Any) -> None:
    jane = await fresh_who("employee")
    good = service.browser()

    async def pointers(endpoint: str = good.endpoint, **keys: str) -> set[str]:
        body = good.body()
        body["subscription"] = {
            "endpoint": endpoint,
            "keys": {**body["subscription"]["keys"], **keys},
        }
        refused = await jane.post(PATH, body, expect=422)
        return {e["pointer"] for e in refused["errors"]}

    for endpoint in (
        "https://evil.example/x",
        "https://127.0.0.1.evil.example/",
        "http://169.254.169.254/latest",
        "https://user:pw@127.0.0.1/x",
        "file:///etc/passwd",
        "nonsense",
    ):
        assert await pointers(endpoint) == {"/subscription/endpoint"}, endpoint
    assert await pointers(p256dh=encoded(b"\x04" + bytes(64))) == {"/subscription/keys/p256dh"}
    assert await pointers(p256dh="!!") == {"/subscription/keys/p256dh"}
    assert await pointers(auth=encoded(b"short")) == {"/subscription/keys/auth"}
    await jane.post(PATH, {**good.body(), "more": 1}, expect=422)
    await jane.post(PATH, {**good.body(), "channel": "pigeon"}, expect=422)
    await jane.post(PATH, {**good.body(), "label": "x" * 101}, expect=422)
    assert await pointers("https://127.0.0.1/" + "x" * 3000) == {"/subscription/endpoint"}
    assert (await jane.get(PATH))["items"] == []


async def test_ten_browsers_are_enough(service: Service, fresh_who: Any) -> None:
    jane = await fresh_who("employee")
    for n in range(10):
        await jane.post(PATH, service.browser(str(n)).body(), expect=201)
    refused = await jane.post(PATH, service.browser("more").body(), expect=409)
    assert refused["code"] == "too_many_browsers"
    await jane.post(PATH, service.browser("3").body(), expect=201)  # known already


@pytest.mark.parametrize("status", [404, 410])
async def test_a_browser_that_is_gone_is_not_told_again(service: Service, fresh_who: Any, status: int) -> None:
    jane = await fresh_who("employee")
    made = await jane.post(PATH, service.browser().body(), expect=201)
    await jane.post(f"{PATH}/{made['id']}/test", expect=202)
    service.answers.append(Said(b"gone", status))
    await service.tell()
    (row,) = await service.rows()
    assert row.status == "FAILED"
    assert [p["is_stopped"] for p in (await jane.get(PATH))["items"]] == [True]
    refused = await jane.post(f"{PATH}/{made['id']}/test", expect=409)
    assert refused["code"] == "not_reached"
    # asked for anew, it takes the place of what is gone
    fresh = await jane.post(PATH, service.browser("two").body(), expect=201)
    assert [p["id"] for p in (await jane.get(PATH))["items"]] == [fresh["id"]]


async def test_a_service_that_is_busy_or_away_holds_up_nothing_else(service: Service, fresh_who: Any) -> None:
    jane = await fresh_who("employee")
    made = await jane.post(PATH, service.browser().body(), expect=201)
    for _ in range(3):
        await jane.post(f"{PATH}/{made['id']}/test", expect=202)
    service.answers.append(Said(b"", 429, {"Retry-After": "90"}))
    await service.tell()
    assert len(service.wire.taken) == 1  # the others wait without being tried
    rows = await service.rows()
    assert {r.status for r in rows} == {"PENDING"}
    assert 80 < (rows[0].next_at - now()).total_seconds() < 100
    async with service.database.read() as session:
        row = await session.get(ChannelSettings, "push")
        assert row.failures == 0  # one service's trouble is not the channel's
    service.answers += [CLOSE, Said(b"", 503)]
    await service.tell()
    await service.tell()
    assert {r.status for r in await service.rows()} == {"PENDING"}
    await service.tell()
    assert {r.status for r in await service.rows()} == {"SENT"}


async def test_what_is_too_large_goes_shorter(service: Service, fresh_who: Any) -> None:
    jane = await fresh_who("employee")
    reader = service.browser()
    made = await jane.post(PATH, reader.body(), expect=201)
    await jane.post(f"{PATH}/{made['id']}/test", expect=202)
    service.answers.append(Said(b"", 413))
    await service.tell()
    first, second = service.wire.of("/push/one")
    assert len(second.body) <= len(first.body)
    assert [r.status for r in await service.rows()] == ["SENT"]
    await jane.post(f"{PATH}/{made['id']}/test", expect=202)
    service.answers += [Said(b"", 413), Said(b"", 413)]
    await service.tell()
    assert [r.status for r in await service.rows()] == ["SENT", "FAILED"]


async def test_refusing_our_key_is_ours_only_where_it_has_worked(service: Service, fresh_who: Any) -> None:
    jane, mike = await fresh_who("employee"), await fresh_who("manager")
    foreign = await mike.post(PATH, service.browser("foreign").body(), expect=201)
    await mike.post(f"{PATH}/{foreign['id']}/test", expect=202)
    service.answers.append(Said(b"the key is not the one of the subscription", 403))
    await service.tell()
    assert [p["is_stopped"] for p in (await mike.get(PATH))["items"]] == [True]
    made = await jane.post(PATH, service.browser().body(), expect=201)
    for answer in (Said(b"", 201), Said(b"invalid JWT provided", 403)):
        await jane.post(f"{PATH}/{made['id']}/test", expect=202)
        service.answers.append(answer)
        await service.tell()
    async with service.database.read() as session:
        row = await session.get(ChannelSettings, "push")
        assert row.failures == 1
        assert "invalid JWT" in row.last_error


async def test_the_key_outlives_settings_and_rotation(service: Service, fresh_who: Any) -> None:
    admin = await fresh_who("admin")
    key = (await admin.get("/push/key"))["public_key"]
    items = (await admin.get("/notification-channels"))["items"]
    shown = next(c for c in items if c["key"] == "push")
    assert shown["is_fixed"]
    assert "vapid" not in str(shown)
    await admin.put("/notification-channels/push", {"version": shown["version"], "is_on": True, "settings": {}})
    old = crypto.keyring().current
    crypto.add_key()
    assert await sealing.rewrap(service.database, ChannelSettings) == 1
    assert await sealing.rewrap(service.database, ChannelSettings) == 0
    async with service.database.read() as session:
        row = await session.get(ChannelSettings, "push")
        assert row.sealed_with != old
        private = registry.unseal(row)[KEY]
    assert web_push.public_key(private) == key == (await admin.get("/push/key"))["public_key"]
    # a key that cannot be opened any more is made anew, and browsers of the old one are let go
    made = await admin.post(PATH, service.browser().body(), expect=201)
    await admin.post(f"{PATH}/{made['id']}/test", expect=202)
    async with service.database.transaction() as session:
        row = await session.get(ChannelSettings, "push")
        row.sealed = b"x" * 60
    assert (await admin.get("/push/key"))["public_key"] != key
    await service.tell()
    assert service.wire.taken == []
    assert [p["is_stopped"] for p in (await admin.get(PATH))["items"]] == [True]


async def test_an_installation_can_do_without(
    service: Service, fresh_who: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    jane = await fresh_who("employee")
    made = await jane.post(PATH, service.browser().body(), expect=201)
    monkeypatch.setenv("PUSH_SERVICES", "[]")
    get_settings.cache_clear()
    assert (await jane.get("/push/key", expect=409))["code"] == "push_is_off"
    items = (await (await fresh_who("admin")).get("/notification-channels"))["items"]
    assert [c["is_on"] for c in items if c["key"] == "push"] == [False]
    assert "push" not in [c["key"] for c in (await jane.get("/notifications/preferences"))["channels"]]
    assert (await jane.post(PATH, service.browser().body(), expect=409))["code"] == "push_is_off"
    assert (await jane.post(f"{PATH}/{made['id']}/test", expect=409))["code"] == "not_reached"
