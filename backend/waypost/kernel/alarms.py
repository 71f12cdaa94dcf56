"""Alarms: what a room wants administrators to be told about the installation, without knowing who tells them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from waypost.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class AlarmRaised(Event):
    """Something of the installation waits for those with the permission `needs`.

    `kind` names the notice's words, `topic` what it is about (several of one are one notice), `link` where it is looked
    after, `values` what the words can name.
    """

    type: ClassVar[str] = "system.alarm"
    object_type: ClassVar[str] = "system"
    kind: str
    topic: str
    link: str
    needs: str
    values: dict[str, str]

    @property
    def object_id(self) -> int:
        return 0
