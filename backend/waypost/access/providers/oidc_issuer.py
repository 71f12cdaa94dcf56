"""What an issuer of OpenID Connect says of itself: its addresses (discovery) and its keys, kept for a while.

An issuer is the one that was typed in, to the letter: a document that calls itself something else is not believed, so no
issuer can speak for another. Keys are fetched once more for one we don't know, at most every few seconds, whoever asks.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey, import_key

from waypost.access.providers.errors import ProviderFails
from waypost.kernel.outgoing import guarded
from waypost.vendors.answers import Answer, Away, ask, client

DOCUMENT_LIFE = 3600.0  # seconds
KEYS_LIFE = 900.0  # a key that was taken back is believed no longer than this
KEYS_PACE = 10.0  # seconds between two looks for a key we don't know
MOST_KEYS = 100
MOST_KEPT = 200
LEAST_RSA = 2048
PLACES = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True, slots=True)
class Metadata:
    """An issuer's own description (OpenID Connect Discovery 1.0), checked."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    end_session_endpoint: str | None
    names_itself: bool  # RFC 9207: its answers carry `iss`
    algorithms: tuple[str, ...]
    scopes: tuple[str, ...]
    backchannel_logout: bool


def read_metadata(document: Any, issuer: str) -> Metadata:
    """The description of this issuer. Raises `ProviderFails` when it is another's, or lacks what is needed."""
    if not isinstance(document, dict):
        raise ProviderFails("The issuer's description is no JSON object.")
    named = document.get("issuer")
    if named != issuer:
        raise ProviderFails(
            f"The description calls its issuer {str(named)[:200]!r}, not {issuer!r}: they must be equal."
        )
    scheme = urlsplit(issuer).scheme
    for place in (*PLACES, "userinfo_endpoint", "end_session_endpoint"):
        said = document.get(place)
        if said is None and place not in PLACES:
            continue
        if not _is_address(said, scheme):
            raise ProviderFails(f"The description has no usable {place}.")
    return Metadata(
        issuer=issuer,
        authorization_endpoint=document["authorization_endpoint"],
        token_endpoint=document["token_endpoint"],
        jwks_uri=document["jwks_uri"],
        userinfo_endpoint=document.get("userinfo_endpoint"),
        end_session_endpoint=document.get("end_session_endpoint"),
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
        algorithms=_words(document.get("id_token_signing_alg_values_supported")),
        scopes=_words(document.get("scopes_supported")),
        backchannel_logout=document.get("backchannel_logout_supported") is True,
    )


def _is_address(said: Any, scheme: str) -> bool:
    if not isinstance(said, str) or len(said) > 2000:
        return False
    try:
        parts = urlsplit(said)
    except ValueError:
        return False
    # an issuer reached over TLS never sends anybody to a place without it
    return bool(parts.hostname) and not parts.username and parts.scheme in ({"https"} | {scheme}) and not parts.fragment


def _words(said: Any) -> tuple[str, ...]:
    return tuple(v for v in said if isinstance(v, str)) if isinstance(said, list) else ()


def read_keys(document: Any) -> dict[str | None, list[Key]]:
    """The keys that verify signatures, by their ids. What is no such key is passed over; secrets among them too."""
    found: dict[str | None, list[Key]] = {}
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ProviderFails("The issuer's keys are no JSON Web Key Set.")
    for entry in listed[:MOST_KEYS]:
        if (
            not isinstance(entry, dict)
            or entry.get("use", "sig") != "sig"
            or entry.get("kty") not in ("RSA", "EC", "OKP")
        ):
            continue
        if (
            entry["kty"] == "RSA" and len(str(entry.get("n"))) < LEAST_RSA / 6
        ):  # in base64: it would only be complained of
            continue
        try:
            key = import_key({k: v for k, v in entry.items() if k not in ("d", "p", "q", "dp", "dq", "qi", "oth", "k")})
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        if isinstance(key, RSAKey) and key.raw_value.key_size < LEAST_RSA:
            continue
        kid = entry.get("kid")
        found.setdefault(kid if isinstance(kid, str) else None, []).append(key)
    return found


