"""Excel workbooks: what a person reads in their cells, and nothing that a hostile one asks for."""

from __future__ import annotations

import contextlib
import io
import zipfile
from datetime import date, datetime, time
from typing import Any

import msgspec
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from waypost.kernel import table_reading, workbooks
from waypost.kernel.confined import Bounds, confined
from waypost.kernel.tables import MOST_ROWS, BadTable, read_table
from waypost.kernel.workbooks import TOO_LARGE, BadWorkbook, read_workbook

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def workbook(rows: list[list[Any]], **options: Any) -> bytes:
    """A workbook as a program writes it."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, **options}) as book:
        sheet, day = book.add_worksheet(), book.add_format({"num_format": "dd/mm/yyyy"})
        for n, row in enumerate(rows):
            for m, value in enumerate(row):
                if isinstance(value, (date, datetime, time)):
                    sheet.write_datetime(
                        n, m, value, book.add_format({"num_format": 20}) if isinstance(value, time) else day
                    )
                else:
                    sheet.write(n, m, value)
    return out.getvalue()


def crafted(sheet: str, **parts: str | bytes) -> bytes:
    """A workbook of one sheet, with parts as somebody wants them."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        every: dict[str, str | bytes] = {
            "_rels/.rels": f'<Relationships xmlns="{RELS}"><Relationship Id="a" Type="{OFFICE}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets><sheet name="A" sheetId="1" '
            'r:id="s"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{RELS}"><Relationship Id="s" Type="{OFFICE}/worksheet" '
            'Target="worksheets/sheet1.xml"/></Relationships>',
            "xl/worksheets/sheet1.xml": sheet,
            **{name.replace("__", "/").replace("--", "."): text for name, text in parts.items()},
        }
        for name, text in every.items():
            archive.writestr(name, text)
    return out.getvalue()


def sheet_of(rows: str) -> str:
    return f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'


def test_cells_are_read_as_a_person_reads_them() -> None:
    rows = [
        ["Name", "Number", "Part", "Day", "Moment", "At", "Yes"],
        ["Jane", 42, 1.25, date(2026, 12, 31), datetime(2026, 12, 31, 17, 30), time(9, 15), True],
        [],
        [None, "01234", -3],
    ]
    assert read_workbook(workbook(rows), 100) == [
        rows[0],
        ["Jane", "42", "1.25", "2026-12-31", "2026-12-31 17:30", "09:15", "Yes"],
        [],
        ["", "01234", "-3"],
    ]
    table = read_table(workbook(rows))
    assert (table.encoding, table.separator) == ("Excel", "")
    assert [(r.number, r.cells[0]) for r in table.rows] == [(2, "Jane"), (4, "")]


def test_days_count_from_1904_where_a_workbook_says_so() -> None:
    assert read_workbook(workbook([[date(2026, 1, 2)]], date_1904=True), 10) == [["2026-01-02"]]


def test_a_formula_is_never_computed() -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_formula(0, 0, '=HYPERLINK("http://example.com","x")', value="what was shown")
        sheet.write_formula(0, 1, "=1+1", value=2)
        sheet.write_string(0, 2, "=1+1")
    assert read_workbook(out.getvalue(), 10) == [["what was shown", "2", "=1+1"]]


def test_the_first_sheet_that_is_shown() -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        hidden, shown = book.add_worksheet(), book.add_worksheet()
        hidden.write(0, 0, "hidden")
        shown.write(0, 0, "shown")
        shown.activate()
        shown.set_first_sheet()
        hidden.hide()
    assert read_workbook(out.getvalue(), 10) == [["shown"]]


def test_texts_with_runs_and_escapes() -> None:
    cells = (
        '<row r="1"><c r="A1" t="inlineStr"><is><r><t>Ja</t></r><r><t>ne</t></r><rPh><t>no</t></rPh></is></c>'
        '<c r="C1" t="str"><v>a_x000A_b</v></c><c t="e"><v>#REF!</v></c><c t="d"><v>2026-01-01</v></c>'
        '<c t="s"><v>7</v></c><c t="n"><v>x</v></c></row>'
    )
    assert read_workbook(crafted(sheet_of(cells)), 5) == [["Jane", "", "a\nb", "#REF!", "2026-01-01", "", "x"]]


BOMB = (
    '<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    f'<worksheet xmlns="{MAIN}"><sheetData><row><c t="inlineStr"><is><t>&b;</t></is></c></row></sheetData></worksheet>'
)
OUTSIDE = (
    '<!DOCTYPE b [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    f'<worksheet xmlns="{MAIN}"><sheetData><row><c t="inlineStr"><is><t>&a;</t></is></c></row></sheetData></worksheet>'
)


@pytest.mark.parametrize(
    "sheet",
    [
        BOMB,
        OUTSIDE,
        "<worksheet",
        "",
        sheet_of('<row r="0"><c/></row>'),
        sheet_of('<row r="x"><c/></row>'),
        sheet_of('<row r="2"><c/></row><row r="1"><c/></row>'),
        sheet_of('<row r="1048577"><c/></row>'),
        sheet_of('<row r="1"><c r="B1"/><c r="A1"/></row>'),
        sheet_of('<row r="1"><c r="XFD1"/></row>'),
        sheet_of('<row r="1"><c r="1"/></row>'),
        sheet_of('<row r="1"><c r="ZZZZ1"/></row>'),
    ],
)
def test_a_hostile_sheet_is_refused(sheet: str) -> None:
    with pytest.raises(BadWorkbook):
        read_workbook(crafted(sheet), 100)


