"""What a file may be called, what it is, and how it may be shown. Pure.

Source: security controls, upload and download (OWASP ASVS 5.0, 5.2 to 5.4); file names in answers by RFC 6266.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import puremagic

HEAD = 8192  # bytes of a file that tell what it is
UNKNOWN = "application/octet-stream"
# What a browser shows without running anything of it. Everything else is only ever saved.
SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain"})
_MARKUP = re.compile(rb"<\s*(!doctype|html|head|body|script|svg|\?xml|iframe|math)", re.IGNORECASE)


def content_type(head: bytes) -> str:
    """What a file is by its first bytes; what its sender calls it does not matter."""
    if not head:
        return "text/plain"
    if _MARKUP.search(head[:1024]):
        return UNKNOWN  # whatever it is called, a browser might run it
    try:
        found = str(puremagic.from_string(head, mime=True)).lower()
    except (puremagic.PureError, ValueError):
        found = ""
    if found in SHOWN and found != "text/plain":
        return found
    if _is_text(head):
        return "text/plain"
    return found if re.fullmatch(r"[a-z0-9.+-]+/[a-z0-9.+-]+", found) and not found.startswith("text/") else UNKNOWN


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode()
    except UnicodeDecodeError as wrong:
        if wrong.start < len(head) - 3 or len(head) < HEAD:
            return False
        text = head[: wrong.start].decode()  # the head ends in the middle of a character
    return not any(c not in "\t\n\r\f" and unicodedata.category(c) == "Cc" for c in text)


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes of a file an answer holds: the whole, or the part a `Range` names."""

    start: int
    length: int
    is_part: bool


class NotInFile(ValueError):
    """The range lies outside of the file (416)."""


_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def span_of(header: str | None, size: int) -> Span:
    """The part a `Range` header names (RFC 9110, 14): one range; several, or what is none, bring the whole file.

    Raises `NotInFile`.
    """
    matched = _RANGE.fullmatch(header.strip()) if header else None
    if matched is None or matched[1] == matched[2] == "":
        return Span(0, size, is_part=False)
    if not matched[1]:
        last = min(int(matched[2]), size)
        if last == 0:
            raise NotInFile
        return Span(size - last, last, is_part=True)
    start = int(matched[1])
    end = min(int(matched[2]), size - 1) if matched[2] else size - 1
    if matched[2] and int(matched[2]) < start:
        return Span(0, size, is_part=False)
    if start >= size:
        raise NotInFile
    return Span(start, end - start + 1, is_part=True)
