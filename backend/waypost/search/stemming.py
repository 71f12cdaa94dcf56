"""The stems of words ("drucker" of "druckern"), as PostgreSQL knows them; each word is asked for once by a process."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.search.words import LANGUAGES

MOST_KEPT = 200_000
SHORTEST, LONGEST = 3, 40

_STEMS = text(
    "SELECT w, l, ts_lexize(CAST(l || '_stem' AS regdictionary), w) AS stems"
    " FROM unnest(CAST(:words AS text[]), CAST(:languages AS text[])) AS asked(w, l)"
)


class Stemmer:
    """Stems by language and word; a word that is its own stem has none, a small word every sentence has has the empty one."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], str | None] = {}

    async def of_language(
        self, session: AsyncSession, words: Mapping[str, Collection[str]]
    ) -> dict[str, dict[str, tuple[str, ...]]]:
        """The stems of each language's words. One statement at most."""
        await self._learn(session, [(code, w) for code, ws in words.items() for w in ws])
        return {code: {w: (stem,) for w in ws if (stem := self._kept.get((code, w)))} for code, ws in words.items()}

    async def of_all(
        self, session: AsyncSession, words: Collection[str]
    ) -> tuple[dict[str, tuple[str, ...]], frozenset[str]]:
        """The stems of words in every language, and those among them that are small words in one of them."""
        await self._learn(session, [(code, w) for code in LANGUAGES for w in words])
        stems: dict[str, tuple[str, ...]] = {}
        small = set()
        for word in words:
            of_word = [self._kept.get((code, word)) for code in LANGUAGES]
            if "" in of_word:
                small.add(word)
            if found := tuple(dict.fromkeys(s for s in of_word if s)):
                stems[word] = found
        return stems, frozenset(small)

    async def _learn(self, session: AsyncSession, wanted: Collection[tuple[str, str]]) -> None:
        if len(self._kept) > MOST_KEPT:
            self._kept.clear()
        missing = []
        for code, word in wanted:
            if code not in LANGUAGES or not word.isalpha() or len(word) > LONGEST:
                continue
            if (code, word) not in self._kept:
                missing.append((code, word))
        if not missing:
            return
        by_name = {name: code for code, name in LANGUAGES.items()}
        rows = await session.execute(
            _STEMS, {"words": [w for _, w in missing], "languages": [LANGUAGES[code] for code, _ in missing]}
        )
        for row in rows:
            stem = row.stems[0] if row.stems else ""
            is_short = len(row.w) < SHORTEST or stem == row.w
            self._kept[by_name[row.l], row.w] = None if stem and is_short else stem


stemmer = Stemmer()
