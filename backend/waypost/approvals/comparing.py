"""What changed between two versions of a workflow, in words people read. Pure.

Either may be unfinished. Stages are the same by their name; one that was renamed and nothing else is known by what it
says, and one that was changed as well by standing alone at its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from waypost.approvals.definition import ONE_BY_ONE_ABOVE, Counts, usual_due_in
from waypost.approvals.mentions import Called
from waypost.kernel.conditions.tree import InvalidCondition, describe, parse

UNFINISHED = "not finished"
USUAL = "as usual: a reminder when it is due, a day later the next manager is asked as well"
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `pointer` leads to where it stands now; what was removed, to where it stood."""

    pointer: str
    kind: str
    what: str
    before: str | None
    after: str | None


def compare(before: Json, after: Json, called: Called) -> list[Change]:
    """Everything that differs, in the order of the document as it is now; what was removed stands last."""
    found = []
    for member, what in (("name", "Name"), ("condition", "Which requests"), ("one_by_one_above", "One by one above")):
        found += _member(before, after, member, f"/{member}", what, called)
    return found + _stages(_list(before.get("stages")), _list(after.get("stages")), called)


# --- stages -----------------------------------------------------------------------------------------------------------


def _stages(before: Sequence[Json], after: Sequence[Json], called: Called) -> list[Change]:
    same = _matched(before, after)
    stayed = _kept_order([same[n] for n in sorted(same)])
    found: list[Change] = []
    for n, stage in enumerate(after):
        pointer, title = f"/stages/{n}", f"Stage “{_name(stage)}”"
        if n not in same:
            found.append(Change(pointer, "added", title, None, stage_in_words(stage, called)))
            continue
        old = same[n]
        if old not in stayed:
            found.append(Change(pointer, "moved", title, f"place {old + 1}", f"place {n + 1}"))
        for member, what in _MEMBERS:
            found += _member(before[old], stage, member, f"{pointer}/{member}", f"{title}: {what}", called)
    for n, stage in enumerate(before):
        if n not in same.values():
            words = stage_in_words(stage, called)
            found.append(Change(f"/stages/{n}", "removed", f"Stage “{_name(stage)}”", words, None))
    return found


def _matched(before: Sequence[Json], after: Sequence[Json]) -> dict[int, int]:
    """Which stage of now is which of before, by their places."""
    same: dict[int, int] = {}

    def match(fits: Any) -> None:
        for n, new in enumerate(after):
            if n not in same:
                left = (m for m, old in enumerate(before) if m not in same.values() and fits(n, new, m, old))
                found = next(left, None)
                if found is not None:
                    same[n] = found

    match(lambda n, new, m, old: _name(new) == _name(old) and n == m)
    match(lambda n, new, m, old: _name(new) == _name(old))
    match(lambda n, new, m, old: _unnamed(new) == _unnamed(old))
    if len(before) == len(after):
        match(lambda n, new, m, old: n == m)
    return same


def _unnamed(stage: Json) -> dict[str, Any]:
    return {member: _plain(member, stage) for member, _ in _MEMBERS if member != "name"}


def _name(stage: Json) -> str:
    name = stage.get("name")
    return " ".join(name.split()) if isinstance(name, str) and name.strip() else "…"


def _kept_order(places: Sequence[int]) -> set[int]:
    """The longest part that kept its order: whoever is not in it has moved."""
    best: list[tuple[int, ...]] = [()]
    for place in places:
        longest = max((b for b in best if not b or b[-1] < place), key=len)
        best.append((*longest, place))
    longest = max(best, key=len)
    return set(longest)


# --- one member -------------------------------------------------------------------------------------------------------

_MEMBERS = (
    ("name", "name"),
    ("condition", "when"),
    ("approvers", "who is asked"),
    ("mode", "in which order"),
    ("quorum", "who must say yes"),
    ("due_in_minutes", "time to decide"),
    ("counts", "how time counts"),
    ("escalation", "when nobody answers"),
    ("fallback", "when nobody is found"),
    ("judges", "asked again when this changes"),
)
_USUAL: dict[str, Any] = {
    "mode": "PARALLEL",
    "quorum": "ALL",
    "counts": "CLOCK",
    "fallback": [],
}


def _plain(member: str, document: Json) -> Any:
    """A member's value without what means the same: what is missing means the usual."""
    value = document.get(member)
    if member == "due_in_minutes" and value is None:
        return usual_due_in(Counts.WORKING_TIME if document.get("counts") == "WORKING_TIME" else Counts.CLOCK)
    return _USUAL.get(member) if value is None else value


def _member(before: Json, after: Json, member: str, pointer: str, what: str, called: Called) -> list[Change]:
    old, new = (_plain(member, document) for document in (before, after))
    if old == new and type(old) is type(new):
        return []
    said = [in_words(member, value, called) for value in (old, new)]
    return [] if said[0] == said[1] else [Change(pointer, "changed", what, *said)]