def test_what_is_packed_is_counted_when_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    data = crafted(sheet_of(" " * 5_000_000 + '<row r="1"><c r="A1"><v>1</v></c></row>'))
    assert len(data) < 50_000, "it is small as it comes"
    assert read_workbook(data, 10) == [["1"]]
    monkeypatch.setattr(workbooks, "MOST_UNPACKED", 1_000_000)
    with pytest.raises(BadWorkbook, match="too large"):
        read_workbook(data, 10)
    monkeypatch.setattr(workbooks, "MOST_UNPACKED", 10_000_000)
    monkeypatch.setattr(workbooks, "MOST_AT_ONCE", 100)
    with pytest.raises(BadWorkbook, match="too large"):
        read_workbook(data, 10)
    monkeypatch.setattr(workbooks, "MOST_PARTS", 2)
    with pytest.raises(BadWorkbook, match="too many parts"):
        read_workbook(data, 10)


def test_as_many_cells_as_memory_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MOST_CELLS", 5)
    with pytest.raises(BadWorkbook, match="columns"):
        read_workbook(crafted(sheet_of('<row r="1"><c r="A1"/></row><row r="2"><c r="Z2"/></row>')), 10)


@pytest.mark.parametrize(
    "inner",
    [
        "<row>" + "<c/>" * 15_000_000 + "</row>",  # one row
        "<row><c><is>" + "<t/>" * 15_000_000 + "</is></c></row>",  # one cell
        "<row/>" + "<x/>" * 15_000_000,  # beside rows
        "<x>" * 60 + "<y/>" * 15_000_000 + "</x>" * 60,
    ],
    ids=["row", "cell", "beside", "deep"],
)
async def test_a_small_file_of_many_elements_takes_little_memory(inner: str) -> None:
    data = crafted(sheet_of(inner))
    assert len(data) < 100_000, "it is small as it comes"
    bounds = Bounds(memory=160 * 1024 * 1024, seconds=60, patience=100.0)
    answer = msgspec.msgpack.decode(await confined(table_reading.told, data, bounds))
    assert answer["wrong"] == TOO_LARGE


async def test_a_large_table_fits() -> None:
    width = 30
    rows = [[f"{n} {m}" for m in range(width)] for n in range(MOST_ROWS + 1)]
    table = await table_reading.read(workbook(rows))
    assert (len(table.rows), table.rows[-1].cells) == (MOST_ROWS, tuple(rows[-1]))


def test_elements_are_counted_over_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    data = crafted(sheet_of("<row><c><v>1</v></c></row>" * 3))
    monkeypatch.setattr(workbooks, "MOST_ELEMENTS", 9)
    assert read_workbook(data, 5) == [["1"]] * 3
    monkeypatch.setattr(workbooks, "MOST_ELEMENTS", 8)
    with pytest.raises(BadWorkbook, match=TOO_LARGE):
        read_workbook(data, 5)


def test_a_text_that_many_cells_share_is_counted_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    data = workbook([["x" * 1000] * 5])
    assert read_workbook(data, 5) == [["x" * 1000] * 5]
    monkeypatch.setattr(workbooks, "MOST_LETTERS", 4_999)
    with pytest.raises(BadWorkbook, match="too much text"):
        read_workbook(data, 5)


def test_one_row_within_another_is_none() -> None:
    with pytest.raises(BadWorkbook, match="damaged"):
        read_workbook(crafted(sheet_of("<row><row/></row>")), 5)


def test_rows_that_say_nothing_are_no_rows() -> None:
    assert read_workbook(crafted(sheet_of('<row r="1"><c r="A1"><v>1</v></c></row><row r="900000"/>')), 100) == [["1"]]
    with pytest.raises(BadWorkbook, match="more than 5 rows"):
        read_workbook(crafted(sheet_of('<row r="6"><c r="A6"/></row>')), 5)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"PK\x03\x04 and nothing more", "no Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 an old one", "old Excel file"),
        (workbook([]), "is empty"),
        (workbook([["Only", "headings"]]), "no rows"),
        (crafted(sheet_of(""), **{"xl__workbook--xml": f'<workbook xmlns="{MAIN}"/>'}), "without a sheet"),
        (crafted(sheet_of('<row><c t="inlineStr"><is><t>a_x0000_</t></is></c></row>')), "no text"),
    ],
)
def test_what_is_no_table_says_why(data: bytes, why: str) -> None:
    with pytest.raises(BadTable, match=why):
        read_table(data)


def test_a_workbook_may_not_lead_outside() -> None:
    rels = (
        f'<Relationships xmlns="{RELS}"><Relationship Id="s" Type="{OFFICE}/worksheet" TargetMode="External" '
        'Target="http://example.com/sheet.xml"/></Relationships>'
    )
    with pytest.raises(BadWorkbook, match="without a sheet"):
        read_workbook(crafted(sheet_of(""), **{"xl___rels__workbook--xml--rels": rels}), 5)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 3000))
def test_a_damaged_workbook_is_read_or_refused(noise: bytes, at: int) -> None:
    data = workbook([["Name", "Day"], ["Jane", date(2026, 1, 1)]])
    at = at % len(data)
    damaged = data[:at] + noise + data[at + len(noise) :]
    with contextlib.suppress(BadWorkbook):
        assert len(read_workbook(damaged, 100)) <= 100
