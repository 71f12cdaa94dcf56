"""The fields of a search as a condition on tickets, for whoever asks: names become ids, "me" becomes who asks.

A value that means nothing is no error: its term is searched as words, and told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.catalog.models import TicketType
from waypost.directory.models import Department, Team, User
from waypost.kernel.clock import now, zone_of
from waypost.kernel.conditions.tree import ALWAYS, All, AnyOf, Condition, InvalidCondition, Leaf, Not, parse
from waypost.search.asking import Asked, FieldIs, Note, Term, without_field
from waypost.search.naming import people_meant
from waypost.search.words import fold, number_of
from waypost.tickets.fields import FIELDS
from waypost.tickets.lifecycle import Priority, Status

NEVER = AnyOf(())
MOST_NAMED = 50
_OPEN = [s.value for s in Status if s not in (Status.REJECTED, Status.COMPLETED, Status.CLOSED)]
_DONE = [Status.COMPLETED.value, Status.CLOSED.value]
_DAY = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?", re.ASCII)
_AWAY = re.compile(r"(\d{1,4})([hdwmy])", re.ASCII)
_HOURS = {"h": 1, "d": 24, "w": 24 * 7, "m": 24 * 30, "y": 24 * 365}
_INSTANTS = {"created": "created_at", "updated": "updated_at", "due": "due_date"}
_PEOPLE = {"requester": "requester_id", "assignee": "assignee_id"}
_PLACES = {"team": "team_id", "department": "department_id"}


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter as it was understood, to be shown and taken away: its text in the box, and what it means."""

    field: str
    value: str
    text: str
    is_without: bool


@dataclass(slots=True)
class Understood:
    """What was asked for: words, a condition on tickets, and what there is to tell about it."""

    asked: Asked
    condition: Condition = ALWAYS
    has_files: bool = False
    no_files: bool = False
    notes: list[Note] = field(default_factory=list)
    chips: list[Chip] = field(default_factory=list)

    @property
    def files(self) -> str:
        """Whether it must have files ("with"), or must not ("without")."""
        return "with" if self.has_files else "without" if self.no_files else ""


async def understand(session: AsyncSession, actor: Actor, asked: Asked) -> Understood:
    """Resolve the fields. At most two statements for each name that is asked for."""
    found = Understood(asked, notes=list(asked.notes))
    parts: list[Condition] = []
    groups: list[tuple[Term, ...]] = []
    for group in asked.groups:
        if not isinstance(group[0].what, FieldIs):
            groups.append(group)
            continue
        meant, words = [], []
        for term in group:
            assert isinstance(term.what, FieldIs)
            if (condition := await _condition(session, actor, term.what, found, term.is_without)) is not None:
                meant.append(Not(condition) if term.is_without else condition)
                found.chips.append(Chip(term.what.name, term.what.value, term.text, term.is_without))
            else:
                found.notes.append(Note("unknown_value", term.text[:40]))
                if (as_words := without_field(term)) is not None:
                    words.append(as_words)
        if meant:
            parts.append(meant[0] if len(meant) == 1 else AnyOf(tuple(meant)))
        groups += [(w,) for w in words]
    found.asked = Asked(tuple(groups), asked.notes)
    found.condition = All(tuple(parts)) if parts else ALWAYS
    return found


async def _condition(
    session: AsyncSession, actor: Actor, asked: FieldIs, found: Understood, is_without: bool
) -> Condition | None:
    """What a field and its value mean; None when they mean nothing."""
    name, value = asked.name, asked.value.strip()
    if name in _INSTANTS:
        return _time(_INSTANTS[name], fold(value), await _zone(session, actor))
    if name in _PEOPLE:
        return await _person(session, actor, _PEOPLE[name], value, found.notes)
    if name in _PLACES:
        return await _place(session, actor, _PLACES[name], value)
    if name == "has":
        if fold(value) not in ("attachment", "attachments", "file", "files"):
            return None
        found.no_files = found.no_files or is_without
        found.has_files = found.has_files or not is_without
        return NEVER if is_without else ALWAYS  # negated in turn: the index answers it, not the condition
    if name == "is":
        return _is(actor, fold(value))
    if name == "number":
        return _number(value)
    if name == "type":
        return await _type(session, value)
    if name == "tag":
        return _one_of("tags", "contains", [v.casefold() for v in _listed(value)])
    words = {"status": [s.value for s in Status], "priority": [p.value for p in Priority]}[name]
    return _words(name, value, words)


