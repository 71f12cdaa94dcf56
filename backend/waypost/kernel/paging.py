"""Keyset paging: a page is found by the last row's sort values, never by an offset.

A cursor is opaque to clients; it carries the sort it belongs to and the last row's values, so a cursor used with
another sort is refused instead of giving a wrong page.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from fastapi import Query
from sqlalchemy import ColumnElement, and_, or_

from waypost.kernel.errors import FieldError, Invalid

MAX_LIMIT = 100
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Rows a page holds at most.", examples=[25])]
Cursor = Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before.", examples=[None])]


class BadCursor(Invalid):
    """This cursor does not belong to this list. Start again without one."""

    code = "bad_cursor"

    def __init__(self) -> None:
        super().__init__(errors=(FieldError("?cursor", "is not a cursor of this list"),))


def encode_cursor(sort: str, *values: object) -> str:
    """The cursor behind a row: the list's sort key and the row's values of it (times as RFC 3339)."""
    plain = [v.isoformat() if isinstance(v, datetime) else v for v in values]
    return base64.urlsafe_b64encode(msgspec.json.encode([sort, *plain])).rstrip(b"=").decode()


def decode_cursor(cursor: str, sort: str, *types: type) -> tuple[Any, ...]:
    """The values a cursor carries, checked against the list's sort and types. Raises `BadCursor`."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        kept, *values = msgspec.json.decode(raw, type=list)
        if kept != sort or len(values) != len(types):
            raise BadCursor
        return tuple(_typed(v, t) for v, t in zip(values, types, strict=True))
    except (binascii.Error, msgspec.DecodeError, ValueError, TypeError, OverflowError) as wrong:
        raise BadCursor from wrong


def _typed(value: object, kind: type) -> object:
    if kind is datetime and isinstance(value, str):
        at = datetime.fromisoformat(value)
        if at.tzinfo is None:
            raise ValueError(value)
        return at.astimezone(UTC)  # of an instant that fits no calendar in UTC this raises
    if type(value) is not kind or (kind is int and abs(int(value)) > 2**62):  # type: ignore[call-overload]
        raise ValueError(value)
    if isinstance(value, str) and "\x00" in value:
        raise ValueError(value)
    return value


def after(keys: Sequence[tuple[Any, Any, bool]]) -> ColumnElement[bool]:
    """The rows behind a cursor: `keys` are (column, last value or parameter, descending), most significant first."""
    alternatives = []
    for n, (column, value, descending) in enumerate(keys):
        same = [c == v for c, v, _ in keys[:n]]
        alternatives.append(and_(*same, column < value if descending else column > value))
    return or_(*alternatives)
