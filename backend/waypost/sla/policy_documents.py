"""A policy's document: the JSON that is kept, shown and changed, read into a `Policy` with each mistake named. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from waypost.kernel.conditions import tree
from waypost.kernel.conditions.fields import Catalogue, Field, Kind
from waypost.kernel.errors import FieldError, Invalid, escape_pointer
from waypost.sla.marking import Metric, Reopening
from waypost.sla.policies import (
    FIELDS,
    PAUSABLE,
    PRIORITIES,
    Action,
    Days,
    Do,
    On,
    Policy,
    Target,
    Unit,
    rules_of,
)

Document = Mapping[str, Any]
MOST: dict[Unit, int] = {Unit.MINUTES: 60 * 24 * 60, Unit.HOURS: 24 * 60, Unit.DAYS: 365}
MOST_WARNINGS = 10
MOST_ACTIONS = 50
MOST_TEAMS = 50
_TARGETED = (Metric.FIRST_RESPONSE, Metric.NEXT_UPDATE, Metric.RESOLUTION)
_PARTS = {
    "condition",
    "calendar_id",
    "targets",
    "own_time",
    "paused",
    "counts_approval",
    "reopening",
    "warnings",
    "actions",
}


class BadPolicy(Invalid):
    """This policy cannot be understood; the places are named."""

    code = "invalid_policy"


def read(policy_id: int, version: int, name: str, document: Document, fields: Catalogue = FIELDS) -> Policy:
    """The policy a document stands for. Raises `BadPolicy` or `InvalidCondition`, naming each place."""
    wrong: list[FieldError] = []
    reader = _Reader(wrong)
    document = {name: value for name, value in document.items() if value is not None or name not in _PARTS}
    reader.known(document, _PARTS, "")
    condition = tree.parse(document.get("condition"), fields, pointer="/condition")
    targets = reader.all_targets(document.get("targets", {}))
    own_time = reader.own_time(document.get("own_time", []))
    paused = reader.words(document.get("paused", []), PAUSABLE, "/paused")
    warnings = reader.warnings(document.get("warnings", []))
    actions = reader.actions(document.get("actions", []), warnings)
    counts = document.get("counts_approval", False)
    if not isinstance(counts, bool):
        wrong.append(FieldError("/counts_approval", "must be true or false"))
    reopening = reader.word(document.get("reopening", Reopening.RESUME), Reopening, "/reopening")
    calendar_id = document.get("calendar_id")
    if calendar_id is not None and not _is_id(calendar_id):
        wrong.append(FieldError("/calendar_id", "must be a calendar's id, or null for the default one"))
    if not targets and not own_time:
        wrong.append(FieldError("/targets", "must hold at least one target"))
    if {"APPROVED", "IN_PROGRESS"} <= set(paused):
        wrong.append(FieldError("/paused", "leave no status in which a clock would run"))
    if wrong:
        raise BadPolicy(errors=tuple(wrong))
    return Policy(
        id=policy_id,
        version=version,
        name=name,
        condition=condition,
        targets=targets,
        rules=rules_of(paused, counts_approval=counts, reopening=Reopening(reopening)),
        warnings=warnings,
        actions=actions,
        calendar_id=calendar_id,
        own_time=own_time,
    )


def whole(document: Document) -> dict[str, Any]:
    """A document with everything in it that it left out, as it is kept; what `read` makes of it is the same."""
    given = {name: value for name, value in document.items() if value is not None}
    targets = given.get("targets") or {}
    return {
        "condition": given.get("condition"),
        "calendar_id": given.get("calendar_id"),
        "targets": {metric: _whole_targets(targets.get(metric)) for metric in _TARGETED},
        "own_time": [
            {"team_id": one["team_id"], "targets": _whole_targets(one["targets"])} for one in given.get("own_time", [])
        ],
        "paused": list(given.get("paused", [])),
        "counts_approval": given.get("counts_approval", False),
        "reopening": given.get("reopening", str(Reopening.RESUME)),
        "warnings": sorted(given.get("warnings", [])),
        "actions": [
            {
                "on": one["on"],
                "do": one["do"],
                "metrics": list(one.get("metrics") or []),
                "percent": one.get("percent"),
                "user_id": one.get("user_id"),
                "team_id": one.get("team_id"),
            }
            for one in given.get("actions", [])
        ],
    }


def _whole_targets(given: Mapping[str, Any] | None) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for priority in PRIORITIES:
        target = (given or {}).get(priority)
        kept[priority] = None
        if target is not None:
            days = (target.get("days") or str(Days.END_OF_DAY)) if target["unit"] == Unit.DAYS else None
            kept[priority] = {"amount": target["amount"], "unit": target["unit"], "days": days}
    return kept


def spoken_fields(policy: Policy) -> dict[str, Any]:
    """The custom fields its condition speaks of, as they mean now: kept with the version (`catalogue_of` reads them)."""
    fields = {leaf.field for leaf in tree.leaves(policy.condition) if leaf.field.name not in FIELDS}
    return {
        f.name: {
            "kind": f.kind.value,
            "label": f.label,
            "choices": list(f.choices),
            "labels": list(f.labels),
            "refers_to": f.refers_to,
        }
        for f in fields
    }


def catalogue_of(kept: Mapping[str, Any]) -> dict[str, Field]:
    """The fields a kept version's condition may speak of."""
    custom = {
        name: Field(name, Kind(f["kind"]), f["label"], tuple(f["choices"]), tuple(f["labels"]), f["refers_to"])
        for name, f in kept.items()
    }
    return custom | FIELDS


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**62


