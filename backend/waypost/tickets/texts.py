"""Words of a ticket for the list's text filter, cut the same way when written and when looked for. Pure."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"\w+")
MOST_WORDS = 12
MOST_TEXT = 50_000  # a tsvector holds at most 1 MB; a longer description is found by its beginning


def plain(text: str) -> str:
    """Lower-case words without accents, parted by blanks: "Müller-Straße 5" becomes "muller strasse 5"."""
    parts = unicodedata.normalize("NFKD", text[:MOST_TEXT].casefold())
    bare = "".join(c for c in parts if not unicodedata.combining(c))
    return " ".join(_WORD.findall(bare.replace("_", " ")))


def query_of(q: str) -> str:
    """A `to_tsquery` text that finds every word as a beginning; empty when there is no word in it."""
    words = plain(q[:500]).split()[:MOST_WORDS]
    return " & ".join(f"'{w}':*" for w in words)
