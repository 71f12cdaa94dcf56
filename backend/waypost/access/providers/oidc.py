"""OpenID Connect as a kind of provider: authorization code with PKCE, to OpenID Connect Core 1.0 and RFC 9700."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import parse_qsl, quote_plus, urlencode, urlsplit, urlunsplit

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key

from waypost.access.providers.errors import ProviderFails
from waypost.access.providers.kinds import Address, Config, Findings, Found, Leaving, Proven, Provider
from waypost.access.providers.oidc_claims import is_vouched, needs_more, person_of
from waypost.access.providers.oidc_issuer import Metadata, call, get_json, issuers
from waypost.access.providers.oidc_tokens import ALGORITHMS, USUAL, WrongToken, read_header, read_id_token
from waypost.access.providers.plain import plain_person
from waypost.kernel.clock import now
from waypost.kernel.ids import random_token
from waypost.kernel.settings import get_settings
from waypost.kernel.settings_form import Field

LONGEST_HINT = 8000  # characters of an ID token that is kept for signing out
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class OpenIdConnect:
    """The kind."""

    key: ClassVar[str] = "oidc"
    label: ClassVar[str] = "OpenID Connect"
    fields: ClassVar[tuple[Field, ...]] = (
        Field("issuer", "Issuer", "url", help="Exactly as the provider calls itself, such as https://id.example.com."),
        Field("client_id", "Client ID", help="What this installation is called there."),
        Field(
            "client_authentication",
            "Client authentication",
            "choice",
            required=False,
            choices=("client_secret_basic", "client_secret_post", "private_key_jwt"),
            default="client_secret_basic",
            help="How this installation shows at the token endpoint that it is itself.",
        ),
        Field("client_secret", "Client secret", "secret", required=False, most=500),
        Field(
            "private_key",
            "Private key",
            "long",
            required=False,
            most=10_000,
            is_secret=True,
            help="PEM, for private_key_jwt: RSA, EC or Ed25519. The provider is given its public half.",
        ),
        Field(
            "scopes",
            "Scopes",
            "list",
            required=False,
            default=["openid", "profile", "email"],
            help="What is asked for, one on a line. openid is always among them.",
        ),
        Field(
            "groups_claim",
            "Claim with groups",
            required=False,
            default="groups",
            help="Without it, groups give no roles. A dot leads inward: realm_access.roles.",
        ),
        Field("username_claim", "Claim with the username", required=False, default="preferred_username"),
        Field(
            "follows_usernames",
            "Usernames follow",
            "boolean",
            required=False,
            default=False,
            help="Only when people cannot choose there what they are called.",
        ),
        Field("department_claim", "Claim with the department", required=False, help="By its name here."),
        Field("job_title_claim", "Claim with the job title", required=False),
        Field(
            "vouches_for_email",
            "Every e-mail address is vouched for",
            "boolean",
            required=False,
            help="For a provider that never says email_verified, and lets nobody choose their own address.",
        ),
        Field(
            "acr_values",
            "Asked-for strength (acr_values)",
            required=False,
            help="What the provider calls a sign-in with a second factor, when it can be asked for.",
        ),
        Field(
            "second_factor_values",
            "Signs of a second factor",
            "list",
            required=False,
            default=["mfa"],
            help="Values of amr or acr that mean a second factor was asked for there, one on a line.",
        ),
        Field(
            "algorithms",
            "Allowed signatures",
            "list",
            required=False,
            default=list(USUAL),
            help="Of ID tokens, one on a line: " + ", ".join(ALGORITHMS) + ".",
        ),
        Field(
            "signs_out_there",
            "Signing out here signs out there",
            "boolean",
            required=False,
            default=True,
            help="When the provider offers it, its own page asks whether to.",
        ),
    )

    def check(self, settings: Config) -> Mapping[str, str]:
        wrong: dict[str, str] = {}
        way = settings.get("client_authentication")
        if way == "private_key_jwt":
            if not settings.get("private_key"):
                wrong["private_key"] = "is needed for private_key_jwt"
            elif _signing_key(str(settings["private_key"])) is None:
                wrong["private_key"] = "is no private key in PEM that we can sign with"
        elif not settings.get("client_secret"):
            wrong["client_secret"] = "is needed to switch it on"  # noqa: S105 - a sentence
        unknown = [a for a in settings.get("algorithms") or () if a not in ALGORITHMS]
        if unknown:
            wrong["algorithms"] = f"{unknown[0]} is none that can be allowed"
        if urlsplit(str(settings.get("issuer", ""))).query or urlsplit(str(settings.get("issuer", ""))).fragment:
            wrong["issuer"] = "has neither ? nor # in it"
        return wrong

    def addresses(self, provider: Provider) -> tuple[Address, ...]:
        base = f"{get_settings().origin}/api/v1/auth/oidc/{provider.key}"
        return (
            Address("redirect", "Redirect URI", redirect_uri(provider), "Where the provider sends people back to."),
            Address(
                "post_logout",
                "Post-logout redirect URI",
                signed_out_uri(),
                "Where it sends people who signed out there.",
            ),
            Address(
                "backchannel_logout",
                "Back-channel logout URI",
                f"{base}/back-channel-logout",
                "What it calls when somebody signs out elsewhere.",
            ),
        )

    async def test(self, provider: Provider) -> Findings:
        issuer = str(provider.get("issuer"))
        issuers.forget(issuer)
        try:
            metadata = await issuers.metadata(issuer)
            document = await get_json(metadata.jwks_uri, "The issuer's keys")
        except ProviderFails as fails:
            return Findings(error=fails.detail)
        keys = [k for k in document.get("keys", ()) if isinstance(k, dict)]
        return Findings(tuple(_found(provider, metadata, keys)), _in_the_way(provider, metadata))

    async def sign_in_address(self, provider: Provider, leaving: Leaving) -> str:
        metadata = await issuers.metadata(str(provider.get("issuer")))
        scopes = [s for s in provider.get("scopes", ()) if s != "openid"]
        asked = {
            "response_type": "code",
            "client_id": str(provider.get("client_id")),
            "redirect_uri": redirect_uri(provider),
            "scope": " ".join(["openid", *scopes]),
            "state": leaving.state,
            "nonce": leaving.nonce,
            "code_challenge": challenge_of(leaving.verifier),
            "code_challenge_method": "S256",
        }
        if provider.get("acr_values"):
            asked["acr_values"] = str(provider.get("acr_values"))
        return with_query(metadata.authorization_endpoint, asked)

    async def sign_out_address(self, provider: Provider, session: str | None, hint: str | None) -> str | None:
        if provider.get("signs_out_there") is not True:
            return None
        metadata = await issuers.metadata(str(provider.get("issuer")))
        if metadata.end_session_endpoint is None:
            return None
        asked = {
            "client_id": str(provider.get("client_id")),
            "post_logout_redirect_uri": signed_out_uri(),
            "state": random_token()[:22],
        }
        return with_query(metadata.end_session_endpoint, asked | ({"id_token_hint": hint} if hint else {}))


def check_answerer(metadata: Metadata, named: str | None) -> None:
    """RFC 9207: the answer names the issuer that was asked, when issuers do that. Raises `WrongToken`: a mix-up."""
    if named is None and metadata.names_itself:
        raise WrongToken("the answer does not say by whom it is, and this issuer always does")
    if named is not None and named != metadata.issuer:
        raise WrongToken(f"the answer is by {named[:200]!r}, who was not asked")


async def exchange(provider: Provider, *, code: str, verifier: str, nonce: str) -> Proven:
    """What a code stands for: the person, proven by an ID token. Raises `ProviderFails` or `WrongToken`."""
    issuer = str(provider.get("issuer"))
    metadata = await issuers.metadata(issuer)
    asked = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri(provider),
        "code_verifier": verifier,
    }
    headers = _authenticate(provider, metadata, asked)
    answer = await call("POST", metadata.token_endpoint, "The token endpoint", data=asked, headers=headers)
    document = answer.document() or {}
    token = document.get("id_token")
    if answer.status != 200 or not isinstance(token, str):
        said = str(document.get("error") or f"status {answer.status}")[:100]
        more = str(document.get("error_description") or "")[:200]
        raise ProviderFails(f"The token endpoint refuses: {said}{f' ({more})' if more else ''}.")
    allowed = tuple(provider.get("algorithms") or USUAL)
    header = read_header(token, allowed)
    keys = await issuers.keys(issuer, header.kid, header.algorithm)
    claims = read_id_token(
        token,
        keys,
        issuer=issuer,
        client_id=str(provider.get("client_id")),
        allowed=allowed,
        nonce=nonce,
        at=now(),
    )
    access = document.get("access_token")
    if metadata.userinfo_endpoint and isinstance(access, str) and needs_more(provider.config, claims):
        claims = await _with_userinfo(metadata.userinfo_endpoint, access, claims)
    sid = claims.get("sid")
    return Proven(
        person=plain_person(person_of(provider.config, claims)),
        session=sid if isinstance(sid, str) and 0 < len(sid) <= 1000 else None,
        hint=token if len(token) <= LONGEST_HINT else None,
        is_vouched=provider.trusts_second_factor and is_vouched(provider.config, claims),
        claims=claims,
    )


async def _with_userinfo(url: str, access: str, claims: dict[str, Any]) -> dict[str, Any]:
    """The claims with what the userinfo endpoint adds: about the same person, and nothing that was signed is replaced."""
    more = await get_json(url, "The userinfo endpoint", headers={"Authorization": f"Bearer {access}"})
    if more.get("sub") != claims["sub"]:
        raise WrongToken("the userinfo endpoint tells of somebody else")
    protocol = ("iss", "aud", "azp", "exp", "iat", "nonce", "sid", "amr", "acr", "auth_time")
    return {**{k: v for k, v in more.items() if k not in protocol}, **claims}


def _authenticate(provider: Provider, metadata: Metadata, asked: dict[str, str]) -> dict[str, str]:
    """Shows the token endpoint who asks: in a header, or added to what is asked."""
    way, client_id = provider.get("client_authentication"), str(provider.get("client_id"))
    secret = str(provider.get("client_secret", ""))
    if way == "private_key_jwt":
        key = _signing_key(str(provider.get("private_key", "")))
        if key is None:
            raise ProviderFails("The private key cannot be used.")
        at = int(now().timestamp())
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": metadata.token_endpoint,
            "jti": random_token(),
            "iat": at,
            "exp": at + 60,
        }
        algorithm = _algorithm(key)
        header = {"alg": algorithm, "kid": key.thumbprint()}
        asked["client_assertion_type"] = ASSERTION
        asked["client_assertion"] = jwt.encode(header, claims, key, algorithms=[algorithm])
        asked["client_id"] = client_id
        return {}
    if way == "client_secret_post":
        asked |= {"client_id": client_id, "client_secret": secret}
        return {}
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"  # RFC 6749, 2.3.1: each encoded first
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def _signing_key(pem: str) -> RSAKey | ECKey | OKPKey | None:
    for kind in ("RSA", "EC", "OKP"):
        try:
            key = import_key(pem, kind)
            if isinstance(key, (RSAKey, ECKey, OKPKey)) and key.is_private and _algorithm(key):
                return key
        except (JoseError, ValueError, TypeError, UnsupportedAlgorithm):
            continue
    return None


def _algorithm(key: RSAKey | ECKey | OKPKey) -> str:
    if isinstance(key, RSAKey):
        return "RS256"
    if isinstance(key, ECKey):
        return {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}[key.curve_name]
    return "EdDSA"


def redirect_uri(provider: Provider) -> str:
    """Where the provider sends a browser back to: another for each, so that answers of one are not taken for another's."""
    return f"{get_settings().origin}/api/v1/auth/oidc/{provider.key}/callback"


