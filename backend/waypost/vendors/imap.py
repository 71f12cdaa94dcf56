"""Mail in over IMAP (RFC 9051): one folder of one account, encrypted always, read by one thread.

Knows folders and mails as bytes, never what they mean. Everything here waits; it is called from a thread of its own.
"""

from __future__ import annotations

import contextlib
import imaplib
import re
import socket
import ssl
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Literal

from imap_tools.errors import ImapToolsError, UnexpectedCommandStatusError
from imap_tools.mailbox import BaseMailBox
from imap_tools.utils import check_command_status, encode_folder

from waypost.kernel import tls

TIMEOUT = 30.0  # seconds for one answer, and for a piece of a mail
LONGEST_IDLE = 29 * 60  # RFC 2177: shorter than the half hour after which a server may hang up
MOST_HEADERS = 256 * 1024
SLICE = 1.0  # seconds between two looks at whether to stop
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
_DATE = re.compile(rb'INTERNALDATE "([^"]+)"')


@dataclass(frozen=True, slots=True)
class Server:
    """Where an account is and how to get in. `address` is what `host` was judged to be; the name stays in the TLS check."""

    host: str
    address: str
    port: int
    security: Literal["tls", "starttls"]
    username: str
    password: str = field(repr=False)
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A mail in the folder, not yet read."""

    uid: int
    size: int
    received_at: datetime | None


class ImapError(Exception):
    """The server did not do what it was asked to; `str()` says what, for people."""


class Away(ImapError):
    """It cannot be reached, hung up, or does not answer: it may be better later."""


class NotTrusted(ImapError):
    """It offers no encryption, or its certificate is not one for this name that we trust."""


class SignInRefused(ImapError):
    """It does not know the account, or not with this password."""


class NoFolder(ImapError):
    """There is no such folder."""


class Refused(ImapError):
    """It answered no to one command; the connection stands."""


class Connection:
    """One account, signed in, with one folder open. Not for several threads, but for `abort`."""

    def __init__(self, server: Server, folder: str) -> None:
        """Connect, sign in and open the folder. Raises `Away`, `NotTrusted`, `SignInRefused`, `NoFolder`."""
        self._box = _connect(server)
        self._made: set[str] = set()
        try:
            self._sign_in(server)
            self._box.client._get_capabilities()  # others than before signing in
            self._delimiter = self._find_delimiter()
            self.uidvalidity = self._open(folder)
        except BaseException:
            self._end()
            raise

    @property
    def can_idle(self) -> bool:
        """Whether the server says by itself that something came."""
        return "IDLE" in self._box.client.capabilities

    def waiting(self, after: int | None) -> list[int]:
        """The mails to be looked at, oldest first: those nobody has seen, and all behind uid `after` when it is given.

        Raises `ImapError`.
        """
        with _translated():
            found = set(map(int, self._box.uids("UNSEEN UNDELETED", None)))
            if after is not None:
                behind = map(int, self._box.uids(f"UNDELETED UID {after + 1}:*", None))
                found |= {uid for uid in behind if uid > after}  # `*` is the last one, also when it lies before
        return sorted(found)

    def next_uid(self) -> int:
        """The number the next mail will have, or a larger one. Raises `ImapError`."""
        with _translated():
            numbers = self._box.uids("ALL", None)
        return max(map(int, numbers), default=0) + 1

    def look(self, uid: int) -> Found | None:
        """How large a mail is, and when it came; None when it is gone. Raises `ImapError`."""
        with _translated():
            answer = self._fetch(uid, "(RFC822.SIZE INTERNALDATE)")
        size, came = _SIZE.search(answer), _DATE.search(answer)
        if size is None:
            return None
        return Found(uid, int(size.group(1)), _moment(came.group(1).decode()) if came else None)

    def read(self, uid: int) -> bytes | None:
        """A mail as it came, without marking it as seen; None when it is gone. Raises `ImapError`."""
        with _translated():
            return self._literal(uid, "(BODY.PEEK[])")

    def read_headers(self, uid: int) -> bytes | None:
        """The headers of a mail alone, as far as they are read at all; None when it is gone. Raises `ImapError`."""
        with _translated():
            return self._literal(uid, f"(BODY.PEEK[HEADER]<0.{MOST_HEADERS}>)")

    def move(self, uid: int, folder: str) -> None:
        """Move a mail into a folder beside, made when it is missing. Raises `ImapError`."""
        if "/" in folder and self._delimiter != "/":
            folder = folder.replace("/", self._delimiter)
        with _translated():
            client, name = self._box.client, encode_folder(folder).decode()
            if folder not in self._made:
                if not self._box.folder.exists(folder):
                    self._box.folder.create(folder)
                    with contextlib.suppress(ImapToolsError):
                        self._box.folder.subscribe(folder, True)
                self._made.add(folder)
            if "MOVE" in client.capabilities:
                check_command_status(client.uid("MOVE", str(uid), name), _No)
                return
            check_command_status(client.uid("COPY", str(uid), name), _No)
            check_command_status(client.uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Deleted)"), _No)
            if "UIDPLUS" in client.capabilities:  # this one alone, and not what others have marked
                check_command_status(client.uid("EXPUNGE", str(uid)), _No)
            else:
                check_command_status(client.expunge(), _No)

    def wait(self, seconds: float, is_over: Any) -> bool:
        """Wait until something happens in the folder (True), the time is over, or `is_over()` says so. Raises `ImapError`."""
        until = time.monotonic() + min(seconds, LONGEST_IDLE)
        with _translated():
            self._box.idle.start()  # type: ignore[no-untyped-call]
            happened = bool(self._at_hand())
            while not happened and not is_over() and (left := until - time.monotonic()) > 0:
                began = time.monotonic()
                said = self._box.idle.poll(timeout=min(SLICE, left))
                happened = any(not line.startswith(b"* OK") for line in said)  # some say that they are still there
                if not said and time.monotonic() - began < min(SLICE, left) / 2:
                    happened = True  # there was something and it says nothing: the end, of which the next command tells
            self._box.idle.stop()  # type: ignore[no-untyped-call]
        return happened

    def _at_hand(self) -> list[bytes]:
        """What came with the answer to IDLE: it lies in a buffer, where a look at the socket does not see it."""
        sock, said = self._box.client.sock, list[bytes]()
        before = sock.gettimeout()
        sock.settimeout(0)
        try:
            while True:
                said.append(self._box.client._get_line())
        except (OSError, imaplib.IMAP4.abort):  # nothing more; a connection that ended says so at the next command
            return said
        finally:
            sock.settimeout(before)

    def check(self) -> None:
        """Ask whether the server is still there. Raises `ImapError`."""
        with _translated():
            check_command_status(self._box.client.noop(), _No)

    def close(self) -> None:
        """Sign out, whatever the server says to it."""
        with contextlib.suppress(Exception):
            self._box.client.sock.settimeout(3)
            self._box.logout()
        self._end()

    def _end(self) -> None:
        with contextlib.suppress(Exception):
            self._box.client.shutdown()

    def abort(self) -> None:
        """Cut the connection off; whoever waits on it is told `Away`. May be called from another thread."""
        with contextlib.suppress(OSError):
            self._box.client.sock.shutdown(socket.SHUT_RDWR)

    def _sign_in(self, server: Server) -> None:
        try:
            with _translated():
                if server.username.isascii() and server.password.isascii():
                    self._box.login(server.username, server.password, initial_folder=None)
                else:
                    self._box.login_utf8(server.username, server.password, initial_folder=None)
        except Refused as refused:
            if "UNAVAILABLE" in str(refused):  # RFC 5530: what would know the password is away
                raise Away(str(refused)) from refused
            raise SignInRefused(str(refused)) from refused

    def _open(self, folder: str) -> int:
        try:
            with _translated():
                self._box.folder.set(folder)
        except Refused as refused:
            raise NoFolder(str(refused)) from refused
        _, said = self._box.client.response("UIDVALIDITY")
        return int(said[0]) if said and said[0] else 0

    def _find_delimiter(self) -> str:
        with _translated():
            folders = self._box.folder.list("", "INBOX")
        return (folders[0].delim if folders else "") or "/"

    def _fetch(self, uid: int, parts: str) -> bytes:
        answer = self._box.client.uid("FETCH", str(uid), parts)
        check_command_status(answer, _No)
        return b" ".join(p if isinstance(p, bytes) else p[0] for p in answer[1] if p)

    def _literal(self, uid: int, parts: str) -> bytes | None:
        answer = self._box.client.uid("FETCH", str(uid), parts)
        check_command_status(answer, _No)
        for part in answer[1]:
            if isinstance(part, tuple):
                return bytes(part[1])
        return None


class _No(UnexpectedCommandStatusError):
    """A command was answered with no."""


class _Box(BaseMailBox):
    """An account reached at the address its host was judged to be."""

    def __init__(self, server: Server) -> None:
        self._server = server
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        server = self._server
        context = tls.context(server.ca_file)
        to = (server.address, server.port)

        def dial(timeout: float | None) -> socket.socket:
            return socket.create_connection(to, timeout)

        class Plain(imaplib.IMAP4):
            def _create_socket(self, timeout: float | None) -> socket.socket:
                return dial(timeout)

        class Encrypted(imaplib.IMAP4_SSL):
            def _create_socket(self, timeout: float | None) -> socket.socket:
                sock = dial(timeout)
                try:
                    return context.wrap_socket(sock, server_hostname=server.host)
                except BaseException:
                    sock.close()
                    raise

        if server.security == "tls":
            return Encrypted(server.host, server.port, ssl_context=context, timeout=TIMEOUT)
        client = Plain(server.host, server.port, timeout=TIMEOUT)
        try:
            client.starttls(context)
        except BaseException:
            with contextlib.suppress(OSError):
                client.shutdown()
            raise
        return client


def _connect(server: Server) -> _Box:
    try:
        return _Box(server)
    except ssl.SSLCertVerificationError as error:
        raise NotTrusted(f"its certificate is not trusted: {error.verify_message}") from error
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
        raise Away("it hung up while a connection was made") from error
    except ssl.SSLError as error:
        raise NotTrusted(f"no encrypted connection comes about: {error.reason or error}") from error
    except imaplib.IMAP4.error as error:
        if "TLS" in str(error):  # the library's words for a server without STARTTLS
            raise NotTrusted(_short(error)) from error
        raise Away(_short(error)) from error
    except OSError as error:
        raise Away(f"it cannot be reached: {error.strerror or _short(error)}") from error


class _translated:
    """What goes wrong, in the words of this module."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, _: Any) -> None:
        if error is None or isinstance(error, ImapError):
            return
        if isinstance(error, (imaplib.IMAP4.abort, OSError, EOFError)):
            raise Away(_short(error)) from error
        if isinstance(error, (imaplib.IMAP4.error, ImapToolsError)):
            raise Refused(_short(error)) from error


def _moment(written: str) -> datetime | None:
    """IMAP's date-time, such as `26-Nov-2026 09:30:00 +0100`."""
    try:
        return parsedate_to_datetime(written.strip().replace("-", " ", 2)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def _short(error: BaseException) -> str:
    if isinstance(error, OSError):
        return (
            "the connection ended" if isinstance(error, ssl.SSLError) else error.strerror or str(error) or "no answer"
        )
    said: Any = str(error)
    if isinstance(error, UnexpectedCommandStatusError) and error.command_result[1]:
        said = error.command_result[1][0]
    elif error.args:
        said = error.args[0]
    text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    return (text or type(error).__name__)[:300]
