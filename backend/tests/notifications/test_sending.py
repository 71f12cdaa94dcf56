"""What goes out together, and what a system that is away or refuses us means for everything else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from sqlalchemy import select, update

from waypost.access import devices
from waypost.kernel import relay
from waypost.kernel.clock import clock, now
from waypost.kernel.settings import get_settings
from waypost.kernel.settings_form import Field
from waypost.notifications import sending
from waypost.notifications.channels import Config, Message, registry
from waypost.notifications.models import ChannelSettings, Delivery, Notification
from waypost.notifications.people import Person
from waypost.vendors.fates import Delivered, Fate, Misconfigured, Rejected, TryLater


class Wire:
    """A channel that says what it is told to say, and keeps what it took."""

    key: ClassVar[str] = "email"
    fields: ClassVar[tuple[Field, ...]] = ()
    pace: ClassVar[float] = 0.0

    def __init__(self) -> None:
        self.says: list[Fate] = []
        self.taken: list[Message] = []

    def recipients(self, person: Person) -> Sequence[str]:
        return (person.email,)

    async def send(self, config: Config, messages: Sequence[Message]) -> AsyncGenerator[Fate]:
        for message in messages:
            fate = self.says.pop(0) if self.says else Delivered(f"ref-{len(self.taken)}")
            if isinstance(fate, Delivered):
                self.taken.append(message)
            yield fate


@pytest.fixture(autouse=True)
def _known_browsers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is mailed that a browser of theirs is new: what is counted here are mails about requests."""
    recognise = devices.recognise

    async def known(*about: Any, **more: Any) -> tuple[str, bool]:
        device, _ = await recognise(*about, **more)
        return device, False

    monkeypatch.setattr(devices, "recognise", known)


@pytest.fixture
async def wire(fresh_database: Any, monkeypatch: pytest.MonkeyPatch) -> Wire:
    made = Wire()
    monkeypatch.setitem(registry.CHANNELS, "email", made)
    async with fresh_database.transaction() as session:
        await session.execute(update(Delivery).values(status="SENT"))
    return made


