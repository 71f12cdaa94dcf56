"""Which addresses that somebody typed in are called: those outside, however the others are written."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from waypost.kernel import outgoing
from waypost.kernel.settings import get_settings

INSIDE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:169.254.169.254",
    "2002:a9fe:a9fe::1",
    "64:ff9b::a9fe:a9fe",
]


@pytest.fixture
def allowed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def allow(networks: str) -> None:
        monkeypatch.setenv("OUTGOING_ALLOW", networks)
        get_settings.cache_clear()

    allow("[]")
    yield allow
    get_settings.cache_clear()


@pytest.mark.parametrize("address", INSIDE)
def test_what_lies_inside_is_not_outside(address: str) -> None:
    assert not outgoing.is_outside(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]
)
def test_what_lies_outside_is(address: str) -> None:
    assert outgoing.is_outside(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "written",
    [
        "",
        "ftp://example.com/",
        "file:///etc/passwd",
        "//example.com",
        "https://",
        "https://a:b@example.com/",
        "https://[::1",
    ],
)
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(outgoing.NotAllowed):
        outgoing.check_url(written)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost", "2130706433", "0x7f.1"])
async def test_this_machine_is_not_called(host: str, allowed: Any) -> None:
    with pytest.raises(httpx2.TransportError):
        await outgoing.resolve(httpx2.URL(f"https://{host}/"))


async def test_a_network_of_ours_is_called_when_it_is_named(allowed: Any) -> None:
    allowed('["127.0.0.0/8"]')
    assert await outgoing.resolve(httpx2.URL("http://127.0.0.1:9/")) == "127.0.0.1"
    with pytest.raises(outgoing.NotAllowed):
        await outgoing.resolve(httpx2.URL("https://10.0.0.1/"))
