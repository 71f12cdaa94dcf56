"""What a text message says: little, in as few parts as can be, and nothing that decides by a touch. Pure.

A reader of somebody's locked screen may see it: no link that decides, nobody's words at length. How to answer stands
near its end, and the way into the app is the same for everybody who opens it.
"""

from __future__ import annotations

from collections.abc import Sequence

from waypost.notifications.segments import cut_to, plainer
from waypost.notifications.words import Words

MOST = 2  # parts of a message
MOST_TO_DECIDE = 3
_SHOWN = ("From", "Amount", "Due")


def text_of(words: Words, *, is_urgent: bool, reply_code: str = "") -> str:
    """One notice. With a code it says how to answer."""
    if words.outcome:
        return _fitted(f"{words.number} {words.title}", "", f" - {words.outcome}", MOST)
    facts = [value for name, value in words.facts if name in _SHOWN]
    said = words.title if not facts else f"{words.title} ({', '.join(facts)})"
    if not words.decide and not words.number:
        said = words.body or words.title
    head = "URGENT " if is_urgent else ""
    head += f"{words.number}: " if words.number else "Waypost: "
    tail = f"\nReply APPROVE {reply_code} or REJECT {reply_code} and why." if reply_code else ""
    tail += f"\n{words.link}" if words.link else ""
    return _fitted(said, head, tail, MOST_TO_DECIDE if words.decide else MOST)


def summary_of(subject: str, notices: Sequence[Words], link: str) -> str:
    """Several notices: how many, and which requests they are about."""
    numbers = list(dict.fromkeys(n.number for n in notices if n.number))
    return _fitted(", ".join(numbers), f"{subject}: " if numbers else subject, f"\n{link}", MOST)


def proof_of(code: str, host: str) -> str:
    """The message that proves a phone to be somebody's; its last line is read by phones that fill it in."""
    return f"{code} is your code for Waypost. Enter it within 10 minutes. Nobody of us ever asks you for it.\n@{host} #{code}"


def _fitted(said: str, head: str, tail: str, most: int) -> str:
    return cut_to(plainer(" ".join(said.split())), most, plainer(head), plainer(tail))
