"""What differs between two versions of a form, in words an administrator reads before publishing or going back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from typing import Any

from waypost.catalog.answers import ordered, title_of
from waypost.catalog.kinds import SENSITIVE, SHOW_WHEN, FieldKind, choices_of, kind_of, label_of
from waypost.catalog.showing import conditions
from waypost.kernel.conditions.tree import describe

_KINDS = {
    FieldKind.TEXT: "text",
    FieldKind.LONG_TEXT: "long text",
    FieldKind.NUMBER: "number",
    FieldKind.MONEY: "money",
    FieldKind.DATE: "date",
    FieldKind.CHOICE: "choice",
    FieldKind.MULTI_CHOICE: "several choices",
    FieldKind.PERSON: "person",
    FieldKind.DEPARTMENT: "department",
    FieldKind.FILE: "file",
    FieldKind.CHECKBOX: "checkbox",
}
_LIMITS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "x-min": "at least {}",
    "x-max": "at most {}",
    "minItems": "at least {} of them",
    "maxItems": "at most {} of them",
}
_SAID = {
    "title",
    "description",
    "default",
    "enum",
    "items",
    "x-kind",
    "x-choices",
    "x-order",
    "x-widget",
    SHOW_WHEN,
    SENSITIVE,
}


@dataclass(frozen=True, slots=True)
class FormChange:
    """One field that is `added`, `removed`, `changed` or `moved`, and what about it."""

    what: str
    key: str
    title: str
    details: tuple[str, ...] = ()


def form_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was done to the form, in the order of the new one; removed fields come last."""
    before, after = dict(ordered(old)), dict(ordered(new))
    needed_before, needed_after = set(old.get("required", ())), set(new.get("required", ()))
    shown_before, shown_after = _conditions(old), _conditions(new)
    moved = _moved([k for k in before if k in after], [k for k in after if k in before])
    found = []
    for key, schema in after.items():
        title = title_of(key, schema)
        if key not in before:
            details = [_kind(schema)]
            details += ["required"] if key in needed_after else []
            details += ["sensitive"] if schema.get(SENSITIVE) else []
            details += [f"shown when {shown_after[key]}"] if key in shown_after else []
            found.append(FormChange("added", key, title, tuple(details)))
            continue
        details = _differences(key, before[key], schema)
        if (key in needed_before) != (key in needed_after):
            details.append("required now" if key in needed_after else "no longer required")
        if shown_before.get(key) != shown_after.get(key):
            details.append(f"shown when {shown_after[key]}" if key in shown_after else "always shown now")
        if details:
            found.append(FormChange("changed", key, title, tuple(details)))
        if key in moved:
            found.append(FormChange("moved", key, title))
    found += [
        FormChange("removed", key, title_of(key, s), (_kind(s),)) for key, s in before.items() if key not in after
    ]
    return [asdict(change) for change in found]


def _kind(schema: Mapping[str, Any]) -> str:
    kind = kind_of(schema)
    return _KINDS[kind] if kind else str(schema.get("type", "any value"))


def _conditions(form: Mapping[str, Any]) -> dict[str, str]:
    return {key: describe(condition) for key, condition in conditions({"properties": {}, **form}).items()}


def _moved(before: list[str], after: list[str]) -> set[str]:
    """The fewest fields that had to change their places."""
    blocks = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    stayed = {key for block in blocks for key in after[block.b : block.b + block.size]}
    return set(after) - stayed


def _differences(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    found = []
    if title_of(key, old) != title_of(key, new):
        found.append(f"was called “{title_of(key, old)}”")
    if old.get("description", "") != new.get("description", ""):
        found.append("help text changed" if new.get("description") else "no help text any more")
    if _kind(old) != _kind(new):
        found.append(f"{_kind(new)}, was {_kind(old)}")
    if bool(old.get(SENSITIVE)) != bool(new.get(SENSITIVE)):
        no_longer = "no longer sensitive: new answers are open, those given until now stay sealed"
        found.append("sensitive now: answers are kept sealed" if new.get(SENSITIVE) else no_longer)
    found += _choices(old, new)
    for word, pattern in _LIMITS.items():
        if old.get(word) != new.get(word):
            found.append(pattern.format(new[word]) if word in new else f"no longer {pattern.format(old[word])}")
    if old.get("default") != new.get("default"):
        found.append(f"starts with {_value(new, new['default'])}" if "default" in new else "starts empty now")
    other = {w for w in {*old, *new} - _SAID - set(_LIMITS) if old.get(w) != new.get(w)}
    if other and _kind(old) == _kind(new):
        found.append("technical rules changed" if other != {"type"} else f"{new.get('type')}, was {old.get('type')}")
    return found


def _choices(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    before, after = choices_of(old), choices_of(new)
    found = [f"choice added: {label_of(new, c)}" for c in after if c not in before]
    found += [f"choice removed: {label_of(old, c)}" for c in before if c not in after]
    for choice in after:
        if choice in before and label_of(old, choice) != label_of(new, choice):
            found.append(f"choice “{label_of(old, choice)}” is called “{label_of(new, choice)}”")
    if [c for c in before if c in after] != [c for c in after if c in before]:
        found.append("choices in another order")
    return found


def _value(schema: Mapping[str, Any], value: Any) -> str:
    if isinstance(value, bool):
        return "a tick" if value else "no tick"
    if isinstance(value, list):
        return ", ".join(label_of(schema, v) for v in value) or "nothing"
    if isinstance(value, Mapping):
        return f"{value.get('amount')} {value.get('currency')}"
    return label_of(schema, value)
