"""A workflow as a file that another installation can read: with names where the document has ids. Pure.

`{"format": "waypost.workflow", "format_version": 1, "workflow": {…}}`. People stand by their usernames, teams and
departments by their names, roles and ticket types by their keys. A file says no ids, so a number never comes to stand
for somebody else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from waypost.approvals.checking import Problem, error
from waypost.approvals.mentions import Called, comparisons_in, rules_in
from waypost.kernel.conditions.fields import Catalogue

FORMAT, FORMAT_VERSION = "waypost.workflow", 1
MEMBERS = ("name", "condition", "stages", "one_by_one_above")
Json = dict[str, Any]
# of a rule: the member with ids, the member with names, whose they are
_RULE = (
    ("user_id", "user", "person"),
    ("user_ids", "users", "person"),
    ("team_id", "team", "team"),
    ("department_id", "department", "department"),
)
_BY_NAME = {by_id: by_name for by_id, by_name, _ in _RULE}
_RULE_PLACE = re.compile(
    rf"(/stages/\d+/(?:approvers/\d+|fallback/\d+|escalation/to))/({'|'.join(_BY_NAME)})(/.*)?", re.ASCII
)
_SAID = {"person": "a username", "team": "the name of a team", "department": "the name of a department"}


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids behind names; usernames in lower case."""

    person: Mapping[str, int] = field(default_factory=dict)
    team: Mapping[str, int] = field(default_factory=dict)
    department: Mapping[str, int] = field(default_factory=dict)

    def of(self, whose: str, name: str) -> int | None:
        """The id of what has this name; None when nothing has."""
        known: Mapping[str, int] = getattr(self, whose)
        return known.get(name.lower() if whose == "person" else name)


def to_file(document: Json, called: Called) -> Json:
    """The file of a document. `called.people` are usernames here. What is unknown stands as null."""
    workflow = _copy({member: document[member] for member in MEMBERS if member in document})
    names: dict[str, Mapping[int, str]] = {
        "person": called.people,
        "team": called.teams,
        "department": called.departments,
    }
    for _, rule in list(rules_in(workflow)):
        for by_id, by_name, whose in _RULE:
            said = rule.pop(by_id, None)
            if said is not None:
                rule[by_name] = _each(said, partial(_called, names[whose]))
    for _, comparison, whose in list(comparisons_in(workflow, called.fields)):
        if comparison.get("value") is not None:
            comparison["value"] = _each(comparison["value"], partial(_said_of, whose, names[whose]))
    return {"format": FORMAT, "format_version": FORMAT_VERSION, "workflow": workflow}


def _copy(value: Any) -> Any:
    """The same again, all its own: a part that stands twice becomes two."""
    if isinstance(value, Mapping):
        return {key: _copy(inner) for key, inner in value.items()}
    return [_copy(inner) for inner in value] if isinstance(value, list) else value


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    return [change(v) for v in value] if isinstance(value, list) else change(value)


def _said_of(whose: str, names: Mapping[int, str], value: Any) -> Json:
    """An id in a condition, as a file says it: {"person": "ada"}."""
    return {whose: _called(names, value)}


def _called(names: Mapping[int, str], value: Any) -> str | None:
    return names.get(value) if isinstance(value, int) else None


def header_faults(file: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with a file before its workflow is looked at."""
    found = [
        error(f"/{m}", "invalid", "is not known here")
        for m in sorted(set(file) - {"format", "format_version", "workflow"})
    ]
    if file.get("format") != FORMAT:
        found.append(error("/format", "invalid", f"must be “{FORMAT}”: this is no workflow's file"))
    version = file.get("format_version")
    if version != FORMAT_VERSION or isinstance(version, bool):
        found.append(error("/format_version", "invalid", f"must be {FORMAT_VERSION}"))
    if not isinstance(file.get("workflow"), Mapping):
        found.append(error("/workflow", "invalid", "must be an object"))
    return found


def names_in(workflow: object, fields: Catalogue) -> dict[str, set[str]]:
    """The names a file's workflow says, by whose they are."""
    found: dict[str, set[str]] = {"person": set(), "team": set(), "department": set()}

    def keep(whose: str, value: Any) -> None:
        for one in value if isinstance(value, list) else [value]:
            name = one.get(whose) if isinstance(one, Mapping) else one
            if isinstance(name, str):
                found[whose].add(name)

    for _, rule in rules_in(workflow):
        for _, by_name, whose in _RULE:
            keep(whose, rule.get(by_name))
    for _, comparison, whose in comparisons_in(workflow, fields):
        keep(whose, comparison.get("value"))
    return found


def place_in_file(pointer: str) -> str:
    """Where in a file a place of its document stands: ids of the one are names in the other."""
    found = _RULE_PLACE.fullmatch(pointer)
    if found is None:
        return pointer
    rule, member, rest = found.groups(default="")
    return f"{rule}/{_BY_NAME[member]}{rest}"


def from_file(workflow: Json, ids: Ids, fields: Catalogue) -> tuple[Json, list[Problem]]:
    """The document of a file's workflow, with everything it names and that is not there."""
    document = _copy(workflow)
    found: list[Problem] = []

    def id_of(whose: str, name: Any, pointer: str) -> int | None:
        if not isinstance(name, str):
            found.append(error(pointer, "not_a_name", f"must be {_SAID[whose]}"))
            return None
        known = ids.of(whose, name)
        if known is None:
            found.append(error(pointer, f"unknown_{whose}", f"“{name[:100]}” is not known here"))
        return known

    def ids_of(whose: str, value: Any, pointer: str) -> Any:
        if isinstance(value, list):
            return [id_of(whose, one, f"{pointer}/{n}") for n, one in enumerate(value)]
        return id_of(whose, value, pointer)

    for place, rule in list(rules_in(document)):
        for by_id, by_name, whose in _RULE:
            if by_id in rule:
                found.append(error(f"{place}/{by_id}", "not_a_name", f"must be {by_name}: {_SAID[whose]}"))
                continue
            said = rule.pop(by_name, None)
            if said is not None:
                rule[by_id] = ids_of(whose, said, f"{place}/{by_name}")
    for place, comparison, whose in list(comparisons_in(document, fields)):
        if comparison.get("value") is not None:
            said = _each(comparison["value"], partial(_name_in, whose))
            comparison["value"] = ids_of(whose, said, f"{place}/value")
    return document, found


def _name_in(whose: str, value: Any) -> Any:
    """The name in {"person": "ada"}; None when it is said otherwise."""
    return value[whose] if isinstance(value, Mapping) and set(value) == {whose} else None
