"""What an identity provider says when somebody signs out: that they did, or that what we asked is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from waypost.access.providers.saml import bindings, guard, reading, verifying
from waypost.access.providers.saml.bindings import REQUEST, RESPONSE
from waypost.access.providers.saml.guard import Element, id_of
from waypost.access.providers.saml.reading import SKEW, NameId, instant, text_of
from waypost.access.providers.saml.refusing import Refused
from waypost.access.providers.saml.words import SUCCESS, samlp

MOST_SESSIONS = 100


@dataclass(frozen=True, kw_only=True)
class LogoutAsked:
    """Somebody is to be signed out: of the sessions named, or of all when none is. Remembered until `valid_until`."""

    request_id: str
    name_id: NameId
    sessions: tuple[str, ...]
    valid_until: datetime
    relay_state: str | None = None


@dataclass(frozen=True, kw_only=True)
class LogoutDone:
    """The answer to a request of ours. `is_whole`: everybody who was asked did it."""

    in_response_to: str
    is_whole: bool


Said = LogoutAsked | LogoutDone


def by_redirect(query: str, *, idp: str, url: str, at: datetime, pinned: Sequence[x509.Certificate]) -> Said:
    """What an address brought, its signature verified. Raises `Refused`."""
    arrived = bindings.read(query, pinned)
    root = guard.parse(arrived.message)
    guard.check_signatures(root, [])  # this binding signs the address, and nothing inside
    return _read(root, arrived.kind, arrived.relay_state, idp=idp, url=url, at=at)


def by_post(
    kind: str,
    field: str,
    relay_state: str | None,
    *,
    idp: str,
    url: str,
    at: datetime,
    pinned: Sequence[x509.Certificate],
) -> Said:
    """What a form brought, its signature verified. Raises `Refused`."""
    root = guard.parse(guard.unpack(field))
    guard.check_signatures(root, [root])
    if not verifying.is_signed(root):
        raise Refused("not_signed")
    return _read(verifying.verify(root, "", pinned), kind, relay_state, idp=idp, url=url, at=at)


def _read(root: Element, kind: str, relay_state: str | None, *, idp: str, url: str, at: datetime) -> Said:
    expected = {REQUEST: samlp("LogoutRequest"), RESPONSE: samlp("LogoutResponse")}
    if root.tag != expected.get(kind):
        raise Refused("not_a_logout")
    reading.check_version(root)
    reading.check_issuer(root, idp)
    if root.get("Destination") != url:
        raise Refused("wrong_destination")
    issued = instant(root.get("IssueInstant"))
    if issued > at + SKEW:
        raise Refused("not_yet_valid")
    return _asked(root, issued, relay_state, at) if kind == REQUEST else _done(root)


def _asked(root: Element, issued: datetime, relay_state: str | None, at: datetime) -> LogoutAsked:
    end = root.get("NotOnOrAfter")
    until = issued + 5 * SKEW if end is None else instant(end)
    if until <= at - SKEW:
        raise Refused("expired")
    sessions = tuple(text_of(e).strip()[: reading.LONGEST_SUBJECT] for e in root.findall(samlp("SessionIndex")))
    if len(sessions) > MOST_SESSIONS:
        raise Refused("too_large", "so many sessions")
    return LogoutAsked(
        request_id=id_of(root),
        name_id=reading.read_name_id(root),
        sessions=sessions,
        valid_until=until + SKEW,
        relay_state=relay_state,
    )


def _done(root: Element) -> LogoutDone:
    status = reading.only(root, samlp("Status"), "no_status")
    code = reading.only(status, samlp("StatusCode"), "no_status")
    has_more = code.find(samlp("StatusCode")) is not None
    return LogoutDone(
        in_response_to=root.get("InResponseTo", ""), is_whole=code.get("Value") == SUCCESS and not has_more
    )
