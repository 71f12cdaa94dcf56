"""Whom a text mentions, and how a comment reads where there is no Markdown. Pure.

A mention is `@username`. In code, in a quotation (`> …`) and behind a backslash it is just text: quoting somebody's
words calls nobody a second time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

MOST = 20  # people one comment calls
# What may stand in a username (directory), not within a word, a path, an address or another mention.
_MENTION = re.compile(r"(?<![\w@./\\:+-])@([A-Za-z0-9][A-Za-z0-9._-]{0,62})(?![\w@])", re.ASCII)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_TICKS = re.compile(r"`+")
_PICTURE = re.compile(r"!\[([^\[\]\n]{0,300})\]\(attachment:\d{1,19}\)")


def mentioned(body: str) -> list[tuple[str, ...]]:
    """The mentions of a text, each once and in order, as lower-case usernames it may mean, likeliest first.

    "@jane.doe." is "jane.doe." when there is such a person, else "jane.doe" at the end of a sentence.
    """
    found: dict[str, tuple[str, ...]] = {}
    for line in _spoken(body):
        for match in _MENTION.finditer(line):
            found.setdefault(match[1].lower(), _readings(match[1]))
    return list(found.values())


def _readings(written: str) -> tuple[str, ...]:
    name = written.lower()
    bare = name.rstrip("._-")
    return (name,) if bare == name else (name, bare)


def _spoken(body: str) -> Iterator[str]:
    """The lines somebody says: without quotations, blocks of code and code within a line."""
    fence = ""
    for line in body.splitlines():
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1][0] == fence[0] and len(mark[1]) >= len(fence) and not line[mark.end() :].strip():
                fence = ""
        elif mark:
            fence = mark[1]
        elif not line.lstrip(" ").startswith(">"):
            yield _without_code(line)


def _without_code(line: str) -> str:
    """A line with its code spans blanked: from a run of backticks to the next one as long."""
    runs = [(m.start(), m.end()) for m in _TICKS.finditer(line)]
    closing: dict[int, list[int]] = {}
    for n in range(len(runs) - 1, -1, -1):
        closing.setdefault(runs[n][1] - runs[n][0], []).append(n)  # the nearest is last
    parts, at, n = [], 0, 0
    while n < len(runs):
        same = closing[runs[n][1] - runs[n][0]]
        while same and same[-1] <= n:
            same.pop()
        if same:
            end = same[-1]
            parts += [line[at : runs[n][0]], "` `"]
            at, n = runs[end][1], end
        n += 1
    return "".join(parts) + line[at:]


def plain_words(body: str, people: Mapping[str, str]) -> str:
    """A comment for a mail: mentions by name (`people`: by lower-case username), pictures by theirs."""

    def named(match: re.Match[str]) -> str:
        for reading in _readings(match[1]):
            if reading in people:
                return f"@{people[reading]}{match[1][len(reading) :]}"
        return match[0]

    return _MENTION.sub(named, _PICTURE.sub(lambda m: f"[picture: {m[1].strip() or 'without a name'}]", body))
