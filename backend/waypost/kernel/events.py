"""The event log: every change writes what happened here, in its own transaction.

The row is history and audit. Two kinds of code follow it, both named in `wiring.py`:

* *handlers* run at once, in the same transaction, in listed order; a handler that refuses undoes the change;
* *consumers* run after the commit, through the relay (`relay.py`), at least once and in order per object.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, ClassVar, Protocol

import msgspec
from sqlalchemy import BigInteger, Index, SmallInteger, String, bindparam, func, insert, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from waypost.kernel.clock import now
from waypost.kernel.db import Base, BigId

MAX_DEPTH = 8
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
# The key with which a program asks for somebody ("token:7"); it stands in the data of whatever is recorded meanwhile.
acting_by: ContextVar[str | None] = ContextVar("acting_by", default=None)
BY = "acted_by"
# The automation rules behind what is recorded meanwhile, the first one first: `{"id": 3, "name": "…"}` each.
by_rules: ContextVar[tuple[dict[str, Any], ...]] = ContextVar("by_rules", default=())
BY_RULES = "by_rules"


class Xid8(UserDefinedType[int]):
    """PostgreSQL's `xid8`: a transaction's number, never reused."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "xid8"


class EventRow(Base):
    """One fact of the log. Rows are only ever added."""

    __tablename__ = "events"

    id: Mapped[BigId]
    txid: Mapped[int] = mapped_column(Xid8(), server_default=text("pg_current_xact_id()"))
    type: Mapped[str] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(SmallInteger)
    object_type: Mapped[str] = mapped_column(String(32))
    object_id: Mapped[int] = mapped_column(BigInteger)
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    actor_id: Mapped[int | None] = mapped_column(BigInteger)
    on_behalf_of_id: Mapped[int | None] = mapped_column(BigInteger)
    channel: Mapped[str] = mapped_column(String(16))
    request_id: Mapped[str | None] = mapped_column(String(64))
    at: Mapped[datetime]

    __table_args__ = (
        Index("ix_events_object", "object_type", "object_id", "id"),
        Index("ix_events_txid", "txid", "id"),
        Index("ix_events_actor", "actor_id", "id"),
        Index("ix_events_type", "type", "id"),
        Index("ix_events_at", "at", "id"),
        Index("ix_events_words", text("waypost_fold(data::text) gin_trgm_ops"), postgresql_using="gin"),
    )


class OutboxRow(Base):
    """An event the relay has not yet handed to its consumers; written with the event, gone once handed out."""

    __tablename__ = "event_outbox"

    event_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


class Doer(Protocol):
    """Who does it: a person, possibly for another one, through a channel; or the system (`person_id` None)."""

    @property
    def person_id(self) -> int | None: ...
    @property
    def channel(self) -> str: ...


@dataclass(frozen=True, slots=True)
class System:
    """Waypost itself acting: a timer, a rule, the demo loader."""

    channel: str = "system"

    @property
    def person_id(self) -> int | None:
        return None


SYSTEM = System()


