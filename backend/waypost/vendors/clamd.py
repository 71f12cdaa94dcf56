"""A virus scanner: clamd's INSTREAM conversation (clamd(8)). Knows bytes and answers, never whose they are."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from waypost.kernel import tls

TIMEOUT = 60.0  # seconds for the whole conversation


@dataclass(frozen=True, slots=True)
class Clean:
    """Nothing was found."""


@dataclass(frozen=True, slots=True)
class Infected:
    """Something was found; `name` is the scanner's word for it."""

    name: str


@dataclass(frozen=True, slots=True)
class NotScanned:
    """The scanner is away, or could not look: to be tried again."""

    why: str


Verdict = Clean | Infected | NotScanned


async def scan(url: str, data: AsyncIterator[bytes], *, ca_file: Path | None = None) -> Verdict:
    """What the scanner at `unix:///path`, `tls://host:port` or `tcp://host:port` says of these bytes.

    clamd itself speaks no TLS: something in front of it does, with a certificate of `ca_file`. Raises only what `data` raises.
    """
    try:
        async with asyncio.timeout(TIMEOUT):
            return await _ask(url, data, ca_file)
    except (OSError, TimeoutError, asyncio.IncompleteReadError) as failed:
        return NotScanned(f"{type(failed).__name__}: {failed}"[:200])


async def _ask(url: str, data: AsyncIterator[bytes], ca_file: Path | None) -> Verdict:
    where = urlsplit(url)
    if where.scheme == "unix":
        reader, writer = await asyncio.open_unix_connection(where.path)
    else:
        trust = tls.context(ca_file) if where.scheme == "tls" else None
        reader, writer = await asyncio.open_connection(where.hostname, where.port, ssl=trust)
    try:
        writer.write(b"zINSTREAM\0")
        async for piece in data:
            writer.write(len(piece).to_bytes(4, "big") + piece)
            await writer.drain()
        writer.write(b"\0\0\0\0")
        await writer.drain()
        answer = (await reader.readuntil(b"\0")).rstrip(b"\0").decode(errors="replace")
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    said = answer.partition(": ")[2]
    if said == "OK":
        return Clean()
    if said.endswith(" FOUND"):
        return Infected(said.removesuffix(" FOUND"))
    return NotScanned(answer[:200])
