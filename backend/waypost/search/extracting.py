"""The text of a file, read in a process of its own that may use little and can do nothing else.

`told` gets the file's bytes and gives JSON: `{"text": …}`, `{"none": true}` for a kind that has no text, or `{"fault": …}`.
It is called by `waypost.kernel.confined`, which bounds its time, memory and files before it looks at a byte. PDF, Word,
Excel, PowerPoint, OpenDocument, plain text, CSV, Markdown and HTML.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser

MOST_TEXT = 200_000  # letters that are kept
MOST_PAGES = 300
MOST_ENTRIES = 3_000
MOST_OF_ENTRY = 40_000_000  # bytes of one unpacked part
MOST_UNPACKED = 80_000_000  # of all parts that are read
MOST_RATIO = 400  # unpacked bytes for a packed one; more is a bomb
_BLOCKS = frozenset({"p", "br", "tr", "row", "c", "si", "h", "tab", "cr"})
_SAID = frozenset({"t"})
_PARTS = (
    re.compile(r"word/(document|header\d*|footer\d*|footnotes|endnotes|comments)\.xml"),
    re.compile(r"xl/(sharedStrings|worksheets/sheet\d+)\.xml"),
    re.compile(r"ppt/(slides/slide|notesSlides/notesSlide)\d+\.xml"),
    re.compile(r"content\.xml"),
)
_HTML = re.compile(rb"<\s*(!doctype html|html|head|body)\b", re.IGNORECASE)


class NoText(Exception):
    """A kind of file that has none, or none we know how to read."""


class Unreadable(Exception):
    """A file that says it is one of these kinds, and is not, or asks for more than it may have."""


def text_of(data: bytes) -> str:
    """The text of a file, cut at `MOST_TEXT`. Raises `NoText` or `Unreadable`."""
    if data.startswith(b"%PDF-"):
        pieces = _of_pdf(data)
    elif data.startswith(b"PK\x03\x04"):
        pieces = _of_package(data)
    else:
        pieces = iter([_of_plain(data)])
    kept, size = [], 0
    for piece in pieces:
        kept.append(piece)
        size += len(piece) + 1
        if size > MOST_TEXT:
            break
    return _tidied("\n".join(kept))[:MOST_TEXT]


def _tidied(text: str) -> str:
    text = "".join(c if c.isprintable() or c in "\n\t" else " " for c in text)
    return re.sub(r"[ \t]+", " ", re.sub(r"\s*\n\s*", "\n", text)).strip()


def _of_pdf(data: bytes) -> Iterator[str]:
    from pypdf import PdfReader  # noqa: PLC0415 - only where it is needed
    from pypdf.errors import PyPdfError  # noqa: PLC0415

    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("it is locked with a password")
        for n, page in enumerate(reader.pages):
            if n >= MOST_PAGES:
                return
            yield page.extract_text() or ""
    except Unreadable:
        raise
    except (
        PyPdfError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        RecursionError,
        OverflowError,
    ) as wrong:
        raise Unreadable(f"it is no sound PDF ({type(wrong).__name__})") from wrong


def _of_package(data: bytes) -> Iterator[str]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            entries = package.infolist()
            if len(entries) > MOST_ENTRIES:
                raise Unreadable("it has too many parts")
            wanted = [e for e in entries if any(p.fullmatch(e.filename) for p in _PARTS)]
            if not wanted:
                raise NoText
            left = MOST_UNPACKED
            for entry in sorted(wanted, key=lambda e: (len(e.filename), e.filename)):
                part = _unpacked(package, entry, left)
                left -= len(part)
                yield from _of_markup(part)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError, ValueError, OSError) as wrong:
        raise Unreadable(f"it is no sound package ({type(wrong).__name__})") from wrong


def _unpacked(package: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int) -> bytes:
    """A part, as long as it is no bomb: what it says of its size is not believed."""
    if entry.flag_bits & 1:
        raise Unreadable("it is locked with a password")
    most = min(MOST_OF_ENTRY, left, max(entry.compress_size * MOST_RATIO, 100_000))
    with package.open(entry) as part:
        read = part.read(most + 1)
    if len(read) > most:
        raise Unreadable("it unpacks to more than it may")
    return read


def _of_markup(part: bytes) -> Iterator[str]:
    """The words of a part; no entity is resolved, and nothing is fetched."""
    from lxml import etree  # noqa: PLC0415

    if b"<!DOCTYPE" in part[:2000] or b"<!ENTITY" in part:
        raise Unreadable("it declares entities")
    said: list[str] = []
    try:
        steps = etree.iterparse(
            io.BytesIO(part),
            events=("end",),
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            huge_tree=False,
            recover=False,
        )
        is_open = b"urn:oasis:names:tc:opendocument" in part[:4000]
        for _, element in steps:
            if not isinstance(element.tag, str):
                continue
            name = element.tag.rpartition("}")[2]
            if is_open:
                if name in ("p", "h"):
                    yield " ".join("".join(element.itertext()).split())
                    element.clear()
                continue
            if name in _SAID and element.text:
                said.append(element.text)
            elif name in _BLOCKS and said:
                yield "".join(said)
                said = []
            if name in ("p", "row", "si"):
                element.clear()
    except etree.XMLSyntaxError as wrong:
        raise Unreadable("a part of it is no sound XML") from wrong
    if said:
        yield "".join(said)


def _of_plain(data: bytes) -> str:
    text = _decoded(data[: MOST_TEXT * 8])
    if _HTML.search(data[:2000]):
        page = _Page()
        page.feed(text)
        return " ".join(page.said)
    return text


def _decoded(data: bytes) -> str:
    for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(name, "replace")
    if b"\x00" in data:
        raise NoText
    try:
        return data.decode()
    except UnicodeDecodeError as wrong:
        if wrong.start > len(data) - 4:  # cut in the middle of a letter
            return data[: wrong.start].decode()
    odd = sum(c < 32 and c not in (9, 10, 12, 13) for c in data[:4000])
    if odd > len(data[:4000]) // 200:
        raise NoText
    return data.decode("cp1252", "replace")


class _Page(HTMLParser):
    """The words of a page, without its scripts and styles."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style") and self._hidden:
            self._hidden -= 1

    def handle_data(self, data: str) -> None:
        if not self._hidden and data.strip():
            self.said.append(data.strip())


def answer(data: bytes) -> dict[str, object]:
    """What is told of a file."""
    try:
        text = text_of(data)
    except NoText:
        return {"none": True}
    except Unreadable as wrong:
        return {"fault": str(wrong)}
    except MemoryError:
        return {"fault": "it needs more memory than it may have"}
    return {"text": text, "is_cut": len(text) >= MOST_TEXT} if text else {"none": True}


def told(data: bytes) -> bytes:
    """In a process of its own: what is told of a file, as JSON."""
    return json.dumps(answer(data)).encode()
