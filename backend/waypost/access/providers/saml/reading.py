"""What a verified message says, held against what was asked.

Every function takes elements that `verifying.verify` gave back; nothing else of a message is read for facts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from waypost.access.providers.saml.guard import Element, id_of
from waypost.access.providers.saml.refusing import Refused
from waypost.access.providers.saml.words import BEARER, ENTITY, SUCCESS, saml, samlp

SKEW = timedelta(seconds=60)  # two machines' clocks may differ by so much
LONGEST_SUBJECT = 255


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a response must answer to. `request_id` is that of the one request this browser is waiting on."""

    idp: str
    audience: str
    acs_url: str
    request_id: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class NameId:
    """How the identity provider names a person; all of it is told again when signing out."""

    value: str
    format: str = ""
    qualifier: str = ""
    sp_qualifier: str = ""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Who somebody is, by the word of their identity provider. `valid_until`: from then on the assertion is void."""

    assertion_id: str
    in_response_to: str
    name_id: NameId
    valid_until: datetime
    session_index: str = ""
    session_ends: datetime | None = None
    context: str = ""
    attributes: dict[str, tuple[str, ...]] = field(default_factory=dict)


def instant(written: str | None) -> datetime:
    """A time in UTC. Raises `Refused`."""
    try:
        found = datetime.fromisoformat(written or "")
    except ValueError as wrong:
        raise Refused("bad_time", str(written)[:40]) from wrong
    if found.tzinfo is None or not 2000 <= found.year <= 2100:
        raise Refused("bad_time", str(written)[:40])
    return found.astimezone(UTC)


def only(parent: Element, tag: str, reason: str) -> Element:
    """The one child of this name. Raises `Refused`."""
    found = parent.findall(tag)
    if len(found) != 1:
        raise Refused(reason, f"{len(found)} of {tag.partition('}')[2]}")
    return found[0]


def text_of(element: Element) -> str:
    """All of an element's text; it has no elements in it. Raises `Refused`."""
    if len(element):
        raise Refused("odd_value", element.tag.partition("}")[2])
    return element.text or ""


def check_issuer(element: Element, idp: str, *, is_needed: bool = True) -> None:
    """That the message is by this identity provider and no other we may know. Raises `Refused`."""
    if not is_needed and element.find(saml("Issuer")) is None:
        return
    issuer = only(element, saml("Issuer"), "wrong_issuer")
    if issuer.get("Format", ENTITY) != ENTITY or text_of(issuer).strip() != idp:
        raise Refused("wrong_issuer")


def check_version(element: Element) -> None:
    """That it is SAML 2.0. Raises `Refused`."""
    if element.get("Version") != "2.0":
        raise Refused("wrong_version")


def check_response(response: Element, asked: Asked, *, is_verified: bool) -> None:
    """What stands around the assertion. Of an unsigned response nothing is believed, but it must not say otherwise."""
    check_version(response)
    check_issuer(response, asked.idp, is_needed=False)
    if response.get("InResponseTo") != asked.request_id:
        raise Refused("wrong_request", "the response answers something else")
    destination = response.get("Destination")
    if destination != asked.acs_url and (destination is not None or is_verified):
        raise Refused("wrong_destination")
    if instant(response.get("IssueInstant")) > asked.at + SKEW:
        raise Refused("not_yet_valid")


def check_success(response: Element) -> None:
    """That the identity provider let somebody in. Raises `Refused` with what it says instead."""
    status = only(response, samlp("Status"), "no_status")
    codes = [c.get("Value", "") for c in status.iter(samlp("StatusCode"))]
    if not codes or codes[0] != SUCCESS:
        said = ", ".join(code.rpartition(":")[2] for code in codes)
        message = status.findtext(samlp("StatusMessage")) or ""
        raise Refused("not_successful", f"{said} {message}".strip()[:300])


