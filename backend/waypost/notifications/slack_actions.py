"""What people do in Slack: a press of a button, a form sent. The answer is what Slack wants back within three seconds.

Who it is, is known by the account's id, which Slack signed; what they may do is looked at as everywhere else.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from waypost.kernel.db import Database
from waypost.kernel.logs import get_logger
from waypost.kernel.settings import get_settings
from waypost.notifications import accounts, slack_blocks
from waypost.notifications.channels import Config
from waypost.notifications.deciding import NEEDS_WORDS, Press, Said, decide, may_decide, press_of, title_of
from waypost.vendors.answers import Away, ask, client
from waypost.vendors.slack import SlackError, Workspace, call

log = get_logger(__name__)
CHANNEL = "slack"
PATIENCE = 1.2  # seconds a decision may take before Slack is answered
WITHIN = 1.2  # seconds for a call while Slack waits for our answer
UNKNOWN = "Waypost does not know your Slack account: nobody here has its e-mail address. Please ask an administrator."


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer at once, and what to do after that."""

    body: dict[str, Any] | None = None
    after: Callable[[], Awaitable[None]] | None = None


Answering = Callable[[Said], Reply]


async def react(database: Database, config: Config, payload: dict[str, Any]) -> Reply:
    """What a signed payload leads to. What is none of ours is taken and left alone."""
    kind = payload.get("type")
    if kind == "block_actions":
        return await _pressed(database, config, payload)
    view = _inner(payload, "view")
    if kind == "view_submission" and view.get("callback_id") == slack_blocks.FORM:
        return await _sent(database, config, payload, view)
    return Reply()


async def _pressed(database: Database, config: Config, payload: dict[str, Any]) -> Reply:
    actions = payload.get("actions")
    action = actions[0] if isinstance(actions, list) and actions and isinstance(actions[0], dict) else {}
    press = press_of(action.get("action_id"), action.get("value"))
    if press is None:
        return Reply()
    user_id, unknown = await _person(database, config, payload)
    if user_id is None:
        return _whisper(payload, Said(False, unknown, get_settings().origin))
    if press.verb not in NEEDS_WORDS:
        return await _in_time(
            decide(database, user_id, press, "", CHANNEL),
            lambda said: Reply() if said.is_done else _whisper(payload, said),
            lambda said: Reply() if said.is_done else _whisper(payload, said),
        )
    refused = await may_decide(database, user_id, press, CHANNEL)
    if refused is not None:
        return _whisper(payload, refused)
    kept = {"verb": press.verb.value, "value": slack_blocks.button_value(_seen(press))}
    view = slack_blocks.form(press.verb.value, await title_of(database, press.step_id), kept)
    try:
        async with client() as http:
            asked = {"trigger_id": str(payload.get("trigger_id") or ""), "view": view}
            await call(http, _workspace(config), "views.open", asked, within=WITHIN)
    except SlackError as error:
        log.warning("slack opens no form", why=error.fate.why)
        return _whisper(
            payload, Said(False, "The form did not open. Please press again.", f"{get_settings().origin}/approvals")
        )
    return Reply()


async def _sent(database: Database, config: Config, payload: dict[str, Any], view: dict[str, Any]) -> Reply:
    kept = _kept(view.get("private_metadata"))
    press = press_of(kept.get("verb"), kept.get("value"))
    if press is None:
        return Reply()
    values = _inner(_inner(view, "state"), "values")
    words = _inner(_inner(values, slack_blocks.WORDS), slack_blocks.WORDS).get("value")
    words = words.replace("\x00", "").strip()[: slack_blocks.LONGEST_WORDS] if isinstance(words, str) else ""
    user_id, unknown = await _person(database, config, payload)
    if user_id is None:
        return _instead(Said(False, unknown, get_settings().origin))
    account = str(_inner(payload, "user").get("id"))
    return await _in_time(
        decide(database, user_id, press, words, CHANNEL),
        _answer_to_form,
        lambda said: Reply() if said.is_done else Reply(after=lambda: _write(config, account, said)),
    )


async def _in_time(deciding: Coroutine[Any, Any, Said], now: Answering, later: Answering) -> Reply:
    """Slack waits three seconds: what takes longer, behind somebody else's lock, is taken, and its end said afterwards."""
    task = asyncio.create_task(deciding)
    await asyncio.wait({task}, timeout=PATIENCE)
    if task.done():
        return now(task.result())

    async def goes_on() -> None:
        reply = later(await task)
        if reply.after is not None:
            await reply.after()

    return Reply(after=goes_on)


def _answer_to_form(said: Said) -> Reply:
    if said.is_done:
        return Reply()
    if said.lacks_words:
        return Reply({"response_action": "errors", "errors": {slack_blocks.WORDS: said.words}})
    return _instead(said)


async def _write(config: Config, account: str, said: Said) -> None:
    """Say it in their own conversation with us: their form is closed by now."""
    try:
        async with client() as http:
            text = slack_blocks.with_link(said.words, said.link)
            await call(http, _workspace(config), "chat.postMessage", {"channel": account, "text": text})
    except SlackError as error:
        log.warning("slack took no answer", why=error.fate.why)


def _instead(said: Said) -> Reply:
    return Reply({"response_action": "update", "view": slack_blocks.note(said.words, said.link)})


def _whisper(payload: dict[str, Any], said: Said) -> Reply:
    """Say it to the one who pressed, and to nobody else."""
    where = payload.get("response_url")
    if not isinstance(where, str) or not where.startswith(get_settings().slack_hooks_url):
        return Reply()
    text = slack_blocks.with_link(said.words, said.link)

    async def whisper() -> None:
        try:
            async with client() as http:
                body = {"response_type": "ephemeral", "replace_original": False, "text": text}
                answer = await ask(http, "POST", where, json=body)
            if answer.status != 200:
                log.warning("slack took no answer", status=answer.status)
        except Away as away:
            log.warning("slack took no answer", why=str(away))

    return Reply(after=whisper)


async def _person(database: Database, config: Config, payload: dict[str, Any]) -> tuple[int | None, str]:
    """Who it is; or why that is not known. Somebody new is found by the address Slack has verified, once."""
    account = str(_inner(payload, "user").get("id") or "")[:64]
    if not account:
        return None, UNKNOWN
    known = await accounts.person_of(database, CHANNEL, account)
    if known is not None:
        return known, ""
    try:
        async with client() as http:
            found = await call(http, _workspace(config), "users.info", {"user": account}, within=WITHIN)
    except SlackError as error:
        log.warning("slack does not say who pressed", why=error.fate.why)
        return None, "Waypost could not look up your account just now. Please press again, or decide in Waypost."
    user = _inner(found, "user")
    email = _inner(user, "profile").get("email")
    is_theirs = user.get("id") == account and not any(user.get(k) for k in ("deleted", "is_bot", "is_stranger"))
    if not is_theirs or user.get("is_email_confirmed") is False or not isinstance(email, str):
        return None, UNKNOWN
    await accounts.keep_account(database, CHANNEL, account, email)
    return await accounts.person_of(database, CHANNEL, account), UNKNOWN


def _workspace(config: Config) -> Workspace:
    return Workspace(get_settings().slack_api_url, str(config.get("token") or ""))


def _seen(press: Press) -> dict[str, int]:
    return {"step_id": press.step_id, "version": press.version}


def _kept(metadata: object) -> dict[str, Any]:
    try:
        value = json.loads(metadata) if isinstance(metadata, str) else None
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _inner(value: dict[str, Any], key: str) -> dict[str, Any]:
    inner = value.get(key)
    return inner if isinstance(inner, dict) else {}
