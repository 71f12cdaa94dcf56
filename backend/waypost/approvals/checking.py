"""What is wrong with a workflow as it is written: errors keep it from being published, warnings are told. Pure.

A document may be unfinished. Everything that keeps it from being read is found first, each at its place; what is read
is then held against the company of today (`checks`) and against the other workflows (`beside`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from itertools import islice
from typing import Any

from waypost.approvals import reading
from waypost.approvals.definition import MAX_APPROVERS, MAX_STAGES, Definition
from waypost.approvals.errors import BadDefinition
from waypost.kernel.conditions.fields import Catalogue
from waypost.kernel.conditions.tree import InvalidCondition
from waypost.kernel.errors import FieldError

MOST = 100


class Level(StrEnum):
    """Whether it keeps the workflow from being published."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong. `pointer` is the place in the document, `code` is stable, `message` is what people read."""

    pointer: str
    level: Level
    code: str
    message: str


def error(pointer: str, code: str, message: str) -> Problem:
    """What keeps a workflow from being published."""
    return Problem(pointer, Level.ERROR, code, message)


def warning(pointer: str, code: str, message: str) -> Problem:
    """What an author should know of."""
    return Problem(pointer, Level.WARNING, code, message)


_STAGE: dict[str, Any] = {"name": "x", "approvers": [{"kind": "ROLE", "role": "x"}]}
_WHOLE: dict[str, Any] = {"name": "x", "stages": [_STAGE]}
_MEMBERS = ("name", "condition", "one_by_one_above")


def read(document: object, fields: Catalogue) -> tuple[Definition | None, list[Problem]]:
    """The definition a document stands for; None with what keeps it from being read, at most `MOST` problems."""
    if not isinstance(document, Mapping):
        return None, [error("", "invalid", "must be an object")]
    found: list[Problem] = []
    for fault in _faults(document, fields):
        found.append(fault)
        if len(found) == MOST:
            break
    return (None, found) if found else (reading.read(document, fields), [])


def _faults(document: Mapping[str, Any], fields: Catalogue) -> Iterator[Problem]:
    """Each part is read as if all others were right."""
    for member in (*_MEMBERS, *sorted(set(document) - {*_MEMBERS, "stages"})):
        yield from _tried(document, partial(reading.read, _WHOLE | {member: document.get(member)}, fields))
    stages = document.get("stages")
    if not isinstance(stages, list) or not 1 <= len(stages) <= MAX_STAGES:
        yield from _tried(document, partial(reading.read, _WHOLE | {"stages": stages}, fields))
    for n, stage in enumerate(stages[:MAX_STAGES] if isinstance(stages, list) else ()):
        pointer = f"/stages/{n}"
        faults = _stage_faults(document, stage, fields, pointer) if isinstance(stage, Mapping) else iter(())
        own = list(islice(faults, MOST))
        # what its parts mean together is looked at once each means something
        yield from own or _tried(document, partial(reading.read_stage, stage, fields, pointer))


def _stage_faults(document: Any, stage: Mapping[str, Any], fields: Catalogue, pointer: str) -> Iterator[Problem]:
    given = [m for m in reading.STAGE_MEMBERS if m in stage or m in _STAGE]
    for member in (*given, *sorted(set(stage) - set(given))):
        value, faults = stage.get(member), []
        if member in ("approvers", "fallback") and isinstance(value, list):
            for n, rule in enumerate(value[:MAX_APPROVERS]):
                faults += _tried(document, partial(reading.read_approver, rule, f"{pointer}/{member}/{n}"))
        yield from faults or _tried(document, partial(reading.read_stage, _STAGE | {member: value}, fields, pointer))


def _tried(document: Any, attempt: Callable[[], object]) -> list[Problem]:
    try:
        attempt()
    except BadDefinition as wrong:
        return [
            error(e.pointer, "missing" if _is_missing(document, e.pointer) else "invalid", e.message)
            for e in wrong.errors
        ]
    except InvalidCondition as wrong:
        return [error(e.pointer, _of_condition(document, e), e.message) for e in wrong.errors]
    return []


def _of_condition(document: Any, wrong: FieldError) -> str:
    if _is_missing(document, wrong.pointer):
        return "missing"
    return "unknown_field" if wrong.pointer.endswith("/field") else "bad_condition"


def _is_missing(document: Any, pointer: str) -> bool:
    """Whether nothing stands there yet."""
    value = document
    for token in pointer.split("/")[1:]:
        part = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return True
    return value in (None, "", [])