@dataclass(frozen=True, kw_only=True)
class Event:
    """A fact in past tense: ids and changed values, never rows. Subclasses name `type` and have versions.

    `object_type`/`object_id` say what it is about; events of one object keep their order, provided the writer holds that
    object's row lock (every use case does).
    """

    type: ClassVar[str]
    version: ClassVar[int] = 1
    object_type: ClassVar[str]

    def __init_subclass__(cls, **kw: object) -> None:
        super().__init_subclass__(**kw)
        if "type" in cls.__dict__:
            if cls.type in registry and registry[cls.type].__qualname__ != cls.__qualname__:
                raise TypeError(f"two events are called {cls.type}")
            registry[cls.type] = cls

    @property
    def object_id(self) -> int:
        raise NotImplementedError

    @property
    def on_behalf_of_id(self) -> int | None:
        """The person somebody else acted for, when that was so."""
        return None

    def data(self) -> dict[str, Any]:
        """The fields as JSON-ready values (times as RFC 3339, decimals as strings)."""
        plain: dict[str, Any] = msgspec.to_builtins({f.name: getattr(self, f.name) for f in fields(self)})
        return plain


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as it stands in the log, as consumers and readers get it. `at` is in UTC."""

    id: int
    event: Event
    actor_id: int | None
    on_behalf_of_id: int | None
    channel: str
    at: datetime


registry: dict[str, type[Event]] = {}
Handler = Callable[[AsyncSession, Any, Doer], Awaitable[None]]
Consumer = Callable[[AsyncSession, Recorded], Awaitable[None]]


@dataclass(frozen=True)
class Wiring:
    """Which events reach whom. Built once in `wiring.py`."""

    handlers: Mapping[type[Event], Sequence[Handler]] = field(default_factory=dict)
    consumers: Mapping[str, Consumer] = field(default_factory=dict)
    subscriptions: Mapping[type[Event], Sequence[str]] = field(default_factory=dict)


_wiring = Wiring()
_depth: ContextVar[int] = ContextVar("event_depth", default=0)


def use_wiring(wiring: Wiring) -> None:
    """Install the table of `wiring.py` in this process."""
    global _wiring  # noqa: PLW0603
    _wiring = wiring


def wiring() -> Wiring:
    """The table in force."""
    return _wiring


_values: dict[str, Any] = {
    c.name: bindparam(c.name, type_=c.type) for c in EventRow.__table__.c if c.name not in ("id", "txid")
}
_insert_event = insert(EventRow).values(_values).returning(EventRow.id)
_inserted = _insert_event.cte("inserted")
_insert_both = insert(OutboxRow).from_select([OutboxRow.event_id], select(_inserted.c.id)).returning(OutboxRow.event_id)


async def record(session: AsyncSession, event: Event, *, actor: Doer, at: datetime | None = None) -> int:
    """Write one fact to the log in the caller's transaction, then run its handlers. Returns the event's id.

    `at` is the instant it happened (default: now, UTC). A handler may refuse; then the whole transaction is undone.
    Raises `RuntimeError` when handlers record events in a circle.
    """
    depth = _depth.get()
    if depth >= MAX_DEPTH:
        raise RuntimeError(f"handlers record events in a circle, at {event.type}")
    row = {
        "type": event.type,
        "version": event.version,
        "object_type": event.object_type,
        "object_id": event.object_id,
        "data": event.data()
        | ({BY: by} if (by := acting_by.get()) else {})
        | ({BY_RULES: list(rules)} if (rules := by_rules.get()) else {}),
        "actor_id": actor.person_id,
        "on_behalf_of_id": event.on_behalf_of_id,
        "channel": actor.channel,
        "request_id": request_id.get(),
        "at": at or now(),
    }
    is_followed = bool(_wiring.subscriptions.get(type(event)))
    result = await (await session.connection()).execute(_insert_both if is_followed else _insert_event, row)
    event_id: int = result.scalar_one()
    session.info["recorded"] = True
    token = _depth.set(depth + 1)
    try:
        for handler in _wiring.handlers.get(type(event), ()):
            await handler(session, event, actor)
    finally:
        _depth.reset(token)
    return event_id


def read_event(type_: str, data: Mapping[str, Any]) -> Event:
    """The event a row of the log stands for. Fields a later version dropped are ignored."""
    cls = registry[type_]
    known = {f.name for f in fields(cls)}
    value: Event = msgspec.convert({k: v for k, v in data.items() if k in known}, cls, strict=False)
    return value


def recorded(row: Any) -> Recorded:
    """A `Recorded` from a row with the log's columns."""
    return Recorded(
        id=row.id,
        event=read_event(row.type, row.data),
        actor_id=row.actor_id,
        on_behalf_of_id=row.on_behalf_of_id,
        channel=row.channel,
        at=row.at,
    )


log_columns = (
    EventRow.id,
    EventRow.type,
    EventRow.data,
    EventRow.actor_id,
    EventRow.on_behalf_of_id,
    EventRow.channel,
    EventRow.at,
)
oldest_running = func.pg_snapshot_xmin(func.pg_current_snapshot())
