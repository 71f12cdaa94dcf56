"""SAML 2.0 as a kind of identity provider: its settings, and where a browser goes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import ClassVar
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from waypost.access.providers.kinds import Address, Config, Findings, Found, Leaving, Provider
from waypost.access.providers.saml import bindings, keys, requests
from waypost.access.providers.saml.judging import Signed, Trust
from waypost.access.providers.saml.mapping import SECOND_FACTORS
from waypost.access.providers.saml.reading import NameId
from waypost.access.providers.saml.refusing import Refused
from waypost.access.providers.saml.verifying import read_certificate
from waypost.access.providers.saml.words import NAME_ID_FORMATS
from waypost.kernel.clock import now
from waypost.kernel.db import database
from waypost.kernel.settings import get_settings
from waypost.kernel.settings_form import Field

SOON = timedelta(days=30)  # before which a certificate's end is told
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_USUAL_NAMES = "Left empty, the usual names are tried."


class Saml:
    """The kind `saml`."""

    key: ClassVar[str] = "saml"
    label: ClassVar[str] = "SAML 2.0"
    fields: ClassVar[tuple[Field, ...]] = (
        Field("entity_id", "Entity ID", help="What the identity provider calls itself."),
        # not of kind `url`: browsers go there and we never do, so it may well lie inside this house
        Field("sso_url", "Sign-in address", help="Its single sign-on service, for HTTP-Redirect."),
        Field("slo_url", "Sign-out address", help="Its single logout service, for HTTP-Redirect.", required=False),
        Field("slo_response_url", "Sign-out answers", help="Only when they go somewhere else.", required=False),
        Field(
            "certificates",
            "Certificates",
            "long",
            help="Those with which it signs, one after the other. While it goes over to a new one, both.",
            most=20_000,
        ),
        Field(
            "signed",
            "What it signs",
            "choice",
            help="What must be signed at least. Whatever is signed is verified in any case.",
            choices=tuple(Signed),
            default=Signed.EITHER.value,
        ),
        Field("must_encrypt", "Assertions must be encrypted", "boolean", required=False, default=False),
        Field("signs_requests", "Sign what we ask", "boolean", required=False, default=True),
        Field("asks_anew", "Have people sign in anew each time", "boolean", required=False, default=False),
        Field(
            "name_id_format",
            "NameID format",
            "choice",
            help="How it is to name people. A persistent one stays when an address changes.",
            choices=tuple(NAME_ID_FORMATS),
            default="unspecified",
        ),
        Field(
            "subject_attribute",
            "Attribute that names a person for good",
            help="Left empty, the NameID does. Needed when that is transient.",
            required=False,
        ),
        Field("username_attribute", "Attribute: username", help=_USUAL_NAMES, required=False),
        Field(
            "follows_usernames",
            "Usernames follow",
            "boolean",
            required=False,
            default=False,
            help="Only when people cannot choose there what they are called.",
        ),
        Field("email_attribute", "Attribute: e-mail address", help=_USUAL_NAMES, required=False),
        Field("first_name_attribute", "Attribute: first name", help=_USUAL_NAMES, required=False),
        Field("last_name_attribute", "Attribute: last name", help=_USUAL_NAMES, required=False),
        Field("groups_attribute", "Attribute: groups", help=_USUAL_NAMES, required=False),
        Field(
            "vouches_for_email",
            "It vouches for e-mail addresses",
            "boolean",
            help="Only when people cannot enter any address they like there.",
            required=False,
            default=False,
        ),
        Field(
            "second_factor_contexts",
            "What is a second factor",
            "list",
            help="Authentication contexts, one a line. Counts only when its second factors are trusted.",
            required=False,
            default=list(SECOND_FACTORS),
        ),
    )

    def check(self, settings: Config) -> Mapping[str, str]:
        """What keeps these settings from being used, by setting."""
        wrong: dict[str, str] = {}
        for name in ("sso_url", "slo_url", "slo_response_url"):
            fault = _fault_of_address(str(settings.get(name) or ""))
            if settings.get(name) and fault:
                wrong[name] = fault
        try:
            certificates_in(str(settings.get("certificates") or ""))
        except Refused as bad:
            wrong["certificates"] = bad.detail
        if settings.get("name_id_format") == "transient" and not settings.get("subject_attribute"):
            wrong["subject_attribute"] = "is needed, since a transient NameID is another one at each sign-in"
        return wrong

    async def test(self, provider: Provider) -> Findings:
        """Whether its certificates can be used, and until when: nothing can be asked without somebody signing in."""
        wrong = self.check(provider.config)
        if wrong:
            return Findings(error="; ".join(f"{name} {why}" for name, why in wrong.items()))
        found = [Found("Entity ID", str(provider.get("entity_id"))), Found("Sign-in address", provider.get("sso_url"))]
        found += [_about(read_certificate(c), now()) for c in certificates_in(provider.get("certificates"))]
        ours = (await keys.key_pairs(database()))[0].certificate
        found.append(Found("Our certificate", fingerprint(read_certificate(ours))))
        return Findings(found=tuple(found))

    def addresses(self, provider: Provider) -> tuple[Address, ...]:
        """What the other side has to know of us."""
        here = Here(provider.key)
        return (
            Address("metadata", "Our metadata", here.entity_id, "Most providers take everything from here.", True),
            Address("entity_id", "Our entity ID", here.entity_id, "Also called audience or identifier."),
            Address("acs", "Assertion consumer service", here.acs_url, "Also called reply URL; binding HTTP-POST."),
            Address("sls", "Single logout service", here.sls_url, "Bindings HTTP-Redirect and HTTP-POST."),
            Address(
                "certificate", "Our certificate", here.certificate_url, "For requests we sign, and to encrypt.", True
            ),
        )

    async def sign_in_address(self, provider: Provider, leaving: Leaving) -> str:
        """Where the browser asks the identity provider who it is."""
        here = Here(provider.key)
        message = requests.authn_request(
            request_id=leaving.request_id,
            at=now(),
            sso_url=provider.get("sso_url"),
            acs_url=here.acs_url,
            entity_id=here.entity_id,
            name_id_format=NAME_ID_FORMATS[provider.get("name_id_format", "unspecified")],
            force=bool(provider.get("asks_anew")),
        )
        return bindings.address(
            provider.get("sso_url"),
            bindings.REQUEST,
            message,
            relay_state=leaving.state,
            private_key=await _signing_key(provider),
        )

    async def sign_out_address(self, provider: Provider, session: str | None, hint: str | None) -> str | None:
        """Where the browser asks to be signed out everywhere; None when the provider has no such place."""
        if not provider.get("slo_url") or not hint:
            return None
        kept = json.loads(hint)
        message = requests.logout_request(
            request_id=new_logout_id(provider.id),
            at=now(),
            slo_url=provider.get("slo_url"),
            entity_id=Here(provider.key).entity_id,
            name_id=NameId(**kept["name_id"]),
            session_index=kept["session_index"],
        )
        # signed whatever is set: nobody else may sign people out
        key = (await keys.key_pairs(database()))[0].private_key
        return bindings.address(provider.get("slo_url"), bindings.REQUEST, message, private_key=key)


class Here:
    """Our own addresses towards one provider. Each has its own entity id: what is meant for one is of no use elsewhere."""

    def __init__(self, key: str) -> None:
        base = f"{get_settings().origin}/api/v1/auth/saml/{key}"
        self.entity_id = f"{base}/metadata"
        self.acs_url = f"{base}/acs"
        self.sls_url = f"{base}/sls"
        self.certificate_url = f"{base}/certificate"


def certificates_in(written: str) -> tuple[str, ...]:
    """Each certificate of a text with several, or with one in bare base64. Raises `Refused`."""
    found = tuple(_PEM.findall(written)) or (written,)
    for certificate in found:
        read_certificate(certificate)
    return found


async def trust_of(provider: Provider) -> Trust:
    """On what a provider is believed."""
    return Trust(
        certificates=certificates_in(str(provider.get("certificates") or "")),
        signed=Signed(provider.get("signed", Signed.EITHER)),
        must_encrypt=bool(provider.get("must_encrypt")),
        private_keys=tuple(pair.private_key for pair in await keys.key_pairs(database())),
    )


def session_name(name_id: NameId, session_index: str) -> str:
    """What a sign-in is found by when the provider ends it."""
    return f"{sessions_of(name_id)}{session_index}"


def sessions_of(name_id: NameId) -> str:
    """What the names of all sign-ins of somebody begin with; the name itself is not kept readable."""
    return f"{hashlib.sha256(name_id.value.encode()).hexdigest()}:"


def hint_of(name_id: NameId, session_index: str) -> str:
    """What signing out will need."""
    return json.dumps({"name_id": asdict(name_id), "session_index": session_index})


def new_logout_id(provider_id: int) -> str:
    """An id for a request to sign somebody out, by which an answer to it is known to be one, with nothing kept."""
    nonce = secrets.token_hex(8)
    return f"_{nonce}{_mark(nonce, provider_id)}"


def is_logout_id(request_id: str, provider_id: int) -> bool:
    """Whether we asked this provider that."""
    nonce, mark = request_id[1:17], request_id[17:]
    return hmac.compare_digest(mark.encode(), _mark(nonce, provider_id).encode())


def _mark(nonce: str, provider_id: int) -> str:
    about = f"saml logout:{provider_id}:{nonce}".encode()
    return base64.b16encode(hmac.digest(get_settings().signing_secret(), about, "sha256")[:12]).decode().lower()


async def _signing_key(provider: Provider) -> bytes | None:
    return (await keys.key_pairs(database()))[0].private_key if provider.get("signs_requests") else None


def _fault_of_address(written: str) -> str | None:
    try:
        url = urlsplit(written)
        host = url.hostname
    except ValueError:
        return "is no web address"
    if url.scheme not in ("https", "http") or not host or url.username is not None or url.fragment:
        return "must be a web address, with https"
    if url.scheme == "http" and not _is_here(host):
        return "must begin with https://"
    return None


def _is_here(host: str) -> bool:
    """Whether it is this machine, where a provider may be tried without TLS."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def fingerprint(certificate: x509.Certificate) -> str:
    """By which people compare certificates."""
    found = certificate.fingerprint(hashes.SHA256()).hex().upper()
    return ":".join(found[i : i + 2] for i in range(0, len(found), 2))


def _about(certificate: x509.Certificate, at: datetime) -> Found:
    end = certificate.not_valid_after_utc
    day = end.date().isoformat()
    said = f"ended on {day}, and is used nevertheless" if end <= at else f"until {day}"
    return Found("Certificate", f"{fingerprint(certificate)[:29]}… {said}", is_good=end > at + SOON)
