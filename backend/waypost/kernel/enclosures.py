"""Files that go with a mail: named in it by what they are and a number, opened by the room that has them when it goes out.

So a message that waits holds no file, and whether it is still its reader's to have is asked in the last moment.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file: its name, its media type without parameters, and its bytes."""

    name: str
    media_type: str
    content: bytes


class NotEnclosed(Exception):
    """The files are not this person's to have any more, or are kept no longer; the message says why."""


Opener = Callable[[int, int], Awaitable[list[Enclosure]]]  # (number, id of the person) → files
_openers: dict[str, Opener] = {}


def use_openers(openers: Mapping[str, Opener]) -> None:
    """Which room opens which files."""
    _openers.clear()
    _openers.update(openers)


async def opened(enclosed: Mapping[str, int], user_id: int) -> list[Enclosure]:
    """The files a message names, for this person. Raises `NotEnclosed`, or what the store of files raises."""
    found: list[Enclosure] = []
    for what, number in enclosed.items():
        if what not in _openers:
            raise NotEnclosed("nobody here has these files")
        found += await _openers[what](number, user_id)
    return found
