"""Excel workbooks (.xlsx) as rows of text: what a person reads in the cells of the first sheet that is shown. Pure.

A workbook is a ZIP archive of XML that a stranger made. So nothing in it is trusted about its size: what is unpacked is
counted as it comes and ends at a bound, elements are counted as they begin and let go as they end, XML may neither declare
entities nor refer to anything, and a formula is never computed: its cell says what the program that saved it had computed.
"""

from __future__ import annotations

import io
import posixpath
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import IO, Any

from lxml import etree

MOST_UNPACKED = 60 * 1024 * 1024  # bytes of all the parts that are read, together
MOST_AT_ONCE = 8 * 1024 * 1024  # of a part that is held whole: all but cells and their texts
MOST_PARTS = 2_000
MOST_CELLS = 1_200_000
MOST_ELEMENTS = 6_000_000  # of rows and texts, with all that is in them
MOST_BESIDE = 500_000  # elements of anything else in the same parts
MOST_IN_ONE = 50_000  # elements of one row or one text: it is held whole
MOST_LETTERS = 20_000_000  # of all cells; a text that many cells share is counted for each
MOST_WIDTH = 1_024  # columns; a cell beyond is refused before its row is filled up to it
LONGEST_CELL = 32_767
TOO_LARGE = "is too large when it is unpacked"
SIGNATURE = b"PK\x03\x04"
OLD_OR_LOCKED = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # .xls, and what is protected by a password
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
_OFFICE = ("officeDocument", "worksheet", "sharedStrings", "styles")
_BUILT_IN_DATES = frozenset({*range(14, 18), 22, *range(27, 32), *range(50, 59)})
_BUILT_IN_TIMES = frozenset({*range(18, 22), *range(45, 48), *range(32, 36)})
# What the archive's reader says of one that is damaged, or made to harm it.
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError),
    *(ValueError, LookupError, ArithmeticError, OSError),
)
_ZERO, _ZERO_1904 = datetime(1899, 12, 30, tzinfo=UTC), datetime(1904, 1, 1, tzinfo=UTC)  # the day a date counts from
_SAFE: dict[str, bool] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}
Element = Any  # lxml's classes are made in C and have no types


class BadWorkbook(ValueError):
    """What is wrong with a workbook, in words that go behind "The file …"."""


