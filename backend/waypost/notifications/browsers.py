"""Browsers that take messages, as a sender knows them.

A subscription is a contact point. Its address names the push service and the browser there, and is no key to it; the key
stands in `details`: the endpoint, what to seal with, the session it was made in, and which key of ours it was made for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from waypost.kernel.db import Database
from waypost.kernel.settings import get_settings
from waypost.vendors import web_push

PUSH = "push"
KEY = "vapid"  # our private key, among the channel's sealed settings


def is_service(host: str) -> bool:
    """Whether messages may be brought there: browsers give the address, so it is one of the services named for it."""
    return any(
        host == name or (name.startswith("*.") and host.endswith(name[1:])) for name in get_settings().push_services
    )


_WANTED = text("""
    SELECT k.user_id, k.address, k.details, k.used_at IS NOT NULL AS has_worked,
      (SELECT count(*) FROM (SELECT 1 FROM notifications n WHERE n.user_id = k.user_id AND n.read_at IS NULL LIMIT 1000)
         AS c) AS unread
    FROM contact_points k
    WHERE k.channel = 'push' AND k.user_id = ANY(CAST(:people AS bigint[])) AND k.address = ANY(CAST(:addresses AS text[]))
""")


@dataclass(frozen=True, slots=True)
class Reached:
    """A browser as a sender knows it. `key` is the public key of ours it subscribed with."""

    browser: web_push.Browser
    key: str
    has_worked: bool
    unread: int


async def browsers_of(
    database: Database, people: Collection[int], addresses: Collection[str]
) -> Mapping[tuple[int, str], Reached]:
    """Browsers by person and address, with how much each person has not read, in one statement."""
    async with database.read() as session:
        rows = await session.execute(_WANTED, {"people": sorted(set(people)), "addresses": sorted(set(addresses))})
        return {(row.user_id, row.address): _reached(row) for row in rows if row.details.get("endpoint")}


def _reached(row: Any) -> Reached:
    kept = row.details
    browser = web_push.Browser(kept["endpoint"], web_push.decoded(kept["p256dh"]), web_push.decoded(kept["auth"]))
    return Reached(browser, kept.get("key", ""), row.has_worked, row.unread)
