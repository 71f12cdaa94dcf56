"""Whether a file's ending and its content agree. Pure.

Source: OWASP ASVS 5.0, 5.2.2. Judged are endings whose content begins in a way of its own; text is whatever is not plainly
something else, and an ending nobody here knows says nothing. A picture under another picture's ending gets its own: people
rename those without knowing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from waypost.kernel.filenames import MOST_NAME
from waypost.tickets.files import content_type


@dataclass(frozen=True, slots=True)
class Content:
    """A kind of content that is known by its first bytes. `ending` is the one it gets when it has a wrong one."""

    words: str
    ending: str
    begins: Callable[[bytes], bool]
    is_picture: bool = False


def _with(*marks: bytes, at: int = 0) -> Callable[[bytes], bool]:
    return lambda head: head[at:].startswith(marks)


def _is_program(head: bytes) -> bool:
    if head.startswith(
        (b"\x7fELF", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe")
    ):
        return True
    return head.startswith(b"MZ") and b"\0" in head[:64]  # a text may begin with these two letters, in any encoding


PNG = Content("a PNG picture", "png", _with(b"\x89PNG\r\n\x1a\n"), is_picture=True)
JPEG = Content("a JPEG picture", "jpg", _with(b"\xff\xd8\xff"), is_picture=True)
GIF = Content("a GIF picture", "gif", _with(b"GIF87a", b"GIF89a"), is_picture=True)
WEBP = Content("a WebP picture", "webp", lambda h: h[:4] == b"RIFF" and h[8:12] == b"WEBP", is_picture=True)
TIFF = Content("a TIFF picture", "tif", _with(b"II*\x00", b"MM\x00*"), is_picture=True)
HEIF = Content(
    "a HEIF picture",
    "heic",
    _with(b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypmsf1", b"ftypavif", at=4),
    is_picture=True,
)
PDF = Content("a PDF document", "pdf", lambda head: b"%PDF-" in head[:1024])  # readers allow for something before it
ZIP = Content("a ZIP archive", "zip", _with(b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"))
OLE = Content("an Office document or mail of Microsoft's", "bin", _with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"))
RTF = Content("a document in Rich Text", "rtf", _with(b"{\\rtf"))
SEVEN = Content("a 7z archive", "7z", _with(b"7z\xbc\xaf\x27\x1c"))
RAR = Content("a RAR archive", "rar", _with(b"Rar!\x1a\x07"))
GZIP = Content("a gzip archive", "gz", _with(b"\x1f\x8b\x08"))
PROGRAM = Content("a program", "bin", _is_program)  # never an ending that would run it

CONTENTS = (PNG, JPEG, GIF, WEBP, TIFF, HEIF, ZIP, OLE, RTF, SEVEN, RAR, GZIP, PROGRAM, PDF)
_PICTURES = (PNG, JPEG, GIF, WEBP, TIFF, HEIF)

# What files of an ending begin with. A document of Office with a password is kept in the older container.
_MUST: dict[str, tuple[Content, ...]] = {
    **dict.fromkeys(("png", "jpg", "jpeg", "jfif", "gif", "webp", "tif", "tiff", "heic", "heif", "avif"), _PICTURES),
    "pdf": (PDF,),
    **dict.fromkeys(("docx", "docm", "dotx", "xlsx", "xlsm", "xltx", "pptx", "pptm", "ppsx"), (ZIP, OLE)),
    **dict.fromkeys(("zip", "odt", "ods", "odp", "odg"), (ZIP,)),
    "msg": (OLE,),
    "rtf": (RTF,),
    "7z": (SEVEN,),
    "rar": (RAR,),
    **dict.fromkeys(("gz", "tgz"), (GZIP,)),
}
# What they may be besides text: exports called .xls are tables in HTML or newer workbooks as often as old ones.
_MAY: dict[str, tuple[Content, ...]] = {
    **dict.fromkeys(("doc", "dot", "xls", "xlt", "ppt", "pps"), (OLE, ZIP, RTF)),
    **dict.fromkeys(("txt", "csv", "tsv", "log", "md", "json", "xml", "yaml", "yml", "ini", "sql"), ()),
    **dict.fromkeys(("eml", "ics", "vcf", "html", "htm", "svg", "css"), ()),
}
_OF_PICTURE = {
    PNG: ("png",),
    JPEG: ("jpg", "jpeg", "jfif"),
    GIF: ("gif",),
    WEBP: ("webp",),
    TIFF: ("tif", "tiff"),
    HEIF: ("heic", "heif", "avif"),
}
TAKEN = (*_MUST, *_MAY)  # the endings that are judged


@dataclass(frozen=True, slots=True)
class Judged:
    """A file's name as its content has it, and what is wrong with the one it was given, in words."""

    name: str
    fault: str | None = None


def recognised(head: bytes) -> Content | None:
    """What a file is by its first bytes, when they say so."""
    return next((content for content in CONTENTS if content.begins(head)), None)


def judge(name: str, head: bytes) -> Judged:
    """Whether name and content agree. `name` is a safe one; of a wrong one, `Judged.name` says what the file is."""
    stem, dot, ending = name.rpartition(".")
    ending = ending.lower()
    if not dot or not head or ending not in TAKEN:
        return Judged(name)
    found = recognised(head)
    if ending in _MUST:
        agrees = any(content.begins(head) for content in _MUST[ending])
    else:
        agrees = found is None or found in _MAY[ending] or (found is PDF and not head.startswith(b"%PDF-"))
    if not agrees:
        what = f"what it holds is {found.words}" if found else "it does not hold what such a file begins with"
        fault = f"is called {name}, but {what}"
        return Judged(_ending_in(name, found.ending if found else _plain_ending(head)), fault)
    if found is not None and found.is_picture and ending not in _OF_PICTURE[found]:
        return Judged(_ending_in(stem, found.ending))
    return Judged(name)


def _plain_ending(head: bytes) -> str:
    return "txt" if content_type(head) == "text/plain" else "bin"


def _ending_in(stem: str, ending: str) -> str:
    return f"{stem[: MOST_NAME - len(ending) - 1]}.{ending}"
