"""An identity provider for tests: it writes what a real one writes, and whatever an attacker would.

It signs and seals with libxmlsec, so that what is tested is read by another implementation than wrote it.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from lxml import etree

SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
DS = "http://www.w3.org/2000/09/xmldsig#"
XENC = "http://www.w3.org/2001/04/xmlenc#"
NAMES = {"samlp": SAMLP, "saml": SAML, "ds": DS, "xenc": XENC}

AT = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
IDP = "https://idp.example.com/metadata"
ACS = "https://waypost.example.com/api/v1/auth/saml/corp/acs"
SP = "https://waypost.example.com/api/v1/auth/saml/corp/metadata"
REQUEST_ID = "_request1"


@dataclass(frozen=True)
class Pair:
    """A key and its certificate, both in PEM."""

    key: bytes
    certificate: str


@cache
def pair(name: str, kind: str = "rsa", size: int = 2048) -> Pair:
    """A key pair for tests; the same for the same name."""
    key: Any = rsa.generate_private_key(65537, size) if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(datetime(2020, 1, 1))
        .not_valid_after(datetime(2021 if name == "expired" else 2040, 1, 1))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Pair(pem, certificate.public_bytes(Encoding.PEM).decode())


def instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Told:
    """What a response says; every part can be told otherwise."""

    idp: str = IDP
    audience: str | None = SP
    acs: str | None = ACS
    recipient: str | None = ACS
    request_id: str | None = REQUEST_ID
    signed_request_id: str | None = REQUEST_ID
    name_id: str = "jane@example.com"
    name_id_format: str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
    assertion_id: str = "_assertion1"
    response_id: str = "_response1"
    at: datetime = AT
    not_before: datetime | None = AT - timedelta(minutes=1)
    not_on_or_after: datetime | None = AT + timedelta(minutes=5)
    session_ends: datetime | None = None
    status: str = "urn:oasis:names:tc:SAML:2.0:status:Success"
    context: str = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
    attributes: dict[str, list[str]] = field(
        default_factory=lambda: {"mail": ["jane@example.com"], "groups": ["staff", "it"]}
    )


def assertion(told: Told) -> str:
    """An assertion, unsigned."""
    conditions = "".join(
        f' {name}="{instant(at)}"'
        for name, at in (("NotBefore", told.not_before), ("NotOnOrAfter", told.not_on_or_after))
        if at
    )
    data = "".join(
        f' {name}="{value}"'
        for name, value in (
            ("InResponseTo", told.signed_request_id),
            ("Recipient", told.recipient),
            ("NotOnOrAfter", told.not_on_or_after and instant(told.not_on_or_after)),
        )
        if value
    )
    audience = (
        f"<saml:AudienceRestriction><saml:Audience>{told.audience}</saml:Audience></saml:AudienceRestriction>"
        if told.audience
        else ""
    )
    session = f' SessionNotOnOrAfter="{instant(told.session_ends)}"' if told.session_ends else ""
    attributes = "".join(
        f'<saml:Attribute Name="{name}">'
        + "".join(f"<saml:AttributeValue>{v}</saml:AttributeValue>" for v in values)
        + "</saml:Attribute>"
        for name, values in told.attributes.items()
    )
    return (
        f'<saml:Assertion xmlns:saml="{SAML}" ID="{told.assertion_id}" Version="2.0" IssueInstant="{instant(told.at)}">'
        f"<saml:Issuer>{told.idp}</saml:Issuer>"
        f'<saml:Subject><saml:NameID Format="{told.name_id_format}">{told.name_id}</saml:NameID>'
        '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">'
        f"<saml:SubjectConfirmationData{data}/></saml:SubjectConfirmation></saml:Subject>"
        f"<saml:Conditions{conditions}>{audience}</saml:Conditions>"
        f'<saml:AuthnStatement AuthnInstant="{instant(told.at)}" SessionIndex="_session1"{session}><saml:AuthnContext>'
        f"<saml:AuthnContextClassRef>{told.context}</saml:AuthnContextClassRef>"
        "</saml:AuthnContext></saml:AuthnStatement>"
        f"<saml:AttributeStatement>{attributes}</saml:AttributeStatement></saml:Assertion>"
    )


def response(told: Told, inside: str | None = None) -> str:
    """A response around an assertion, unsigned."""
    more = "".join(
        f' {name}="{value}"' for name, value in (("InResponseTo", told.request_id), ("Destination", told.acs)) if value
    )
    return (
        f'<samlp:Response xmlns:samlp="{SAMLP}" ID="{told.response_id}" Version="2.0"'
        f' IssueInstant="{instant(told.at)}"{more}><saml:Issuer xmlns:saml="{SAML}">{told.idp}</saml:Issuer>'
        f'<samlp:Status><samlp:StatusCode Value="{told.status}"/></samlp:Status>'
        f"{assertion(told) if inside is None else inside}</samlp:Response>"
    )


def tree(written: str | bytes) -> Any:
    return etree.fromstring(written if isinstance(written, bytes) else written.encode())


def text(element: Any) -> str:
    return etree.tostring(element).decode()


RSA_SHA256 = xmlsec.constants.TransformRsaSha256
SHA256 = xmlsec.constants.TransformSha256


def sign(
    root: Any,
    path: str = "",
    by: Pair | None = None,
    *,
    method: Any = RSA_SHA256,
    digest: Any = SHA256,
    uri: str | None = None,
    hmac: bytes | None = None,
    transforms: tuple[Any, ...] = (xmlsec.constants.TransformEnveloped, xmlsec.constants.TransformExclC14N),
) -> Any:
    """Sign the element at `path` (or the root) as identity providers do: a child of it, after its issuer."""
    by = by or pair("idp")
    target = root.find(path, NAMES) if path else root
    node = xmlsec.template.create(target, xmlsec.constants.TransformExclC14N, method, ns="ds")
    target.insert(1, node)
    reference = xmlsec.template.add_reference(node, digest, uri=uri or f"#{target.get('ID')}")
    for transform in transforms:
        xmlsec.template.add_transform(reference, transform)
    info = xmlsec.template.ensure_key_info(node)
    context = xmlsec.SignatureContext()
    if hmac is not None:
        context.key = xmlsec.Key.from_binary_data(xmlsec.constants.KeyDataHmac, hmac)
    else:
        xmlsec.template.add_x509_data(info)
        context.key = xmlsec.Key.from_memory(by.key, xmlsec.constants.KeyDataFormatPem)
        context.key.load_cert_from_memory(by.certificate.encode(), xmlsec.constants.KeyDataFormatPem)
    xmlsec.tree.add_ids(root, ["ID"])
    context.sign(node)
    return tree(etree.tostring(root))  # libxmlsec's nodes are not quite lxml's: names in them are not found


def packed(root: Any) -> str:
    """As a form carries it."""
    return base64.b64encode(root if isinstance(root, bytes) else etree.tostring(root)).decode()


def sealed(
    plain: str,
    to: Pair,
    *,
    method: Any = xmlsec.constants.TransformAes256Gcm,
    transport: Any = xmlsec.constants.TransformRsaOaep,
) -> str:
    """Whatever is given, as an `EncryptedAssertion`."""
    bits = int("".join(c for c in method.href.rpartition("aes")[2] if c.isdigit())[:3])
    template = xmlsec.template.encrypted_data_create(
        tree("<any/>"), method, type=xmlsec.constants.TypeEncElement, ns="xenc"
    )
    xmlsec.template.encrypted_data_ensure_cipher_value(template)
    info = xmlsec.template.encrypted_data_ensure_key_info(template, ns="ds")
    encrypted_key = xmlsec.template.add_encrypted_key(info, transport)
    xmlsec.template.encrypted_data_ensure_cipher_value(encrypted_key)
    manager = xmlsec.KeysManager()
    manager.add_key(xmlsec.Key.from_memory(to.certificate.encode(), xmlsec.constants.KeyDataFormatCertPem))
    context = xmlsec.EncryptionContext(manager)
    context.key = xmlsec.Key.generate(xmlsec.constants.KeyDataAes, bits, xmlsec.constants.KeyDataTypeSession)
    data = context.encrypt_binary(template, plain.encode())
    return f'<saml:EncryptedAssertion xmlns:saml="{SAML}">{text(data)}</saml:EncryptedAssertion>'
