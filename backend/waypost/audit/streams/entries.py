"""What one row of the trail says to another system. Pure.

`position` counts without gaps; with kinds left out, `previous` names the position sent before this one, so that the
receiver sees what is missing. `chain_hash` is the one that stands in our chain (docs/auditors/chain.md).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

TEST = "waypost.test"  # the entry by which a destination is tried: it has no place in the chain


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the trail on its way. Times are RFC 3339 in UTC."""

    position: int
    previous: int
    event_id: int
    row_hash: str
    chain_hash: str
    at: str
    action: str
    object_type: str
    object_id: int
    actor: Mapping[str, Any] | None = None
    on_behalf_of: Mapping[str, Any] | None = None
    channel: str = "system"
    request_id: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def family(self) -> str:
        """What stands before the dot of the action."""
        return self.action.partition(".")[0]


def document(entry: Entry, *, is_cut: bool = False) -> dict[str, Any]:
    """The entry as JSON tells it; without its details, and saying so, where there is no room for them."""
    told: dict[str, Any] = {
        "id": entry.event_id,
        "position": entry.position,
        "previous": entry.previous,
        "chain_hash": entry.chain_hash,
        "row_hash": entry.row_hash,
        "at": entry.at,
        "action": entry.action,
        "object_type": entry.object_type,
        "object_id": entry.object_id,
        "actor": dict(entry.actor) if entry.actor else None,
        "on_behalf_of": dict(entry.on_behalf_of) if entry.on_behalf_of else None,
        "channel": entry.channel,
        "request_id": entry.request_id,
    }
    return {**told, "cut": True} if is_cut else {**told, "data": dict(entry.data)}


def json_line(entry: Entry, *, is_cut: bool = False) -> bytes:
    """The same on one line of UTF-8: JSON writes line breaks and other controls as escapes."""
    text = json.dumps(document(entry, is_cut=is_cut), ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def body(lines: Sequence[bytes], *, is_array: bool) -> bytes:
    """Lines as one body: NDJSON, or a JSON array."""
    return b"[" + b",".join(lines) + b"]" if is_array else b"".join(line + b"\n" for line in lines)


def portions(lines: Sequence[bytes], *, most: int, most_bytes: int) -> Iterator[tuple[int, int]]:
    """Where to cut a long run of lines: (from, to) of each portion, of at most so many lines and so many bytes.

    A single line that is longer goes alone.
    """
    start = size = 0
    for index, line in enumerate(lines):
        if index > start and (index - start >= most or size + len(line) > most_bytes):
            yield start, index
            start, size = index, 0
        size += len(line)
    if len(lines) > start:
        yield start, len(lines)
