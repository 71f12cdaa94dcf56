"""What a file that comes from outside may be called, and how its name is told. Pure."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

MOST_NAME = 200


def safe_name(given: str) -> str:
    """A file's name as it is kept and shown: never a path, never a header, never empty."""
    text = unicodedata.normalize("NFC", given)
    for escaped, plain in (("%22", '"'), ("%0D", ""), ("%0A", "")):  # how browsers write these (WHATWG, multipart)
        text = text.replace(escaped, plain).replace(escaped.lower(), plain)
    text = re.split(r"[/\\]", text)[-1]
    text = "".join(c for c in text if unicodedata.category(c)[0] != "C" or c == "\u200d")
    text = " ".join(text.split()).strip(". ")
    if not text:
        return "file"
    stem, dot, ending = text.rpartition(".")
    if dot and len(ending) <= 20:
        return f"{stem[: MOST_NAME - len(ending) - 1]}.{ending}"
    return text[:MOST_NAME]


def disposition(name: str, *, inline: bool) -> str:
    """The `Content-Disposition` of an answer (RFC 6266): a plain name for every client, the whole one for most."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in " .-_()") else "_" for c in name)
    return f"{'inline' if inline else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
