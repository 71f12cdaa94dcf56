"""What this room keeps about people (`kernel/personal.py`)."""

from __future__ import annotations

from waypost.kernel.personal import Held, Then

PERSONAL = (
    Held(
        "saved_views",
        "owner_id",
        "Saved views",
        Then.DELETED,
        shown=("name", "scope", "filters", "created_at"),
        only="scope = 'PERSONAL'",
    ),
    Held(
        "saved_views",
        "owner_id",
        "Views they share",
        Then.KEPT,
        "others work with them",
        shown=("name", "scope", "filters", "created_at"),
        only="scope <> 'PERSONAL'",
    ),
    Held("view_alerts", "user_id", "Views they are told of", Then.DELETED, shown=("view_id", "how", "created_at")),
    Held(
        "view_alert_matches",
        "user_id",
        "Requests they were told of as new in a view",
        Then.DELETED,
        shown=("view_id", "ticket_id", "told_at"),
    ),
    Held("saved_view_pins", "user_id", "Pinned views", Then.DELETED, shown=("view_id", "pinned_at")),
)
