"""Whom a provider means: facts of an assertion as somebody to look for, by the names an administrator gave or that are usual."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from waypost.access.providers.saml.reading import Facts
from waypost.access.providers.saml.refusing import Refused
from waypost.access.providers.saml.words import EMAIL, TRANSIENT

_CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
# What most identity providers call them, tried in this order where the administrator names nothing.
USUAL: Mapping[str, tuple[str, ...]] = {
    "username": ("uid", "username", "urn:oid:0.9.2342.19200300.100.1.1", f"{_CLAIMS}/name"),
    "email": ("mail", "email", "urn:oid:0.9.2342.19200300.100.1.3", f"{_CLAIMS}/emailaddress"),
    "first_name": ("givenName", "firstName", "urn:oid:2.5.4.42", f"{_CLAIMS}/givenname"),
    "last_name": ("sn", "lastName", "urn:oid:2.5.4.4", f"{_CLAIMS}/surname"),
    "groups": (
        "groups",
        "memberOf",
        "isMemberOf",
        "urn:oid:1.3.6.1.4.1.5923.1.5.1.1",
        "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups",
    ),
}
# Entra says this instead of the groups of somebody who is in too many: that is not "in none".
_ELSEWHERE = "http://schemas.microsoft.com/claims/groups.link"
_METHODS = "http://schemas.microsoft.com/claims/authnmethodsreferences"
# Ways to sign in that are a second factor, as identity providers call them.
SECOND_FACTORS = (
    "https://refeds.org/profile/mfa",
    "http://schemas.microsoft.com/claims/multipleauthn",
    "urn:oasis:names:tc:SAML:2.0:ac:classes:TimeSyncToken",
    "urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorContract",
    "urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorUnregistered",
)


def subject_of(facts: Facts, config: Mapping[str, Any]) -> str:
    """What the provider calls somebody for good. Raises `Refused` when it says nothing that stays."""
    name = config.get("subject_attribute")
    if name:
        values = facts.attributes.get(name, ())
        if len(values) != 1:
            raise Refused("no_subject", f"{len(values)} values of {name}")
        return values[0]
    if facts.name_id.format == TRANSIENT:
        raise Refused("no_subject", "a transient NameID is another one at each sign-in: name an attribute that stays")
    return facts.name_id.value


def person_of(facts: Facts, config: Mapping[str, Any]) -> dict[str, Any]:
    """Somebody as an `ExternalPerson`, in plain data. Raises `Refused`."""
    said = {what: _said(facts, config, what) for what in ("username", "email", "first_name", "last_name")}
    if said["email"] is None and facts.name_id.format == EMAIL:
        said["email"] = facts.name_id.value
    return {
        "subject": subject_of(facts, config),
        **said,
        "email_verified": bool(config.get("vouches_for_email")),
        "groups": _groups(facts, config),
    }


def is_vouched(facts: Facts, config: Mapping[str, Any]) -> bool:
    """Whether the provider says it asked for a second factor."""
    wanted = set(config.get("second_factor_contexts") or ())
    return facts.context in wanted or bool(wanted & set(facts.attributes.get(_METHODS, ())))


def _said(facts: Facts, config: Mapping[str, Any], what: str) -> str | None:
    values = _values(facts, config, what)
    return values[0] if values else None


def _groups(facts: Facts, config: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Groups; none named is in none, since providers leave an empty list out."""
    found = _values(facts, config, "groups")
    return None if not found and _ELSEWHERE in facts.attributes else found


def _values(facts: Facts, config: Mapping[str, Any], what: str) -> tuple[str, ...]:
    named = config.get(f"{what}_attribute")
    for name in (named,) if named else USUAL[what]:
        if name in facts.attributes:
            return facts.attributes[name]
    return ()
