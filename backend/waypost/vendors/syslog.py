"""Bringing syslog messages to a receiver: over TLS (RFC 5425), TCP (RFC 6587, octets counted) or UDP (RFC 5426).

Syslog has no receipts. What comes nearest is done here: a connection carries one batch, and the batch counts as brought
when the receiver's machine has confirmed every byte and, after our end of it, the receiver closed without an error. A
receiver that dies with bytes unread resets the connection, and the batch comes again. UDP knows nothing of the kind.
Everything here waits; it is called from a thread of its own.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import ssl
import struct
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from waypost.kernel import tls

CONNECT_WITHIN = 4.0
PATIENCE = 2.0  # seconds for a receiver to close its side; some never do, and have confirmed every byte nevertheless
PIECE = 64 * 1024
BURST = 32 * 1024  # bytes of datagrams between two moments of rest
Transport = Literal["TLS", "TCP", "UDP"]


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where messages go. `address` is what `host` was judged to be; the name stays in the certificate's check."""

    host: str
    address: str
    port: int
    transport: Transport
    ca: str | None = None
    certificate: str | None = None
    key: str | None = field(default=None, repr=False)


class Away(Exception):
    """It cannot be reached, hung up, or did not take everything: the same again later. `str()` says why, for people."""


class NotTrusted(Exception):
    """Its certificate is none we trust for this name, or it does not trust ours."""


def tls_context(ca: str | None, certificate: str | None, key: str | None) -> ssl.SSLContext:
    """TLS 1.2 or newer, the receiver's name and certificate checked. Raises `ssl.SSLError` or `ValueError`."""
    context = tls.context(ca=ca)
    if certificate and key:
        with tempfile.TemporaryDirectory() as folder:  # OpenSSL reads these from files only
            path = Path(folder) / "own.pem"
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(f"{certificate}\n{key}\n")
            context.load_cert_chain(path)
    return context


def bring(receiver: Receiver, messages: Sequence[bytes], *, within: float = 15.0) -> None:
    """Bring messages, in order. Raises `Away` or `NotTrusted`; then the receiver may have some of them already."""
    until = time.monotonic() + within
    try:
        if receiver.transport == "UDP":
            _throw(receiver, messages, until)
        else:
            _carry(receiver, b"".join(b"%d %s" % (len(m), m) for m in messages), until)
    except ssl.SSLCertVerificationError as untrusted:
        raise NotTrusted(f"its certificate is not trusted: {untrusted.verify_message}") from untrusted
    except ssl.SSLError as refused:
        raise NotTrusted(f"TLS was refused: {refused.reason or refused}") from refused
    except TimeoutError as late:
        raise Away("it does not answer in time") from late
    except OSError as gone:
        raise Away(gone.strerror or type(gone).__name__) from gone


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _throw(receiver: Receiver, messages: Sequence[bytes], until: float) -> None:
    family = socket.AF_INET6 if ":" in receiver.address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as way:
        way.connect((receiver.address, receiver.port))
        sent = 0
        for message in messages:
            way.settimeout(_left(until))
            way.send(message)
            sent += len(message) + 1024
            if sent > BURST:  # what does not fit into a receiver's buffer is lost without a word
                sent = 0
                time.sleep(0.005)
        way.settimeout(0.05)
        with contextlib.suppress(TimeoutError):
            way.recv(1)  # nothing comes, unless the machine says that nobody listens


def _carry(receiver: Receiver, content: bytes, until: float) -> None:
    way = socket.create_connection((receiver.address, receiver.port), timeout=min(CONNECT_WITHIN, _left(until)))
    with way:
        layer = _Encrypted(receiver, way, until) if receiver.transport == "TLS" else None
        for piece in _pieces(layer.sealed(content) if layer else content):
            _send(way, piece, until)
        _wait_confirmed(way, until)
        if layer:
            layer.look()
            with contextlib.suppress(ConnectionError):
                _send(way, layer.farewell(), until)
        way.shutdown(socket.SHUT_WR)
        _drain(way, layer, until)


def _pieces(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), PIECE):
        yield content[start : start + PIECE]


def _send(way: socket.socket, piece: bytes, until: float) -> None:
    way.settimeout(_left(until))
    way.sendall(piece)


def _unconfirmed(way: socket.socket) -> int:
    """Bytes the other machine has not confirmed; 0 where the system does not tell."""
    try:
        told = fcntl.ioctl(way.fileno(), termios.TIOCOUTQ, b"\0" * 4)
    except (OSError, AttributeError):
        return 0
    count: int = struct.unpack("i", told)[0]
    return count


def _wait_confirmed(way: socket.socket, until: float) -> None:
    pause = 0.001
    while _unconfirmed(way):
        if error := way.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(error, os.strerror(error))
        _left(until)
        time.sleep(pause)
        pause = min(pause * 2, 0.05)


def _drain(way: socket.socket, layer: _Encrypted | None, until: float) -> None:
    """Until it closes as well: what it had not read makes its machine reset the connection, which is an error here."""
    patient = min(until, time.monotonic() + PATIENCE)
    while True:
        left = patient - time.monotonic()
        if left <= 0:
            return
        way.settimeout(left)
        try:
            came = way.recv(PIECE)
        except TimeoutError:
            return
        if not came:
            return
        if layer:
            layer.hear(came)


class _Encrypted:
    """TLS over a socket, its bytes in our own hands: the end of each direction is seen."""

    def __init__(self, receiver: Receiver, way: socket.socket, until: float) -> None:
        try:
            context = tls_context(receiver.ca, receiver.certificate, receiver.key)
        except (ssl.SSLError, ValueError) as wrong:
            raise NotTrusted("its certificates or the key cannot be used") from wrong
        self._way, self._in, self._out = way, ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=receiver.host)
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                _send(way, self._out.read(), until)
                way.settimeout(_left(until))
                came = way.recv(PIECE)
                if not came:
                    raise Away("it hung up before anything was said") from None
                self._in.write(came)

    def sealed(self, content: bytes) -> bytes:
        """The content as it goes over the wire, with what is left of the handshake before it."""
        for piece in _pieces(content):
            self._tls.write(piece)
        return self._out.read()

    def look(self) -> None:
        """Hear what has come by now, such as that our certificate is not trusted."""
        self._way.settimeout(0.0)
        with contextlib.suppress(BlockingIOError):
            came = self._way.recv(PIECE)
            if not came:
                raise Away("it hung up")
            self.hear(came)

    def farewell(self) -> bytes:
        """That we have said everything (RFC 5425, section 4.4)."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self._tls.unwrap()
        return self._out.read()

    def hear(self, came: bytes) -> None:
        """Raises `ssl.SSLError` when it is an alert."""
        self._in.write(came)
        with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            while self._tls.read(PIECE):
                pass
