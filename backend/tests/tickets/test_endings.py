"""A file's ending and its content agree, or it is said; what people really send is never refused for nothing."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from waypost.kernel.filenames import MOST_NAME, safe_name
from waypost.tickets.endings import TAKEN, judge, recognised

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01"
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100)
EXE = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00"


def _zip() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.writestr("a.txt", "a")
    return made.getvalue()


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.png", PNG),
        ("a.JPEG", JPEG),
        ("scan.pdf", PDF),
        ("scan.pdf", b"\xef\xbb\xbf\n" + PDF),
        ("book.xlsx", _zip()),
        ("locked.xlsx", OLE),
        ("old.xls", OLE),
        ("newer.xls", _zip()),
        ("export.xls", b"<html><table><tr><td>1</td></tr></table></html>"),
        ("export.xls", b"a\tb\n1\t2\n"),
        ("letter.doc", b"{\\rtf1\\ansi hello}"),
        ("mail.msg", OLE),
        ("a.zip", _zip()),
        ("empty.zip", b"PK\x05\x06" + bytes(18)),
        ("a.csv", b"name;amount\nJ\xfcrgen;5\n"),
        ("a.csv", b"\xff\xfen\x00a\x00m\x00e\x00"),
        ("a.txt", b"MZ-12 is the form to use"),
        ("Umsatz.csv", "MZ-Umsatz;Größe".encode("cp1252")),
        ("a.txt", b"a PDF begins with %PDF-1.7"),
        ("a.json", b"{}"),
        ("page.html", b"<!doctype html>"),
        ("drawing.svg", b"<svg/>"),
        ("new.docx", b""),
        ("film.mp4", b"\x00\x00\x00\x18ftypmp42"),
        ("setup.exe", EXE),
        ("no ending", EXE),
        ("drawing.dwg", b"AC1032"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c"),
        ("a.rar", b"Rar!\x1a\x07\x01\x00"),
        ("a.gz", b"\x1f\x8b\x08\x00"),
        ("a.rtf", b"{\\rtf1}"),
        ("a.heic", b"\x00\x00\x00\x18ftypheic"),
        ("a.webp", b"RIFF\x00\x00\x00\x00WEBPVP8 "),
        ("a.gif", b"GIF89a"),
        ("a.tiff", b"II*\x00"),
    ],
)
def test_what_people_send_is_taken_as_it_is(name: str, head: bytes) -> None:
    judged = judge(name, head)
    assert (judged.name, judged.fault) == (name, None)


@pytest.mark.parametrize(
    ("name", "head", "honest", "words"),
    [
        ("invoice.pdf", EXE, "invoice.pdf.bin", "what it holds is a program"),
        ("photo.png", b"\x7fELF\x02\x01", "photo.png.bin", "what it holds is a program"),
        ("notes.txt", EXE, "notes.txt.bin", "what it holds is a program"),
        ("old.xls", EXE, "old.xls.bin", "what it holds is a program"),
        ("table.csv", _zip(), "table.csv.zip", "what it holds is a ZIP archive"),
        ("table.csv", PDF, "table.csv.pdf", "what it holds is a PDF document"),
        ("photo.png", PDF, "photo.png.pdf", "what it holds is a PDF document"),
        ("scan.pdf", JPEG, "scan.pdf.jpg", "what it holds is a JPEG picture"),
        ("scan.pdf", b"hello", "scan.pdf.txt", "it does not hold what such a file begins with"),
        ("scan.pdf", bytes(50), "scan.pdf.bin", "it does not hold what such a file begins with"),
        ("book.xlsx", b"<html>", "book.xlsx.bin", "it does not hold what such a file begins with"),
        ("page.html", PNG, "page.html.png", "what it holds is a PNG picture"),
    ],
)
def test_what_contradicts_is_said_and_named_for_what_it_is(name: str, head: bytes, honest: str, words: str) -> None:
    judged = judge(name, head)
    assert judged.name == honest
    assert judged.fault == f"is called {name}, but {words}"


@pytest.mark.parametrize(
    ("name", "head", "kept"),
    [("a.jpg", PNG, "a.png"), ("a.png", JPEG, "a.jpg"), ("a.b.png", b"GIF87a", "a.b.gif"), ("a.gif", PNG, "a.png")],
)
def test_pictures_get_their_own_ending(name: str, head: bytes, kept: str) -> None:
    judged = judge(name, head)
    assert (judged.name, judged.fault) == (kept, None)


_ENDINGS = st.sampled_from(TAKEN) | st.text(max_size=6)


@example("x" * 300, "pdf", b"hello")
@given(st.text(max_size=220), _ENDINGS, st.binary(max_size=40) | st.sampled_from([PNG, JPEG, PDF, OLE, EXE]))
def test_a_name_is_honest_after_one_judgement(stem: str, ending: str, head: bytes) -> None:
    judged = judge(safe_name(f"{stem}.{ending}"), head)
    assert len(judged.name) <= MOST_NAME
    assert judge(judged.name, head).fault is None
    assert judge(judged.name, head).name == judged.name
    found = recognised(head)
    assert not (found and found.words == "a program" and judged.name.endswith(TAKEN) and judged.fault)
