"""What an issuer says of itself: read with suspicion, and kept no longer than it should be."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from tests.access.issuer import _RSA, EC
from waypost.access.providers import oidc_issuer
from waypost.access.providers.errors import ProviderFails
from waypost.access.providers.oidc_issuer import Issuers, fits, read_keys, read_metadata
from waypost.access.providers.oidc_tokens import USUAL, WrongToken, read_header

ISSUER = "https://id.example.com"
WHOLE = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/keys",
}


def test_a_description_says_what_it_says() -> None:
    plain = read_metadata(WHOLE, ISSUER)
    assert (plain.userinfo_endpoint, plain.names_itself, plain.algorithms) == (None, False, ())
    odd = read_metadata({**WHOLE, "scopes_supported": ["openid", 5], "backchannel_logout_supported": "yes"}, ISSUER)
    assert (odd.scopes, odd.backchannel_logout) == (("openid",), False)


@pytest.mark.parametrize(
    "document",
    [
        [],
        {**WHOLE, "issuer": f"{ISSUER}/"},
        {**WHOLE, "token_endpoint": "http://id.example.com/token"},  # over TLS, and then without it
        {**WHOLE, "token_endpoint": "https://[id"},
        {**WHOLE, "token_endpoint": "https:///token"},
        {**WHOLE, "token_endpoint": f"{ISSUER}/token#x"},
        {**WHOLE, "token_endpoint": f"{ISSUER}/{'x' * 2000}"},
    ],
)
def test_a_description_that_is_odd_is_refused(document: Any) -> None:
    with pytest.raises(ProviderFails):
        read_metadata(document, ISSUER)


def test_only_keys_that_verify_signatures_are_kept() -> None:
    ed = OKPKey.generate_key("Ed25519", {"kid": "ed"}, private=True)
    weak = json.loads(json.dumps(_RSA[0].as_dict(private=False))) | {"kid": "weak"}
    weak["n"] = base64.urlsafe_b64encode((1 << 1023 | 1).to_bytes(128, "big")).rstrip(b"=").decode()
    listed = [
        _RSA[0].as_dict(private=True),  # a private key that was published is used as what it should have been
        EC.as_dict(private=False),
        ed.as_dict(private=False),
        weak,
        {**_RSA[1].as_dict(private=False), "use": "enc"},
        OctKey.import_key(b"x" * 32).as_dict(private=True),
        {"kty": "RSA", "n": "?"},
        {"kty": "EC", "crv": "P-256"},
        "no key",
        {**_RSA[1].as_dict(private=False), "kid": 5},
        {k: v for k, v in _RSA[1].as_dict(private=False).items() if k != "kid"},
    ]
    keys = read_keys({"keys": listed})
    assert set(keys) == {"rsa-0", "ec-1", "ed", None}
    assert not any(k.is_private for several in keys.values() for k in several)
    for document in ([], {}, {"keys": {}}):
        with pytest.raises(ProviderFails):
            read_keys(document)


def test_a_key_is_for_its_algorithms_only() -> None:
    ed = OKPKey.generate_key("Ed25519", private=False)
    named = RSAKey.import_key({**_RSA[0].as_dict(private=False), "alg": "RS256"})
    large = ECKey.generate_key("P-384", private=False)
    assert [a for a in ("RS256", "PS512", "ES256", "EdDSA", "Ed25519", "HS256", "none") if fits(_RSA[0], a)] == [
        "RS256",
        "PS512",
    ]
    assert [a for a in ("RS256", "PS256") if fits(named, a)] == ["RS256"]
    assert [a for a in ("RS256", "ES384", "EdDSA") if fits(large, a)] == ["ES384"]
    assert [a for a in ("RS256", "EdDSA", "Ed25519") if fits(ed, a)] == ["EdDSA", "Ed25519"]
    assert not fits(OctKey.import_key(b"x" * 32), "HS256")


async def test_keys_are_kept_for_a_while_and_looked_for_at_a_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    published = [_RSA[0]]
    at = 1000.0

    async def get_json(url: str, _what: str) -> Any:
        asked.append(url)
        return {"keys": [k.as_dict(private=False) for k in published]} if url.endswith("/keys") else WHOLE

    monkeypatch.setattr(oidc_issuer, "get_json", get_json)
    known = Issuers(tick=lambda: at)

    async def found(kid: str | None) -> int:
        return len(await known.keys(ISSUER, kid, "RS256"))

    assert (await found("rsa-0"), await found("rsa-0"), await found(None)) == (1, 1, 1)
    assert len(asked) == 2
    published.append(_RSA[1])
    assert await found("rsa-1") == 0, "a moment later"
    at += oidc_issuer.KEYS_PACE + 1
    assert (await found("rsa-1"), await found(None)) == (1, 0), "without a name only the one there is"
    published.remove(_RSA[0])
    at += oidc_issuer.KEYS_PACE + 1
    assert await found("rsa-0") == 1, "still believed"
    at += oidc_issuer.KEYS_LIFE
    assert await found("rsa-0") == 0, "no longer"
    assert asked.count(f"{ISSUER}/.well-known/openid-configuration") == 1
    at += oidc_issuer.DOCUMENT_LIFE
    await known.metadata(ISSUER)
    assert asked[-1] == f"{ISSUER}/.well-known/openid-configuration"


async def test_what_is_known_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    async def get_json(url: str, _what: str) -> Any:
        return {**WHOLE, "issuer": url.partition("/.well-known")[0]}

    monkeypatch.setattr(oidc_issuer, "get_json", get_json)
    known = Issuers()
    for n in range(oidc_issuer.MOST_KEPT + 5):
        await known.metadata(f"https://id{n}.example.com")
    assert len(known._kept) == oidc_issuer.MOST_KEPT


@pytest.mark.parametrize(
    "header", [[], {"alg": "RS256", "kid": 5}, {"alg": "RS256", "typ": []}, {"alg": ["RS256"]}, {}]
)
def test_a_header_that_is_odd_is_refused(header: Any) -> None:
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    with pytest.raises(WrongToken):
        read_header(f"{head}.e30.x", USUAL)
