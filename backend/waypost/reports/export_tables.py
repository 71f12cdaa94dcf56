"""A report's result as a table that leaves the house: in words for paper, as numbers for spreadsheets. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import xlsxwriter

from waypost.kernel.cells import BOM, plain
from waypost.kernel.formats import Formats
from waypost.reports.shapes import Unit

EMPTY, ALL = "Empty", "All"
LONGEST_CELL = 32_767  # characters; Excel's own limit
LONGEST_TAB = 31  # the same of a page's name
MOST_CHARTED = 200  # rows of a chart inside a workbook
WORDS = frozenset({"status", "priority"})  # dimensions whose values are codes of ours
CHARTED = {"BAR": ("column", None), "STACKED": ("column", "stacked"), "LINE": ("line", None)}
LONG = (Unit.SECONDS, Unit.WORKED)  # lengths of time
_FORMATS = {Unit.COUNT: "#,##0", Unit.MONEY: "#,##0.00", Unit.SHARE: "0.0%"} | dict.fromkeys(LONG, "[h]:mm")
_SUFFIX = {Unit.SHARE: " (%)"} | dict.fromkeys(LONG, " (h)")
Value = float | int | str | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of numbers: the words above it and what they are."""

    label: str
    unit: Unit


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of numbers with the words around it, and how its picture is drawn."""

    title: str
    corner: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, tuple[Value, ...]], ...]
    chart: str


@dataclass(frozen=True, slots=True)
class Book:
    """What one file holds: a report's one sheet, or a dashboard's many.

    `about` is what is told beside the numbers, label and text; `at` is when they were counted, `formats` how its reader reads
    numbers and dates.
    """

    title: str
    sheets: tuple[Sheet, ...]
    about: tuple[tuple[str, str], ...]
    at: datetime
    formats: Formats


def sheet_of(title: str, chart: str, result: Mapping[str, Any], types: Mapping[str, str]) -> Sheet:
    """A result of `running.run` as a sheet; `types` are the names of kinds of requests by key."""
    rows, by = result["rows"], result["by"]
    return Sheet(
        title=title,
        corner=rows["label"] if rows else "",
        columns=tuple(
            Column(_word(by and by["key"], c["label"], types) if by else c["label"], Unit(c["unit"]))
            for c in result["columns"]
        ),
        rows=tuple(
            (_word(rows["key"], line["label"], types) if rows else ALL, tuple(line["values"]))
            for line in result["lines"]
        ),
        chart=chart,
    )


def _word(key: str, label: str, types: Mapping[str, str]) -> str:
    """A value as people read it."""
    if not label:
        return EMPTY
    if key == "ticket_type":
        return types.get(label, label)
    return label.replace("_", " ").capitalize() if key in WORDS else label


def said(value: Value, unit: Unit, formats: Formats) -> str:
    """A number as its reader reads it."""
    if value is None:
        return "–"
    match unit:
        case Unit.MONEY:
            return formats.number(value, 2, least=2)
        case Unit.SECONDS:
            return formats.lasting(float(value))
        case Unit.WORKED:
            return formats.hours(float(value))
        case Unit.SHARE:
            return formats.share(value)
    return formats.number(value)


def drawn(value: Value, unit: Unit) -> float | None:
    """A number as a picture draws it: hours, percent, or as it is."""
    if value is None:
        return None
    if unit in LONG:
        return round(float(value) / 3600, 2)
    return round(float(value) * 100, 2) if unit is Unit.SHARE else float(value)


def axis_unit(sheet: Sheet) -> str:
    """What stands beside the numbers of a picture."""
    return _SUFFIX.get(sheet.columns[0].unit, "").strip(" ()") if sheet.columns else ""


# --- spreadsheets -----------------------------------------------------------------------------------------------------


def csv_file(book: Book) -> bytes:
    """RFC 4180 in UTF-8, none of whose cells is executed; hours and percent are numbers, and say so above.

    A report is its table. Of a dashboard each number is a line of its own, with the names of its table, row and column: tables
    of different columns are none together.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows(_table(book.sheets[0]) if len(book.sheets) == 1 else _lines(book.sheets))
    return BOM + out.getvalue().encode()


