"""A ticket's texts as one `tsvector`, written out: which word stands where, and how much it counts there. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from waypost.search.words import Place, chunks, places

TITLE, PEOPLE, DESCRIPTION, TALK = "A", "B", "C", "D"  # how much a place counts, most first
LAST_PLACE = 16_000  # PostgreSQL counts no further than 16,383
MOST_WORDS = 12_000  # different ones of a ticket: what comes later is not found, what is there is found fast
MOST_PLACES = 40  # of one word
GAP = 8  # between two texts, so that no phrase reaches from one into the next
Stems = Mapping[str, tuple[str, ...]]
NO_STEMS: Stems = {}


class Vector:
    """What the index holds of a ticket, as its texts are added: the most important ones first."""

    def __init__(self) -> None:
        self._places: dict[str, list[str]] = {}
        self._place = 0

    def add(self, text: str, weight: str, stems: Stems = NO_STEMS) -> None:
        """A text: each word, and its stem at the same place."""
        found = self._places
        for chunk in chunks(text):
            if len(found) >= MOST_WORDS:
                return
            for place in places(chunk):
                self._place = min(self._place + 1, LAST_PLACE)
                mark = f"{self._place}{weight}"
                for word in place:
                    self._mark(word, mark)
                    for stem in stems.get(word, ()):
                        self._mark(stem, mark)
        self._place = min(self._place + GAP, LAST_PLACE)

    def add_words(self, words: Place, weight: str) -> None:
        """Words that stand at one place as they are."""
        self._place = min(self._place + 1, LAST_PLACE)
        for word in words:
            self._mark(word, f"{self._place}{weight}")

    def _mark(self, word: str, mark: str) -> None:
        marks = self._places.setdefault(word, [])
        if len(marks) < MOST_PLACES and (not marks or marks[-1] != mark):
            marks.append(mark)

    def text(self) -> str:
        """The `tsvector`, as PostgreSQL reads it."""
        return " ".join(f"{quoted(word)}:{','.join(marks)}" for word, marks in self._places.items())


def quoted(word: str) -> str:
    """A word in the quotes both `tsvector` and `tsquery` read, whatever it is made of."""
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"


def words_of(text: str, wanted: Callable[[str], bool] = lambda _: True) -> set[str]:
    """The different words of a text."""
    return {word for chunk in chunks(text) for place in places(chunk) for word in place if wanted(word)}
