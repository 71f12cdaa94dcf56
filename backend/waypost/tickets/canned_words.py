"""The blanks of canned replies: `{{ requester.first_name }}` and the like, filled in once, nothing evaluated. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

# name -> what stands there, for people who write canned replies
VARIABLES: dict[str, str] = {
    "requester.name": "Jane Miller",
    "requester.first_name": "Jane",
    "assignee.name": "Alex Rivera",
    "assignee.first_name": "Alex",
    "me.name": "Alex Rivera",
    "me.first_name": "Alex",
    "team.name": "IT Support",
    "ticket.number": "ITH-2026-000123",
    "ticket.title": "New laptop",
    "ticket.type": "IT hardware",
    "ticket.status": "in progress",
}
MOST_FAULTS = 10
_BLANK = re.compile(r"\{\{([^{}\n]{0,200})\}\}")
_SIGNS = re.compile(r"([\\`*_\[\]<>@])")


def faults(body: str) -> list[str]:
    """What is wrong with a canned reply's blanks, as sentences; empty when nothing is."""
    found: list[str] = []
    for match in _BLANK.finditer(body):
        name = match[1].strip()
        if name not in VARIABLES:
            found.append(f"“{{{{ {name} }}}}” is no variable" if name else "“{{ }}” names no variable")
    rest = _BLANK.sub("", body)
    if "{{" in rest or "}}" in rest:
        found.append("a variable is written {{ name }}: one pair of braces here is not closed")
    return list(dict.fromkeys(found))[:MOST_FAULTS]


def fill(body: str, values: Mapping[str, str]) -> str:
    """The text with its blanks filled, each value as words and nothing more; a blank nobody knows stays as it is."""

    def value(match: re.Match[str]) -> str:
        name = match[1].strip()
        return as_words(values[name]) if name in values else match[0]

    return _BLANK.sub(value, body)


def as_words(value: str) -> str:
    """A value that stays what it is in Markdown: one line, no picture, link or mention of its own."""
    return _SIGNS.sub(r"\\\1", " ".join(value.split()))
