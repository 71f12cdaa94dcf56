"""Who is who: our own description for an identity provider, and what we take from its."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from waypost.access.providers.saml import guard, reading
from waypost.access.providers.saml.guard import Element
from waypost.access.providers.saml.refusing import Refused
from waypost.access.providers.saml.verifying import read_certificate
from waypost.access.providers.saml.words import DS, METADATA, POST, REDIRECT, SAMLP, ds, md

LARGEST = 1024 * 1024  # of a description: federations list thousands, one provider is a few kilobytes


@dataclass(frozen=True, kw_only=True)
class IdpMetadata:
    """What an identity provider says of itself. Certificates in PEM; several while it goes over to a new one."""

    entity_id: str
    sso_url: str
    slo_url: str
    slo_response_url: str
    certificates: tuple[str, ...]
    name_id_formats: tuple[str, ...]
    wants_signed_requests: bool


def read_idp(document: bytes) -> IdpMetadata:
    """The one identity provider in a description. Raises `Refused`."""
    root = guard.parse(document, largest=LARGEST, comments=True)
    found = [e for e in root.iter(md("EntityDescriptor")) if e.find(md("IDPSSODescriptor")) is not None]
    if len(found) != 1:
        raise Refused("odd_metadata", f"{len(found)} identity providers are described, and one is wanted")
    entity = found[0]
    idp = reading.only(entity, md("IDPSSODescriptor"), "odd_metadata")
    if SAMLP not in idp.get("protocolSupportEnumeration", "").split():
        raise Refused("odd_metadata", "this identity provider does not speak SAML 2.0")
    certificates = tuple(dict.fromkeys(_certificates(idp)))
    if not certificates:
        raise Refused("odd_metadata", "there is no certificate for signatures")
    slo, slo_response = _address(idp, "SingleLogoutService")
    sso, _ = _address(idp, "SingleSignOnService")
    if not sso:
        raise Refused("odd_metadata", "there is no sign-in address for HTTP-Redirect")
    return IdpMetadata(
        entity_id=entity.get("entityID", ""),
        sso_url=sso,
        slo_url=slo,
        slo_response_url=slo_response or slo,
        certificates=certificates,
        name_id_formats=tuple((e.text or "").strip() for e in idp.findall(md("NameIDFormat"))),
        wants_signed_requests=idp.get("WantAuthnRequestsSigned") in ("true", "1"),
    )


def _certificates(idp: Element) -> list[str]:
    return [
        pem(read_certificate(certificate.text or ""))
        for key in idp.findall(md("KeyDescriptor"))
        if key.get("use", "signing") == "signing"
        for certificate in key.iter(ds("X509Certificate"))
    ]


def _address(idp: Element, service: str) -> tuple[str, str]:
    for element in idp.findall(md(service)):
        if element.get("Binding") == REDIRECT:
            return element.get("Location", ""), element.get("ResponseLocation", "")
    return "", ""


def pem(certificate: x509.Certificate) -> str:
    """A certificate as text."""
    return certificate.public_bytes(Encoding.PEM).decode()


def bare(certificate: str) -> str:
    """A certificate's base64 alone, as XML carries it."""
    return "".join(line for line in certificate.splitlines() if "-----" not in line)


def ours(
    *,
    entity_id: str,
    acs_url: str,
    sls_url: str,
    certificate: str,
    signs: bool,
    wants_signed: bool,
    name_id_format: str,
) -> bytes:
    """Our description of ourselves for one identity provider."""
    root = etree.Element(md("EntityDescriptor"), {"entityID": entity_id}, nsmap={"md": METADATA, "ds": DS})
    sp = etree.SubElement(
        root,
        md("SPSSODescriptor"),
        {
            "AuthnRequestsSigned": str(signs).lower(),
            "WantAssertionsSigned": str(wants_signed).lower(),
            "protocolSupportEnumeration": SAMLP,
        },
    )
    for use in ("signing", "encryption"):
        key = etree.SubElement(etree.SubElement(sp, md("KeyDescriptor"), {"use": use}), ds("KeyInfo"))
        etree.SubElement(etree.SubElement(key, ds("X509Data")), ds("X509Certificate")).text = bare(certificate)
    for binding in (REDIRECT, POST):
        etree.SubElement(sp, md("SingleLogoutService"), {"Binding": binding, "Location": sls_url})
    if name_id_format:
        etree.SubElement(sp, md("NameIDFormat")).text = name_id_format
    etree.SubElement(
        sp,
        md("AssertionConsumerService"),
        {"Binding": POST, "Location": acs_url, "index": "0", "isDefault": "true"},
    )
    return bytes(etree.tostring(root, pretty_print=True, xml_declaration=True, encoding="utf-8"))
