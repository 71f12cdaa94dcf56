"""Reading an uploaded file as it comes in: one part of a form (RFC 7578), never whole in memory and never on our disk."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from waypost.kernel.bodies import WrongMediaType
from waypost.kernel.errors import FieldError, Invalid

MOST_FIELD = 1000  # bytes of a form's other fields
MOST_PARTS = 10
OVERHEAD = 64 * 1024  # what a form may be larger than the file in it


class BadUpload(Invalid):
    """The upload is not a form with one file in the field `file`."""

    code = "bad_upload"

    def __init__(self, message: str = "must hold one file") -> None:
        super().__init__(f"The upload {message}.", errors=(FieldError("/file", message),))


@dataclass(slots=True)
class Upload:
    """A file on its way in: what its sender calls it, the form's other fields before it, and its bytes, read once."""

    filename: str
    fields: dict[str, str]
    data: AsyncIterator[bytes]


class _Form:
    """Turns the parser's callbacks into parts, in order."""

    def __init__(self, boundary: bytes) -> None:
        self.seen: deque[tuple[str, Any]] = deque()
        self.is_whole = False
        self._headers: dict[str, bytes] = {}
        self._field = self._value = b""
        self._parts = 0

        def text(name: str) -> Callable[[bytes, int, int], None]:
            def add(data: bytes, start: int, end: int) -> None:
                setattr(self, name, getattr(self, name) + data[start:end])

            return add

        self.parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": text("_field"),
                "on_header_value": text("_value"),
                "on_header_end": self._header,
                "on_headers_finished": self._open,
                "on_part_data": lambda data, start, end: self.seen.append(("data", data[start:end])),
                "on_part_end": lambda: self.seen.append(("close", None)),
                "on_end": self._end,
            },
        )

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise BadUpload("has too many parts")
        self._headers = {}

    def _header(self) -> None:
        self._headers[self._field.decode("latin-1").lower()] = self._value
        self._field = self._value = b""

    def _open(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition", b""))
        self.seen.append(("open", (options.get(b"name", b""), options.get(b"filename"))))

    def _end(self) -> None:
        self.is_whole = True

    async def parts(self, request: Request) -> AsyncIterator[tuple[str, Any]]:
        """Everything the form holds, as it comes in. Raises `BadUpload`."""
        try:
            async for chunk in request.stream():
                if chunk:
                    self.parser.write(chunk)
                while self.seen:
                    yield self.seen.popleft()
        except (FormParserError, ClientDisconnect) as wrong:
            raise BadUpload("is not a form that can be read") from wrong
        if not self.is_whole:
            raise BadUpload("broke off")


async def read_upload(request: Request, *, field: str = "file") -> Upload:
    """The one file of a form, with its bytes still to come. Raises `BadUpload` or `WrongMediaType`."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data":
        raise WrongMediaType("Send a form, with `Content-Type: multipart/form-data`.")
    boundary = options.get(b"boundary")
    if not boundary:
        raise BadUpload("names no boundary")
    try:
        form = _Form(boundary)
    except FormParserError as wrong:
        raise BadUpload("names a boundary that cannot be") from wrong
    parts = form.parts(request)
    fields: dict[str, str] = {}
    name, value = b"", b""
    async for what, given in parts:
        if what == "open":
            name, filename = given
            value = b""
            if filename is not None:
                if name != field.encode():
                    raise BadUpload(f"must hold its file in the field {field}")
                return Upload(filename.decode(errors="replace"), fields, _rest(parts))
        elif what == "data":
            value += given
            if len(value) > MOST_FIELD:
                raise BadUpload("has a field that is too long")
        else:
            fields[name.decode(errors="replace")] = value.decode(errors="replace")
    raise BadUpload


async def _rest(parts: AsyncIterator[tuple[str, Any]]) -> AsyncIterator[bytes]:
    is_open = True
    async for what, given in parts:
        if what == "data" and is_open:
            yield given
        elif what == "close":
            is_open = False
        elif what == "open":
            # what came later could have said something about the file that is stored already
            raise BadUpload("must hold one file only, as its last field")
