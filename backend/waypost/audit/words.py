"""Words somebody typed to search, and whether they may be about a person: what of searches is erased with them. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable

SHORTEST = 3  # letters; the trail is not searched by fewer
_PART = re.compile(r"[^\W_]+")


def parts_of(words: str) -> set[str]:
    """The parts of words that are long enough to point at somebody, whatever their capitals and accents."""
    plain = unicodedata.normalize("NFKD", words.casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return {part for part in _PART.findall(plain) if len(part) >= SHORTEST}


def names_of(values: Iterable[str]) -> frozenset[str]:
    """The parts of a person's names, addresses and numbers, by which they may have been looked for."""
    return frozenset(part for value in values for part in parts_of(value))


def may_be_about(words: str, names: Collection[str]) -> bool:
    """Whether words that were searched may have meant the person: a part of either begins with one of the other's.

    Rather once too often: what was searched for is then known to nobody, and that it was searched for still is.
    """
    return any(part.startswith(name) or name.startswith(part) for part in parts_of(words) for name in names)
