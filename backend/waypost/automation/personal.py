"""What this room keeps about people (`kernel/personal.py`)."""

from __future__ import annotations

from waypost.kernel.personal import Held, Then

_WHO = "who did it, by number"
PERSONAL = (
    Held("automation_rules", "author_id", "Automation rules they last saved", Then.KEPT, _WHO),
    Held("automation_rule_versions", "changed_by_id", "Automation rules they changed", Then.KEPT, _WHO),
)
