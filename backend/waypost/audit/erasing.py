"""Taking what is personal about somebody out of the log, so that the chain still holds; and what became sensitive.

A value gives way to the word `[erased]`; its hash is kept with the seal, its salt is not, so nobody finds it again by trying
names. Whoever acted stays known by number. What the application may do here is what `waypost_erase_values` in the database
lets it: words that name something personal, what was searched for, answers of requests, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Protocol

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals.masking import unsaid
from waypost.audit.chain import ERASED, Row, Seal, erase, values_in
from waypost.audit.events import ValuesErased
from waypost.audit.reading import EVENT, event_of, seal_of, write_leaves
from waypost.audit.sealing import ALONE
from waypost.audit.words import may_be_about, names_of
from waypost.kernel.events import Doer, record
from waypost.kernel.personal import CALLED

# Words of events that name something personal: of somebody's doing, where it was done from; of what is about them, all.
WHERE_FROM = frozenset({"address", "ip_address", "user_agent"})
NAMES = frozenset(
    {
        "email",
        "email_before",
        "first_name",
        "last_name",
        "name",
        "names",
        "number",
        "phone",
        "recipient",
        "sender",
        "typed",
        "username",
    }
)
PERSONAL = WHERE_FROM | NAMES | {"job_title", "locale", "subject", "timezone"}
# What was typed to find or to take away something: `filters.q`. Of the trail, addresses are looked for too.
SEARCHES = ("audit.exported", "audit.read", "notification.sent_again", "tickets.exported", "users.exported")
SOUGHT = (("filters", "q"), ("filters", "address"))
BATCH = 500

Steps = tuple[str, ...]
Wanted = Callable[[Any, Steps, Any], bool]

_BATCH = f"""
    SELECT s.position, s.event_id, s.row_hash, s.chain_hash, s.salt, s.leaves, {EVENT}
    FROM events e LEFT JOIN audit_seals s ON s.event_id = e.id
    WHERE e.id > :after AND {{}} ORDER BY e.id LIMIT :most
"""  # noqa: S608 - our own columns
_THEIRS = """e.id IN (
    SELECT id FROM events WHERE object_type = 'user' AND object_id = :person
    UNION SELECT id FROM events WHERE actor_id = :person AND data ?| ARRAY['address', 'ip_address', 'user_agent']
)"""
_SEARCHES = "e.type = ANY(:types) AND (e.data #> '{filters}') ?| ARRAY['q', 'address']"
_OF_TICKET = """e.object_type = 'ticket' AND e.object_id = :ticket AND (
    (e.type = 'ticket.updated' AND (e.data #> '{changes}') ? 'custom_fields')
    OR (e.type LIKE 'approval.%' AND e.data ? 'reason')
)"""
_ERASE = text("SELECT waypost_erase_values(:event, CAST(:paths AS jsonb), CAST(:leaves AS jsonb))")
_ALONE = text(f"SELECT pg_advisory_xact_lock({ALONE})")  # what is not sealed yet must not be sealed meanwhile


class AboutPerson(Protocol):
    @property
    def user_id(self) -> int: ...


class AboutAnswers(Protocol):
    @property
    def ticket_id(self) -> int: ...
    @property
    def sealed(self) -> list[str]: ...
    @property
    def titles(self) -> list[str]: ...


async def on_person_erased(session: AsyncSession, event: AboutPerson, actor: Doer) -> None:
    """A handler for the event that says so."""
    await erase_from_log(session, event.user_id, actor, called=session.info.get(CALLED, ()))


async def on_answers_sealed(session: AsyncSession, event: AboutAnswers, actor: Doer) -> None:
    """A handler: what a ticket's history tells of answers that are kept sealed from now on is erased."""
    if not event.sealed:
        return
    keys, titles = frozenset(event.sealed), event.titles

    def tells(found: Any, steps: Steps, value: Any) -> bool:
        if found.type == "ticket.updated":
            is_mark = steps[-1] == "sealed" and len(steps) == 5
            return steps[:2] == ("changes", "custom_fields") and steps[3:4] != () and steps[3] in keys and not is_mark
        return steps == ("reason",) and unsaid(str(value), titles) != value

    await session.execute(_ALONE)
    await _erase_from(session, _OF_TICKET, {"ticket": event.ticket_id}, tells)


async def erase_from_log(session: AsyncSession, user_id: int, actor: Doer, *, called: Collection[str] = ()) -> int:
    """Erase what is personal about somebody from every event; how many values there were. Records that it was done.

    With it goes what they searched for, and what others searched for that may have meant them, by what the log says of them
    and by what they were `called`.
    """
    await session.execute(_ALONE)
    said: set[str] = {*called}
    addresses: set[str] = set()

    def is_personal(found: Any, steps: Steps, value: Any) -> bool:
        is_about = (found.object_type, found.object_id) == ("user", user_id)
        if not isinstance(value, str) or value == "" or not (PERSONAL if is_about else WHERE_FROM).intersection(steps):
            return False
        if NAMES.intersection(steps):
            said.add(value)
        elif steps[-1] != "user_agent" and WHERE_FROM.intersection(steps):
            addresses.add(value)
        return True

    events, values = await _erase_from(session, _THEIRS, {"person": user_id}, is_personal)
    names = names_of(said)

    def was_sought(found: Any, steps: Steps, value: Any) -> bool:
        if steps not in SOUGHT or not isinstance(value, str) or value == "":
            return False
        if found.actor_id == user_id or (found.object_type, found.object_id) == ("user", user_id):
            return True
        if steps == ("filters", "q"):
            return may_be_about(value, names)
        return any(address.startswith(value) for address in addresses)

    more = await _erase_from(session, _SEARCHES, {"types": list(SEARCHES)}, was_sought)
    events, values = events + more[0], values + more[1]
    await record(session, ValuesErased(user_id=user_id, events=events, values=values), actor=actor)
    return values


async def _erase_from(session: AsyncSession, where: str, given: dict[str, Any], wanted: Wanted) -> tuple[int, int]:
    """Erase the wanted values of the events a condition finds; of how many events, and how many."""
    statement, after, events, values = text(_BATCH.format(where)), 0, 0, 0
    while True:
        rows = (await session.execute(statement, {"after": after, "most": BATCH, **given})).all()
        for found in rows:
            gone = await _erase(session, found, event_of(found), wanted)
            events += bool(gone)
            values += gone
        if len(rows) < BATCH:
            return events, values
        after = rows[-1].id


async def _erase(session: AsyncSession, found: Any, row: Row, wanted: Wanted) -> int:
    places = {
        path: steps for path, steps, value in values_in(row.data) if value != ERASED and wanted(found, steps, value)
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
        "paths": msgspec.json.encode([list(steps) for steps in places.values()]).decode(),
        "leaves": msgspec.json.encode(leaves).decode() if leaves is not None else None,
    }
    await session.execute(_ERASE, told)
    return len(places)
