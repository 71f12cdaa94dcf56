"""How many people may be deactivated within an hour before somebody looks at it. Pure."""

from __future__ import annotations

from datetime import timedelta

WITHIN = timedelta(hours=1)
PERCENT = 5
ALWAYS = 3  # so many may always leave within the hour: a small company's leavers are no burst
ALLOWED_FOR = timedelta(hours=1)


def is_burst(leaving: int, active_before: int) -> bool:
    """Whether `leaving` people within the hour, of those who were active before it, are too many."""
    return leaving > ALWAYS and leaving * 100 > active_before * PERCENT
