"""Notices: what a room wants one person to be told, without knowing who tells them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from waypost.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class NoticeAsked(Event):
    """Somebody is told something, in the ways they chose.

    `kind` names the notice's words, `topic` what it is about (mails of one stand together), `link` where it leads in the
    app and `action` what that is called, `values` what the words can name. `facts` are shown as a list. `enclosed` names
    files that go with a mail (`kernel/enclosures.py`).
    """

    type: ClassVar[str] = "notice.asked"
    object_type: ClassVar[str] = "user"
    user_id: int
    kind: str
    topic: str
    link: str
    action: str
    values: dict[str, Any]
    facts: list[list[str]] = field(default_factory=list)  # label and words, in their order
    enclosed: dict[str, int] = field(default_factory=dict)

    @property
    def object_id(self) -> int:
        return self.user_id
