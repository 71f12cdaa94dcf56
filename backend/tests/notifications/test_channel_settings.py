"""Setting channels up: what is filled in, secrets that never come out, health, and a test to oneself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator, Sequence
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from sqlalchemy import select, update

from waypost.kernel.clock import now
from waypost.kernel.events import EventRow
from waypost.kernel.settings import get_settings
from waypost.kernel.settings_form import Field
from waypost.notifications.channels import Config, Message
from waypost.notifications.channels.registry import CHANNELS, config_of
from waypost.notifications.models import ChannelSettings, Delivery
from waypost.notifications.people import Person
from waypost.vendors.fates import Delivered, Fate

PATH = "/notification-channels"


class Pigeon:
    """A channel with a setting of each kind."""

    key: ClassVar[str] = "pigeon"
    pace: ClassVar[float] = 0.0
    fields: ClassVar[tuple[Field, ...]] = (
        Field("loft", "Loft"),
        Field("password", "Password", "secret"),
        Field("address", "Address", "url", required=False),
        Field("breed", "Breed", "choice", required=False, choices=("homer", "racer")),
        Field("is_fast", "Fast", "boolean", required=False),
    )

    def recipients(self, person: Person) -> Sequence[str]:
        return (f"{person.name}'s window",)

    async def send(self, config: Config, messages: Sequence[Message]) -> AsyncGenerator[Fate]:
        for _ in messages:
            yield Delivered()


@pytest.fixture
def pigeon() -> Iterator[str]:
    CHANNELS["pigeon"] = Pigeon()
    yield "pigeon"
    del CHANNELS["pigeon"]


@pytest.fixture
def allowing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Name the networks of ours that may be called."""

    def allow(networks: str) -> None:
        monkeypatch.setenv("OUTGOING_ALLOW", networks)
        get_settings.cache_clear()

    yield allow
    get_settings.cache_clear()


async def test_what_is_set_up_where_the_product_runs_is_always_on(who: Any) -> None:
    admin = await who("admin")
    (mail,) = [c for c in (await admin.get(PATH))["items"] if c["key"] == "email"]
    assert (mail["is_on"], mail["is_fixed"]) == (True, True)
    assert [f["key"] for f in mail["fields"]] == ["way", "sender", "tenant", "client_id", "client_secret"]
    off = {"version": mail["version"], "is_on": False, "settings": {}}
    refused = await admin.put(f"{PATH}/email", off, expect=422)
    assert refused["errors"][0]["pointer"] == "/is_on"


async def test_a_secret_goes_in_and_never_comes_out(fresh_database: Any, fresh_who: Any, pigeon: str) -> None:
    admin = await fresh_who("admin")
    path = f"{PATH}/{pigeon}"
    before = await admin.get(path)
    assert (before["is_on"], before["health"]["state"]) == (False, "OFF")
    lacking = await admin.put(path, {"version": 0, "is_on": True, "settings": {"loft": "North"}}, expect=422)
    assert [e["pointer"] for e in lacking["errors"]] == ["/settings/password"]
    settings = {"loft": " North ", "password": "crumbs-1234", "breed": "homer", "is_fast": True}
    saved = await admin.put(path, {"version": 0, "is_on": True, "settings": settings})
    assert "crumbs" not in json.dumps(saved)
    shown = {f["key"]: (f["value"], f["is_set"]) for f in saved["fields"]}
    assert shown == {
        "loft": ("North", True),
        "password": (None, True),
        "address": (None, False),
        "breed": ("homer", True),
        "is_fast": (True, True),
    }
    assert (saved["version"], saved["health"]["state"]) == (1, "UNTRIED")
    kept = await admin.put(path, {"version": 1, "is_on": True, "settings": {"breed": None}})
    async with fresh_database.read() as session:
        row = await session.get(ChannelSettings, pigeon)
        assert b"crumbs" not in row.sealed
        assert config_of(row) == {"loft": "North", "password": "crumbs-1234", "is_fast": True}
        facts = [e.data for e in await session.scalars(select(EventRow).where(EventRow.type == "channel.set_up"))]
        assert [(f["is_on"], f["changed"]) for f in facts] == [
            (True, ["breed", "is_fast", "loft", "password"]),
            (True, ["breed"]),
        ]
        assert "crumbs" not in json.dumps(facts)
    assert "crumbs" not in (await admin.get("/audit", expect=None, params={"limit": 100})).text
    gone = await admin.put(path, {"version": kept["version"], "is_on": False, "settings": {"password": None}})
    assert [f["is_set"] for f in gone["fields"] if f["key"] == "password"] == [False]
    await admin.put(path, {"version": 1, "is_on": False, "settings": {}}, expect=412)


@pytest.mark.parametrize(
    ("settings", "pointer"),
    [
        ({"colour": "x"}, "/settings/colour"),
        ({"loft": True}, "/settings/loft"),
        ({"loft": "x" * 2001}, "/settings/loft"),
        ({"is_fast": "yes"}, "/settings/is_fast"),
        ({"breed": "eagle"}, "/settings/breed"),
        ({"address": "ftp://example.com"}, "/settings/address"),
        ({"address": "https://user:pass@example.com"}, "/settings/address"),
        ({"address": "https://[nonsense"}, "/settings/address"),
        ({"address": "https://example.com:99999"}, "/settings/address"),
        ({"address": "nonsense"}, "/settings/address"),
        ({"loft": 1}, "/settings/loft"),
        ({"loft": ["x"]}, "/settings/loft"),
    ],
)
async def test_what_is_wrong_is_named(who: Any, pigeon: str, settings: dict[str, Any], pointer: str) -> None:
    admin = await who("admin")
    before = await admin.get(f"{PATH}/{pigeon}")
    body = {"version": before["version"], "is_on": False, "settings": settings}
    refused = await admin.put(f"{PATH}/{pigeon}", body, expect=422)
    assert [e["pointer"] for e in refused["errors"]] == [pointer]
    assert await admin.get(f"{PATH}/{pigeon}") == before


