"""How large a workflow's document may be: what is kept comes back in answers, and is sent again inside of others. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from waypost.approvals.definition import MAX_STAGES
from waypost.kernel.errors import invalid_field

MAX_BYTES = 200_000
MAX_DEPTH = 28  # bodies may be nested 32 levels deep


def check_size(document: dict[str, Any], place: str = "") -> None:
    """Raises what is told of a document that is too large, too deep, or has too many stages."""
    if len(msgspec.json.encode(document)) > MAX_BYTES:
        raise invalid_field(place, f"must be smaller than {MAX_BYTES} bytes")
    if _depth(document) > MAX_DEPTH:
        raise invalid_field(place, f"must not be nested deeper than {MAX_DEPTH} levels")
    stages = document.get("stages")
    if isinstance(stages, list) and len(stages) > MAX_STAGES:
        raise invalid_field(f"{place}/stages", f"must be at most {MAX_STAGES} stages")


def _depth(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)