def fits(key: Key, algorithm: str) -> bool:
    """Whether a key is one for an algorithm; one that names its own is for no other."""
    if isinstance(key, OctKey) or key.get("alg") not in (None, algorithm):
        return False
    if algorithm.startswith(("RS", "PS")):
        return isinstance(key, RSAKey)
    if algorithm.startswith("ES"):
        return isinstance(key, ECKey)
    return algorithm in ("EdDSA", "Ed25519") and isinstance(key, OKPKey)


@dataclass
class _Kept:
    metadata: Metadata | None = None
    metadata_at: float = 0.0
    keys: dict[str | None, list[Key]] = field(default_factory=dict)
    keys_at: float | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Issuers:
    """What this process knows of issuers. A tick is a monotonic clock's, in seconds."""

    def __init__(self, tick: Any = time.monotonic) -> None:
        self._kept: dict[str, _Kept] = {}
        self._tick = tick

    def _of(self, issuer: str) -> _Kept:
        if issuer not in self._kept and len(self._kept) >= MOST_KEPT:
            self._kept.pop(next(iter(self._kept)))
        return self._kept.setdefault(issuer, _Kept())

    def forget(self, issuer: str) -> None:
        """Ask again next time."""
        self._kept.pop(issuer, None)

    async def metadata(self, issuer: str) -> Metadata:
        """An issuer's description. Raises `ProviderFails`."""
        kept = self._of(issuer)
        async with kept.lock:
            if kept.metadata is None or self._tick() - kept.metadata_at > DOCUMENT_LIFE:
                url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
                kept.metadata = read_metadata(await get_json(url, "The issuer's description"), issuer)
                kept.metadata_at = self._tick()
            return kept.metadata

    async def keys(self, issuer: str, kid: str | None, algorithm: str) -> list[Key]:
        """The keys a token with this header may be signed with: those with its `kid`; without one, the only one there is.

        Raises `ProviderFails`.
        """
        metadata = await self.metadata(issuer)
        kept = self._of(issuer)
        async with kept.lock:
            age = None if kept.keys_at is None else self._tick() - kept.keys_at
            found = [] if age is None or age > KEYS_LIFE else _chosen(kept.keys, kid, algorithm)
            if not found and (age is None or age > KEYS_PACE):
                kept.keys = read_keys(await get_json(metadata.jwks_uri, "The issuer's keys"))
                kept.keys_at = self._tick()
                found = _chosen(kept.keys, kid, algorithm)
            return found


def _chosen(keys: dict[str | None, list[Key]], kid: str | None, algorithm: str) -> list[Key]:
    if kid is not None:
        return [k for k in keys.get(kid, ()) if fits(k, algorithm)]
    fitting = [k for several in keys.values() for k in several if fits(k, algorithm)]
    return fitting if len(fitting) == 1 else []


issuers = Issuers()


async def get_json(url: str, what: str, **more: Any) -> Any:
    """A JSON object from an address somebody typed in, or that an issuer named. Raises `ProviderFails`."""
    answer = await call("GET", url, what, **more)
    if answer.status != 200:
        raise ProviderFails(f"{what}: {url} answers {answer.status}.")
    document = answer.document()
    if document is None:
        raise ProviderFails(f"{what}: {url} answers no JSON object.")
    return document


async def call(method: str, url: str, what: str, **more: Any) -> Answer:
    """One call to a provider, by the guard for addresses that were typed in. Raises `ProviderFails`."""
    try:
        async with client(transport=guarded()) as http:
            return await ask(http, method, url, within=10, **more)
    except Away as away:
        raise ProviderFails(f"{what}: {url} cannot be reached ({away}).") from away