def in_words(member: str, value: Any, called: Called) -> str:
    """What a member of a workflow or stage says."""
    match member:
        case "condition":
            return _condition(value, called)
        case "approvers" | "fallback":
            return ", ".join(rule_in_words(rule, called) for rule in _list(value)) or "nobody"
        case "mode":
            return {"PARALLEL": "all at once", "SEQUENTIAL": "one after the other"}.get(_text(value), UNFINISHED)
        case "quorum":
            return _quorum(value)
        case "due_in_minutes":
            return duration(value)
        case "counts":
            return {"CLOCK": "by the clock", "WORKING_TIME": "in working hours"}.get(_text(value), UNFINISHED)
        case "escalation":
            return _escalation(value, called)
        case "judges":
            return _judged(value, called)
        case "one_by_one_above":
            return f"{ONE_BY_ONE_ABOVE:,}" if value is None else _text(value) or UNFINISHED
        case _:
            return _text(value) or UNFINISHED


def stage_in_words(stage: Json, called: Called) -> str:
    """A whole stage in one line: "member of Finance; 2 of them; when amount is above 5,000"."""
    said = [in_words("approvers", stage.get("approvers"), called)]
    quorum = _plain("quorum", stage)
    if _plain("mode", stage) == "SEQUENTIAL":
        said.append(in_words("mode", "SEQUENTIAL", called))
    elif quorum != "ALL":
        said.append(_quorum(quorum))
    if stage.get("condition") is not None:
        said.append(f"when {_condition(stage['condition'], called)}")
    return "; ".join(said)


def _condition(value: Any, called: Called) -> str:
    try:
        return describe(parse(value, called.fields), called.value)
    except InvalidCondition:
        return UNFINISHED


def _quorum(value: Any) -> str:
    if isinstance(value, Mapping):
        percent = value.get("percent")
        return f"{percent:g} % of them" if isinstance(percent, (int, float)) else UNFINISHED
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value} of them"
    words = {"ALL": "everybody", "ANY": "one of them", "FIRST": "whoever answers first"}
    return words.get(_text(value), UNFINISHED)


def rule_in_words(rule: Any, called: Called) -> str:
    """Who a rule finds, in words."""
    if not isinstance(rule, Mapping):
        return UNFINISHED
    match rule.get("kind"):
        case "USER":
            return _called(called.people, rule.get("user_id"))
        case "USERS":
            return ", ".join(_called(called.people, i) for i in _plain_list(rule.get("user_ids"))) or UNFINISHED
        case "REQUESTER_MANAGER":
            return "the requester's manager"
        case "MANAGERS_MANAGER":
            return "the manager of the requester's manager"
        case "MANAGER_LEVEL":
            return f"{rule.get('level')} levels above the requester"
        case "NEXT_MANAGER":
            return "the next manager"
        case "DEPARTMENT_HEAD":
            department = rule.get("department_id")
            whose = "the requester's department" if department is None else _called(called.departments, department)
            return f"the head of {whose}"
        case "ROLE":
            return f"everybody with the role {_called(called.roles, rule.get('role'))}"
        case "TEAM":
            return f"the team {_called(called.teams, rule.get('team_id'))}"
        case "FORM_FIELD":
            return f"the person in the field {_field(_text(rule.get('field')), called, custom=True)}"
        case _:
            return UNFINISHED


def _called(names: Mapping[Any, str], key: Any) -> str:
    if not isinstance(key, (int, str)) or key == "":
        return UNFINISHED
    return names.get(key) or f"somebody or something unknown ({key})"


def _field(name: str, called: Called, *, custom: bool = False) -> str:
    known = called.fields.get(f"custom.{name}" if custom else name)
    return known.label if known is not None else name.removeprefix("custom.") or UNFINISHED


def _judged(value: Any, called: Called) -> str:
    if value is None:
        return "whatever no other stage names"
    return ", ".join(_field(_text(name), called) for name in _plain_list(value)) or "nothing"


def _escalation(value: Any, called: Called) -> str:
    if value is None:
        return USUAL
    if not isinstance(value, Mapping):
        return UNFINISHED
    reminders = value.get("remind_before_minutes", [0])
    before = [m for m in _plain_list(reminders) if isinstance(m, int)]
    said = [f"a reminder {', '.join(_before(m) for m in sorted(before, reverse=True))}"] if before else ["no reminder"]
    repeat = value.get("repeat", 1)
    times = 10 if repeat is True else repeat if isinstance(repeat, int) and repeat is not False else 1
    if times:
        often = "" if times == 1 else f", up to {times} times"
        to = rule_in_words(value.get("to"), called)
        said.append(f"{duration(value.get('after_minutes'))} after it was due {to} is asked as well{often}")
    last = "it is rejected" if value.get("finally") == "REJECT" else "an administrator is asked"
    return f"{'; '.join(said)}; at last {last}"


def _before(minutes: int) -> str:
    return f"{duration(minutes)} before it is due" if minutes else "when it is due"


def duration(minutes: Any) -> str:
    """Minutes as people say them: "1 day 4 hours"."""
    if not isinstance(minutes, int) or isinstance(minutes, bool) or minutes < 0:
        return UNFINISHED
    said = []
    for unit, size in (("day", 1440), ("hour", 60), ("minute", 1)):
        count, minutes = divmod(minutes, size)
        if count:
            said.append(f"{count} {unit}{'s' if count > 1 else ''}")
    return " ".join(said) or "no time"


def _list(value: Any) -> list[Json]:
    return [v if isinstance(v, Mapping) else {} for v in value] if isinstance(value, list) else []


def _plain_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
