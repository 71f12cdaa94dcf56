"""Slack's Web API: one call at a time, what its answers mean for a message, and the signature of what Slack sends us.

Calls are never repeated here: there is no key by which Slack would know one again, so whoever asks decides.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx2

from waypost.kernel.clock import now
from waypost.vendors.answers import LONGEST, Away, ask, fate_of
from waypost.vendors.fates import Fate, Misconfigured, Rejected, TryLater

SKEW = 300  # seconds a signed request may be old, or ahead
# Slack answers 200 with `ok: false` and one of these words.
SETTINGS = frozenset(
    {
        "access_denied",
        "account_inactive",
        "ekm_access_denied",
        "invalid_auth",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
        "two_factor_setup_required",
    }
)
GONE = frozenset({"cannot_dm_bot", "user_disabled", "user_not_found", "user_not_visible", "users_not_found"})
BUSY = frozenset(
    {"fatal_error", "internal_error", "rate_limited", "ratelimited", "request_timeout", "service_unavailable"}
)


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where to call, and as whom."""

    url: str
    token: str


class SlackError(Exception):
    """Slack did not do it. `code` is its word for why, `fate` what that means for a message."""

    def __init__(self, fate: Fate, code: str = "") -> None:
        super().__init__(code or fate.why)
        self.fate, self.code = fate, code


async def call(
    http: httpx2.AsyncClient,
    workspace: Workspace,
    method: str,
    arguments: Mapping[str, Any],
    *,
    within: float = LONGEST,
) -> dict[str, Any]:
    """Call a method; its answer. Raises `SlackError`."""
    url = f"{workspace.url.rstrip('/')}/{method}"
    headers = {"Authorization": f"Bearer {workspace.token}"}
    try:
        answer = await ask(http, "POST", url, within=within, json=dict(arguments), headers=headers)
    except Away as away:
        raise SlackError(TryLater(f"Slack cannot be reached: {away}", for_all=True)) from away
    except ValueError as wrong:  # a token that cannot stand in a header
        raise SlackError(Misconfigured("the bot token is not one")) from wrong
    fate = fate_of(answer, now(), "Slack")
    if fate is not None:
        raise SlackError(fate)
    document = answer.document()
    if document is None or not isinstance(document.get("ok"), bool):
        raise SlackError(TryLater(f"Slack's answer to {method} is none"))
    if not document["ok"]:
        code = str(document.get("error") or "unknown_error")[:100]
        raise SlackError(meaning(code, document), code)
    return document


def meaning(code: str, document: Mapping[str, Any] | None = None) -> Fate:
    """What Slack's word for an error means for a message."""
    if code in SETTINGS:
        needed = (document or {}).get("needed")
        return Misconfigured(f"Slack says {code}" + (f": the app needs {needed}"[:200] if needed else ""))
    if code in BUSY:
        return TryLater(f"Slack says {code}", for_all=True)
    return Rejected(f"Slack says {code}", is_gone=code in GONE)


def is_signed(secret: str, timestamp: str, signature: str, body: bytes, at: datetime) -> bool:
    """Whether Slack sent this body, and just now; compared in constant time."""
    if not secret or not is_recent(timestamp, at):
        return False
    made = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={made}".encode(), signature.encode("utf-8", "replace"))


def is_recent(timestamp: str, at: datetime) -> bool:
    """Whether a timestamp is one, and near enough to now that nobody repeats an old request."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    return abs(at.timestamp() - int(timestamp)) <= SKEW
