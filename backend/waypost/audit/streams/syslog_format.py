"""An entry as a syslog message (RFC 5424). Pure.

    <PRI>1 TIME HOSTNAME waypost - MSGID [waypost@32473 seq="…" prev="…" hash="…" …] BOM JSON

32473 is the enterprise number IANA keeps for examples: it is nobody's, so it collides with nobody's. A company with a
number of its own sets that. `MSGID` is the kind of event, cut to the 32 characters it may have; `type` has all of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from waypost.audit.streams.entries import Entry, json_line

BOM = b"\xef\xbb\xbf"
NIL = "-"
EXAMPLE_ENTERPRISE = 32473
SHORTEST = (
    2048  # bytes that any message of ours fits into without its details; receivers should take as much (RFC 5426)
)
LONGEST_UDP = 65_507  # what fits into a datagram
SIGN_IN, AUDIT = 10, 13  # facilities: security and authorisation; log audit
CRITICAL, WARNING, NOTICE, INFORMATIONAL = 2, 4, 5, 6

_WARNINGS = frozenset(
    {
        "approval.glass_broken",
        "auth.denied",
        "auth.login_failed",
        "auth.step_up_failed",
        "system.alarm",
    }
)
# What changes who may do what, or how the installation works.
_NOTABLE = frozenset(
    {
        "audit",
        "audit_stream",
        "channel",
        "department",
        "factor",
        "mailbox",
        "notification",
        "oauth_client",
        "provider",
        "role",
        "routing",
        "service_account",
        "system",
        "team",
        "ticket_type",
        "token",
        "user",
        "workflow",
    }
)
_NOT_PRINTED = re.compile(r"[^\x21-\x7e]")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SPECIAL = re.compile(r'(["\\\]])')


@dataclass(frozen=True, slots=True)
class Style:
    """How a destination wants its messages. Without `facility` it follows the kind of event."""

    hostname: str
    app_name: str = "waypost"
    enterprise: int = EXAMPLE_ENTERPRISE
    facility: int | None = None
    longest: int = 65_536


def severity_of(entry: Entry) -> int:
    """How grave it is, by its kind."""
    if entry.action == "audit.checked" and entry.data.get("valid") is False:
        return CRITICAL
    if entry.action in _WARNINGS or entry.action.endswith(("_failed", ".failed", ".denied")):
        return WARNING
    return NOTICE if entry.family in _NOTABLE else INFORMATIONAL


def facility_of(entry: Entry, chosen: int | None) -> int:
    """The one that was chosen for everything, or the kind's own."""
    if chosen is not None:
        return chosen
    return SIGN_IN if entry.family in ("auth", "factor") else AUDIT


def header_word(text: str | None, longest: int) -> str:
    """A field of the header: printable ASCII, of so many characters at most; `-` for nothing."""
    return _NOT_PRINTED.sub("", text or "")[:longest] or NIL


def param_value(text: str) -> str:
    """A value of structured data: quotes, backslashes and closing brackets escaped, and nothing that ends a line."""
    return _SPECIAL.sub(r"\\\1", _CONTROLS.sub("�", text))


def element(entry: Entry, style: Style, *, is_cut: bool) -> str:
    """The structured data: where the row stands in the chain, and what a receiver filters by."""
    params: list[tuple[str, str]] = []
    if entry.position:
        params = [("seq", str(entry.position)), ("prev", str(entry.previous)), ("event", str(entry.event_id))]
        params += [("hash", entry.chain_hash), ("row", entry.row_hash)]
    params += [("type", entry.action), ("object", f"{entry.object_type}:{entry.object_id}")]
    if entry.actor:
        params.append(("actor", str(entry.actor.get("username", entry.actor.get("id", "")))[:64]))
    if entry.on_behalf_of:
        named = entry.on_behalf_of.get("username", entry.on_behalf_of.get("id", ""))
        params.append(("behalf", str(named)[:64]))
    params.append(("channel", entry.channel))
    if entry.request_id:
        params.append(("request", entry.request_id[:64]))
    if is_cut:
        params.append(("cut", "1"))
    told = " ".join(f'{name}="{param_value(value)}"' for name, value in params)
    return f"[waypost@{style.enterprise} {told}]"


def message(entry: Entry, style: Style) -> bytes:
    """One message; what would be longer than the receiver takes goes without its details and says `cut`."""
    whole = _written(entry, style, is_cut=False)
    return whole if len(whole) <= style.longest else _written(entry, style, is_cut=True)


def _written(entry: Entry, style: Style, *, is_cut: bool) -> bytes:
    priority = facility_of(entry, style.facility) * 8 + severity_of(entry)
    header = (
        f"<{priority}>1 {entry.at} {header_word(style.hostname, 255)} {header_word(style.app_name, 48)} {NIL} "
        f"{header_word(entry.action, 32)} {element(entry, style, is_cut=is_cut)} "
    )
    return header.encode("utf-8", "replace") + BOM + json_line(entry, is_cut=is_cut)


def framed(one: bytes) -> bytes:
    """A message in a stream: its length in octets before it (RFC 6587, section 3.4.1; RFC 5425, section 4.3)."""
    return b"%d %s" % (len(one), one)
