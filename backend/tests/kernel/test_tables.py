"""Files people bring: whatever program wrote them, they are understood or refused with the reason."""

from __future__ import annotations

import csv
import io
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.kernel import table_reading, tables
from waypost.kernel.tables import BadTable, read_table
from waypost.tickets.sheets import csv_lines

TEXT = 'Subject;Größe;Words\r\nLaptop;groß;"two\r\nlines; and ""quotes"""\r\n\r\nPhone;klein;x\r\n'


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("cp1252", "Windows-1252"),
    ],
)
def test_encodings(encoding: str, name: str) -> None:
    table = read_table(TEXT.encode(encoding))
    assert (table.encoding, table.separator) == (name, ";")
    assert table.headings == ("Subject", "Größe", "Words")
    assert [(r.number, r.cells) for r in table.rows] == [
        (2, ("Laptop", "groß", 'two\r\nlines; and "quotes"')),
        (4, ("Phone", "klein", "x")),
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators(separator: str) -> None:
    lines = [["a", "b, c; d|e", "f"], ["1", "2", "3"], ["4", "", "6"]]
    out = io.StringIO()
    csv.writer(out, delimiter=separator).writerows(lines)
    table = read_table(out.getvalue().encode())
    assert table.separator == separator
    assert [list(r.cells) for r in table.rows] == lines[1:]


def test_what_excel_says_of_its_separator() -> None:
    table = read_table(b"sep=;\r\na;b,c\r\n1;2,3\r\n")
    assert (table.separator, table.headings) == (";", ("a", "b,c"))


def test_headings_have_names_of_their_own() -> None:
    table = read_table(b"\r\na,,a,a,\r\n1,2,3,4\r\n5\r\n")
    assert table.headings == ("a", "Column 2", "a (2)", "a (3)")
    assert table.rows[1].cells == ("5", "", "", "")
    assert table.rows[1].number == 4


def test_one_column_is_a_table_too() -> None:
    assert read_table(b"title\r\nLaptop\r\n").rows[0].cells == ("Laptop",)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b" \r\n,,\r\n", "empty"),
        (b"a,b\r\n", "no rows"),
        (b"a,b\r\n1,2,3\r\n", "row 2"),
        (b'a,b\r\n"1"x,2\r\n', "row 2"),
        (b"\xff\xfea", "says it is UTF-16"),
        (b"\xef\xbb\xbf\xff", "says it is UTF-8"),
        (b"a,b\r\n\x00,2\r\n", "no text"),
        (b"\x81\x8d,b\r\n", "encoding"),
        (b"\x00\xd8" * 40 + b"\x00", "no text"),
        (b"a\r\n" + b"x\r\n" * 5001, "5000 at most"),
        (b"a\r\n" + b"x\r\n" * 11_001, "more than 5000"),
        (",".join("abc" for _ in range(201)).encode() + b"\r\n1\r\n", "200 are the most"),
    ],
)
def test_what_cannot_be_read_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(BadTable, match=why):
        read_table(data)


@given(st.binary(max_size=400))
def test_no_bytes_break_it(data: bytes) -> None:
    try:
        table = read_table(data)
    except BadTable:
        return
    assert all(len(r.cells) == len(table.headings) for r in table.rows)


words = (
    st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn")), min_size=1, max_size=20).map(str.strip).filter(bool)
)


@given(st.lists(st.tuples(words, words), min_size=1, max_size=5))
def test_what_we_export_comes_in_again(rows: list[tuple[str, str]]) -> None:
    from datetime import UTC

    data = csv_lines([("first", "second"), *rows], UTC)
    read = read_table(data)
    kept = [tuple(c.strip(" \u00a0") for c in row) for row in rows]
    assert [r.cells for r in read.rows] == [k for k in kept if any(k)]


def test_limits_are_those_the_guide_names() -> None:
    assert (tables.MOST_BYTES, tables.MOST_ROWS) == (10 * 1024 * 1024, 5000)


async def test_a_line_of_nothing_but_separators_is_read_in_no_time() -> None:
    begun = time.monotonic()
    with pytest.raises(BadTable, match="no rows"):
        await table_reading.read(b"Subject" + b"," * 9_000_000)
    assert time.monotonic() - begun < 20


async def test_what_takes_too_long_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await table_reading.read(b"A;B\n1;2\n")).rows[0].cells == ("1", "2")
    monkeypatch.setattr(table_reading, "BOUNDS", replace(table_reading.BOUNDS, patience=0.01))
    with pytest.raises(BadTable, match="takes too long"):
        await table_reading.read(b"A;B\n1;2\n")