@pytest.fixture
def gathering(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("NOTIFY_GATHER_SECONDS", "60")
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


async def rows(database: Any) -> list[Delivery]:
    async with database.read() as session:
        return list(await session.scalars(select(Delivery).where(Delivery.status != "SENT").order_by(Delivery.id)))


async def approved(fresh_database: Any, fresh_who: Any, hardware: Any) -> Any:
    """A request whose updates its requester hears of, and nothing on its way."""
    jane, mike, agent = await fresh_who("employee"), await fresh_who("manager"), await fresh_who("agent")
    ticket = await jane.post("/tickets", hardware("90.00"), expect=201)
    waiting = (await mike.get("/approvals/pending", params={"limit": 100}))["items"]
    (step,) = [w for w in waiting if w["ticket"]["id"] == ticket["id"]]
    await mike.post(f"/approvals/{step['id']}/approve", {"version": step["version"]})
    await agent.post(f"/tickets/{ticket['id']}/assign", {"assignee_id": agent.id})
    await relay.drain(fresh_database)
    async with fresh_database.transaction() as session:
        await session.execute(update(Delivery).values(status="SENT"))
    return ticket


async def test_thirty_updates_in_five_minutes_are_one_mail(
    fresh_database: Any, fresh_who: Any, hardware: Any, wire: Wire, gathering: None
) -> None:
    ticket = await approved(fresh_database, fresh_who, hardware)
    agent, began = await fresh_who("agent"), now()
    for n in range(30):
        with clock(lambda at=began + timedelta(seconds=10 * n): at):  # type: ignore[misc]
            await agent.post(f"/tickets/{ticket['id']}/comments", {"body": f"Update {n}"}, expect=201)
            await relay.drain(fresh_database)
            assert await sending.send_due(fresh_database) == 0, f"after {10 * n} s"
    with clock(lambda: began + timedelta(minutes=5)):
        assert await sending.send_due(fresh_database) == 1
        assert await sending.send_due(fresh_database) == 0
    (mail,) = wire.taken
    assert len(mail.notices) == 30
    assert mail.subject == f"[{ticket['ticket_number']}] New comment: {ticket['title']} (and 29 more)"
    async with fresh_database.read() as session:
        told = await session.scalars(select(Notification.id).where(Notification.kind == "comment.created"))
        assert len(list(told)) >= 30, "in the app each is told"


async def test_a_mail_of_many_is_called_by_what_tells_most(
    fresh_database: Any, fresh_who: Any, hardware: Any, wire: Wire, gathering: None
) -> None:
    ticket = await approved(fresh_database, fresh_who, hardware)
    agent, path = await fresh_who("agent"), f"/tickets/{ticket['id']}/transitions"
    await agent.post(path, {"to": "IN_PROGRESS"})
    await agent.post(path, {"to": "COMPLETED", "comment": "It is on your desk"})
    await relay.drain(fresh_database)
    later = now() + timedelta(minutes=5)
    with clock(lambda: later):
        await sending.send_due(fresh_database)
    mail = next(m for m in wire.taken if m.recipient == "employee@example.com")
    assert len(mail.notices) > 1
    assert mail.subject == f"[{ticket['ticket_number']}] Done: {ticket['title']} (and {len(mail.notices) - 1} more)"


async def test_what_comes_after_is_a_mail_of_its_own(
    fresh_database: Any, fresh_who: Any, hardware: Any, wire: Wire, gathering: None
) -> None:
    ticket = await approved(fresh_database, fresh_who, hardware)
    agent, began = await fresh_who("agent"), now()

    async def say(words: str) -> None:
        await agent.post(f"/tickets/{ticket['id']}/comments", {"body": words}, expect=201)
        await relay.drain(fresh_database)

    await say("first")
    wire.says = [TryLater("busy")]
    with clock(lambda: began + timedelta(seconds=61)):
        assert await sending.send_due(fresh_database) == 1
        await say("second")
    with clock(lambda: began + timedelta(minutes=3)):
        assert await sending.send_due(fresh_database) == 2
    assert [m.notices[0].body[-6:].strip() for m in wire.taken] == ["first", "second"]
    assert len({m.id for m in wire.taken}) == 2


async def some(fresh_database: Any, fresh_who: Any, hardware: Any, count: int) -> list[Delivery]:
    jane = await fresh_who("employee")
    for _ in range(count):
        await jane.post("/tickets", hardware("90.00"), expect=201)
    await relay.drain(fresh_database)
    return await rows(fresh_database)


async def test_a_system_that_is_away_is_left_alone_and_tried_with_one(
    fresh_database: Any, fresh_who: Any, hardware: Any, wire: Wire
) -> None:
    assert len(await some(fresh_database, fresh_who, hardware, 3)) == 3
    began = now()
    wire.says = [TryLater("no route", for_all=True)]
    assert await sending.send_due(fresh_database) == 1
    assert sorted(r.attempts for r in await rows(fresh_database)) == [0, 0, 1], "the others were not tried"
    assert await sending.send_due(fresh_database) == 0, "it is left alone"
    wire.says = [TryLater("no route", for_all=True)]
    with clock(lambda: began + timedelta(seconds=10)):
        assert await sending.send_due(fresh_database) == 1, "one to see whether it is back"
    with clock(lambda: began + timedelta(seconds=60)):
        assert await sending.send_due(fresh_database) == 3
    assert len({m.id for m in wire.taken}) == 3
    async with fresh_database.read() as session:
        row = await session.get(ChannelSettings, "email")
    assert (row.failures, row.open_until) == (0, None)


async def test_the_wait_it_asks_for_is_kept(fresh_database: Any, fresh_who: Any, hardware: Any, wire: Wire) -> None:
    await some(fresh_database, fresh_who, hardware, 1)
    began = now()
    wire.says = [TryLater("429", after=timedelta(minutes=9))]
    await sending.send_due(fresh_database)
    with clock(lambda: began + timedelta(minutes=8)):
        assert await sending.send_due(fresh_database) == 0
    with clock(lambda: began + timedelta(minutes=10)):
        assert await sending.send_due(fresh_database) == 1


async def test_administrators_are_told_once_that_nothing_goes_out(
    fresh_database: Any, fresh_who: Any, hardware: Any, wire: Wire
) -> None:
    await some(fresh_database, fresh_who, hardware, 1)
    began = now()
    for n in range(4):
        wire.says = [Misconfigured("wrong password")]
        with clock(lambda at=began + timedelta(minutes=10 * n): at):  # type: ignore[misc]
            assert await sending.send_due(fresh_database) == 1
    await relay.drain(fresh_database)
    admin, jane = await fresh_who("admin"), await fresh_who("employee")
    told = [n for n in (await admin.get("/notifications"))["items"] if n["kind"] == "channel.failed"]
    assert len(told) == 1
    assert "wrong password" in told[0]["body"]
    assert all(n["kind"] != "channel.failed" for n in (await jane.get("/notifications"))["items"])


async def test_a_link_to_decide_by_is_not_kept_once_sent(
    fresh_database: Any, fresh_who: Any, hardware: Any, wire: Wire
) -> None:
    (row,) = await some(fresh_database, fresh_who, hardware, 1)
    async with fresh_database.transaction() as session:
        words = {**row.words, "decide_link": "https://waypost.example.com/decide/secret"}
        await session.execute(update(Delivery).where(Delivery.id == row.id).values(words=words))
    await sending.send_due(fresh_database)
    assert wire.taken[0].notices[0].decide_link.endswith("secret")
    async with fresh_database.read() as session:
        kept = await session.get(Delivery, row.id)
    assert "decide_link" not in kept.words
    assert kept.provider_ref == "ref-0"


async def test_a_sender_with_a_defect_is_no_other_channels_business(
    fresh_database: Any, fresh_who: Any, hardware: Any, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    await some(fresh_database, fresh_who, hardware, 2)

    class Broken(Wire):
        key = "slack"

        async def send(self, config: Config, messages: Sequence[Message]) -> AsyncGenerator[Fate]:
            raise RuntimeError("a defect")
            yield Rejected("")

    monkeypatch.setitem(registry.CHANNELS, "slack", Broken())
    async with fresh_database.transaction() as session:
        first = (await rows(fresh_database))[0]
        await session.execute(update(Delivery).where(Delivery.id == first.id).values(channel="slack"))
    assert await sending.send_due(fresh_database) == 1
    assert len(wire.taken) == 1


async def test_while_one_system_is_slow_the_others_are_served_by_one_process(
    fresh_database: Any, fresh_who: Any, hardware: Any, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes due for others while one is being sent to goes out before that ends, and no second process waits."""
    monkeypatch.setattr(sending, "LOOK", 0.02)
    await some(fresh_database, fresh_who, hardware, 1)
    begun, ends = asyncio.Event(), asyncio.Event()

    class Slow(Wire):
        key = "slack"
        fields = (Field("token", "Token"),)

        async def send(self, config: Config, messages: Sequence[Message]) -> AsyncGenerator[Fate]:
            begun.set()
            await ends.wait()
            for message in messages:
                self.taken.append(message)
                yield Delivered()

    slow = Slow()
    monkeypatch.setitem(registry.CHANNELS, "slack", slow)
    async with fresh_database.transaction() as session:
        await session.execute(update(Delivery).where(Delivery.status == "PENDING").values(channel="slack"))
    run = asyncio.create_task(sending.send_due(fresh_database))
    try:
        async with asyncio.timeout(20):
            await begun.wait()
            await some(fresh_database, fresh_who, hardware, 2)
            assert await sending.send_due(fresh_database) == 0, "the other process is free for other work"
            while len(wire.taken) < 2:  # noqa: ASYNC110 - another task's doing
                await asyncio.sleep(0.01)
        assert not run.done()
        assert slow.taken == []
    finally:
        ends.set()
        assert await run == 3
    assert len(slow.taken) == 1