def _listed(value: str) -> list[str]:
    return [v.strip() for v in value.split(",") if v.strip()][:MOST_NAMED]


def _leaf(name: str, op: str, value: Any) -> Condition | None:
    try:
        return parse({"field": name, "op": op, "value": value}, FIELDS)
    except InvalidCondition:
        return None


def _one_of(name: str, op: str, values: Sequence[Any]) -> Condition | None:
    leaves = [_leaf(name, op, v) for v in values]
    if not leaves or any(leaf is None for leaf in leaves):
        return None
    kept = tuple(leaf for leaf in leaves if leaf is not None)
    return kept[0] if len(kept) == 1 else AnyOf(kept)


def _words(name: str, value: str, known: Sequence[str]) -> Condition | None:
    """One of a field's own words, in any case, with blanks or lines between, or its beginning when that is only one's."""
    found: list[str] = []
    for given in _listed(value):
        word = re.sub(r"[\s-]+", "_", fold(given)).upper()
        if name == "status" and word in ("OPEN", "UNSOLVED"):
            found += _OPEN
        elif name == "status" and word in ("DONE", "SOLVED"):
            found += _DONE
        else:
            fitting = [k for k in known if k == word] or [k for k in known if k.startswith(word)]
            if len(fitting) != 1:
                return None
            found += fitting
    return _leaf(name, "in", list(dict.fromkeys(found))) if found else None


def _is(actor: Actor, word: str) -> Condition | None:
    at = now().isoformat()
    me = actor.user_id
    known: dict[str, Callable[[], Condition | None]] = {
        "open": lambda: _leaf("status", "in", _OPEN),
        "done": lambda: _leaf("status", "in", _DONE),
        "closed": lambda: _leaf("status", "eq", Status.CLOSED.value),
        "draft": lambda: _leaf("status", "eq", Status.DRAFT.value),
        "mine": lambda: AnyOf((Leaf(FIELDS["requester_id"], "eq", me), Leaf(FIELDS["assignee_id"], "eq", me))),
        "unassigned": lambda: _leaf("assignee_id", "is_empty", None),
        "assigned": lambda: _leaf("assignee_id", "is_not_empty", None),
        "urgent": lambda: _leaf("priority", "in", ["HIGH", "CRITICAL"]),
        "late": lambda: parse(
            {"all": [{"field": "due_date", "op": "lt", "value": at}, {"field": "status", "op": "in", "value": _OPEN}]},
            FIELDS,
        ),
    }
    names = {"solved": "done", "overdue": "late", "completed": "done"}
    make = known.get(names.get(word, word))
    return make() if make else None


def written_number(value: str) -> str:
    """The number of a ticket as tickets carry it ("ITH-2026-000123"), however it was typed; empty for what is none."""
    whole = number_of(fold(value.strip()))
    if not whole:
        return ""
    prefix, year, count = whole.split("-")
    return f"{prefix.upper()}-{year}-{int(count):06d}"


def _number(value: str) -> Condition | None:
    if whole := written_number(value):
        return _leaf("ticket_number", "eq", whole)
    return _leaf("ticket_number", "contains", value) if value else None


async def _type(session: AsyncSession, value: str) -> Condition | None:
    rows = (await session.execute(select(TicketType.key, TicketType.name))).all()
    found: list[str] = []
    for given in _listed(value):
        word, key = fold(given), re.sub(r"[\s-]+", "_", fold(given)).upper()
        exact = [r.key for r in rows if r.key == key or fold(r.name) == word]
        fitting = exact or [r.key for r in rows if key in r.key or word in fold(r.name)]
        if not fitting:
            return None
        found += fitting
    return _leaf("ticket_type", "in", list(dict.fromkeys(found))[:MOST_NAMED]) if found else None


