"""Bringing entries to one destination, by its kind: what can go wrong is one of two things, and said for people."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx2

from waypost.audit.streams.entries import Entry, body, json_line, portions
from waypost.audit.streams.syslog_format import EXAMPLE_ENTERPRISE, LONGEST_UDP, Style, message
from waypost.kernel import outgoing
from waypost.kernel.clock import now
from waypost.kernel.settings import get_settings
from waypost.vendors import answers, syslog
from waypost.vendors.fates import Misconfigured, Rejected, TryLater

LONGEST = 15.0  # seconds for one portion
MOST_BYTES = 900_000  # of one portion before it is packed: many services take a megabyte
MOST_MESSAGES = 500
SYSLOG, HTTPS = "SYSLOG", "HTTPS"


class NotTaken(Exception):
    """The destination did not take it. `is_wrong`: it will not before somebody changes something. `after`: its wish."""

    def __init__(self, why: str, *, is_wrong: bool = False, after: timedelta | None = None) -> None:
        super().__init__(why)
        self.why, self.is_wrong, self.after = why[:500], is_wrong, after


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to, and how; opened."""

    kind: str
    settings: Mapping[str, Any]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def where(self) -> str:
        """For people: `tls://siem.example.com:6514`, or the address without what stands behind its host."""
        if self.kind == SYSLOG:
            return f"{str(self.settings['transport']).lower()}://{self.settings['host']}:{self.settings['port']}"
        parts = urlsplit(str(self.settings["url"]))
        return f"{parts.scheme}://{parts.netloc}"


def style_of(settings: Mapping[str, Any]) -> Style:
    """How a receiver of syslog wants its messages."""
    longest = int(settings.get("longest") or 65_536)
    return Style(
        hostname=settings.get("hostname") or urlsplit(get_settings().origin).hostname or "waypost",
        app_name=settings.get("app_name") or "waypost",
        enterprise=settings.get("enterprise_number") or EXAMPLE_ENTERPRISE,
        facility=settings.get("facility"),
        longest=min(longest, LONGEST_UDP) if settings.get("transport") == "UDP" else longest,
    )


def written(destination: Destination, entries: Sequence[Entry]) -> list[bytes]:
    """Each entry as it goes there."""
    if destination.kind == SYSLOG:
        style = style_of(destination.settings)
        return [message(e, style) for e in entries]
    longest = MOST_BYTES // 2  # one huge entry goes without its details; it can be looked up by its number
    return [line if len(line := json_line(e)) <= longest else json_line(e, is_cut=True) for e in entries]


def portions_of(destination: Destination, lines: Sequence[bytes]) -> list[tuple[int, int]]:
    """What goes at once: (from, to) of each portion."""
    most = MOST_MESSAGES if destination.kind == SYSLOG else int(destination.settings.get("batch_size") or 200)
    return list(portions(lines, most=most, most_bytes=MOST_BYTES))


async def bring(destination: Destination, lines: Sequence[bytes], *, positions: str = "") -> None:
    """Bring one portion. Raises `NotTaken`."""
    if destination.kind == SYSLOG:
        await _by_syslog(destination, lines)
    else:
        await _by_https(destination, lines, positions)


async def _by_syslog(destination: Destination, lines: Sequence[bytes]) -> None:
    wanted, secrets = destination.settings, destination.secrets
    host, port, transport = wanted["host"], wanted["port"], wanted["transport"]
    address = await judged(host, port, is_encrypted=transport == "TLS")
    receiver = syslog.Receiver(
        host,
        address,
        port,
        transport,
        wanted.get("ca_certificate"),
        wanted.get("client_certificate"),
        secrets.get("client_key"),
    )
    try:
        await asyncio.to_thread(syslog.bring, receiver, lines, within=LONGEST)
    except syslog.NotTrusted as untrusted:
        raise NotTaken(str(untrusted), is_wrong=True) from untrusted
    except syslog.Away as away:
        raise NotTaken(str(away)) from away


async def judged(host: str, port: int, *, is_encrypted: bool) -> str:
    """The one address to connect to (`kernel.outgoing`). Raises `NotTaken`."""
    try:
        async with asyncio.timeout(5):
            return await outgoing.resolve_host(host, port, is_encrypted=is_encrypted)
    except outgoing.NotAllowed as refused:
        why = f"{host} may not be called: it lies inside this network, and OUTGOING_ALLOW does not name it"
        if not is_encrypted:
            why = f"{host} may only be called by TLS: OUTGOING_ALLOW does not name its network"
        raise NotTaken(why, is_wrong=True) from refused
    except TimeoutError as late:
        raise NotTaken(f"the name {host} is not answered in time") from late
    except httpx2.ConnectError as unknown:
        raise NotTaken(str(unknown)) from unknown


async def _by_https(destination: Destination, lines: Sequence[bytes], positions: str) -> None:
    wanted, secrets = destination.settings, destination.secrets
    is_array = wanted["body_format"] == "ARRAY"
    headers = {
        "Content-Type": "application/json" if is_array else "application/x-ndjson",
        "User-Agent": "Waypost",
    }
    if positions:
        headers["X-Waypost-Positions"] = positions
    if wanted["auth"] == "BEARER":
        headers["Authorization"] = f"Bearer {secrets.get('secret', '')}"
    elif wanted["auth"] == "HEADER":
        headers[wanted["header_name"]] = secrets.get("secret", "")
    content = body(lines, is_array=is_array)
    if wanted.get("is_gzip"):
        content, headers["Content-Encoding"] = gzip.compress(content, 6, mtime=0), "gzip"
    try:
        own = wanted.get("ca_certificate") or wanted.get("client_certificate")
        context = (
            syslog.tls_context(
                wanted.get("ca_certificate"), wanted.get("client_certificate"), secrets.get("client_key")
            )
            if own
            else None
        )
    except (ssl.SSLError, ValueError) as wrong:
        raise NotTaken("its certificates or the key cannot be used", is_wrong=True) from wrong
    try:
        async with answers.client(transport=outgoing.guarded(context)) as http:
            answer = await answers.ask(http, "POST", wanted["url"], within=LONGEST, content=content, headers=headers)
    except answers.Away as away:
        is_refused = isinstance(away.__cause__, outgoing.NotAllowed)
        why = f"{destination.where} may not be called: {away.__cause__}" if is_refused else str(away)
        raise NotTaken(why, is_wrong=is_refused) from away
    fate = answers.fate_of(answer, now(), destination.where)
    if isinstance(fate, TryLater):
        raise NotTaken(fate.why, after=fate.after)
    if isinstance(fate, Misconfigured | Rejected):
        raise NotTaken(fate.why, is_wrong=True)
