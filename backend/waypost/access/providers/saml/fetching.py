"""Getting an identity provider's metadata: from the address an administrator typed in, or from what they pasted."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

import httpx2

from waypost.access.providers.saml import bounded, metadata
from waypost.access.providers.saml.errors import MetadataUnusable
from waypost.access.providers.saml.kind import fingerprint
from waypost.access.providers.saml.refusing import Refused
from waypost.access.providers.saml.verifying import read_certificate
from waypost.access.providers.saml.words import NAME_ID_FORMATS
from waypost.kernel.outgoing import NotAllowed, check_url, guarded

LONGEST = 10.0  # seconds


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate by what people compare."""

    fingerprint: str
    subject: str
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Read:
    """Settings as metadata gives them, and the certificates among them."""

    settings: dict[str, str | bool]
    certificates: list[Certificate]


async def read_metadata(*, url: str | None, document: str | None) -> Read:
    """What metadata says, as settings. Nothing is kept: an administrator looks at it first. Raises `MetadataUnusable`."""
    content = (document or "").encode() if url is None else await _fetch(url)
    try:
        found = await bounded.read_metadata(content)
    except Refused as refused:
        raise MetadataUnusable(f"This metadata cannot be used: {refused.detail or refused.reason}.") from refused
    formats = [f for f in ("persistent", "emailAddress") if NAME_ID_FORMATS[f] in found.name_id_formats]
    settings: dict[str, str | bool] = {
        "entity_id": found.entity_id,
        "sso_url": found.sso_url,
        "slo_url": found.slo_url,
        "slo_response_url": found.slo_response_url if found.slo_response_url != found.slo_url else "",
        "certificates": "".join(found.certificates),
    }
    if found.wants_signed_requests:
        settings["signs_requests"] = True
    if formats:
        settings["name_id_format"] = formats[0]
    return Read(settings, [_told(c) for c in found.certificates])


def _told(written: str) -> Certificate:
    certificate = read_certificate(written)
    subject = certificate.subject.rfc4514_string()[:200]
    return Certificate(fingerprint(certificate), subject, certificate.not_valid_after_utc)


async def _fetch(url: str) -> bytes:
    try:
        address = check_url(url)
        async with (
            asyncio.timeout(LONGEST),
            httpx2.AsyncClient(transport=guarded(), follow_redirects=False, trust_env=False) as client,
            client.stream("GET", address, headers={"Accept": "application/samlmetadata+xml, text/xml"}) as answer,
        ):
            if answer.status_code != 200:
                raise MetadataUnusable(f"That address answers {answer.status_code}.")
            content = b""
            async for chunk in answer.aiter_bytes():
                content += chunk
                if len(content) > metadata.LARGEST:
                    raise MetadataUnusable("There is too much at that address.")
            return content
    except NotAllowed as refused:
        raise MetadataUnusable(f"That address is not called: {refused}.") from refused
    except TimeoutError as late:
        raise MetadataUnusable(f"No answer within {LONGEST:.0f} seconds.") from late
    except httpx2.HTTPError as failed:
        raise MetadataUnusable("Nothing answers at that address.") from failed