def read_workbook(data: bytes, most_rows: int) -> list[list[str]]:
    """The rows of the first sheet that is shown; `most_rows` is how many are read at most. Raises `BadWorkbook`."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _Workbook(archive).rows(most_rows)
    except BadWorkbook:
        raise
    except etree.XMLSyntaxError as wrong:
        raise BadWorkbook("is an Excel workbook that is damaged") from wrong
    except _BROKEN as wrong:
        raise BadWorkbook("is no Excel workbook that can be read") from wrong


class _Workbook:
    """An archive, and how much of it may be unpacked still."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        if len(archive.infolist()) > MOST_PARTS:
            raise BadWorkbook("is an Excel workbook of too many parts")
        self._archive = archive
        self._names = {info.filename.lstrip("/"): info for info in archive.infolist()}
        self._left = MOST_UNPACKED
        self._elements_left, self._beside_left = MOST_ELEMENTS, MOST_BESIDE

    def rows(self, most_rows: int) -> list[list[str]]:
        """The rows of the first sheet that is shown."""
        book_name = self._related("", "officeDocument").get("officeDocument", "xl/workbook.xml")
        book = self._xml(book_name)
        related = self._relations(book_name)
        sheet_name = related.get(_first_sheet(book))
        if sheet_name is None:
            raise BadWorkbook("is an Excel workbook without a sheet of cells")
        by_kind = self._related(book_name, *_OFFICE)
        texts = self._texts(by_kind.get("sharedStrings"))
        styles = self._styles(by_kind.get("styles"))
        is_1904 = any(_local(e) == "workbookPr" and e.get("date1904") in ("1", "true") for e in book)
        return self._sheet(sheet_name, texts, styles, _ZERO_1904 if is_1904 else _ZERO, most_rows)

    def _open(self, name: str) -> IO[bytes]:
        info = self._names.get(name)
        if info is None or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise BadWorkbook("is no Excel workbook that can be read")
        return self._archive.open(info)

    def _taken(self, piece: bytes) -> bytes:
        """Count what came; the size a header names is not believed."""
        self._left -= len(piece)
        if self._left < 0:
            raise BadWorkbook(TOO_LARGE)
        return piece

    def _xml(self, name: str) -> Element:
        with self._open(name) as part:
            found = self._taken(part.read(MOST_AT_ONCE + 1))
        if len(found) > MOST_AT_ONCE:
            raise BadWorkbook(TOO_LARGE)
        root = etree.fromstring(found, etree.XMLParser(**_SAFE))
        _check_plain(root)
        return root

    def _relations(self, of: str) -> dict[str, str]:
        """The names of the parts that a part refers to, by the ids it uses."""
        return {identifier: name for identifier, _, name in self._references(of)}

    def _related(self, of: str, *kinds: str) -> dict[str, str]:
        return {kind: name for _, kind, name in reversed(list(self._references(of))) if kind in kinds}

    def _references(self, of: str) -> Iterator[tuple[str, str, str]]:
        folder, _, name = of.rpartition("/")
        listed = posixpath.join(folder, "_rels", f"{name}.rels")
        if listed not in self._names:
            return
        for one in self._xml(listed):
            if one.get("TargetMode") != "External" and _local(one) == "Relationship":
                target = posixpath.normpath(posixpath.join("/", folder, one.get("Target", ""))).lstrip("/")
                yield one.get("Id", ""), one.get("Type", "").rpartition("/")[2], target

    def _each(self, name: str, wanted: str) -> Iterator[Element]:
        """The elements of one kind, one after another; every element is let go as it ends, so memory stays small."""
        names, held = _named(wanted), 0  # how many elements there are of the one that has begun
        with self._open(name) as part:
            source = _Source(lambda size: self._taken(part.read(size)))
            for n, (event, element) in enumerate(etree.iterparse(source, events=("start", "end"), **_SAFE)):
                if n == 0:
                    _check_plain(element)
                if event == "start":
                    if held and element.tag in names:
                        raise BadWorkbook("is an Excel workbook that is damaged")
                    held += held > 0 or element.tag in names
                    self._elements_left -= held > 0
                    self._beside_left -= held == 0
                    if held > MOST_IN_ONE or self._elements_left < 0 or self._beside_left < 0:
                        raise BadWorkbook(TOO_LARGE)
                elif not held or element.tag in names:
                    if held:
                        yield element
                    held = 0
                    _let_go(element)

    def _texts(self, name: str | None) -> list[str]:
        """The texts that cells share."""
        return [_text(one) for one in self._each(name, "si")] if name else []

    def _styles(self, name: str | None) -> list[str]:
        """For each style of a cell whether its number is a date, a time of day, or just a number."""
        if not name:
            return []
        root = self._xml(name)
        own = {f.get("numFmtId"): _kind_of_format(f.get("formatCode", "")) for f in root.iter(*_named("numFmt"))}
        styles = []
        for style in (x for xfs in root.iter(*_named("cellXfs")) for x in xfs):
            number = style.get("numFmtId", "0")
            known = int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 0
            built_in = "date" if known in _BUILT_IN_DATES else "time" if known in _BUILT_IN_TIMES else ""
            styles.append(own.get(number, built_in))
        return styles

    def _sheet(self, name: str, texts: list[str], styles: list[str], zero: datetime, most_rows: int) -> list[list[str]]:
        rows: list[list[str]] = []
        cells_left, letters_left = MOST_CELLS, MOST_LETTERS
        for row in self._each(name, "row"):
            at = _index(row.get("r"), len(rows))
            if at < len(rows):
                raise BadWorkbook("is an Excel workbook that is damaged")
            if at >= most_rows:
                if any(True for _ in row):
                    raise BadWorkbook(f"has more than {most_rows} rows")
                continue
            rows.extend([] for _ in range(at - len(rows)))
            cells: list[str] = []
            for cell in row.iter(*_named("c")):
                column = _column(cell.get("r"), len(cells))
                cells_left -= 1 + max(0, column - len(cells))
                if column >= MOST_WIDTH or cells_left < 0:
                    raise BadWorkbook("has too many columns")
                if column < len(cells):
                    raise BadWorkbook("is an Excel workbook that is damaged")
                cells.extend("" for _ in range(column - len(cells)))
                cells.append(_shown(cell, texts, styles, zero))
                letters_left -= len(cells[-1])
                if letters_left < 0:
                    raise BadWorkbook("holds too much text")
            rows.append(cells)
        return rows


