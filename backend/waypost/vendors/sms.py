"""Text messages: Twilio's Messages API, and gateways that take a message by a plain HTTP call. What their answers mean.

Calls are never repeated here: neither knows a message again, so whoever asks decides.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import httpx2

from waypost.kernel.clock import now
from waypost.vendors.answers import BUSY, Answer, Away, ask, fate_of, retry_after
from waypost.vendors.fates import Delivered, Fate, Misconfigured, Rejected, TryLater

LONGEST_BODY = 1600  # characters Twilio takes
OPTED_OUT = "they answered STOP: nothing is sent to this number until they answer START"
# Twilio's own words for what went wrong (`code` of its answers and `ErrorCode` of its reports).
_SETTINGS = frozenset({20003, 20005, 20008, 20404, 21212, 21603, 21606, 21607, 21659, 21660, 21661, 21701, 21703})
_GONE = frozenset({21211, 21214, 21217, 21401, 21421, 21614, 30006})
_BUSY = frozenset({20429, 20500, 20503, 21611, 30001, 30022})
_REPORTS = {
    30002: "the account is suspended",
    30003: "the phone is off or out of reach",
    30004: "the carrier or the phone blocks messages",
    30005: "the number is unknown or not in use",
    30006: "the number is a landline, or its carrier cannot be reached",
    30007: "the carrier filtered it as spam",
    30008: "the carrier does not say why",
}
DELIVERED, UNDELIVERED = "DELIVERED", "UNDELIVERED"


@dataclass(frozen=True, slots=True)
class Text:
    """One message to one phone. `report_url` is where its fate is told, or empty."""

    to: str
    body: str
    report_url: str = ""
    valid_for: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Twilio:
    """An account there. `sender` is a number, a name, or the id of a messaging service."""

    url: str
    account: str
    token: str
    sender: str


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway called with `values` put into `parameters` (name → words with `{placeholders}`)."""

    url: str
    method: str
    parameters: Sequence[tuple[str, str]]
    values: Mapping[str, str]
    authorization: str = ""
    taken_when: str = ""


async def send_twilio(http: httpx2.AsyncClient, twilio: Twilio, text: Text) -> Fate:
    """Give a message to Twilio; what becomes of it."""
    form = {"To": text.to, "Body": text.body[:LONGEST_BODY]}
    form["MessagingServiceSid" if re.fullmatch("MG[0-9a-fA-F]{32}", twilio.sender) else "From"] = twilio.sender
    if text.report_url and can_be_called(text.report_url):
        form["StatusCallback"] = text.report_url
    if text.valid_for is not None:
        form["ValidityPeriod"] = str(max(1, min(int(text.valid_for.total_seconds()), 36_000)))
    url = f"{twilio.url.rstrip('/')}/2010-04-01/Accounts/{quote(twilio.account, safe='')}/Messages.json"
    try:
        answer = await ask(http, "POST", url, data=form, auth=(twilio.account, twilio.token))
    except Away as away:
        return TryLater(f"Twilio cannot be reached: {away}", for_all=True)
    document = answer.document() or {}
    if 200 <= answer.status < 300:
        sid = document.get("sid")
        return Delivered(sid[:64]) if isinstance(sid, str) else TryLater("Twilio's answer is none")
    code = document.get("code")
    said = f": {document['message']}" if isinstance(document.get("message"), str) else ""
    why = f"Twilio says {code}{said}"[:300] if isinstance(code, int) else f"Twilio answers {answer.status}"
    return _meaning(code, answer, why)


def _meaning(code: object, answer: Answer, why: str) -> Fate:
    if code == 21610:
        return Rejected(OPTED_OUT, is_gone=True)
    if code in _GONE:
        return Rejected(why, is_gone=True)
    if code in _SETTINGS:
        return Misconfigured(why)
    if code in _BUSY:
        return TryLater(why, after=retry_after(answer, now()) or BUSY, for_all=True)
    fate = fate_of(answer, now(), "Twilio")
    assert fate is not None
    return Rejected(why) if isinstance(fate, Rejected) else fate


def can_be_called(url: str) -> bool:
    """Whether Twilio takes an address for its reports: a name on the internet, without an underscore."""
    host = urlsplit(url).hostname or ""
    return url.startswith("https://") and "." in host and "_" not in host and not re.fullmatch(r"[0-9.]+", host)


