"""To which request a mail belongs, and whether it may be acted on at all. Pure.

Order of matching: what is passed on ("Fwd:") is a new request; else a signed reply address; else a Message-ID that is
known; else a request's number in the subject, but only for those who have a part in it. A match only says which request
is meant: what its sender may do there is asked as on the web.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from waypost.notifications.incoming.reading import Arrived

MOST_AN_HOUR = 20  # mails taken from one sender
MAC_BYTES = 10
MOST_LOCAL = 64  # characters before the "@" (RFC 5321, 4.5.3.1.1)

# --- reply addresses --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Signed:
    """What a reply address says: somebody was told of a request by a mail with this address, internally or not."""

    ticket_id: int
    user_id: int
    is_internal: bool = False


def reply_address(address: str, ticket_id: int, user_id: int, key: bytes, *, is_internal: bool = False) -> str:
    """The address at which one person answers about one request: the mailbox's, with a code that only we can make.

    Nothing is kept of it. `is_internal`: what it answers is read by the team alone, so the answer is as well. The
    mailbox's own address where its name is too long to hold a code.
    """
    local, _, domain = address.rpartition("@")
    payload = bytes([is_internal]) + _packed(ticket_id) + _packed(user_id)
    code = base64.b32encode(payload + _mac(payload, key)).decode().rstrip("=").lower()
    if len(local) + 1 + len(code) > MOST_LOCAL:
        return address
    return f"{local}+{code}@{domain}"


def read_reply_address(address: str, key: bytes) -> Signed | None:
    """What a reply address says, in whatever case it came back; None for every other address."""
    local, _, _ = address.rpartition("@")
    _, plus, code = local.rpartition("+")
    if not plus or not code.isascii():
        return None
    try:
        whole = base64.b32decode(code.upper() + "=" * (-len(code) % 8))
    except binascii.Error:
        return None
    payload, mac = whole[:-MAC_BYTES], whole[-MAC_BYTES:]
    if len(payload) < 3 or not hmac.compare_digest(mac, _mac(payload, key)):
        return None
    ticket_id, rest = _unpacked(payload[1:])
    user_id, _ = _unpacked(rest)
    return Signed(ticket_id, user_id, bool(payload[0]))


def _packed(number: int) -> bytes:
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return bytes([len(data)]) + data


def _unpacked(data: bytes) -> tuple[int, bytes]:
    end = 1 + data[0]
    return int.from_bytes(data[1:end], "big"), data[end:]


def _mac(payload: bytes, key: bytes) -> bytes:
    return hmac.digest(key, b"reply address\0" + payload, "sha256")[:MAC_BYTES]


# --- which request is meant -------------------------------------------------------------------------------------------

_FORWARDED = re.compile(
    r"\s*(?:fwd?|wg|tr|rv|enc|pd|vl|vs:?fwd|doorst|i|fs|переслано|转发|轉寄)\s*[:：]", re.IGNORECASE
)
_PREFIX = re.compile(
    r"\s*(?:re|aw|antw|sv|vs|rif|res|odp|ynt|ref|回复|回覆|答复|fwd?|wg|tr|rv|enc|pd|vl)\s*(?:\[\d{1,3}\])?\s*[:：]",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?<![A-Za-z0-9-])([A-Za-z]{2,10}-\d{4}-\d{6,12})(?![A-Za-z0-9-])")
MOST_NUMBERS = 5


def is_forwarded(subject: str) -> bool:
    """Whether a mail passes on another one: something to look at, not an answer."""
    return _FORWARDED.match(subject[:100]) is not None


def numbers_in(subject: str) -> tuple[str, ...]:
    """What look like numbers of requests."""
    found = (match[1].upper() for match in _NUMBER.finditer(subject[:500]))
    return tuple(dict.fromkeys(found))[:MOST_NUMBERS]


def bare_subject(subject: str) -> str:
    """A subject without the "Re:" and "Fwd:" that programs put before it."""
    rest = subject
    for _ in range(20):
        found = _PREFIX.match(rest[:40])
        if found is None:
            break
        rest = rest[found.end() :]
    return rest.strip() or subject.strip()


def answered_ids(mail: Arrived) -> tuple[str, ...]:
    """The Message-IDs it answers, the nearest first."""
    return tuple(dict.fromkeys((*mail.in_reply_to, *reversed(mail.references))))


# --- who wrote it: a person, or a program -----------------------------------------------------------------------------


class Nature(StrEnum):
    """What kind of mail it is. Only a person's is acted on, and only a person's is ever answered (RFC 3834)."""

    PERSON = "person"
    BOUNCE = "bounce"
    AUTO_REPLY = "auto_reply"
    PROGRAM = "program"
    OURS = "ours"


_ABSENT = re.compile(
    r"\s*(?:auto(?:matic(?:ally)?|mated|matische?|matisk)?[ -]?(?:re(?:ply|sponse|sponder)|antwort|svar|antwoord)|"
    r"out of (?:the )?office|abwesen(?:d|heit)|abwesenheitsnotiz|réponse automatique|absence du bureau|"
    r"respuesta automática|fuera de la oficina|risposta automatica|fuori sede|resposta automática|"
    r"autosvar|frånvaro|fravær|poissaolo|automaattinen vastaus|autoodpowiedź|автоответ|自动回复|自動返信)",
    re.IGNORECASE,
)
_POSTMASTERS = ("mailer-daemon", "postmaster", "mail-daemon")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What wrote a mail, and by what that is known."""

    nature: Nature
    why: str = ""


