"""What is spoken on every encrypted way out: TLS 1.2 or newer, forward secrecy, authenticated encryption, names checked.

Source: OWASP ASVS 5.0, 12.1; BSI TR-02102-2. Of TLS 1.3 every cipher suite there is will do; of TLS 1.2 those that are
named here. Whoever offers nothing of it is not spoken to.
"""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx2

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM"  # of TLS 1.2, the best first


def context(ca_file: Path | str | None = None, *, ca: str | None = None) -> ssl.SSLContext:
    """To a server whose certificate an authority of this file signed, of this text (PEM), or of the system's.

    Raises `OSError`, and `ssl.SSLError` for a text that holds none.
    """
    return _narrowed(ssl.create_default_context(cafile=str(ca_file) if ca_file else None, cadata=ca or None))


def for_http(*, trust_env: bool = True) -> ssl.SSLContext:
    """To web servers: by the authorities the HTTP client knows."""
    return _narrowed(httpx2.create_ssl_context(trust_env=trust_env))


def _narrowed(made: ssl.SSLContext) -> ssl.SSLContext:
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_ciphers(CIPHERS)
    return made
