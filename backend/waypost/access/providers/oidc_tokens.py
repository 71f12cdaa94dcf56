"""Whether a token of an issuer is what it says: ID tokens and logout tokens, judged against what is configured here.

Nothing in a token chooses how it is checked: the algorithms are those the administrator allows, never `none` and never
one with a shared secret; the keys are those of the issuer; the issuer, the audience and the nonce are ours to expect.
"""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key

LEEWAY = 60  # seconds two clocks may differ
OLDEST = 600  # seconds an ID token may be old when it comes
OLDEST_LOGOUT = 300
LONGEST_TOKEN = 64 * 1024
LONGEST_SUBJECT = 255  # OpenID Connect Core, section 2
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
# What may be allowed at all; the first three unless an administrator says otherwise.
ALGORITHMS = ("RS256", "PS256", "ES256", "RS384", "RS512", "PS384", "PS512", "ES384", "ES512", "EdDSA", "Ed25519")
USUAL = ("RS256", "PS256", "ES256")


class WrongToken(Exception):
    """This token proves nothing; `str()` says why, for the log."""


@dataclass(frozen=True, slots=True)
class Header:
    """Of a token's header, what may be used before its signature is checked: which key it claims, and how it is signed."""

    kid: str | None
    algorithm: str
    typ: str | None


def read_header(token: str, allowed: Collection[str]) -> Header:
    """Raises `WrongToken` for what is not three parts, signed by an allowed algorithm, or asks for what we don't know."""
    if len(token) > LONGEST_TOKEN or token.count(".") != 2 or not token.isascii():
        raise WrongToken("it is no signed token")
    try:
        part = token.partition(".")[0]
        header = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error, RecursionError) as wrong:
        raise WrongToken("its header cannot be read") from wrong
    if not isinstance(header, dict):
        raise WrongToken("its header cannot be read")
    algorithm, kid, typ = header.get("alg"), header.get("kid"), header.get("typ")
    if algorithm not in ALGORITHMS or algorithm not in allowed:
        raise WrongToken(f"it is signed with {str(algorithm)[:20]!r}, which is not allowed here")
    if "crit" in header:
        raise WrongToken("it demands extensions we don't have")
    if not (kid is None or isinstance(kid, str)) or not (typ is None or isinstance(typ, str)):
        raise WrongToken("its header cannot be read")
    return Header(kid, algorithm, typ)


def read_id_token(
    token: str, keys: list[Key], *, issuer: str, client_id: str, allowed: Collection[str], nonce: str, at: datetime
) -> dict[str, Any]:
    """The claims of an ID token that answers our request. Raises `WrongToken`."""
    header = read_header(token, allowed)
    if (header.typ or "JWT").upper() not in ("JWT", "APPLICATION/JWT"):
        raise WrongToken(f"it is a {header.typ!r} and no ID token")
    claims = _signed(token, keys, header.algorithm)
    _check(claims, issuer=issuer, client_id=client_id, at=at, oldest=OLDEST)
    if claims.get("nonce") != nonce:
        raise WrongToken("its nonce is not ours")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
        raise WrongToken("it names nobody")
    if "exp" not in claims:
        raise WrongToken("it does not expire")
    return claims


@dataclass(frozen=True, slots=True)
class LogoutToken:
    """Whose sign-ins end: of one session at the provider, of one person, or of both together."""

    subject: str | None
    session: str | None
    jti: str
    issued_at: int


def read_logout_token(
    token: str, keys: list[Key], *, issuer: str, client_id: str, allowed: Collection[str], at: datetime
) -> LogoutToken:
    """A logout token (OpenID Connect Back-Channel Logout 1.0, section 2.6). Whether it came before is not known here.

    Raises `WrongToken`.
    """
    header = read_header(token, allowed)
    # The specification only recommends the type, but without it any token of the issuer's is one claim from this one.
    if (header.typ or "").lower() not in ("logout+jwt", "application/logout+jwt"):
        raise WrongToken(f"it is a {header.typ!r} and no logout token")
    claims = _signed(token, keys, header.algorithm)
    _check(claims, issuer=issuer, client_id=client_id, at=at, oldest=OLDEST_LOGOUT)
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT), dict):
        raise WrongToken("it is about no logout")
    if "nonce" in claims:
        raise WrongToken("it has a nonce: it may be an ID token")
    jti, subject, session = claims.get("jti"), claims.get("sub"), claims.get("sid")
    if not isinstance(jti, str) or not 0 < len(jti) <= 500:
        raise WrongToken("it has no id of its own")
    for said in (subject, session):
        if said is not None and not (isinstance(said, str) and 0 < len(said) <= 1000):
            raise WrongToken("it names nobody")
    if subject is None and session is None:
        raise WrongToken("it names nobody")
    return LogoutToken(subject, session, jti, int(claims["iat"]))


def _signed(token: str, keys: list[Key], algorithm: str) -> dict[str, Any]:
    if not keys:
        raise WrongToken("the issuer has no such key")
    for key in keys:
        try:
            return dict(jwt.decode(token, key, algorithms=[algorithm]).claims)
        except (JoseError, ValueError, TypeError, RecursionError):
            continue
    raise WrongToken("its signature is not the issuer's")


def _check(claims: dict[str, Any], *, issuer: str, client_id: str, at: datetime, oldest: int) -> None:
    seconds = int(at.timestamp())
    registry = jwt.JWTClaimsRegistry(
        now=seconds,
        leeway=LEEWAY,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": client_id},
        iat={"essential": True},
    )
    try:
        registry.validate(claims)
    except JoseError as wrong:
        raise WrongToken(str(wrong)[:300]) from wrong
    audience, party = claims["aud"], claims.get("azp")
    if party is not None and party != client_id:
        raise WrongToken("it was made for another client (azp)")
    if isinstance(audience, list) and len(set(audience)) > 1 and party != client_id:
        raise WrongToken("it is for several and says not for whom (azp)")
    if claims["iat"] < seconds - oldest - LEEWAY:
        raise WrongToken("it was made too long ago")
