"""Bodies, read strictly: bounded in size and depth, UTF-8, no NaN, NUL, lone surrogate or repeated key."""

from __future__ import annotations

import json
import re

import msgspec
from fastapi import Request
from starlette.requests import ClientDisconnect

from waypost.kernel.errors import FieldError, Invalid, Kind, Refusal, escape_pointer
from waypost.kernel.settings import get_settings

MAX_DEPTH = 32
MAX_MEMBERS = 1000  # of one object in a body: no form has as many fields

# Possessive: a string that never ends is passed over once, not from each of its quotes again.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?+', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")


class MalformedBody(Invalid):
    """The body is not JSON we can read."""

    code, title = "malformed_body", "Malformed body"


class BodyTooLarge(Refusal):
    """The body is larger than this endpoint takes."""

    code, kind, title = "body_too_large", Kind.TOO_LARGE, "Too large"


class WrongMediaType(Refusal):
    """Send JSON, with `Content-Type: application/json`."""

    code, kind, title = "wrong_media_type", Kind.UNSUPPORTED, "Wrong media type"


async def check_body(request: Request) -> None:
    """Refuse a body that is no JSON we take; an empty one is none. Raises as `read_body`, and `WrongMediaType`."""
    body = await read_body(request)
    if not body:
        return
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise WrongMediaType
    check_json(body)


async def read_body(request: Request) -> bytes:
    """The body as it came, no larger than a JSON body may be. Raises `BodyTooLarge` or `MalformedBody`."""
    limit = get_settings().max_body_bytes
    if int(request.headers.get("content-length") or 0) > limit:
        raise BodyTooLarge(f"A body holds at most {limit} bytes.")
    chunks, size = [], 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise BodyTooLarge(f"A body holds at most {limit} bytes.")
            chunks.append(chunk)
    except ClientDisconnect as gone:
        raise _malformed("broke off") from gone
    body = b"".join(chunks)
    request._body = body
    return body


def check_json(body: bytes) -> object:
    """The value of a JSON body. Raises `MalformedBody` for whatever PostgreSQL or our rules could not take."""
    # Depth is measured on the text: no parser should recurse into a hostile body before we know how deep it is.
    depth = deepest = 0
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH:
        for bracket in _BRACKET.findall(_STRING.sub(b"", body)):
            depth += 1 if bracket in b"[{" else -1
            deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise _malformed(f"is nested deeper than {MAX_DEPTH} levels")
    try:
        value = msgspec.json.decode(body)  # strict about numbers and encoding, but the last of two equal keys wins
        json.loads(body, object_pairs_hook=_once_each)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as wrong:
        raise _malformed(f"is not valid JSON: {wrong}") from wrong
    _check_text(value, "")
    return value


def _malformed(why: str) -> MalformedBody:
    """What is wrong with a body as a whole."""
    return MalformedBody(f"The body {why}.", errors=(FieldError("", why),))


def _once_each(pairs: list[tuple[str, object]]) -> None:
    if len(pairs) > MAX_MEMBERS:
        raise ValueError(f"an object has more than {MAX_MEMBERS} members")
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a name stands twice in one object")


def _check_text(value: object, pointer: str) -> None:
    if isinstance(value, str):
        if "\x00" in value:
            raise MalformedBody(errors=(FieldError(pointer, "must not contain the NUL character"),))
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError as wrong:
                raise MalformedBody(errors=(FieldError(pointer, "contains half a character (surrogate)"),)) from wrong
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check_text(key, pointer)
            _check_text(inner, f"{pointer}/{escape_pointer(key)}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _check_text(inner, f"{pointer}/{index}")