def read_assertion(assertion: Element, asked: Asked) -> Facts:
    """The facts of a verified assertion. Raises `Refused` when it is not for us, not now, or not what was asked for."""
    check_version(assertion)
    check_issuer(assertion, asked.idp)
    if instant(assertion.get("IssueInstant")) > asked.at + SKEW:
        raise Refused("not_yet_valid")
    subject = only(assertion, saml("Subject"), "no_subject")
    name_id = read_name_id(subject)
    confirmed_until = _check_confirmation(subject, asked)
    conditions_until = _check_conditions(only(assertion, saml("Conditions"), "no_conditions"), asked)
    session_index, session_ends, context = _read_session(assertion, asked.at)
    return Facts(
        assertion_id=id_of(assertion),
        in_response_to=asked.request_id,
        name_id=name_id,
        # as long as either time would still let it in it must be remembered
        valid_until=max(filter(None, (confirmed_until, conditions_until))) + SKEW,
        session_index=session_index,
        session_ends=session_ends,
        context=context,
        attributes=_read_attributes(assertion),
    )


def read_name_id(parent: Element) -> NameId:
    """Who is meant. Raises `Refused`."""
    element = only(parent, saml("NameID"), "no_name_id")
    value = text_of(element)
    if not value or value != value.strip() or len(value) > LONGEST_SUBJECT or not value.isprintable():
        raise Refused("bad_name_id")
    return NameId(
        value=value,
        format=element.get("Format", ""),
        qualifier=element.get("NameQualifier", ""),
        sp_qualifier=element.get("SPNameQualifier", ""),
    )


def _check_confirmation(subject: Element, asked: Asked) -> datetime:
    """That whoever brings it may, here and now, for this request: what the signature says, not what stands around it."""
    confirmation = only(subject, saml("SubjectConfirmation"), "no_confirmation")
    if confirmation.get("Method") != BEARER:
        raise Refused("no_confirmation", "not for its bearer")
    data = only(confirmation, saml("SubjectConfirmationData"), "no_confirmation")
    if data.get("InResponseTo") != asked.request_id:
        raise Refused("wrong_request", "what was signed answers something else")
    if data.get("Recipient") != asked.acs_url:
        raise Refused("wrong_recipient")
    if data.get("NotBefore") is not None and instant(data.get("NotBefore")) > asked.at + SKEW:
        raise Refused("not_yet_valid")
    until = instant(data.get("NotOnOrAfter"))
    if until <= asked.at - SKEW:
        raise Refused("expired")
    return until


def _check_conditions(conditions: Element, asked: Asked) -> datetime | None:
    known = {saml("AudienceRestriction"), saml("OneTimeUse"), saml("ProxyRestriction")}
    if any(child.tag not in known for child in conditions):
        raise Refused("unknown_condition")
    if conditions.get("NotBefore") is not None and instant(conditions.get("NotBefore")) > asked.at + SKEW:
        raise Refused("not_yet_valid")
    end = conditions.get("NotOnOrAfter")
    until = None if end is None else instant(end)
    if until is not None and until <= asked.at - SKEW:
        raise Refused("expired")
    restrictions = conditions.findall(saml("AudienceRestriction"))
    for restriction in restrictions:
        if asked.audience not in [text_of(a).strip() for a in restriction.findall(saml("Audience"))]:
            raise Refused("wrong_audience")
    if not restrictions:
        raise Refused("wrong_audience", "for no one in particular")
    return until


def _read_session(assertion: Element, at: datetime) -> tuple[str, datetime | None, str]:
    statements = assertion.findall(saml("AuthnStatement"))
    if not statements:
        raise Refused("no_authentication")
    statement = statements[0]
    if instant(statement.get("AuthnInstant")) > at + SKEW:
        raise Refused("not_yet_valid")
    end = statement.get("SessionNotOnOrAfter")
    ends = None if end is None else instant(end)
    if ends is not None and ends <= at:
        raise Refused("expired", "the session at the identity provider is over")
    context = statement.findtext(f"{saml('AuthnContext')}/{saml('AuthnContextClassRef')}") or ""
    return statement.get("SessionIndex", "")[:LONGEST_SUBJECT], ends, context.strip()


def _read_attributes(assertion: Element) -> dict[str, tuple[str, ...]]:
    """Attributes by their name. A value with elements in it is none we know, and passed over."""
    found: dict[str, list[str]] = {}
    for attribute in assertion.iterfind(f"{saml('AttributeStatement')}/{saml('Attribute')}"):
        values: Sequence[Element] = attribute.findall(saml("AttributeValue"))
        kept = found.setdefault(attribute.get("Name", ""), [])
        kept += [(value.text or "").strip() for value in values if not len(value) and (value.text or "").strip()]
    return {name: tuple(values) for name, values in found.items() if name and values}
