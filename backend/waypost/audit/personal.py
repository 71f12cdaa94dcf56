"""What this room keeps about people (`kernel/personal.py`); what stands in the log itself is erased by `erasing.py`."""

from __future__ import annotations

from waypost.kernel.personal import Held, Then

PERSONAL = (
    Held(
        "confidential_reads",
        "user_id",
        "Confidential requests they read",
        Then.DELETED,
        "the log keeps that they were read",
        shown=("ticket_id", "read_at"),
    ),
)
