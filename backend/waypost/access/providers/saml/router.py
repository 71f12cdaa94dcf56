"""`/auth/saml/{key}`: our addresses towards SAML identity providers, and reading an identity provider's metadata."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from waypost.access.actor import Actor
from waypost.access.deps import caller_of, permit, public
from waypost.access.permissions import Permission
from waypost.access.providers.errors import ProviderNotFound
from waypost.access.providers.kinds import Provider
from waypost.access.providers.oidc_router import page_for, sent_on
from waypost.access.providers.saml import arriving, keys, metadata, signing_out
from waypost.access.providers.saml.bindings import REQUEST, RESPONSE
from waypost.access.providers.saml.errors import MessageRefused, MetadataUnusable
from waypost.access.providers.saml.fetching import read_metadata
from waypost.access.providers.saml.forms import read_form
from waypost.access.providers.saml.judging import Signed
from waypost.access.providers.saml.kind import Here
from waypost.access.providers.saml.refusing import Refused
from waypost.access.providers.saml.schemas import SamlMetadataAsked, SamlMetadataRead
from waypost.access.providers.saml.words import NAME_ID_FORMATS, UNSPECIFIED
from waypost.kernel import limits
from waypost.kernel.clock import rfc3339
from waypost.kernel.counting import network_of
from waypost.kernel.db import database
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.logs import get_logger
from waypost.kernel.openapi import problems

log = get_logger(__name__)
router = APIRouter(route_class=StrictRoute, tags=["Identity providers"])
# Left out of the API's document: what is spoken there is SAML, and no client of ours calls it.
spoken = APIRouter(route_class=StrictRoute, prefix="/auth/saml", include_in_schema=False)
ALLOWED = 600  # messages a minute from one address: an office comes to work behind one


@router.post("/identity-providers/saml/metadata", response_model=SamlMetadataRead, responses=problems(MetadataUnusable))
async def read_saml_metadata(
    body: SamlMetadataAsked, _: Annotated[Actor, permit(Permission.IDENTITY_CONFIGURE)]
) -> Response:
    """The settings an identity provider's metadata gives, to look at and save. Keeps nothing."""
    found = await read_metadata(url=body.url, document=body.document)
    certificates = [
        {"fingerprint": c.fingerprint, "subject": c.subject, "ends_at": rfc3339(c.ends_at)} for c in found.certificates
    ]
    return json_response({"settings": found.settings, "certificates": certificates})


@spoken.get("/{key}/metadata")
@public
async def saml_metadata(key: str) -> Response:
    """Who we are, for an identity provider to read."""
    provider = await _provider(key, is_on=False)
    here, pair = Here(provider.key), (await keys.key_pairs(database()))[0]
    name_id_format = NAME_ID_FORMATS[provider.get("name_id_format", "unspecified")]
    document = metadata.ours(
        entity_id=here.entity_id,
        acs_url=here.acs_url,
        sls_url=here.sls_url,
        certificate=pair.certificate,
        signs=bool(provider.get("signs_requests")),
        wants_signed=provider.get("signed") in (Signed.ASSERTION, Signed.BOTH),
        name_id_format="" if name_id_format == UNSPECIFIED else name_id_format,
    )
    return Response(document, media_type="application/samlmetadata+xml")


@spoken.get("/{key}/certificate")
@public
async def saml_certificate(key: str) -> Response:
    """Our certificate, as a file."""
    provider = await _provider(key, is_on=False)
    pair = (await keys.key_pairs(database()))[0]
    name = f'attachment; filename="waypost-{provider.key}.pem"'
    return Response(pair.certificate, media_type="application/x-pem-file", headers={"Content-Disposition": name})


@spoken.post("/{key}/acs")
@public
async def saml_response(key: str, request: Request) -> Response:
    """Where an identity provider has a browser bring its response: judged, and the browser sent on to fetch it."""
    _slow_down(request)
    provider = await _provider(key, is_on=False)
    try:
        form = await read_form(request)
    except Refused as refused:
        raise _refused(provider, refused) from refused
    came = await arriving.take_response(database(), caller_of(request), provider, form)
    page = page_for(came.purpose, came.next_path)
    return sent_on(page, f"came={came.ticket}" if came.ticket else f"refused={came.refused}")


@spoken.get("/{key}/sls")
@public
async def saml_sign_out(key: str, request: Request) -> Response:
    """Somebody signed out at the identity provider, or what we asked of it is done (HTTP-Redirect)."""
    _slow_down(request)
    provider = await _provider(key)
    try:
        return _on(await signing_out.hear_logout(database(), provider, query=request.scope["query_string"].decode()))
    except (Refused, UnicodeDecodeError) as refused:
        raise _refused(provider, refused) from refused


@spoken.post("/{key}/sls")
@public
async def saml_sign_out_by_form(key: str, request: Request) -> Response:
    """The same by HTTP-POST."""
    _slow_down(request)
    provider = await _provider(key)
    try:
        form = await read_form(request)
        kinds = [k for k in (REQUEST, RESPONSE) if k in form]
        if len(kinds) != 1:
            raise Refused("not_a_form", "one message")
        told = {"kind": kinds[0], "field": form[kinds[0]], "relay_state": form.get("RelayState")}
        return _on(await signing_out.hear_logout(database(), provider, **told))
    except Refused as refused:
        raise _refused(provider, refused) from refused


def _slow_down(request: Request) -> None:
    """Reading signed XML costs more than most of what strangers can ask for. Raises `TooManyRequests`."""
    limits.slow_down(limits.Policy("saml", ALLOWED), network_of(request))


async def _provider(key: str, *, is_on: bool = True) -> Provider:
    """The SAML provider of that key. Raises `ProviderNotFound`."""
    provider = await arriving.find_provider(database(), key)
    if is_on and not provider.is_on:
        raise ProviderNotFound
    return provider


def _on(address: str) -> Response:
    return RedirectResponse(address, 303)


def _refused(provider: Provider, refused: Exception) -> MessageRefused:
    log.warning("a SAML message is refused", provider=provider.key, reason=str(refused)[:200])
    return MessageRefused()


router.include_router(spoken)
