"""Where a request goes when it is sent: ordered rules over its facts, and whose turn it is in a team. Pure.

A rule above weighs more: what it has set, a rule below does not change. A rule that names what is not there any more
is left out, and says so. Conditions look at the request as it was sent, never at what rules set.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from waypost.kernel.conditions.evaluate import holds
from waypost.kernel.conditions.tree import All, AnyOf, Condition


class Way(StrEnum):
    """How a team's ticket comes to somebody."""

    PERSON = "PERSON"
    ROUND_ROBIN = "ROUND_ROBIN"
    LEAST_LOADED = "LEAST_LOADED"
    NOBODY = "NOBODY"


@dataclass(frozen=True, slots=True)
class Rule:
    """If `condition` holds, then `team_id`, `priority` and `way`, as far as they are given."""

    key: str
    name: str
    condition: Condition
    team_id: int | None = None
    priority: str | None = None
    way: Way | None = None
    assignee_id: int | None = None
    stops: bool = True
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Company:
    """What rules may name: the teams there are with their active members, and who is active at all."""

    members: Mapping[int, frozenset[int]]
    active: frozenset[int]


@dataclass(frozen=True, slots=True)
class Fired:
    """A rule that held, and what of its settings took effect (`team`, `priority`, `way`)."""

    rule: Rule
    gave: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A rule that held and was left out, and why."""

    rule: Rule
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rules say. None: they say nothing of it, and the ticket keeps what it has."""

    team_id: int | None
    priority: str | None
    way: Way | None
    assignee_id: int | None
    fired: tuple[Fired, ...]
    skipped: tuple[Skipped, ...]


def fault(rule: Rule, company: Company) -> str | None:
    """What a rule names that is not there any more; None when all is well."""
    if rule.team_id is not None and rule.team_id not in company.members:
        return "its team is not there any more"
    if rule.way is Way.PERSON:
        if rule.assignee_id not in company.active:
            return "the person it names is not active any more"
        if rule.team_id is not None and rule.assignee_id not in company.members[rule.team_id]:
            return "the person it names is not in its team any more"
    return None


def decide(rules: Iterable[Rule], facts: Mapping[str, Any], company: Company, *, team_id: int | None) -> Decision:
    """What the rules say of a request that would go to `team_id` without them."""
    found: dict[str, Any] = {"team": None, "priority": None, "way": None}
    assignee_id = None
    fired: list[Fired] = []
    skipped: list[Skipped] = []
    for rule in rules:
        if not rule.is_active or not holds(rule.condition, facts):
            continue
        team = found["team"] or rule.team_id or team_id
        names_person = rule.way is Way.PERSON and found["way"] is None
        reason = fault(rule, company)
        if reason is None and names_person and rule.assignee_id not in company.members.get(team or 0, ()):
            reason = "the person it names is not in the request's team"
        if reason is not None:
            skipped.append(Skipped(rule, reason))
            continue
        given = {"team": rule.team_id, "priority": rule.priority, "way": rule.way}
        gave = tuple(word for word, value in given.items() if value is not None and found[word] is None)
        found |= {word: given[word] for word in gave}
        if names_person:
            # Who is named works in that team: no rule below moves the request away from them.
            assignee_id, found["team"] = rule.assignee_id, team
        fired.append(Fired(rule, gave))
        if rule.stops:
            break
    return Decision(found["team"], found["priority"], found["way"], assignee_id, tuple(fired), tuple(skipped))


# --- whose turn it is -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Member:
    """An active member of a team: whether they are away now, how many open tickets they have, when one last came."""

    user_id: int
    is_away: bool = False
    load: int = 0
    last_assigned_at: datetime | None = None


def next_in_turn(members: Iterable[Member], last: int | None) -> int | None:
    """The next one present after `last`, in order of their ids and around; None when nobody is there."""
    present = sorted(m.user_id for m in members if not m.is_away)
    if not present:
        return None
    return next((i for i in present if last is not None and i > last), present[0])


def least_loaded(members: Iterable[Member]) -> int | None:
    """Who is present and has the fewest open tickets; of equals, whom none came to for the longest time."""
    present = [m for m in members if not m.is_away]
    if not present:
        return None

    def order(member: Member) -> tuple[int, bool, float, int]:
        at = member.last_assigned_at
        return member.load, at is not None, at.timestamp() if at else 0.0, member.user_id

    return min(present, key=order).user_id


# --- rules beside each other ------------------------------------------------------------------------------------------


def unreachable(rules: Sequence[Rule]) -> dict[str, str]:
    """The active rules that can never take effect, by key, and why: as far as it is certain."""
    found: dict[str, str] = {}
    before: list[Rule] = []
    for rule in (r for r in rules if r.is_active):
        if isinstance(rule.condition, AnyOf) and not rule.condition.parts:
            found[rule.key] = "its condition never holds"
            continue
        wanted = _asked(rule.condition)
        stopper = next((r for r in before if _asked(r.condition) <= wanted), None)
        if stopper is not None:
            found[rule.key] = f"“{stopper.name}” above always ends the search before it"
        elif rule.stops:
            before.append(rule)
    return found


def _asked(condition: Condition) -> frozenset[Condition]:
    """The conditions that must all hold."""
    if not isinstance(condition, All):
        return frozenset({condition})
    return frozenset().union(*(_asked(part) for part in condition.parts))


@dataclass(frozen=True, slots=True)
class Change:
    """How a rule differs between two versions. `fields` holds (field, before, after) of one that was changed."""

    kind: str
    key: str
    name: str
    fields: tuple[tuple[str, Any, Any], ...] = ()


def differences(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> list[Change]:
    """What happened to the rules (documents) between two versions: added, removed, changed, moved; in the new order."""
    old = {rule["key"]: rule for rule in before}
    new = {rule["key"]: rule for rule in after}
    # Whoever is not in the longest part that kept its order has moved.
    stayed = _kept_order([k for k in old if k in new], [k for k in new if k in old])
    found: list[Change] = []
    for key, rule in new.items():
        if key not in old:
            found.append(Change("added", key, rule["name"]))
            continue
        changed = tuple((f, old[key].get(f), rule[f]) for f in rule if f != "key" and old[key].get(f) != rule[f])
        if changed:
            found.append(Change("changed", key, rule["name"], changed))
        if key not in stayed:
            found.append(Change("moved", key, rule["name"]))
    return found + [Change("removed", key, rule["name"]) for key, rule in old.items() if key not in new]


def _kept_order(before: list[str], after: list[str]) -> set[str]:
    """The longest common subsequence of two orders of the same keys."""
    place = {key: n for n, key in enumerate(before)}
    best: list[tuple[int, ...]] = []
    for key in after:
        at = place[key]
        longest: tuple[int, ...] = max((b for b in best if b[-1] < at), key=len, default=())
        best.append((*longest, at))
    kept = max(best, key=len, default=())
    return {before[n] for n in kept}