async def test_health_is_told_and_saving_tries_again(fresh_database: Any, fresh_who: Any, pigeon: str) -> None:
    admin = await fresh_who("admin")
    path = f"{PATH}/{pigeon}"
    on = {"version": 0, "is_on": True, "settings": {"loft": "North", "password": "x"}}
    await admin.put(path, on)
    shut = now() + timedelta(minutes=4)
    trouble = {"failures": 3, "open_until": shut, "last_error": "hawk", "failed_at": now(), "worked_at": now()}
    async with fresh_database.transaction() as session:
        await session.execute(update(ChannelSettings).where(ChannelSettings.key == pigeon).values(**trouble))
    health = (await admin.get(path))["health"]
    assert (health["state"], health["failures"], health["last_error"]) == ("FAILING", 3, "hawk")
    assert health["paused_until"] is not None
    changed = await admin.put(path, {"version": 1, "is_on": True, "settings": {"loft": "South"}})
    assert (changed["health"]["state"], changed["health"]["paused_until"]) == ("WORKS", None)


async def test_a_test_goes_to_oneself(fresh_database: Any, fresh_who: Any, pigeon: str) -> None:
    admin = await fresh_who("admin")
    sent = await admin.post(f"{PATH}/email/test", expect=202)
    assert sent["recipient"] == "admin@example.com"
    async with fresh_database.read() as session:
        row = await session.get(Delivery, sent["delivery_id"])
        assert (row.kind, row.status, row.user_id) == ("channel.tested", "PENDING", admin.id)
        assert "the channel works" in row.words["body"]
    log = await admin.get(f"/notification-deliveries/{sent['delivery_id']}")
    assert log["subject"].startswith("Test: ")
    refused = await admin.post(f"{PATH}/{pigeon}/test", expect=409)
    assert refused["code"] == "not_set_up"
    assert "Loft, Password is missing" in refused["detail"]
    assert (await admin.post(f"{PATH}/teams/test", expect=409))["code"] == "not_set_up"
    async with fresh_database.read() as session:
        assert list(await session.scalars(select(Delivery.id).where(Delivery.channel.in_([pigeon, "teams"])))) == []
    settings = {"loft": "West", "password": "p"}
    await admin.put(f"{PATH}/{pigeon}", {"version": 0, "is_on": False, "settings": settings})
    assert (await admin.post(f"{PATH}/{pigeon}/test", expect=202))["channel"] == pigeon


async def test_channels_are_for_administrators(who: Any) -> None:
    admin = await who("admin")
    for username in ("employee", "manager", "auditor"):
        api = await who(username)
        await api.get(PATH, expect=403)
        await api.get(f"{PATH}/email", expect=403)
        await api.put(f"{PATH}/email", {"nonsense": 1}, expect=403)
        await api.post(f"{PATH}/email/test", expect=403)
    await admin.get(f"{PATH}/no-such", expect=404)
    await admin.put(f"{PATH}/no-such", {"nonsense": 1}, expect=404)
    await admin.post(f"{PATH}/no-such/test", expect=404)


async def test_of_two_who_write_at_once_one_is_told(fresh_who: Any, pigeon: str) -> None:
    admin = await fresh_who("admin")
    asked = [{"version": 0, "is_on": False, "settings": {"loft": f"L{n}"}} for n in range(2)]
    answers = await asyncio.gather(*(admin.put(f"{PATH}/{pigeon}", body, expect=None) for body in asked))
    assert sorted(a.status_code for a in answers) == [200, 412]


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("https://127.0.0.1/x", "lies inside this network"),
        ("https://169.254.169.254/latest/meta-data", "lies inside this network"),
        ("https://[::ffff:10.0.0.1]/", "lies inside this network"),
        ("https://localhost/x", "lies inside this network"),
        ("http://203.0.113.7/x", "begins with https://"),
    ],
)
async def test_an_address_that_would_never_be_called_is_refused(
    who: Any, pigeon: str, allowing: Any, address: str, says: str
) -> None:
    allowing("[]")
    admin = await who("admin")
    version = (await admin.get(f"{PATH}/{pigeon}"))["version"]
    body = {"version": version, "is_on": False, "settings": {"address": address}}
    refused = await admin.put(f"{PATH}/{pigeon}", body, expect=422)
    assert [e["pointer"] for e in refused["errors"]] == ["/settings/address"]
    assert says in refused["errors"][0]["message"]
    assert (await admin.get(f"{PATH}/{pigeon}"))["version"] == version


async def test_a_network_of_ours_that_is_allowed_may_be_named(who: Any, pigeon: str, allowing: Any) -> None:
    allowing('["127.0.0.0/8"]')
    admin = await who("admin")
    version = (await admin.get(f"{PATH}/{pigeon}"))["version"]
    body = {"version": version, "is_on": False, "settings": {"address": "http://127.0.0.1:8080/send"}}
    assert (await admin.put(f"{PATH}/{pigeon}", body))["version"] == version + 1


async def test_an_address_whose_name_is_not_known_now_is_kept(who: Any, pigeon: str) -> None:
    admin = await who("admin")
    version = (await admin.get(f"{PATH}/{pigeon}"))["version"]
    body = {"version": version, "is_on": False, "settings": {"address": "https://gateway.invalid/send"}}
    assert (await admin.put(f"{PATH}/{pigeon}", body))["version"] == version + 1
