"""The one place that asks what time it is.

Rules get an instant `at` as an argument; only services and tasks call `now()`, so a test can stop the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

_clock: ContextVar[Callable[[], datetime]] = ContextVar("clock")


def now() -> datetime:
    """The current instant, aware, in UTC."""
    clock = _clock.get(None)
    return clock() if clock else datetime.now(UTC)


@contextmanager
def clock(tell: Callable[[], datetime]) -> Iterator[None]:
    """Within the block `now()` answers what `tell` says (tests, replays)."""
    token = _clock.set(tell)
    try:
        yield
    finally:
        _clock.reset(token)


def rfc3339(at: datetime) -> str:
    """An instant as clients read it: RFC 3339 in UTC with `Z`, microseconds only when there are any."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


@cache
def zone_names() -> frozenset[str]:
    """What a zone may be called: IANA names alone. A machine's own hour ("localtime") is another on the next machine."""
    return frozenset(available_timezones() - {"localtime", "Factory"})


def zone_of(name: str) -> ZoneInfo:
    """The zone of this IANA name; UTC when the name means nothing here."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
