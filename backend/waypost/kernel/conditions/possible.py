"""Whether a condition can hold at all: a record for which it does, or the certainty that there is none. Pure.

Comparisons of one field only meet at the values they name and right beside them, so a few values of each field are
enough to try. The search is bounded: what would take too long is left undecided, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from waypost.kernel.conditions.evaluate import fold, holds
from waypost.kernel.conditions.fields import Field, Kind
from waypost.kernel.conditions.tree import All, Condition, Leaf, Not

EFFORT = 200_000
# What stands in no text a condition names, so that nothing it forbids can come about by chance.
_FILLERS = "~#*+=^|0123456789" + "".join(map(chr, range(0x2460, 0x24C0)))


class Undecided(Exception):
    """Whether it can hold was not found out within the effort allowed."""


@dataclass(frozen=True, slots=True)
class Domain:
    """What a field can hold, where its kind does not say it: one of some words, multiples of `step` from `least` on."""

    choices: tuple[str, ...] = ()
    step: Decimal | None = None
    least: Decimal | None = None
    is_never_empty: bool = False


Domains = Mapping[str, Domain]


@dataclass(slots=True)
class Effort:
    """How much trying is left; several questions may share it."""

    left: int = EFFORT

    def spend(self, tries: int) -> None:
        """Raises `Undecided` when it is used up."""
        self.left -= tries
        if self.left < 0:
            raise Undecided


@dataclass(frozen=True, slots=True)
class _Known:
    """What must be true of one field, and a value of which it is."""

    literals: tuple[tuple[Leaf, bool], ...] = ()
    value: Any = None


@dataclass(frozen=True, slots=True)
class _Way:
    """One way through the condition: what is still to be met, and what is met."""

    goals: tuple[tuple[Condition, bool], ...]
    known: Mapping[str, _Known] = field(default_factory=dict)


def example(
    *conditions: Condition, domains: Domains | None = None, effort: Effort | None = None
) -> dict[str, Any] | None:
    """A record for which all of them hold, with the fields that matter; None when there is none. Raises `Undecided`."""
    effort = effort or Effort()
    ways = [_Way(tuple((c, True) for c in conditions))]
    while ways:
        found = _follow(ways.pop(), ways, domains or {}, effort)
        if found is not None:
            return found
    return None


def always(condition: Condition, *, domains: Domains | None = None, effort: Effort | None = None) -> bool:
    """Whether it holds for every record. Raises `Undecided`."""
    return example(Not(condition), domains=domains, effort=effort) is None


def _follow(way: _Way, ways: list[_Way], domains: Domains, effort: Effort) -> dict[str, Any] | None:
    """Go one way until it ends or forks; the other ways of a fork are put to `ways`."""
    goals, known = list(reversed(way.goals)), dict(way.known)
    while goals:
        condition, is_wanted = goals.pop()
        effort.spend(1)
        if isinstance(condition, Leaf):
            name = condition.field.name
            literals = (*known.get(name, _Known()).literals, (condition, is_wanted))
            value = _value(condition.field, literals, domains.get(name, Domain()), effort)
            if value is _NONE:
                return None
            known[name] = _Known(literals, value)
        elif isinstance(condition, Not):
            goals.append((condition.part, not is_wanted))
        elif isinstance(condition, All) is is_wanted:
            goals += [(part, is_wanted) for part in reversed(condition.parts)]
        else:
            parts: Sequence[Condition] = condition.parts
            effort.spend(len(parts) + len(goals))
            rest = tuple(reversed(goals))
            ways += [_Way(((part, is_wanted), *rest), known) for part in reversed(parts)]
            return None
    return {name: k.value for name, k in known.items()}


_NONE = object()


def _value(field_: Field, literals: Sequence[tuple[Leaf, bool]], domain: Domain, effort: Effort) -> Any:
    """A value of which all this is true; `_NONE` when there is none."""
    if any(leaf.field.kind is not field_.kind for leaf, _ in literals):
        raise Undecided  # two forms mean different things by one name
    named: list[Any] = []
    for leaf, _ in literals:
        named += leaf.value if isinstance(leaf.value, tuple) else [] if leaf.value is None else [leaf.value]
    tried = list(_candidates(field_, literals, list(dict.fromkeys(named)), domain))
    if not domain.is_never_empty:
        tried.append(None)
    effort.spend(len(tried) * len(literals))
    for value in tried:
        record = {field_.name: value}
        if all(holds(leaf, record) is is_wanted for leaf, is_wanted in literals):
            return value
    return _NONE


def _candidates(
    field_: Field, literals: Sequence[tuple[Leaf, bool]], named: list[Any], domain: Domain
) -> Iterable[Any]:
    choices = domain.choices or field_.choices
    match field_.kind:
        case Kind.BOOLEAN:
            return (True, False)
        case Kind.NUMBER:
            return _numbers(sorted(named), domain)
        case Kind.DATE:
            return _days(named)
        case Kind.INSTANT:
            return _instants(named)
        case Kind.ID:
            return (*named, next(n for n in range(1, len(named) + 2) if n not in named))
        case Kind.LIST:
            return _lists(literals, named, choices)
        case _ if choices:
            return choices
        case _:
            return (*named, *_texts(literals, named))


def _numbers(named: list[Decimal], domain: Domain) -> Iterable[Decimal]:
    least, step = domain.least, domain.step
    if step is not None:
        # whole steps only: those named, and those right beside what is named
        near = {(n // step + more) * step for n in named or [Decimal(0)] for more in (-1, 0, 1, 2)}
    else:
        between = {(a + b) / 2 for a, b in pairwise(named)}
        near = {*named, *between, *((named[0] - 1, named[-1] + 1) if named else (Decimal(1),))}
    if least is not None:
        near.add(least)
    return sorted(n for n in near if least is None or n >= least)


def _days(named: list[str]) -> Iterable[str]:
    found = {"2030-01-15", *named}
    for day in map(date.fromisoformat, named):
        found |= {(day + timedelta(days=n)).isoformat() for n in (-1, 1) if date.min < day < date.max}
    return sorted(found)


def _instants(named: list[datetime]) -> Iterable[datetime]:
    found = {datetime(2030, 1, 15, tzinfo=UTC), *named}
    for at in named:
        if 1 < at.year < date.max.year:
            found |= {at + n * near for n in (-1, 1) for near in (timedelta(minutes=1), timedelta(microseconds=1))}
    return sorted(found)


def _lists(literals: Sequence[tuple[Leaf, bool]], named: list[str], choices: Sequence[str]) -> Iterable[list[str]]:
    wanted = list(dict.fromkeys(leaf.value for leaf, yes in literals if leaf.op == "contains" and yes))
    if wanted:
        return (wanted,)
    return [[c] for c in choices or (_filler(named),)]


def _texts(literals: Sequence[tuple[Leaf, bool]], named: list[str]) -> Iterable[str]:
    """Texts that begin and contain as wanted. Between the pieces stands what is named nowhere, so that a text that is
    forbidden is there only when a piece itself holds it: when the last of these does not do, no text does."""
    filler = _filler(named)
    starts = [leaf.value for leaf, yes in literals if leaf.op == "starts_with" and yes]
    inside = list(dict.fromkeys(leaf.value for leaf, yes in literals if leaf.op == "contains" and yes))
    start = max(starts, key=len, default="")
    return (start, *inside, f"{start}{filler}{filler.join(inside)}{filler}")


def _filler(named: Iterable[str]) -> str:
    said = fold("".join(named))
    found = next((c for c in _FILLERS if c not in said), None)
    if found is None:
        raise Undecided
    return found


def is_made_up(value: object) -> bool:
    """Whether a value of an example stands for "something that was not named"."""
    texts = value if isinstance(value, list) else [value]
    return any(isinstance(t, str) and any(c in t for c in "~#*+=^|") for t in texts)
