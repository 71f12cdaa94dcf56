"""Tables that come into the house: the bytes of a CSV file or an Excel workbook as headings and rows. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from waypost.kernel.workbooks import OLD_OR_LOCKED, SIGNATURE, BadWorkbook, read_workbook

MOST_BYTES = 10 * 1024 * 1024
MOST_ROWS = 5_000
MOST_COLUMNS = 200
SEPARATORS = (",", ";", "\t", "|")
EXCEL = "Excel"  # stands for an encoding; a workbook has no separator
YES, NO = frozenset({"yes", "true", "1", "y", "x", "ja", "on"}), frozenset({"no", "false", "0", "n", "nein", "off"})
_SAMPLE = 50  # records a separator is judged by
_TO_QUOTE = re.compile(r"'(?=[\s\x00-\x20]*[=+\-@\t\r|\uff1d\uff0b\uff0d\uff20])")


class BadTable(ValueError):
    """What is wrong with a file, in words that go behind "The file …"."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row with its number as spreadsheets show it (the headings are row 1)."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A file as it was understood."""

    encoding: str
    separator: str
    headings: tuple[str, ...]
    rows: tuple[Row, ...]


def read_table(data: bytes) -> Table:
    """The table in a file; of text, encoding and separator are found out. Raises `BadTable`."""
    if not data.strip():
        raise BadTable("is empty")
    if data.startswith(OLD_OR_LOCKED):
        raise BadTable("is an old Excel file, or protected by a password; save it as .xlsx without one, or as CSV")
    if data.startswith(SIGNATURE):
        try:
            records = [[_cell(c) for c in cells] for cells in read_workbook(data, 2 * MOST_ROWS + 1000)]
        except BadWorkbook as wrong:
            raise BadTable(str(wrong)) from wrong
        if any("\x00" in cell for cells in records for cell in cells):
            raise BadTable("holds bytes that are no text")
        return _table(EXCEL, "", records)
    encoding, text = _decoded(data)
    if "\x00" in text:
        raise BadTable("holds bytes that are no text, so it is no CSV file")
    separator, text = _separated(text)
    return _table(encoding, separator, _records(text, separator))


def _table(encoding: str, separator: str, records: list[list[str]]) -> Table:
    first = next((n for n, cells in enumerate(records) if any(cells)), None)
    if first is None:
        raise BadTable("is empty")
    headings = _headings(records[first])
    rows = tuple(_row(n + 1, cells, len(headings)) for n, cells in enumerate(records) if n > first and any(cells))
    if not rows:
        raise BadTable("has headings, but no rows below them")
    if len(rows) > MOST_ROWS:
        raise BadTable(f"has {len(rows)} rows; one import takes {MOST_ROWS} at most")
    return Table(encoding, separator, headings, rows)


def _decoded(data: bytes) -> tuple[str, str]:
    for mark, name, words in (
        (b"\xef\xbb\xbf", "utf-8-sig", "UTF-8"),
        (b"\xff\xfe", "utf-16", "UTF-16"),
        (b"\xfe\xff", "utf-16", "UTF-16"),
    ):
        if data.startswith(mark):
            try:
                return words, data.decode(name)
            except UnicodeDecodeError as wrong:
                raise BadTable(f"says it is {words}, and is not") from wrong
    head = data[:2000]
    if len(head) > 3 and head.count(0) > len(head) // 4:  # UTF-16 without its mark: every other byte is nothing
        try:
            return "UTF-16", data.decode("utf-16-le" if head[1::2].count(0) > head[0::2].count(0) else "utf-16-be")
        except UnicodeDecodeError as wrong:
            raise BadTable("holds bytes that are no text, so it is no CSV file") from wrong
    try:
        return "UTF-8", data.decode()
    except UnicodeDecodeError:
        try:
            return "Windows-1252", data.decode("cp1252")
        except UnicodeDecodeError as wrong:
            raise BadTable("is in an encoding that is not known here; save it as UTF-8") from wrong


def _separated(text: str) -> tuple[str, str]:
    """What stands between cells, and the text without the line in which Excel says so."""
    said = re.match(r"sep=(.)\r?\n", text)
    if said and said[1] in SEPARATORS:
        return said[1], text[said.end() :]

    def score(separator: str) -> tuple[int, int]:
        widths: Counter[int] = Counter()
        reader = csv.reader(io.StringIO(text[:200_000], newline=""), delimiter=separator)
        try:
            for cells, _ in zip(reader, range(_SAMPLE), strict=False):
                if any(cells):
                    widths[len(cells)] += 1
        except csv.Error:
            return (0, 0)
        width, times = widths.most_common(1)[0] if widths else (1, 0)
        return (times, width) if width > 1 else (0, 0)

    return max(SEPARATORS, key=score), text


def _records(text: str, separator: str) -> list[list[str]]:
    records: list[list[str]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for cells in reader:
            records.append([_cell(c) for c in cells])
            if len(records) > 2 * MOST_ROWS + 1000:
                raise BadTable(f"has more than {MOST_ROWS} rows; one import takes no more")
    except csv.Error as wrong:
        raise BadTable(f"cannot be read in row {len(records) + 1}: {wrong}") from wrong
    return records


def _cell(text: str) -> str:
    """What a cell says, without the apostrophe that keeps a spreadsheet from executing it (our own exports write it)."""
    return _TO_QUOTE.sub("", text, count=1) if text.startswith("'") else text.strip(" \u00a0")


def _headings(cells: list[str]) -> tuple[str, ...]:
    cells = cells[: next((n for n in range(len(cells), 0, -1) if cells[n - 1]), 0)]
    if len(cells) > MOST_COLUMNS:
        raise BadTable(f"has {len(cells)} columns; {MOST_COLUMNS} are the most")
    found: list[str] = []
    for n, cell in enumerate(cells):
        words = " ".join(cell.split())[:200] or f"Column {n + 1}"
        name, times = words, 1
        while name in found:
            times += 1
            name = f"{words} ({times})"
        found.append(name)
    return tuple(found)


def _row(number: int, cells: list[str], width: int) -> Row:
    if any(cells[width:]):
        raise BadTable(f"has more cells in row {number} than headings")
    return Row(number, tuple((cells + [""] * width)[:width]))


def guess(headings: Sequence[str], known: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The columns whose headings say which field they are, each field once; `known` are the words for each, in lower case."""
    found: dict[str, int] = {}
    taken: set[int] = set()
    for name, words in known.items():
        for word in words:
            column = next((n for n, h in enumerate(headings) if n not in taken and _bare(h) == word), None)
            if column is not None:
                found[name] = column
                taken.add(column)
                break
    return found


def _bare(heading: str) -> str:
    return re.sub(r"\s*\([^)]*\)$", "", heading).strip().lower()  # "Due (Europe/Berlin)", as exports head it
