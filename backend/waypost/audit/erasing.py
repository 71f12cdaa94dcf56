"""Taking what is personal about somebody out of the log, so that the chain still holds.

A value gives way to the word `[erased]`; its hash is kept with the seal, its salt is not, so nobody finds it again by trying
names. Whoever acted stays known by number. What the application may do here is what `waypost_erase_values` in the database
lets it: words that name something personal, and nothing else.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.audit.chain import ERASED, Row, Seal, erase, values_in
from waypost.audit.events import ValuesErased
from waypost.audit.reading import EVENT, event_of, seal_of, write_leaves
from waypost.audit.sealing import ALONE
from waypost.kernel.events import Doer, record

# Words of events that name something personal: of somebody's doing, where it was done from; of what is about them, all.
WHERE_FROM = frozenset({"address", "ip_address", "user_agent"})
PERSONAL = WHERE_FROM | {
    "email",
    "email_before",
    "first_name",
    "job_title",
    "last_name",
    "locale",
    "name",
    "names",
    "number",
    "phone",
    "recipient",
    "sender",
    "subject",
    "timezone",
    "typed",
    "username",
}
BATCH = 500

_THEIRS = text(f"""
    SELECT s.position, s.event_id, s.row_hash, s.chain_hash, s.salt, s.leaves, {EVENT}
    FROM events e LEFT JOIN audit_seals s ON s.event_id = e.id
    WHERE e.id > :after AND e.id IN (
        SELECT id FROM events WHERE object_type = 'user' AND object_id = :person
        UNION SELECT id FROM events WHERE actor_id = :person AND data ?| ARRAY['address', 'ip_address', 'user_agent']
    )
    ORDER BY e.id LIMIT :most
""")  # noqa: S608 - our own columns
_ERASE = text("SELECT waypost_erase_values(:event, CAST(:paths AS jsonb), CAST(:leaves AS jsonb))")
_ALONE = text(f"SELECT pg_advisory_xact_lock({ALONE})")  # what is not sealed yet must not be sealed meanwhile


class AboutPerson(Protocol):
    @property
    def user_id(self) -> int: ...


async def on_person_erased(session: AsyncSession, event: AboutPerson, actor: Doer) -> None:
    """A handler for the event that says so."""
    await erase_from_log(session, event.user_id, actor)


async def erase_from_log(session: AsyncSession, user_id: int, actor: Doer) -> int:
    """Erase what is personal about somebody from every event; how many values there were. Records that it was done."""
    await session.execute(_ALONE)
    after, events, values = 0, 0, 0
    while True:
        rows = (await session.execute(_THEIRS, {"after": after, "person": user_id, "most": BATCH})).all()
        for found in rows:
            gone = await _erase(session, found, event_of(found), user_id)
            events += bool(gone)
            values += gone
        if len(rows) < BATCH:
            break
        after = rows[-1].id
    await record(session, ValuesErased(user_id=user_id, events=events, values=values), actor=actor)
    return values


async def _erase(session: AsyncSession, found: Any, row: Row, user_id: int) -> int:
    is_about = (found.object_type, found.object_id) == ("user", user_id)
    wanted = PERSONAL if is_about else WHERE_FROM
    places = {
        path: keys
        for path, keys, value in values_in(row.data)
        if wanted.intersection(keys) and isinstance(value, str) and value not in ("", ERASED)
    }
    if not places:
        return 0
    kept: Seal | None = seal_of(found) if found.position is not None else None
    leaves = None
    if kept is not None:
        done = erase(row, kept, places)
        if done is None:
            return 0
        gone, after = done
        places, leaves = dict(gone), write_leaves(after)
    told = {
        "event": found.id,
        "paths": msgspec.json.encode([list(keys) for keys in places.values()]).decode(),
        "leaves": msgspec.json.encode(leaves).decode() if leaves is not None else None,
    }
    await session.execute(_ERASE, told)
    return len(places)
