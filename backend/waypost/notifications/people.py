"""Those who are told: where each can be reached, and how they want to be told, in one statement for all."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.models import HELD
from waypost.kernel.clock import zone_of
from waypost.kernel.sealed_numbers import open_number
from waypost.notifications.choices import Digest, QuietHours, Wishes

_FACTS = text(f"""
    SELECT u.id, u.email, u.first_name || ' ' || u.last_name AS name, u.timezone, u.locale,
      p.choices, p.digests, p.quiet_hours,
      (SELECT coalesce(jsonb_agg(d.choices), '[]') FROM notification_defaults d
         JOIN user_roles ur ON ur.role_id = d.role_id WHERE ur.user_id = u.id AND {HELD}) AS roles,
      c.choices AS company, c.mandatory,
      (SELECT coalesce(jsonb_agg(jsonb_build_array(k.channel, k.address) ORDER BY k.id), '[]') FROM contact_points k
         WHERE k.user_id = u.id AND k.verified_at IS NOT NULL AND k.stopped_at IS NULL) AS points,
      (SELECT coalesce(jsonb_agg(k.channel), '[]') FROM contact_points k
         WHERE k.user_id = u.id AND k.address = u.email AND k.stopped_at > now() - interval '1 day') AS unknown,
      EXISTS (SELECT 1 FROM contact_points k WHERE k.user_id = u.id AND k.channel = 'email'
         AND k.address = lower(u.email) AND k.stopped_at IS NOT NULL) AS is_returned
    FROM users u
      LEFT JOIN notification_preferences p ON p.user_id = u.id
      LEFT JOIN notification_defaults c ON c.role_id IS NULL
    WHERE u.id = ANY(CAST(:ids AS bigint[])) AND u.is_active
""")  # noqa: S608 - our own words


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may be told. `points` are their verified addresses by channel, besides the mail's.

    `unknown` are the channels that looked for them by their mail address within the last day, and found nobody.
    `is_returned`: mails to their address came back for good.
    """

    id: int
    name: str
    email: str
    zone: ZoneInfo
    locale: str
    wishes: Wishes
    points: Mapping[str, tuple[str, ...]]
    unknown: frozenset[str] = frozenset()
    is_returned: bool = False


async def people_told(session: AsyncSession, ids: Collection[int]) -> dict[int, Person]:
    """People by id; those who are not active are left out."""
    if not ids:
        return {}
    return {row.id: _person(row) for row in await session.execute(_FACTS, {"ids": sorted(set(ids))})}


def _person(row: Any) -> Person:
    points: dict[str, tuple[str, ...]] = {}
    for channel, address in row.points:
        points[channel] = (*points.get(channel, ()), open_number(address, "contact_points.address"))
    zone = zone_of(row.timezone)
    wishes = Wishes(
        own=row.choices or {},
        roles=tuple(row.roles),
        company=row.company or {},
        mandatory=row.mandatory or {},
        digests={event: Digest(how) for event, how in (row.digests or {}).items()},
        quiet=quiet_hours_of(row.quiet_hours),
        zone=zone,
    )
    return Person(
        row.id, row.name, row.email, zone, row.locale, wishes, points, frozenset(row.unknown), row.is_returned
    )


def quiet_hours_of(kept: Mapping[str, Any] | None) -> QuietHours | None:
    """Quiet hours as a row keeps them: `{starts, ends, days}`."""
    if not kept:
        return None
    return QuietHours(time.fromisoformat(kept["starts"]), time.fromisoformat(kept["ends"]), frozenset(kept["days"]))
