"""The relay: every committed event arrives, in order per object, once in effect, whatever fails on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from sqlalchemy import func, select, text

from waypost.kernel import events, relay
from waypost.kernel.clock import clock, now
from waypost.kernel.events import SYSTEM, Event, EventRow, OutboxRow, Recorded, Wiring, record, use_wiring, wiring


@dataclass(frozen=True, kw_only=True)
class Happened(Event):
    type: ClassVar[str] = "test.happened"
    object_type: ClassVar[str] = "test"
    thing: int
    n: int

    @property
    def object_id(self) -> int:
        return self.thing


@dataclass(frozen=True, kw_only=True)
class Circular(Event):
    type: ClassVar[str] = "test.circular"
    object_type: ClassVar[str] = "test"

    @property
    def object_id(self) -> int:
        return 1


class Listener:
    def __init__(self) -> None:
        self.heard: list[tuple[int, int]] = []
        self.fails: set[int] = set()

    async def __call__(self, session: Any, recorded: Recorded) -> None:
        event = recorded.event
        assert isinstance(event, Happened)
        if event.n in self.fails:
            raise RuntimeError("not today")
        self.heard.append((event.thing, event.n))


@pytest.fixture
def listener() -> Iterator[Listener]:
    heard, before = Listener(), wiring()

    async def circle(session: Any, event: Event, actor: Any) -> None:
        await record(session, Circular(), actor=actor)

    use_wiring(Wiring(handlers={Circular: (circle,)}, consumers={"test": heard}, subscriptions={Happened: ("test",)}))
    yield heard
    use_wiring(before)


async def happen(database: Any, thing: int, *numbers: int) -> None:
    for n in numbers:
        async with database.transaction() as session:
            await record(session, Happened(thing=thing, n=n), actor=SYSTEM)


async def count(database: Any, table: Any) -> int:
    async with database.read() as session:
        return int(await session.scalar(select(func.count()).select_from(table)) or 0)


async def test_everything_arrives_in_order(fresh_database: Any, listener: Listener) -> None:
    await happen(fresh_database, 1, 1, 2, 3)
    await happen(fresh_database, 2, 1)
    assert await relay.drain(fresh_database) == 4
    assert [n for thing, n in listener.heard if thing == 1] == [1, 2, 3]
    assert await count(fresh_database, OutboxRow) == await count(fresh_database, relay.DeliveryRow) == 0
    assert await relay.drain(fresh_database) == 0


async def test_what_is_undone_is_never_told(fresh_database: Any, listener: Listener) -> None:
    async def undone() -> None:
        async with fresh_database.transaction() as session:
            await record(session, Happened(thing=1, n=1), actor=SYSTEM)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await undone()
    assert await relay.drain(fresh_database) == 0


async def test_late_commits_are_not_lost(fresh_database: Any, listener: Listener) -> None:
    """An event with a lower id that commits later than a higher one still arrives."""
    async with fresh_database.transaction() as slow:
        await record(slow, Happened(thing=1, n=1), actor=SYSTEM)
        await happen(fresh_database, 2, 2)
        assert await relay.drain(fresh_database) == 1
    assert await relay.drain(fresh_database) == 1
    assert listener.heard == [(2, 2), (1, 1)]


async def test_a_failure_holds_back_its_object_only(fresh_database: Any, listener: Listener) -> None:
    listener.fails = {1}
    await happen(fresh_database, 1, 1, 2)
    await happen(fresh_database, 2, 9)
    await relay.drain(fresh_database)
    assert listener.heard == [(2, 9)]
    async with fresh_database.read() as session:
        held = (await session.scalars(select(relay.DeliveryRow).order_by(relay.DeliveryRow.event_id))).all()
    assert held[0].attempts == 1
    assert "not today" in (held[0].last_error or "")
    listener.fails = set()
    later = now() + timedelta(minutes=5)
    with clock(lambda: later):
        await relay.drain(fresh_database)
    assert listener.heard == [(2, 9), (1, 1), (1, 2)]


async def test_the_hopeless_is_parked_and_no_longer_in_the_way(fresh_database: Any, listener: Listener) -> None:
    listener.fails = {1}
    await happen(fresh_database, 1, 1, 2)
    at = now()
    for hours in range(relay.MAX_ATTEMPTS + 1):
        with clock(lambda late=at + timedelta(hours=2 * hours): late):  # type: ignore[misc]
            await relay.drain(fresh_database)
    assert listener.heard == [(1, 2)]
    async with fresh_database.read() as session:
        parked = (await session.scalars(select(relay.DeliveryRow))).one()
    assert parked.parked_at is not None


async def test_a_consumer_that_dies_midway_leaves_no_half(fresh_database: Any, listener: Listener) -> None:
    await happen(fresh_database, 1, 1)

    async def half(session: Any, recorded: Recorded) -> None:
        await session.execute(text("UPDATE users SET job_title = 'half'"))
        raise RuntimeError("died")

    use_wiring(Wiring(consumers={"test": half}, subscriptions={Happened: ("test",)}))
    await relay.drain(fresh_database)
    async with fresh_database.read() as session:
        assert await session.scalar(text("SELECT count(*) FROM users WHERE job_title = 'half'")) == 0


async def test_many_at_once_deliver_once(fresh_database: Any, listener: Listener) -> None:
    await happen(fresh_database, 1, *range(10))
    await happen(fresh_database, 2, *range(10))
    await asyncio.gather(*(relay.drain(fresh_database) for _ in range(4)))
    await relay.drain(fresh_database)
    assert sorted(listener.heard) == sorted({(thing, n) for thing in (1, 2) for n in range(10)})
    assert [n for thing, n in listener.heard if thing == 1] == list(range(10))


async def test_only_one_hands_out(fresh_database: Any, listener: Listener) -> None:
    await happen(fresh_database, 1, 1)
    async with fresh_database.transaction() as other:
        await other.execute(text(f"SELECT pg_advisory_xact_lock({relay.HAND_OUT_LOCK})"))
        assert await relay.hand_out(fresh_database) == 0
    assert await relay.hand_out(fresh_database) == 1


async def test_an_event_nobody_waits_for_any_more(fresh_database: Any, listener: Listener) -> None:
    """A subscription that a release took away leaves nothing behind."""
    await happen(fresh_database, 1, 1)
    use_wiring(Wiring())
    assert await relay.hand_out(fresh_database) == 1
    assert await count(fresh_database, relay.DeliveryRow) == 0


async def test_drain_ends(fresh_database: Any, listener: Listener) -> None:
    await happen(fresh_database, 1, *range(5))
    assert await relay.drain(fresh_database, most=2) == 2
    assert await relay.drain(fresh_database, most=100) == 3


def test_waits_grow_to_an_hour() -> None:
    assert relay.wait_before(1) < relay.wait_before(5) < timedelta(hours=1.3)
    assert timedelta(hours=0.7) < relay.wait_before(20) < timedelta(hours=1.3)


async def test_a_circle_of_handlers_is_a_defect(fresh_database: Any, listener: Listener) -> None:
    async with fresh_database.transaction() as session:
        with pytest.raises(RuntimeError, match="circle"):
            await record(session, Circular(), actor=SYSTEM)


async def test_fields_of_later_versions_are_ignored() -> None:
    assert events.read_event("test.happened", {"thing": 1, "n": 2, "later": 3}) == Happened(thing=1, n=2)
    with pytest.raises(TypeError, match="two events"):
        type("Other", (Event,), {"type": "test.happened"})
    assert EventRow.__tablename__ == "events"


async def test_an_event_nobody_knows_stops_nothing(fresh_database: Any) -> None:
    """After a step back to an earlier release the log may hold what it does not know."""
    from waypost.kernel.events import OutboxRow

    async with fresh_database.transaction() as session:
        row = EventRow(
            type="of.a.later.release", version=1, object_type="x", object_id=1, data={}, channel="system", at=now()
        )
        session.add(row)
        await session.flush()
        session.add(OutboxRow(event_id=row.id))
    async with fresh_database.read() as session:
        assert await relay.first_waiting(session) == row.id
    assert await relay.hand_out(fresh_database) >= 1
    async with fresh_database.read() as session:
        assert await relay.first_waiting(session) is None


def test_a_relay_that_stands_still_is_seen() -> None:
    """Old events and a long stop say nothing; the same event being the next for long does."""
    from waypost.kernel.health import Progress

    progress = Progress()
    assert progress.seen(7, 1000.0) == 0
    assert progress.seen(7, 1070.0) == 70
    assert progress.seen(8, 1071.0) == 0
    assert progress.seen(None, 1200.0) == 0
    assert progress.seen(None, 1300.0) == 0
    assert progress.seen(9, 1301.0) == 0
