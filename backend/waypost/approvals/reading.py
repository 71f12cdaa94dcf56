"""Reading a workflow's document: what it means, or which place in it is wrong. Pure.

A running workflow keeps the document it began with, so whatever could be written once is still read: new members are
optional and have a meaning when they are missing. `checking` tells everything that is wrong, `read` the first of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from waypost.approvals.definition import (
    ESCALATION,
    ESCALATION_AT_WORK,
    FIELDS,
    JUDGED,
    MAX_APPROVERS,
    MAX_JUDGED,
    MAX_LEVELS,
    MAX_MINUTES,
    MAX_NAME,
    MAX_REMINDERS,
    MAX_STAGES,
    ONE_BY_ONE_ABOVE,
    Approver,
    ApproverKind,
    Counts,
    Definition,
    Escalation,
    Final,
    Mode,
    Stage,
    usual_due_in,
)
from waypost.approvals.errors import BadDefinition
from waypost.kernel.conditions import tree
from waypost.kernel.conditions.fields import Catalogue
from waypost.kernel.errors import FieldError, escape_pointer
from waypost.kernel.shapes import in_one_line

_MONEY = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?", re.ASCII)
_JUDGED_CUSTOM = re.compile(r"custom\.\S{1,64}")
# kind -> the member that says which one, and its type; None where the kind says it all
_TARGET: dict[ApproverKind, tuple[str, type] | None] = {
    ApproverKind.USER: ("user_id", int),
    ApproverKind.USERS: ("user_ids", list),
    ApproverKind.REQUESTER_MANAGER: None,
    ApproverKind.MANAGERS_MANAGER: None,
    ApproverKind.MANAGER_LEVEL: ("level", int),
    ApproverKind.DEPARTMENT_HEAD: None,
    ApproverKind.ROLE: ("role", str),
    ApproverKind.TEAM: ("team_id", int),
    ApproverKind.FORM_FIELD: ("field", str),
    ApproverKind.NEXT_MANAGER: None,
}


def read(document: Mapping[str, Any], fields: Catalogue = FIELDS) -> Definition:
    """The definition a document stands for. Raises `BadDefinition` or `InvalidCondition` naming the place."""
    _only(document, {"name", "condition", "stages", "one_by_one_above"}, "")
    name = _line(document.get("name"), "/name")
    stages = document.get("stages")
    if not isinstance(stages, list) or not 1 <= len(stages) <= MAX_STAGES:
        raise _bad("/stages", f"must be a list of 1 to {MAX_STAGES} stages")
    return Definition(
        name=name,
        condition=tree.parse(document.get("condition"), fields, pointer="/condition", may_judge_sensitive=True),
        stages=tuple(read_stage(s, fields, f"/stages/{n}") for n, s in enumerate(stages)),
        one_by_one_above=_limit(document.get("one_by_one_above"), "/one_by_one_above"),
    )


def _bad(pointer: str, message: str) -> BadDefinition:
    return BadDefinition(
        f"The workflow's {pointer.strip('/') or 'document'} {message}.", errors=(FieldError(pointer, message),)
    )


def _only(value: Any, known: set[str], pointer: str) -> None:
    if not isinstance(value, Mapping):
        raise _bad(pointer, "must be an object")
    unknown = set(value) - known
    if unknown:
        raise _bad(f"{pointer}/{escape_pointer(min(unknown))}", "is not known here")


def _line(value: object, pointer: str) -> str:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= MAX_NAME:
        raise _bad(pointer, f"must be a text of 1 to {MAX_NAME} characters")
    return shown(value)


def shown(name: str) -> str:
    """A name as people read it: one line, without what cannot be seen or turns the words around."""
    return in_one_line("".join(c for c in name if c.isspace() or unicodedata.category(c) != "Cc"))


def _limit(value: object, pointer: str) -> Decimal:
    if value is None:
        return ONE_BY_ONE_ABOVE
    if not isinstance(value, str) or not _MONEY.fullmatch(value):
        raise _bad(pointer, 'must be an amount such as "5000.00", or null')
    return Decimal(value)


def _minutes(value: object, pointer: str, default: int | None = None, least: int = 1) -> int:
    if value is None and default is not None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= MAX_MINUTES:
        raise _bad(pointer, f"must be {least} to {MAX_MINUTES} minutes")
    return value


STAGE_MEMBERS = (
    "name",
    "condition",
    "approvers",
    "mode",
    "quorum",
    "due_in_minutes",
    "escalation",
    "fallback",
    "judges",
    "counts",
)


def read_stage(value: Any, fields: Catalogue, pointer: str) -> Stage:
    """The stage a part of a document stands for. Raises as `read` does."""
    _only(value, set(STAGE_MEMBERS), pointer)
    approvers = _approvers(value.get("approvers"), f"{pointer}/approvers", least=1)
    if value.get("mode", "PARALLEL") not in tuple(Mode):
        raise _bad(f"{pointer}/mode", "must be SEQUENTIAL or PARALLEL")
    mode = Mode(value.get("mode", "PARALLEL"))
    counts = value.get("counts", Counts.CLOCK)
    if not isinstance(counts, str) or counts not in tuple(Counts):
        raise _bad(f"{pointer}/counts", f"must be {' or '.join(Counts)}")
    quorum = _quorum(value.get("quorum", "ALL"), f"{pointer}/quorum")
    # A role or a team may hold enough people; named ones cannot become more.
    most = None if any(a.most is None for a in approvers) else sum(a.most or 0 for a in approvers)
    if mode is Mode.PARALLEL and most is not None and isinstance(quorum, int) and quorum > most:
        raise _bad(f"{pointer}/quorum", f"must not exceed the {most} approvers")
    fallback = value.get("fallback")
    due_in_minutes = _minutes(value.get("due_in_minutes"), f"{pointer}/due_in_minutes", usual_due_in(Counts(counts)))
    return Stage(
        name=_line(value.get("name"), f"{pointer}/name"),
        condition=tree.parse(value.get("condition"), fields, pointer=f"{pointer}/condition", may_judge_sensitive=True),
        approvers=approvers,
        mode=mode,
        quorum=quorum,
        due_in_minutes=due_in_minutes,
        escalation=_escalation(value.get("escalation"), f"{pointer}/escalation", due_in_minutes, Counts(counts)),
        fallback=() if fallback is None else _approvers(fallback, f"{pointer}/fallback", least=0),
        judges=_judges(value.get("judges"), f"{pointer}/judges"),
        counts=Counts(counts),
    )


def _quorum(value: Any, pointer: str) -> str | int | float:
    if isinstance(value, str) and value in ("ALL", "ANY", "FIRST"):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_APPROVERS:
        return value
    if isinstance(value, Mapping) and set(value) == {"percent"}:
        percent = value["percent"]
        if isinstance(percent, (int, float)) and not isinstance(percent, bool) and 0 < percent <= 100:
            return float(percent)
        raise _bad(f"{pointer}/percent", "must be above 0 and at most 100")
    raise _bad(pointer, 'must be "ALL", "ANY", "FIRST", a number of approvers, or {"percent": 1 to 100}')


def _approvers(value: Any, pointer: str, *, least: int) -> tuple[Approver, ...]:
    if not isinstance(value, list) or not least <= len(value) <= MAX_APPROVERS:
        raise _bad(pointer, f"must be a list of {least} to {MAX_APPROVERS} approvers")
    read_ = tuple(read_approver(a, f"{pointer}/{n}") for n, a in enumerate(value))
    named = [person for a in read_ for person in a.named]
    if len(set(read_)) != len(read_) or len(set(named)) != len(named):
        raise _bad(pointer, "must not name the same approver twice")
    if len(named) > MAX_APPROVERS:
        raise _bad(pointer, f"must not name more than {MAX_APPROVERS} people")
    return read_


def read_approver(value: Any, pointer: str, *, above: bool = False) -> Approver:
    """The rule a part of a document stands for. With `above` it may be `NEXT_MANAGER`."""
    kind = value.get("kind") if isinstance(value, Mapping) else None
    known_kinds = [k for k in ApproverKind if above or k is not ApproverKind.NEXT_MANAGER]
    if not isinstance(kind, str) or kind not in known_kinds:
        raise _bad(f"{pointer}/kind", f"must be one of {', '.join(known_kinds)}")
    expected = _TARGET[ApproverKind(kind)]
    known = {"kind"} | ({expected[0]} if expected else set())
    if kind == ApproverKind.DEPARTMENT_HEAD:
        known.add("department_id")
    _only(value, known, pointer)
    department_id = value.get("department_id")
    if department_id is not None and not _is_id(department_id):
        raise _bad(f"{pointer}/department_id", "must be the id of a department")
    if expected is None:
        return Approver(ApproverKind(kind), None, department_id)
    member, type_ = expected
    target = value.get(member)
    if type_ is list:
        return Approver(ApproverKind(kind), _people(target, f"{pointer}/{member}"))
    fits = _is_id(target) if type_ is int else isinstance(target, str) and 0 < len(target) <= 64
    if not fits or (kind == ApproverKind.MANAGER_LEVEL and target > MAX_LEVELS):
        raise _bad(f"{pointer}/{member}", "is needed, and must fit")
    return Approver(ApproverKind(kind), target)


def _people(value: Any, pointer: str) -> tuple[int, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_APPROVERS:
        raise _bad(pointer, f"must be a list of the ids of 1 to {MAX_APPROVERS} people")
    for n, person in enumerate(value):
        if not _is_id(person):
            raise _bad(f"{pointer}/{n}", "must be the id of a person")
    if len(set(value)) != len(value):
        raise _bad(pointer, "must not name the same person twice")
    return tuple(value)


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**62


def _escalation(value: Any, pointer: str, due_in_minutes: int, counts: Counts) -> Escalation:
    if value is None:
        return ESCALATION_AT_WORK if counts is Counts.WORKING_TIME else ESCALATION
    _only(value, {"remind_before_minutes", "after_minutes", "to", "repeat", "finally"}, pointer)
    repeat = value.get("repeat", 1)
    if isinstance(repeat, bool):
        repeat = MAX_LEVELS if repeat else 1
    if not isinstance(repeat, int) or not 0 <= repeat <= MAX_LEVELS:
        raise _bad(f"{pointer}/repeat", f"must be 0 to {MAX_LEVELS}")
    last = value.get("finally", Final.ADMINISTRATORS)
    if not isinstance(last, str) or last not in tuple(Final):
        raise _bad(f"{pointer}/finally", f"must be one of {', '.join(Final)}")
    return Escalation(
        remind_before_minutes=_reminders(
            value.get("remind_before_minutes"), f"{pointer}/remind_before_minutes", due_in_minutes
        ),
        after_minutes=_minutes(value.get("after_minutes"), f"{pointer}/after_minutes"),
        to=read_approver(value.get("to"), f"{pointer}/to", above=True),
        repeat=repeat,
        finally_=Final(last),
    )


def _reminders(value: Any, pointer: str, due_in_minutes: int) -> tuple[int, ...]:
    if value is None:
        return ESCALATION.remind_before_minutes
    if not isinstance(value, list) or len(value) > MAX_REMINDERS:
        raise _bad(pointer, f"must be a list of at most {MAX_REMINDERS} numbers of minutes")
    for n, before in enumerate(value):
        if _minutes(before, f"{pointer}/{n}", least=0) >= due_in_minutes:
            raise _bad(f"{pointer}/{n}", "must be less than the time there is to decide")
    if len(set(value)) != len(value):
        raise _bad(pointer, "must not name the same time twice")
    return tuple(sorted(value, reverse=True))


def _judges(value: Any, pointer: str) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > MAX_JUDGED:
        raise _bad(pointer, f"must be a list of at most {MAX_JUDGED} names of fields, or null")
    for n, name in enumerate(value):
        if not isinstance(name, str) or not (name in JUDGED or _JUDGED_CUSTOM.fullmatch(name)):
            raise _bad(f"{pointer}/{n}", "is not a field one can judge")
    if len(set(value)) != len(value):
        raise _bad(pointer, "must not name the same field twice")
    return tuple(value)
