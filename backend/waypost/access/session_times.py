"""How long a sign-in lasts. Pure, and its twin as SQL.

A sign-in ends when its person has done nothing for `idle`, and `absolute` after it began in any case. The strictest counts
of what the house says and what each of their roles does; a role never gives more time than the house.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from waypost.access.models import HELD, LoginSession
from waypost.kernel.settings import get_settings

LEAST_IDLE, MOST_IDLE = 5, 7 * 24 * 60  # minutes
LEAST_ABSOLUTE, MOST_ABSOLUTE = 30, 90 * 24 * 60
LEAST_AT_ONCE, MOST_AT_ONCE = 1, 1000


@dataclass(frozen=True, slots=True)
class Times:
    """How long a sign-in lasts: unused, and in all."""

    idle: timedelta
    absolute: timedelta

    def end(self, *, created: datetime, seen: datetime, provider_ends: datetime | None) -> datetime:
        """When a sign-in ends that its person uses no more; never after the one at its provider."""
        return min(seen + self.idle, self.last(created=created, provider_ends=provider_ends))

    def last(self, *, created: datetime, provider_ends: datetime | None) -> datetime:
        """When it ends however much it is used."""
        ours = created + self.absolute
        return min(ours, provider_ends) if provider_ends else ours


def end_of(login: LoginSession, times: Times) -> datetime:
    """When a sign-in ends that is used no more."""
    return times.end(created=login.created_at, seen=login.last_seen_at, provider_ends=login.provider_ends_at)


def last_of(login: LoginSession, times: Times) -> datetime:
    """When it ends however much it is used."""
    return times.last(created=login.created_at, provider_ends=login.provider_ends_at)


def minutes(*, idle: int, absolute: int) -> Times:
    """Times in minutes."""
    return Times(timedelta(minutes=idle), timedelta(minutes=absolute))


def strictest(house: Times, roles: Iterable[tuple[int | None, int | None]]) -> Times:
    """What holds for somebody with these roles' own minutes, unused and in all; None is no word on it."""
    idle, absolute = house.idle, house.absolute
    for role_idle, role_absolute in roles:
        if role_idle is not None:
            idle = min(idle, timedelta(minutes=role_idle))
        if role_absolute is not None:
            absolute = min(absolute, timedelta(minutes=role_absolute))
    return Times(idle, absolute)


def last_used(before: datetime, at: datetime, idle_seconds: int) -> datetime:
    """When somebody last did something, whose browser says at `at` for how long they have done nothing."""
    return max(before, at - timedelta(seconds=idle_seconds))


def installed() -> dict[str, int]:
    """The installation's own times in minutes, as parameters of the statements below."""
    settings = get_settings()
    return {
        "idle_minutes": settings.session_idle_hours * 60,
        "absolute_minutes": settings.session_absolute_days * 24 * 60,
    }


def _sql(which: str) -> str:
    return f"""least(
      coalesce((SELECT x.{which}_minutes FROM session_rules x), CAST(:{which}_minutes AS integer)),
      (SELECT min(r.session_{which}_minutes) FROM user_roles ur JOIN roles r ON r.id = ur.role_id
        WHERE ur.user_id = u.id AND {HELD}))"""  # noqa: S608 - our own words


# The minutes of the person `u`; nulls are left out by `least`.
IDLE, ABSOLUTE = _sql("idle"), _sql("absolute")
# When the sign-in `s` of the person `u` ends if it is used no more.
ENDS = f"""least(s.expires_at, s.provider_ends_at, s.last_seen_at + make_interval(mins => {IDLE}),
      s.created_at + make_interval(mins => {ABSOLUTE}))"""
