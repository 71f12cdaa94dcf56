"""How failed sign-ins slow further ones down. Pure: facts and one instant in, facts out.

Source: security controls, brute force (OWASP ASVS 5.0, 6.3.1): after a number of failures a pause, each further one
twice as long, at most a day; failures are forgotten after a quiet day.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

LONGEST = timedelta(days=1)
FORGIVEN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Failures:
    """What is known of one account or address. `level` counts the pauses so far."""

    count: int = 0
    level: int = 0
    blocked_until: datetime | None = None
    updated_at: datetime | None = None


def seconds_to_wait(failures: Failures, at: datetime) -> int:
    """Whole seconds until the next try is allowed; 0 when it is allowed now."""
    if failures.blocked_until is None or failures.blocked_until <= at:
        return 0
    return int((failures.blocked_until - at).total_seconds()) + 1


def after_failure(failures: Failures, at: datetime, *, allowed: int, pause: timedelta) -> Failures:
    """The facts after one more failure; the `allowed`-th starts a pause."""
    if failures.updated_at is not None and at - failures.updated_at > FORGIVEN_AFTER:
        failures = Failures()
    count = failures.count + 1
    if count < allowed:
        return replace(failures, count=count, updated_at=at)
    length = min(pause * 2**failures.level, LONGEST)
    return Failures(count=0, level=min(failures.level + 1, 16), blocked_until=at + length, updated_at=at)
