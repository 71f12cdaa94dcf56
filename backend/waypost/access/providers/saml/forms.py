"""Forms that an identity provider has a browser send us: a few fields, urlencoded, each once."""

from __future__ import annotations

from urllib.parse import parse_qsl

from fastapi import Request

from waypost.access.providers.saml.guard import LARGEST
from waypost.access.providers.saml.refusing import Refused

_KIND = "application/x-www-form-urlencoded"


async def read_form(request: Request) -> dict[str, str]:
    """The fields. Raises `Refused` for what is no such form, or too large."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _KIND:
        raise Refused("not_a_form")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > 2 * LARGEST:  # base64, with some of it percent-encoded
            raise Refused("too_large")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=10, errors="strict")
    except (UnicodeDecodeError, ValueError) as wrong:
        raise Refused("not_a_form") from wrong
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Refused("not_a_form", "a name stands twice")
    return fields
