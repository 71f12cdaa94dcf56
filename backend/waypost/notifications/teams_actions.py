"""What people do in Teams: a press of a button on a card. The answer is the card as it is now, or a sentence to them.

Who it is, is known by the object id in their company's directory, which the Connector vouches for; never by a name.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import quote

from sqlalchemy import select

from waypost.approvals.states import Verb
from waypost.kernel.db import Database
from waypost.kernel.logs import get_logger
from waypost.kernel.settings import get_settings
from waypost.notifications import accounts
from waypost.notifications.channels import Config
from waypost.notifications.channels.teams import app_of
from waypost.notifications.deciding import DONE, Press, Said, decide, press_of
from waypost.notifications.models import Delivery
from waypost.notifications.teams_cards import CONTENT, LONGEST_WORDS, Card, message_card
from waypost.notifications.words import Words, words_of
from waypost.vendors.answers import client
from waypost.vendors.microsoft import GRAPH, MicrosoftError, call

log = get_logger(__name__)
CHANNEL = "teams"
WITHIN = 4.0  # seconds for a call while Teams waits for our answer
SENTENCE = "application/vnd.microsoft.activity.message"
UNKNOWN = "Waypost does not know your account: nobody here has its e-mail address. Please ask an administrator."


async def react(database: Database, config: Config, activity: dict[str, Any]) -> dict[str, Any] | None:
    """The answer to an activity the Connector vouched for; None when there is nothing to say."""
    if activity.get("type") != "invoke" or activity.get("name") != "adaptiveCard/action":
        return None
    action = _inner(_inner(activity, "value"), "action")
    data = _inner(action, "data")
    press = press_of(action.get("verb"), data.get("press"))
    if press is None:
        return _sentence("This button is not one of Waypost's any more.")
    if not _is_ours(config, activity):
        return _sentence("This is another company's Teams.")
    user_id, unknown = await _person(database, config, activity)
    if user_id is None:
        return _sentence(unknown)
    words = data.get("words")
    words = words.replace("\x00", "").strip()[:LONGEST_WORDS] if isinstance(words, str) else ""
    said = await decide(database, user_id, press, words, CHANNEL)
    if not said.is_done:
        return _sentence(f"{said.words} {said.link}")
    if press.verb is Verb.REQUEST_INFO:
        return _sentence(said.words)  # it can still be decided: the card keeps its buttons
    return {"statusCode": 200, "type": CONTENT, "value": await _card(database, user_id, press, said)}


def _sentence(words: str) -> dict[str, Any]:
    """Said to the one who pressed; the card stays as it is."""
    return {"statusCode": 200, "type": SENTENCE, "value": words}


async def _card(database: Database, user_id: int, press: Press, said: Said) -> Card:
    """The message they pressed a button of, with what became of it."""
    async with database.read() as session:
        kept = await session.scalar(
            select(Delivery.words)
            .where(Delivery.step_id == press.step_id, Delivery.channel == CHANNEL, Delivery.user_id == user_id)
            .order_by(Delivery.id.desc())
            .limit(1)
        )
    words = words_of(kept) if kept else Words(title="Your decision", body="", link=said.link, action="Open in Waypost")
    return message_card(replace(words, decide=None, outcome=DONE[press.verb]))


def _is_ours(config: Config, activity: dict[str, Any]) -> bool:
    tenant = str(config.get("tenant") or "").lower()
    named = (
        _inner(_inner(activity, "channelData"), "tenant").get("id"),
        _inner(activity, "conversation").get("tenantId"),
    )
    said = {str(t).lower() for t in named if t}
    return bool(tenant) and said == {tenant}


async def _person(database: Database, config: Config, activity: dict[str, Any]) -> tuple[int | None, str]:
    """Who it is; or why that is not known. Somebody new is found by the address of their directory, once."""
    account = _inner(activity, "from").get("aadObjectId")
    if not isinstance(account, str) or not 0 < len(account) <= 64:
        return None, UNKNOWN
    known = await accounts.person_of(database, CHANNEL, account)
    app = app_of(config)
    if known is not None or app is None:
        return known, UNKNOWN
    wanted = f"users/{quote(account, safe='')}?$select=id,mail,userPrincipalName,accountEnabled"
    try:
        async with client() as http:
            found = await call(http, app, GRAPH, "GET", wanted, within=WITHIN)
    except MicrosoftError as error:
        log.warning("graph does not say who pressed", why=error.fate.why)
        link = f"{get_settings().origin}/approvals"
        return None, f"Waypost could not look up your account just now. Please press again, or decide here: {link}"
    address = found.get("mail") or found.get("userPrincipalName")
    if found.get("id") != account or found.get("accountEnabled") is False or not isinstance(address, str):
        return None, UNKNOWN
    await accounts.keep_account(database, CHANNEL, account, address)
    return await accounts.person_of(database, CHANNEL, account), UNKNOWN


def _inner(value: dict[str, Any], key: str) -> dict[str, Any]:
    inner = value.get(key)
    return inner if isinstance(inner, dict) else {}
