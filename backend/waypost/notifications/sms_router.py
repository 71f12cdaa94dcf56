"""`/integrations/sms`: where text messages and reports on them come in. Twilio's signature, or the secret of a gateway, is
the key; nobody is signed in."""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

from fastapi import APIRouter, Header, Request, Response

from waypost.access.deps import public
from waypost.kernel.bodies import MalformedBody, check_json, read_body
from waypost.kernel.clock import now
from waypost.kernel.db import database
from waypost.kernel.errors import NotFound
from waypost.kernel.http import StrictRoute
from waypost.kernel.ids import path_id
from waypost.kernel.settings import get_settings
from waypost.notifications import sms_receipts
from waypost.notifications.channels import Config
from waypost.notifications.channels.registry import config_of
from waypost.notifications.channels.sms import GATEWAY, HOOK, HOOKS, TWILIO
from waypost.notifications.errors import NotSigned
from waypost.notifications.models import ChannelSettings
from waypost.notifications.numbers import number_of
from waypost.notifications.reply_codes import CHANNEL
from waypost.notifications.sms_actions import Incoming, react
from waypost.vendors import sms
from waypost.vendors.sms import parameters_of

# Left out of the API's document: the callers are the network's, and each has a contract of its own.
router = APIRouter(route_class=StrictRoute, prefix="/integrations/sms", tags=["Notifications"], include_in_schema=False)
NAMES = {"phone": "from", "text": "text", "id": "id", "status": "status"}
MOST_TEXT = 2000
Secret = Annotated[str, Header(alias="X-Waypost-Secret")]
Form = list[tuple[str, str]]


@router.post("/twilio/messages")
@public
async def twilio_messages(request: Request) -> Response:
    """A message somebody sent to our number at Twilio. It is answered by a message of its own."""
    form = await _of_twilio(request)
    phone = number_of(form.get("From", ""))
    if phone is not None and form.get("MessageSid"):
        # Twilio itself answers what it knows as a wish to stop, to begin again, or for help, and may say which it was
        text = form.get("OptOutType") or form.get("Body", "")
        await react(database(), Incoming(TWILIO, form["MessageSid"], phone, text[:MOST_TEXT], is_answered=True))
    return Response("<Response/>", media_type="text/xml")


@router.post("/twilio/reports")
@public
async def twilio_reports(request: Request) -> Response:
    """What became of a message of ours."""
    form = await _of_twilio(request)
    report = sms.report_of_twilio(form.get("MessageStatus", ""), form.get("ErrorCode", ""))
    await _report(request, report, form.get("MessageSid", ""))
    return Response(status_code=204)


@router.api_route("/gateway/messages", methods=["GET", "POST"])
@public
async def gateway_messages(request: Request, secret: Secret = "") -> Response:
    """A message that came in by a gateway, which says its secret in a header."""
    return await _from_gateway(request, secret)


@router.api_route("/gateway/{secret}/messages", methods=["GET", "POST"])
@public
async def gateway_messages_with_secret(request: Request, secret: str) -> Response:
    """The same, by a gateway that can call a plain address only."""
    return await _from_gateway(request, secret)


@router.api_route("/gateway/reports", methods=["GET", "POST"])
@public
async def gateway_reports(request: Request, secret: Secret = "") -> Response:
    """What became of a message, told by a gateway, which says its secret in a header."""
    return await _report_of_gateway(request, secret)


@router.api_route("/gateway/{secret}/reports", methods=["GET", "POST"])
@public
async def gateway_reports_with_secret(request: Request, secret: str) -> Response:
    """The same, by a gateway that can call a plain address only."""
    return await _report_of_gateway(request, secret)


async def _from_gateway(request: Request, secret: str) -> Response:
    form, names = await _of_gateway(request, secret)
    phone = number_of(form.get(names["phone"], ""), needs_plus=False)
    text = form.get(names["text"], "")[:MOST_TEXT]
    if phone is not None:
        # without an id of the gateway's, the same words within a minute are the same message
        told = form.get(names["id"]) or f"{phone}|{text}|{now():%Y%m%d%H%M}"
        given = hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()
        await react(database(), Incoming(GATEWAY, given, phone, text))
    return Response(media_type="text/plain")  # empty: some gateways send what stands here to the phone


async def _report_of_gateway(request: Request, secret: str) -> Response:
    form, names = await _of_gateway(request, secret)
    await _report(request, sms.report_of_gateway(form.get(names["status"], "")), "")
    return Response(media_type="text/plain")


async def _report(request: Request, report: tuple[str, str] | None, ref: str) -> None:
    try:
        delivery_id = path_id(request.query_params.get("delivery"))
    except NotFound:
        return
    if report is not None:
        async with database().transaction() as session:
            await sms_receipts.take(session, delivery_id, *report, ref)


async def _of_twilio(request: Request) -> dict[str, str]:
    """A form as Twilio signed it, for the address at which the world reaches us. Raises `NotSigned`."""
    signature = request.headers.get("x-twilio-signature", "")
    if not signature:
        raise NotSigned  # nothing is read for it
    form = _form(await read_body(request))
    config = await _config(TWILIO)
    query = f"?{request.url.query}" if request.url.query else ""
    path = f"{HOOKS}{request.url.path.partition('/integrations/sms')[2]}{query}"
    token = str(config.get("auth_token") or "")
    if not any(sms.is_signed(token, f"{origin}{path}", form, signature) for origin in _origins()):
        raise NotSigned
    return _plain(form)


def _origins() -> list[str]:
    """Our address as Twilio may have signed it: with its port and without."""
    origin = get_settings().origin
    parts = urlsplit(origin)
    usual = {"https": 443, "http": 80}[parts.scheme]
    if parts.port is None:
        return [origin, f"{origin}:{usual}"]
    return [origin, f"{parts.scheme}://{parts.hostname}"] if parts.port == usual else [origin]


async def _of_gateway(request: Request, secret: str) -> tuple[dict[str, str], dict[str, str]]:
    """What a gateway brought, by name, and what the names mean. Raises `NotSigned`."""
    body = await read_body(request)
    config = await _config(GATEWAY)
    kept = str(config.get(HOOK) or "")
    if not kept or not hmac.compare_digest(kept.encode(), secret.encode("utf-8", "replace")):
        raise NotSigned
    brought = _plain(_pairs(request.url.query))
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
        value = check_json(body)
        if not isinstance(value, dict):
            raise MalformedBody
        brought |= {name: str(inner) for name, inner in value.items() if isinstance(inner, (str, int))}
    else:
        brought |= _plain(_form(body))
    return brought, NAMES | dict(parameters_of(str(config.get("incoming") or "")))


async def _config(driver: str) -> Config:
    async with database().read() as session:
        row = await session.get(ChannelSettings, CHANNEL)
        config = config_of(row) if row is not None and row.is_on else {}
    return config if config.get("driver") == driver else {}


def _form(body: bytes) -> Form:
    return _pairs(body.decode("utf-8", "replace"))


def _pairs(written: str) -> Form:
    try:
        return parse_qsl(written, keep_blank_values=True, max_num_fields=100)
    except ValueError as wrong:
        raise MalformedBody from wrong


def _plain(pairs: Form) -> dict[str, str]:
    """By name, and without what the database does not take."""
    return {name: value.replace("\x00", "") for name, value in pairs}