async def send_by_gateway(http: httpx2.AsyncClient, gateway: Gateway, text: Text) -> Fate:
    """Give a message to a gateway; what becomes of it. Its address may hold a password: it stands in no log."""
    values = {**gateway.values, "to": text.to, "text": text.body, "report_url": text.report_url}
    filled = [(name, fill(words, values)) for name, words in gateway.parameters]
    more: dict[str, Any] = {"headers": {"Authorization": gateway.authorization}} if gateway.authorization else {}
    method, url = "GET", httpx2.URL(gateway.url) if is_url(gateway.url) else None
    if url is None:
        return Misconfigured("the gateway's address is none")
    match gateway.method:
        case "POST form":
            method, more["data"] = "POST", dict(filled)
        case "POST JSON":
            method, more["json"] = "POST", dict(filled)
        case _:
            more["params"] = [*url.params.multi_items(), *filled]
    try:
        answer = await ask(http, method, str(url), **more)
    except Away as away:
        inner = away.__cause__
        if type(inner).__name__ in ("NotAllowed", "InvalidURL", "UnsupportedProtocol"):
            return Misconfigured("the gateway is not called: its address is not allowed")
        return TryLater(f"the gateway cannot be reached: {type(inner).__name__ if inner else away}", for_all=True)
    except ValueError:  # what cannot stand in a header
        return Misconfigured("what is sent to sign in is not something a header can hold")
    fate = fate_of(answer, now(), "the gateway")
    if fate is not None:
        return fate
    if gateway.taken_when and gateway.taken_when.encode() not in answer.body:
        return Rejected(f"the gateway's answer does not say {gateway.taken_when!r}")
    return Delivered()


def is_url(written: str) -> bool:
    """Whether an address can be read as one."""
    try:
        return bool(httpx2.URL(written).host)
    except (httpx2.InvalidURL, ValueError):
        return False


def fill(words: str, values: Mapping[str, str]) -> str:
    """Words with each `{name}` put in once; what a value holds is never looked into again, and unknown names stay."""
    return re.sub(r"\{([a-z_]{1,32})\}", lambda m: values.get(m[1], m[0]), words)


def parameters_of(written: str) -> list[tuple[str, str]]:
    """`to={to}&text={text}`, as an administrator writes it: an `&` or a line between them, and as in an address `%26` for
    an `&` in a value. What has no `=` is left out."""
    parts = (part.partition("=") for part in re.split(r"[&\r\n]+", written))
    return [(unquote(name.strip()), unquote(words.strip())) for name, equals, words in parts if equals and name.strip()]


def is_signed(token: str, url: str, form: Sequence[tuple[str, str]], signature: str) -> bool:
    """Whether Twilio sent this form to this address (as it stands in its settings); compared in constant time."""
    if not token or not signature:
        return False
    signed = url + "".join(name + value for name, value in sorted(set(form)))
    made = base64.b64encode(hmac.digest(token.encode(), signed.encode("utf-8", "replace"), hashlib.sha1))
    return hmac.compare_digest(made, signature.encode("utf-8", "replace"))


def report_of_twilio(status: str, code: str) -> tuple[str, str] | None:
    """What a report of Twilio's settles, and why; None for what is still on its way."""
    if status in ("delivered", "read"):
        return DELIVERED, ""
    if status not in ("undelivered", "failed", "canceled"):
        return None
    number = int(code) if code.isascii() and code.isdigit() and len(code) < 9 else 0
    why = OPTED_OUT if number == 21610 else _REPORTS.get(number, f"Twilio says {number}" if number else status)
    return UNDELIVERED, why


def report_of_gateway(status: str) -> tuple[str, str] | None:
    """What a report settles: Kannel's numbers (1 delivered, 2 failed, 16 refused; 4 and 8 are on the way), or SMPP's
    words."""
    said = status.strip().upper()
    if said in ("1", "DELIVRD", "DELIVERED"):
        return DELIVERED, ""
    failed = {"2": "it could not be delivered", "16": "the network refused it", "32": "the network refused it"}
    if said in failed:
        return UNDELIVERED, failed[said]
    words = ("UNDELIV", "UNDELIVERED", "UNDELIVERABLE", "EXPIRED", "REJECTD", "REJECTED", "FAILED", "DELETED")
    return (UNDELIVERED, f"the gateway says {said}") if said in words else None
