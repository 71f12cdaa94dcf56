"""What the index holds of tickets: read as they are now, written as one row for each audience.

Everything here begins with the ids of tickets and ends with what stands in their tables at that moment, so it can be done
again at any time and never needs to know what changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.search import file_texts
from waypost.search.stemming import stemmer
from waypost.search.vectors import DESCRIPTION, PEOPLE, TALK, TITLE, Stems, Vector
from waypost.search.words import chunks, language_of, places, words_of_number

MOST_TALK = 200  # comments of a ticket that are looked at, the newest
MOST_DESCRIPTION = 50_000
MOST_SAID = 20_000
MOST_OF_FILE = 200_000
# What a mark says; the rest of it is whose.
BLOCK, REQUESTER, ASSIGNEE, TEAM, DEPARTMENT, HAS = range(1, 7)
HAS_FILES = HAS << 48 | 1
A_BLOCK = 128  # tickets made side by side
LANGUAGE_WORDS = 400

_TICKETS = text("""
    SELECT t.id, t.ticket_number, t.title, left(t.description, :most) AS description, t.ticket_type, t.tags,
        t.requester_id, t.created_by_id, t.assignee_id, t.team_id, t.department_id, y.name AS type_name,
        concat_ws(' ', r.first_name, r.last_name, r.username, r.email) AS requester,
        concat_ws(' ', a.first_name, a.last_name, a.username, a.email) AS assignee,
        d.name AS team, t.internal_comment_count
    FROM tickets t JOIN ticket_types y ON y.id = t.ticket_type_id JOIN users r ON r.id = t.requester_id
    LEFT JOIN users a ON a.id = t.assignee_id LEFT JOIN teams d ON d.id = t.team_id
    WHERE t.id = ANY(:ids)
""")
_TALK = text("""
    SELECT t.id AS ticket_id, c.visibility, c.body FROM unnest(CAST(:ids AS bigint[])) AS t(id), LATERAL (
        SELECT id, visibility, left(body, :most) AS body FROM ticket_comments
        WHERE ticket_id = t.id AND removed_at IS NULL ORDER BY id DESC LIMIT :comments
    ) AS c ORDER BY t.id, c.id DESC
""")
_FILES = text("""
    SELECT f.id, f.ticket_id, f.visibility, f.filename, f.object_name, f.key_id, f.wrapped_key, x.sealed,
        left(x.text, :most) AS body
    FROM attachments f LEFT JOIN attachment_texts x ON x.attachment_id = f.id AND x.state = 'READ'
    WHERE f.ticket_id = ANY(:ids) AND f.scan <> 'INFECTED' ORDER BY f.ticket_id, f.id DESC
""")
_READ_FILES = text(
    "INSERT INTO attachment_texts (attachment_id, state) SELECT id, 'WAITING' FROM attachments"
    " WHERE ticket_id = ANY(:ids) AND scan IN ('NONE', 'CLEAN') ON CONFLICT DO NOTHING"
)
_KEEP = text("""
    INSERT INTO search_documents AS d (ticket_id, is_inner, is_fullest, language, words, marks)
    SELECT k.ticket_id, k.is_inner, k.is_fullest, k.language, CAST(k.words AS tsvector), CAST(k.marks AS bigint[])
    FROM unnest(CAST(:ids AS bigint[]), CAST(:inner AS boolean[]), CAST(:fullest AS boolean[]),
        CAST(:languages AS text[]), CAST(:words AS text[]), CAST(:marks AS text[]))
        AS k(ticket_id, is_inner, is_fullest, language, words, marks)
    JOIN tickets t ON t.id = k.ticket_id
    ON CONFLICT (ticket_id, is_inner) DO UPDATE SET is_fullest = excluded.is_fullest,
        language = excluded.language, words = excluded.words, marks = excluded.marks
    WHERE d.is_fullest <> excluded.is_fullest OR d.words <> excluded.words OR d.marks <> excluded.marks
""")
_FORGET_INNER = text("DELETE FROM search_documents WHERE ticket_id = ANY(:ids) AND is_inner")


@dataclass(slots=True)
class _Said:
    """What was said on a ticket, newest first: to all, and within the team."""

    comments: list[tuple[bool, str]] = field(default_factory=list)
    files: list[tuple[bool, str, str]] = field(default_factory=list)

    @property
    def has_inner(self) -> bool:
        return any(is_inner for is_inner, _ in self.comments) or any(f[0] for f in self.files)


@dataclass(frozen=True, slots=True)
class Document:
    """A row to be kept."""

    ticket_id: int
    is_inner: bool
    is_fullest: bool
    language: str
    words: str
    marks: tuple[int, ...]


async def index_tickets(session: AsyncSession, ids: Collection[int]) -> int:
    """Bring these tickets' rows up to date; returns how many rows there are of them. About six statements."""
    if not ids:
        return 0
    await session.execute(_READ_FILES, {"ids": sorted(ids)})
    documents = await documents_of(session, ids)
    if without := sorted({d.ticket_id for d in documents if not d.is_inner and d.is_fullest}):
        await session.execute(_FORGET_INNER, {"ids": without})
    if documents:
        await keep(session, documents)
    return len(documents)


