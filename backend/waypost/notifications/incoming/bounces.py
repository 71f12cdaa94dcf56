"""Mail that could not be delivered: which of ours, to whom, and whether for good (RFC 3464). Pure.

What a report says is believed only as far as it names a mail we sent; anybody can write one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from waypost.notifications.incoming.reading import Arrived

MOST_RECIPIENTS = 20
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_ADDRESS = re.compile(r"[^\s<>;,\"]{1,64}@[^\s<>;,\"]{1,253}")
_ID = re.compile(r"<[^<>\s]{1,500}>")
# Permanent, but of the mail and not of the address: too large, a filter's judgement, a policy.
_OF_THE_MAIL = frozenset({"5.2.3", "5.3.4", "5.6.0", "5.7.0", "5.7.1", "5.7.26"})


@dataclass(frozen=True, slots=True)
class Bounce:
    """One recipient a mail did not reach. `is_permanent`: it never will; `is_gone`: there is no such address."""

    recipient: str
    is_permanent: bool
    is_gone: bool
    why: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a delivery report says: of which mails it may be, and about which recipients."""

    message_ids: tuple[str, ...]
    bounces: tuple[Bounce, ...]


def report_of(mail: Arrived) -> Report:
    """What a report says. Without one that can be read: the recipients a header names, given up for good."""
    found = [bounce for block in mail.reports for bounce in _bounces(dict(reversed(block)))]
    if not found:
        named = _ADDRESS.findall(mail.one("x-failed-recipients"))
        found = [_bounce(address, "5.0.0", mail.subject) for address in named]
    return Report(_ids(mail), tuple(dict.fromkeys(found))[:MOST_RECIPIENTS])


def _bounces(fields: dict[str, str]) -> list[Bounce]:
    recipient = fields.get("original-recipient") or fields.get("final-recipient") or ""
    address = _ADDRESS.search(recipient.rpartition(";")[2])
    action = fields.get("action", "").strip().lower()
    if address is None or action in ("delivered", "relayed", "expanded"):
        return []
    status = _STATUS.search(fields.get("status", "")) or _STATUS.search(fields.get("diagnostic-code", ""))
    code = status[0] if status else ("4.0.0" if action == "delayed" else "5.0.0")
    if action == "delayed" and code.startswith("5"):
        code = "4.0.0"
    return [_bounce(address[0], code, fields.get("diagnostic-code", "").partition(";")[2] or f"it was {action}")]


def _bounce(address: str, code: str, why: str) -> Bounce:
    is_permanent = code.startswith("5")
    reason = " ".join(f"{code} {why}".split())[:500]
    return Bounce(address.lower(), is_permanent, is_permanent and code not in _OF_THE_MAIL, reason)


def _ids(mail: Arrived) -> tuple[str, ...]:
    """The mail a report is about: as the part it gives back says, and as it answers it."""
    returned = [i for name, value in mail.returned if name == "message-id" for i in _ID.findall(value)]
    return tuple(dict.fromkeys((*returned[:5], *mail.in_reply_to, *mail.references)))
