"""What this room keeps about people (`kernel/personal.py`)."""

from __future__ import annotations

from waypost.kernel.personal import Held, Then

PERSONAL = (Held("form_versions", "created_by_id", "Forms they published", Then.KEPT, "who did it, by number"),)