async def keep(session: AsyncSession, documents: Collection[Document]) -> None:
    """Write rows, those that differ from what is there."""
    columns = {
        "ids": [d.ticket_id for d in documents],
        "inner": [d.is_inner for d in documents],
        "fullest": [d.is_fullest for d in documents],
        "languages": [d.language for d in documents],
        "words": [d.words for d in documents],
        "marks": ["{" + ",".join(map(str, d.marks)) + "}" for d in documents],
    }
    await session.execute(_KEEP, columns)


async def documents_of(session: AsyncSession, ids: Collection[int]) -> list[Document]:
    """The rows these tickets should have; those that are not there any more have none."""
    wanted = {"ids": sorted(ids)}
    rows = (await session.execute(_TICKETS, {**wanted, "most": MOST_DESCRIPTION})).all()
    said = {row.id: _Said() for row in rows}
    for r in await session.execute(_TALK, {**wanted, "most": MOST_SAID, "comments": MOST_TALK}):
        if r.ticket_id in said:
            said[r.ticket_id].comments.append((r.visibility == "INTERNAL", r.body))
    for r in await session.execute(_FILES, {**wanted, "most": MOST_OF_FILE}):
        if r.ticket_id in said:
            body = file_texts.read(r, r.sealed, r.body)[:MOST_OF_FILE]
            said[r.ticket_id].files.append((r.visibility == "INTERNAL", r.filename, body))
    stems = await _stems(session, rows, said)
    return [document for row in rows for document in _documents(row, said[row.id], stems)]


async def _stems(session: AsyncSession, rows: Iterable[Any], said: dict[int, _Said]) -> dict[int, tuple[str, Stems]]:
    """Each ticket's language, and the stems of its words in it; one statement for all words that are new here."""
    words: dict[int, tuple[str, set[str]]] = {}
    for row in rows:
        of_ticket = said[row.id]
        texts = [row.title, row.description, *(b for _, b in of_ticket.comments), *(b for *_, b in of_ticket.files)]
        found = [word for t in texts for chunk in chunks(t) for place in places(chunk) for word in place[:1]]
        words[row.id] = (language_of(found[:LANGUAGE_WORDS]), set(found))
    by_language: dict[str, set[str]] = {}
    for language, found_words in words.values():
        by_language.setdefault(language, set()).update(found_words)
    known = await stemmer.of_language(session, by_language)
    return {i: (language, known.get(language, {})) for i, (language, _) in words.items()}


def _documents(row: Any, said: _Said, stems: dict[int, tuple[str, Stems]]) -> list[Document]:
    language, known = stems[row.id]
    public = Document(
        row.id, False, not said.has_inner, language, _vector(row, said, known, inner=False), _marks(row, said, False)
    )
    if not said.has_inner:
        return [public]
    words = _vector(row, said, known, inner=True)
    return [public, Document(row.id, True, True, language, words, _marks(row, said, True))]


def _vector(row: Any, said: _Said, stems: Stems, *, inner: bool) -> str:
    vector = Vector()
    vector.add_words(words_of_number(row.ticket_number), TITLE)
    vector.add(row.ticket_number, TITLE)
    vector.add(row.title, TITLE, stems)
    for named in (row.requester, row.assignee, row.team, row.type_name, row.ticket_type):
        vector.add(named or "", PEOPLE)
    for tag in row.tags:
        vector.add(tag, PEOPLE, stems)
    vector.add(row.description, DESCRIPTION, stems)
    for is_inner, body in said.comments:
        if inner or not is_inner:
            vector.add(body, TALK, stems)
    for is_inner, filename, _ in said.files:
        if inner or not is_inner:
            vector.add(filename, TALK, stems)
    for is_inner, _, body in said.files:
        if inner or not is_inner:
            vector.add(body, TALK, stems)
    return vector.text()


def mark(kind: int, whose: int) -> int:
    """A mark of the index."""
    return kind << 48 | whose


def block_of(ticket_id: int) -> int:
    """The mark of the tickets made side by side with this one."""
    return mark(BLOCK, ticket_id // A_BLOCK)


def _marks(row: Any, said: _Said, inner: bool) -> tuple[int, ...]:
    found = {block_of(row.id), mark(REQUESTER, row.requester_id), mark(REQUESTER, row.created_by_id)}
    for kind, whose in ((ASSIGNEE, row.assignee_id), (TEAM, row.team_id), (DEPARTMENT, row.department_id)):
        if whose is not None:
            found.add(mark(kind, whose))
    if any(inner or not is_inner for is_inner, *_ in said.files):
        found.add(HAS_FILES)
    return tuple(sorted(found))
