"""What a list of tickets is narrowed to, read from an address or a saved view, with the reader's own words in it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.kernel.bodies import MalformedBody, check_json
from waypost.kernel.clock import now
from waypost.kernel.conditions.fields import CUSTOM, Catalogue
from waypost.kernel.conditions.relative import Reader, resolved
from waypost.kernel.conditions.tree import ALWAYS, All, Condition, InvalidCondition, parse
from waypost.kernel.errors import FieldError
from waypost.kernel.shapes import nfc
from waypost.tickets.fields import fields_of_lists, known_fields
from waypost.tickets.listing import Filters
from waypost.tickets.wording import Wording

FRESH = 5.0
MOST_TEXT = 6000  # of a condition in an address; a longer one belongs into a saved view


class _Known:
    """The fields of all forms, at most `FRESH` seconds old: a list with a condition costs no further statement."""

    def __init__(self) -> None:
        self._kept: tuple[float, Catalogue] | None = None

    async def get(self, session: AsyncSession, *, is_new: bool = False) -> Catalogue:
        tick = time.monotonic()
        if is_new or self._kept is None or tick - self._kept[0] > FRESH:
            self._kept = (tick, {**await known_fields(session), **fields_of_lists()})
        return self._kept[1]


_known = _Known()


def reader_of(actor: Actor) -> Reader:
    """What "me", "my_teams", "my_reports" and "my_departments" are for this person now."""
    people = {"me": (actor.user_id,), "my_reports": tuple(sorted(actor.report_ids))}
    return Reader(
        {
            "requester_id": people,
            "assignee_id": people,
            "team_id": {"my_teams": tuple(sorted(actor.team_ids))},
            "department_id": {"my_departments": tuple(sorted(actor.department_ids))},
        },
        now(),
    )


async def condition_of(session: AsyncSession, actor: Actor, value: object, *, pointer: str) -> Condition:
    """The condition a JSON value means for this reader now. Raises `InvalidCondition` naming the place."""
    value, reader = nfc(value), reader_of(actor)
    if CUSTOM not in json.dumps(value):
        own = fields_of_lists()
        return parse(resolved(value, own, reader), own, pointer=pointer)
    fields = await _known.get(session)
    try:
        return parse(resolved(value, fields, reader), fields, pointer=pointer)
    except InvalidCondition:  # of a form that has just been changed, perhaps
        fields = await _known.get(session, is_new=True)
        return parse(resolved(value, fields, reader), fields, pointer=pointer)


async def condition_in_address(session: AsyncSession, actor: Actor, text: str | None) -> Condition | None:
    """The condition of `?condition=`, JSON in an address; None when there is none."""
    if text is None or not text.strip():
        return None
    try:
        value = check_json(text.encode(errors="replace"))
    except MalformedBody as wrong:
        message = "is not JSON, or nested too deep"
        raise InvalidCondition(f"The condition {message}.", errors=(FieldError("?condition", message),)) from wrong
    return await condition_of(session, actor, value, pointer="?condition")


def filters_from(
    actor: Actor,
    *,
    status: Sequence[str] = (),
    priority: Sequence[str] = (),
    ticket_type: Sequence[str] = (),
    assignee_id: Sequence[str] = (),
    requester_id: Sequence[str] = (),
    department_id: Sequence[int] = (),
    team_id: Sequence[int] = (),
    words: Wording | None = None,
    created_from: datetime | str | None = None,
    created_to: datetime | str | None = None,
    due_before: datetime | str | None = None,
    condition: Condition | None = None,
) -> Filters:
    """The filters of an address or of a saved view (times as text); "me" and "none" mean this person and nobody."""

    def people(values: Sequence[str]) -> tuple[int | None, ...]:
        words: dict[str, int | None] = {"me": actor.user_id, "none": None}
        return tuple(words[v] if v in words else int(v) for v in values)

    def at(value: datetime | str | None) -> datetime | None:
        return datetime.fromisoformat(value) if isinstance(value, str) else value

    return Filters(
        statuses=tuple(status),
        priorities=tuple(priority),
        ticket_types=tuple(ticket_type),
        assignee_ids=people(assignee_id),
        requester_ids=tuple(i for i in people(requester_id) if i is not None),
        department_ids=tuple(department_id),
        team_ids=tuple(team_id),
        words=words,
        created_from=at(created_from),
        created_to=at(created_to),
        due_before=at(due_before),
        condition=_together(condition, words),
    )


def _together(condition: Condition | None, words: Wording | None) -> Condition | None:
    """A condition, and what was written above the list in the words of one."""
    if words is None or words.condition == ALWAYS:
        return condition
    return words.condition if condition is None else All((condition, words.condition))
