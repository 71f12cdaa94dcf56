"""What this room keeps about people (`kernel/personal.py`)."""

from __future__ import annotations

from waypost.kernel.personal import Held, Then, Told

_WHO = "who did it, by number"
PERSONAL = (
    Held("automation_rules", "author_id", "Automation rules they last saved", Then.KEPT, _WHO),
    Held("automation_rule_versions", "changed_by_id", "Automation rules they changed", Then.KEPT, _WHO),
)
# what a condition looked at and what was done, in words: of tickets, and so of people by their names
TOLD = (
    Told("automation_runs", "why", is_json=True),
    Told("automation_runs", "actions", is_json=True),
    Told("automation_runs", "reason"),
)
