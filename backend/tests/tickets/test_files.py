"""Names, kinds and ranges of files."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.kernel.filenames import disposition, safe_name
from waypost.tickets.files import HEAD, NotInFile, Span, content_type, span_of

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00"


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("evidence.txt", "evidence.txt"),
        ("Übersicht März 報告 🦊.txt", "Übersicht März 報告 🦊.txt"),
        ("U\u0308bersicht.pdf", "Übersicht.pdf"),
        ("../../../etc/passwd.txt", "passwd.txt"),
        ("..\\..\\boot.txt", "boot.txt"),
        ("C:\\Users\\jane\\quote.pdf", "quote.pdf"),
        ("a%0D%0AX-Evil: 1.txt", "aX-Evil: 1.txt"),
        ("say %22hi%22.txt", 'say "hi".txt'),
        ("nul\x00byte.txt", "nulbyte.txt"),
        ("..", "file"),
        ("", "file"),
        (" . ", "file"),
        ("\u202etxt.exe", "txt.exe"),
        (".htaccess", "htaccess"),
        ("x" * 300 + ".txt", "x" * 196 + ".txt"),
        ("x" * 300, "x" * 200),
    ],
)
def test_names(given_name: str, kept: str) -> None:
    assert safe_name(given_name) == kept


@given(st.text(max_size=400))
def test_no_name_is_a_path_or_a_header(text: str) -> None:
    name = safe_name(text)
    assert 0 < len(name) <= 200
    assert not set(name) & set("/\\\r\n\x00")
    assert name not in (".", "..")
    assert safe_name(name) == name
    header = disposition(name, inline=False)
    assert header.isascii()
    assert re.fullmatch(r"attachment; filename=\"[A-Za-z0-9 ._()-]*\"; filename\*=UTF-8''[A-Za-z0-9._~%-]+", header)
    assert unquote(header.partition("UTF-8''")[2]) == name


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01", "image/jpeg"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "application/pdf"),
        (b"Dear all,\nplease find enclosed", "text/plain"),
        ("Grüße aus München".encode(), "text/plain"),
        (b"", "text/plain"),
        (b"<!doctype html><script>alert(1)</script>", "application/octet-stream"),
        (b"\n\n  <HTML><body>", "application/octet-stream"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "application/octet-stream"),
        (b'<svg onload="alert(1)">', "application/octet-stream"),
        (PNG + b"<script>alert(1)</script>", "application/octet-stream"),
        (b"\x00\x01\x02\x03", "application/octet-stream"),
        (b"\xfe\xff\x00a", "application/octet-stream"),
    ],
)
def test_kinds(head: bytes, kind: str) -> None:
    assert content_type(head) == kind


def test_a_head_may_end_within_a_character() -> None:
    text = ("ü" * HEAD).encode()
    assert content_type(text[:HEAD]) == "text/plain"
    assert content_type(text[: HEAD - 1] + b"\xc3") == "text/plain"
    assert content_type(text[:51]) == "application/octet-stream", "a whole file that does"


@given(st.binary(max_size=HEAD))
def test_whatever_it_is_it_is_something(head: bytes) -> None:
    assert re.fullmatch(r"[a-z0-9.+-]+/[a-z0-9.+-]+", content_type(head))


@pytest.mark.parametrize(
    ("header", "span"),
    [
        (None, Span(0, 100, is_part=False)),
        ("bytes=0-9", Span(0, 10, is_part=True)),
        ("bytes=90-", Span(90, 10, is_part=True)),
        ("bytes=-5", Span(95, 5, is_part=True)),
        ("bytes=-500", Span(0, 100, is_part=True)),
        ("bytes=99-200", Span(99, 1, is_part=True)),
        ("bytes=5-4", Span(0, 100, is_part=False)),
        ("bytes=-", Span(0, 100, is_part=False)),
        ("bytes=0-1,5-9", Span(0, 100, is_part=False)),
        ("items=0-1", Span(0, 100, is_part=False)),
        ("bytes=" + "9" * 40 + "-", Span(0, 100, is_part=False)),
    ],
)
def test_ranges(header: str | None, span: Span) -> None:
    assert span_of(header, 100) == span


@pytest.mark.parametrize(("header", "size"), [("bytes=100-", 100), ("bytes=-0", 100), ("bytes=0-", 0), ("bytes=-1", 0)])
def test_ranges_outside(header: str, size: int) -> None:
    with pytest.raises(NotInFile):
        span_of(header, size)


@given(size=st.integers(1, 1000), header=st.text(alphabet="bytes=0123456789-, ", max_size=20) | st.none())
def test_no_range_leaves_the_file(size: int, header: Any) -> None:
    try:
        span = span_of(header, size)
    except NotInFile:
        return
    assert 0 <= span.start < size
    assert 0 < span.length <= size - span.start
