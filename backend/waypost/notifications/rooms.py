"""Which place in another system belongs to which team, as an administrator writes it down. Pure.

`IT Support = C012AB3CD; HR Services = C045EF6GH; * = C099`: a line or a semicolon between them, a star for every other.
"""

from __future__ import annotations

import re

EVERY_OTHER = "*"


def rooms_of(written: str) -> dict[str, str]:
    """Places by team's name, whatever its case. What has no `=` is left out."""
    found: dict[str, str] = {}
    for part in re.split(r"[;\r\n]+", written):
        team, equals, room = part.partition("=")
        if equals and team.strip() and room.strip():
            found[_key(team)] = room.strip()
    return found


def room_of(written: str, team: str) -> str | None:
    """A team's place, or that of every other team; None when there is neither."""
    rooms = rooms_of(written)
    return rooms.get(_key(team), rooms.get(EVERY_OTHER))


def _key(team: str) -> str:
    return " ".join(team.split()).casefold()
