"""Text messages, by Twilio or by any gateway that takes them over HTTP: to phones whose owners proved them to be theirs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import timedelta
from typing import ClassVar
from urllib.parse import quote, urlsplit

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.kernel.clock import now
from waypost.kernel.logs import get_logger
from waypost.kernel.outgoing import guarded
from waypost.kernel.settings import get_settings
from waypost.kernel.settings_form import Field
from waypost.notifications import reply_codes
from waypost.notifications.channels import Caps, Config, Message
from waypost.notifications.codes import proof_code
from waypost.notifications.models import ChannelSettings
from waypost.notifications.people import Person
from waypost.notifications.segments import size_of
from waypost.notifications.sms_text import proof_of, summary_of, text_of
from waypost.notifications.words import Words
from waypost.vendors.answers import client
from waypost.vendors.fates import Delivered, Fate, Misconfigured, Rejected
from waypost.vendors.sms import Gateway, Text, Twilio, parameters_of, send_by_gateway, send_twilio

log = get_logger(__name__)
TWILIO, GATEWAY = "twilio", "generic-http"
PARAMETERS = "username={username}&password={password}&from={sender}&to={to}&text={text}&charset=UTF-8&coding={coding}"
HOOK, HOOKS = "hook_secret", "/api/v1/integrations/sms"
MOST_TO_ONE, MOST_IN_ALL = 20, 1000
URGENT_FOR, VALID_FOR = timedelta(minutes=15), timedelta(hours=4)
HIGHEST_CAP = 1_000_000


class Sms:
    """Short messages to phones."""

    key: ClassVar[str] = "sms"
    fields: ClassVar[tuple[Field, ...]] = (
        Field("driver", "Sent by", "choice", "Twilio, or a gateway of your own that is called over HTTP.", True,
              (TWILIO, GATEWAY)),
        Field("sender", "Sender", "text", "A number such as +4915112345678, or a messaging service (MG…) of Twilio's."),
        Field("account", "Twilio: account SID", "text", "Begins with AC.", False),
        Field("auth_token", "Twilio: auth token", "secret",
              "Of the same account. With it we know that what comes in is Twilio's.", False),
        Field("url", "Gateway: address", "url", "As https://sms.example.com/cgi-bin/sendsms.", False,
              may_hold_token=True),
        Field("method", "Gateway: how it is called", "choice", "GET puts the parameters into the address.", False,
              ("GET", "POST form", "POST JSON")),
        Field("parameters", "Gateway: parameters", "text",
              f"Names and what they hold, with an & between them. Left empty: {PARAMETERS}. For reports of delivery also "
              "{report_url}, as in dlr-mask=31&dlr-url={report_url}%26status%3D%d for Kannel.", False, may_hold_token=True),
        Field("username", "Gateway: user name", "text", "Stands for {username} in the parameters.", False),
        Field("password", "Gateway: password", "secret", "Stands for {password} in the parameters.", False),
        Field("authorization", "Gateway: Authorization header", "secret", "The whole value, as in: Bearer 1a2b3c.", False),
        Field("taken_when", "Gateway: words of a good answer", "text",
              "For gateways that answer 200 also when they refuse: what their answer holds when they take it.", False),
        Field("hook_secret", "Gateway: secret for what comes in", "secret",
              "At least 16 letters and digits. Messages and reports are brought to "
              f"…{HOOKS}/gateway/<secret>/messages and …/reports.", False),
        Field("incoming", "Gateway: names in what comes in", "text",
              "Left empty: phone=from&text=text&id=id&status=status.", False),
        Field("takes_replies", "Decide by answering", "boolean",
              "Routine requests say a code; APPROVE or REJECT with it decides. Needs what comes in to be set up.", False),
        Field("most_to_one", "Most messages to a person in a day", "text",
              f"Left empty: {MOST_TO_ONE}. Emergencies pass.", False),
        Field("most_in_all", "Most messages in all in a day", "text", f"Left empty: {MOST_IN_ALL}.", False),
    )  # fmt: skip
    pace: ClassVar[float] = 0.1

    def recipients(self, person: Person) -> Sequence[str]:
        """Their phones."""
        return person.points.get(self.key, ())

    def faults(self, config: Config) -> Mapping[str, str]:
        """What the chosen way of sending lacks."""
        needed = {TWILIO: ("account", "auth_token"), GATEWAY: ("url",)}.get(str(config.get("driver")), ())
        found = {key: "is needed to switch it on" for key in needed if not config.get(key)}
        for key in ("most_to_one", "most_in_all"):
            if config.get(key) and _number(config, key) is None:
                found[key] = f"must be a whole number from 1 to {HIGHEST_CAP:,}"
        secret = str(config.get(HOOK) or "")
        if secret and not (len(secret) >= 16 and secret.isascii() and secret.isalnum()):
            found[HOOK] = "must have at least 16 letters and digits, and nothing else"
        if config.get("takes_replies") and config.get("driver") == GATEWAY and not secret:
            found[HOOK] = "is needed to take answers"
        return found

    def caps(self, config: Config) -> Caps:
        """How many it sends in a day."""
        to_one, in_all = _number(config, "most_to_one"), _number(config, "most_in_all")
        return Caps(to_one or MOST_TO_ONE, in_all or MOST_IN_ALL)

    async def invite(self, session: AsyncSession, user_id: int, recipient: str, words: Words) -> Words:
        """The words with a code to answer with, where answers are taken."""
        row = await session.get(ChannelSettings, self.key)
        if row is None or not row.settings.get("takes_replies"):
            return words
        return await reply_codes.invite(session, user_id, recipient, words)

    async def send(self, config: Config, messages: Sequence[Message]) -> AsyncGenerator[Fate]:
        """One after the other, each with what became of it."""
        is_twilio = config.get("driver") == TWILIO
        async with client(**({} if is_twilio else {"transport": guarded()})) as http:
            for message in messages:
                try:
                    text = written(config, message)
                    if isinstance(text, Rejected):
                        yield text
                        continue
                    if wrong := self.faults(config):
                        yield Misconfigured(f"the setting {next(iter(wrong))} {next(iter(wrong.values()))}")
                        continue
                    if is_twilio:
                        fate = await send_twilio(http, twilio_of(config), text)
                    else:
                        fate = await send_by_gateway(http, gateway_of(config, text), text)
                except Exception as error:
                    log.exception("message cannot be written", message_id=message.id)
                    fate = Rejected(f"{type(error).__name__}: {error}"[:500])
                    yield fate
                    continue
                if isinstance(fate, Delivered):
                    fate = Delivered(fate.ref, fate.why, segments=size_of(text.body).segments)
                yield fate


def written(config: Config, message: Message) -> Text | Rejected:
    """A message as it goes out; refused when it would come too late to be of use."""
    first, origin = message.notices[0], get_settings().origin
    valid_for = URGENT_FOR if message.is_urgent else VALID_FOR
    if first.code is not None:
        left = int(first.code["until"]) - int(now().timestamp())
        if left <= 0:
            return Rejected("the code is over")
        code = proof_code(reply_codes.codes_key(), int(first.code["point_id"]), int(first.code["salt"]))
        body, valid_for = proof_of(code, urlsplit(origin).hostname or ""), timedelta(seconds=left)
    elif len(message.notices) > 1:
        body = summary_of(message.subject, message.notices, f"{origin}/")
    else:
        code = reply_codes.code_in(first, message.recipient) if config.get("takes_replies") else ""
        body = text_of(first, is_urgent=message.is_urgent, reply_code=code)
    return Text(message.recipient, body, report_url(config, message.delivery_id), valid_for)


def report_url(config: Config, delivery_id: int) -> str:
    """Where the network's report on a message goes; empty when none can come in."""
    if not delivery_id:
        return ""
    hooks = f"{get_settings().origin}{HOOKS}"
    if config.get("driver") == TWILIO:
        return f"{hooks}/twilio/reports?delivery={delivery_id}"
    secret = str(config.get(HOOK) or "")
    return f"{hooks}/gateway/{quote(secret, safe='')}/reports?delivery={delivery_id}" if secret else ""


def twilio_of(config: Config) -> Twilio:
    """The account at Twilio."""
    account, token, sender = (str(config.get(k) or "").strip() for k in ("account", "auth_token", "sender"))
    return Twilio(get_settings().twilio_url, account, token, sender)


def gateway_of(config: Config, text: Text) -> Gateway:
    """The gateway, as it is called for this message."""
    kept = {k: str(config.get(k) or "").strip() for k in ("url", "method", "parameters", "authorization", "taken_when")}
    values = {k: str(config.get(k) or "") for k in ("sender", "username", "password")}
    values["coding"] = "2" if size_of(text.body).alphabet == "UCS-2" else "0"  # as Kannel and SMPP number them
    parameters = parameters_of(kept["parameters"] or PARAMETERS)
    return Gateway(kept["url"], kept["method"], parameters, values, kept["authorization"], kept["taken_when"])


def _number(config: Config, key: str) -> int | None:
    said = str(config.get(key) or "").strip()
    return int(said) if said.isascii() and said.isdigit() and len(said) < 8 and 0 < int(said) <= HIGHEST_CAP else None
