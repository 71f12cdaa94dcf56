"""The box's language, and what becomes of it: pure but for whose days are meant, and of any text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.kernel.clock import clock
from waypost.kernel.conditions.tree import Condition, Leaf
from waypost.search.asking import MOST_TERMS, Asked, FieldIs, Term, Words, read, without_field
from waypost.search.compiling import Sought, Width, plain_words, sought
from waypost.search.correcting import slips
from waypost.search.highlighting import snippet, spans
from waypost.search.understanding import understand
from waypost.search.vectors import LAST_PLACE, MOST_PLACES, MOST_WORDS, Vector, quoted, words_of
from waypost.search.words import fold, language_of, number_of, own_number, places, words_of_number

PIECES = st.sampled_from(
    [
        '"',
        "'",
        "-",
        "+",
        "OR",
        "AND",
        "NOT",
        "|",
        "*",
        ":",
        "in:comments",
        "in:x",
        "title:a",
        "status:open",
        "x:y",
        "\\",
        "(",
        "c++",
        "東京",
        "京",
        "ITH-2026-0012",
        "#12",
        "2026-12",
        "user_name_x",
        "a",
        "laptop",
        " ",
        "\0",
        "\ud800",
        "-is:open",
        "id:",
        "http://x.y",
    ]
)
TEXTS = st.one_of(
    st.text(max_size=60), st.lists(PIECES, max_size=12).map(" ".join), st.lists(PIECES, max_size=12).map("".join)
)
STEMS = {"laptop": ("lap",), "a": ("b",)}


@given(TEXTS, st.sampled_from(Width))
def test_any_text_is_understood(text: str, width: Width) -> None:
    asked = read(text)
    assert len(asked.terms) <= MOST_TERMS
    found = sought(asked, STEMS, {"a"}, width)
    bare = re.sub(r"'(?:[^'\\]|''|\\\\)*'(:\*?[ABCD]*)?", "w", found.query)
    assert set(bare) <= set("w()!&|<-> ")
    assert bare.count("(") == bare.count(")")
    assert bool(found.query) == asked.has_words
    for term in asked.terms:
        if isinstance(term.what, FieldIs):
            without_field(term)
    assert all(isinstance(w, str) for w in plain_words(asked))


@given(st.text(max_size=200), TEXTS)
def test_what_is_shown_has_no_markup_but_marks(text: str, q: str) -> None:
    found = sought(read(q), {}, (), Width.OPEN)
    at = spans(text, found)
    assert all(s < e for s, e in at)
    assert all(a[1] <= b[0] for a, b in pairwise(at))
    html = snippet(text, at)
    assert "<" not in html.replace("<mark>", "").replace("</mark>", "")
    assert html.count("<mark>") == html.count("</mark>")


@given(st.text(max_size=300))
def test_a_text_is_one_tsvector(text: str) -> None:
    vector = Vector()
    vector.add(text, "A", STEMS)
    vector.add_words(("x'y", "a\\b"), "B")
    said = vector.text()
    assert quoted("x'y") in said
    assert re.fullmatch(r"('(?:[^'\\]|''|\\\\)+':[\d,A-D]+ ?)+", said, re.S)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("laptop", "('laptop' | 'lap')"),
        ('"red laptop"', "('red' <-> 'laptop')"),
        ('"red lap"*', "('red' <-> 'lap':*)"),
        ("lap*", "'lap':*"),
        ("z*", "'z'"),
        ("red -blue", "'red' & !'blue'"),
        ("red NOT blue", "'red' & !'blue'"),
        ("red OR blue green", "('red' | 'blue') & 'green'"),
        ("red AND blue", "'red' & 'blue'"),
        ("OR red", "'red'"),
        ("title:red in:comments blue", "'red':A & 'blue':D"),
        ("in:title,files red", "'red':AD"),
        ("東京都", "('東京' <-> '京都')"),
        ("京", "'京':*"),
        ("c++", "'c++'"),
        ("#12", "('12' | '#12')"),
        ("2026-0012", "(('2026' <-> '0012') | '2026-0012' | '2026-12')"),
        ("ith-2026-0012", "(('ith' <-> '2026' <-> '0012') | 'ith-2026-12')"),
        ("user_x", "(('user' <-> 'x') | 'user_x')"),
        ("-red", ""),
        ("status:open", ""),
        ("", ""),
        ("the laptop", "('laptop' | 'lap')"),
        ("the", "'the'"),
    ],
)
def test_what_is_asked_of_the_index(text: str, query: str) -> None:
    assert sought(read(text), STEMS, {"the"}).query == query


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x" * 501, "too_long"),
        ("colour:red", "unknown_field"),
        ("in:nowhere red", "unknown_part"),
        (" ".join(f"w{n}" for n in range(MOST_TERMS + 1)), "too_many"),
        ("red OR status:open", "or_apart"),
    ],
)
def test_what_was_taken_otherwise_is_told(text: str, code: str) -> None:
    assert [n.code for n in read(text).notes] == [code]


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("ITH-2026-0000123", True),
        ("ith-2026-123 laptop", True),
        ("(ITH-2026-0000123)", True),
        ("ITH-2026-0000123 OR laptop", False),
        ("laptop -ITH-2026-0000123", False),
        ("ITH-2026-000012*", False),
        ('"about ITH-2026-0000123"', False),
        ("is:open laptop 2026-01-05", False),
    ],
)
def test_a_number_all_must_have_is_known_for_rare(text: str, has: bool) -> None:
    assert sought(read(text), STEMS).has_number is has


def test_an_address_is_no_field() -> None:
    assert read("http://example.com").notes == ()
    assert read("from:me").terms[0].what == FieldIs("requester", "me")
    assert without_field(Term(FieldIs("status", "x"), '-status:"x y"', True)) == Term(
        Words(("status:", "x", "y")), '-status:"x y"', True
    )
    assert without_field(Term(FieldIs("status", "?"), "??")) is None
    assert Asked().terms == ()


def test_folding_and_numbers() -> None:
    assert fold("MÜLLER-Straße ŁØÆ") == "muller-strasse loae"
    assert fold("がＡ") == "がa"
    assert number_of("ith-2026-000123") == "ith-2026-123"
    assert number_of("ith-26-1") == ""
    assert words_of_number("ITH-2026-000123") == ("ith-2026-123", "2026-123", "#123")
    assert words_of_number("odd") == ("odd",)
    assert own_number("0012") == "#12"
    assert own_number("a") == own_number("2026-x") == ""
    assert places("!!!") == ()
    assert places("x" * 80)[0][0] == "x" * 64
    assert words_of("b-c b") == {"b", "c", "b-c"}
    assert words_of("b c", lambda w: w == "c") == {"c"}


def test_languages() -> None:
    assert language_of(["der", "drucker", "ist", "kaputt", "und"]) == "de"
    assert language_of(["the", "printer", "and", "the", "door"]) == "en"
    assert language_of(["les", "imprimantes", "ne", "marchent", "pas"]) == "fr"
    assert language_of(["las", "impresoras", "no", "por", "favor"]) == "es"
    assert language_of(["xyz"]) == "simple"


def test_a_vector_has_bounds() -> None:
    vector = Vector()
    vector.add("same " * 100, "D")
    assert vector.text().count("D") == MOST_PLACES
    vector.add(" ".join(f"w{n}" for n in range(MOST_WORDS + LAST_PLACE)), "D")
    vector.add("later", "D")
    said = vector.text()
    assert said.count("':") <= MOST_WORDS + 1
    assert "'later'" not in said
    assert max(int(p) for p in re.findall(r"(\d+)D", said)) <= LAST_PLACE


def test_slips() -> None:
    assert slips("printer", "printer", 2) == 0
    assert slips("pritner", "printer", 2) == 1
    assert slips("prnter", "printer", 2) == 1
    assert slips("printer", "marmots", 2) == 3
    assert slips("a", "abcdef", 2) == 3


def test_the_best_place_is_shown() -> None:
    found = Sought("", ("needle",), ("nee",), ("needl",))
    text = "word " * 100 + "a needle here and needles there " + "word " * 100
    html = snippet(text, spans(text, found))
    assert "<mark>needle</mark>" in html
    assert "<mark>needles</mark>" in html
    assert html.startswith("…")
    assert html.endswith("…")
    assert snippet("x " * 300, []).endswith("…")
    runs = Sought("", ("東京", "京"), (), ())
    assert spans("東京都 京", runs) == [(0, 2), (4, 5)]
    assert spans("東京都", Sought("", ("東京", "京都"), (), ())) == [(0, 3)]  # neighbours are marked as one


def leaves(condition: Condition) -> Iterator[Leaf]:
    if isinstance(condition, Leaf):
        yield condition
    for part in getattr(condition, "parts", ()):
        yield from leaves(part)


@pytest.mark.parametrize(
    ("zone", "said", "start", "end"),
    [
        ("Pacific/Auckland", "today", "2026-11-26T11:00:00", "2026-11-27T11:00:00"),  # there it is the 27th already
        ("America/Los_Angeles", "today", "2026-11-26T08:00:00", "2026-11-27T08:00:00"),
        ("America/Los_Angeles", "yesterday", "2026-11-25T08:00:00", "2026-11-26T08:00:00"),
        ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00", "2026-10-25T23:00:00"),  # a day of 25 hours
        ("Europe/Berlin", "2026-12", "2026-11-30T23:00:00", "2026-12-31T23:00:00"),
        ("UTC", "2026", "2026-01-01T00:00:00", "2027-01-01T00:00:00"),
    ],
)
async def test_days_are_those_of_whoever_asks(database: Any, zone: str, said: str, start: str, end: str) -> None:
    at = datetime(2026, 11, 26, 13, 0, tzinfo=UTC)
    async with database.write_engine.connect() as connection, AsyncSession(connection) as session:
        user_id = await session.scalar(
            text("UPDATE users SET timezone = :zone WHERE username = 'employee' RETURNING id"), {"zone": zone}
        )
        with clock(lambda: at):
            meant = await understand(session, Actor(user_id, "employee", None, {}), read(f"created:{said}"))
        await session.rollback()
    span = [(leaf.op, leaf.value) for leaf in leaves(meant.condition)]
    assert span == [("gte", datetime.fromisoformat(f"{start}+00:00")), ("lt", datetime.fromisoformat(f"{end}+00:00"))]