async def _person(session: AsyncSession, actor: Actor, name: str, value: str, notes: list[Note]) -> Condition | None:
    found: list[int] = []
    conditions: list[Condition] = []
    for given in _listed(value):
        word = fold(given.lstrip("@"))
        if word == "me":
            found.append(actor.user_id)
        elif word in ("none", "nobody"):
            conditions.append(Leaf(FIELDS[name], "is_empty", None))
        else:
            ids, more = await people_meant(session, given.lstrip("@"))
            if not ids:
                return None
            if more:
                notes.append(Note("many_people", given[:40]))
            found += ids
    if found:
        conditions.append(Leaf(FIELDS[name], "in", tuple(dict.fromkeys(found))[:100]))
    if not conditions:
        return None
    return conditions[0] if len(conditions) == 1 else AnyOf(tuple(conditions))


async def _place(session: AsyncSession, actor: Actor, name: str, value: str) -> Condition | None:
    table = Team if name == "team_id" else Department
    rows = (await session.execute(select(table.id, table.name))).all()
    found: list[int] = []
    for given in _listed(value):
        word = fold(given)
        if word in ("mine", "my", "me"):
            found += sorted(actor.team_ids if name == "team_id" else actor.department_ids)
            continue
        exact = [r.id for r in rows if fold(r.name) == word]
        fitting = exact or [r.id for r in rows if word in fold(r.name)]
        if not fitting:
            return None
        found += fitting
    return Leaf(FIELDS[name], "in", tuple(dict.fromkeys(found))[:100]) if found else NEVER


# --- times ------------------------------------------------------------------------------------------------------------


def _time(name: str, value: str, zone: ZoneInfo) -> Condition | None:
    """`>2026-01-01`, `2026-01` (all of it), `2026-01..2026-03`, `today`, `<7d` (sooner), `>7d` (longer), `none`."""
    if value in ("none", "never"):
        return Leaf(FIELDS[name], "is_empty", None)
    if ".." in value:
        first, _, last = value.partition("..")
        begins, ends = _span(first, zone) if first else None, _span(last, zone) if last else None
        if (first and not begins) or (last and not ends) or not (begins or ends):
            return None
        low = [_leaf(name, "gte", begins[0].isoformat())] if begins else []
        high = [_leaf(name, "lt", ends[1].isoformat())] if ends else []
        return _both([*low, *high])
    op = next((o for o in (">=", "<=", ">", "<") if value.startswith(o)), "")
    given = value[len(op) :].strip()
    if away := _AWAY.fullmatch(given):
        return _away(name, op, timedelta(hours=int(away[1]) * _HOURS[away[2]]))
    span = _span(given, zone)
    if span is None:
        return None
    start, end = span
    if op:
        at, word = {">": (end, "gte"), ">=": (start, "gte"), "<": (start, "lt"), "<=": (end, "lt")}[op]
        return _leaf(name, word, at.isoformat())
    return _both([_leaf(name, "gte", start.isoformat()), _leaf(name, "lt", end.isoformat())])


def _both(leaves: list[Condition | None]) -> Condition | None:
    kept = tuple(leaf for leaf in leaves if leaf is not None)
    return All(kept) if len(kept) == len(leaves) else None


def _away(name: str, op: str, by: timedelta) -> Condition | None:
    """How long ago; of a due date how far ahead."""
    if name == "due_date":
        at = now() + by
        return _leaf(name, "gte" if op.startswith(">") else "lt", at.isoformat())
    at = now() - by
    return _leaf(name, "lt" if op.startswith(">") else "gte", at.isoformat())


async def _zone(session: AsyncSession, actor: Actor) -> ZoneInfo:
    return zone_of(await session.scalar(select(User.timezone).where(User.id == actor.user_id)) or "UTC")


def _span(value: str, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """From when to when a day, month or year lasts where whoever asks is; in UTC."""
    days = {"today": 0, "yesterday": -1, "tomorrow": 1}
    if value in days:
        first = now().astimezone(zone).date() + timedelta(days=days[value])
        return _midnight(first, zone), _midnight(first + timedelta(days=1), zone)
    found = _DAY.fullmatch(value)
    if found is None or not 1900 <= int(found[1]) <= 9000:
        return None
    year, month, day = int(found[1]), int(found[2] or 1), int(found[3] or 1)
    try:
        first = date(year, month, day)
    except ValueError:
        return None
    after = date(year + 1, 1, 1)
    if found[3]:
        after = first + timedelta(days=1)
    elif found[2]:
        after = date(year + month // 12, month % 12 + 1, 1)
    return _midnight(first, zone), _midnight(after, zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
