"""What a workflow is: a name, the tickets it is for, and ordered stages. Reading and checking the document. Pure.

The document's shape is the one of `POST /approval-workflows`. A running workflow keeps the document it began with.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from waypost.approvals.errors import BadDefinition
from waypost.kernel.conditions import tree
from waypost.kernel.conditions.fields import Catalogue, Field, Kind, catalogue
from waypost.kernel.errors import FieldError

MAX_STAGES = 20
MAX_APPROVERS = 50
MAX_MINUTES = 60 * 24 * 365
MAX_LEVELS = 10
DUE_IN_MINUTES = 2 * 24 * 60
EMERGENCY_MINUTES = 15


class Mode(StrEnum):
    """How a stage's approvers are asked: one after the other, or all at once."""

    SEQUENTIAL = "SEQUENTIAL"
    PARALLEL = "PARALLEL"


class ApproverKind(StrEnum):
    """How an approver is found; each is a file of `approvers/`."""

    USER = "USER"
    REQUESTER_MANAGER = "REQUESTER_MANAGER"
    MANAGERS_MANAGER = "MANAGERS_MANAGER"
    MANAGER_LEVEL = "MANAGER_LEVEL"
    DEPARTMENT_HEAD = "DEPARTMENT_HEAD"
    ROLE = "ROLE"
    TEAM = "TEAM"
    FORM_FIELD = "FORM_FIELD"


# kind -> the member that says which one, and its type; None where the kind says it all
_TARGET: dict[ApproverKind, tuple[str, type] | None] = {
    ApproverKind.USER: ("user_id", int),
    ApproverKind.REQUESTER_MANAGER: None,
    ApproverKind.MANAGERS_MANAGER: None,
    ApproverKind.MANAGER_LEVEL: ("level", int),
    ApproverKind.DEPARTMENT_HEAD: None,
    ApproverKind.ROLE: ("role", str),
    ApproverKind.TEAM: ("team_id", int),
    ApproverKind.FORM_FIELD: ("field", str),
}
GROUPS = frozenset({ApproverKind.ROLE, ApproverKind.TEAM})


@dataclass(frozen=True, slots=True)
class Approver:
    """A way to find approvers. `target` says which user, role, team, level or field; `department_id` whose head."""

    kind: ApproverKind
    target: int | str | None = None
    department_id: int | None = None

    @property
    def is_group(self) -> bool:
        """Whether it can stand for several people, how many being known only when they are asked."""
        return self.kind in GROUPS


@dataclass(frozen=True, slots=True)
class Escalation:
    """Whom to ask when nobody answered `after_minutes` after the step was due, and how many times."""

    after_minutes: int
    to: Approver
    repeat: int


@dataclass(frozen=True, slots=True)
class Stage:
    """One round of asking. `quorum` is `ALL`, `ANY`, `FIRST` (the first answer counts), a number, or a percentage."""

    name: str
    condition: tree.Condition
    approvers: tuple[Approver, ...]
    mode: Mode
    quorum: str | int | float
    due_in_minutes: int
    escalation: Escalation | None

    def needed(self, seats: int) -> int:
        """How many must say yes when `seats` people are asked; a percentage is rounded up."""
        if self.mode is Mode.SEQUENTIAL or self.quorum == "ALL":
            return seats
        if isinstance(self.quorum, int):
            return min(self.quorum, seats)
        if isinstance(self.quorum, float):
            return max(1, math.ceil(seats * self.quorum / 100 - 1e-9))
        return 1

    @property
    def first_answer_counts(self) -> bool:
        """Whether one no ends it as one yes does."""
        return self.mode is Mode.PARALLEL and self.quorum == "FIRST"


@dataclass(frozen=True, slots=True)
class Definition:
    """A workflow as written: for which subjects, and its stages in order."""

    name: str
    condition: tree.Condition
    stages: tuple[Stage, ...]


# What every subject can be judged by. A form's fields (`custom.<key>`) are added by the room that owns the form.
FIELDS = catalogue(
    Field("ticket_type", Kind.TEXT, "type"),
    Field("priority", Kind.CHOICE, "priority", ("LOW", "MEDIUM", "HIGH", "CRITICAL")),
    Field("amount", Kind.NUMBER, "amount"),
    Field("currency", Kind.TEXT, "currency"),
    Field("department_id", Kind.ID, "department"),
    Field("requester_id", Kind.ID, "requester"),
    Field("title", Kind.TEXT, "title"),
    Field("due_date", Kind.INSTANT, "due date"),
)


