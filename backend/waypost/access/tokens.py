"""Access tokens (JWT, Ed25519) and refresh tokens (opaque, each derived from the one before).

Token profile after RFC 8725 and RFC 9068: one algorithm, `typ` `at+jwt`, issuer, audience and expiry always checked, the
key only from our own configuration. A refresh token's successor is an HMAC of it under the installation's secret: two
tabs that refresh at once get the same successor, and nothing but SHA-256 hashes is stored.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from waypost.access.errors import SessionEnded
from waypost.kernel.ids import random_token
from waypost.kernel.settings import get_settings

ISSUER = AUDIENCE = "waypost"
LEEWAY = 30  # seconds two of our machines' clocks may differ
KEPT = 20_000


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified access token says. `issued` and `expires` are Unix times in seconds.

    It is for a session, or for a `client` with `secret_id`, and then for no more than `scope`; `jti` tells it from others.
    """

    user_id: int
    session_id: int
    issued: int
    expires: int
    client: str | None = None
    secret_id: int = 0
    scope: tuple[str, ...] = ()
    jti: str = ""


def _derive(purpose: bytes) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=purpose).derive(get_settings().signing_secret())


@lru_cache
def _key() -> OKPKey:
    private = Ed25519PrivateKey.from_private_bytes(_derive(b"access tokens"))
    return OKPKey.import_key(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


@lru_cache
def _refresh_secret() -> bytes:
    return _derive(b"refresh tokens")


def issue_access_token(user_id: int, session_id: int, at: datetime) -> tuple[str, int]:
    """A token for this session and its life in seconds."""
    life = get_settings().access_token_minutes * 60
    issued = int(at.timestamp())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(user_id),
        "sid": session_id,
        "iat": issued,
        "exp": issued + life,
    }
    return jwt.encode({"alg": "Ed25519", "typ": "at+jwt"}, claims, _key(), algorithms=["Ed25519"]), life


def issue_client_token(user_id: int, client: str, secret_id: int, scope: list[str], at: datetime) -> tuple[str, int]:
    """A token for an OAuth client (RFC 9068), and its life in seconds."""
    life = get_settings().access_token_minutes * 60
    issued = int(at.timestamp())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(user_id),
        "client_id": client,
        "secret": secret_id,
        "scope": " ".join(scope),
        "jti": random_token(),
        "iat": issued,
        "exp": issued + life,
    }
    return jwt.encode({"alg": "Ed25519", "typ": "at+jwt"}, claims, _key(), algorithms=["Ed25519"]), life


_registry = jwt.JWTClaimsRegistry(
    leeway=LEEWAY,
    iss={"essential": True, "value": ISSUER},
    aud={"essential": True, "value": AUDIENCE},
    sub={"essential": True},
    exp={"essential": True},
    iat={"essential": True},
)
_verified: OrderedDict[str, Claims] = OrderedDict()


def read_access_token(token: str) -> Claims:
    """The claims of a token we issued. Raises `SessionEnded` for every other string."""
    claims = _verified.get(token)
    if claims is None:
        claims = _verify(token)
        _verified[token] = claims
        if len(_verified) > KEPT:
            _verified.popitem(last=False)
    if claims.expires + LEEWAY < time.time():
        raise SessionEnded
    return claims


def _verify(token: str) -> Claims:
    try:
        decoded = jwt.decode(token, _key(), algorithms=["Ed25519"])
        if decoded.header.get("typ") != "at+jwt" or set(decoded.header) != {"alg", "typ"}:
            raise SessionEnded
        _registry.validate(decoded.claims)
        said = decoded.claims
        user_id, issued, expires = int(said["sub"]), int(said["iat"]), int(said["exp"])
        if "client_id" not in said:
            return Claims(user_id, int(said["sid"]), issued, expires)
        if "sid" in said:
            raise SessionEnded
        scope = tuple(str(said["scope"]).split())
        client, secret_id, jti = str(said["client_id"]), int(said["secret"]), str(said["jti"])
        return Claims(user_id, 0, issued, expires, client, secret_id, scope, jti)
    except (JoseError, ValueError, TypeError, KeyError, UnicodeError) as wrong:
        raise SessionEnded from wrong


def first_refresh_token() -> str:
    """The first token of a session's chain."""
    return random_token("wpr_")


def next_refresh_token(token: str) -> str:
    """The one successor of a refresh token."""
    mac = hmac.digest(_refresh_secret(), token.encode(), "sha256")
    return "wpr_" + base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def hash_name(typed: str) -> str:
    """What is kept of a name nobody has, which may be a password in the wrong field: told apart, never read."""
    return hmac.digest(
        get_settings().signing_secret(), b"name:" + typed.lower().encode(errors="replace"), "sha256"
    ).hex()


def hash_token(token: str) -> bytes:
    """What is stored of a token."""
    return hashlib.sha256(token.encode(errors="replace")).digest()
