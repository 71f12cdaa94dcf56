"""What somebody wrote into the box, understood: words, "phrases", beginnings*, -without, OR, field:value. Pure.

Every text means something, so nothing here raises. What cannot be understood is searched as words and told (`notes`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from waypost.search.words import chunks, fold, places

MOST_TEXT = 500
MOST_TERMS = 24
SHORTEST_BEGINNING = 2
# What may stand before a colon, and what it is about.
FIELDS = frozenset(
    {
        "number",
        "title",
        "status",
        "priority",
        "type",
        "requester",
        "assignee",
        "team",
        "department",
        "tag",
        "created",
        "updated",
        "due",
        "is",
        "has",
        "in",
    }
)
ALIASES = {
    "from": "requester",
    "by": "requester",
    "owner": "assignee",
    "assigned": "assignee",
    "tags": "tag",
    "prio": "priority",
    "state": "status",
    "dept": "department",
    "id": "number",
    "ticket": "number",
}
PARTS = {
    "title": "A",
    "people": "B",
    "tags": "B",
    "description": "C",
    "comments": "D",
    "comment": "D",
    "files": "D",
    "file": "D",
}
_TERM = re.compile(
    r'(?P<sign>[-+]?)(?:(?P<field>[^\W\d_][\w.]{0,40}):(?=\S))?(?:"(?P<phrase>[^"]*)(?:"|$)|(?P<word>[^\s"]+))(?P<star>\*?)'
)


@dataclass(frozen=True, slots=True)
class Words:
    """Chunks that stand one behind the other: one word, or a phrase. `begins`: the last of them only begins so."""

    chunks: tuple[str, ...]
    begins: bool = False
    in_parts: str = ""  # the places that count ("A" is the title's); empty: any


@dataclass(frozen=True, slots=True)
class FieldIs:
    """A field and what it is to be, as it was written."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that is asked for, or asked to be absent. `text` is what was written."""

    what: Words | FieldIs
    text: str
    is_without: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was not understood as it may have been meant."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Every group has to hold; of a group one term is enough."""

    groups: tuple[tuple[Term, ...], ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def terms(self) -> tuple[Term, ...]:
        """All terms, in the order in which they were written."""
        return tuple(term for group in self.groups for term in group)

    @property
    def has_words(self) -> bool:
        """Whether there is anything to look for in texts."""
        return any(isinstance(t.what, Words) and not t.is_without for t in self.terms)


def read(text: str) -> Asked:
    """What a text asks for."""
    notes: list[Note] = []
    text = text.replace("\x00", " ")  # stands between words, and is in no value of a field
    if len(text) > MOST_TEXT:
        notes.append(Note("too_long", text[:20]))
        text = text[:MOST_TEXT]
    groups: list[list[Term]] = []
    in_parts, joins, is_without = "", False, False
    for found in _TERM.finditer(text):
        word = found["word"] or ""
        if found["phrase"] is None and not found["field"] and not found["sign"]:
            if word in ("OR", "|", "||"):
                joins = bool(groups)
                continue
            if word in ("AND", "&", "&&"):
                continue
            if word == "NOT":
                is_without = True
                continue
        what = _what(found, notes)
        if isinstance(what, FieldIs) and what.name == "in":
            in_parts += "".join(sorted({PARTS[v] for v in fold(what.value).split(",")} - set(in_parts)))
            continue
        if what is None:
            continue
        if sum(map(len, groups)) >= MOST_TERMS:
            notes.append(Note("too_many", found[0][:40]))
            break
        term = Term(what, found[0].strip(), found["sign"] == "-" or is_without)
        is_without = False
        if joins and _alike(groups[-1][-1], term):
            groups[-1].append(term)
        else:
            if joins:
                notes.append(Note("or_apart", term.text[:40]))
            groups.append([term])
        joins = False
    made = tuple(tuple(_within(term, in_parts) for term in group) for group in groups)
    return Asked(made, tuple(notes))


def _alike(before: Term, term: Term) -> bool:
    """Whether one of both is something an index can answer: two words, or two fields, and neither one without."""
    return type(before.what) is type(term.what) and not before.is_without and not term.is_without


def _within(term: Term, in_parts: str) -> Term:
    if not in_parts or not isinstance(term.what, Words) or term.what.in_parts:
        return term
    return Term(Words(term.what.chunks, term.what.begins, in_parts), term.text, term.is_without)


def _what(found: re.Match[str], notes: list[Note]) -> Words | FieldIs | None:
    said = found["phrase"] if found["phrase"] is not None else found["word"]
    if not found["field"]:
        return _words(said, found)
    name = ALIASES.get(fold(found["field"]), fold(found["field"]))
    if name in FIELDS:
        if name == "title":
            return _words(said, found, "A")
        if name != "in":
            return FieldIs(name, said.strip())
        if all(v in PARTS for v in fold(said).split(",")):
            return FieldIs(name, said)
        notes.append(Note("unknown_part", said[:40]))
    elif not said.startswith("//"):
        notes.append(Note("unknown_field", found["field"][:40]))
    return _words(f"{found['field']}:{said}", found)


def _words(said: str, found: re.Match[str], in_parts: str = "") -> Words | None:
    begins = bool(found["star"]) or (found["phrase"] is None and said.endswith("*"))
    kept = tuple(chunk for chunk in chunks(said) if places(chunk))
    if begins and len(kept) == 1 and len(kept[0].rstrip("*")) < SHORTEST_BEGINNING:
        begins = False
    return Words(kept, begins, in_parts) if kept else None


def without_field(term: Term) -> Term | None:
    """A term of a field as mere words, when its value means nothing; None when there is no word in it."""
    kept = tuple(chunk for chunk in chunks(term.text.lstrip("-+").replace('"', " ")) if places(chunk))
    return Term(Words(kept), term.text, term.is_without) if kept else None
