"""Changes of a group that can be made without reading who is in it. Pure.

A group of ten thousand gets one member: identity systems send just that, and just that is done.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_ONE = re.compile(r'members\[value eq "([^"\\]+)"\]', re.IGNORECASE)
_FIELDS = {"displayname": "display_name", "externalid": "external_id"}


@dataclass(slots=True)
class Delta:
    """Who comes in (with what the provider calls them there), who goes out, and what else of the group is new."""

    added: dict[str, str | None] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    values: dict[str, str] = field(default_factory=dict)

    def add(self, member: str, display: str | None) -> None:
        self.removed.discard(member)
        self.added[member] = display

    def remove(self, member: str) -> None:
        self.added.pop(member, None)
        self.removed.add(member)


def delta_of(operations: Iterable[Mapping[str, Any]]) -> Delta | None:
    """What these operations come to; None when they ask for something that needs the whole group."""
    delta = Delta()
    return delta if all(_read(delta, operation) for operation in operations) else None


def _read(delta: Delta, operation: Mapping[str, Any]) -> bool:
    op, path, value = operation["op"], operation.get("path"), operation.get("value")
    if path is None:
        return (
            op in ("add", "replace")
            and isinstance(value, dict)
            and all(
                _set(delta, k, v) if k.lower() in _FIELDS else op == "add" and k.lower() == "members" and _add(delta, v)
                for k, v in value.items()
            )
        )
    if not isinstance(path, str):
        return False
    if op == "remove":
        one = _ONE.fullmatch(path)
        if one:
            delta.remove(one[1])
        return one is not None
    if op not in ("add", "replace"):
        return False
    return (
        _set(delta, path, value)
        if path.lower() in _FIELDS
        else (op == "add" and path.lower() == "members" and _add(delta, value))
    )


def _set(delta: Delta, name: str, value: Any) -> bool:
    if not isinstance(value, str) or not value.strip():
        return False
    delta.values[_FIELDS[name.lower()]] = value
    return True


def _add(delta: Delta, value: Any) -> bool:
    members = [value] if isinstance(value, dict) else value
    if not isinstance(members, list):
        return False
    for member in members:
        if not isinstance(member, dict) or not isinstance(member.get("value"), str):
            return False
        if str(member.get("type") or "User").lower() != "user":
            return False
        display = member.get("display")
        if display is not None and not isinstance(display, str):
            return False
        delta.add(member["value"], display)
    return True


def scim_id(said: str | None) -> uuid.UUID | None:
    """An id of ours; None for anything else."""
    try:
        return uuid.UUID(said) if said and len(said) == 36 else None
    except ValueError:
        return None
