"""Microsoft's sign-in for apps, Graph, and the Bot Connector: one call at a time, and what its answers mean.

An app signs in as itself; its token is kept until shortly before its end, and of many who need one at once one asks.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx2

from waypost.kernel.clock import now
from waypost.vendors.answers import LONGEST, Answer, Away, ask, fate_of
from waypost.vendors.fates import Delivered, Fate, Misconfigured, Rejected, TryLater

GRAPH = "https://graph.microsoft.com/.default"
BOT = "https://api.botframework.com/.default"
PATIENCE = 60.0  # seconds for a mail: whoever hangs up too early sends it twice
EARLY = 300.0  # seconds before its end at which a token is not used any more
# What Graph and the Connector say with 403 of one person, and not of the app.
_ONE_PERSON = ("not installed", "botnotinconversationroster", "conversationblockedbyuser", "forbiddenoperation")


@dataclass(frozen=True, slots=True)
class App:
    """Who we are there. `login`, `graph` and `bot` are where to call."""

    login: str
    graph: str
    bot: str
    tenant: str
    client_id: str
    secret: str


class MicrosoftError(Exception):
    """It was not done. `fate` is what that means for a message."""

    def __init__(self, fate: Fate, status: int = 0) -> None:
        super().__init__(fate.why)
        self.fate, self.status = fate, status


_tokens: dict[tuple[App, str], tuple[float, str]] = {}
_asking: dict[tuple[App, str], asyncio.Lock] = {}


async def token(http: httpx2.AsyncClient, app: App, scope: str, *, within: float = LONGEST) -> str:
    """A token for a scope, from memory while it lasts. Raises `MicrosoftError`."""
    key = (app, scope)
    async with _asking.setdefault(key, asyncio.Lock()):
        until, kept = _tokens.get(key, (0.0, ""))
        if time.monotonic() < until:
            return kept
        form = {
            "grant_type": "client_credentials",
            "client_id": app.client_id,
            "client_secret": app.secret,
            "scope": scope,
        }
        url = f"{app.login.rstrip('/')}/{quote(app.tenant, safe='')}/oauth2/v2.0/token"
        try:
            answer = await ask(http, "POST", url, within=within, data=form)
        except Away as away:
            raise MicrosoftError(TryLater(f"Microsoft's sign-in cannot be reached: {away}", for_all=True)) from away
        document = answer.document() or {}
        if answer.status in (400, 401, 403, 404):
            why = str(document.get("error") or answer.status)[:100]
            raise MicrosoftError(Misconfigured(f"Microsoft does not let the app in: {why}"))
        fate = fate_of(answer, now(), "Microsoft's sign-in")
        made, life = document.get("access_token"), document.get("expires_in")
        if fate is not None or not isinstance(made, str) or not made:
            raise MicrosoftError(fate or TryLater("Microsoft's sign-in gave no token", for_all=True))
        seconds = float(life) if isinstance(life, (int, float)) else 3600.0
        _tokens[key] = (time.monotonic() + max(seconds - EARLY, 0.0), made)
        return made


async def call(
    http: httpx2.AsyncClient,
    app: App,
    scope: str,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    within: float = LONGEST,
    text: bytes | None = None,
) -> dict[str, Any]:
    """Call Graph or the Connector with a JSON `body`, or with `text`; the answer's document. Raises `MicrosoftError`."""
    base, what = (app.graph, "Graph") if scope == GRAPH else (app.bot, "The bot service")
    for is_again in (False, True):
        bearer = await token(http, app, scope, within=within)
        more: dict[str, Any] = {"headers": {"Authorization": f"Bearer {bearer}"}}
        if body is not None:
            more["json"] = dict(body)
        if text is not None:
            more["content"] = text
            more["headers"]["Content-Type"] = "text/plain"
        try:
            answer = await ask(http, method, f"{base.rstrip('/')}/{path}", within=within, **more)
        except Away as away:
            raise MicrosoftError(TryLater(f"{what} cannot be reached: {away}", for_all=True)) from away
        if answer.status == 401 and not is_again:
            _tokens.pop((app, scope), None)  # taken back before its end; a refused call was not carried out
            continue
        break
    fate = meaning(answer, what)
    if fate is not None:
        raise MicrosoftError(fate, answer.status)
    return answer.document() or {}


async def send_mail(http: httpx2.AsyncClient, app: App, sender: str, mail: bytes) -> Fate:
    """Send a mail as it is written (MIME) from somebody's mailbox: so it keeps its own Message-ID. Never raises."""
    try:
        path = f"users/{quote(sender, safe='')}/sendMail"
        await call(http, app, GRAPH, "POST", path, within=PATIENCE, text=base64.b64encode(mail))
    except MicrosoftError as error:
        if error.status == 404:  # nobody is told by this address but us: it is the sender's mailbox that is not there
            return Misconfigured(f"Graph knows no mailbox {sender}")
        return error.fate
    return Delivered()


def meaning(answer: Answer, what: str) -> Fate | None:
    """What an answer means for a message; None for a yes."""
    if answer.status == 404:
        return Rejected(f"{what} knows nobody by that name", is_gone=True)
    if answer.status in (400, 403, 412):
        inner = (answer.document() or {}).get("error")
        error: Mapping[str, Any] = inner if isinstance(inner, dict) else {}
        said = f"{error.get('code', '')}: {error.get('message', '')}"[:300]
        if answer.status == 400 or any(word in said.replace(" ", " ").lower() for word in _ONE_PERSON):
            return Rejected(f"{what} answers {answer.status} {said}")
        if answer.status == 412:
            return TryLater(f"{what} answers 412 {said}")
        return Misconfigured(f"{what} answers 403 {said}")
    return fate_of(answer, now(), what)
