"""Whom and what a workflow's document names, finished or not, and what they are called. Pure.

Names are for reading (`comparing`) and for files that another installation can read (`exchange`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from waypost.approvals.definition import MAX_STAGES
from waypost.kernel.conditions.fields import Catalogue, Field

# The fields of every subject that hold somebody's or something's id; a form's fields say it themselves (`refers_to`).
REFERS_TO = {"requester_id": "person", "department_id": "department"}
Json = dict[str, Any]
MOST = 5_000


@dataclass(frozen=True, slots=True)
class Called:
    """What people, teams, departments, roles and ticket types are called, by id or key; and the fields there are."""

    people: Mapping[int, str] = field(default_factory=dict)
    teams: Mapping[int, str] = field(default_factory=dict)
    departments: Mapping[int, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    fields: Catalogue = field(default_factory=dict)

    def value(self, field_: Field, value: object) -> str | None:
        """What a value in a condition is called; None when it says itself."""
        if field_.name == "ticket_type" and isinstance(value, str):
            return self.types.get(value)
        of = {"person": self.people, "department": self.departments}.get(refers_to(field_) or "")
        return of.get(value) if of is not None and isinstance(value, int) else None


@dataclass(frozen=True, slots=True)
class Mentioned:
    """The ids a document names."""

    people: frozenset[int]
    teams: frozenset[int]
    departments: frozenset[int]


def refers_to(field_: Field) -> str | None:
    """Whose id a field holds: `person` or `department`."""
    return REFERS_TO.get(field_.name) or field_.refers_to


def rules_in(document: object) -> Iterator[tuple[str, Json]]:
    """Everything in a document that looks like a rule for finding approvers, with its place."""
    stages = document.get("stages") if isinstance(document, Mapping) else None
    for n, stage in enumerate(stages[:MAX_STAGES] if isinstance(stages, list) else ()):
        if not isinstance(stage, Mapping):
            continue
        for member in ("approvers", "fallback"):
            listed = stage.get(member)
            for m, rule in enumerate(listed if isinstance(listed, list) else ()):
                if isinstance(rule, dict):
                    yield f"/stages/{n}/{member}/{m}", rule
        ladder = stage.get("escalation")
        if isinstance(ladder, Mapping) and isinstance(ladder.get("to"), dict):
            yield f"/stages/{n}/escalation/to", ladder["to"]


def comparisons_in(document: object, fields: Catalogue) -> Iterator[tuple[str, Json, str]]:
    """Every comparison in a document's conditions that holds ids: its place, itself, and whose ids they are."""
    if not isinstance(document, Mapping):
        return
    conditions = [("/condition", document.get("condition"))]
    stages = document.get("stages")
    for n, stage in enumerate(stages[:MAX_STAGES] if isinstance(stages, list) else ()):
        if isinstance(stage, Mapping):
            conditions.append((f"/stages/{n}/condition", stage.get("condition")))
    while conditions:
        pointer, value = conditions.pop()
        if isinstance(value, list):
            conditions += [(f"{pointer}/{n}", part) for n, part in enumerate(value)]
        elif isinstance(value, dict):
            conditions += [(f"{pointer}/{word}", value[word]) for word in ("all", "any", "not") if word in value]
            name = value.get("field")
            known = fields.get(name) if isinstance(name, str) else None
            whose = refers_to(known) if known is not None else None
            if whose is not None:
                yield pointer, value, whose


def mentioned(document: object, fields: Catalogue) -> Mentioned:
    """The ids a document names, as far as it is written."""
    people: set[int] = set()
    teams: set[int] = set()
    departments: set[int] = set()
    for _, rule in rules_in(document):
        people |= ids(rule.get("user_id")) | ids(rule.get("user_ids"))
        teams |= ids(rule.get("team_id"))
        departments |= ids(rule.get("department_id"))
    for _, comparison, whose in comparisons_in(document, fields):
        (people if whose == "person" else departments).update(ids(comparison.get("value")))
    # a draft may say whatever it likes: nobody reads more names than these
    return Mentioned(*(frozenset(islice(found, MOST)) for found in (people, teams, departments)))


def ids(value: object) -> set[int]:
    """The ids among what stands there."""
    values = value if isinstance(value, list) else [value]
    return {v for v in values if isinstance(v, int) and not isinstance(v, bool) and 0 < v < 2**62}