def signed_out_uri() -> str:
    """Where it sends a browser after signing out."""
    return f"{get_settings().origin}/login"


def challenge_of(verifier: str) -> str:
    """PKCE's S256 (RFC 7636)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def with_query(url: str, asked: Mapping[str, str]) -> str:
    """An address with these parameters besides those it has."""
    parts = urlsplit(url)
    kept = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if k not in asked]
    return urlunsplit(parts._replace(query=urlencode([*kept, *asked.items()])))


def _found(provider: Provider, metadata: Metadata, keys: list[dict[str, Any]]) -> list[Found]:
    allowed = set(provider.get("algorithms") or USUAL)
    offered = [a for a in metadata.algorithms if a in allowed]
    logout = [
        name
        for name, is_there in (
            ("from here", metadata.end_session_endpoint is not None),
            ("from there (back-channel)", metadata.backchannel_logout),
        )
        if is_there
    ]
    wanted = [s for s in provider.get("scopes", ()) if metadata.scopes and s not in metadata.scopes]
    return [
        Found("Issuer", metadata.issuer),
        Found("Signs in at", metadata.authorization_endpoint),
        Found("Keys", ", ".join(f"{k.get('kty')} {k.get('kid', '')}".strip() for k in keys[:10]) or "none", bool(keys)),
        Found("Signatures", ", ".join(metadata.algorithms) or "not said", bool(offered) or not metadata.algorithms),
        Found("Names itself in answers (RFC 9207)", "yes" if metadata.names_itself else "no"),
        Found("Tells more at the userinfo endpoint", "yes" if metadata.userinfo_endpoint else "no"),
        Found("Signing out", " and ".join(logout) or "not offered"),
        *([Found("Scopes it does not offer", ", ".join(wanted), False)] if wanted else []),
    ]


def _in_the_way(provider: Provider, metadata: Metadata) -> str | None:
    allowed = set(provider.get("algorithms") or USUAL)
    if metadata.algorithms and not allowed & set(metadata.algorithms):
        return f"It signs with {', '.join(metadata.algorithms[:5])}, which is not among the allowed signatures."
    return None
