"""Refresh tokens follow one another: what one that is shown still is. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum

GRACE = timedelta(seconds=10)  # contract: the direct parent may be answered again for so long


class Shown(Enum):
    """What a refresh token is that somebody shows."""

    NEWEST = "newest"
    PARENT = "parent"
    """It was used a moment ago, and nothing came after what it got: two tabs at once. It gets the same again."""
    OVERTAKEN = "overtaken"
    """Its person confirmed a moment ago that it is them, perhaps in another tab. It gets nothing, and ends nothing."""
    COPIED = "copied"
    """Nobody shows such a one but who copied it, or whose it was copied from: nothing of its sign-in holds any more."""


def shown(used_at: datetime | None, renewed_at: datetime | None, at: datetime, *, is_parent: bool) -> Shown:
    """What a token is that was used at `used_at`, of a sign-in last confirmed at `renewed_at`.

    `is_parent` says whether what it got is the newest there is.
    """
    if used_at is None:
        return Shown.NEWEST
    if at - used_at > GRACE:
        return Shown.COPIED
    if renewed_at is not None and renewed_at >= used_at:
        return Shown.OVERTAKEN
    return Shown.PARENT if is_parent else Shown.COPIED
