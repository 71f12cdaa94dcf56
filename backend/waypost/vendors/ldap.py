"""Directories over LDAP (RFC 4511): signing in to one, and reading entries page by page.

Knows entries as bytes, never what they mean. Certificates are always checked, referrals never followed, and an empty
password never sent: to LDAP it is an anonymous sign-in, which succeeds. Everything here waits; it is called from a thread.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import ldap3
from ldap3.core.exceptions import (
    LDAPCommunicationError,
    LDAPException,
    LDAPResponseTimeoutError,
    LDAPStartTLSError,
)
from ldap3.utils.conv import escape_bytes, escape_filter_chars

from waypost.kernel import tls

CONNECT_TIMEOUT = 5  # seconds
RECEIVE_TIMEOUT = 20  # seconds for one answer; a page of entries is several
PAGE = 1000  # Active Directory gives no more at once
_PAGED = "1.2.840.113556.1.4.319"
_SUCCESS, _STRONGER_AUTH, _WRONG_CREDENTIALS, _NO_OBJECT = 0, 8, 49, 32
_BUSY = {51, 52}  # busy, unavailable

Security = Literal["tls", "starttls", "none"]
# Why a password was not taken, as far as the directory says. Only Active Directory does, in the text of its answer.
Why = Literal["wrong", "unknown", "disabled", "password_expired", "must_change", "account_expired", "locked", "not_now"]
_AD_CODES: dict[str, Why] = {
    "525": "unknown",
    "52e": "wrong",
    "530": "not_now",  # outside the hours in which the person may sign in
    "531": "not_now",  # not from this machine
    "532": "password_expired",
    "533": "disabled",
    "701": "account_expired",
    "773": "must_change",
    "775": "locked",
}
_AD_SAYS = re.compile(r"\bdata ([0-9a-f]{3,8})\b")


@dataclass(frozen=True, slots=True)
class Server:
    """One server of a directory. `address` is what `host` was judged to be; `name` is the one in its certificate."""

    host: str
    address: str
    port: int
    security: Security
    name: str = ""
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """Who signs in to the directory; both empty for nobody."""

    dn: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry with the attributes that were asked for, by their names in lower case."""

    dn: str
    attributes: dict[str, list[bytes]]

    def texts(self, name: str) -> list[str]:
        """The values of an attribute as text."""
        return [v.decode("utf-8", "replace").strip() for v in self.attributes.get(name.lower(), ())]

    def text(self, name: str) -> str:
        """Its first value, or nothing."""
        return next(iter(self.texts(name)), "")

    def raw(self, name: str) -> bytes:
        """Its first value as it is, or nothing."""
        return next(iter(self.attributes.get(name.lower(), ())), b"")


class LdapError(Exception):
    """The directory did not do what it was asked to; `str()` says what, for people."""


class Away(LdapError):
    """It cannot be reached, hung up, or does not answer: it may be better later."""


class NotTrusted(LdapError):
    """It offers no encryption, or its certificate is not one for this name that we trust."""


class SignInRefused(LdapError):
    """It does not take this account with this password."""

    def __init__(self, why: Why, said: str) -> None:
        super().__init__(said)
        self.why = why


class Refused(LdapError):
    """It answered no to a question."""


def literal(text: str) -> str:
    """A text as it may stand for a value in a filter, whatever is in it (RFC 4515, 3)."""
    return str(escape_filter_chars(text))


def literal_bytes(value: bytes) -> str:
    """Bytes as they may stand for a value in a filter."""
    return str(escape_bytes(value))


class Connection:
    """A connection to one server, signed in. For one thread."""

    def __init__(self, server: Server, account: Account) -> None:
        """Connect and sign in. Raises `Away`, `NotTrusted`, `SignInRefused`."""
        if bool(account.dn) is not bool(account.password):
            raise SignInRefused("wrong", "a name goes with a password, and a password with a name")
        self.server = server
        self._trust = _Trust(server)
        self._ldap = ldap3.Connection(
            _At(server, self._trust),
            user=account.dn or None,
            password=account.password or None,
            authentication=ldap3.SIMPLE if account.dn else ldap3.ANONYMOUS,
            auto_referrals=False,  # they lead to addresses nobody has judged
            check_names=False,
            receive_timeout=RECEIVE_TIMEOUT,
        )
        try:
            with self._translated():
                self._ldap.open()
                if server.security == "starttls":
                    self._ldap.start_tls(read_server_info=False)
            self._sign_in()
        except BaseException:
            self.close()
            raise

    def _sign_in(self) -> None:
        with self._translated():
            self._ldap.bind(read_server_info=False)
        result = self._ldap.result
        if result["result"] != _SUCCESS:
            raise _refusal(int(result["result"]), _said(result))

    def search(
        self, base: str, filter_: str, attributes: Sequence[str], *, only_base: bool = False, most: int = 0
    ) -> Iterator[Entry]:
        """The entries below `base` that a filter finds, read a page at a time; at most so many when `most` is given.

        Raises `Away`, or `Refused` when it was not all that is there: half a list never passes for a whole one.
        """
        cookie: Any = None
        count = 0
        while True:
            with self._translated():
                self._ldap.search(
                    base,
                    filter_,
                    search_scope=ldap3.BASE if only_base else ldap3.SUBTREE,
                    attributes=list(attributes) or [ldap3.NO_ATTRIBUTES],
                    paged_size=None if only_base else min(PAGE, most or PAGE),
                    paged_cookie=cookie,
                )
            result, response = self._ldap.result, self._ldap.response or []
            if result["result"] == _NO_OBJECT and only_base:
                return
            if result["result"] != _SUCCESS:
                raise _refusal(int(result["result"]), _said(result))
            for found in response:
                if found.get("type") != "searchResEntry":
                    continue
                yield Entry(found["dn"], {k.lower(): list(v) for k, v in found["raw_attributes"].items()})
                count += 1
                if most and count >= most:
                    return
            control = (result.get("controls") or {}).get(_PAGED)
            cookie = control["value"]["cookie"] if control else None
            if not cookie:
                return

    def about(self, attributes: Sequence[str]) -> Entry:
        """What the server says of itself (its root DSE). Raises `Away`, `Refused`."""
        return next(self.search("", "(objectClass=*)", attributes, only_base=True), Entry("", {}))

    def close(self) -> None:
        """Sign out, whatever the server says to it."""
        with contextlib.suppress(Exception):
            self._ldap.unbind()
        if self._ldap.socket is not None:  # which the client leaves open where no connection came about
            self._ldap.socket.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (LDAPException, OSError, UnicodeError, ValueError) as wrong:
            raise self._trust.explain(wrong) from wrong