def _is_whole(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


class _Reader:
    """Reads the parts of a document and collects what is wrong."""

    def __init__(self, wrong: list[FieldError]) -> None:
        self._wrong = wrong

    def _say(self, pointer: str, message: str) -> None:
        self._wrong.append(FieldError(pointer, message))

    def known(self, given: Mapping[str, Any], parts: Set[str], pointer: str) -> None:
        for unknown in sorted(set(given) - parts):
            self._say(f"{pointer}/{escape_pointer(unknown)}", "is not known here")

    def mapping(self, value: object, pointer: str | None = None) -> Mapping[str, Any]:
        if isinstance(value, dict):
            return value
        if pointer is not None:
            self._say(pointer, "must be an object")
        return {}

    def several(self, value: object, pointer: str, most: int) -> list[Any]:
        if isinstance(value, list) and len(value) <= most:
            return value
        self._say(pointer, f"must be a list of at most {most}")
        return []

    def word(self, value: object, words: Any, pointer: str) -> str:
        known = [str(w) for w in words]
        if isinstance(value, str) and value in known:
            return value
        self._say(pointer, f"must be one of {', '.join(known)}")
        return known[0]

    def words(self, value: object, words: Any, pointer: str) -> tuple[str, ...]:
        found = [self.word(v, words, f"{pointer}/{n}") for n, v in enumerate(self.several(value, pointer, 20))]
        if len(set(found)) < len(found):
            self._say(pointer, "must not name one twice")
        return tuple(found)

    def all_targets(self, value: object) -> dict[Metric, dict[str, Target]]:
        """Targets by clock and priority; a clock without any is left out."""
        given = self.mapping(value, "/targets")
        found = {}
        for name, by_priority in given.items():
            if name not in _TARGETED:
                self._say(f"/targets/{escape_pointer(name)}", f"must be one of {', '.join(_TARGETED)}")
            elif targets := self.targets(by_priority, f"/targets/{name}"):
                found[Metric(name)] = targets
        return found

    def targets(self, value: object, pointer: str) -> dict[str, Target]:
        """Targets by priority; null and what is left out mean none."""
        found = {}
        given = self.mapping({} if value is None else value, pointer)
        for priority, target in given.items():
            if priority not in PRIORITIES:
                self._say(f"{pointer}/{escape_pointer(priority)}", f"must be one of {', '.join(PRIORITIES)}")
            elif target is not None:
                found[priority] = self.target(target, f"{pointer}/{priority}")
        return found

    def target(self, value: object, pointer: str) -> Target:
        given = self.mapping(value, pointer)
        self.known(given, {"amount", "unit", "days"}, pointer)
        unit = Unit(self.word(given.get("unit"), Unit, f"{pointer}/unit"))
        days = Days(self.word(given.get("days") or Days.END_OF_DAY, Days, f"{pointer}/days"))
        amount = given.get("amount")
        if not _is_whole(amount, 1, MOST[unit]):
            self._say(f"{pointer}/amount", f"must be a whole number from 1 to {MOST[unit]:,} {unit.lower()}")
            amount = 1
        assert isinstance(amount, int)
        return Target(amount, unit, days if unit is Unit.DAYS else Days.END_OF_DAY)

    def own_time(self, value: object) -> dict[int, dict[str, Target]]:
        found: dict[int, dict[str, Target]] = {}
        for n, one in enumerate(self.several(value, "/own_time", MOST_TEAMS)):
            pointer = f"/own_time/{n}"
            given = self.mapping(one, pointer)
            self.known(given, {"team_id", "targets"}, pointer)
            team = given.get("team_id")
            if not _is_id(team):
                self._say(f"{pointer}/team_id", "must be a team's id")
            elif team in found:
                self._say(f"{pointer}/team_id", "is named twice")
            targets = self.targets(given.get("targets"), f"{pointer}/targets")
            if not targets:
                self._say(f"{pointer}/targets", "must hold at least one target")
            if isinstance(team, int):
                found[team] = targets
        return found

    def warnings(self, value: object) -> tuple[int, ...]:
        found = []
        for n, percent in enumerate(self.several(value, "/warnings", MOST_WARNINGS)):
            if not _is_whole(percent, 1, 99):
                self._say(f"/warnings/{n}", "must be a whole number from 1 to 99")
            elif percent in found:
                self._say(f"/warnings/{n}", "is named twice")
            else:
                found.append(percent)
        return tuple(sorted(found))

    def actions(self, value: object, warnings: tuple[int, ...]) -> tuple[Action, ...]:
        return tuple(
            self.action(one, f"/actions/{n}", warnings)
            for n, one in enumerate(self.several(value, "/actions", MOST_ACTIONS))
        )

    def action(self, value: object, pointer: str, warnings: tuple[int, ...]) -> Action:
        given = self.mapping(value, pointer)
        self.known(given, {"on", "do", "metrics", "percent", "user_id", "team_id"}, pointer)
        on = On(self.word(given.get("on"), On, f"{pointer}/on"))
        do = Do(self.word(given.get("do"), Do, f"{pointer}/do"))
        metrics = self.words(given.get("metrics") or [], Metric, f"{pointer}/metrics")
        percent = given.get("percent")
        fits = on is On.WARNING and _is_whole(percent, 1, 99) and percent in warnings
        if percent is not None and not fits:
            self._say(f"{pointer}/percent", "must be one of the policy's warnings, and of a warning only")
            percent = None
        if on is On.WARNING and not warnings:
            self._say(f"{pointer}/on", "never happens: the policy has no warning")
        for name, needed in (("user_id", do is Do.TELL_PERSON), ("team_id", do is Do.HAND_TO_TEAM)):
            if needed and not _is_id(given.get(name)):
                self._say(f"{pointer}/{name}", "must be an id")
            elif not needed and given.get(name) is not None:
                self._say(f"{pointer}/{name}", "is not needed here")
        return Action(
            on, do, frozenset(Metric(m) for m in metrics), percent, given.get("user_id"), given.get("team_id")
        )