def judge(mail: Arrived, own: Collection[str]) -> Judgement:
    """Who wrote it. `own` are all addresses mail of ours comes from or comes in by, in lower case."""
    auto = mail.one("auto-submitted").split(";")[0].strip().lower()
    local = mail.sender.partition("@")[0]
    if mail.content_type == "multipart/report" and mail.reports:
        return Judgement(Nature.BOUNCE, "a delivery report")
    if mail.one("x-failed-recipients") and (mail.return_path == "" or local in _POSTMASTERS):
        return Judgement(Nature.BOUNCE, "a delivery report")
    if any(without_detail(a.email) in own for a in mail.senders) or (
        mail.return_path and without_detail(mail.return_path) in own
    ):
        return Judgement(Nature.OURS, "it comes from an address of ours")
    if mail.one("x-loop") and any(address in mail.one("x-loop").lower() for address in own):
        return Judgement(Nature.OURS, "it says it has been here before (X-Loop)")
    if auto and auto != "no":
        nature = Nature.AUTO_REPLY if auto == "auto-replied" else Nature.PROGRAM
        return Judgement(_or_absent(mail, nature), f"Auto-Submitted: {auto[:40]}")
    precedence = mail.one("precedence").strip().lower()
    if precedence in ("auto_reply", "auto-reply"):
        return Judgement(Nature.AUTO_REPLY, f"Precedence: {precedence}")
    for name in ("x-autoreply", "x-autorespond", "x-auto-response", "x-autoresponder"):
        if mail.one(name) and mail.one(name).strip().lower() != "no":
            return Judgement(Nature.AUTO_REPLY, name)
    if precedence in ("bulk", "junk", "list"):
        return Judgement(_or_absent(mail, Nature.PROGRAM), f"Precedence: {precedence}")
    for name in ("list-id", "list-unsubscribe", "list-post", "list-help"):
        if mail.one(name):
            return Judgement(Nature.PROGRAM, name)
    if mail.return_path == "" or local in _POSTMASTERS:
        return Judgement(_or_absent(mail, Nature.PROGRAM), "it has no address to return it to")
    if _ABSENT.match(mail.subject[:100]) and (mail.in_reply_to or mail.references):
        return Judgement(Nature.AUTO_REPLY, "its subject says so")
    return Judgement(Nature.PERSON)


def _or_absent(mail: Arrived, nature: Nature) -> Nature:
    return Nature.AUTO_REPLY if _ABSENT.match(mail.subject[:100]) else nature


def may_be_answered(mail: Arrived) -> bool:
    """Whether an automatic answer may be sent to who wrote a person's mail."""
    wishes = {w.strip().lower() for w in mail.one("x-auto-response-suppress").split(",")}
    return not wishes & {"all", "autoreply", "oof", "dr", "rn", "nrn"}


def without_detail(address: str) -> str:
    """An address without what follows a "+" in it, in lower case."""
    local, at, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


# --- whether it comes from whom it says -------------------------------------------------------------------------------

_COMMENT = re.compile(r"\([^()]{0,1000}\)")
_RESULT = re.compile(r"\s*(dmarc|spf|dkim)\s*=\s*([a-z]{1,20})(.*)", re.IGNORECASE | re.DOTALL)
_PROPERTY = re.compile(r"(?:smtp|header)\.([a-z]{1,20})\s*=\s*\"?([^\s\";]{1,320})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Result:
    method: str
    verdict: str
    domain: str


def is_authentic(mail: Arrived, authserv_id: str) -> bool:
    """Whether our own mail server found that this mail comes from the domain it says it is from (RFC 8601).

    Only what that server wrote counts (a sender can write such lines too): the uppermost result about DMARC, and without
    one an SPF or DKIM that passed for the same domain.
    """
    domain = mail.sender.rpartition("@")[2]
    if not domain:
        return False
    results = list(_results(mail.all("authentication-results"), authserv_id.strip().lower()))
    dmarc = next((r for r in results if r.method == "dmarc"), None)
    if dmarc is not None and dmarc.verdict != "none":
        return dmarc.verdict == "pass" and dmarc.domain in ("", domain)
    first: dict[tuple[str, str], _Result] = {}
    for result in results:
        if result.method in ("spf", "dkim"):
            first.setdefault((result.method, result.domain), result)
    return any(r.verdict == "pass" and _is_aligned(r.domain, domain) for r in first.values())


def _results(headers: Sequence[str], authserv_id: str) -> Iterator[_Result]:
    for header in headers[:20]:
        whole = header
        for _ in range(5):  # comments lie within each other
            whole, was = _COMMENT.sub(" ", whole), whole
            if was == whole:
                break
        who, *results = whole.split(";")
        if (who.split() or [""])[0].lower() != authserv_id:
            continue
        for result in results[:20]:
            found = _RESULT.match(result)
            if found is None:
                continue
            method = found[1].lower()
            named = {k.lower(): v.lower() for k, v in _PROPERTY.findall(found[3])}
            about = named.get({"dmarc": "from", "spf": "mailfrom", "dkim": "d"}[method], "")
            yield _Result(method, found[2].lower(), about.rpartition("@")[2])


def _is_aligned(one: str, other: str) -> bool:
    """The same domain, or one below the other (which has two words at least)."""
    shorter, longer = sorted((one, other), key=len)
    return shorter.count(".") >= 1 and (one == other or longer.endswith(f".{shorter}"))
