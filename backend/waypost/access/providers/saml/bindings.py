"""How messages travel in addresses (HTTP-Redirect): deflated, and signed over the characters of the query itself."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote_plus

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from waypost.access.providers.saml import guard
from waypost.access.providers.saml.refusing import Refused
from waypost.access.providers.saml.verifying import verify_query
from waypost.access.providers.saml.words import RSA_SHA256

REQUEST, RESPONSE = "SAMLRequest", "SAMLResponse"
LONGEST_QUERY = 64 * 1024
_KNOWN = (REQUEST, RESPONSE, "RelayState", "SigAlg", "Signature", "SAMLEncoding")
_DEFLATE = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE"


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message out of an address, whose signature was right. `kind` is `SAMLRequest` or `SAMLResponse`."""

    kind: str
    message: bytes
    relay_state: str | None


def sign(data: bytes, private_key: bytes) -> bytes:
    """RSA with SHA-256, by a key in PEM."""
    key = load_pem_private_key(private_key, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key.sign(data, padding.PKCS1v15(), hashes.SHA256())


def address(
    url: str, kind: str, message: bytes, *, relay_state: str | None = None, private_key: bytes | None = None
) -> str:
    """Where a browser is sent to bring a message; signed when a key is given."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = base64.b64encode(packer.compress(message) + packer.flush()).decode()
    query = f"{kind}={quote(packed, safe='')}"
    if relay_state is not None:
        query += f"&RelayState={quote(relay_state, safe='')}"
    if private_key is not None:
        query += f"&SigAlg={quote(RSA_SHA256, safe='')}"
        query += f"&Signature={quote(base64.b64encode(sign(query.encode(), private_key)).decode(), safe='')}"
    return f"{url}{'&' if '?' in url else '?'}{query}"


def read(query: str, pinned: Sequence[x509.Certificate]) -> Arrived:
    """The message in a query, with the signature over it verified. Raises `Refused`; an unsigned one is none."""
    if len(query) > LONGEST_QUERY:
        raise Refused("too_large")
    raw: dict[str, str] = {}
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if name in raw:
            raise Refused("odd_query", "a name stands twice")
        if name in _KNOWN:
            raw[name] = value
    kinds = [k for k in (REQUEST, RESPONSE) if k in raw]
    if len(kinds) != 1 or unquote_plus(raw.get("SAMLEncoding", _DEFLATE)) != _DEFLATE:
        raise Refused("odd_query", "one message, deflated")
    if "Signature" not in raw or "SigAlg" not in raw:
        raise Refused("not_signed")
    # The characters as they came: another way to write the same value is another thing to sign.
    signed = "&".join(f"{name}={raw[name]}" for name in (kinds[0], "RelayState", "SigAlg") if name in raw)
    verify_query(signed.encode(), unquote_plus(raw["SigAlg"]), unquote_plus(raw["Signature"]), pinned)
    message = guard.inflate(unquote_plus(raw[kinds[0]]))
    relay_state = unquote_plus(raw["RelayState"]) if "RelayState" in raw else None
    return Arrived(kinds[0], message, relay_state)
