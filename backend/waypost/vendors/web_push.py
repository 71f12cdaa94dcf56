"""Push services of browsers: a message sealed for one browser (RFC 8291), brought to the address that browser gave (RFC
8030), with a word of who sends it (VAPID, RFC 8292)."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import http_ece
import httpx2
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    derive_private_key,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from waypost.kernel.outgoing import check_url
from waypost.vendors.answers import Answer, ask

LIFE = timedelta(hours=12)  # of one token; a service refuses more than 24 hours
POINT = 65  # bytes of an uncompressed point on P-256
SECRET = 16


@dataclass(frozen=True, slots=True)
class Browser:
    """Where one browser is reached, its public key, and the secret it shares with us."""

    endpoint: str
    p256dh: bytes
    auth: bytes


def encoded(value: bytes) -> str:
    """Base64url without padding, as all of this is written."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """What `encoded` made, or a browser did. Raises `ValueError`."""
    plain = text.rstrip("=").replace("+", "-").replace("/", "_")
    return base64.b64decode(plain + "=" * (-len(plain) % 4), altchars=b"-_", validate=True)


def is_point(value: bytes) -> bool:
    """Whether these bytes are a public key: a point that lies on the curve."""
    if len(value) != POINT or value[:1] != b"\x04":
        return False
    try:
        EllipticCurvePublicKey.from_encoded_point(SECP256R1(), value)
    except (ValueError, UnsupportedAlgorithm, InvalidSignature):
        return False
    return True


def new_key() -> str:
    """A private key for an installation to sign with."""
    value = generate_private_key(SECP256R1()).private_numbers().private_value
    return encoded(value.to_bytes(32, "big"))


def public_key(private: str) -> str:
    """What browsers are told of a private key, so that only its owner's messages reach them."""
    return encoded(_public(_private(private)))


def _private(written: str) -> EllipticCurvePrivateKey:
    return derive_private_key(int.from_bytes(decoded(written), "big"), SECP256R1())


def _public(key: EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def encrypt(
    plain: bytes, browser: Browser, *, salt: bytes | None = None, private_key: EllipticCurvePrivateKey | None = None
) -> bytes:
    """A message only this browser can read, as one record. Salt and key are new for each, but in a test."""
    sealed: bytes = http_ece.encrypt(
        plain,
        salt=salt or os.urandom(SECRET),
        private_key=private_key or generate_private_key(SECP256R1()),
        dh=browser.p256dh,
        auth_secret=browser.auth,
        version="aes128gcm",
    )
    return sealed


def host_of(endpoint: str) -> str:
    """The push service an address belongs to. Raises `NotAllowed` for what is no https address."""
    return check_url(endpoint).host


def signed(endpoint: str, private: str, contact: str, at: datetime) -> str:
    """The `Authorization` for one push service: for it alone, and for hours."""
    url = check_url(endpoint)
    audience = f"{url.scheme}://{url.netloc.decode('ascii')}"
    claims = {"aud": audience, "exp": int((at + LIFE).timestamp()), "sub": contact}
    header: str = Vapid02.from_raw(private.encode()).sign(claims)["Authorization"]
    return header


async def push(
    http: httpx2.AsyncClient,
    browser: Browser,
    plain: bytes,
    *,
    authorization: str,
    life: timedelta,
    urgency: Literal["low", "normal", "high"],
    topic: str,
) -> Answer:
    """Bring it. `topic` (at most 32 characters) is what it is about: the service keeps the latest of each. Raises `Away`."""
    headers: Mapping[str, str] = {
        "Authorization": authorization,
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(int(life.total_seconds())),
        "Urgency": urgency,
        "Topic": topic,
    }
    return await ask(http, "POST", browser.endpoint, headers=headers, content=encrypt(plain, browser))
