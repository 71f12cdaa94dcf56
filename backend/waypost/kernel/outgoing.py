"""Calling addresses that somebody typed in: only what lies outside this house, whatever its name resolves to.

A name is resolved once, every address it has is judged, and the connection goes to the one that was judged: a name that
means something else a moment later leads nowhere. Redirects are not followed. `OUTGOING_ALLOW` names networks that may
be called nevertheless, also without TLS.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from functools import lru_cache
from typing import Any

import httpx2

from waypost.kernel import tls
from waypost.kernel.settings import get_settings

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class NotAllowed(httpx2.TransportError):
    """This address is not called."""


@lru_cache
def _allowed(written: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(n, strict=False) for n in written)


def is_allowed(address: Address) -> bool:
    """Whether a network of ours was named for it."""
    address = _plain(address)
    return any(address in network for network in _allowed(tuple(get_settings().outgoing_allow)))


def is_outside(address: Address) -> bool:
    """Whether it lies outside: not this machine, not a private network, not a cloud's metadata."""
    address = _plain(address)
    return address.is_global and not address.is_multicast


_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: a gateway makes it the IPv4 address at its end


def _plain(address: Address) -> Address:
    """An IPv4 address written as IPv6 is the IPv4 address."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _TRANSLATED:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        teredo = address.teredo[1] if address.teredo else None
        return address.ipv4_mapped or address.sixtofour or teredo or address
    return address


def check_url(written: str) -> httpx2.URL:
    """The address in its parts. Raises `NotAllowed` for what is no https address, or not plainly so."""
    try:
        url = httpx2.URL(written)
    except (httpx2.InvalidURL, ValueError) as wrong:
        raise NotAllowed("this is no address") from wrong
    if url.scheme not in ("https", "http") or not url.host:
        raise NotAllowed("an address begins with https://")
    if url.userinfo:
        raise NotAllowed("an address holds no name and password")
    return url


async def resolve(url: httpx2.URL) -> str:
    """The one address to connect to. Raises `NotAllowed`, and `httpx2.ConnectError` for a name nobody knows."""
    is_encrypted = url.scheme == "https"
    return await resolve_host(url.host, url.port or (443 if is_encrypted else 80), is_encrypted=is_encrypted)


async def resolve_host(host: str, port: int, *, is_encrypted: bool = True) -> str:
    """The one address to connect to for a host somebody typed in, whatever is spoken with it. Raises as `resolve`."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as unknown:
        raise httpx2.ConnectError(f"{host} is not known") from unknown
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if not addresses:
        raise httpx2.ConnectError(f"{host} has no address")
    if all(is_allowed(a) for a in addresses):
        return str(addresses[0])
    if not is_encrypted:
        raise NotAllowed("an address begins with https://")
    if not all(is_outside(a) or is_allowed(a) for a in addresses):
        raise NotAllowed(f"{host} lies inside this network")
    return str(addresses[0])


class Guard(httpx2.AsyncBaseTransport):
    """Connects to what was judged; the name stays in the certificate's check and in `Host`."""

    def __init__(self, trust: ssl.SSLContext | None = None) -> None:
        self._inner = httpx2.AsyncHTTPTransport(verify=trust or tls.for_http())

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        host = check_url(str(request.url)).host
        address = await resolve(request.url)
        request.extensions = {**request.extensions, "sni_hostname": host}
        request.url = request.url.copy_with(host=address)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def guarded(trust: ssl.SSLContext | None = None) -> Any:
    """The transport of a client for addresses that somebody typed in; `trust` for authorities and certificates of its own."""
    return Guard(trust)
