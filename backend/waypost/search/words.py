"""Text as the index holds it and as people look for it: cut and folded in one way, here. Pure.

A *chunk* is what stands between blanks. It gives one or more places, each with the words that stand there: its parts, the
chunk as a whole where signs hold it together ("c++", "user_name_x", an address), a ticket's number in one spelling. Chinese,
Japanese and Korean have no blanks: there each two letters that follow one another are a word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

MOST_LETTERS = 64  # of a word; what is longer is kept and looked for by its beginning
CJK = "\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_CHUNK = re.compile(r"[^\s\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+")
_PART = re.compile(rf"[{CJK}]+|(?:(?![{CJK}])[^\W_])+")
_RUN = re.compile(rf"[{CJK}]+")
_NUMBER = re.compile(r"([a-z]{1,10})-?(\d{4})-0*(\d{1,12})", re.ASCII)
_BARE_NUMBER = re.compile(r"#?0*(\d{1,12})", re.ASCII)
_DIGITS = re.compile(r"0*(\d{1,12})", re.ASCII)
# letters that are drawn as others with a stroke, and fall into none of Unicode's decompositions
_STROKES = str.maketrans({"ø": "o", "đ": "d", "ł": "l", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "ħ": "h", "ı": "i"})
Place = tuple[str, ...]


def fold(text: str) -> str:
    """Lower case, without accents: "Müller" and "MULLER" are one word, "Straße" and "strasse" too."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold()).translate(_STROKES)
    bare = "".join(c for c in apart if not "\u0300" <= c <= "\u036f")
    return unicodedata.normalize("NFC", bare)


def chunks(text: str) -> Iterator[str]:
    """What stands between blanks, without characters nobody sees."""
    return (found[0] for found in _CHUNK.finditer(text))


@lru_cache(maxsize=100_000)
def places(chunk: str) -> tuple[Place, ...]:
    """The places a chunk takes, and the words at each; none for signs alone."""
    folded = fold(chunk)
    found: list[Place] = []
    for part in _PART.findall(folded):
        found += pairs(part) if _RUN.match(part) else [(part[:MOST_LETTERS],)]
    whole = whole_of(folded)
    if found and whole and whole not in found[0]:
        found[0] = (*found[0], whole)
    return tuple(found)


def whole_of(folded: str) -> str:
    """A chunk as one word, with the signs inside it and behind it that are part of a name; empty when it is too long."""
    bare = folded.strip("".join(c for c in set(folded) if not c.isalnum() and c not in "+#"))
    bare = bare.lstrip("+#")
    if not any(c.isalnum() for c in bare) or len(bare) > MOST_LETTERS or _RUN.search(bare):
        return ""
    if bare.endswith("#") and len(bare.rstrip("#")) > 1:
        bare = bare.rstrip("#")
    return number_of(bare) or bare


def pairs(run: str) -> list[Place]:
    """Each two letters of a run that follow one another; the last one alone, so that it can be found by itself."""
    return [(run[n : n + 2],) for n in range(len(run))]


def number_of(folded: str) -> str:
    """A ticket's number in the one spelling the index knows ("ith-2026-123"); empty for what is none."""
    found = _NUMBER.fullmatch(folded)
    return f"{found[1]}-{found[2]}-{found[3]}" if found else ""


def words_of_number(ticket_number: str) -> Place:
    """The words by which a ticket is found by its own number: whole, without its prefix, and by what it counts."""
    whole = number_of(fold(ticket_number))
    if not whole:
        return (fold(ticket_number)[:MOST_LETTERS],)
    _, year, count = whole.split("-")
    return (whole, f"{year}-{count}", f"#{count}")


def own_number(chunk: str) -> str:
    """What a chunk of digits means as the number of a ticket; empty when it is none."""
    folded = fold(chunk)
    if found := _BARE_NUMBER.fullmatch(folded):
        return f"#{found[1]}"
    year, _, count = folded.partition("-")
    if len(year) == 4 and year.isdecimal() and (found := _DIGITS.fullmatch(count)):
        return f"{year}-{found[1]}"
    return ""


def is_run(text: str) -> bool:
    """Whether a text holds letters of a script without blanks."""
    return _RUN.search(text) is not None


def parts_with_place(text: str) -> Iterator[tuple[int, int, str]]:
    """Every part of a text as it stands there: from where, to where, and folded."""
    if text.isascii():
        yield from ((found.start(), found.end(), found[0]) for found in _PART.finditer(text.lower()))
        return
    for found in _PART.finditer(text):
        yield found.start(), found.end(), fold(found[0])


# --- which language ---------------------------------------------------------------------------------------------------

LANGUAGES = {"en": "english", "de": "german", "fr": "french", "es": "spanish"}
_COMMON = {
    "en": "the and for with from this that is are was not have has please can you my we it of to in on be does when cannot",
    "de": "der die das und ist nicht ein eine mit fur auf bitte ich wir sie den dem von zu im wird kann nach bei ihr mein",
    "fr": "le la les des et est pas une un pour avec dans sur je nous vous ne que du au plus merci mon ma ce cette",
    "es": "el la los las y es no una un para con en por favor que de del al mi se su yo nosotros esta este como",
}
_SPEAKS: dict[str, tuple[str, ...]] = {}
for _language, _text in _COMMON.items():
    for _word in _text.split():
        _SPEAKS[_word] = (*_SPEAKS.get(_word, ()), _language)


def language_of(folded_words: Iterable[str]) -> str:
    """The language these words speak, by the small words every sentence has; "simple" when they don't tell."""
    counts = dict.fromkeys(_COMMON, 0)
    for word in folded_words:
        for language in _SPEAKS.get(word, ()):
            counts[language] += 1
    best = max(counts, key=lambda language: counts[language])
    return best if counts[best] > 0 else "simple"
