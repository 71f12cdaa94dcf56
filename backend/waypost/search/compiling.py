"""What is asked for in words as a `tsquery`, written out. Pure.

A word is looked for as it stands and by its stem in each language: who looks writes in one, the ticket may be in another.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from waypost.search.asking import Asked, Term, Words
from waypost.search.vectors import Stems, quoted
from waypost.search.words import fold as folded_of
from waypost.search.words import is_run, number_of, own_number, places, whole_of

SHORTEST_STEM = 3
SHORTEST_OPEN = 3  # letters a word needs to stand for all that begin with it


class Width(StrEnum):
    """How a word is taken: as it stands and by its stem, or also as a beginning."""

    EXACT = "exact"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Sought:
    """The words of a search: all of them as a query, and the ones that are shown in what it finds.

    `has_number` says that a ticket's number is among what all must have: few tickets hold one.
    """

    query: str
    shown: tuple[str, ...]
    beginnings: tuple[str, ...]
    stems: tuple[str, ...]
    has_number: bool = False


def plain_words(asked: Asked) -> list[str]:
    """The single words that are asked for, folded: those a stem may be known of."""
    found: list[str] = []
    for term in asked.terms:
        if isinstance(term.what, Words):
            for chunk in term.what.chunks:
                found += [word for place in places(chunk) for word in place if word not in found]
    return found


def sought(asked: Asked, stems: Stems, small: Collection[str] = (), width: Width = Width.EXACT) -> Sought:
    """The query. `small` are words every text has: they are asked for only where nothing else is."""
    wanted = [t for t in asked.terms if isinstance(t.what, Words) and not t.is_without]
    mattering = [t for t in wanted if not _is_small(t, small)]
    groups = []
    for group in asked.groups:
        terms = [t for t in group if isinstance(t.what, Words) and (t in mattering or t.is_without or not mattering)]
        texts = [_term(t, stems, width) for t in terms]
        if texts:
            groups.append(texts[0] if len(texts) == 1 else f"({' | '.join(texts)})")
    has_number = any(len(group) == 1 and _is_number(group[0]) for group in asked.groups)
    return Sought(" & ".join(groups) if wanted else "", *_shown(mattering or wanted, stems, width), has_number)


def _is_number(term: Term) -> bool:
    if not isinstance(term.what, Words) or term.is_without or term.what.begins or len(term.what.chunks) > 1:
        return False
    return bool(number_of(whole_of(folded_of(term.what.chunks[0]))))


def _is_small(term: Term, small: Collection[str]) -> bool:
    return isinstance(term.what, Words) and len(term.what.chunks) == 1 and folded_of(term.what.chunks[0]) in small


def _term(term: Term, stems: Stems, width: Width) -> str:
    assert isinstance(term.what, Words)
    text = _words(term.what, stems, Width.EXACT if term.is_without else width)
    return f"!{text}" if term.is_without else text


def _words(words: Words, stems: Stems, width: Width) -> str:
    if len(words.chunks) > 1:
        steps = [place for chunk in words.chunks for place in places(chunk)]
        lexemes = [_lexeme(p[0], words.in_parts, begins=words.begins and p is steps[-1]) for p in steps]
        return f"({' <-> '.join(lexemes)})"
    chunk = words.chunks[0]
    found = places(chunk)
    whole = whole_of(folded_of(chunk))
    options: list[str] = []
    if len(found) > 1 or is_run(folded_of(chunk)):
        run_begins = is_run(found[-1][0]) and len(found[-1][0]) == 1
        parts = [p[0] for p in (found[:-1] if run_begins and len(found) > 1 else found)]
        begins = words.begins or (run_begins and len(found) == 1)
        lexemes = [_lexeme(w, words.in_parts, begins=begins and n == len(parts) - 1) for n, w in enumerate(parts)]
        options.append(lexemes[0] if len(lexemes) == 1 else f"({' <-> '.join(lexemes)})")
        if whole:
            options.append(_lexeme(whole, words.in_parts, begins=words.begins))
    else:
        word = found[0][0]
        signed = whole if whole and whole != word else ""
        begins = words.begins or (width is Width.OPEN and len(word) >= SHORTEST_OPEN and not signed)
        options.append(_lexeme(signed or word, words.in_parts, begins=begins))
        if not words.begins and not signed:
            options += [_lexeme(s, words.in_parts) for s in stems.get(word, ()) if s != word]
    if number := own_number(chunk):
        options.append(_lexeme(number, words.in_parts))
    return options[0] if len(options) == 1 else f"({' | '.join(dict.fromkeys(options))})"


def _lexeme(word: str, in_parts: str, *, begins: bool = False) -> str:
    labels = ("*" if begins else "") + in_parts
    return quoted(word) + (f":{labels}" if labels else "")


def _shown(terms: list[Term], stems: Stems, width: Width) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The words to mark, those that may go on, and the stems."""
    shown: list[str] = []
    beginnings: list[str] = []
    of_words: list[str] = []
    for term in terms:
        assert isinstance(term.what, Words)
        for n, chunk in enumerate(term.what.chunks):
            for place in places(chunk):
                shown.append(place[0])
                of_words += [s for s in stems.get(place[0], ()) if len(s) >= SHORTEST_STEM]
            is_last = n == len(term.what.chunks) - 1
            if places(chunk) and ((term.what.begins and is_last) or width is Width.OPEN):
                beginnings.append(places(chunk)[-1][0])
    return tuple(dict.fromkeys(shown)), tuple(dict.fromkeys(beginnings)), tuple(dict.fromkeys(of_words))
