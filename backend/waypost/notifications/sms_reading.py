"""What somebody means who answers a text message. Pure.

`APPROVE C4D7F`, `reject c4d7f too expensive`, `C4D7F yes`; and the words that carriers everywhere know: STOP, START, HELP.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from waypost.notifications.codes import is_code


class Wish(StrEnum):
    """What they want."""

    APPROVE = "APPROVE"
    REJECT = "REJECT"
    STOP = "STOP"
    START = "START"
    HELP = "HELP"
    UNCLEAR = "UNCLEAR"


@dataclass(frozen=True, slots=True)
class Answer:
    """A wish, the code it goes with, and what they say besides."""

    wish: Wish
    code: str = ""
    words: str = ""


MOST_WORDS = 1000
_VERBS = {
    **dict.fromkeys(("APPROVE", "APPROVED", "YES", "ACCEPT", "OK"), Wish.APPROVE),
    **dict.fromkeys(("REJECT", "REJECTED", "NO", "DENY", "DECLINE"), Wish.REJECT),
}
_ALONE = {
    **dict.fromkeys(("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"), Wish.STOP),
    **dict.fromkeys(("START", "UNSTOP"), Wish.START),
    **dict.fromkeys(("HELP", "INFO"), Wish.HELP),
}
_BETWEEN = r"[\s:;,.!?\-–—\"'“”‘’„«»<>()\[\]*]"
_WRITTEN = re.compile(rf"{_BETWEEN}*(\w+)(?:{_BETWEEN}+(\w+)(?:{_BETWEEN}+(.*))?)?{_BETWEEN}*", re.DOTALL)


def read(text: str) -> Answer:
    """What a text says. A verb, a code, then a reason; or the code before the verb."""
    plain = "".join(c for c in unicodedata.normalize("NFKC", text) if c.isspace() or unicodedata.category(c)[0] != "C")
    found = _WRITTEN.fullmatch(plain)
    if found is None:
        return Answer(Wish.UNCLEAR)
    first, second = found[1].upper(), (found[2] or "").upper()
    if not second:
        return Answer(_ALONE.get(first, Wish.UNCLEAR))
    for verb, code in ((first, second), (second, first)):
        if verb in _VERBS and is_code(code):
            return Answer(_VERBS[verb], code, " ".join((found[3] or "").split())[:MOST_WORDS])
    return Answer(Wish.UNCLEAR)
