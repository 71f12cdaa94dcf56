"""What we ask an identity provider: who somebody is, and that they be signed out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from lxml import etree

from waypost.access.providers.saml.guard import Element
from waypost.access.providers.saml.reading import NameId
from waypost.access.providers.saml.words import PARTIAL_LOGOUT, POST, SAML, SAMLP, SUCCESS, UNSPECIFIED, saml, samlp

LOGOUT_LIFE = timedelta(minutes=5)
_NAMES = {"samlp": SAMLP, "saml": SAML}


def written(at: datetime) -> str:
    """A time as SAML writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _message(tag: str, *, message_id: str, at: datetime, url: str, issuer: str, **more: str) -> Element:
    root = etree.Element(
        samlp(tag),
        {"ID": message_id, "Version": "2.0", "IssueInstant": written(at), "Destination": url, **more},
        nsmap=_NAMES,
    )
    etree.SubElement(root, saml("Issuer")).text = issuer
    return root


def authn_request(
    *,
    request_id: str,
    at: datetime,
    sso_url: str,
    acs_url: str,
    entity_id: str,
    name_id_format: str = "",
    force: bool = False,
) -> bytes:
    """Who is this? `force`: they show it anew, whatever session they have at the identity provider."""
    more = {"AssertionConsumerServiceURL": acs_url, "ProtocolBinding": POST} | ({"ForceAuthn": "true"} if force else {})
    root = _message("AuthnRequest", message_id=request_id, at=at, url=sso_url, issuer=entity_id, **more)
    policy = {"AllowCreate": "true"} | ({"Format": name_id_format} if name_id_format not in ("", UNSPECIFIED) else {})
    etree.SubElement(root, samlp("NameIDPolicy"), policy)
    return bytes(etree.tostring(root))


def logout_request(
    *, request_id: str, at: datetime, slo_url: str, entity_id: str, name_id: NameId, session_index: str
) -> bytes:
    """This person has signed out here: let them be signed out everywhere."""
    until = {"NotOnOrAfter": written(at + LOGOUT_LIFE)}
    root = _message("LogoutRequest", message_id=request_id, at=at, url=slo_url, issuer=entity_id, **until)
    names = {
        "Format": name_id.format,
        "NameQualifier": name_id.qualifier,
        "SPNameQualifier": name_id.sp_qualifier,
    }
    etree.SubElement(root, saml("NameID"), {k: v for k, v in names.items() if v}).text = name_id.value
    if session_index:
        etree.SubElement(root, samlp("SessionIndex")).text = session_index
    return bytes(etree.tostring(root))


def logout_response(
    *, response_id: str, at: datetime, url: str, entity_id: str, in_response_to: str, is_done: bool = True
) -> bytes:
    """They are signed out here (or were not, as far as we could tell)."""
    answers = {"InResponseTo": in_response_to}
    root = _message("LogoutResponse", message_id=response_id, at=at, url=url, issuer=entity_id, **answers)
    status = etree.SubElement(root, samlp("Status"))
    etree.SubElement(status, samlp("StatusCode"), {"Value": SUCCESS if is_done else PARTIAL_LOGOUT})
    return bytes(etree.tostring(root))
