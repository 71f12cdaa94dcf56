"""A provider's directory, ready to be asked: its servers judged, its questions in threads of their own, none for ever."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import httpx2

from waypost.access.providers.kinds import Config
from waypost.access.providers.ldap.shape import Shape, shape_of
from waypost.kernel import outgoing
from waypost.vendors import ldap

Result = TypeVar("Result")
PATIENCE = 15.0  # seconds for a question somebody waits for
PORTS: dict[ldap.Security, int] = {"tls": 636, "starttls": 389, "none": 389}
_THREADS = 8  # a directory that hangs holds up these, and nothing else
_pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="ldap")


@dataclass(frozen=True, slots=True)
class Directory:
    """Where it is, who we are to it, and how it is laid out."""

    servers: tuple[ldap.Server, ...]
    account: ldap.Account = field(repr=False)
    shape: Shape

    async def ask(self, question: Callable[[ldap.Connection, Shape], Result], *, patience: float = PATIENCE) -> Result:
        """The answer to a question, asked as the account Waypost has there. Raises `LdapError`."""

        def work() -> Result:
            with ldap.connect(self.servers, self.account) as connection:
                return question(connection, self.shape)

        return await in_thread(work, patience)

    async def try_password(self, dn: str, password: str) -> None:
        """Ask whether a password is an entry's. Raises `SignInRefused` when not, and other `LdapError`s."""
        await in_thread(lambda: ldap.is_password(self.servers, dn, password), PATIENCE)


async def in_thread(work: Callable[[], Result], patience: float) -> Result:
    """What `work` comes to, in a thread for directories. Raises `Away` when it takes too long."""
    try:
        return await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(_pool, work), patience)
    except TimeoutError as late:
        raise ldap.Away("it does not answer in time") from late


async def directory_of(config: Config) -> Directory:
    """The directory that settings describe. Raises `Away` or `NotTrusted` when none of its servers may be called."""
    account = ldap.Account(str(config.get("bind_dn") or "").strip(), str(config.get("bind_password") or ""))
    return Directory(await servers_of(config), account, shape_of(config))


async def servers_of(config: Config) -> tuple[ldap.Server, ...]:
    """The servers that may be called, each at the address its name was judged to be. Raises when there is none."""
    security = security_of(config)
    ca_file = str(config.get("ca_file") or "").strip()
    found: list[ldap.Server] = []
    wrong: ldap.LdapError = ldap.Away("no server is named")
    for written in config.get("servers") or ():
        try:
            host, port = parse(str(written), PORTS[security])
            address = await _judged(host, port, is_encrypted=security != "none")
        except ValueError as error:
            wrong = ldap.Away(str(error))
        except outgoing.NotAllowed as refused:
            wrong = ldap.NotTrusted(str(refused))
        except httpx2.TransportError as unknown:
            wrong = ldap.Away(str(unknown))
        else:
            name = str(config.get("certificate_name") or "").strip()
            found.append(ldap.Server(host, address, port, security, name, Path(ca_file) if ca_file else None))
    if not found:
        raise wrong
    return tuple(found)


def security_of(config: Config) -> ldap.Security:
    """How the connection is encrypted; encrypted from the first byte unless it says otherwise."""
    said = config.get("security")
    return "starttls" if said == "starttls" else "none" if said == "none" else "tls"


def parse(written: str, port: int) -> tuple[str, int]:
    """Host and port of a server as it is written: `host`, `host:port`, `[address]:port`. Raises `ValueError`."""
    text = written.strip().removeprefix("ldaps://").removeprefix("ldap://").rstrip("/")
    host, sign, number = text.rpartition(":")
    if not sign or text.endswith("]") or (":" in host.strip("[]") and not host.startswith("[")):
        host, number = text, str(port)
    host = host.strip("[]")
    if not host or len(host) > 253 or any(c.isspace() or c in "/@?#" for c in host):
        raise ValueError(f"{written!r} is no server: write its name, and a port behind a colon when it is not {port}")
    if not number.isascii() or not number.isdigit() or not 0 < int(number) < 65536:
        raise ValueError(f"{written!r} has no port")
    return host, int(number)


async def _judged(host: str, port: int, *, is_encrypted: bool) -> str:
    address = await outgoing.resolve_host(host, port, is_encrypted=is_encrypted)
    if not is_encrypted and not ipaddress.ip_address(address).is_loopback:
        raise outgoing.NotAllowed(f"{host} would get passwords in the clear: choose TLS or STARTTLS")
    return address
