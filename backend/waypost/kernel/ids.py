"""Identifiers: what a client may write where an id belongs, and random tokens."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import Path
from pydantic import BeforeValidator, Field

from waypost.kernel.errors import NotFound

MAX_ID = 2**62


def _strict_digits(value: object) -> object:
    # Pydantic reads "1_0", "1.0" and Arabic digits as integers; an id in an address is plain ASCII digits.
    if isinstance(value, str) and not (value.isascii() and value.isdigit() and len(value) < 20):
        raise ValueError("must be a whole number")
    if isinstance(value, bool):
        raise ValueError("must be a whole number")
    return value


Id = Annotated[int, BeforeValidator(_strict_digits), Field(ge=1, le=MAX_ID)]
PathId = Annotated[int, BeforeValidator(_strict_digits), Path(ge=1, le=MAX_ID)]


def path_id(raw: object) -> int:
    """The id in an address, for guards that run before the address is validated. Raises `NotFound` for anything else."""
    if isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) < 20 and 0 < int(raw) <= MAX_ID:
        return int(raw)
    raise NotFound


def random_token(prefix: str = "") -> str:
    """An unguessable token of 256 bits in URL-safe characters."""
    return prefix + secrets.token_urlsafe(32)
