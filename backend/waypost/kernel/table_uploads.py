"""A table somebody uploads: one file of a form, bounded, read as CSV or as an Excel workbook.

It is read before any session with the database is opened: reading may take its time, and holds no connection.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from waypost.kernel import table_reading
from waypost.kernel.errors import FieldError, Invalid, Kind, Refusal
from waypost.kernel.filenames import safe_name
from waypost.kernel.tables import MOST_BYTES, BadTable, Table
from waypost.kernel.uploads import OVERHEAD, read_upload

# What a route that takes a table says of its body.
FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                },
                "example": {"file": "old-list.csv"},
            }
        },
    }
}


class ImportTooLarge(Refusal):
    """An import takes files of 10 MB at most."""

    code, kind, title = "import_too_large", Kind.TOO_LARGE, "Too large"


class BadFile(Invalid):
    """The file is no table that can be read."""

    code = "bad_file"

    def __init__(self, why: str = "is no table that can be read") -> None:
        super().__init__(f"The file {why}.", errors=(FieldError("/file", why),))


@dataclass(frozen=True, slots=True)
class Brought:
    """A table as it came: what its sender calls it, the hash of its bytes, and its rows."""

    filename: str
    sha256: str
    table: Table

    @property
    def content(self) -> bytes:
        """What makes a repeated request the same one."""
        return f"{self.sha256} {self.filename}".encode()


async def read_table_upload(request: Request) -> Brought:
    """The table in a form's field `file`. Raises `ImportTooLarge`, `BadUpload`, `WrongMediaType` or `BadFile`."""
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and (len(length) > 15 or int(length) > MOST_BYTES + OVERHEAD):
        raise ImportTooLarge
    upload = await read_upload(request)
    data = bytearray()
    async for piece in upload.data:
        data += piece
        if len(data) > MOST_BYTES:
            raise ImportTooLarge
    try:
        table = await table_reading.read(bytes(data))
    except BadTable as wrong:
        raise BadFile(str(wrong)) from wrong
    return Brought(safe_name(upload.filename), hashlib.sha256(data).hexdigest(), table)
