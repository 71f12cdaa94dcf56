"""Where in a text the words stand that were looked for, shown safely: escaped first, then marked. Pure."""

from __future__ import annotations

from html import escape

from waypost.search.compiling import Sought
from waypost.search.words import MOST_LETTERS, is_run, pairs, parts_with_place

BEFORE, LENGTH = 60, 220
MOST_ENDING = 4  # letters a word may have behind its stem
MOST_TEXT = 200_000
_ELLIPSIS = "…"


def spans(text: str, sought: Sought) -> list[tuple[int, int]]:
    """Where the words stand, from and to, in order."""
    shown, found = frozenset(sought.shown), []
    text = text[:MOST_TEXT]
    if text.isascii() and not _may_hold(text.lower(), sought):
        return []
    for start, end, part in parts_with_place(text):
        if is_run(part):
            found += _in_run(start, part, shown) if end - start == len(part) else []
        elif _is_meant(part[:MOST_LETTERS], shown, sought):
            found.append((start, end))
    return found


def _may_hold(folded: str, sought: Sought) -> bool:
    """Whether any of the words' letters are there at all: most texts of a ticket are told apart by that alone."""
    return any(word in folded for words in (sought.shown, sought.beginnings, sought.stems) for word in words)


def _is_meant(word: str, shown: frozenset[str], sought: Sought) -> bool:
    if word in shown or any(word.startswith(begin) for begin in sought.beginnings):
        return True
    return any(word.startswith(stem) and len(word) - len(stem) <= MOST_ENDING for stem in sought.stems)


def _in_run(start: int, run: str, shown: frozenset[str]) -> list[tuple[int, int]]:
    """The letters of a run that belong to a pair that was looked for, neighbours together."""
    found: list[tuple[int, int]] = []
    for n, (pair,) in enumerate(pairs(run)):
        if pair in shown and (len(pair) > 1 or len(run) == 1 or not found):
            begin, end = start + n, start + n + len(pair)
            if found and begin <= found[-1][1]:
                found[-1] = (found[-1][0], max(end, found[-1][1]))
            else:
                found.append((begin, end))
    return found


def marked(text: str, at: list[tuple[int, int]]) -> str:
    """A whole text as HTML in which nothing is markup but `<mark>` around the words."""
    said, last = [], 0
    for start, end in at:
        said += [escape(text[last:start]), "<mark>", escape(text[start:end]), "</mark>"]
        last = end
    return "".join([*said, escape(text[last:])])


def snippet(text: str, at: list[tuple[int, int]]) -> str:
    """The piece of a text around where most of the words stand close together, as HTML like `marked`."""
    if not at:
        piece = " ".join(text[:LENGTH].split())
        return escape(piece) + (_ELLIPSIS if len(text) > LENGTH else "")
    best = max(at, key=lambda one: (sum(one[0] <= s < one[0] + LENGTH - BEFORE for s, _ in at), -one[0]))
    start = max(0, best[0] - BEFORE)
    if start:
        start = min(best[0], text.rfind(" ", 0, start + 15) + 1 or start)
        start = max(start, best[0] - BEFORE - 30)
    end = min(len(text), max(start + LENGTH, best[1]))
    here = [(s - start, min(e, end) - start) for s, e in at if s >= start and s < end]
    piece = marked(text[start:end], here)
    piece = " ".join(piece.split())
    return ("" if start == 0 else _ELLIPSIS) + piece + ("" if end == len(text) else _ELLIPSIS)
