"""Values that depend on who reads and when: "me", "my_teams", "-7d". Resolved before a condition is parsed. Pure.

A saved view keeps the words; each reading puts the reader's own ids and the moment in their place, so one view shared by
a team shows everybody their own work. A rule that is judged without a reader does not resolve them: there they are
refused like any other value that does not fit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from waypost.kernel.conditions.fields import Catalogue, Kind
from waypost.kernel.conditions.tree import MAX_DEPTH, MAX_VALUES

_AWAY = re.compile(r"([+-])(\d{1,4})([mhdw])", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_NEVER: dict[str, Any] = {"any": []}
_ALWAYS: dict[str, Any] = {"all": []}


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads, and when. `words` gives for a field the words it knows and the ids each stands for now."""

    words: Mapping[str, Mapping[str, tuple[int, ...]]]
    at: datetime


def resolved(value: object, fields: Catalogue, reader: Reader) -> object:
    """The tree with every such word replaced; whatever is not one stays as it is, for `parse` to judge."""
    return _resolved(value, fields, reader, 1)


def _resolved(value: object, fields: Catalogue, reader: Reader, depth: int) -> object:
    if not isinstance(value, dict) or depth > MAX_DEPTH:
        return value
    for word in ("all", "any"):
        parts = value.get(word)
        if isinstance(parts, list):
            return {**value, word: [_resolved(p, fields, reader, depth + 1) for p in parts]}
    if "not" in value:
        return {**value, "not": _resolved(value["not"], fields, reader, depth + 1)}
    name = value.get("field")
    field = fields.get(name) if isinstance(name, str) else None
    if field is None:
        return value
    if field.kind in (Kind.INSTANT, Kind.DATE):
        return _timed(value, field.kind, reader.at)
    words = reader.words.get(field.name)
    return _named(value, words) if words else value


def _timed(leaf: dict[str, Any], kind: Kind, at: datetime) -> dict[str, Any]:
    def when(value: object) -> object:
        moment = at_of(value, at)
        if moment is None:
            return value
        return moment.date().isoformat() if kind is Kind.DATE else moment.isoformat()

    given = leaf.get("value")
    if isinstance(given, list):
        return {**leaf, "value": [when(v) for v in given]}
    return {**leaf, "value": when(given)} if isinstance(given, str) else leaf


def at_of(value: object, at: datetime) -> datetime | None:
    """The moment "now", "-7d" or "+2h" means; None for everything else."""
    if value == "now":
        return at
    found = _AWAY.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    away = timedelta(**{_UNITS[found[3]]: int(found[2])})
    return at + away if found[1] == "+" else at - away


def _named(leaf: dict[str, Any], words: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    op, given = leaf.get("op"), leaf.get("value")
    many = {"eq": "in", "in": "in", "ne": "not_in", "not_in": "not_in"}.get(op) if isinstance(op, str) else None
    listed = given if isinstance(given, list) else [given]
    if many is None or len(listed) > MAX_VALUES or not any(isinstance(v, str) and v in words for v in listed):
        return leaf
    ids: list[object] = []
    for v in listed:
        ids += words[v] if isinstance(v, str) and v in words else [v]
    pages = [ids[n : n + MAX_VALUES] for n in range(0, len(ids), MAX_VALUES)]
    parts = [{**leaf, "op": many, "value": page} for page in pages]
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return _NEVER if many == "in" else _ALWAYS
    return {"any": parts} if many == "in" else {"all": parts}
