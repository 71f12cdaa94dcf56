"""Texts for spreadsheets that no spreadsheet executes. Pure. Source: OWASP, CSV injection."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence

# What a spreadsheet takes for the start of a formula, the wide forms of East Asian keyboards too.
_EXECUTED = re.compile(r"[\s\x00-\x20\u200b-\u200f\ufeff]*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20|]")
BOM = "\ufeff".encode()  # by which Excel knows UTF-8


def is_executed(text: str) -> bool:
    """Whether a spreadsheet might take this text for a formula."""
    return text[:1] in ("\t", "\r", "\n") or _EXECUTED.match(text) is not None


def plain(text: str) -> str:
    """A text no spreadsheet executes: an apostrophe stands before what looks like a formula."""
    kept = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs", "Cn"))
    if is_executed(text):
        kept = f"'{kept}"
    return kept


def csv_bytes(rows: Iterable[Sequence[str]]) -> bytes:
    """Rows as RFC 4180 writes them, in UTF-8, none of whose cells is executed."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([plain(cell) for cell in row] for row in rows)
    return out.getvalue().encode()
