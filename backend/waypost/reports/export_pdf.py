"""A report on paper: title, what it counts in words, when and for whom, its picture and its table. Tagged for readers."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

from waypost.kernel.formats import Formats
from waypost.kernel.pdf import set_as
from waypost.reports import export_charts
from waypost.reports.export_tables import Book, Sheet, said

ACROSS = 8  # columns of numbers beside each other; more stand below, with the rows' names again
ACROSS_OF_MANY = 12  # the same of a dashboard's, whose tables of many columns hold short numbers
TALL = 14  # rows of a heat map that stand on a page on its side
SOURCE = r"""
#let d = json(bytes(sys.inputs.at("told")))
#set document(title: d.title, author: d.made_by, description: d.summary)
#set page(
  paper: "a4",
  flipped: d.is_wide,
  margin: (x: 20mm, top: 20mm, bottom: 20mm),
  footer: context [
    #set text(size: 8pt, fill: luma(90))
    #grid(columns: (1fr, auto), d.footer, [Page #counter(page).display() of #counter(page).final().first()])
  ],
)
#set text(lang: "en", size: 10pt, font: ("Libertinus Serif", "DejaVu Sans Mono", "New Computer Modern"), hyphenate: false)
#set par(leading: 0.6em)
#show heading.where(level: 1): set text(size: 19pt, weight: "semibold")
#show heading.where(level: 2): set text(size: 12pt, weight: "semibold")
#show heading.where(level: 2): set block(above: 1.5em, below: 0.8em, sticky: true)
#show heading.where(level: 3): set text(size: 10pt, weight: "semibold")
#show heading.where(level: 3): set block(above: 1.2em, below: 0.7em, sticky: true)
#let quiet(it) = text(fill: luma(80), it)
#set table(
  stroke: (x, y) => (bottom: if y == 0 { 0.8pt + luma(120) } else { 0.4pt + luma(210) }),
  inset: (x: 4pt, y: 4.2pt),
)
#show table: set block(breakable: true)
#show table.cell.where(y: 0): set text(weight: "semibold", size: 9pt)
#show table: set text(size: 9.5pt, number-width: "tabular")

= #d.title
#v(0.2em)
#grid(
  columns: (28mm, 1fr), row-gutter: 0.65em,
  ..d.about.map(f => (quiet(f.at(0)), f.at(1))).flatten()
)
#v(0.4em)
#for sheet in d.sheets [
  #if sheet.title != "" [== #sheet.title]
  #if sheet.picture != "" [
    #figure(image(bytes(sheet.picture), format: "svg", width: 100%, alt: sheet.alt), alt: sheet.alt)
    #if sheet.note != "" [#quiet(text(size: 8.5pt, sheet.note))]
  ]
  #for part in sheet.parts [
    #if part.title != "" [#heading(level: sheet.level, part.title)]
    #if part.rows.len() == 0 [#quiet[Nothing to show.]] else [
      #table(
        columns: (1fr, ..range(part.columns.len()).map(_ => auto)),
        align: (x, y) => if x == 0 { left + bottom } else { right + bottom },
        table.header([#part.corner], ..part.columns.map(c => [#c])),
        ..part.rows.map(r => r.map(c => [#c])).flatten()
      )
    ]
  ]
]
"""


def pdf_file(book: Book, *, made_by: str, footer: str) -> bytes:
    """The report as PDF: PDF/UA where every character can be shown, tagged PDF otherwise."""
    return set_as("ua-1", SOURCE, shown(book, made_by=made_by, footer=footer))


def shown(book: Book, *, made_by: str, footer: str) -> dict[str, Any]:
    """What stands in the document, in words. A report's one sheet has its title; a dashboard's have titles of their own."""
    is_one = len(book.sheets) == 1
    told = {
        "title": book.title,
        "made_by": made_by,
        "summary": "; ".join(f"{label}: {words}" for label, words in book.about),
        "footer": footer,
        "about": [list(line) for line in book.about],
        "is_wide": is_one and _is_wide(book.sheets[0]),
        "sheets": [_sheet(sheet, book.formats, is_one=is_one) for sheet in book.sheets],
    }
    cleaned: dict[str, Any] = json.loads("".join(c for c in json.dumps(told, ensure_ascii=False) if _is_shown(c)))
    return cleaned


def _is_wide(sheet: Sheet) -> bool:
    return min(len(sheet.columns), ACROSS) > 5 and not (sheet.chart == "HEAT" and len(sheet.rows) > TALL)


def _sheet(sheet: Sheet, formats: Formats, *, is_one: bool) -> dict[str, Any]:
    is_drawn = export_charts.is_drawn(sheet)
    across = ACROSS if is_one else ACROSS_OF_MANY
    parts = [sheet.columns[n : n + across] for n in range(0, len(sheet.columns), across)]
    return {
        "title": "" if is_one else sheet.title,
        "level": 2 if is_one else 3,
        "picture": export_charts.svg(sheet, formats) if is_drawn else "",
        "alt": alternative(sheet),
        "note": export_charts.left_out(sheet) if is_drawn else "",
        "parts": [
            _part(sheet, formats, n * across, len(part), len(parts), is_one=is_one) for n, part in enumerate(parts)
        ],
    }


def _part(sheet: Sheet, formats: Formats, first: int, many: int, parts: int, *, is_one: bool) -> dict[str, Any]:
    columns = sheet.columns[first : first + many]
    title = "Table" if is_one else ""
    if parts > 1:
        title = f"Table, columns {first + 1} to {first + many} of {len(sheet.columns)}"
    return {
        "title": title,
        "corner": sheet.corner or "Requests",
        "columns": [c.label for c in columns],
        "rows": [
            [label, *(said(v, c.unit, formats) for v, c in zip(values[first : first + many], columns, strict=True))]
            for label, values in sheet.rows
        ],
    }


def alternative(sheet: Sheet) -> str:
    """What the picture shows, for who does not see it."""
    kind = {"BAR": "Bars", "STACKED": "Stacked bars", "LINE": "Lines", "HEAT": "A heat map"}.get(
        sheet.chart, "A picture"
    )
    what = sheet.columns[0].label if len(sheet.columns) == 1 else f"{len(sheet.columns)} columns"
    return f"{kind} of {what} by {sheet.corner or 'nothing'}; the table below has all numbers."


def _is_shown(character: str) -> bool:
    """A half character is none, and what controls a terminal has no shape."""
    return character == "\n" or unicodedata.category(character) not in ("Cc", "Cs", "Cn")