def read(document: Mapping[str, Any], fields: Catalogue = FIELDS) -> Definition:
    """The definition a document stands for. Raises `BadDefinition` or `InvalidCondition` naming the place."""
    _only(document, {"name", "condition", "stages"}, "")
    name = _line(document.get("name"), "/name")
    stages = document.get("stages")
    if not isinstance(stages, list) or not 1 <= len(stages) <= MAX_STAGES:
        raise _bad("/stages", f"must be a list of 1 to {MAX_STAGES} stages")
    return Definition(
        name=name,
        condition=tree.parse(document.get("condition"), fields, pointer="/condition"),
        stages=tuple(_stage(s, fields, f"/stages/{n}") for n, s in enumerate(stages)),
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
        raise _bad(f"{pointer}/{min(unknown)}", "is not known here")


def _line(value: object, pointer: str) -> str:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= 100:
        raise _bad(pointer, "must be a text of 1 to 100 characters")
    return " ".join(value.split())


def _minutes(value: object, pointer: str, default: int | None = None) -> int:
    if value is None and default is not None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_MINUTES:
        raise _bad(pointer, f"must be 1 to {MAX_MINUTES} minutes")
    return value


def _stage(value: Any, fields: Catalogue, pointer: str) -> Stage:
    _only(value, {"name", "condition", "approvers", "mode", "quorum", "due_in_minutes", "escalation"}, pointer)
    given = value.get("approvers")
    if not isinstance(given, list) or not 1 <= len(given) <= MAX_APPROVERS:
        raise _bad(f"{pointer}/approvers", f"must be a list of 1 to {MAX_APPROVERS} approvers")
    approvers = tuple(_approver(a, f"{pointer}/approvers/{n}") for n, a in enumerate(given))
    if len(set(approvers)) != len(approvers):
        raise _bad(f"{pointer}/approvers", "must not name the same approver twice")
    if value.get("mode", "PARALLEL") not in tuple(Mode):
        raise _bad(f"{pointer}/mode", "must be SEQUENTIAL or PARALLEL")
    mode = Mode(value.get("mode", "PARALLEL"))
    quorum = _quorum(value.get("quorum", "ALL"), f"{pointer}/quorum")
    # A role or a team may hold enough people; named ones cannot become more.
    named_only = mode is Mode.PARALLEL and not any(a.is_group for a in approvers)
    if named_only and isinstance(quorum, int) and quorum > len(approvers):
        raise _bad(f"{pointer}/quorum", f"must not exceed the {len(approvers)} approvers")
    return Stage(
        name=_line(value.get("name"), f"{pointer}/name"),
        condition=tree.parse(value.get("condition"), fields, pointer=f"{pointer}/condition"),
        approvers=approvers,
        mode=mode,
        quorum=quorum,
        due_in_minutes=_minutes(value.get("due_in_minutes"), f"{pointer}/due_in_minutes", DUE_IN_MINUTES),
        escalation=_escalation(value.get("escalation"), f"{pointer}/escalation"),
    )


def _quorum(value: Any, pointer: str) -> str | int | float:
    if value in ("ALL", "ANY", "FIRST"):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_APPROVERS:
        return value
    if isinstance(value, Mapping) and set(value) == {"percent"}:
        percent = value["percent"]
        if isinstance(percent, (int, float)) and not isinstance(percent, bool) and 0 < percent <= 100:
            return float(percent)
        raise _bad(f"{pointer}/percent", "must be above 0 and at most 100")
    raise _bad(pointer, 'must be "ALL", "ANY", "FIRST", a number of approvers, or {"percent": 1 to 100}')


def _approver(value: Any, pointer: str) -> Approver:
    kind = value.get("kind") if isinstance(value, Mapping) else None
    if kind not in tuple(ApproverKind):
        raise _bad(f"{pointer}/kind", f"must be one of {', '.join(ApproverKind)}")
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
    fits = _is_id(target) if type_ is int else isinstance(target, str) and 0 < len(target) <= 64
    if not fits or (kind == ApproverKind.MANAGER_LEVEL and target > MAX_LEVELS):
        raise _bad(f"{pointer}/{member}", "is needed, and must fit")
    return Approver(ApproverKind(kind), target)


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**62


def _escalation(value: Any, pointer: str) -> Escalation | None:
    if value is None:
        return None
    _only(value, {"after_minutes", "to", "repeat"}, pointer)
    repeat = value.get("repeat", 1)
    if isinstance(repeat, bool):
        repeat = MAX_LEVELS if repeat else 1
    if not isinstance(repeat, int) or not 0 <= repeat <= MAX_LEVELS:
        raise _bad(f"{pointer}/repeat", f"must be 0 to {MAX_LEVELS}")
    return Escalation(
        _minutes(value.get("after_minutes"), f"{pointer}/after_minutes"),
        _approver(value.get("to"), f"{pointer}/to"),
        repeat,
    )