def _table(sheet: Sheet) -> Iterator[list[str]]:
    yield [plain(sheet.corner), *(plain(c.label + _SUFFIX.get(c.unit, "")) for c in sheet.columns)]
    for label, values in sheet.rows:
        numbers = (drawn(v, c.unit) for v, c in zip(values, sheet.columns, strict=True))
        yield [plain(label), *(_number(n) for n in numbers)]


def _lines(sheets: Sequence[Sheet]) -> Iterator[list[str]]:
    yield ["Table", "Row", "Column", "Value"]
    for sheet in sheets:
        for label, values in sheet.rows:
            for value, column in zip(values, sheet.columns, strict=True):
                words = (sheet.title, label, column.label + _SUFFIX.get(column.unit, ""))
                yield [*(plain(w) for w in words), _number(drawn(value, column.unit))]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}".rstrip("0").rstrip(".")


def xlsx_file(told: Book) -> bytes:
    """A workbook: the numbers with a chart of Excel's own beside them, and a page that says what they are."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        book.set_properties({"title": told.title})
        if len(told.sheets) == 1:
            _numbers(book, "Report", told.sheets[0])
        else:
            for sheet in told.sheets:
                _numbers(book, tab_of(sheet.title), sheet)
        _about(book, told)
    return out.getvalue()


def tab_of(title: str) -> str:
    """A title as the name of a workbook's page: at most 31 letters, cut between words."""
    words = title.partition(",")[0].split(" ")
    while len(" ".join(words)) > LONGEST_TAB:
        words.pop()
    return " ".join(words)


def _numbers(book: Any, tab: str, sheet: Sheet) -> None:
    page = book.add_worksheet(tab)
    page.freeze_panes(1, 1)
    head = book.add_format({"bold": True, "align": "right", "text_wrap": True, "bottom": 1})
    corner = book.add_format({"bold": True, "bottom": 1})
    formats = {unit: book.add_format({"num_format": form}) for unit, form in _FORMATS.items()}
    page.set_column(0, 0, min(60, max((len(label) for label, _ in sheet.rows), default=8) + 2))
    page.set_column(1, max(1, len(sheet.columns)), 14)
    page.write_string(0, 0, fitted(sheet.corner), corner)
    for n, column in enumerate(sheet.columns, 1):
        page.write_string(0, n, fitted(column.label), head)
    for r, (label, values) in enumerate(sheet.rows, 1):
        page.write_string(r, 0, fitted(label))
        for n, (value, column) in enumerate(zip(values, sheet.columns, strict=True), 1):
            if value is not None:
                days = float(value) / 86_400 if column.unit in LONG else float(value)
                page.write_number(r, n, days, formats[column.unit])
    if sheet.chart in CHARTED and 0 < len(sheet.rows) <= MOST_CHARTED and len(sheet.columns) <= 50:
        _chart(book, page, tab, sheet)


def _chart(book: Any, page: Any, tab: str, sheet: Sheet) -> None:
    kind, sub = CHARTED[sheet.chart]
    chart = book.add_chart({"type": kind, **({"subtype": sub} if sub else {})})
    last = len(sheet.rows)
    drawn_ones = [n for n, c in enumerate(sheet.columns, 1) if c.unit is sheet.columns[0].unit]
    for n in drawn_ones:
        chart.add_series({"name": [tab, 0, n], "categories": [tab, 1, 0, last, 0], "values": [tab, 1, n, last, n]})
    chart.set_title({"name": fitted(sheet.title), "overlay": False})
    if len(drawn_ones) == 1:
        chart.set_legend({"none": True})
    chart.set_size({"width": 760, "height": 420})
    page.insert_chart(1, len(sheet.columns) + 2, chart, {"description": fitted(sheet.title)})


def _about(book: Any, told: Book) -> None:
    page = book.add_worksheet("About")
    page.set_column(0, 0, 22)
    page.set_column(1, 1, 90)
    bold = book.add_format({"bold": True, "valign": "top"})
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    for r, (label, words) in enumerate((("Report", told.title), *told.about)):
        page.write_string(r, 0, label, bold)
        page.write_string(r, 1, fitted(words), wrap)


def fitted(text: str) -> str:
    """A plain text that fits a cell of Excel's."""
    kept = plain(text)
    return kept if len(kept) <= LONGEST_CELL else f"{kept[: LONGEST_CELL - 1]}…"