class _Source:
    """Where a part comes from, piece by piece."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self.read = read


def _let_go(element: Element) -> None:
    """What an element holds, and all that stands before it; the element itself is where the parser is."""
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]


def _check_plain(element: Element) -> None:
    if element.getroottree().docinfo.doctype:
        raise BadWorkbook("is an Excel workbook that declares things of its own")


def _named(name: str) -> tuple[str, str]:
    return _MAIN + name, _STRICT + name


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _first_sheet(book: Element) -> str:
    """The relation of the first sheet that is not hidden."""
    sheets = list(book.iter(*_named("sheet")))
    shown = [s for s in sheets if s.get("state", "visible") == "visible"] or sheets
    for key, value in shown[0].attrib.items() if shown else ():
        if str(key).rpartition("}")[2] == "id":
            return str(value)
    return ""


def _index(said: str | None, otherwise: int) -> int:
    if said is None:
        return otherwise
    if not (said.isascii() and said.isdigit() and 0 < len(said) < 8) or int(said) == 0:
        raise BadWorkbook("is an Excel workbook that is damaged")
    return int(said) - 1


def _column(said: str | None, otherwise: int) -> int:
    """The number of a cell's column, from a reference such as "AB12"."""
    if said is None:
        return otherwise
    letters = re.match(r"[A-Z]{1,3}(?=\d)", said)
    if letters is None:
        raise BadWorkbook("is an Excel workbook that is damaged")
    number = 0
    for letter in letters[0]:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _text(element: Element) -> str:
    """The text of a shared or an own string, without what tells how it is spoken."""
    found = "".join(t.text or "" for t in element.iter(*_named("t")) if _local(t.getparent()) != "rPh")
    return _unescaped(found)[:LONGEST_CELL]


def _unescaped(text: str) -> str:
    """What Excel writes for characters that XML cannot hold."""
    return re.sub(
        r"_x([0-9A-Fa-f]{4})_", lambda m: "" if int(m[1], 16) in range(0xD800, 0xE000) else chr(int(m[1], 16)), text
    )


def _shown(cell: Element, texts: list[str], styles: list[str], zero: datetime) -> str:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        return _text(cell)
    value = next((v.text or "" for v in cell if _local(v) == "v"), "")
    match kind:
        case "s":
            return texts[int(value)] if value.isascii() and value.isdigit() and int(value[:9]) < len(texts) else ""
        case "b":
            return "Yes" if value == "1" else "No"
        case "str":
            return _unescaped(value)[:LONGEST_CELL]
        case "n":
            style = cell.get("s", "0")
            number = int(style) if style.isascii() and style.isdigit() and len(style) < 7 else 0
            return _number(value, styles[number] if number < len(styles) else "", zero)
    return value[:LONGEST_CELL]  # a date as text ("d"), or what could not be computed ("e")


def _number(value: str, kind: str, zero: datetime) -> str:
    """A number as people write it; a date where its cell shows one."""
    try:
        number = float(value)
    except ValueError:
        return value[:LONGEST_CELL]
    if kind and 0 <= number < 2_958_466:  # until the end of the year 9999
        at = zero + timedelta(seconds=round(number * 86_400))
        if kind == "time" and number < 1:
            return f"{at:%H:%M}"
        return f"{at:%Y-%m-%d}" if at.time() == datetime.min.time() else f"{at:%Y-%m-%d %H:%M}"
    if number.is_integer() and abs(number) < 1e15:
        return str(int(number))
    return f"{number:.15g}"


def _kind_of_format(code: str) -> str:
    """Whether a format of an administrator's own shows a date or a time of day."""
    bare = re.sub(r'"[^"]*"|\\.|\[[^\]]*\]', "", code).lower()
    if re.search(r"[yd]", bare):
        return "date"
    return "time" if re.search(r"[hs]", bare) else ""
