"""Whether an activity comes from Microsoft's Bot Connector: its token, checked against the keys Microsoft publishes.

RS256 and nothing else; the keys only from the address we know; a key we do not have is looked for once more, at most
every few minutes, so that a token with a made-up key costs Microsoft and us nothing.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from waypost.kernel.logs import get_logger
from waypost.vendors.answers import Away, ask, client

log = get_logger(__name__)
ISSUER = "https://api.botframework.com"
CHANNEL = "msteams"
SKEW = 300
FRESH = 24 * 3600.0
PATIENCE = 300.0  # seconds between two looks for a key that was not there
LONGEST = 16_384
WITHIN = 3.0


class NotVouched(Exception):
    """The token is not one of the Bot Connector's for us."""


@dataclass
class Keys:
    """The published keys, by id, as they were read last from an OpenID configuration."""

    by_id: dict[str, RSAKey] = field(default_factory=dict)
    read_at: float = float("-inf")
    tried_at: float = float("-inf")
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


_kept: dict[str, Keys] = {}


async def claims_of(configuration: str, token: str, at: datetime) -> dict[str, Any]:
    """What a token says, once its signature, issuer and times are right. Raises `NotVouched` or `Away`.

    Its audience and service address are the caller's to compare (`is_for`): they need settings of ours.
    """
    if len(token) > LONGEST or token.count(".") != 2:
        raise NotVouched("this is no token")
    key = await _key(configuration, _key_id(token))
    try:
        decoded = jwt.decode(token, key, algorithms=["RS256"])
    except (JoseError, ValueError, TypeError, UnicodeError) as wrong:
        raise NotVouched("the signature is not right") from wrong
    claims = dict(decoded.claims)
    moment = at.timestamp()
    expires, begins = claims.get("exp"), claims.get("nbf", moment)
    if claims.get("iss") != ISSUER:
        raise NotVouched("somebody else issued it")
    if not isinstance(expires, (int, float)) or not isinstance(begins, (int, float)):
        raise NotVouched("it says no times")
    if moment > expires + SKEW or moment < begins - SKEW:
        raise NotVouched("its time is over, or not come")
    return claims


def is_for(claims: dict[str, Any], client_id: str, service_url: object, hosts: set[str]) -> bool:
    """Whether a token was made for this bot, and for a service address that is Microsoft's and the activity's. Pure."""
    claimed = claims.get("serviceurl", claims.get("serviceUrl"))
    if not client_id or claims.get("aud") != client_id:
        return False
    if not isinstance(claimed, str) or not isinstance(service_url, str):
        return False
    return claimed.rstrip("/") == service_url.rstrip("/") and (urlsplit(service_url).netloc or "").lower() in hosts


def _key_id(token: str) -> str:
    head = token.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, RecursionError) as wrong:
        raise NotVouched("this is no token") from wrong
    if not isinstance(header, dict) or header.get("alg") != "RS256" or not isinstance(header.get("kid"), str):
        raise NotVouched("it is not signed as the Connector signs")
    return str(header["kid"])


async def _key(configuration: str, key_id: str) -> RSAKey:
    keys = _kept.setdefault(configuration, Keys())
    async with keys.lock:
        tick = time.monotonic()
        is_old = tick - keys.read_at > FRESH
        if (is_old or key_id not in keys.by_id) and tick - keys.tried_at > PATIENCE:
            keys.tried_at = tick
            try:
                keys.by_id, keys.read_at = await _read(configuration), tick
            except Away as away:
                if key_id not in keys.by_id:
                    keys.tried_at = float("-inf")  # nobody was answered: the next one may ask
                    raise
                log.warning("the bot connector's keys cannot be read anew", why=str(away))
    found = keys.by_id.get(key_id)
    if found is None:
        raise NotVouched("nobody knows its key")
    return found


async def _read(configuration: str) -> dict[str, RSAKey]:
    async with client() as http:
        described = (await ask(http, "GET", configuration, within=WITHIN)).document() or {}
        where = described.get("jwks_uri")
        if not isinstance(where, str) or urlsplit(where)[:2] != urlsplit(configuration)[:2]:
            raise Away("the configuration names no keys of its own")
        published = (await ask(http, "GET", where, within=WITHIN)).document() or {}
    found: dict[str, RSAKey] = {}
    for one in published.get("keys") or ():
        endorsed = one.get("endorsements", [CHANNEL]) if isinstance(one, dict) else []
        if (
            isinstance(one, dict)
            and one.get("kty") == "RSA"
            and isinstance(one.get("kid"), str)
            and CHANNEL in endorsed
        ):
            try:
                found[one["kid"]] = RSAKey.import_key({k: one[k] for k in ("kty", "n", "e")})
            except (JoseError, ValueError, KeyError, TypeError) as wrong:
                log.warning("a key of the bot connector cannot be used", why=type(wrong).__name__)
    if not found:
        raise Away("no keys are published")
    return found