def connect(servers: Sequence[Server], account: Account) -> Connection:
    """The first server that answers, signed in. Raises what the last one said, or at once what is no question of servers."""
    return _first(servers, lambda server: Connection(server, account))


def is_password(servers: Sequence[Server], dn: str, password: str) -> None:
    """Ask whether an entry signs in with a password: one server is asked, so a wrong one counts there once.

    Raises `SignInRefused`, also for an empty password, and `Away` or `NotTrusted`.
    """
    if not dn or not password:
        raise SignInRefused("wrong", "an empty password is never right")
    try:
        connect(servers, Account(dn, password)).close()
    except Refused as refused:  # a name or a password no directory takes
        raise SignInRefused("wrong", str(refused)) from refused


def _first(servers: Sequence[Server], work: Callable[[Server], Connection]) -> Connection:
    last: LdapError = Away("no server is named")
    for server in servers:
        try:
            return work(server)
        except (Away, NotTrusted) as away:
            last = away
    raise last


class _At(ldap3.Server):  # type: ignore[misc]
    """A server at the address its host was judged to be: no name is looked up again."""

    def __init__(self, server: Server, trust: _Trust) -> None:
        super().__init__(
            server.host,
            port=server.port,
            use_ssl=server.security == "tls",
            tls=trust,
            get_info=ldap3.NONE,
            connect_timeout=CONNECT_TIMEOUT,
        )
        family = socket.AF_INET6 if ":" in server.address else socket.AF_INET
        self._judged = [family, socket.SOCK_STREAM, 0, "", (server.address, server.port), None, None]

    def candidate_addresses(self) -> list[list[Any]]:
        return [list(self._judged)]

    def update_availability(self, address: object, available: bool) -> None:
        """Which server to ask next is not decided here."""


class _Trust(ldap3.Tls):  # type: ignore[misc]
    """TLS by the standard library's own rules; keeps what was wrong, which the client would flatten into a sentence."""

    def __init__(self, server: Server) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._server = server
        self._wrong: Exception | None = None

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        try:
            context = tls.context(self._server.ca_file)
            name = self._server.name or self._server.host
            connection.socket = context.wrap_socket(connection.socket, server_hostname=name)
        except (OSError, ValueError) as wrong:
            self._wrong = wrong
            raise

    def explain(self, said: Exception) -> LdapError:
        """What went wrong, in the words of this module."""
        wrong = self._wrong
        if isinstance(wrong, ssl.SSLCertVerificationError):
            return NotTrusted(f"its certificate is not trusted: {wrong.verify_message}")
        if isinstance(wrong, FileNotFoundError):
            return NotTrusted("the file of the authority that signed its certificate is not there")
        if isinstance(wrong, ssl.SSLError) and not isinstance(wrong, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
            return NotTrusted(f"no encrypted connection comes about: {wrong.reason or wrong}")
        if wrong is None and isinstance(said, LDAPStartTLSError):
            return NotTrusted("it offers no encryption (STARTTLS)")
        if wrong or isinstance(said, (LDAPCommunicationError, LDAPResponseTimeoutError, LDAPStartTLSError, OSError)):
            return Away(f"it does not answer: {_short(str(wrong or said))}")
        return Refused(f"it cannot be asked in these words: {_short(str(said))}")


def _refusal(code: int, said: str) -> LdapError:
    if code == _WRONG_CREDENTIALS:
        found = _AD_SAYS.search(said)
        return SignInRefused(_AD_CODES.get(found.group(1), "wrong") if found else "wrong", said)
    if code == _STRONGER_AUTH:
        return NotTrusted(f"it takes passwords over an encrypted connection only: {said}")
    if code in _BUSY:
        return Away(f"it is busy: {said}")
    return Refused(said)


def _said(result: dict[str, Any]) -> str:
    message = str(result.get("message") or "").replace("\0", "").strip()
    return _short(f"{result['description']}{f': {message}' if message else ''}")


def _short(text: str) -> str:
    return text[:300]
