"""Who really asks, when our own proxies stand in front. Pure.

Source: RFC 7239 (`Forwarded`), and the older `X-Forwarded-For`. One of the two is believed, whichever our proxies write:
a client could send the other one past a proxy that does not know it. Read from the right: every hop writes behind what
it was given, so the last address that is not a proxy of ours is the nearest one we can trust.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LONGEST = 8 * 1024  # characters of the header: no chain of proxies is as long
_PART = re.compile(r'\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)=("(?:[^"\\]|\\.)*"|[^;,\s"]*)\s*(;|,|$)')


@lru_cache
def networks(written: tuple[str, ...]) -> tuple[Network, ...]:
    """Networks as they are configured (CIDR). Raises `ValueError` for what is none."""
    return tuple(ipaddress.ip_network(one) for one in written)


def network(address: str) -> str:
    """The network an address's tries are counted under: itself; of IPv6 the /64, which is one host's. Nonsense stays."""
    try:
        known = _address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network(f"{known}/64", strict=False)) if known.version == 6 else str(known)


def client_of(peer: str, header: str, values: Iterable[str], trusted: Sequence[Network]) -> str:
    """The address a request comes from: the connection's `peer`, or what trusted proxies say it is.

    `header` is `forwarded` or `x-forwarded-for`, `values` the header's lines. What cannot be read is not believed: then
    it is the last proxy that could still be named.
    """
    address = peer
    if not is_among(address, trusted):
        return address
    line = ",".join(values)
    hops = list(_forwarded(line) if header == "forwarded" else line.split(",")) if len(line) <= LONGEST else []
    for hop in reversed(hops):
        named = _plain(hop)
        if named is None:
            break
        address = named
        if not is_among(address, trusted):
            break
    return address


def _address(written: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An address; an IPv4 one that a socket for both tells as `::ffff:…` is what it is. Raises `ValueError`."""
    known = ipaddress.ip_address(written)
    return (known.ipv4_mapped or known) if isinstance(known, ipaddress.IPv6Address) else known


def is_among(address: str, networks: Sequence[Network]) -> bool:
    """Whether an address lies in one of the networks; what is no address does not."""
    try:
        known = _address(address)
        return any(known in network for network in networks)
    except ValueError:
        return False


def _forwarded(line: str) -> Iterator[str]:
    """The `for` of each hop; empty where a hop does not tell, or tells what cannot be read."""
    at, hop, is_read = 0, "", False
    while at < len(line):
        part = _PART.match(line, at)
        if part is None:
            yield ""  # nothing left of here can be told apart any more, and what is right of it was not read either
            return
        name, value, end = part.groups()
        is_read = True
        if name.lower() == "for":
            hop = re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
        if end != ";":
            yield hop
            hop, is_read = "", False
        at = part.end()
    if is_read:
        yield hop


def _plain(hop: str) -> str | None:
    """The address in one hop, without port and brackets; None for `unknown`, names hidden (`_secret`) and nonsense."""
    hop = hop.strip()
    if hop.startswith("["):
        hop = hop[1:].partition("]")[0]
    elif hop.count(":") == 1:
        hop = hop.partition(":")[0]
    try:
        return str(_address(hop))
    except ValueError:
        return None
