"""Which version a change is of: named in `If-Match` or in the body, as of tickets."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Header

from waypost.kernel.errors import StaleVersion, VersionRequired

IfMatch = Annotated[str | None, Header(max_length=100, examples=['"42-3"'])]
MAX_VERSION = 2**31 - 1
_ETAG = re.compile(r'(?:W/)?"(\d{1,19})-(\d{1,10})"')


def etag(row_id: int, version: int) -> dict[str, str]:
    """The header that names a version."""
    return {"ETag": f'"{row_id}-{version}"'}


def version_of(row_id: int, body_version: int | None, if_match: str | None) -> int:
    """The version a change is of. Raises `VersionRequired`, or `StaleVersion` for what names another thing or two."""
    if if_match is not None:
        matched = _ETAG.fullmatch(if_match.strip())
        if matched is None or int(matched[1]) != row_id or int(matched[2]) > MAX_VERSION:
            raise StaleVersion
        if body_version is not None and body_version != int(matched[2]):
            raise StaleVersion
        return int(matched[2])
    if body_version is None:
        raise VersionRequired
    return body_version
