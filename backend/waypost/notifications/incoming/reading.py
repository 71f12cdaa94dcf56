"""A mail as bytes, read: who, to whom, about what, its words, its files. Pure, and never surprised.

Mail is written by programs of forty years and by attackers, so nothing of it is taken for granted: every header is cut to
a length before it is looked at, every charset may be unknown, every part may be broken. What cannot be read at all is
`Unreadable`, with a reason for a person; all else is an `Arrived`, with what was left out counted.
"""

from __future__ import annotations

import codecs
import email
import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import decode_header
from email.message import Message
from email.policy import EmailPolicy
from email.utils import getaddresses, parsedate_to_datetime
from typing import Any

from waypost.notifications.incoming.markup import cleaned, words_between_tags, words_of_html

MOST_BYTES = 50 * 2**20
MOST_WORK = 30_000_000  # lines, times the boundaries each may be compared with
MOST_PARTS = 1000
MOST_FILES = 100  # as many as a ticket takes
MOST_TEXT = 200_000  # characters
MOST_HTML = 1_000_000
MOST_HEADER = 16_000  # of one header's characters
MOST_ADDRESSES = 200
MOST_IDS = 50
# Read as text by Python, but slow or made for something else.
_NO_CHARSETS = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem"})
_ID = re.compile(r"<[^<>\s]{1,500}>")
_KIND = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+")
_BOUNDARY = re.compile(rb"boundary", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class File:
    """Something attached, or shown within the text (`is_inline`)."""

    name: str
    content_type: str
    data: bytes
    is_inline: bool = False


@dataclass(frozen=True, slots=True)
class Address:
    """A name, as its owner wrote it, and an address in lower case."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """A mail. `senders` are all its From addresses: a trustworthy mail has one.

    `text` are its words, taken from the HTML where it has no text of its own; `html` is safe to show, and without
    anything a browser would fetch. `headers` are all by lower-case name, unfolded and decoded, in their order.
    `left_out` says what was not kept, for people. `fingerprint` is the same for the same mail by two ways.
    """

    message_id: str | None
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    senders: tuple[Address, ...]
    reply_to: tuple[Address, ...]
    recipients: tuple[str, ...]
    return_path: str | None
    subject: str
    sent_at: datetime | None
    text: str
    html: str | None
    files: tuple[File, ...]
    headers: tuple[tuple[str, str], ...]
    content_type: str
    fingerprint: str
    left_out: tuple[str, ...] = ()
    reports: tuple[tuple[tuple[str, str], ...], ...] = ()
    returned: tuple[tuple[str, str], ...] = ()

    @property
    def sender(self) -> str:
        """The one address it says it is from; empty when it names none, or several."""
        return self.senders[0].email if len(self.senders) == 1 else ""

    def all(self, name: str) -> tuple[str, ...]:
        """Every header of this name."""
        return tuple(value for key, value in self.headers if key == name)

    def one(self, name: str) -> str:
        """The first header of this name, or nothing."""
        return next(iter(self.all(name)), "")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What cannot be read, and why, in words for an administrator."""

    why: str


class _Bounded(EmailPolicy):
    """The standard library's policy, with every header cut to a length before anything parses it."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        is_structure = name.lower().startswith("content-")
        return name[:200], value[: 2000 if is_structure else MOST_HEADER]


_POLICY = _Bounded(max_line_length=None)


def read(raw: bytes) -> Arrived | Unreadable:
    """What a mail says. Whatever the bytes are, this returns, in a time that goes by their number."""
    if len(raw) > MOST_BYTES:
        return Unreadable(f"it is larger than {MOST_BYTES // 2**20} MB")
    if not raw.strip():
        return Unreadable("it is empty")
    if (raw.count(b"\n") + raw.count(b"\r") + 1) * (1 + _levels(raw)) > MOST_WORK:
        return Unreadable("it has too many lines in too many parts within each other")
    try:
        mail = email.message_from_bytes(raw, policy=_POLICY)
        return _arrived(mail)
    except RecursionError:
        return Unreadable("its parts lie too deep within each other")
    except Exception as error:  # the parser's own faults with hostile input are no reason to stop
        return Unreadable(f"it is not a mail that can be read ({type(error).__name__})")


def _levels(raw: bytes) -> int:
    """At most how deep parts can lie: a boundary for each level."""
    return sum(1 for _ in _BOUNDARY.finditer(raw))


def _arrived(mail: Message) -> Arrived:
    headers = tuple(_headers(mail))
    parts = _Parts()
    parts.walk(mail)
    text, html = parts.words()
    subject = _first(headers, "subject")
    senders = tuple(_addresses(headers, "from"))
    recipients = [a.email for name in _TO for a in _addresses(headers, name)]
    fingerprint = hashlib.sha256()
    for piece in (*(a.email for a in senders), subject, _first(headers, "date"), text, html or ""):
        fingerprint.update(piece.encode("utf-8", "replace") + b"\0")
    for file in parts.files:
        fingerprint.update(file.name.encode("utf-8", "replace") + b"\0" + hashlib.sha256(file.data).digest())
    path = _first(headers, "return-path")
    return Arrived(
        message_id=next(iter(_ids(headers, "message-id")), None),
        in_reply_to=_ids(headers, "in-reply-to"),
        references=_ids(headers, "references"),
        senders=senders,
        reply_to=tuple(_addresses(headers, "reply-to")),
        recipients=tuple(dict.fromkeys(recipients)),
        return_path=path.strip().strip("<>").lower() if path else None,
        subject=subject,
        sent_at=_moment(_first(headers, "date")),
        text=text,
        html=html,
        files=tuple(parts.files),
        headers=headers,
        content_type=_type_of(mail),
        fingerprint=fingerprint.hexdigest(),
        left_out=tuple(parts.left_out()),
        reports=tuple(parts.reports),
        returned=parts.returned,
    )


# --- headers ----------------------------------------------------------------------------------------------------------

_TO = ("to", "cc", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-forwarded-to")
_MOST_HEADERS = 1000


def _headers(mail: Message) -> Iterator[tuple[str, str]]:
    for n, (name, value) in enumerate(mail.raw_items()):
        if n >= _MOST_HEADERS:
            return
        yield str(name).strip().lower(), header_text(str(value))


def header_text(value: str) -> str:
    """A header's value as one line of text: unfolded, encoded words decoded, nothing in it that is no character."""
    bare = re.sub(r"[\r\n]+", " ", value[:MOST_HEADER])
    try:
        pieces = decode_header(bare) if "=?" in bare else [(bare, None)]
    except Exception:  # broken encoded words stay as they are written
        pieces = [(bare, None)]
    return plain_line("".join(_piece(piece, charset) for piece, charset in pieces))


def _piece(piece: Any, charset: str | None) -> str:
    return decoded(piece, charset) if isinstance(piece, bytes) else str(piece)


def plain_line(text: str) -> str:
    """Text as one line: composed (NFC), without control characters or halves of characters."""
    whole = _whole_characters(text)
    kept = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs", "Cn") else c for c in whole)
    return " ".join(unicodedata.normalize("NFC", kept).split())


def _whole_characters(text: str) -> str:
    """Bytes that were no ASCII come as halves of characters (surrogates): read as UTF-8 if they are, else as Latin."""
    if not any("\ud800" <= c <= "\udfff" for c in text):
        return text
    try:
        return text.encode("ascii", "surrogateescape").decode("utf-8")
    except UnicodeError:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _first(headers: Sequence[tuple[str, str]], name: str) -> str:
    return next((value for key, value in headers if key == name), "")


def _addresses(headers: Sequence[tuple[str, str]], name: str) -> Iterator[Address]:
    values = [value for key, value in headers if key == name][:20]
    try:
        # one by one: a value that makes no sense hides no other
        found = [pair for value in values for pair in getaddresses([value])]
    except Exception:  # then it names nobody
        return
    for label, address in found[:MOST_ADDRESSES]:
        bare = address.strip().lower()
        if 3 <= len(bare) <= 254 and bare.count("@") == 1 and bare[0] != "@" != bare[-1] and " " not in bare:
            yield Address(label[:200], bare)


def _ids(headers: Sequence[tuple[str, str]], name: str) -> tuple[str, ...]:
    found = [i for key, value in headers if key == name for i in _ID.findall(value)]
    return tuple(dict.fromkeys(found[-MOST_IDS:]))


def _moment(written: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(written)
        at = found if found.tzinfo else found.replace(tzinfo=UTC)
        return at.astimezone(UTC) if 1990 <= at.year <= 9000 else None
    except Exception:
        return None


# --- parts ------------------------------------------------------------------------------------------------------------


class _Parts:
    """What is found on the way through a mail's parts."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.htmls: list[str] = []
        self.files: list[File] = []
        self.reports: list[tuple[tuple[str, str], ...]] = []
        self.returned: tuple[tuple[str, str], ...] = ()
        self.passed_over = 0
        self.is_cut = False
        self.is_unformatted = False
        self._seen = 0

    def walk(self, mail: Message) -> None:
        """Every part in its order, without calling itself however deep they lie."""
        waiting = [mail]
        while waiting:
            part = waiting.pop()
            self._seen += 1
            if self._seen > MOST_PARTS:
                self.passed_over += 1 + len(waiting)
                return
            kind = _type_of(part)
            if kind == "message/delivery-status":
                self.reports += [tuple(_headers(block)) for block in _children(part)[:MOST_PARTS]]
            elif kind.startswith("message/"):
                self._attached_mail(part)
            elif part.is_multipart():
                waiting += reversed(_children(part))
            else:
                self._leaf(part, kind)

    def _leaf(self, part: Message, kind: str) -> None:
        disposition = _disposition(part)
        name = _filename(part)
        data = _payload(part)
        if kind == "text/rfc822-headers":
            self.returned = self.returned or _header_block(data)
        elif kind == "text/plain" and disposition != "attachment" and not name:
            self._add(self.texts, decoded(data, _charset(part)), MOST_TEXT)
        elif kind == "text/html" and disposition != "attachment" and not name:
            self._add(self.htmls, decoded(data, _charset(part)), MOST_HTML)
        elif data or name:
            self._keep(File(name or _name_for(kind, len(self.files) + 1), kind, data, disposition != "attachment"))

    def _add(self, to: list[str], text: str, most: int) -> None:
        room = most - sum(len(one) for one in to)
        self.is_cut = self.is_cut or len(text) > room
        if room > 0:
            to.append(text[:room])

    def _attached_mail(self, part: Message) -> None:
        inner = _children(part)
        if inner:
            self.returned = self.returned or tuple(_headers(inner[0]))
            subject = header_text(str(dict(inner[0].raw_items()).get("Subject", "")))[:100]
            data = _flat(inner[0])
        else:
            subject, data = "", _payload(part)
        if data:
            self._keep(File(_filename(part) or f"{subject or 'mail'}.eml", "message/rfc822", data))

    def _keep(self, file: File) -> None:
        if len(self.files) < MOST_FILES:
            self.files.append(file)
        else:
            self.passed_over += 1

    def words(self) -> tuple[str, str | None]:
        """The text, and the HTML made safe."""
        written = "\n".join(self.htmls)
        html = cleaned(written) if written else None
        self.is_unformatted = bool(written) and html is None
        text = plain_text("\n".join(self.texts))
        if not text.strip() and written:
            words = words_of_html(html) if html is not None else words_between_tags(written)
            text = plain_text(words)[:MOST_TEXT]
        return text, html

    def left_out(self) -> Iterator[str]:
        """What people are told was not kept."""
        if self.passed_over:
            yield f"{self.passed_over} more parts"
        if self.is_cut:
            yield "the end of a very long text"
        if self.is_unformatted:
            yield "how its text was laid out"


def _children(part: Message) -> list[Message]:
    inner = part.get_payload()
    return [child for child in inner if isinstance(child, Message)] if isinstance(inner, list) else []


def _type_of(part: Message) -> str:
    try:
        kind = part.get_content_type().lower()[:100]
    except Exception:  # text, as what names no kind (RFC 2045, 5.2)
        return "text/plain"
    is_plain = _KIND.fullmatch(kind) is None or (kind.startswith("multipart/") and not part.is_multipart())
    return "text/plain" if is_plain else kind


def _disposition(part: Message) -> str:
    try:
        return (part.get_content_disposition() or "").lower()
    except Exception:
        return ""


def _filename(part: Message) -> str:
    try:
        name = part.get_filename()
    except Exception:
        return ""
    return header_text(name)[:200] if name else ""


def _charset(part: Message) -> str | None:
    try:
        return part.get_content_charset()
    except Exception:
        return None


def _payload(part: Message) -> bytes:
    try:
        data = part.get_payload(decode=True)
    except Exception:
        data = part.get_payload()
    if isinstance(data, str):
        return data.encode("utf-8", "surrogateescape")
    return data if isinstance(data, bytes) else b""


def _flat(mail: Message) -> bytes:
    try:
        return mail.as_bytes(policy=email.policy.compat32)
    except Exception:  # what cannot be put together again: its words at least
        return _payload(mail)


def _header_block(data: bytes) -> tuple[tuple[str, str], ...]:
    return tuple(_headers(email.message_from_bytes(data[: 256 * 1024] + b"\n\n", policy=_POLICY)))


def _name_for(kind: str, number: int) -> str:
    ending = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "text/calendar": "ics", "text/plain": "txt"}
    return f"{kind.split('/', maxsplit=1)[0]}-{number}.{ending.get(kind, 'bin')}"


def decoded(data: bytes, charset: str | None) -> str:
    """Bytes as text by the charset they are said to be in; by the likeliest one when there is no such thing."""
    said = _codec(charset or "utf-8")
    for name in (said, "utf-8"):
        try:
            if name:
                return data.decode(name)
        except (LookupError, UnicodeError):  # of the codecs some give bytes, which is no text either
            continue
    return data.decode("utf-8" if said == "utf-8" else "cp1252", "replace")


def _codec(charset: str) -> str | None:
    try:
        name = codecs.lookup(charset.strip().strip("\"'")[:40]).name
    except (LookupError, ValueError):
        return None
    return None if name in _NO_CHARSETS else name


def plain_text(text: str) -> str:
    """Lines of text: composed (NFC), line ends as "\\n", nothing in it that is no character."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    kept = "".join(c for c in _whole_characters(lines) if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
    return unicodedata.normalize("NFC", kept)
