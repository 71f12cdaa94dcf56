"""Advisory locks have one space of keys in a database: no two uses may meet in it."""

from __future__ import annotations

import re
from pathlib import Path

from waypost.notifications.channels.registry import CHANNELS
from waypost.notifications.sending import SENDER_LOCK, SENDING_LOCK

SOURCES = Path(__file__).parents[2] / "waypost"
MOST_CHANNELS = 15


def test_no_two_uses_share_a_key() -> None:
    found = [
        int(key, 16) for path in SOURCES.rglob("*.py") for key in re.findall(r"\b0x5741[0-9A-F]{4}\b", path.read_text())
    ]
    assert len(found) >= 5
    assert len(set(found)) == len(found)
    assert SENDER_LOCK == SENDING_LOCK + 1
    assert len(CHANNELS) <= MOST_CHANNELS
    assert not [key for key in found if SENDING_LOCK < key <= SENDING_LOCK + MOST_CHANNELS], "one for each channel"
