"""What a service level says about a target, by the clock of who is told."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from waypost.kernel.events import Event
from waypost.sla.clock_events import SlaBreached, SlaWarned

TARGETS = {
    "FIRST_RESPONSE": "the first response",
    "NEXT_UPDATE": "the next update",
    "RESOLUTION": "the resolution",
    "OWN_TIME": "the team's own part",
}


def about_target(event: Event, zone: ZoneInfo) -> dict[str, str]:
    """The values templates name `sla.…`; none for other events."""
    if not isinstance(event, (SlaWarned, SlaBreached)):
        return {}
    local = datetime.fromisoformat(event.due_at).astimezone(zone)
    percent = event.percent if isinstance(event, SlaWarned) else 100
    return {
        "target": TARGETS[event.metric],
        "due": f"{local:%A, %-d %B %Y, %H:%M} {local.tzname()}",
        "percent": str(percent),
    }
