"""What a message says, apart from how a channel writes it: kept with the delivery, read by each channel in its way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Words:
    """One notice in words. `link` and `decide_link` are whole addresses; `action` names what `link` leads to.

    `decide` is the approval step it asks to decide, with the version of the request that was told, or None. `outcome` is
    what became of that step, once nobody has to decide it any more. `code` is what a code in it is made of, when it is
    sent: the code itself is kept nowhere. `layout` stands in for the company's around this one mail, when one is tried.
    `enclosed` names files that go with a mail.
    `ticket_ids` are requests it names besides the one it is about.
    """

    title: str
    body: str
    link: str = ""
    action: str = ""
    because: str = ""
    number: str = ""
    ticket_id: int | None = None
    facts: tuple[tuple[str, str], ...] = ()
    decide_link: str = ""
    decide: Mapping[str, int] | None = field(default=None)
    outcome: str = ""
    code: Mapping[str, int] | None = field(default=None)
    layout: str = ""
    enclosed: Mapping[str, int] | None = field(default=None)
    ticket_ids: tuple[int, ...] = ()

    def kept(self) -> dict[str, Any]:
        """As it is kept in a row."""
        return {k: v for k, v in asdict(self).items() if v not in ("", None, ())}

    @property
    def subject(self) -> str:
        """The title with the request's number before it, as mails and lists show it."""
        return f"[{self.number}] {self.title}" if self.number else self.title


def words_of(kept: Mapping[str, Any]) -> Words:
    """What `kept` made; unknown names, of a newer version, are left out."""
    known = {k: v for k, v in kept.items() if k in Words.__dataclass_fields__}
    return Words(
        **{"title": "", "body": "", **known, "facts": tuple((str(k), str(v)) for k, v in known.get("facts", ()))}
    )
